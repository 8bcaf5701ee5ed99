//! The table: dynoxide, in memory or in a file.

use std::collections::BTreeMap;
use std::time::Duration;

use dynoxide::{Database, DynoxideError};
use serde_json::{Value, json};

use super::{
    EngineError, Folder, refused,
    stream::{self, Stream},
    typed,
};
use crate::template::Table;

/// Opens the database and makes the table, with a stream, if it is not there.
pub(super) fn open(folder: &Folder, table: &Table, name: &str) -> Result<(Database, Stream), EngineError> {
    let path = folder.join("dynamodb.sqlite");
    let problem = |problem| EngineError::Database { path: path.clone(), problem };
    let file = match folder.is_kept() {
        true => path.to_str().ok_or_else(|| problem("its path is not UTF-8".into()))?.to_owned(),
        false => stream::in_memory(),
    };
    let database = Database::new(&file).map_err(|error| problem(error.to_string()))?;
    let request = table.create_request(name);
    match database.describe_table(typed(json!({"TableName": name}))?) {
        Ok(found) => {
            let found = serde_json::to_value(found.table).map_err(refused)?;
            if shape(&found) != shape(&request) {
                return Err(EngineError::TableChanged { path: folder.path().into() });
            }
        }
        Err(DynoxideError::ResourceNotFoundException(_)) => {
            database.create_table(typed(request)?).map_err(refused)?;
        }
        Err(error) => return Err(refused(error)),
    }
    let ttl = database.describe_time_to_live(typed(json!({"TableName": name}))?).map_err(refused)?;
    let ttl = serde_json::to_value(ttl).map_err(refused)?;
    match (ttl["TimeToLiveDescription"]["AttributeName"].as_str(), table.ttl_attribute()) {
        (found, wanted) if found == wanted => {}
        // Made just now, or the last start was killed between the two requests.
        (None, Some(attribute)) => {
            let ttl = json!({"AttributeName": attribute, "Enabled": true});
            let request = json!({"TableName": name, "TimeToLiveSpecification": ttl});
            database.update_time_to_live(typed(request)?).map_err(refused)?;
        }
        _ => {
            return Err(EngineError::TableChanged { path: folder.path().into() });
        }
    }
    let stream = Stream::open(database.clone(), &file, name)?;
    Ok((database, stream))
}

/// Removes expired items every `period`, which the engine does not do by itself.
pub(super) async fn sweep_on(database: Database, period: Duration, stopped: impl Future<Output = ()>) {
    let sweeping = async {
        let mut ticks = tokio::time::interval(period);
        loop {
            ticks.tick().await;
            let database = database.clone();
            // What could not be removed now goes with the next sweep.
            drop(tokio::task::spawn_blocking(move || database.sweep_ttl()).await);
        }
    };
    tokio::select! {
        () = stopped => {}
        () = sweeping => {}
    }
}

/// What requests rely on in a table, from its description or from the request that makes it.
fn shape(table: &Value) -> impl PartialEq {
    let indexes = ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"].map(|kind| {
        let indexes = table[kind].as_array().into_iter().flatten();
        let keys = indexes.map(|index| (index["IndexName"].to_string(), index["KeySchema"].clone()));
        keys.collect::<BTreeMap<_, _>>()
    });
    (table["KeySchema"].clone(), indexes, table["StreamSpecification"]["StreamViewType"].clone())
}
