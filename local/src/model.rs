//! A model of what DynamoDB does and the embedded engine does not: transactions that meet are cancelled, partitions and
//! a new table take only so much, light reads lag, and all of it takes time. It stands between the functions and the
//! engine, as their HTTP client.
//!
//! Where AWS says nothing, it is hard on us: a condition check meets others as a write does, a cancelled transaction has
//! used half of its units, a partition key never gets a second partition, nothing is saved up for a burst beyond a
//! second. What it does not do: of light reads only what is new is late, not what was changed or deleted; a throttled
//! batch is cut where the units end.
#![expect(clippy::disallowed_methods, reason = "a model of a world with a clock of its own")]

use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector as _, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use serde_json::{Map, Value, json};
use shared::store::keys::Key;

/// What the model holds to.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a transaction holds its items.
    pub transaction: Duration,
    /// How long a write and a read of another kind take.
    pub write: Duration,
    pub read: Duration,
    /// For how long what is new is not there for light reads.
    pub lag: Duration,
    /// Units a second that a partition key takes.
    pub partition_writes: f64,
    pub partition_reads: f64,
    /// Units a second that the table takes.
    pub table_writes: f64,
    pub table_reads: f64,
}

impl Limits {
    /// Those of a table on demand that is new: what AWS says of it, and times of a table in the same region.
    pub const NEW_TABLE: Self = Self {
        transaction: Duration::from_millis(14),
        write: Duration::from_millis(5),
        read: Duration::from_millis(3),
        lag: Duration::from_millis(20),
        partition_writes: 1_000.0,
        partition_reads: 3_000.0,
        table_writes: 4_000.0,
        table_reads: 12_000.0,
    };

    /// The same world, so many times slower: for a machine that could not keep up with it.
    pub fn slowed(self, times: u32) -> Self {
        let slower = f64::from(times);
        Self {
            transaction: self.transaction * times,
            write: self.write * times,
            read: self.read * times,
            lag: self.lag * times,
            partition_writes: self.partition_writes / slower,
            partition_reads: self.partition_reads / slower,
            table_writes: self.table_writes / slower,
            table_reads: self.table_reads / slower,
        }
    }
}

/// What happened in the model.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    pub requests: u64,
    pub write_units: f64,
    pub read_units: f64,
    /// Transactions, and writes, that met a transaction.
    pub conflicts: u64,
    /// Requests that were refused, or cut short, for a partition's or the table's units.
    pub throttled: u64,
}

/// The units of one kind that are left.
#[derive(Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

#[derive(Debug, Default)]
struct State {
    /// Items that are part of a transaction under way.
    held: HashSet<Key>,
    /// By partition key, or `None` of the table; of writes, or reads.
    buckets: HashMap<(Option<String>, bool), Bucket>,
    /// When items were put that were not there.
    new: HashMap<Key, Instant>,
    seen: Seen,
}

/// The world with these limits; its clones are one.
#[derive(Clone, Debug)]
pub struct Model {
    limits: Limits,
    state: Arc<Mutex<State>>,
}

/// Why a request is not let through.
enum Refusal {
    /// The items that meet a transaction, by their numbers.
    Conflict(Vec<usize>),
    /// The items whose partition, or the table, has no units left.
    Throttled(Vec<usize>),
}

impl Model {
    pub fn new(limits: Limits) -> Self {
        Self { limits, state: Arc::default() }
    }

    /// What happened since this was asked before.
    pub fn seen(&self) -> Seen {
        mem::take(&mut self.state().seen)
    }

    /// A client that goes through the model: whatever is no request to the table, passes.
    pub fn client(&self, to: SharedHttpClient) -> SharedHttpClient {
        let model = self.clone();
        http_client_fn(move |settings, components| {
            let (to, model) = (to.http_connector(settings, components), model.clone());
            SharedHttpConnector::new(Through { to, model })
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn pass(&self, to: SharedHttpConnector, mut request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let target = request.headers().get("x-amz-target").filter(|target| target.starts_with("DynamoDB_"));
        let operation = target.and_then(|target| target.split('.').nth(1)).unwrap_or_default().to_owned();
        let body = request.body().bytes().and_then(|body| serde_json::from_slice::<Value>(body).ok());
        let (Some(mut body), false) = (body, operation.is_empty()) else { return to.call(request).await };
        self.state().seen.requests += 1;
        let is_batch = operation.starts_with("Batch");
        let mut left = Value::Null;
        let holds = loop {
            match self.enter(&operation, &body) {
                Ok(holds) => break holds,
                // A batch does what it can.
                Err(Refusal::Conflict(items) | Refusal::Throttled(items)) if is_batch => {
                    left = without(&mut body, &items, left);
                    if keys(&operation, &body).is_empty() {
                        tokio::time::sleep(self.limits.read).await;
                        return Ok(given_back(&operation, json!({"Responses": {}}), left));
                    }
                }
                Err(refusal) => {
                    // As far as its preparation.
                    tokio::time::sleep(self.time(&operation) / 2).await;
                    return Ok(refused(&operation, keys(&operation, &body).len(), &refusal));
                }
            }
        };
        let time = self.time(&operation);
        tokio::time::sleep(time / 2).await;
        body["ReturnConsumedCapacity"] = "TOTAL".into();
        let text = body.to_string();
        request.headers_mut().insert("content-length", text.len().to_string());
        *request.body_mut() = SdkBody::from(text);
        let answered = async {
            let mut response = to.call(request).await?;
            let answer = ByteStream::new(response.take_body()).collect().await;
            let answer = answer.map_err(|error| ConnectorError::io(error.into()))?.into_bytes();
            Ok::<_, ConnectorError>((response, answer))
        };
        let answered = answered.await;
        tokio::time::sleep(time / 2).await;
        // Held until it is answered, whatever came of it.
        drop(holds);
        let (mut response, answer) = answered?;
        let units = crate::meter::units(&answer);
        let mut answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
        if response.status().is_success() {
            self.charge(&operation, &body, units);
            self.note_new(&operation, &body);
            if is_light(&operation, &body) {
                self.hide_new(&mut answer);
            }
        }
        if !left.is_null() {
            return Ok(given_back(&operation, answer, left));
        }
        response.headers_mut().remove("content-length");
        response.headers_mut().remove("x-amz-crc32");
        *response.body_mut() = SdkBody::from(answer.to_string());
        Ok(response)
    }

    fn time(&self, operation: &str) -> Duration {
        match operation {
            "TransactWriteItems" => self.limits.transaction,
            _ if is_read(operation) => self.limits.read,
            _ => self.limits.write,
        }
    }

    /// Lets a request in, or says what stands in its way.
    fn enter(&self, operation: &str, body: &Value) -> Result<Holds, Refusal> {
        let (keys, reads) = (keys(operation, body), is_read(operation));
        let mut state = self.state();
        let State { held, buckets, seen, .. } = &mut *state;
        let mut has_units = |of: Option<&str>| {
            let limit = self.limit(of.is_some(), reads);
            let full = || Bucket { left: limit, at: Instant::now() };
            let bucket = buckets.entry((of.map(str::to_owned), reads)).or_insert_with(full);
            bucket.left = limit.min(bucket.left + limit * bucket.at.elapsed().as_secs_f64());
            bucket.at = Instant::now();
            bucket.left > 0.0
        };
        let table = has_units(None);
        let throttled: Vec<_> =
            keys.iter().enumerate().filter(|(_, key)| !table || !has_units(Some(&key.pk))).map(|(at, _)| at).collect();
        if !throttled.is_empty() {
            seen.throttled += 1;
            return Err(Refusal::Throttled(throttled));
        }
        if !reads {
            let met: Vec<_> = keys.iter().enumerate().filter(|(_, key)| held.contains(key)).map(|(at, _)| at).collect();
            if !met.is_empty() {
                seen.conflicts += 1;
                drop(state);
                if operation == "TransactWriteItems" {
                    self.charge(operation, body, keys.len() as f64);
                }
                return Err(Refusal::Conflict(met));
            }
        }
        let transaction = operation == "TransactWriteItems";
        let keys = if transaction { keys } else { vec![] };
        held.extend(keys.iter().cloned());
        Ok(Holds { model: self.clone(), keys })
    }

    fn limit(&self, of_partition: bool, reads: bool) -> f64 {
        match (of_partition, reads) {
            (true, false) => self.limits.partition_writes,
            (true, true) => self.limits.partition_reads,
            (false, false) => self.limits.table_writes,
            (false, true) => self.limits.table_reads,
        }
    }

    /// Takes the units that the engine counted, in equal parts of each item.
    fn charge(&self, operation: &str, body: &Value, units: f64) {
        let (keys, reads) = (keys(operation, body), is_read(operation));
        let mut state = self.state();
        *(if reads { &mut state.seen.read_units } else { &mut state.seen.write_units }) += units;
        let each = units / keys.len().max(1) as f64;
        let partitions = keys.iter().map(|key| (Some(key.pk.clone()), each));
        for (of, units) in partitions.chain([(None, units)]) {
            if let Some(bucket) = state.buckets.get_mut(&(of, reads)) {
                bucket.left -= units;
            }
        }
    }

    fn note_new(&self, operation: &str, body: &Value) {
        const MANY: usize = 10_000;
        let (new, mut state) = (new_keys(operation, body), self.state());
        if state.new.len() > MANY {
            state.new.retain(|_, at| at.elapsed() < self.limits.lag);
        }
        state.new.extend(new.into_iter().map(|key| (key, Instant::now())));
    }

    /// Takes out of a light read's answer what is not everywhere yet.
    fn hide_new(&self, answer: &mut Value) {
        let state = self.state();
        let is_there = |item: &Value| {
            key(item).and_then(|key| state.new.get(&key)).is_none_or(|at| at.elapsed() >= self.limits.lag)
        };
        if let Some(Value::Array(items)) = answer.get_mut("Items") {
            items.retain(is_there);
        }
        let tables = answer.get_mut("Responses").and_then(Value::as_object_mut);
        for items in tables.into_iter().flat_map(Map::values_mut).filter_map(Value::as_array_mut) {
            items.retain(is_there);
        }
    }
}

/// Items that a transaction under way holds.
struct Holds {
    model: Model,
    keys: Vec<Key>,
}

impl Drop for Holds {
    fn drop(&mut self) {
        let mut state = self.model.state();
        for key in &self.keys {
            state.held.remove(key);
        }
    }
}

#[derive(Debug)]
struct Through {
    to: SharedHttpConnector,
    model: Model,
}

impl aws_smithy_runtime_api::client::http::HttpConnector for Through {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (to, model) = (self.to.clone(), self.model.clone());
        HttpConnectorFuture::new(async move { model.pass(to, request).await })
    }
}

fn is_read(operation: &str) -> bool {
    matches!(operation, "BatchGetItem" | "GetItem" | "Query" | "Scan" | "TransactGetItems")
}

fn is_light(operation: &str, body: &Value) -> bool {
    let light = |part: &Value| part["ConsistentRead"] != true;
    match operation {
        "Query" | "GetItem" => light(body),
        "BatchGetItem" => body["RequestItems"].as_object().is_some_and(|tables| tables.values().all(light)),
        _ => false,
    }
}

fn key(item: &Value) -> Option<Key> {
    let text = |name| Some(item.get(name)?.get("S")?.as_str()?.to_owned());
    Some(Key { pk: text("pk")?, sk: text("sk")? })
}

/// What one write is about: an item that is put whole, or a key.
fn written(write: &Value) -> Option<Key> {
    key(&write["Item"]).or_else(|| key(&write["Key"]))
}

/// The only member of an object such as `{"Put": …}`.
fn only(object: &Value) -> Option<&Value> {
    object.as_object()?.values().next()
}

/// All items that a request names; of a query its partition.
fn keys(operation: &str, body: &Value) -> Vec<Key> {
    match operation {
        "TransactWriteItems" => {
            body["TransactItems"].as_array().into_iter().flatten().filter_map(|action| written(only(action)?)).collect()
        }
        "Query" => {
            let pk = body["ExpressionAttributeValues"][":pk"]["S"].as_str().unwrap_or_default();
            vec![Key { pk: pk.to_owned(), sk: String::new() }]
        }
        "BatchWriteItem" | "BatchGetItem" => listed(body).filter_map(batched).collect(),
        _ => written(body).into_iter().collect(),
    }
}

/// The parts of a batch.
fn listed(body: &Value) -> impl Iterator<Item = &Value> {
    let tables = body["RequestItems"].as_object().into_iter().flat_map(Map::values);
    tables.filter_map(|part| part.as_array().or_else(|| part["Keys"].as_array())).flatten()
}

fn batched(part: &Value) -> Option<Key> {
    key(part).or_else(|| written(only(part)?))
}

/// Those that were not there before, as far as a request says so.
fn new_keys(operation: &str, body: &Value) -> Vec<Key> {
    match operation {
        "TransactWriteItems" => {
            let actions = body["TransactItems"].as_array().into_iter().flatten();
            let puts = actions.filter_map(|action| action.get("Put"));
            puts.filter(|put| put["ConditionExpression"] == "attribute_not_exists(pk)").filter_map(written).collect()
        }
        "BatchWriteItem" => listed(body).filter_map(|write| written(write.get("PutRequest")?)).collect(),
        _ => vec![],
    }
}

/// Takes the items of these numbers out of a batch, and adds them to what is given back.
fn without(body: &mut Value, items: &[usize], mut left: Value) -> Value {
    if left.is_null() {
        left = json!({});
    }
    let (mut at, tables) = (0, body["RequestItems"].as_object_mut());
    for (table, part) in tables.into_iter().flatten() {
        let consistent = part.get("ConsistentRead").cloned();
        let of_keys = part.is_object();
        let list = if of_keys { part["Keys"].as_array_mut() } else { part.as_array_mut() };
        let Some(list) = list else { continue };
        let numbered = mem::take(list).into_iter().enumerate();
        let (out, stay): (Vec<_>, Vec<_>) = numbered.partition(|(number, _)| items.contains(&(at + number)));
        at += out.len() + stay.len();
        list.extend(stay.into_iter().map(|(_, item)| item));
        let out = out.into_iter().map(|(_, item)| item);
        let kept = if of_keys { &left[table]["Keys"] } else { &left[table] };
        let all: Value = kept.as_array().cloned().unwrap_or_default().into_iter().chain(out).collect();
        left[table] = if of_keys { json!({"Keys": all, "ConsistentRead": consistent}) } else { all };
    }
    left
}

fn given_back(operation: &str, mut answer: Value, left: Value) -> HttpResponse {
    answer[if operation == "BatchGetItem" { "UnprocessedKeys" } else { "UnprocessedItems" }] = left;
    respond(200, &answer)
}

fn refused(operation: &str, items: usize, refusal: &Refusal) -> HttpResponse {
    let (of, reason) = match refusal {
        Refusal::Conflict(of) => (of, "TransactionConflict"),
        Refusal::Throttled(of) => (of, "ThrottlingError"),
    };
    let (kind, mut body) = match (operation, refusal) {
        ("TransactWriteItems", _) => {
            let why = |at| json!({"Code": if of.contains(&at) { reason } else { "None" }});
            let reasons: Vec<_> = (0..items).map(why).collect();
            ("TransactionCanceledException", json!({ "CancellationReasons": reasons }))
        }
        (_, Refusal::Conflict(_)) => ("TransactionConflictException", json!({})),
        (_, Refusal::Throttled(_)) => ("ProvisionedThroughputExceededException", json!({})),
    };
    body["__type"] = format!("com.amazonaws.dynamodb.v20120810#{kind}").into();
    body["message"] = "the model's limits".into();
    respond(400, &body)
}

fn respond(status: u16, body: &Value) -> HttpResponse {
    let status = aws_smithy_runtime_api::http::StatusCode::try_from(status);
    let mut response = HttpResponse::new(status.expect("a status of three digits"), SdkBody::from(body.to_string()));
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    response
}
