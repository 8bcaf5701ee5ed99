//! A Plaza of its own for every test: the engines in memory, a clock and a line to the engines that the test holds.
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    convert::Infallible,
    fs,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_runtime_api::client::{
    connector_metadata::ConnectorMetadata,
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector as Tcp},
    rt::TokioExecutor,
};
use lambda_http::{Adapter, Context, LambdaEvent, Service as _, request::LambdaRequest, service_fn};
use local::{ACTING, Options, Plaza, events, functions, model::Model};
use serde_json::{Value, json};
use shared::{
    domain::{MINUTE, MediaId, Password, Phone, Refusal, SmsLimits, StoredPassword, System},
    function,
    outside::aws,
    store::{Changes, LoggedIn, SignUp},
    wire::operation::Listed,
};
use tempfile::TempDir;
use tokio::{
    sync::{Notify, oneshot},
    task::JoinHandle,
};

use crate::policies::{self, Need, Policies};

/// Where a test's clock begins: 2027-01-15.
pub const START: u64 = 1_800_000_000_000;

/// A running Plaza that listens on loopback.
pub struct Test {
    pub plaza: Plaza,
    pub line: Line,
    clock: Arc<AtomicU64>,
    client: Client<Tcp, Full<Bytes>>,
    address: String,
}

/// What a request was answered with.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: http::HeaderMap,
    pub body: Value,
}

impl Test {
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With environment variables in place of the usual ones.
    pub async fn with(variables: &[(&'static str, &str)]) -> Self {
        Self::starting(variables, None).await
    }

    /// With its data in a folder, which outlives it.
    pub async fn on(data: &Path) -> Self {
        Self::starting(&[], Some(data)).await
    }

    /// With a table where transactions meet, at the model's pace.
    pub async fn crowded(model: &Model) -> Self {
        let line = Line { to: model.client(aws::http_client()), ..Line::default() };
        Self::on_line(line, &[], None).await
    }

    async fn starting(variables: &[(&'static str, &str)], data: Option<&Path>) -> Self {
        Self::on_line(Line::default(), variables, data).await
    }

    async fn on_line(line: Line, variables: &[(&'static str, &str)], data: Option<&Path>) -> Self {
        let clock = Arc::new(AtomicU64::new(START));
        let (time, real) = (clock.clone(), function::system());
        let options = Options {
            data: data.map(Path::to_owned),
            engine_ports: None,
            system: System::new(move || time.load(Ordering::Relaxed), move |bytes| real.fill(bytes)),
            http: SharedHttpClient::new(line.clone()),
            variables: variables.iter().map(|(name, value)| (*name, value.to_string())).collect(),
        };
        let plaza = Plaza::start(options, |_, _| ()).unwrap_or_else(|error| panic!("{error}"));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = plaza.router.clone();
        tokio::spawn(
            async move { axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await },
        );
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { plaza, line, clock, client, address }
    }

    pub fn wait(&self, millis: u64) {
        self.clock.fetch_add(millis, Ordering::Relaxed);
    }

    /// The whole address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    pub fn now(&self) -> u64 {
        self.clock.load(Ordering::Relaxed)
    }

    /// From now on it is this moment.
    pub fn set_clock(&self, now: u64) {
        self.clock.store(now, Ordering::Relaxed);
    }

    /// Sends a request as it is.
    pub async fn send(&self, request: http::request::Builder, path: &str, body: impl Into<Bytes>) -> Answer {
        self.call(request, &self.url(path), body).await
    }

    /// The same to any server.
    pub async fn call(&self, request: http::request::Builder, url: &str, body: impl Into<Bytes>) -> Answer {
        let request = request.uri(url).body(Full::new(body.into())).unwrap();
        let answer = self.client.request(request).await.unwrap();
        let (head, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body =
            serde_json::from_slice(&body).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&body).into()));
        let answer = Answer { status: head.status, headers: head.headers, body };
        answer.speaks_its_language();
        answer
    }

    /// A GET with nobody's token.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Request::builder(), path, "").await
    }

    pub async fn nickname(&self, phone: &str) -> String {
        self.log_in(phone, "abcd1234").await.body["data"]["user_info"]["name"].as_str().unwrap().to_owned()
    }

    /// A JSON body to `path`.
    pub async fn json(&self, path: &str, body: Value) -> Answer {
        let request = Request::builder().method(Method::POST).header("content-type", "application/json");
        self.send(request, path, body.to_string()).await
    }

    /// The same with a token in the header.
    pub async fn json_as(&self, token: &str, path: &str, body: Value) -> Answer {
        let request = Request::builder().method(Method::POST).header("content-type", "application/json");
        self.send(request.header("authorization", token), path, body.to_string()).await
    }

    /// A file in a multipart body, beside text fields.
    pub async fn upload(&self, token: &str, path: &str, fields: &[(&str, &str)], file: (&str, &[u8])) -> Answer {
        let request = Request::builder().method(Method::POST).header("authorization", token);
        let (content_type, body) = multipart(fields, Some(file));
        self.send(request.header("content-type", content_type), path, body).await
    }

    /// The code that is sent to a Chinese phone.
    pub async fn code(&self, phone: &str) -> String {
        let sent = self.json("/send_sms_code", json!({"country": "86", "phone": phone})).await;
        assert_eq!(sent.body, json!({"code": 0}), "a code for {phone}");
        self.last_code(phone)
    }

    /// A code past the operation, which sends nothing and knows no limits but the phone's.
    pub async fn new_code(&self, phone: &str) -> Result<String, Refusal> {
        let phone = Phone::parse(phone).unwrap();
        Ok(self.plaza.app.store.new_sms_code(&phone, &phone.e164(), SmsLimits::NONE).await?.digits)
    }

    pub fn last_code(&self, phone: &str) -> String {
        self.plaza.engines.sms.last_code(&Phone::parse(phone).unwrap().e164()).expect("a code was sent")
    }

    /// A new user with the password `abcd1234`, and a token of theirs.
    pub async fn user(&self, phone: &str) -> (u64, String) {
        let code = self.code(phone).await;
        let registered =
            self.json("/user/register", json!({"phone": phone, "password": "abcd1234", "verifycode": code})).await;
        assert_eq!(registered.code(), "000000", "{registered:?}");
        let id = registered.body["data"]["uid"].as_str().unwrap().parse().unwrap();
        (id, self.token(phone).await)
    }

    /// The same past the operations, and with a password that was hashed only once for all tests: that is most of what
    /// making a user takes.
    pub async fn person(&self, phone: &str) -> (u64, String) {
        static PASSWORD: OnceLock<StoredPassword> = OnceLock::new();
        let hash = || StoredPassword::hash(&Password::typed("abcd1234"), [7; 16]).unwrap();
        let password = Some(PASSWORD.get_or_init(hash).clone());
        let (app, phone) = (&self.plaza.app, Phone::parse(phone).unwrap());
        let code = self.new_code(&phone.e164()).await.unwrap();
        let code = app.store.prove_code(phone, &code).await.unwrap();
        let profile = app.store.create_user(&SignUp::Phone(code), password, Changes::default()).await.unwrap();
        let id = profile.id.0;
        (id, app.new_token(&LoggedIn::for_the_first_time(profile)).unwrap().0)
    }

    /// A token of the user with this phone and the usual password.
    pub async fn token(&self, phone: &str) -> String {
        let answer = self.log_in(phone, "abcd1234").await;
        answer.body["data"]["user_info"]["token"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
    }

    /// Document C's login.
    pub async fn log_in(&self, account: &str, password: &str) -> Answer {
        self.json("/user/login", json!({"user_type": "1", "account": account, "password": password})).await
    }

    /// Fetches a URL that an answer held, with nobody's token.
    pub async fn fetch(&self, url: &str) -> (StatusCode, String, Bytes) {
        let request = Request::builder().uri(url).body(Full::new(Bytes::new())).unwrap();
        let answer = self.client.request(request).await.unwrap();
        let content_type = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
        let status = answer.status();
        (status, content_type.unwrap_or_default(), answer.into_body().collect().await.unwrap().to_bytes())
    }
}

impl Answer {
    /// The envelope's code, as text.
    pub fn code(&self) -> String {
        match &self.body["code"] {
            Value::String(code) => code.clone(),
            code => code.to_string(),
        }
    }

    pub fn message(&self) -> &str {
        self.body["msg"].as_str().unwrap_or_default()
    }

    /// A refusal is Chinese where it says so, and has no Chinese letter where it is English.
    #[track_caller]
    fn speaks_its_language(&self) {
        if let Some(tag) = self.headers.get("content-language") {
            let is_chinese = self.message().chars().any(|letter| matches!(letter, '\u{4e00}'..='\u{9fff}'));
            assert_eq!(tag, if is_chinese { "zh" } else { "en" }, "{self:?}");
        }
    }

    #[track_caller]
    pub fn refused(&self, status: u16, code: u16) {
        assert_eq!((self.status.as_u16(), self.code()), (status, code.to_string()), "{:?}", self.body);
        assert!(!self.message().is_empty(), "a refusal says what to mend: {:?}", self.body);
    }
}

/// Somebody who is signed in, and calls document D.
pub struct User {
    pub id: u64,
    pub token: String,
}

impl User {
    pub async fn new(test: &Test, phone: &str) -> Self {
        let (id, token) = test.person(phone).await;
        Self { id, token }
    }

    /// An image of the user's that was uploaded, checked and is served.
    pub async fn uploaded(&self, test: &Test) -> MediaId {
        let named = self.done(test, "get_media_id", json!({"content_type": "image/jpeg"})).await;
        let (id, url) = (named["media_id"].as_str().unwrap(), named["upload_url"].as_str().unwrap());
        let put = Request::builder().method(Method::PUT).uri(url).header("content-type", "image/jpeg");
        assert_eq!(test.raw(put, picture(96, 64)).await, 200);
        assert!(test.objects().await.0.contains(&format!("media/{id}")));
        MediaId(id.to_owned())
    }

    pub fn uid(&self) -> String {
        format!("{:032x}", self.id)
    }

    pub async fn call(&self, test: &Test, operation: &str, mut body: Value) -> Answer {
        body["token"] = self.token.clone().into();
        test.json(&format!("/{operation}"), body).await
    }

    /// The same, which succeeds.
    pub async fn done(&self, test: &Test, operation: &str, body: Value) -> Value {
        let answer = self.call(test, operation, body).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (200, "0"), "{operation}: {answer:?}");
        // Ids of another millisecond sort by time.
        test.wait(1);
        answer.body
    }

    /// What a list holds, told by one field.
    pub async fn list(&self, test: &Test, operation: &str, body: Value, field: &str) -> Vec<Value> {
        let answer = self.done(test, operation, body).await;
        answer[operation].as_array().unwrap().iter().map(|entry| entry[field].clone()).collect()
    }
}

/// All operations, and the function that each belongs to.
pub fn operations() -> impl Iterator<Item = (&'static str, Listed)> {
    functions().into_iter().flat_map(|(function, listed)| listed.into_iter().map(move |listed| (function, listed)))
}

/// What Lambda is answered: `lambda_http` reads the event and writes the answer, as in a function.
pub async fn invoke(plaza: &Plaza, event: &Value) -> Value {
    let request: LambdaRequest = serde_json::from_value(event.clone()).expect("an event of API Gateway");
    let event = LambdaEvent::new(request, Context::default());
    let answer = async |request| {
        let (response, _) = function::answer(&plaza.app, plaza.router.clone(), request).await;
        Ok::<_, Infallible>(response)
    };
    let response = Adapter::from(service_fn(answer)).call(event);
    events::answer(&serde_json::to_value(response.await.unwrap()).unwrap())
}

/// A copy of a data folder: filling one takes long.
pub fn copied(folder: &Path) -> TempDir {
    fn copy(from: &Path, to: &Path) {
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
            let to = to.join(entry.file_name());
            match entry.file_type().unwrap().is_dir() {
                true => {
                    fs::create_dir(&to).unwrap();
                    copy(&entry.path(), &to);
                }
                false => drop(fs::copy(entry.path(), to).unwrap()),
            }
        }
    }
    let copied = tempfile::tempdir().unwrap();
    copy(folder, copied.path());
    copied
}

/// A JPEG of these sides.
pub fn picture(width: u32, height: u32) -> Vec<u8> {
    let mut jpeg = vec![];
    let pixels = image::RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, 90]));
    pixels.write_to(&mut std::io::Cursor::new(&mut jpeg), image::ImageFormat::Jpeg).unwrap();
    jpeg
}

/// Content type and body.
pub fn multipart(fields: &[(&str, &str)], file: Option<(&str, &[u8])>) -> (&'static str, Vec<u8>) {
    let mut body = vec![];
    for (name, value) in fields {
        body.extend(
            format!("--frontier\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes(),
        );
    }
    if let Some((name, bytes)) = file {
        let head = format!("--frontier\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"a.jpg\"\r\n\r\n");
        body.extend(head.bytes().chain(bytes.iter().copied()).chain(*b"\r\n"));
    }
    body.extend(b"--frontier--\r\n");
    ("multipart/form-data; boundary=frontier", body)
}

/// What goes over the line to the engines: seen, counted and, where a test wants it, spoilt.
#[derive(Clone, Debug)]
pub struct Line {
    to: SharedHttpClient,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    calls: Vec<Call>,
    /// What the next calls of an operation meet; none lets one pass.
    faults: VecDeque<(&'static str, Option<Fault>)>,
    /// Asks the table what each call consumed.
    metered: bool,
    /// Where each call waits to be let through.
    gate: Option<Gate>,
    /// How many calls pass before one that waits.
    freeze: Option<(usize, Freeze)>,
}

/// One request to an engine.
#[derive(Clone, Debug)]
pub struct Call {
    /// DynamoDB's operation, `PUT` and the like of the object store, or `POST` to SNS.
    pub operation: String,
    /// The longest chain of calls that had ended before this one began, itself included.
    pub round: usize,
    pub read_units: f64,
    pub write_units: f64,
    /// What it needs to be allowed.
    pub needs: Vec<Need>,
    /// The sort key of the one item that it writes.
    pub sort_key: Option<String>,
    ended: bool,
}

impl Call {
    /// Whether it counts what a user does, for the limits.
    pub fn is_count(&self) -> bool {
        self.operation == "UpdateItem" && self.sort_key.as_deref().is_some_and(|key| key.starts_with("DONE#"))
    }
}

/// What may happen between us and an engine. Each strikes once, at the next call of its operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// Another transaction is at the same item; nothing was done. Only what DynamoDB says it of: transactions, and
    /// writes of one item.
    Conflict,
    /// Too many requests; nothing was done.
    Throttle,
    /// It was done, but the answer is lost.
    AnswerLost,
    /// The connection breaks before anything was done.
    Broken,
    /// Half of a batch was done (rounded down), the other half is given back.
    Unprocessed,
}

impl Default for Line {
    fn default() -> Self {
        Self { to: aws::http_client(), state: Arc::default() }
    }
}

impl Line {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Strikes the next calls of `operation` (as in [`Call`]), in this order; a `None` lets one pass.
    pub fn spoil(&self, operation: &'static str, faults: impl IntoIterator<Item = impl Into<Option<Fault>>>) {
        self.state().faults.extend(faults.into_iter().map(|fault| (operation, fault.into())));
    }

    /// How many faults have not struck yet.
    pub fn unstruck(&self) -> usize {
        self.state().faults.len()
    }

    /// From now on each call waits at `gate`; none, and none does.
    pub fn hold_at(&self, gate: Option<Gate>) {
        self.state().gate = gate;
    }

    /// The call after the next `passing` ones waits until it is thawed; whatever comes later passes.
    pub fn freeze_at(&self, passing: usize) -> Freeze {
        let freeze = Freeze::default();
        self.state().freeze = Some((passing, freeze.clone()));
        freeze
    }

    /// No more faults.
    pub fn mend(&self) {
        self.state().faults.clear();
    }

    /// How many calls were made since a metering began.
    pub fn calls(&self) -> usize {
        self.state().calls.len()
    }

    /// Runs `work` and says which calls it made.
    pub async fn meter<T>(&self, work: impl Future<Output = T>) -> (T, Cost) {
        {
            let mut state = self.state();
            state.calls.clear();
            state.metered = true;
        }
        let done = work.await;
        let mut state = self.state();
        state.metered = false;
        (done, Cost(std::mem::take(&mut state.calls)))
    }
}

/// One call that waits.
#[derive(Clone, Debug, Default)]
pub struct Freeze(Arc<(Notify, Notify)>);

impl Freeze {
    /// Until the call waits.
    pub async fn reached(&self) {
        self.0.0.notified().await;
    }

    /// It goes on.
    pub fn thaw(&self) {
        self.0.1.notify_one();
    }

    async fn wait(&self) {
        self.0.0.notify_one();
        self.0.1.notified().await;
    }
}

/// What something cost.
#[derive(Debug)]
pub struct Cost(pub Vec<Call>);

impl Cost {
    /// Round trips in sequence.
    pub fn rounds(&self) -> usize {
        self.0.iter().map(|call| call.round).max().unwrap_or(0)
    }
    pub fn read_units(&self) -> f64 {
        self.0.iter().map(|call| call.read_units).sum()
    }
    pub fn write_units(&self) -> f64 {
        self.0.iter().map(|call| call.write_units).sum()
    }
}

impl HttpClient for Line {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let to = self.to.http_connector(settings, components);
        SharedHttpConnector::new(Tap { to, line: self.clone() })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.to.connector_metadata()
    }
}

#[derive(Debug)]
struct Tap {
    to: SharedHttpConnector,
    line: Line,
}

impl HttpConnector for Tap {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (to, line) = (self.to.clone(), self.line.clone());
        HttpConnectorFuture::new(async move {
            let target = request.headers().get("x-amz-target").and_then(|target| target.split('.').nth(1));
            let operation = target.unwrap_or(request.method()).to_owned();
            let needs = policies::needs(&request);
            let gate = line.state().gate.clone();
            let passage = match &gate {
                Some(gate) => gate.enter().await,
                None => None,
            };
            let freeze = match &mut line.state().freeze {
                freeze @ Some((0, _)) => freeze.take().map(|(_, freeze)| freeze),
                Some((passing, _)) => {
                    *passing -= 1;
                    None
                }
                None => None,
            };
            if let Some(freeze) = freeze {
                freeze.wait().await;
            }
            let (number, metered, fault) = {
                let mut state = line.state();
                let round = 1 + state.calls.iter().filter(|call| call.ended).map(|call| call.round).max().unwrap_or(0);
                let operation = operation.clone();
                let strikes = state.faults.iter().position(|(of, _)| *of == operation);
                let fault = strikes.and_then(|at| state.faults.remove(at)).and_then(|(_, fault)| fault);
                let (needs, sort_key) = (needs.clone(), policies::sort_key(&request));
                let (read_units, write_units) = (0.0, 0.0);
                state.calls.push(Call { operation, round, read_units, write_units, needs, sort_key, ended: false });
                (state.calls.len() - 1, state.metered, fault)
            };
            if metered {
                // So that calls which were started together are seen to be on their way together.
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
            let denied =
                ACTING.try_with(|function| Policies::ours().denied(function, &needs).map(|need| (*function, need)));
            let passed = match denied {
                // Reads of requests that are answered at once may leave together here, as they never do in a function.
                Ok(Some((function, need))) if need.action != "dynamodb:BatchGetItem" => {
                    eprintln!("template.yaml: {function} may not do {need}");
                    let denied = json!({"__type": "com.amazon.coral.service#AccessDeniedException"}).to_string();
                    Ok((respond(400, "application/x-amz-json-1.0", denied), 0.0))
                }
                _ => pass(to, &operation, request, metered, fault).await,
            };
            if let Some(passage) = passage {
                passage.leave().await;
            }
            let mut state = line.state();
            let Some(call) = state.calls.get_mut(number) else { return passed.map(|(response, _)| response) };
            call.ended = true;
            let (response, units) = passed?;
            match operation.as_str() {
                "BatchGetItem" | "Query" => call.read_units = units,
                _ => call.write_units = units,
            }
            Ok(response)
        })
    }
}

/// Holds calls back until a test lets them through, round by round, so that it decides who does what before whom, and at
/// which they die. One works at a time: a call that comes is theirs.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<(Mutex<Held>, Notify)>);

#[derive(Debug, Default)]
struct Held {
    works: usize,
    /// Who works now.
    working: usize,
    waiting: Vec<(usize, oneshot::Sender<Passage>)>,
    /// Calls that were let through and have not ended.
    under_way: usize,
}

impl Gate {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.0.lock().unwrap()
    }

    /// A call waits to be let through; `None` where nobody holds it up any more.
    pub async fn enter(&self) -> Option<Passage> {
        let (let_through, waiting) = oneshot::channel();
        {
            let mut held = self.held();
            let who = held.working;
            held.waiting.push((who, let_through));
        }
        self.0.1.notify_one();
        waiting.await.ok()
    }

    /// Something to be done call by call.
    pub fn work<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Work<T> {
        let mut held = self.held();
        held.works += 1;
        Work { gate: self.clone(), who: held.works, begun: None, to_begin: Some(Box::pin(work)) }
    }
}

/// A call that was let through.
#[derive(Debug)]
pub struct Passage {
    gate: Gate,
    is_last: bool,
}

impl Passage {
    fn new(gate: &Gate, is_last: bool) -> Self {
        gate.held().under_way += 1;
        Self { gate: gate.clone(), is_last }
    }

    /// The call has been done; whoever dies at it never hears of it.
    pub async fn leave(self) {
        let is_last = self.is_last;
        drop(self);
        if is_last {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        self.gate.held().under_way -= 1;
        self.gate.0.1.notify_one();
    }
}

/// Something that is done call by call.
pub struct Work<T> {
    gate: Gate,
    who: usize,
    to_begin: Option<BoxFuture<'static, T>>,
    begun: Option<JoinHandle<T>>,
}

impl<T: Send + 'static> Work<T> {
    /// Goes on to its next round of calls; what it comes to where there is none.
    pub async fn step(&mut self) -> Option<T> {
        self.go_on(false).await
    }

    /// Does the call that it waits for, and dies before it hears of it.
    pub async fn die_after_step(&mut self) {
        self.go_on(true).await;
        self.die().await;
    }

    /// Dies before the call that it waits for.
    pub async fn die(&mut self) {
        self.to_begin = None;
        if let Some(begun) = self.begun.take() {
            begun.abort();
            let _ = begun.await;
        }
    }

    async fn go_on(&mut self, is_last: bool) -> Option<T> {
        let calls: Vec<_> = {
            let mut held = self.gate.held();
            held.working = self.who;
            held.waiting.extract_if(.., |(who, _)| *who == self.who).collect()
        };
        // Those that were made together.
        for (_, call) in calls {
            let _ = call.send(Passage::new(&self.gate, is_last));
        }
        let begun = match (self.to_begin.take(), &mut self.begun) {
            (Some(work), begun) => begun.insert(tokio::spawn(work)),
            (None, Some(begun)) => begun,
            (None, None) => panic!("it has ended"),
        };
        loop {
            {
                let mut held = self.gate.held();
                held.waiting.retain(|(_, call)| !call.is_closed());
                let waits = held.waiting.iter().any(|(who, _)| *who == self.who);
                if held.under_way == 0 && (is_last || waits) {
                    return None;
                }
            }
            tokio::select! {
                done = &mut *begun => {
                    self.begun = None;
                    return Some(done.unwrap());
                }
                () = self.gate.0.1.notified() => {}
            }
        }
    }
}

/// The engine's answer, or what the fault makes of it, and the capacity units that the table says it took.
async fn pass(
    to: SharedHttpConnector,
    operation: &str,
    mut request: HttpRequest,
    metered: bool,
    fault: Option<Fault>,
) -> Result<(HttpResponse, f64), ConnectorError> {
    let body = request.body().bytes().and_then(|body| serde_json::from_slice::<Value>(body).ok());
    // The table speaks JSON; the object store and SNS do not.
    let mut body = body.filter(|_| request.headers().contains_key("x-amz-target"));
    match fault {
        Some(Fault::Conflict | Fault::Throttle) => {
            // The object store is asked for a bucket's contents.
            let of_sns = request.uri().parse::<http::Uri>().is_ok_and(|uri| uri.path() == "/");
            return Ok((refusal(operation, body.as_ref(), of_sns, fault == Some(Fault::Conflict)), 0.0));
        }
        Some(Fault::Broken) => return Err(ConnectorError::io("the line broke".into())),
        Some(Fault::AnswerLost | Fault::Unprocessed) | None => {}
    }
    let mut unprocessed = None;
    if let Some(body) = &mut body {
        if metered {
            body["ReturnConsumedCapacity"] = "TOTAL".into();
        }
        if fault == Some(Fault::Unprocessed) {
            let left = halve(body);
            if body["RequestItems"] == json!({}) {
                return Ok((respond(200, "application/x-amz-json-1.0", given_back(operation, json!({}), left)), 0.0));
            }
            unprocessed = Some(left);
        }
        let body = body.to_string();
        request.headers_mut().insert("content-length", body.len().to_string());
        *request.body_mut() = SdkBody::from(body);
    }
    let mut response = to.call(request).await?;
    let body = ByteStream::new(response.take_body()).collect().await;
    let mut body = body.map_err(|error| ConnectorError::io(error.into()))?.into_bytes();
    if fault == Some(Fault::AnswerLost) {
        return Err(ConnectorError::timeout("the answer was lost".into()));
    }
    let answer = serde_json::from_slice::<Value>(&body).unwrap_or_default();
    let units = match &answer["ConsumedCapacity"] {
        Value::Array(tables) => tables.iter().filter_map(|table| table["CapacityUnits"].as_f64()).sum(),
        table => table["CapacityUnits"].as_f64().unwrap_or(0.0),
    };
    if let Some(left) = unprocessed {
        body = given_back(operation, answer, left).into();
        response.headers_mut().remove("content-length");
        response.headers_mut().remove("x-amz-crc32");
    }
    *response.body_mut() = SdkBody::from(body);
    Ok((response, units))
}

/// Takes the second half of each table's part out of a batch, and gives it back.
fn halve(batch: &mut Value) -> Value {
    fn list(part: &mut Value) -> &mut Vec<Value> {
        match part {
            Value::Array(writes) => writes,
            reads => reads["Keys"].as_array_mut().expect("a batch of writes or of keys"),
        }
    }
    let mut left = batch["RequestItems"].clone();
    let tables = batch["RequestItems"].as_object_mut().expect("only batches have unprocessed parts");
    tables.retain(|table, part| {
        let part = list(part);
        let half = part.len() / 2;
        *list(&mut left[table]) = part.split_off(half);
        half > 0
    });
    left
}

/// A batch's answer that gives `left` back.
fn given_back(operation: &str, mut answer: Value, left: Value) -> String {
    let name = if operation == "BatchGetItem" { "UnprocessedKeys" } else { "UnprocessedItems" };
    answer[name] = left;
    answer.to_string()
}

/// How an engine says that another one is at it, or that it is too much.
fn refusal(operation: &str, request: Option<&Value>, of_sns: bool, conflict: bool) -> HttpResponse {
    let table = |kind: &str, rest: Value| {
        let mut body = json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{kind}"), "message": "injected"});
        body.as_object_mut().unwrap().extend(rest.as_object().cloned().unwrap_or_default());
        respond(400, "application/x-amz-json-1.0", body.to_string())
    };
    match (operation, request.map(|request| &request["TransactItems"])) {
        ("TransactWriteItems" | "TransactGetItems", Some(Value::Array(actions))) => {
            let mut reasons = vec![json!({"Code": "None"}); actions.len()];
            let reason = if conflict { "TransactionConflict" } else { "ThrottlingError" };
            *reasons.last_mut().expect("no transaction is empty") = json!({"Code": reason, "Message": "injected"});
            table("TransactionCanceledException", json!({"Message": "injected", "CancellationReasons": reasons}))
        }
        ("PutItem" | "UpdateItem" | "DeleteItem", _) if conflict => table("TransactionConflictException", json!({})),
        _ if conflict => panic!("{operation} meets no conflicts"),
        (_, Some(_)) => table("ProvisionedThroughputExceededException", json!({})),
        (_, None) if of_sns => {
            let error = "<Error><Type>Sender</Type><Code>Throttling</Code><Message>injected</Message></Error>";
            respond(400, "text/xml", format!("<ErrorResponse>{error}</ErrorResponse>"))
        }
        (_, None) => respond(
            503,
            "application/xml",
            "<Error><Code>SlowDown</Code><Message>injected</Message></Error>".to_owned(),
        ),
    }
}

fn respond(status: u16, content_type: &'static str, body: String) -> HttpResponse {
    let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
    response.headers_mut().insert("content-type", content_type);
    response
}

/// Long enough for a second code to be sent.
pub const PAUSE: u64 = MINUTE;

/// What the engines hold, asked past the functions.
impl Test {
    /// All items of the table, by their keys, but for what counts how often a user did something, done or not.
    pub async fn items(&self) -> BTreeMap<String, HashMap<String, AttributeValue>> {
        let scan = self.table().scan().table_name(&self.plaza.app.config.table).consistent_read(true);
        // Page by page: one has a MB.
        let items = scan.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await.unwrap();
        let key = |item: &HashMap<String, AttributeValue>| ["pk", "sk"].map(|part| item[part].as_s().unwrap().clone());
        let items = items.into_iter().map(|item| (key(&item).join(" / "), item));
        items.filter(|(key, _)| !key.contains(" / DONE#")).collect()
    }

    /// The keys of all objects in the bucket, and a client that may do anything there.
    pub async fn objects(&self) -> (Vec<String>, aws_sdk_s3::Client) {
        let config = &self.plaza.app.config;
        let settings = aws_sdk_s3::config::Builder::from(&aws::settings(&config.aws, aws::http_client()))
            .endpoint_url(&self.plaza.engines.s3)
            .force_path_style(true);
        let client = aws_sdk_s3::Client::from_conf(settings.build());
        let listed = client.list_objects_v2().bucket(&config.media_bucket).into_paginator().send();
        let pages = listed.collect::<Result<Vec<_>, _>>().await.unwrap();
        let keys = pages.iter().flat_map(|page| page.contents()).filter_map(|object| Some(object.key()?.to_owned()));
        (keys.collect(), client)
    }

    /// Takes away what has ended by the test's clock, as DynamoDB does of itself some time later.
    pub async fn sweep(&self) {
        let ended = |item: &HashMap<String, AttributeValue>| {
            let end = item.get("expires_at").map(|end| end.as_n().unwrap().parse::<u64>().unwrap());
            end.is_some_and(|end| end * 1000 < self.now())
        };
        for item in self.items().await.into_values().filter(ended) {
            let key = ["pk", "sk"].map(|part| (part.to_owned(), item[part].clone()));
            let delete = self.table().delete_item().table_name(&self.plaza.app.config.table);
            delete.set_key(Some(key.into())).send().await.unwrap();
        }
    }

    /// The table, on a line of its own.
    pub fn table(&self) -> aws_sdk_dynamodb::Client {
        let settings = aws::settings(&self.plaza.app.config.aws, aws::http_client());
        let settings = aws_sdk_dynamodb::config::Builder::from(&settings).endpoint_url(&self.plaza.engines.dynamodb);
        aws_sdk_dynamodb::Client::from_conf(settings.build())
    }

    /// The status alone of a request to any server.
    pub async fn raw(&self, request: http::request::Builder, body: impl Into<Bytes>) -> StatusCode {
        self.client.request(request.body(Full::new(body.into())).unwrap()).await.unwrap().status()
    }

    /// A body of this content type, with nobody's token.
    pub async fn post(&self, path: &str, content_type: &str, body: impl Into<Bytes>) -> Answer {
        self.send(Request::builder().method(Method::POST).header("content-type", content_type), path, body).await
    }
}

/// The same chance in every run.
pub struct Chance(pub u64);

impl Chance {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

/// Does it all at once.
pub async fn together<T: Send + 'static>(
    work: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let started: Vec<_> = work.into_iter().map(tokio::spawn).collect();
    let mut done = vec![];
    for work in started {
        done.push(work.await.unwrap());
    }
    done
}
