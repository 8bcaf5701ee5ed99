//! The table's mechanics, which know no noun: reads that leave together, ranges, batches, transactions.
mod actions;
mod batches;
mod gets;
mod ranges;
mod shards;
mod transactions;

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::AttributeValue,
};
use serde::de::DeserializeOwned;
use serde_dynamo::from_item;

pub use self::{
    actions::{Action, NEW, SHOWN, THERE, assignments, named, number, set, set_of, text},
    batches::{Pace, put_request, whole},
    ranges::{Range, full_page},
    shards::Tally,
    transactions::Outcome,
};
use self::{gets::Loader, shards::Split};
use super::keys;
use crate::domain::{Refusal, System, UploadQuota};

/// What DynamoDB calls an item: attributes by name.
pub type Item = HashMap<String, AttributeValue>;

/// The table. Its verbs stand with their nouns.
pub struct Store {
    client: Client,
    table: String,
    pub(super) system: System,
    /// What one user may upload.
    pub(super) uploads: UploadQuota,
    /// Reads of this turn, by whether they must be right or may be a moment old.
    sure: Loader,
    light: Loader,
    split: Split,
}

/// How often a write that met another one is tried in all, before the caller is told that we are busy.
const TRIES: u32 = 10;

/// The longest pause between two tries, in milliseconds: all of them together take 2 s at most.
const LONGEST_PAUSE: u64 = 300;

impl Store {
    pub fn new(client: Client, table: String, system: System, uploads: UploadQuota) -> Self {
        let (sure, light) = (Loader::default(), Loader::default());
        Self { client, table, system, uploads, sure, light, split: Split::default() }
    }

    /// Opens the connection, so that the first request finds it open. A failure shows at that request.
    pub async fn warm(&self) {
        let _ = self.get::<serde::de::IgnoredAny>(keys::warm()).await;
    }

    /// For those who look again and again: as long as between two tries of a write.
    pub async fn pause_before(&self, look: u32) {
        pause(&self.system, look.min(TRIES - 2)).await;
    }
}

/// Between two tries: longer each time, and of random length, so that two who met do not meet again.
async fn pause(system: &System, tried: u32) {
    if tried + 1 == TRIES {
        return;
    }
    let pause = u64::from(u16::from_le_bytes(system.random())) % (20 << tried).min(LONGEST_PAUSE);
    tokio::time::sleep(Duration::from_millis(pause)).await;
}

pub fn read<T: DeserializeOwned>(item: Item) -> Result<T, Refusal> {
    from_item(item).map_err(unreadable)
}

/// An item or a request that cannot be what it is: a fault of ours.
pub fn unreadable<E>(_: E) -> Refusal {
    // Which error, its type tells; its text may quote what is stored.
    tracing::error!(error = std::any::type_name::<E>(), "a stored item or a request to the table is malformed");
    Refusal::Internal
}

/// What the storage did not do, in the log without the item's contents and to the client without details.
fn broken<E: ProvideErrorMetadata, R>(error: SdkError<E, R>) -> Refusal {
    crate::outside::aws::refusal("DynamoDB", &error)
}
