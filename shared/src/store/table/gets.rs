//! Reads of single items. What is asked for in one turn leaves as one BatchGetItem, as in GraphQL's DataLoader: a call of
//! the SDK costs some 170 µs of CPU, whatever it brings.
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_sdk_dynamodb::{Client, types::KeysAndAttributes};
use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared, WeakShared, try_join_all},
};
use serde::de::DeserializeOwned;

use super::{Item, Range, Store, TRIES, broken, pause, read, unreadable};
use crate::{
    domain::{Page, Refusal, System},
    store::keys::Key,
};

/// Keys in one BatchGetItem.
const BATCH: usize = 100;

/// What one turn asks for, and how often.
type Wanted = BTreeMap<Key, usize>;

/// What the reads of one turn are answered: items, and how many of those who asked for each have not had it yet.
type Loaded = Arc<Mutex<HashMap<Key, (Item, usize)>>>;
type Sending = BoxFuture<'static, Result<Loaded, Refusal>>;

/// Gathers the reads of one turn. Every one of them drives the batch, so that it arrives though some are given up.
#[derive(Default)]
pub struct Loader(Mutex<Option<Gathering>>);

/// A batch that has not left yet.
struct Gathering {
    keys: Arc<Mutex<Option<Wanted>>>,
    sent: WeakShared<Sending>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn count(keys: &mut Wanted, wanted: &[Key]) {
    wanted.iter().for_each(|key| *keys.entry(key.clone()).or_default() += 1);
}

/// The item itself for whoever asks last, who is nearly always the only one.
fn take(found: &mut HashMap<Key, (Item, usize)>, key: &Key) -> Option<Item> {
    let (item, waiting) = found.get_mut(key)?;
    if *waiting > 1 {
        *waiting -= 1;
        return Some(item.clone());
    }
    found.remove(key).map(|(item, _)| item)
}

impl Loader {
    /// Adds to the batch of this turn, or begins one.
    fn join(&self, wanted: &[Key], send: impl FnOnce(Arc<Mutex<Option<Wanted>>>) -> Sending) -> Shared<Sending> {
        let mut open = locked(&self.0);
        if let Some(gathering) = &*open
            && let Some(sent) = gathering.sent.upgrade()
            && let Some(keys) = &mut *locked(&gathering.keys)
        {
            count(keys, wanted);
            return sent;
        }
        let mut keys = Wanted::new();
        count(&mut keys, wanted);
        let keys = Arc::new(Mutex::new(Some(keys)));
        let sent = send(keys.clone()).shared();
        *open = sent.downgrade().map(|sent| Gathering { keys, sent });
        sent
    }
}

impl Store {
    /// One item as it is now, not as it was a moment ago.
    pub async fn get<T: DeserializeOwned>(&self, key: Key) -> Result<Option<T>, Refusal> {
        self.get_raw(key).await?.map(read).transpose()
    }

    /// The same, as the table has it.
    pub async fn get_raw(&self, key: Key) -> Result<Option<Item>, Refusal> {
        let found = self.load(&self.sure, true, std::slice::from_ref(&key)).await?;
        Ok(take(&mut locked(&found), &key))
    }

    /// Those of the items that are there, by what they were asked for, as they are now. One round.
    pub async fn get_each<I: Copy + Eq + Hash, T: DeserializeOwned>(
        &self,
        ids: impl IntoIterator<Item = I>,
        key: impl Fn(I) -> Key,
    ) -> Result<HashMap<I, T>, Refusal> {
        self.load_each(&self.sure, true, ids, key).await
    }

    /// The same at half the cost, perhaps as they were a moment ago. What was not there a moment ago is asked for again,
    /// surely: one more round, where something is new or gone.
    pub async fn get_each_lately<I: Copy + Eq + Hash, T: DeserializeOwned>(
        &self,
        ids: impl IntoIterator<Item = I>,
        key: impl Fn(I) -> Key,
    ) -> Result<HashMap<I, T>, Refusal> {
        let ids: Vec<I> = ids.into_iter().collect();
        let mut found = self.load_each(&self.light, false, ids.iter().copied(), &key).await?;
        let missing: Vec<I> = ids.into_iter().filter(|id| !found.contains_key(id)).collect();
        if !missing.is_empty() {
            found.extend(self.get_each(missing, key).await?);
        }
        Ok(found)
    }

    /// What somebody has at each of some ids whose keys lie in one partition in the order of the ids: by one query over
    /// their range, and one by one what lies beyond a few times as many entries. `id` tells an item's.
    pub async fn get_near<I: Copy + Ord + Hash, T: DeserializeOwned>(
        &self,
        ids: impl IntoIterator<Item = I>,
        key: impl Fn(I) -> Key,
        id: impl Fn(&T) -> I,
    ) -> Result<HashMap<I, T>, Refusal> {
        /// Below this many, a batch costs less than a call more.
        const FEW: usize = 2;
        /// Entries that are passed over for each that is wanted: forty are one unit, as is one read by itself.
        const PASSED_FOR_ONE: usize = 10;
        let ids: BTreeSet<I> = ids.into_iter().collect();
        let (Some(first), Some(last)) = (ids.first(), ids.last()) else {
            return Ok(HashMap::new());
        };
        if ids.len() <= FEW {
            return self.get_each(ids, key).await;
        }
        let most = ids.len() * PASSED_FOR_ONE;
        let range = Range::between(key(*first), key(*last));
        let items = self.items::<T>(range, Page::first(most)).await?;
        let beyond = items.last().filter(|_| items.len() == most).map(&id);
        let mut found: HashMap<I, T> = items.into_iter().map(|item| (id(&item), item)).collect();
        if let Some(beyond) = beyond {
            found.extend(self.get_each(ids.into_iter().filter(|id| *id > beyond), key).await?);
        }
        Ok(found)
    }

    async fn load_each<I: Copy + Eq + Hash, T: DeserializeOwned>(
        &self,
        loader: &Loader,
        consistent: bool,
        ids: impl IntoIterator<Item = I>,
        key: impl Fn(I) -> Key,
    ) -> Result<HashMap<I, T>, Refusal> {
        let (ids, keys): (Vec<I>, Vec<Key>) = ids.into_iter().map(|id| (id, key(id))).unzip();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let items = self.load(loader, consistent, &keys).await?;
        let mut items = locked(&items);
        let found = ids.into_iter().zip(&keys).filter_map(|(id, key)| Some((id, take(&mut items, key)?)));
        found.map(|(id, item)| Ok((id, read(item)?))).collect()
    }

    async fn load(&self, loader: &Loader, consistent: bool, wanted: &[Key]) -> Result<Loaded, Refusal> {
        let (client, table, system) = (self.client.clone(), self.table.clone(), self.system.clone());
        let send = |wanted: Arc<Mutex<Option<Wanted>>>| {
            let sent = async move {
                let wanted = locked(&wanted).take().unwrap_or_default();
                let keys: Vec<&Key> = wanted.keys().collect();
                let batches = keys.chunks(BATCH).map(|keys| batch(&client, &table, &system, consistent, keys));
                let found = try_join_all(batches).await?.into_iter().flatten();
                let counted = found.filter_map(|(key, item)| wanted.get(&key).map(|waiting| (key, (item, *waiting))));
                Ok(Arc::new(Mutex::new(counted.collect())))
            };
            sent.boxed()
        };
        let sent = loader.join(wanted, send);
        // Whoever asks beside us in this turn gets in first: nobody looks at the batch before the next one, which sends it.
        tokio::task::yield_now().await;
        sent.await
    }
}

/// One BatchGetItem, and more only for what the table leaves over.
async fn batch(
    client: &Client,
    table: &str,
    system: &System,
    consistent: bool,
    keys: &[&Key],
) -> Result<Vec<(Key, Item)>, Refusal> {
    let (mut items, mut left) = (vec![], keys.iter().map(|key| Item::from((*key).clone())).collect::<Vec<_>>());
    for tried in 0..TRIES {
        let wanted = KeysAndAttributes::builder().set_keys(Some(left)).consistent_read(consistent).build();
        let request = client.batch_get_item().request_items(table, wanted.map_err(unreadable)?);
        let answer = request.send().await.map_err(broken)?;
        let found = answer.responses.into_iter().flat_map(HashMap::into_values).flatten();
        items.extend(found.filter_map(|item| Some((Key::of(&item)?, item))));
        let unprocessed = answer.unprocessed_keys.into_iter().flat_map(HashMap::into_values);
        left = unprocessed.flat_map(|keys| keys.keys).collect();
        if left.is_empty() {
            return Ok(items);
        }
        pause(system, tried).await;
    }
    Err(Refusal::Unavailable)
}
