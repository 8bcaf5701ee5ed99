//! The runner as a process: killed in the middle of writes, started twice, stopped.
use std::{
    collections::HashMap,
    io::Read as _,
    net::TcpListener,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{io::AsyncWriteExt as _, net::TcpStream, task::JoinSet};

use crate::support::{multipart, picture};

const PASSWORD: &str = "abcd1234";

/// `cargo run`, killed when dropped.
struct Runner {
    process: Child,
    http: Http,
}

#[derive(Clone)]
struct Http {
    address: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

fn spawn(port: u16, data: &Path) -> Child {
    let mut runner = Command::new(env!("CARGO_BIN_EXE_local"));
    runner.env("PORT", port.to_string()).env("DATA_DIR", data).stdout(Stdio::null()).stderr(Stdio::piped());
    runner.spawn().unwrap()
}

impl Runner {
    /// Started, and seen to answer.
    async fn start(port: u16, data: &Path) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let http = Http { address: format!("http://127.0.0.1:{port}"), client };
        let mut runner = Self { process: spawn(port, data), http };
        loop {
            if let Some(ended) = runner.process.try_wait().unwrap() {
                panic!("{ended}: {}", words(&mut runner.process));
            }
            if runner.http.get("/openapi.json").await.is_some() {
                return runner;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args(["-s", name, &self.process.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a process that ended has complained of.
fn words(process: &mut Child) -> String {
    let mut words = String::new();
    process.stderr.take().unwrap().read_to_string(&mut words).unwrap();
    words
}

/// Waits for the end, for ten seconds at most.
async fn end(process: &mut Child) -> ExitStatus {
    let ended = async {
        loop {
            match process.try_wait().unwrap() {
                Some(ended) => return ended,
                None => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), ended).await.expect("it ends")
}

impl Http {
    /// None where no whole answer came.
    async fn send(&self, request: http::request::Builder, path: &str, body: impl Into<Bytes>) -> Option<Bytes> {
        let request = request.uri(format!("{}{path}", self.address)).body(Full::new(body.into())).unwrap();
        let answer = self.client.request(request).await.ok()?;
        Some(answer.into_body().collect().await.ok()?.to_bytes())
    }

    async fn get(&self, path: &str) -> Option<Value> {
        serde_json::from_slice(&self.send(Request::builder(), path, "").await?).ok()
    }

    async fn post(&self, token: &str, path: &str, body: Value) -> Option<Value> {
        let request = Request::builder().method(Method::POST).header("content-type", "application/json");
        let request = request.header("authorization", token);
        serde_json::from_slice(&self.send(request, path, body.to_string()).await?).ok()
    }

    async fn log_in(&self, phone: &str) -> Option<String> {
        let body = json!({"user_type": "1", "account": phone, "password": PASSWORD});
        let answer = self.post("", "/user/login", body).await?;
        Some(answer["data"]["user_info"]["token"].as_str().unwrap_or_else(|| panic!("{phone}: {answer}")).to_owned())
    }
}

/// What a user was told is done.
#[derive(Default)]
struct StreamChange {
    token: Option<String>,
    /// Their nickname is `n<this>`; a later one may have been stored without an answer.
    name: Option<u64>,
    avatars: Vec<String>,
}

type Ledger = Arc<Mutex<HashMap<String, StreamChange>>>;

/// Writes as fast as it can until the runner is gone, which is `None`, and keeps what it was told is done.
async fn write(http: Http, ledger: Ledger, done: Arc<AtomicUsize>, first_phone: u64) -> Option<()> {
    let succeeded = |answer: Value| {
        assert!(["000000", "0"].contains(&&*answer["code"].to_string().replace('"', "")), "{answer}");
        done.fetch_add(1, Ordering::Relaxed);
        answer
    };
    for phone in first_phone.. {
        let phone = &phone.to_string();
        let note = |of: &dyn Fn(&mut StreamChange)| of(ledger.lock().unwrap().entry(phone.clone()).or_default());
        succeeded(http.post("", "/send_sms_code", json!({"phone": phone})).await?);
        let code = http.get(&format!("/_local/sms?phone={phone}")).await?;
        let body = json!({"phone": phone, "password": PASSWORD, "verifycode": code["code"]});
        succeeded(http.post("", "/user/register", body).await?);
        note(&|_| {});
        let token = http.log_in(phone).await?;
        note(&|told| told.token = Some(token.clone()));
        for name in 1..=3 {
            succeeded(http.post(&token, "/user/update_info", json!({"name": format!("n{name}")})).await?);
            note(&|told| told.name = Some(name));
            let (content_type, body) = multipart(&[], Some(("image", &picture(96, 64))));
            let request = Request::builder().method(Method::POST).header("content-type", content_type);
            let answer = http.send(request.header("authorization", &token), "/user/update_avator", body).await?;
            let answer = succeeded(serde_json::from_slice(&answer).unwrap());
            let urls = ["avator", "large_avator"].map(|size| answer["data"][size].as_str().unwrap().to_owned());
            note(&|told| told.avatars.extend(urls.clone()));
        }
    }
    unreachable!()
}

/// That all is there that was told to be.
async fn check(http: &Http, ledger: &Ledger) {
    let client = http.client.clone();
    let told = std::mem::take(&mut *ledger.lock().unwrap());
    for (phone, told) in told {
        let fresh = http.log_in(&phone).await.unwrap();
        for token in told.token.iter().chain([&fresh]) {
            let shown = http.post(token, "/user/update_info", json!({})).await.unwrap();
            assert_eq!(shown["data"]["phone"], *phone, "{shown}");
            let name = shown["data"]["name"].as_str().and_then(|name| name.strip_prefix('n')?.parse().ok());
            assert!(name >= told.name, "{phone} was told n{:?}: {shown}", told.name);
            let last = told.avatars.last();
            assert!(last.is_none() || shown["data"]["large_avator"].is_string(), "{shown}");
        }
        for url in told.avatars {
            let answer = client.get(url.parse().unwrap()).await.unwrap();
            let bytes = answer.into_body().collect().await.unwrap().to_bytes();
            image::load_from_memory(&bytes).unwrap_or_else(|error| panic!("{url}: {error}"));
        }
    }
}

/// The first of four free ports in a row, below those that the system gives away. The one before it is free as well,
/// and tests that run beside this one begin to look elsewhere.
fn ports() -> u16 {
    let start = std::process::id().wrapping_mul(7919);
    let mut blocks = (0..).map(|block| 10_000 + 5 * (start.wrapping_add(block) % 4_000) as u16);
    let is_free = |before: &u16| (*before..before + 5).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok());
    blocks.find(is_free).unwrap() + 1
}

#[tokio::test]
async fn what_was_answered_survives_a_kill() {
    let (folder, port) = (TempDir::new().unwrap(), ports());
    let ledger = Ledger::default();
    let mut runner = Runner::start(port, folder.path()).await;
    for (round, answers) in [25, 60, 40].into_iter().enumerate() {
        let (mut writers, done) = (JoinSet::new(), Arc::new(AtomicUsize::new(0)));
        for writer in 0..4 {
            let first_phone = 13_700_000_000 + 100_000 * (10 * round as u64 + writer);
            writers.spawn(write(runner.http.clone(), ledger.clone(), done.clone(), first_phone));
        }
        while done.load(Ordering::Relaxed) < answers {
            tokio::select! {
                ended = writers.join_next() => panic!("a writer ended before the kill: {ended:?}"),
                () = tokio::time::sleep(Duration::from_millis(1)) => {}
            }
        }
        runner.kill();
        while let Some(ended) = writers.join_next().await {
            assert_eq!(ended.unwrap(), None);
        }
        runner = Runner::start(port, folder.path()).await;
        let users = ledger.lock().unwrap().len();
        println!("killed after {} answers: {users} users", done.load(Ordering::Relaxed));
        assert!(users > 0);
        check(&runner.http, &ledger).await;
    }
}

#[tokio::test]
async fn a_second_one_says_what_is_in_its_way() {
    let (folder, other_folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let port = ports();
    let runner = Runner::start(port, folder.path()).await;

    let mut same_port = spawn(port, other_folder.path());
    assert_eq!(end(&mut same_port).await.code(), Some(1));
    assert_eq!(words(&mut same_port), format!("plaza: port {port} is taken: stop what listens there, or set PORT\n"));

    let mut engines_port = spawn(port - 1, other_folder.path());
    assert_eq!(end(&mut engines_port).await.code(), Some(1));
    let complaint = words(&mut engines_port);
    assert!(complaint.starts_with(&format!("plaza: port {port} (DynamoDB) is taken")), "{complaint}");

    let mut same_folder = spawn(ports(), folder.path());
    assert_eq!(end(&mut same_folder).await.code(), Some(1));
    let complaint = words(&mut same_folder);
    let expected = format!("plaza: {} is in use by another instance", folder.path().display());
    assert!(complaint.starts_with(&expected), "{complaint}");

    assert!(runner.http.get("/openapi.json").await.is_some(), "the first one goes on");
}

#[tokio::test]
async fn a_signal_ends_it_in_good_order_whoever_is_connected() {
    for signal in ["INT", "TERM"] {
        let (folder, port) = (TempDir::new().unwrap(), ports());
        let mut runner = Runner::start(port, folder.path()).await;
        // The client keeps its connection; beside it one that has said nothing yet.
        assert!(runner.http.get("/openapi.json").await.is_some());
        let silent = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        runner.signal(signal);
        let ended = end(&mut runner.process).await;
        assert_eq!(ended.code(), Some(0), "{signal}: {ended}");
        assert_eq!(words(&mut runner.process), "", "{signal}");
        drop(silent);
    }
}

#[tokio::test]
async fn a_signal_ends_it_though_somebody_never_ends_their_request() {
    let (folder, port) = (TempDir::new().unwrap(), ports());
    let mut runner = Runner::start(port, folder.path()).await;
    let mut slow = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    slow.write_all(b"POST /user/login HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nuser").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    runner.signal("INT");
    assert_eq!(end(&mut runner.process).await.code(), Some(0));
    drop(slow);
}
