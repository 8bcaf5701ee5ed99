//! The table: dynoxide, in memory or in a file.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::uri::{PathAndQuery, Uri};
use axum::middleware::from_fn;
use axum::response::IntoResponse as _;
use dynoxide::{Database, DynoxideError};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde::Serialize;
use serde_json::{Value, json};
use shared::store::keys::Noun;
use tokio::task::spawn_blocking;

use super::{
    EngineError, Folder, refused,
    stream::{self, Stream},
    typed,
};
use crate::guard;
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

/// The table as it lies there, for who looks at it past the functions.
#[derive(Clone)]
pub struct Items {
    pub(super) database: Database,
    pub(super) table: String,
}

/// Items as plain JSON, by their keys, and whether there are more.
#[derive(Serialize)]
pub struct Found {
    pub items: Vec<Value>,
    pub more: bool,
}

/// Items that are shown at once.
const SHOWN: usize = 200;
/// Pages of the table that are looked through for them, of 1 MB each.
const PAGES: usize = 50;

impl Items {
    /// A noun's things, those with the largest ids first: the newest.
    pub async fn things(&self, noun: &Noun) -> Result<Found, String> {
        let scan = json!({
            "TableName": self.table,
            "FilterExpression": "begins_with(sk, :head) AND begins_with(pk, :prefix)",
            "ExpressionAttributeValues": {":head": {"S": noun.head}, ":prefix": {"S": noun.prefix}},
        });
        let page = |database: &Database, request| {
            database.scan(typed(request).map_err(text)?).map(|page| json!(page)).map_err(text)
        };
        let mut found = self.found(scan, page).await?;
        // Those in partitions of their own have one `sk`.
        found.items.sort_by_key(|item| Reverse(["sk", "pk"].map(|name| item[name].as_str().map(str::to_owned))));
        Ok(found)
    }

    /// What lies in a partition.
    pub async fn partition(&self, pk: String) -> Result<Found, String> {
        let query = json!({
            "TableName": self.table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": pk}},
        });
        let page = |database: &Database, request| {
            database.query(typed(request).map_err(text)?).map(|page| json!(page)).map_err(text)
        };
        self.found(query, page).await
    }

    async fn found(
        &self,
        mut request: Value,
        page: fn(&Database, Value) -> Result<Value, String>,
    ) -> Result<Found, String> {
        let database = self.database.clone();
        let look = move || {
            let mut items = vec![];
            for _ in 0..PAGES {
                let mut page = page(&database, request.clone())?;
                let found = page["Items"].as_array().into_iter().flatten();
                items.extend(found.map(|item| plain(&json!({ "M": item }))));
                let from = page["LastEvaluatedKey"].take();
                if from.is_null() && items.len() <= SHOWN {
                    return Ok(Found { items, more: false });
                }
                if from.is_null() || items.len() >= SHOWN {
                    break;
                }
                request["ExclusiveStartKey"] = from;
            }
            items.truncate(SHOWN);
            Ok(Found { items, more: true })
        };
        spawn_blocking(look).await.map_err(text)?
    }
}

fn text(error: impl ToString) -> String {
    error.to_string()
}

/// `{"S": "x"}` is `"x"`. Of bytes, which nobody reads, only how they are called.
fn plain(value: &Value) -> Value {
    let Some((kind, value)) = value.as_object().and_then(|value| value.iter().next()) else { return Value::Null };
    match (kind.as_str(), value) {
        ("M", Value::Object(map)) => map.iter().map(|(name, value)| (name.clone(), plain(value))).collect(),
        ("L", Value::Array(list)) => list.iter().map(plain).collect(),
        ("N", Value::String(number)) => serde_json::from_str(number).unwrap_or_else(|_| json!(number)),
        ("NULL", _) => Value::Null,
        ("B" | "BS", _) => "(bytes)".into(),
        _ => value.clone(),
    }
}

/// Where the engine itself listens. It answers every site's page, so it has an address that none of them finds: a port
/// and, where the machine has all of 127.0.0.0/8, 24 bits that are known here alone. [`guarded`] is the way to it.
pub(super) fn hidden() -> io::Result<StdListener> {
    let chance = RandomState::new().hash_one(0).to_be_bytes();
    let address = Ipv4Addr::new(127, chance[0], chance[1], chance[2].clamp(1, 254));
    let listener = StdListener::bind((address, 0)).or_else(|_| StdListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Passes on what a program of this machine's user asks of the engine at `hidden`.
pub(super) fn guarded(hidden: SocketAddr) -> Router {
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let pass = move |mut request: Request| async move {
        let path = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
        match format!("http://{hidden}{path}").parse::<Uri>() {
            Ok(uri) => *request.uri_mut() = uri,
            Err(_) => return StatusCode::BAD_REQUEST.into_response(),
        }
        match client.request(request).await {
            Ok(answer) => answer.map(Body::new),
            Err(_) => StatusCode::BAD_GATEWAY.into_response(),
        }
    };
    Router::new().fallback(pass).layer(from_fn(guard::own_host_and_origin))
}

/// Removes expired items every `period`, which the engine does not do by itself. Not at once: the sample, whose time is
/// long past, is only just being made then, with codes that must last until they are used.
pub(super) async fn sweep_on(database: Database, period: Duration, stopped: impl Future<Output = ()>) {
    let sweeping = async {
        loop {
            tokio::time::sleep(period).await;
            let database = database.clone();
            // What could not be removed now goes with the next sweep.
            drop(spawn_blocking(move || database.sweep_ttl()).await);
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
