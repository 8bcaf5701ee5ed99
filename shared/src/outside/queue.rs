use aws_sdk_sqs::{
    Client,
    config::Builder,
    types::{BatchResultErrorEntry, SendMessageBatchRequestEntry},
};
use aws_types::SdkConfig;
use futures_util::future::try_join_all;

use super::aws;
use crate::{domain::Refusal, meter::Counted};

/// Messages in one request, as SQS has it, and requests that are on their way side by side.
const BATCH: usize = 10;
const AT_ONCE: usize = 8;

/// An Amazon SQS queue.
pub struct Queue {
    client: Client,
    url: String,
}

/// What is sent.
#[derive(Clone)]
pub struct Message {
    /// Whose it is. SQS brings the messages of those who have few before those of whoever has many (a fair queue).
    pub of: String,
    pub body: String,
}

impl Queue {
    pub fn new(settings: &SdkConfig, endpoint: Option<&str>, url: String) -> Self {
        let mut config = Builder::from(settings).interceptor(Counted);
        config.set_endpoint_url(endpoint.map(str::to_owned));
        Self { client: Client::from_conf(config.build()), url }
    }

    /// Sends all, ten in a request, some requests at a time. An error where one was not taken; others may have been.
    pub async fn send(&self, messages: &[Message]) -> Result<(), Refusal> {
        for several in messages.chunks(BATCH * AT_ONCE) {
            try_join_all(several.chunks(BATCH).map(|some| self.send_some(some))).await?;
        }
        Ok(())
    }

    async fn send_some(&self, messages: &[Message]) -> Result<(), Refusal> {
        let entries = messages.iter().enumerate().map(|(number, message)| {
            let entry = SendMessageBatchRequestEntry::builder().id(number.to_string()).message_body(&message.body);
            entry.message_group_id(&message.of).build().map_err(|_| Refusal::Internal)
        });
        let request = self.client.send_message_batch().queue_url(&self.url);
        let request = request.set_entries(Some(entries.collect::<Result<_, _>>()?));
        let answer = request.send().await.map_err(|error| aws::refusal("SQS", &error))?;
        match answer.failed().first().map(BatchResultErrorEntry::code) {
            None => Ok(()),
            Some(kind) => {
                tracing::warn!(service = "SQS", kind, "a message was not taken");
                Err(Refusal::Unavailable)
            }
        }
    }
}
