//! The desk: what the runner has done, sent and stored, on one page. The runner alone has it; who may see it is
//! [`guard`](crate::guard)'s.
use std::{
    collections::VecDeque,
    fmt::{self, Display, Formatter},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Instant,
};

use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{Query, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::{
    domain::{Millis, System},
    store::keys::NOUNS,
};

use crate::{
    ACTING,
    engines::{Items, SmsInbox},
    meter::{Call, Cost, metered},
    sample,
};

/// Requests that are remembered; older ones are forgotten.
const KEPT: usize = 1_000;

/// Dollars for a million, by AWS's lists for us-east-1: units of reading and writing on demand; a request of API
/// Gateway's HTTP API and one of Lambda's.
const READ_UNITS: f64 = 0.125;
const WRITE_UNITS: f64 = 0.625;
const API_REQUESTS: f64 = 1.0;
const INVOCATIONS: f64 = 0.2;

/// What a function was asked or told, and what came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    pub number: u64,
    pub at: Millis,
    /// As in `events/`; empty where the path is no operation's.
    pub operation: String,
    /// `POST /article_like`, or what a function was told.
    pub what: String,
    /// Of a request.
    pub status: Option<u16>,
    /// Of a refusal, the envelope's.
    pub code: Option<Value>,
    pub msg: Option<Value>,
    pub millis: f64,
    pub rounds: usize,
    pub calls: Vec<Call>,
    pub read_units: f64,
    pub write_units: f64,
    /// Dollars for a million of them: API Gateway's and Lambda's requests and the table's units. Neither the
    /// milliseconds of Lambda, since these are another machine's, nor media and SMS.
    pub million: f64,
}

/// The line of the terminal.
impl Display for Entry {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "{status} {}", self.what)?,
            None => write!(f, "--- {} {}", self.operation, self.what)?,
        }
        if let Some(code) = &self.code {
            write!(f, " refused with {code}")?;
        }
        let Self { millis, rounds, read_units, write_units, million, .. } = self;
        let calls = self.calls.len();
        write!(
            f,
            "  {millis:.1} ms, rounds {rounds}, calls {calls}, reads {read_units}, writes {write_units}, \
             ${million:.2} a million"
        )
    }
}

/// What has happened since the start.
pub struct Desk {
    system: System,
    entries: Mutex<VecDeque<Entry>>,
    listener: OnceLock<Box<Listener>>,
}

type Listener = dyn Fn(&Entry) + Send + Sync;

impl Desk {
    pub(crate) fn new(system: System) -> Self {
        Self { system, entries: Mutex::default(), listener: OnceLock::new() }
    }

    /// Who is told each entry as it comes. The first one stays.
    pub fn tell(&self, listener: impl Fn(&Entry) + Send + Sync + 'static) {
        let _ = self.listener.set(Box::new(listener));
    }

    /// The entries after this number, oldest first.
    pub fn since(&self, number: u64) -> Vec<Entry> {
        self.lock().iter().filter(|entry| entry.number > number).cloned().collect()
    }

    /// Has a request served, and notes it.
    pub(crate) async fn request(
        &self,
        operation: &str,
        what: String,
        served: impl Future<Output = Response>,
    ) -> Response {
        #[derive(Deserialize)]
        struct Said {
            code: Value,
            msg: Value,
        }
        let (response, millis, cost) = measured(served).await;
        let (head, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
        let done = [json!(0), json!(1000), json!("000000")];
        let refusal = serde_json::from_slice::<Said>(&body).ok().filter(|said| !done.contains(&said.code));
        let (code, msg) = refusal.map(|said| (said.code, said.msg)).unzip();
        let entry = entry(operation, what, millis, cost, API_REQUESTS + INVOCATIONS);
        self.note(Entry { status: Some(head.status.as_u16()), code, msg, ..entry });
        Response::from_parts(head, Body::from(body))
    }

    /// Has a function told of something, and notes it.
    pub async fn event<T>(&self, function: &'static str, what: String, work: impl Future<Output = T>) -> T {
        let (done, millis, cost) = measured(ACTING.scope(function, work)).await;
        self.note(entry(function, what, millis, cost, INVOCATIONS));
        done
    }

    fn note(&self, entry: Entry) {
        let mut entries = self.lock();
        let number = entries.back().map_or(0, |last| last.number) + 1;
        let entry = Entry { number, at: self.system.now(), ..entry };
        if let Some(listener) = self.listener.get() {
            listener(&entry);
        }
        if entries.len() == KEPT {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request as it is noted: without its query, which may hold what is nobody's business.
pub(crate) fn what(request: &Request) -> String {
    format!("{} {}", request.method(), request.uri().path())
}

#[expect(clippy::disallowed_methods, reason = "how long it took is for whoever watches")]
async fn measured<T>(work: impl Future<Output = T>) -> (T, f64, Cost) {
    let from = Instant::now();
    let (done, cost) = metered(work).await;
    (done, from.elapsed().as_secs_f64() * 1000.0, cost)
}

/// `requests`: dollars for a million of them, but for the table.
fn entry(operation: &str, what: String, millis: f64, cost: Cost, requests: f64) -> Entry {
    let (rounds, read_units, write_units) = (cost.rounds(), cost.read_units(), cost.write_units());
    let million = requests + read_units * READ_UNITS + write_units * WRITE_UNITS;
    let (operation, calls) = (operation.to_owned(), cost.0);
    let (number, at, status, code, msg) = Default::default();
    Entry { number, at, operation, what, status, code, msg, millis, rounds, calls, read_units, write_units, million }
}

/// What the desk's own calls are answered from.
#[derive(Clone)]
pub(crate) struct Shown {
    pub desk: Arc<Desk>,
    pub sms: SmsInbox,
    pub items: Items,
    pub media: String,
}

/// The page and what it loads. `media`: where pictures come from.
pub(crate) fn page(media: &str) -> Router {
    let origin = media.split('/').take(3).collect::<Vec<_>>().join("/");
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: {origin}; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let file = |kind: &'static str, text: &'static str| {
        let headers = [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_SECURITY_POLICY, policy.clone())];
        get(move || async move { (headers, text) })
    };
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/desk") }))
        .route("/desk", file("text/html; charset=utf-8", include_str!("web/desk.html")))
        .route("/desk/desk.css", file("text/css", include_str!("web/desk.css")))
        .route("/desk/desk.js", file("text/javascript", include_str!("web/desk.js")))
}

/// What the page asks for.
pub(crate) fn calls(shown: Shown) -> Router {
    Router::new()
        .route("/", get(about))
        .route("/requests", get(requests))
        .route("/messages", get(messages))
        .route("/items", get(items))
        .with_state(shown)
}

async fn about(State(shown): State<Shown>) -> Json<Value> {
    let nouns: Vec<_> = NOUNS.iter().map(|noun| noun.name).collect();
    let people: Vec<_> = sample::PEOPLE.iter().map(|(name, phone)| json!({"name": name, "phone": phone})).collect();
    Json(json!({"nouns": nouns, "people": people, "password": sample::PASSWORD, "media": shown.media}))
}

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    after: u64,
}

async fn requests(State(shown): State<Shown>, Query(After { after }): Query<After>) -> Json<Vec<Entry>> {
    Json(shown.desk.since(after))
}

async fn messages(State(shown): State<Shown>, Query(After { after }): Query<After>) -> Json<Value> {
    let message = |(number, phone, text)| json!({"number": number, "phone": phone, "text": text});
    Json(shown.sms.since(after).into_iter().map(message).collect())
}

/// A noun's things, or all that lies in a partition.
#[derive(Deserialize)]
struct Which {
    noun: Option<String>,
    pk: Option<String>,
}

async fn items(State(shown): State<Shown>, Query(which): Query<Which>) -> Response {
    let noun = which.noun.and_then(|name| NOUNS.iter().find(|noun| noun.name == name));
    let found = match (noun, which.pk) {
        (Some(noun), None) => shown.items.things(noun).await,
        (None, Some(pk)) => shown.items.partition(pk).await,
        _ => Err("name one of noun and pk".to_owned()),
    };
    match found {
        Ok(found) => Json(found).into_response(),
        Err(msg) => (StatusCode::BAD_REQUEST, Json(json!({"code": 400, "msg": msg}))).into_response(),
    }
}
