//! Delivers the table's stream, and the queue of what is left to be done, to `fanout`, as Lambda does by the template's
//! event sources.
use std::{sync::Arc, time::Duration};

use aws_lambda_events::dynamodb::Event;
use fanout::Queued;
use futures_util::future::join_all;
use serde_json::json;
use shared::{App, domain::Millis};
use tokio::{sync::Mutex, task::spawn_blocking};

use crate::{
    desk::Desk,
    engines::{Engines, Queue, Stream, Taken},
    template::{QueueSource, StreamSource},
};

/// Between two looks at a stream that had nothing.
const IDLE: Duration = Duration::from_millis(100);
/// Before a failed record is sent again: at first, and at most.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How often [`Delivery::finish`] sends a record or a message.
const TRIES: u32 = 5;

/// Brings the stream's records to `fanout`, each at least once, in their order: one that fails is sent again until it
/// does not, so nothing is lost. And beside them the queue's messages, each at least once: one that fails comes again
/// when its time is over, and ends among the dead when it came as often as the template says.
pub struct Delivery {
    app: Arc<App>,
    desk: Arc<Desk>,
    stream: Arc<Stream>,
    source: StreamSource,
    queue: Queue,
    queue_source: QueueSource,
    /// A shard has one reader.
    reading: Mutex<()>,
}

/// What one batch came to.
enum Batch {
    /// There was nothing.
    Empty,
    Done,
    /// Something failed; of a stream, those before it are done.
    Failed(String),
}

impl Delivery {
    pub(crate) fn new(
        app: Arc<App>,
        desk: Arc<Desk>,
        engines: &Engines,
        source: StreamSource,
        queue_source: QueueSource,
    ) -> Self {
        let (stream, queue) = (engines.stream.clone(), engines.tasks.clone());
        Self { app, desk, stream, source, queue, queue_source, reading: Mutex::default() }
    }

    /// Delivers for as long as it is polled.
    pub async fn run(&self) {
        let messages = (0..self.queue_source.concurrency).map(|_| self.run_queue());
        tokio::join!(self.run_stream(), join_all(messages));
    }

    /// Delivers all there is; the error tells of a record or a message that goes on failing.
    pub async fn finish(&self) -> Result<(), String> {
        let mut tried = 0;
        loop {
            let mut batch = self.batch().await;
            if matches!(batch, Batch::Empty) {
                batch = self.messages_at_once().await;
            }
            match batch {
                Batch::Empty => return Ok(()),
                Batch::Done => tried = 0,
                Batch::Failed(problem) if tried + 1 == TRIES => return Err(problem),
                Batch::Failed(_) => tried += 1,
            }
        }
    }

    async fn run_stream(&self) {
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

    async fn run_queue(&self) {
        loop {
            match self.messages().await {
                Ok(Batch::Empty) => tokio::time::sleep(IDLE).await,
                Ok(Batch::Done) => {}
                Ok(Batch::Failed(problem)) => tracing::warn!(problem, "fanout failed"),
                Err(problem) => {
                    tracing::error!(problem, "the queue cannot be read");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// As many batches of messages as may be in the works at a time, those that failed before among them.
    async fn messages_at_once(&self) -> Batch {
        if let Err(problem) = self.queue(Queue::show).await {
            return Batch::Failed(problem);
        }
        let batches = join_all((0..self.queue_source.concurrency).map(|_| self.messages())).await;
        batches.into_iter().map(|batch| batch.unwrap_or_else(Batch::Failed)).fold(Batch::Empty, |before, batch| match (
            before, batch,
        ) {
            (Batch::Failed(problem), _) | (_, Batch::Failed(problem)) => Batch::Failed(problem),
            (Batch::Done, _) | (_, Batch::Done) => Batch::Done,
            _ => Batch::Empty,
        })
    }

    /// Delivers one batch of messages. What failed is hidden until its time is over.
    async fn messages(&self) -> Result<Batch, String> {
        let QueueSource { batch_size, visibility, tries, .. } = self.queue_source;
        let now = self.app.system.now();
        let taken = self.queue(move |queue| queue.take(batch_size, now, now + visibility)).await?;
        if taken.is_empty() {
            return Ok(Batch::Empty);
        }
        let task = |message: &Taken| Queued { message_id: message.id.to_string(), body: message.body.clone() };
        let told = format!("messages of the queue: {}", taken.len());
        let handling = fanout::handle_tasks(&self.app, taken.iter().map(task).collect());
        let response = self.desk.event("fanout", told, handling).await;
        let failed: Vec<_> =
            response.batch_item_failures.into_iter().filter_map(|failure| failure.item_identifier).collect();
        let problem = failed.first().map(|id| format!("message {id}"));
        self.queue(move |queue| {
            for Taken { id, received, .. } in taken {
                match failed.contains(&id.to_string()) {
                    false => queue.done(id)?,
                    true if received >= tries => queue.bury(id)?,
                    true => {}
                }
            }
            Ok(())
        })
        .await?;
        Ok(problem.map_or(Batch::Done, Batch::Failed))
    }

    async fn queue<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Queue) -> Result<T, String> + Send + 'static,
    ) -> Result<T, String> {
        let queue = self.queue.clone();
        spawn_blocking(move || work(&queue)).await.map_err(|error| error.to_string())?
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
            let told = format!("records of the stream: {}", records.len());
            let handling = fanout::handle_changes(&self.app, event, Millis::MAX);
            let response = self.desk.event("fanout", told, handling).await;
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
