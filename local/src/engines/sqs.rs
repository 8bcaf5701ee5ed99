//! A queue: the one call of SQS's API that fills it, and what Lambda does to empty it.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use rusqlite::{Connection, params};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::domain::Millis;

use super::EngineError;
use crate::guard;

/// Messages in one request, as SQS has it.
const BATCH: usize = 10;

const MESSAGES: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT, whose TEXT NOT NULL, body TEXT NOT NULL,
        hidden_until INTEGER NOT NULL DEFAULT 0, received INTEGER NOT NULL DEFAULT 0, dead INTEGER NOT NULL DEFAULT 0)";
/// The oldest first, but as in a fair queue: before them those whose owner has fewer messages in the works.
const NEXT: &str = "
    WITH busy AS (SELECT whose, COUNT(*) AS number FROM messages WHERE hidden_until > ?1 AND NOT dead GROUP BY whose)
    SELECT id, body, received FROM messages LEFT JOIN busy USING (whose) WHERE hidden_until <= ?1 AND NOT dead
    ORDER BY IFNULL(number, 0), id LIMIT ?2";

/// The messages of one queue, kept until they are done.
#[derive(Clone)]
pub struct Queue(Arc<Mutex<Connection>>);

/// A message that was taken out for a while.
#[derive(Debug)]
pub struct Taken {
    pub id: i64,
    pub body: String,
    /// How often it was, this time included.
    pub received: u32,
}

impl Queue {
    pub(super) fn open(file: Option<&Path>) -> Result<Self, EngineError> {
        let opened = match file {
            Some(file) => Connection::open(file),
            None => Connection::open_in_memory(),
        };
        let made = opened.and_then(|file| file.execute_batch(MESSAGES).map(|()| file));
        let path = || file.unwrap_or(Path::new("a queue in memory")).into();
        let made = made.map_err(|error| EngineError::Database { path: path(), problem: error.to_string() })?;
        Ok(Self(Arc::new(Mutex::new(made))))
    }

    /// Takes the next messages, which nobody else gets until then. Blocks, for a short while, as all that is below.
    pub fn take(&self, most: usize, now: Millis, hidden_until: Millis) -> Result<Vec<Taken>, String> {
        let work = |file: &mut Connection| {
            let transaction = file.transaction()?;
            let taken = {
                let mut next = transaction.prepare_cached(NEXT)?;
                let taken = next.query_map(params![now as i64, most], |row| {
                    Ok(Taken { id: row.get(0)?, body: row.get(1)?, received: row.get::<_, u32>(2)? + 1 })
                })?;
                taken.collect::<Result<Vec<_>, _>>()?
            };
            for Taken { id, .. } in &taken {
                let hide = "UPDATE messages SET hidden_until = ?2, received = received + 1 WHERE id = ?1";
                transaction.prepare_cached(hide)?.execute(params![id, hidden_until as i64])?;
            }
            transaction.commit()?;
            Ok(taken)
        };
        work(&mut self.file()).map_err(|error: rusqlite::Error| error.to_string())
    }

    /// Deletes a message that is done.
    pub fn done(&self, id: i64) -> Result<(), String> {
        self.change("DELETE FROM messages WHERE id = ?1", id)
    }

    /// Puts a message among the dead ones, which nobody takes any more.
    pub fn bury(&self, id: i64) -> Result<(), String> {
        self.change("UPDATE messages SET dead = 1 WHERE id = ?1", id)
    }

    /// Shows all messages that are hidden.
    pub fn show(&self) -> Result<(), String> {
        let shown = self.file().execute("UPDATE messages SET hidden_until = 0 WHERE NOT dead", []);
        shown.map(drop).map_err(|error| error.to_string())
    }

    /// The bodies of all messages, of the dead ones or of the others.
    pub fn bodies(&self, dead: bool) -> Result<Vec<String>, String> {
        let file = self.file();
        let bodies =
            file.prepare_cached("SELECT body FROM messages WHERE dead = ?1 ORDER BY id").and_then(|mut all| {
                let bodies = all.query_map([dead], |row| row.get(0))?;
                bodies.collect()
            });
        bodies.map_err(|error| error.to_string())
    }

    /// Adds messages with their owners.
    fn add(&self, messages: &[Entry]) -> Result<(), String> {
        let work = |file: &mut Connection| {
            let transaction = file.transaction()?;
            for message in messages {
                let add = "INSERT INTO messages (whose, body) VALUES (?1, ?2)";
                transaction.prepare_cached(add)?.execute([&message.message_group_id, &message.message_body])?;
            }
            transaction.commit()
        };
        work(&mut self.file()).map_err(|error: rusqlite::Error| error.to_string())
    }

    fn change(&self, statement: &str, id: i64) -> Result<(), String> {
        let done = self.file().prepare_cached(statement).and_then(|mut change| change.execute([id]));
        done.map(drop).map_err(|error| error.to_string())
    }

    fn file(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A message as it is sent.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    id: String,
    message_body: String,
    #[serde(default)]
    message_group_id: String,
}

/// SQS's API, as far as `SendMessageBatch` goes. There is one queue, whatever it is called.
pub(super) fn router(queue: Queue) -> Router {
    let send = move |headers: HeaderMap, body: Bytes| async move {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Request {
            entries: Vec<Entry>,
        }
        if headers.get("x-amz-target").is_none_or(|target| target != "AmazonSQS.SendMessageBatch") {
            return refusal("InvalidAction", "only SendMessageBatch is known here");
        }
        let Ok(Request { entries }) = serde_json::from_slice(&body) else {
            return refusal("InvalidParameterValue", "not a batch of messages");
        };
        if entries.is_empty() || entries.len() > BATCH {
            return refusal("TooManyEntriesInBatchRequest", "1 to 10 messages are a batch");
        }
        let sent: Vec<_> = entries
            .iter()
            .map(|entry| json!({"Id": entry.id, "MessageId": entry.id, "MD5OfMessageBody": ""}))
            .collect();
        match tokio::task::spawn_blocking(move || queue.add(&entries)).await {
            Ok(Ok(())) => answer(StatusCode::OK, json!({"Successful": sent, "Failed": []})),
            _ => answer(StatusCode::INTERNAL_SERVER_ERROR, json!({"__type": "com.amazonaws.sqs#InternalFailure"})),
        }
    };
    Router::new().route("/", post(send)).layer(from_fn(guard::own_host_and_origin))
}

fn refusal(kind: &str, message: &str) -> Response {
    answer(StatusCode::BAD_REQUEST, json!({"__type": format!("com.amazonaws.sqs#{kind}"), "message": message}))
}

fn answer(status: StatusCode, body: Value) -> Response {
    (status, [(CONTENT_TYPE, "application/x-amz-json-1.0")], body.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(messages: &[(&str, &str)]) -> Queue {
        let queue = Queue::open(None).unwrap();
        let entry = |(whose, body): &(&str, &str)| Entry {
            id: "0".into(),
            message_group_id: (*whose).into(),
            message_body: (*body).into(),
        };
        queue.add(&messages.iter().map(entry).collect::<Vec<_>>()).unwrap();
        queue
    }

    fn bodies(taken: Vec<Taken>) -> Vec<String> {
        taken.into_iter().map(|taken| taken.body).collect()
    }

    #[test]
    fn a_message_is_hidden_until_its_time_and_gone_when_it_is_done() {
        let queue = queue(&[("a", "1"), ("a", "2")]);
        let first = queue.take(1, 100, 200).unwrap();
        assert_eq!((first[0].body.as_str(), first[0].received), ("1", 1));
        assert_eq!(bodies(queue.take(9, 100, 150).unwrap()), ["2"]);
        assert_eq!(bodies(queue.take(9, 149, 200).unwrap()), [""; 0]);
        assert_eq!(queue.take(9, 150, 300).unwrap()[0].received, 2);
        queue.done(first[0].id).unwrap();
        assert_eq!(queue.bodies(false).unwrap(), ["2"]);
        let again = queue.take(9, 300, 400).unwrap().remove(0);
        queue.show().unwrap();
        assert_eq!(bodies(queue.take(9, 300, 400).unwrap()), ["2"]);
        queue.bury(again.id).unwrap();
        assert_eq!(bodies(queue.take(9, 500, 600).unwrap()), [""; 0]);
        assert_eq!((queue.bodies(true).unwrap().len(), queue.bodies(false).unwrap().len()), (1, 0));
    }

    #[test]
    fn who_has_many_keeps_nobody_waiting() {
        let queue = queue(&[("many", "1"), ("many", "2"), ("many", "3"), ("few", "4")]);
        let next = || bodies(queue.take(1, 100, 200).unwrap());
        assert_eq!([next(), next(), next(), next()].concat(), ["1", "4", "2", "3"]);
    }

    #[test]
    fn messages_outlive_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sqs.sqlite");
        let entry = Entry { id: "0".into(), message_group_id: "a".into(), message_body: "1".into() };
        Queue::open(Some(&file)).unwrap().add(&[entry]).unwrap();
        assert_eq!(Queue::open(Some(&file)).unwrap().bodies(false).unwrap(), ["1"]);
    }
}
