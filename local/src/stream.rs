//! Delivers the table's stream to `fanout`, as Lambda does by the template's event source.
use std::{sync::Arc, time::Duration};

use aws_lambda_events::dynamodb::Event;
use serde_json::json;
use shared::{App, domain::Millis};
use tokio::{sync::Mutex, task::spawn_blocking};

use crate::{engines::Stream, template::StreamSource};

/// Between two looks at a stream that had nothing.
const IDLE: Duration = Duration::from_millis(100);
/// Before a failed record is sent again: at first, and at most.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How often [`Delivery::finish`] sends a record.
const TRIES: u32 = 5;

/// Brings the stream's records to `fanout`: each at least once, in their order. A record that fails is sent again
/// until it does not, so nothing is lost.
pub struct Delivery {
    app: Arc<App>,
    stream: Arc<Stream>,
    source: StreamSource,
    /// A shard has one reader.
    reading: Mutex<()>,
}

/// What one batch came to.
enum Batch {
    /// There was nothing.
    Empty,
    Done,
    /// A record failed; those before it are done.
    Failed(String),
}

impl Delivery {
    pub(crate) fn new(app: Arc<App>, stream: Arc<Stream>, source: StreamSource) -> Self {
        Self { app, stream, source, reading: Mutex::default() }
    }

    /// Delivers for as long as it is polled.
    pub async fn run(&self) {
        let mut pause = PAUSE;
        loop {
            match self.batch().await {
                Batch::Empty => tokio::time::sleep(IDLE).await,
                Batch::Done => pause = PAUSE,
                Batch::Failed(problem) => {
                    tracing::warn!(problem, again_in = ?pause, "fanout failed");
                    tokio::time::sleep(pause).await;
                    pause = LONGEST_PAUSE.min(pause * 2);
                }
            }
        }
    }

    /// Delivers all there is; the error tells of a record that goes on failing.
    pub async fn finish(&self) -> Result<(), String> {
        let mut tried = 0;
        loop {
            match self.batch().await {
                Batch::Empty => return Ok(()),
                Batch::Done => tried = 0,
                Batch::Failed(problem) if tried + 1 == TRIES => return Err(problem),
                Batch::Failed(_) => tried += 1,
            }
        }
    }

    async fn batch(&self) -> Batch {
        let _reading = self.reading.lock().await;
        match self.deliver().await {
            Ok(0) => Batch::Empty,
            Ok(_) => Batch::Done,
            Err(problem) => Batch::Failed(problem),
        }
    }

    /// Delivers one batch and says how many records are done with.
    async fn deliver(&self) -> Result<usize, String> {
        let stream = self.stream.clone();
        let oldest = spawn_blocking(move || stream.oldest()).await.map_err(|error| error.to_string())??;
        let mut done = oldest.len();
        let wanted = oldest.into_iter().enumerate().filter(|(_, record)| self.source.wants(record));
        let (places, records): (Vec<_>, Vec<_>) = wanted.take(self.source.batch_size).unzip();
        if records.len() == self.source.batch_size {
            done = places[records.len() - 1] + 1;
        }
        let mut failure = None;
        if !records.is_empty() {
            let event = json!({ "Records": records });
            let event: Event = serde_json::from_value(event).map_err(|error| error.to_string())?;
            let response = fanout::handle(&self.app, event, Millis::MAX).await;
            if let Some(failed) = response.batch_item_failures.into_iter().next() {
                let number = failed.item_identifier.unwrap_or_default();
                let at = records.iter().position(|record| record["dynamodb"]["SequenceNumber"] == number);
                // As Lambda has it, of a number that it does not know: all of the batch.
                done = at.map_or(0, |at| places[at]);
                failure = Some(format!("record {number}"));
            }
        }
        if done > 0 {
            let stream = self.stream.clone();
            spawn_blocking(move || stream.trim(done)).await.map_err(|error| error.to_string())??;
        }
        failure.map_or(Ok(done), Err)
    }
}
