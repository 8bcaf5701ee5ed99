//! Orders are paid once, by whoever owns the tickets in the end, against a provider that does its worst on loopback.
use std::{
    collections::{BTreeMap, VecDeque},
    io::{self, Write},
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt as _, stream};
use ring::hmac;
use serde_json::Value;
use shared::{
    config::Payment,
    domain::{OrderId, System},
    outside::{Charge, Payments, payment},
};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::{
    masters::{master, project},
    support::{Gate, START, Test},
};

/// What `docs/payment.md` signs its example with.
const KEY: &str = "an-example-key-of-42-characters-1234567890";
const ORDER: OrderId = OrderId(263_411_527_680_000);

/// A provider on loopback, as `docs/payment.md` wants one.
#[derive(Clone)]
pub struct Bank {
    url: String,
    books: Arc<Mutex<Books>>,
}

#[derive(Default)]
struct Books {
    /// What was asked under each key first, and its outcome.
    outcomes: BTreeMap<String, (Value, &'static str)>,
    /// What the next questions meet; none is dealt with as it should be.
    moods: VecDeque<Mood>,
    /// Header and body of each question that came.
    seen: Vec<(HeaderMap, String)>,
    /// Where each question waits to be let through.
    gate: Option<Gate>,
}

/// What may happen to a question.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mood {
    Good,
    Declines,
    /// It was done, and is said to be declined: no provider that keeps its word does that.
    Denies,
    /// Nothing was done.
    Busy,
    /// It was done, but the answer breaks off.
    BreaksOff,
    /// It was done, but the answer is none.
    Garbage,
    /// It was done, but the answer is to somebody else's question.
    AnothersAnswer,
    /// The same, but for the amount alone.
    AnotherAmount,
    /// It was done and goes on and on.
    Endless,
    /// It was done, but the answer comes too late.
    Slow,
}

impl Bank {
    pub async fn open() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/pay?by=plaza", listener.local_addr().unwrap());
        let bank = Self { url, books: Arc::default() };
        let router = Router::new().fallback(asked).with_state(bank.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        bank
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }

    pub fn meets(&self, moods: impl IntoIterator<Item = Mood>) {
        self.books().moods.extend(moods);
    }

    /// From now on each question waits at `gate`; none, and none does.
    pub fn hold_at(&self, gate: Option<Gate>) {
        self.books().gate = gate;
    }

    /// No more moods.
    pub fn forget_moods(&self) {
        self.books().moods.clear();
    }

    /// Somebody there pays back what it has declined to.
    pub fn relents(&self) {
        let is_declined = |question: &Value, outcome: &str| question["kind"] == "refund" && outcome == "declined";
        self.books().outcomes.retain(|_, (question, outcome)| !is_declined(question, outcome));
    }

    /// Fen that an order's buyer has paid, and how many times; what was paid back taken off.
    pub fn charged(&self, order: u64) -> (u64, usize) {
        let (mut charged, mut times) = (0, 0);
        for (question, outcome) in self.books().outcomes.values() {
            if question["order_id"] == order && *outcome == "approved" {
                let amount = question["amount"].as_u64().unwrap();
                match question["kind"] == "charge" {
                    true => (charged, times) = (charged + amount, times + 1),
                    false => (charged, times) = (charged - amount, times - 1),
                }
            }
        }
        (charged, times)
    }

    fn payments(&self) -> Payments {
        let http = Payment::Http { url: self.url.clone(), key: KEY.into() };
        Payments::new(&http, System::new(|| START, |_| ()))
    }
}

/// A question comes.
async fn asked(State(bank): State<Bank>, headers: HeaderMap, body: String) -> Response {
    let gate = bank.books().gate.clone();
    let passage = match gate {
        Some(gate) => gate.enter().await,
        None => None,
    };
    let answer = bank.books().answer(&headers, body);
    if let Some(passage) = passage {
        passage.leave().await;
    }
    match answer {
        Some(answer) => answer,
        None => std::future::pending().await,
    }
}

impl Books {
    /// None where none ever comes.
    fn answer(&mut self, headers: &HeaderMap, body: String) -> Option<Response> {
        self.seen.push((headers.clone(), body.clone()));
        if !is_signed(headers, &body) {
            return Some((http::StatusCode::UNAUTHORIZED, "who are you?").into_response());
        }
        let mood = self.moods.pop_front().unwrap_or(Mood::Good);
        if mood == Mood::Busy {
            return Some((http::StatusCode::SERVICE_UNAVAILABLE, body).into_response());
        }
        let question: Value = serde_json::from_str(&body).unwrap();
        let key = headers["idempotency-key"].to_str().unwrap().to_owned();
        let new = if mood == Mood::Declines { "declined" } else { "approved" };
        if question["kind"] == "refund" && !self.outcomes.contains_key(key.strip_suffix("-refund").unwrap()) {
            panic!("paid back without a charge: {question}");
        }
        let (first, outcome) = self.outcomes.entry(key).or_insert((question.clone(), new));
        assert_eq!(*first, question, "one key, two questions");
        let mut answer = question;
        answer["outcome"] = (*outcome).into();
        match mood {
            Mood::Denies => answer["outcome"] = "declined".into(),
            Mood::AnotherAmount => answer["amount"] = 1.into(),
            Mood::AnothersAnswer => answer["order_id"] = (ORDER.0 + 1).into(),
            _ => {}
        }
        let text = answer.to_string();
        Some(match mood {
            Mood::Slow => return None,
            Mood::Garbage => "<html>approved</html>".into_response(),
            Mood::BreaksOff => {
                let begun: io::Result<String> = Ok(text[..text.len() / 2].to_owned());
                Body::from_stream(stream::iter([begun, Err(io::Error::other("gone"))])).into_response()
            }
            Mood::Endless => {
                let more = stream::repeat(()).map(|()| io::Result::Ok(" ".repeat(4096)));
                Body::from_stream(stream::iter([Ok(text)]).chain(more)).into_response()
            }
            _ => text.into_response(),
        })
    }
}

/// As `docs/payment.md` has it.
fn is_signed(headers: &HeaderMap, body: &str) -> bool {
    let signature = headers["plaza-signature"].to_str().unwrap();
    let (time, digits) = signature.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    let digits: Vec<u8> =
        (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect();
    let key = hmac::Key::new(hmac::HMAC_SHA256, KEY.as_bytes());
    hmac::verify(&key, format!("{time}.{body}").as_bytes(), &digits).is_ok()
}

/// The page that providers are shown is what they are sent.
#[tokio::test]
async fn the_documented_question_is_the_one_that_comes() {
    let bank = Bank::open().await;
    assert_eq!(bank.payments().charge(ORDER, 1, 1999).await, Charge::Approved);
    let (headers, body) = bank.books().seen[0].clone();
    let page = include_str!("../../../docs/payment.md");
    for name in ["content-type", payment::IDEMPOTENCY_KEY, payment::SIGNATURE] {
        let line = format!("\n{name}: {}\n", headers[name].to_str().unwrap());
        assert!(page.contains(&line), "docs/payment.md has no line {line}");
    }
    assert!(page.contains(&format!("\n\n{body}\n```")), "docs/payment.md has another body than {body}");
    assert!(page.contains(&format!("printf %s '{START}.{body}' |\n  openssl dgst -sha256 -hmac {KEY}\n")));
    assert!(page.contains(&format!("{},\"outcome\":\"approved\"}}\n", body.strip_suffix('}').unwrap())));
}

#[tokio::test]
async fn each_attempt_and_its_refund_have_a_key_of_their_own() {
    let bank = Bank::open().await;
    let payments = bank.payments();
    bank.meets([Mood::Declines]);
    assert_eq!(payments.charge(ORDER, 1, 1999).await, Charge::Declined);
    // However often it is asked for.
    assert_eq!(payments.charge(ORDER, 1, 1999).await, Charge::Declined);
    for _ in 0..2 {
        assert_eq!(payments.charge(ORDER, 2, 1999).await, Charge::Approved);
    }
    assert_eq!(bank.charged(ORDER.0), (1999, 1));
    for _ in 0..2 {
        assert!(payments.refund(ORDER, 2, 1999).await);
    }
    assert_eq!(bank.charged(ORDER.0), (0, 0));
    let keys: Vec<_> = bank.books().outcomes.keys().cloned().collect();
    assert_eq!(keys, ["", "-2", "-2-refund"].map(|end| format!("{}{end}", ORDER.0)));
}

/// Nothing but a clear answer to the very question tells anything.
#[tokio::test]
async fn what_is_not_clear_is_unknown() {
    let bank = Bank::open().await;
    let payments = bank.payments();
    let moods = [Mood::Busy, Mood::BreaksOff, Mood::Garbage, Mood::AnothersAnswer, Mood::AnotherAmount, Mood::Endless];
    for (order, mood) in (1..).zip(moods) {
        let order = OrderId(order);
        bank.meets([mood]);
        assert_eq!(payments.charge(order, 1, 5).await, Charge::Unknown, "{mood:?}");
        assert_eq!(payments.charge(order, 1, 5).await, Charge::Approved, "{mood:?}");
        bank.meets([mood]);
        assert!(!payments.refund(order, 1, 5).await, "{mood:?}");
        assert!(payments.refund(order, 1, 5).await, "{mood:?}");
        assert_eq!(bank.charged(order.0), (0, 0), "{mood:?}");
    }

    // Nobody there, a key that the provider does not know, and no URL at all.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let stranger = "a key that nobody has ever told the provider";
    for (url, key) in [(format!("http://{nobody}"), KEY), (bank.url.clone(), stranger), ("at home".to_owned(), KEY)] {
        let http = Payment::Http { url, key: key.into() };
        let payments = Payments::new(&http, System::new(|| START, |_| ()));
        assert_eq!(payments.charge(ORDER, 1, 5).await, Charge::Unknown);
        assert!(!payments.refund(ORDER, 1, 5).await);
    }
    assert_eq!(bank.charged(ORDER.0), (0, 0));
}

#[tokio::test]
async fn a_provider_that_takes_too_long_is_left_in_time() {
    let bank = Bank::open().await;
    bank.meets([Mood::Slow]);
    // A function has 15 seconds, and still has to store what came of it.
    let within = std::time::Duration::from_secs(10);
    assert_eq!(tokio::time::timeout(within, bank.payments().charge(ORDER, 1, 5)).await, Ok(Charge::Unknown));
    assert_eq!(bank.payments().charge(ORDER, 1, 5).await, Charge::Approved);
    assert_eq!(bank.charged(ORDER.0), (5, 1));
}

#[tokio::test]
async fn of_what_costs_nothing_nobody_is_asked() {
    let bank = Bank::open().await;
    assert_eq!(bank.payments().charge(ORDER, 1, 0).await, Charge::Approved);
    assert!(bank.payments().refund(ORDER, 1, 0).await);
    assert!(bank.books().seen.is_empty());
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_names_the_order_and_nothing_secret() {
    let (log, bank) = (Log::default(), Bank::open().await);
    let writer = log.clone();
    // Were there only one subscriber, the first test to reach a log line would decide for all whether anybody listens.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    // Everything that any crate on the way would ever log.
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
    let guard = subscriber.with_writer(move || writer.clone()).set_default();
    for mood in [Mood::Garbage, Mood::AnothersAnswer, Mood::Good] {
        bank.meets([mood; 2]);
        bank.payments().charge(ORDER, 1, 77_777).await;
        bank.payments().refund(ORDER, 1, 77_777).await;
    }
    drop(guard);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let line = format!("no telling what became of a charge order={} failure=the answer is unreadable", ORDER.0);
    assert!(log.contains(&line), "{log}");
    let (headers, body) = bank.books().seen[0].clone();
    let signature = headers["plaza-signature"].to_str().unwrap().split_once("v1=").unwrap().1.to_owned();
    for secret in [KEY, "example-key", &signature, &body, "77777", "outcome"] {
        assert!(!log.contains(secret), "{secret} in: {log}");
    }
}

/// A Plaza whose orders this bank charges for.
pub async fn shop(bank: &Bank) -> Test {
    let variables = [("PAYMENT_PROVIDER", "http"), ("PAYMENT_URL", &*bank.url), ("PAYMENT_KEY", KEY)];
    let test = Test::with(&variables).await;
    let store = &test.plaza.app.store;
    store.import(&master(1), false).await.unwrap();
    store.import(&project(1, 1), false).await.unwrap();
    test
}
