//! The table's stream, from its oldest record on. What was delivered is removed, so the beginning is the place to go on
//! from after a restart as well.
//!
//! The engine itself never forgets a record, and looks through all of them at every write. So they get an index, and
//! those that are done with go, past the engine, which offers neither: this file knows its one table of records.
use std::{
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use dynoxide::Database;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::{EngineError, typed};

const INDEX: &str = "CREATE INDEX IF NOT EXISTS stream_by_number
    ON _stream_records (table_name, CAST(sequence_number AS INTEGER))";
const TRIM: &str = "DELETE FROM _stream_records WHERE id IN (
    SELECT id FROM _stream_records WHERE table_name = ?1 ORDER BY CAST(sequence_number AS INTEGER) LIMIT ?2)";

/// The records of one table.
pub struct Stream {
    database: Database,
    /// Another connection to the same file.
    file: Mutex<Connection>,
    table: String,
    arn: String,
    /// The iterator of its one shard's beginning, which never ages here.
    beginning: String,
}

/// A database in memory that several connections can open.
pub(super) fn in_memory() -> String {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    format!("file:/plaza-{}?vfs=memdb", MADE.fetch_add(1, Ordering::Relaxed))
}

impl Stream {
    /// The stream of a table that has one; `file` is where the database is.
    pub(super) fn open(database: Database, file: &str, table: &str) -> Result<Self, EngineError> {
        let refused = |error: &dyn ToString| EngineError::Table(format!("its stream: {}", error.to_string()));
        let streams = database.list_streams(typed(json!({"TableName": table}))?);
        let arn = streams.map_err(|error| refused(&error))?.streams.into_iter().next().map(|stream| stream.stream_arn);
        let arn = arn.ok_or_else(|| refused(&"there is none"))?;
        let described = database.describe_stream(typed(json!({"StreamArn": arn}))?);
        let shards = described.map_err(|error| refused(&error))?.stream_description.shards;
        let shard = shards.into_iter().next().ok_or_else(|| refused(&"it has no shard"))?.shard_id;
        let wanted = json!({"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"});
        let iterator = database.get_shard_iterator(typed(wanted)?).map_err(|error| refused(&error))?;
        let beginning = iterator.shard_iterator.ok_or_else(|| refused(&"it cannot be read"))?;
        let connection = Connection::open(Path::new(file)).and_then(|file| file.execute(INDEX, []).map(|_| file));
        let file = Mutex::new(connection.map_err(|error| refused(&error))?);
        Ok(Self { database, file, table: table.into(), arn, beginning })
    }

    /// The oldest records, 1,000 at most, as Lambda's events have them. Blocks, for a short while.
    pub fn oldest(&self) -> Result<Vec<Value>, String> {
        let request = typed(json!({"ShardIterator": self.beginning}));
        let request = request.map_err(|error| error.to_string())?;
        let records = self.database.get_records(request).map_err(|error| error.to_string())?.records;
        let event = |record| {
            let mut event = serde_json::to_value(record).map_err(|error| error.to_string())?;
            event["eventSourceARN"] = json!(self.arn);
            Ok(event)
        };
        records.into_iter().map(event).collect()
    }

    /// Removes so many of the oldest records. Blocks, for a short while.
    pub fn trim(&self, count: usize) -> Result<(), String> {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let trimmed = file.prepare_cached(TRIM).and_then(|mut trim| trim.execute((&self.table, count)));
        trimmed.map(drop).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_finds_the_last_number_by_the_index() {
        let file = in_memory();
        let database = Database::new(&file).unwrap();
        let key = json!({"AttributeName": "pk", "KeyType": "HASH"});
        let table = json!({
            "TableName": "plaza", "BillingMode": "PAY_PER_REQUEST", "KeySchema": [key],
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"},
        });
        database.create_table(typed(table).unwrap()).unwrap();
        let stream = Stream::open(database, &file, "plaza").unwrap();
        let file = stream.file.lock().unwrap();
        // What it asks at every write, and what `get_records` asks.
        for request in [
            "SELECT COALESCE(MAX(CAST(sequence_number AS INTEGER)), 0) + 1 FROM _stream_records WHERE table_name = ?1",
            "SELECT id FROM _stream_records WHERE table_name = ?1 AND shard_id = '' AND CAST(sequence_number AS INTEGER) > 0
             ORDER BY CAST(sequence_number AS INTEGER) ASC LIMIT 9",
        ] {
            let mut plan = file.prepare(&format!("EXPLAIN QUERY PLAN {request}")).unwrap();
            let steps = plan.query_map(["plaza"], |row| row.get::<_, String>(3)).unwrap();
            let steps: Vec<_> = steps.map(Result::unwrap).collect();
            assert!(steps.len() == 1 && steps[0].contains("INDEX stream_by_number"), "{steps:?}");
        }
    }
}
