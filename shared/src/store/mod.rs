//! The one table: named verbs, each one round trip or one transaction. Key strings are in [`keys`].
mod articles;
mod banners;
mod comments;
mod devices;
mod feeds;
mod follows;
mod galleries;
mod gifts;
pub mod keys;
mod marks;
mod media;
mod numbered;
mod sessions;
mod sms_codes;
mod users;
mod window;

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        transact_write_items::TransactWriteItemsError,
        update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    },
    types::{
        AttributeValue, ConditionCheck, Delete, DeleteRequest, KeysAndAttributes, Put, PutRequest, ReturnValue,
        ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update, WriteRequest,
    },
};
use futures_util::future::try_join_all;
use serde::{Serialize, de::DeserializeOwned};
use serde_dynamo::{from_item, to_item};

use crate::domain::{Millis, Refusal, World, hex};
pub use articles::{Article, SeenArticle};
pub use banners::{Banner, Place};
pub use comments::{ArticleDetail, Comment, CommentPage, Pin, Reply, SeenComment};
pub use devices::Track;
pub use follows::Counts;
pub use galleries::{Gallery, GalleryPicture, MOST_PICTURES};
pub use gifts::{Gift, Giver};
use keys::Key;
pub use marks::Mark;
pub use media::{MediaRecord, Standing};
pub use sessions::{LoggedIn, Session};
pub use sms_codes::ProvedCode;
pub use users::{CameBy, Changes, PhoneChange, Profile};

type Item = HashMap<String, AttributeValue>;

/// Conditions of a write.
const NEW: &str = "attribute_not_exists(pk)";
const THERE: &str = "attribute_exists(pk)";

/// The table and its verbs.
pub struct Store {
    client: Client,
    table: String,
    world: World,
}

/// How often a write that met another one is tried in all, before the caller is told that we are busy.
const TRIES: u32 = 10;

/// The longest pause between two tries, in milliseconds: all of them together take 2 s at most.
const LONGEST_PAUSE: u64 = 300;

/// Part of a partition, in the order of its keys.
struct Part {
    pk: String,
    /// The first and the last sort key that belong to it.
    from: String,
    to: String,
    newest_first: bool,
    /// The key of the item to go on after.
    after: Option<Item>,
    /// Entries that are gone are left out, but for those that went after this.
    gone_since: Option<Millis>,
}

impl Part {
    /// The items whose sort key begins with `prefix`.
    fn new(pk: String, prefix: &str) -> Self {
        // Keys are made of what lies between these two.
        Self {
            pk,
            from: format!("{prefix}!"),
            to: format!("{prefix}~"),
            newest_first: false,
            after: None,
            gone_since: None,
        }
    }

    fn newest_first(self) -> Self {
        Self { newest_first: true, ..self }
    }

    /// And the entries that were still there then.
    fn with_gone_since(self, then: Millis) -> Self {
        Self { gone_since: Some(then), ..self }
    }

    /// Whether an item belongs to it; `gone_at` marks entries that went and whose place still counts.
    fn holds(&self, item: &Item) -> bool {
        let gone_at = item.get("gone_at").and_then(|at| at.as_n().ok()?.parse::<Millis>().ok());
        gone_at.is_none_or(|at| self.gone_since.is_some_and(|then| at > then))
    }

    /// None of those whose sort key is larger.
    fn up_to(self, to: String) -> Self {
        Self { to, ..self }
    }

    fn after(self, item: Option<&Item>) -> Self {
        let key = |item: &Item| ["pk", "sk"].map(|name| Some((name.to_owned(), item.get(name)?.clone())));
        Self { after: item.map(|item| key(item).into_iter().flatten().collect()), ..self }
    }
}

/// A write whose condition may fail.
enum Outcome {
    /// Done; the item as it is now.
    Done(Item),
    /// Not done; the item as it stands, empty where there is none.
    Refused(Item),
}

/// A transaction that was not done, because the condition of its action number `at` failed.
struct Refused {
    at: usize,
    /// The item as it stands, empty where there is none.
    item: Item,
}

impl Store {
    pub fn new(client: Client, table: String, world: World) -> Self {
        Self { client, table, world }
    }

    /// Opens the connection, so that the first request finds it open. A failure shows at that request.
    pub async fn warm(&self) {
        let _ = self.client.get_item().table_name(&self.table).set_key(Some(keys::warm().into())).send().await;
    }

    /// One item as it is now, not as it was a moment ago.
    async fn get<T: DeserializeOwned>(&self, key: Key) -> Result<Option<T>, Refusal> {
        let request = self.client.get_item().table_name(&self.table).set_key(Some(key.into())).consistent_read(true);
        request.send().await.map_err(broken)?.item.map(read).transpose()
    }

    /// Items of one partition whose sort key begins with `prefix`, in its order, as they are now.
    async fn query<T: DeserializeOwned>(&self, pk: String, prefix: &str, most: usize) -> Result<Vec<T>, Refusal> {
        self.items(Part::new(pk, prefix), 0, most).await?.into_iter().map(read).collect()
    }

    /// A page of a list that is ordered by time, the newest first. Costs what it passes over, too: entries are small.
    async fn newest<T: DeserializeOwned>(
        &self,
        pk: String,
        prefix: &str,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<T>, Refusal> {
        self.items(Part::new(pk, prefix).newest_first(), offset, limit).await?.into_iter().map(read).collect()
    }

    /// `most` items of a part, after `skip` others, as they are now.
    async fn items(&self, part: Part, mut skip: usize, most: usize) -> Result<Vec<Item>, Refusal> {
        if most == 0 {
            return Ok(vec![]);
        }
        let range = values([(":pk", text(&part.pk)), (":from", text(&part.from)), (":to", text(&part.to))]);
        let request = self.client.query().table_name(&self.table).consistent_read(true);
        let request = request
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .set_expression_attribute_values(range)
            .scan_index_forward(!part.newest_first);
        let (mut items, mut after) = (vec![], part.after.clone());
        // A page ends at 1 MB; what is passed over is not kept.
        loop {
            let left = i32::try_from((most - items.len()).saturating_add(skip)).unwrap_or(i32::MAX);
            let page = request.clone().limit(left).set_exclusive_start_key(after).send().await.map_err(broken)?;
            let found: Vec<_> = page.items.unwrap_or_default().into_iter().filter(|item| part.holds(item)).collect();
            let passed = skip.min(found.len());
            skip -= passed;
            items.extend(found.into_iter().skip(passed));
            after = page.last_evaluated_key;
            if after.is_none() || items.len() >= most {
                return Ok(items);
            }
        }
    }

    /// Those of the items that are there, in no order, as they are now. One round of parallel requests, and more only
    /// for what the table leaves over.
    async fn get_all<T: DeserializeOwned>(&self, keys: Vec<Key>) -> Result<Vec<T>, Refusal> {
        self.get_all_as(keys, true).await
    }

    /// The same at half the cost, perhaps as they were a moment ago: names and faces beside what was asked for.
    async fn get_all_lately<T: DeserializeOwned>(&self, keys: Vec<Key>) -> Result<Vec<T>, Refusal> {
        self.get_all_as(keys, false).await
    }

    async fn get_all_as<T: DeserializeOwned>(&self, keys: Vec<Key>, consistent: bool) -> Result<Vec<T>, Refusal> {
        let chunks = keys.chunks(100).map(async |keys| {
            let (mut items, mut left) = (vec![], keys.iter().cloned().map(Item::from).collect::<Vec<_>>());
            for tried in 0..TRIES {
                let wanted = KeysAndAttributes::builder().set_keys(Some(left)).consistent_read(consistent).build();
                let request = self.client.batch_get_item().request_items(&self.table, wanted.map_err(unreadable)?);
                let answer = request.send().await.map_err(broken)?;
                items.extend(answer.responses.into_iter().flat_map(HashMap::into_values).flatten());
                let unprocessed = answer.unprocessed_keys.into_iter().flat_map(HashMap::into_values);
                left = unprocessed.flat_map(|keys| keys.keys).collect();
                if left.is_empty() {
                    return items.into_iter().map(read).collect::<Result<Vec<T>, Refusal>>();
                }
                self.pause(tried).await;
            }
            Err(Refusal::Unavailable)
        });
        Ok(try_join_all(chunks).await?.into_iter().flatten().collect())
    }

    /// Deletes items, whether they are there or not.
    async fn delete_all(&self, keys: Vec<Key>) -> Result<(), Refusal> {
        self.write_all(keys.into_iter().map(delete_request).collect::<Result<_, _>>()?).await
    }

    /// Puts and deletes items, each key once, whatever stands there: 25 a request, a few requests at a time.
    async fn write_all(&self, writes: Vec<WriteRequest>) -> Result<(), Refusal> {
        for several in writes.chunks(25 * 8) {
            let chunks = several.chunks(25).map(async |writes| {
                let mut left = writes.to_vec();
                for tried in 0..TRIES {
                    let request = self.client.batch_write_item().request_items(&self.table, left);
                    let answer = request.send().await.map_err(broken)?;
                    left = answer.unprocessed_items.into_iter().flat_map(HashMap::into_values).flatten().collect();
                    if left.is_empty() {
                        return Ok(());
                    }
                    self.pause(tried).await;
                }
                Err(Refusal::Unavailable)
            });
            try_join_all(chunks).await?;
        }
        Ok(())
    }

    fn update(&self, key: Key, expression: impl Into<String>) -> UpdateItemFluentBuilder {
        self.client.update_item().table_name(&self.table).set_key(Some(key.into())).update_expression(expression)
    }

    /// Sends an update, again where a transaction held the item.
    async fn change(&self, update: UpdateItemFluentBuilder) -> Result<Outcome, Refusal> {
        let update = update
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        for tried in 0..TRIES {
            let error = match update.clone().send().await {
                Ok(done) => return Ok(Outcome::Done(done.attributes.unwrap_or_default())),
                Err(error) => error,
            };
            match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(no)) => {
                    return Ok(Outcome::Refused(no.item().cloned().unwrap_or_default()));
                }
                Some(UpdateItemError::TransactionConflictException(_)) => self.pause(tried).await,
                _ => return Err(broken(error)),
            }
        }
        Err(Refusal::Unavailable)
    }

    /// All of the actions or none, again where another write was at one of the items. The inner result tells which
    /// condition failed.
    async fn transact(&self, actions: Vec<TransactWriteItem>) -> Result<Result<(), Refused>, Refusal> {
        // One token for all tries: what was applied without our hearing of it is not applied again.
        let token = hex(&self.world.random::<16>());
        for tried in 0..TRIES {
            let request = self.client.transact_write_items().client_request_token(&token);
            let error = match request.set_transact_items(Some(actions.clone())).send().await {
                Ok(_) => return Ok(Ok(())),
                Err(error) => error,
            };
            match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(no)) => {
                    let of_kind = |kind| no.cancellation_reasons().iter().position(|why| why.code() == Some(kind));
                    if let Some(at) = of_kind("ConditionalCheckFailed") {
                        let item = no.cancellation_reasons()[at].item().cloned().unwrap_or_default();
                        return Ok(Err(Refused { at, item }));
                    }
                    if of_kind("ValidationError").is_some() {
                        return Err(broken(error));
                    }
                }
                Some(TransactWriteItemsError::TransactionInProgressException(_)) => {}
                _ => return Err(broken(error)),
            }
            self.pause(tried).await;
        }
        Err(Refusal::Unavailable)
    }

    /// Between two tries: longer each time, and of random length, so that two who met do not meet again.
    async fn pause(&self, tried: u32) {
        if tried + 1 == TRIES {
            return;
        }
        let pause = u64::from(u16::from_le_bytes(self.world.random())) % (20 << tried).min(LONGEST_PAUSE);
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }

    /// Puts an item in the place of whatever is there.
    async fn put<T: Serialize>(&self, key: Key, item: &T) -> Result<(), Refusal> {
        let mut whole: Item = to_item(item).map_err(unreadable)?;
        whole.extend(Item::from(key));
        let request = self.client.put_item().table_name(&self.table).set_item(Some(whole));
        request.send().await.map(drop).map_err(broken)
    }

    fn put_action<T: Serialize>(
        &self,
        key: Key,
        item: &T,
        condition: &str,
        values: Option<Item>,
    ) -> Result<TransactWriteItem, Refusal> {
        let mut whole: Item = to_item(item).map_err(unreadable)?;
        whole.extend(Item::from(key));
        let put = Put::builder().table_name(&self.table).set_item(Some(whole)).condition_expression(condition);
        let put = put.set_expression_attribute_values(values).build().map_err(unreadable)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// `condition` may be empty.
    fn update_action(
        &self,
        key: Key,
        expression: impl Into<String>,
        condition: impl Into<String>,
        values: Option<Item>,
    ) -> Result<TransactWriteItem, Refusal> {
        let update = Update::builder().table_name(&self.table).set_key(Some(key.into())).update_expression(expression);
        let update = update
            .set_condition_expression(Some(condition.into()).filter(|condition| !condition.is_empty()))
            .set_expression_attribute_values(values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        Ok(TransactWriteItem::builder().update(update.build().map_err(unreadable)?).build())
    }

    fn delete_action(&self, key: Key, condition: &str, values: Option<Item>) -> Result<TransactWriteItem, Refusal> {
        let delete =
            Delete::builder().table_name(&self.table).set_key(Some(key.into())).condition_expression(condition);
        let delete = delete.set_expression_attribute_values(values).build().map_err(unreadable)?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    fn check_action(&self, key: Key, condition: &str, values: Option<Item>) -> Result<TransactWriteItem, Refusal> {
        let check = ConditionCheck::builder().table_name(&self.table).set_key(Some(key.into()));
        let check = check.condition_expression(condition).set_expression_attribute_values(values);
        Ok(TransactWriteItem::builder().condition_check(check.build().map_err(unreadable)?).build())
    }
}

fn put_request<T: Serialize>(key: Key, item: &T) -> Result<WriteRequest, Refusal> {
    let mut whole: Item = to_item(item).map_err(unreadable)?;
    whole.extend(Item::from(key));
    let put = PutRequest::builder().set_item(Some(whole)).build().map_err(unreadable)?;
    Ok(WriteRequest::builder().put_request(put).build())
}

fn delete_request(key: Key) -> Result<WriteRequest, Refusal> {
    let delete = DeleteRequest::builder().set_key(Some(key.into())).build().map_err(unreadable)?;
    Ok(WriteRequest::builder().delete_request(delete).build())
}

/// An item's attributes as values of an expression.
fn named(set: Item) -> Item {
    set.into_iter().map(|(name, value)| (format!(":{name}"), value)).collect()
}

/// `:name`s of an expression with their values.
fn values<const N: usize>(values: [(&str, AttributeValue); N]) -> Option<Item> {
    Some(values.map(|(name, value)| (name.to_owned(), value)).into())
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn set(value: impl Into<String>) -> AttributeValue {
    AttributeValue::Ss(vec![value.into()])
}

fn number(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn read<T: DeserializeOwned>(item: Item) -> Result<T, Refusal> {
    from_item(item).map_err(unreadable)
}

/// An item or a request that cannot be what it is: a fault of ours.
fn unreadable<E>(_: E) -> Refusal {
    // Which error, its type tells; its text may quote what is stored.
    tracing::error!(error = std::any::type_name::<E>(), "a stored item or a request to the table is malformed");
    Refusal::Internal
}

/// What the storage did not do, in the log without the item's contents and to the client without details.
fn broken<E: ProvideErrorMetadata, R>(error: SdkError<E, R>) -> Refusal {
    crate::outside::aws::refusal("DynamoDB", &error)
}
