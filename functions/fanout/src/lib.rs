//! The table's stream: what may happen some moments after a write, to feeds and behind deleted articles.
use aws_lambda_events::{
    dynamodb::{Event, EventRecord},
    streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse},
};
use shared::{
    App,
    domain::{MINUTE, Millis, Refusal},
    function::Sent,
    store::keys::StreamChange,
};

/// What one record may take: a hundred thousand followers.
const RESERVE: Millis = 3 * MINUTE;

/// What to do about whatever was sent.
pub fn event(sent: Sent<EventRecord>) -> Event {
    let mut event = Event::default();
    event.records = sent.records.unwrap_or_default();
    event
}

/// Follows up the records in their order. The first that fails ends the batch and is reported: Lambda sends it and
/// those after it again, as it may send any record again; none is counted, so nothing comes of that.
///
/// A record only says where to look: whether it tells of coming or going is not even read.
///
/// `deadline`: when Lambda ends us. What is not begun well before it is left to the next invocation, and what was done
/// stays done.
pub async fn handle(app: &App, event: Event, deadline: Millis) -> DynamoDbEventResponse {
    let mut response = DynamoDbEventResponse::default();
    for (at, record) in event.records.into_iter().enumerate() {
        let outcome = match at > 0 && app.system.now() + RESERVE > deadline {
            true => Err(Refusal::Unavailable),
            false => follow_up(app, &record).await,
        };
        if let Err(refusal) = outcome {
            tracing::warn!(%refusal, sequence_number = record.change.sequence_number, "a record was not followed up");
            let mut failure = DynamoDbBatchItemFailure::default();
            // Were it missing, Lambda would send the whole batch again.
            failure.item_identifier = record.change.sequence_number;
            response.batch_item_failures.push(failure);
            break;
        }
    }
    response
}

async fn follow_up(app: &App, record: &EventRecord) -> Result<(), Refusal> {
    let key = serde_dynamo::from_item(record.change.keys.clone()).ok();
    match key.as_ref().and_then(StreamChange::of) {
        Some(StreamChange::Entry { feed, by, place }) => app.store.follow_up_entry(feed, by, &place).await,
        Some(StreamChange::Follow { follower, followee }) => app.store.follow_up_follow(follower, followee).await,
        None => Ok(()),
    }
}
