//! The table's stream: what may happen some moments after a write, to feeds and behind deleted articles, galleries and
//! files.
//! What is more than a few writes of it goes through a queue, which this function reads too.
use aws_lambda_events::{
    dynamodb::{Event, EventRecord},
    streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse, SqsBatchItemFailure, SqsEventResponse},
};
use serde::{Deserialize, Serialize};
use shared::{
    App,
    domain::{Millis, Refusal},
    function::Sent,
    outside::Message,
    store::{Task, keys::StreamChange},
};

/// What one record may take: a hundred followers, or a feed from which somebody's entries are taken.
const RESERVE: Millis = 10_000;

/// What may be sent: records of the stream or messages of the queue.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Record {
    Change(Box<EventRecord>),
    Task(Queued),
}

/// A message of the queue: of what SQS says, what is needed here.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Queued {
    pub message_id: String,
    pub body: String,
}

/// What was not done, and is to be sent again.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Response {
    Changes(DynamoDbEventResponse),
    Tasks(SqsEventResponse),
}

/// Does what was sent. `deadline`: when Lambda ends us.
pub async fn handle(app: &App, sent: Sent<Record>, deadline: Millis) -> Response {
    let (mut event, mut tasks) = (Event::default(), vec![]);
    for record in sent.records.unwrap_or_default() {
        match record {
            Record::Change(change) => event.records.push(*change),
            Record::Task(task) => tasks.push(task),
        }
    }
    match tasks.is_empty() {
        true => Response::Changes(handle_changes(app, event, deadline).await),
        false => Response::Tasks(handle_tasks(app, tasks).await),
    }
}

/// Follows up the records in their order. The first that fails ends the batch and is reported: Lambda sends it and
/// those after it again, as it may send any record again; none is counted, so nothing comes of that.
///
/// A record only says where to look: whether it tells of coming or going is not even read.
///
/// What is not begun well before the deadline is left to the next invocation, and what was done stays done.
pub async fn handle_changes(app: &App, event: Event, deadline: Millis) -> DynamoDbEventResponse {
    let mut response = DynamoDbEventResponse::default();
    let changes: Vec<_> = event.records.iter().map(change).collect();
    let mut done = 0;
    // Thousands of files may end at once: those that do so in a row go together.
    for together in changes.chunk_by(|one, next| is_file(one) && is_file(next)) {
        let outcome = match done > 0 && app.system.now() + RESERVE > deadline {
            true => Err(Refusal::Unavailable),
            false => follow_up(app, together).await,
        };
        if let Err(refusal) = outcome {
            let sequence_number = event.records[done].change.sequence_number.clone();
            tracing::warn!(%refusal, sequence_number, "a record was not followed up");
            let mut failure = DynamoDbBatchItemFailure::default();
            // Were it missing, Lambda would send the whole batch again.
            failure.item_identifier = sequence_number;
            response.batch_item_failures.push(failure);
            break;
        }
        done += together.len();
    }
    response
}

fn change(record: &EventRecord) -> Option<StreamChange> {
    StreamChange::of(&serde_dynamo::from_item(record.change.keys.clone()).ok()?)
}

fn is_file(change: &Option<StreamChange>) -> bool {
    matches!(change, Some(StreamChange::Media { .. }))
}

/// One change, or files.
async fn follow_up(app: &App, changes: &[Option<StreamChange>]) -> Result<(), Refusal> {
    let left = match changes {
        [Some(StreamChange::Entry { feed, by, place })] => app.store.follow_up_entry(*feed, *by, place).await?,
        [Some(StreamChange::Follow { follower, followee })] => app.store.follow_up_follow(*follower, *followee).await?,
        [Some(StreamChange::Gallery(gallery))] => app.store.follow_up_gallery(*gallery).await?,
        files => {
            let file = |change: &Option<StreamChange>| match change {
                Some(StreamChange::Media { owner, media }) => Some((*owner, media.clone())),
                _ => None,
            };
            // (Boxed: a type of all that S3 may do is more than the compiler takes.)
            Box::pin(app.follow_up_files(&files.iter().filter_map(file).collect())).await?;
            vec![]
        }
    };
    leave(app, &left).await
}

/// Does the tasks one by one, whose pace is that of one. Each that fails is reported, and comes again by itself.
pub async fn handle_tasks(app: &App, tasks: Vec<Queued>) -> SqsEventResponse {
    let mut response = SqsEventResponse::default();
    for Queued { message_id, body } in tasks {
        let outcome = match serde_json::from_str(&body) {
            Ok(task) => do_task(app, &task).await,
            // It ends among the dead letters, where somebody sees it.
            Err(_) => Err(Refusal::Internal),
        };
        if let Err(refusal) = outcome {
            tracing::warn!(%refusal, message_id, "a task was not done");
            let mut failure = SqsBatchItemFailure::default();
            failure.item_identifier = Some(message_id);
            response.batch_item_failures.push(failure);
        }
    }
    response
}

async fn do_task(app: &App, task: &Task) -> Result<(), Refusal> {
    let left = app.store.do_task(task).await?;
    leave(app, &left).await
}

/// Leaves tasks to the queue.
async fn leave(app: &App, tasks: &[Task]) -> Result<(), Refusal> {
    if tasks.is_empty() {
        return Ok(());
    }
    let message = |task: &Task| {
        let body = serde_json::to_string(task).map_err(|_| Refusal::Internal)?;
        Ok(Message { of: task.of(), body })
    };
    app.tasks().send(&tasks.iter().map(message).collect::<Result<Vec<_>, Refusal>>()?).await
}
