//! What a request leaves in the log: one line of JSON, and nothing that anybody sent.
use std::{
    io,
    sync::{Mutex, OnceLock},
};

use lambda_http::{Context, RequestExt as _};
use local::{events, sample};
use serde_json::{Value, json};
use shared::{function, outside::aws};

use crate::support::{Test, operations};

/// What is sent in place of every text and number of every event, each to be told from all else.
const CANARY: &str = "canary-7f3d";
const CANARY_PHONE: &str = "13912345678";

/// All that is logged by this process.
static LOGGED: Mutex<Vec<u8>> = Mutex::new(vec![]);

struct Logged;

impl io::Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGGED.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Every line at the level that is deployed: no other is compiled into a function.
fn listen() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        let lines = tracing_subscriber::fmt().with_env_filter("info").with_writer(|| Logged).json();
        let _ = lines.try_init();
    });
}

async fn line(test: &Test, event: &Value) -> String {
    let mut request = events::request(event).unwrap();
    let mut context = Context::default();
    context.request_id = "lambda-id".into();
    request = request.with_lambda_context(context);
    function::answer(&test.plaza.app, test.plaza.router.clone(), request).await.1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_leaves_one_line_of_json() {
    let test = Test::start().await;
    sample::load(&test.plaza, aws::http_client()).await.unwrap();
    let event = |function, operation| events::load(&events::path(function, operation)).unwrap();
    let info: Value = serde_json::from_str(&line(&test, &event("user", "my_user_info")).await).unwrap();
    let expected = json!({"level": "INFO", "request_id": "lambda-id", "api_request_id": events::ANY,
        "operation": "my_user_info", "code": 0, "ms": events::ANY, "calls": 1, "reads": 3.0, "writes": 0.0});
    assert_eq!(events::differences(&expected, &info), [""; 0]);
    // A refusal's code, and what is counted.
    let mut stranger = event("user", "my_user_info");
    stranger["body"] = r#"{"token": "none"}"#.into();
    let refused: Value = serde_json::from_str(&line(&test, &stranger).await).unwrap();
    assert_eq!((&refused["code"], &refused["calls"]), (&json!(401), &json!(0)));
    let sent: Value = serde_json::from_str(&line(&test, &event("user", "send_sms_code")).await).unwrap();
    assert_eq!((&sent["code"], &sent["CodesSent"], &sent["Stack"]), (&json!(0), &json!(1), &json!("plaza")), "{sent}");
    let metrics = &sent["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(metrics["Namespace"], "Plaza");
    assert_eq!(metrics["Metrics"], json!([{"Name": "CodesSent", "Unit": "Count"}]));
    assert_eq!(metrics["Dimensions"], json!([["Stack"]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_repeated_is_counted_once() {
    let test = Test::start().await;
    sample::load(&test.plaza, aws::http_client()).await.unwrap();
    let mut order = events::load(&events::path("order", "order_create")).unwrap();
    order["headers"]["idempotency-key"] = "once".into();
    for counted in [json!(1), Value::Null] {
        let line: Value = serde_json::from_str(&line(&test, &order).await).unwrap();
        assert_eq!((&line["code"], &line["Orders"]), (&json!(0), &counted), "{line}");
    }
}

/// Every operation as its event has it, then with a canary in place of each field, on storage that is well and on
/// storage that fails.
#[tokio::test(flavor = "multi_thread")]
async fn no_line_holds_what_anybody_sent() {
    listen();
    let test = Test::start().await;
    sample::load(&test.plaza, aws::http_client()).await.unwrap();
    let (mut lines, mut secrets) = (String::new(), vec![]);
    for (function, listed) in operations() {
        let event = events::load(&events::path(function, &listed.name)).unwrap();
        secrets.extend(events::example(&event).into_iter().filter_map(|(name, value)| {
            let value = value.as_str().map_or(value.to_string(), str::to_owned);
            let is_secret = ["phone", "token", "code", "password", "email", "text", "content", "address", "message"];
            (value.len() >= 6 && is_secret.iter().any(|secret| name.contains(secret))).then_some(value)
        }));
        lines += &line(&test, &event).await;
        let fields: Vec<String> = events::example(&event).keys().cloned().collect();
        for field in fields {
            for canary in [CANARY, CANARY_PHONE] {
                let mut event = event.clone();
                let Some(body) = with(&event, &field, canary) else { continue };
                event["body"] = body;
                event["headers"]["x-device-id"] = format!("{CANARY}-device-id").into();
                event["headers"]["user-agent"] = CANARY.into();
                lines += &line(&test, &event).await;
            }
        }
        // The errors of those that meet no storage.
        test.line.spoil("BatchGetItem", [crate::support::Fault::Broken; 3]);
        test.line.spoil("TransactWriteItems", [crate::support::Fault::Broken; 3]);
        lines += &line(&test, &event).await;
        test.line.mend();
    }
    let logged = String::from_utf8_lossy(&LOGGED.lock().unwrap()).into_owned();
    // This process's own: the engines' and the runner's are none of a function's.
    let logged: Vec<&str> = logged.lines().filter(|line| !line.contains("dynoxide") && !line.contains("s3s")).collect();
    assert!(logged.len() > 10, "the failures were logged");
    assert!(secrets.len() > 20, "{} secrets were looked for", secrets.len());
    lines += &logged.join("\n");
    secrets.extend([CANARY, CANARY_PHONE, sample::PHONE, sample::PASSWORD, "canary"].map(str::to_owned));
    for secret in secrets {
        let around =
            lines.find(&secret).map(|at| lines[..at + secret.len()].chars().rev().take(400).collect::<String>());
        let around = around.map(|text| text.chars().rev().collect::<String>());
        assert_eq!(around, None, "{secret} was logged");
    }
}

/// The event's body with another value of one field, in the body's own form.
fn with(event: &Value, field: &str, value: &str) -> Option<Value> {
    let body = event["body"].as_str()?;
    let mut fields: Value = serde_json::from_str(body).ok()?;
    *fields.get_mut(field)? = value.into();
    Some(fields.to_string().into())
}
