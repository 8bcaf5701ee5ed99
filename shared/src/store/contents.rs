//! Content that operators bring: kept once, with what is counted of it, and copied into the lists that show it, so that a
//! page of a list is one query.
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_dynamo::to_attribute_value;

use super::{
    keys::Key,
    table::{Action, Item, Range, Store, THERE, number, read, unreadable},
};
use crate::domain::{Millis, Page, Refusal};

/// The condition of whoever does something to content: it is there, and not withdrawn.
pub(super) const SHOWN: &str = "attribute_exists(pk) AND attribute_not_exists(withdrawn)";

/// A record of some kind of content.
pub trait Record: Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync {
    /// The item that it is.
    fn head(&self) -> Key;
    /// What must be there for it, and what is said where it is not.
    fn needs(&self) -> Option<(Key, Refusal)> {
        None
    }
    /// Its places in the lists that show it; `created_at` is when it was first imported.
    fn places(&self, created_at: Millis) -> Vec<Key>;
    /// Its entries in lists that only name it.
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
}

/// What an import did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Imported {
    /// It is new, or was changed.
    Written,
    Unchanged,
}

impl Store {
    /// Makes content as a record says; what is counted of it stays. One read, and a transaction where it is not so
    /// already. Refuses as [`Record::needs`] says.
    pub async fn import<R: Record>(&self, record: &R, withdrawn: bool) -> Result<Imported, Refusal> {
        let build = |_| async move {
            let old: Option<Content<R>> = self.get(record.head()).await?;
            if old.as_ref().is_some_and(|old| old.record == *record && old.withdrawn == withdrawn) {
                return Ok((vec![], Imported::Unchanged));
            }
            let now = self.system.now();
            let created_at = old.as_ref().map_or(now, |old| old.created_at);
            let content = Content { record: record.clone(), created_at, updated_at: now, withdrawn };
            let mut puts = vec![];
            if !withdrawn {
                puts.extend(record.places(created_at).into_iter().map(|place| Action::put(place, &content)));
                puts.extend(record.entries(created_at).into_iter().map(|(key, entry)| Action::put(key, &entry)));
            }
            let left = old.iter().filter(|old| !old.withdrawn).map(|old| &old.record).flat_map(|old| {
                let entries = old.entries(created_at).into_iter().map(|(key, _)| key);
                old.places(created_at).into_iter().chain(entries).collect::<Vec<_>>()
            });
            let left: Vec<_> = left.filter(|key| puts.iter().all(|put| put.key() != key)).map(Action::delete).collect();
            let mut actions = vec![self.head_action(&content, old.as_ref().map(|old| old.updated_at))?];
            actions.extend(puts.into_iter().chain(left));
            if let Some((key, refusal)) = record.needs() {
                actions.push(Action::check(key).when(THERE).or_refuse(refusal));
            }
            Ok((actions, Imported::Written))
        };
        self.transact(build).await
    }

    /// Puts the record, unless another import was there since it was looked at; the counts beside it stay.
    fn head_action<R: Record>(&self, content: &Content<R>, seen: Option<Millis>) -> Result<Action, Refusal> {
        let set = "SET content = :record, created_at = :created, updated_at = :updated";
        let change = match content.withdrawn {
            true => Action::update(content.record.head(), format!("{set}, withdrawn = :yes"))
                .with(":yes", aws_sdk_dynamodb::types::AttributeValue::Bool(true)),
            false => Action::update(content.record.head(), format!("{set} REMOVE withdrawn")),
        };
        let change = match seen {
            Some(seen) => change.when("updated_at = :seen").with(":seen", number(seen)),
            None => change.when(super::table::NEW),
        };
        let record = to_attribute_value(&content.record).map_err(unreadable)?;
        let change = change.with(":record", record).with(":created", number(content.created_at));
        Ok(change.with(":updated", number(content.updated_at)).or_again())
    }

    /// Content by its key; 404 where there is none, or it is withdrawn. One read.
    pub(super) async fn shown_content<R: Record>(&self, head: Key, noun: &'static str) -> Result<Content<R>, Refusal> {
        let content: Option<Content<R>> = self.get(head).await?;
        content.filter(|content| !content.withdrawn).ok_or(Refusal::NoSuch(noun))
    }

    /// A page of a list of content, in the list's order. One query.
    pub(super) async fn contents<R: Record>(&self, list: String, page: Page) -> Result<Vec<Content<R>>, Refusal> {
        let items: Vec<Item> = self.raw_items(Range::new(list, "").newest_first(), page).await?;
        items.into_iter().map(read).collect()
    }
}
