//! Counts that a crowd changes at once.
//!
//! A count stands in an item of its subject. One item takes part in some fifty to a hundred transactions a second, for
//! those that meet are cancelled and tried again. Who met others there three times in a row splits the counts: 32 shards
//! come in a partition of their own, from then on each change goes to one of them by chance, and a count is the sum of
//! all. So a subject that no crowd found costs nothing more.
//!
//! Nobody asks before a write whether its subject was split: those who have met the crowd know it from then on.
//! Whoever does not know yet counts where it always was, which is as right.
//!
//! Invariant: a shard is there only while its subject is, and withdrawn while that is. So who counts in one need not look
//! at the subject itself, where all would meet again. Behind a subject that is gone its shards are deleted before that
//! is answered; what comes in between was there before the subject went.
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use futures_util::future::try_join_all;
use serde::{Deserialize, de::DeserializeOwned};

use super::{Action, NEW, Range, SHOWN, Store, number, transactions::Attempt};
use crate::{
    domain::{Page, Refusal},
    store::keys::{self, Key},
};

/// At 200 transactions a second of some 15 ms each three are under way, and one in ten meets another; all shards together
/// are read as one unit.
const SHARDS: u16 = 32;
/// One in so many of those who meet a crowd splits the counts, for all who try meet each other at all of the shards.
const SPLITS: u8 = 3;
/// Counts that are known to be split, before all are forgotten.
const MOST_KNOWN: usize = 10_000;

/// What is counted of a subject.
#[derive(Clone, Debug, PartialEq)]
pub struct Tally {
    /// There, and not withdrawn, as long as the subject is.
    pub head: Key,
    /// The item with the counts: perhaps the head itself.
    pub counts: Key,
}

impl Tally {
    /// Of what has its counts in its head.
    pub fn in_head(head: Key) -> Self {
        Self { counts: head.clone(), head }
    }
}

/// Counts that were found to be split, by the item that has them, and over how many shards.
#[derive(Default)]
pub struct Split(Mutex<HashMap<Key, u16>>);

impl Split {
    fn known(&self, counts: &Key) -> Option<u16> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(counts).copied()
    }

    pub fn knows(&self, Tally { counts, .. }: &Tally) -> bool {
        self.known(counts).is_some()
    }

    fn learn(&self, counts: &Key, shards: u16) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.insert(counts.clone(), shards);
    }
}

/// What an item with counts says of its shards.
#[derive(Deserialize)]
struct Noted {
    shards: Option<u16>,
}

impl Store {
    /// Where to count: in the item itself, or in one of its shards where the counts are known to be split.
    pub fn place(&self, tally: &Tally) -> Key {
        match self.split.known(&tally.counts) {
            Some(shards) => keys::shard(&tally.counts, u16::from_le_bytes(self.system.random()) % shards),
            None => tally.counts.clone(),
        }
    }

    /// What is counted in each shard of an item, perhaps as it was a moment ago. One query.
    pub async fn shards<T: DeserializeOwned>(&self, counts: &Key, lately: bool) -> Result<Vec<T>, Refusal> {
        let range = Range::new(keys::shards(counts), "");
        self.items(if lately { range.lately() } else { range }, Page::first(usize::from(u16::MAX))).await
    }

    /// Whether counts are split by now: then who asked knows it. A read.
    pub(super) async fn is_split(&self, Tally { counts, .. }: &Tally) -> Result<bool, Refusal> {
        let Some(Noted { shards: Some(shards) }) = self.get(counts.clone()).await? else { return Ok(false) };
        self.split.learn(counts, shards);
        Ok(true)
    }

    /// Splits counts, by chance, unless somebody has or the subject is gone; says whether it did. A transaction.
    pub(super) async fn split(&self, tally: &Tally) -> Result<bool, Refusal> {
        let Tally { head, counts } = tally;
        if !u8::from_le_bytes(self.system.random()).is_multiple_of(SPLITS) {
            return Ok(false);
        }
        let note = |key: &Key| Action::update(key.clone(), "SET shards = :shards").with(":shards", number(SHARDS));
        let there = note(head).when(SHOWN).and("attribute_not_exists(shards)");
        let apart = (counts != head).then(|| note(counts));
        // Updates, as are all changes of counts: so it needs no other permission.
        let shards = (0..SHARDS).map(|shard| note(&keys::shard(counts, shard)).when(NEW));
        // Who meets others here as well looks again: they may be at shards that are there by now.
        let all = [there].into_iter().chain(apart).chain(shards).map(|action| action.in_crowd(tally));
        let is_split = matches!(self.attempt(all.collect()).await?, Attempt::Done);
        if is_split {
            self.split.learn(counts, SHARDS);
        }
        Ok(is_split)
    }

    /// Has the shards say whether their subject is withdrawn, as it is about to. A write each.
    pub async fn withdraw_shards(&self, counts: &Key, shards: u16, withdrawn: bool) -> Result<(), Refusal> {
        let said = if withdrawn { "SET withdrawn = :yes" } else { "REMOVE withdrawn" };
        let changes = (0..shards).map(|shard| {
            let change = Action::update(keys::shard(counts, shard), said);
            let yes = aws_sdk_dynamodb::types::AttributeValue::Bool(true);
            self.change(if withdrawn { change.with(":yes", yes) } else { change })
        });
        try_join_all(changes).await.map(drop)
    }

    /// Deletes the shards of what is gone. A query, and a write each.
    pub async fn delete_shards(&self, counts: &Key) -> Result<(), Refusal> {
        let range = Range::new(keys::shards(counts), "");
        let shards = self.raw_items(range, Page::first(usize::from(u16::MAX))).await?;
        let keys = shards.iter().filter_map(Key::of);
        // Not as a batch: one that is counted in at this moment would refuse the others as well.
        try_join_all(keys.map(|key| self.transact_once(vec![Action::delete(key)]))).await.map(drop)
    }
}
