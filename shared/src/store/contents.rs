//! Content that operators bring: kept once, with what is counted of it, and copied into the lists that show it, so that a
//! page of a list is one query.
use std::future::Future;

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_dynamo::to_attribute_value;

use super::{
    keys::Key,
    table::{Action, Item, NEW, Range, Store, number, read, unreadable},
};
use crate::domain::{Millis, Page, Refusal, Thing};

/// A record of some kind of content.
pub trait Record: Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync {
    /// The item that it is.
    fn head(&self) -> Key;
    /// The item that has its counts.
    fn counts(&self) -> Key {
        self.head()
    }
    /// Whose it is, and what is said where there is no such owner: while they are withdrawn, so is all that they have.
    fn owner(&self) -> Option<(Key, Refusal)> {
        None
    }
    /// Withdraws all that it owns, or brings it back.
    fn take_along(&self, _store: &Store, _withdrawn: bool) -> impl Future<Output = Result<(), Refusal>> + Send {
        async { Ok(()) }
    }
    /// Its places in the lists that show it; `created_at` is when it was first imported.
    fn places(&self, created_at: Millis) -> Vec<Key>;
    /// Its entries in lists that only name it, where they stay while its owner is withdrawn.
    fn entries(&self, _created_at: Millis) -> Vec<(Key, impl Serialize)> {
        Vec::<(Key, ())>::new()
    }
}

/// A record, as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Content<R> {
    /// `record` is a word that the table keeps for itself.
    #[serde(rename = "content")]
    pub record: R,
    /// When it was first imported, and last changed.
    pub created_at: Millis,
    pub updated_at: Millis,
    /// Out of every list; what hangs on it stays.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withdrawn: bool,
    /// Only because its owner is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    with_owner: bool,
    /// Over how many its counts are split: what is told of it here alone.
    #[serde(default, skip_serializing)]
    shards: Option<u16>,
}

impl<R: PartialEq> Content<R> {
    /// As its own record says.
    fn is_withdrawn_itself(&self) -> bool {
        self.withdrawn && !self.with_owner
    }

    /// Whether an import of this would change nothing.
    pub(super) fn is_as(&self, record: &R, withdrawn: bool) -> bool {
        self.record == *record && self.is_withdrawn_itself() == withdrawn
    }
}

/// What is asked of an owner.
#[derive(Deserialize)]
pub(super) struct Standing {
    #[serde(default)]
    pub withdrawn: bool,
}

/// What an import did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Imported {
    /// It is new, or was changed.
    Written,
    Unchanged,
}

impl Store {
    /// Makes content as a record says; what is counted of it stays. One read where it is so already; else also its
    /// owner's, a transaction, and as many for each thing that goes and comes back with it. Refuses as [`Record::owner`]
    /// says.
    pub async fn import<R: Record>(&self, record: &R, withdrawn: bool) -> Result<Imported, Refusal> {
        self.import_content(record, withdrawn).await.map(|(imported, _)| imported)
    }

    /// The same with how it is now.
    pub(super) async fn import_content<R: Record>(
        &self,
        record: &R,
        withdrawn: bool,
    ) -> Result<(Imported, Content<R>), Refusal> {
        let build = |_| async move {
            let old: Option<Content<R>> = self.get(record.head()).await?;
            if let Some(old) = old.as_ref().filter(|old| old.is_as(record, withdrawn)) {
                return Ok((vec![], (Imported::Unchanged, old.clone())));
            }
            // Content never goes, so an owner that is there stays so.
            let with_owner = match record.owner() {
                Some((key, refusal)) => self.get::<Standing>(key).await?.ok_or(refusal)?.withdrawn && !withdrawn,
                None => false,
            };
            // First, so that a repeat of what breaks off here finds it as it was, and begins again.
            if old.as_ref().is_some_and(|old| old.withdrawn != withdrawn) {
                record.take_along(self, withdrawn).await?;
            }
            let content = self.next_content(record, withdrawn || with_owner, with_owner, old.as_ref());
            self.withdraw_shards_of(&content, old.as_ref()).await?;
            Ok((content_actions(&content, old)?, (Imported::Written, content)))
        };
        self.transact(build).await
    }

    /// Withdraws content with its owner, or brings it back, unless it is withdrawn itself. A read and a transaction each.
    pub(super) async fn take_content_along<R: Record>(&self, heads: Vec<Key>, withdrawn: bool) -> Result<(), Refusal> {
        const AT_ONCE: usize = 32;
        let follow = |head: &Key| {
            let head = head.clone();
            self.transact(move |_| {
                let head = head.clone();
                async move {
                    let old: Option<Content<R>> = self.get(head).await?;
                    let changed = old.filter(|old| !old.is_withdrawn_itself() && old.withdrawn != withdrawn);
                    let Some(old) = changed else { return Ok((vec![], ())) };
                    let content = self.next_content(&old.record, withdrawn, withdrawn, Some(&old));
                    self.withdraw_shards_of(&content, Some(&old)).await?;
                    Ok((content_actions(&content, Some(old))?, ()))
                }
            })
        };
        for some in heads.chunks(AT_ONCE) {
            try_join_all(some.iter().map(follow)).await?;
        }
        Ok(())
    }

    fn next_content<R: Record>(
        &self,
        record: &R,
        withdrawn: bool,
        with_owner: bool,
        old: Option<&Content<R>>,
    ) -> Content<R> {
        let updated_at = self.system.now();
        let created_at = old.map_or(updated_at, |old| old.created_at);
        let shards = old.and_then(|old| old.shards);
        Content { record: record.clone(), created_at, updated_at, withdrawn, with_owner, shards }
    }

    /// First, as what it owns: a repeat finds it as it was.
    async fn withdraw_shards_of<R: Record>(
        &self,
        content: &Content<R>,
        old: Option<&Content<R>>,
    ) -> Result<(), Refusal> {
        match content.shards {
            Some(shards) if old.is_some_and(|old| old.withdrawn != content.withdrawn) => {
                self.withdraw_shards(&content.record.counts(), shards, content.withdrawn).await
            }
            _ => Ok(()),
        }
    }

    /// Content by its key; 404 where there is none, or it is withdrawn. One read.
    pub(super) async fn shown_content<R: Record>(&self, head: Key, thing: Thing) -> Result<Content<R>, Refusal> {
        let content: Option<Content<R>> = self.get(head).await?;
        content.filter(|content| !content.withdrawn).ok_or(Refusal::NoSuch(thing))
    }

    /// A page of a list of content, in the list's order. One query.
    pub(super) async fn contents<R: Record>(&self, list: String, page: Page) -> Result<Vec<Content<R>>, Refusal> {
        let items: Vec<Item> = self.raw_items(Range::new(list, "").newest_first(), page).await?;
        items.into_iter().map(read).collect()
    }
}

/// What makes content so, from what it was.
fn content_actions<R: Record>(content: &Content<R>, old: Option<Content<R>>) -> Result<Vec<Action>, Refusal> {
    let Content { record, created_at, .. } = content;
    let mut puts = vec![];
    if !content.withdrawn {
        puts.extend(record.places(*created_at).into_iter().map(|place| Action::put(place, content)));
    }
    if !content.is_withdrawn_itself() {
        puts.extend(record.entries(*created_at).into_iter().map(|(key, entry)| Action::put(key, &entry)));
    }
    let stood = |old: &Content<R>| {
        let places = old.record.places(*created_at).into_iter().filter(|_| !old.withdrawn);
        let entries = old.record.entries(*created_at).into_iter().map(|(key, _)| key);
        places.chain(entries.filter(|_| !old.is_withdrawn_itself())).collect::<Vec<_>>()
    };
    let left = old.iter().flat_map(stood).filter(|key| puts.iter().all(|put| put.key() != key));
    let left: Vec<_> = left.map(Action::delete).collect();
    let head = head_action(content, old.map(|old| old.updated_at))?;
    Ok([head].into_iter().chain(puts).chain(left).collect())
}

/// Puts the record, unless another import was there since it was looked at; the counts beside it stay.
fn head_action<R: Record>(content: &Content<R>, seen: Option<Millis>) -> Result<Action, Refusal> {
    let mut set = "SET content = :record, created_at = :created, updated_at = :updated".to_owned();
    let mut remove = String::new();
    for (name, is_so) in [("withdrawn", content.withdrawn), ("with_owner", content.with_owner)] {
        match is_so {
            true => set += &format!(", {name} = :yes"),
            false => remove += &format!("{} {name}", if remove.is_empty() { " REMOVE" } else { "," }),
        }
    }
    let mut change = Action::update(content.record.head(), set + &remove);
    if content.withdrawn {
        change = change.with(":yes", AttributeValue::Bool(true));
    }
    // Its counts were split since: the shards are to be told as well.
    let split = if content.shards.is_some() { "attribute_exists(shards)" } else { "attribute_not_exists(shards)" };
    let change = match seen {
        Some(seen) => change.when("updated_at = :seen").with(":seen", number(seen)).and(split),
        None => change.when(NEW),
    };
    let record = to_attribute_value(&content.record).map_err(unreadable)?;
    let change = change.with(":record", record).with(":created", number(content.created_at));
    Ok(change.with(":updated", number(content.updated_at)).or_again())
}
