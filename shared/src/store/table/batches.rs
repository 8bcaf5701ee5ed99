//! Writes of many items, each whole, whatever stands in its place.
use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::types::{DeleteRequest, PutRequest, WriteRequest};
use futures_util::future::try_join_all;
use serde::Serialize;
use serde_dynamo::to_item;

use super::{Item, Store, TRIES, broken, pause, unreadable};
use crate::{domain::Refusal, store::keys::Key};

/// Writes in one BatchWriteItem, and requests that are on their way side by side.
const BATCH: usize = 25;
const AT_ONCE: usize = 8;
/// Between two requests of writes that may take their time.
const PACE: Duration = Duration::from_millis(125);

/// How writes of many items go out.
#[derive(Clone, Copy)]
pub enum Pace {
    /// As fast as the table takes them.
    Fast,
    /// 200 a second: who writes beside others, without end, leaves the table to the requests that somebody waits for.
    Slow,
}

impl Store {
    /// Deletes items, whether they are there or not.
    pub async fn delete_all(&self, keys: impl IntoIterator<Item = Key>) -> Result<(), Refusal> {
        self.delete_at(Pace::Fast, keys).await
    }

    /// Puts and deletes items, each key once: 25 a request, a few requests at a time.
    pub async fn write_all(&self, writes: Vec<WriteRequest>) -> Result<(), Refusal> {
        for several in writes.chunks(BATCH * AT_ONCE) {
            let chunks = several.chunks(BATCH).map(async |writes| {
                let mut left = writes.to_vec();
                for tried in 0..TRIES {
                    let request = self.client.batch_write_item().request_items(&self.table, left);
                    let answer = Box::pin(request.send()).await.map_err(broken)?;
                    left = answer.unprocessed_items.into_iter().flat_map(HashMap::into_values).flatten().collect();
                    if left.is_empty() {
                        return Ok(());
                    }
                    pause(&self.system, tried).await;
                }
                Err(Refusal::Unavailable)
            });
            try_join_all(chunks).await?;
        }
        Ok(())
    }

    /// The same at a pace.
    pub async fn write_at(&self, pace: Pace, writes: Vec<WriteRequest>) -> Result<(), Refusal> {
        match pace {
            Pace::Fast => self.write_all(writes).await,
            Pace::Slow => {
                for (number, some) in writes.chunks(BATCH).enumerate() {
                    if number > 0 {
                        tokio::time::sleep(PACE).await;
                    }
                    self.write_all(some.to_vec()).await?;
                }
                Ok(())
            }
        }
    }

    /// Deletes at a pace.
    pub async fn delete_at(&self, pace: Pace, keys: impl IntoIterator<Item = Key>) -> Result<(), Refusal> {
        self.write_at(pace, keys.into_iter().map(delete_request).collect::<Result<_, _>>()?).await
    }

    /// Puts an item in the place of whatever is there.
    pub async fn put<T: Serialize>(&self, key: Key, item: &T) -> Result<(), Refusal> {
        let request = self.client.put_item().table_name(&self.table).set_item(Some(whole(key, item)?));
        request.send().await.map(drop).map_err(broken)
    }
}

/// An item with its key.
pub fn whole<T: Serialize>(key: Key, item: &T) -> Result<Item, Refusal> {
    let mut whole: Item = to_item(item).map_err(unreadable)?;
    whole.extend(Item::from(key));
    Ok(whole)
}

/// For [`Store::write_all`]: an item with its key.
pub fn put_request(item: Item) -> Result<WriteRequest, Refusal> {
    let put = PutRequest::builder().set_item(Some(item)).build().map_err(unreadable)?;
    Ok(WriteRequest::builder().put_request(put).build())
}

/// For [`Store::write_all`].
pub fn delete_request(key: Key) -> Result<WriteRequest, Refusal> {
    let delete = DeleteRequest::builder().set_key(Some(key.into())).build().map_err(unreadable)?;
    Ok(WriteRequest::builder().delete_request(delete).build())
}
