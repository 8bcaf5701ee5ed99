//! What every function's `main` is.
use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::Arc,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use axum::{Router, response::Response};
use lambda_http::{Request, RequestExt as _, Service as _, request::RequestContext};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tracing_subscriber::filter::LevelFilter;

use crate::{
    App,
    domain::{Millis, System},
    meter::{Taken, metered},
    outside::aws,
    wire::{gateway::as_routed, operation::router},
};

/// Where CloudWatch keeps what the log's lines count.
const METRICS: &str = "Plaza";

/// Serves a function's operations to the Lambda runtime, for as long as it wants.
pub async fn serve(operations: impl FnOnce(Router<Arc<App>>) -> Router<Arc<App>>) -> Result<(), Error> {
    let app = app()?;
    if app.keys().is_err() {
        return Err("the environment variable JWT_KEY is missing".into());
    }
    // The router is made while the network is about the connection.
    let ((), router) = tokio::join!(app.store.warm(), async { router(operations, app.clone()) });
    let handle = move |request| {
        let (app, router) = (app.clone(), router.clone());
        async move {
            let (response, line) = answer(&app, router, request).await;
            println!("{line}");
            Ok::<_, Infallible>(response)
        }
    };
    // As a task: between two turns of what `main` itself waits for the scheduler asks the network for news, three system
    // calls a request.
    tokio::task::spawn_local(lambda_http::run(lambda_http::service_fn(handle))).await?
}

/// One request's answer, and its line for the log.
pub async fn answer(app: &App, mut router: Router, request: Request) -> (Response, String) {
    let id = request.lambda_context_ref().map(|context| context.request_id.clone()).unwrap_or_default();
    let api_id = request.request_context_ref().and_then(|context| match context {
        RequestContext::ApiGatewayV2(context) => context.request_id.clone(),
        _ => None,
    });
    let since = stopwatch();
    let (Ok(response), taken) = metered(router.call(as_routed(request))).await;
    let outcome = response.extensions().get().cloned();
    // What leads nowhere is nobody's operation.
    let outcome = outcome.unwrap_or_else(|| Outcome { operation: "none".into(), code: response.status().as_u16() });
    (response, line(app, &id, api_id.as_deref(), &outcome, since(), &taken))
}

/// The same for a function that takes events, not requests; it is told when Lambda ends it. An error makes Lambda send
/// the whole event again. `name` is what its lines in the log call it.
pub async fn serve_events<E, A>(
    name: &str,
    handle: impl AsyncFn(&App, E, Millis) -> Result<A, Error>,
) -> Result<(), Error>
where
    E: DeserializeOwned,
    A: Serialize,
{
    let (app, handle) = (&app()?, &handle);
    app.store.warm().await;
    let handle = async |event: LambdaEvent<E>| {
        let since = stopwatch();
        let (answer, taken) = metered(handle(app, event.payload, event.context.deadline)).await;
        let outcome = Outcome { operation: name.into(), code: if answer.is_ok() { 0 } else { 500 } };
        println!("{}", line(app, &event.context.request_id, None, &outcome, since(), &taken));
        answer
    };
    lambda_runtime::run(service_fn(handle)).await
}

/// What became of a request: an operation leaves it with its response.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub operation: String,
    /// 0 where all is well, else the refusal's.
    pub code: u16,
}

/// A request's line in the log: nothing that anybody sent.
#[derive(Serialize)]
struct Line<'a> {
    level: &'static str,
    /// Lambda's, which stands in every other line of the request as well.
    request_id: &'a str,
    /// API Gateway's, which stands in its access log.
    #[serde(skip_serializing_if = "Option::is_none")]
    api_request_id: Option<&'a str>,
    operation: &'a str,
    code: u16,
    ms: f64,
    calls: u32,
    reads: f64,
    writes: f64,
    #[serde(flatten)]
    metric: Option<Metric<'a>>,
}

/// What came about that is counted, in CloudWatch's embedded metric format: the line is the metric.
#[derive(Serialize)]
struct Metric<'a> {
    #[serde(rename = "_aws")]
    about: Value,
    #[serde(rename = "Stack")]
    stack: &'a str,
    #[serde(flatten)]
    counts: BTreeMap<String, u32>,
}

/// What a request's line in the log says.
fn line(
    app: &App,
    request_id: &str,
    api_request_id: Option<&str>,
    Outcome { operation, code }: &Outcome,
    millis: f64,
    taken: &Taken,
) -> String {
    let metric = (!taken.happened.is_empty()).then(|| {
        let counts: BTreeMap<_, _> = taken.happened.iter().map(|(what, count)| (format!("{what:?}"), *count)).collect();
        let named: Vec<_> = counts.keys().map(|name| json!({"Name": name, "Unit": "Count"})).collect();
        let metrics = json!({"Namespace": METRICS, "Dimensions": [["Stack"]], "Metrics": named});
        let about = json!({"Timestamp": app.system.now(), "CloudWatchMetrics": [metrics]});
        Metric { about, stack: &app.config.stack, counts }
    });
    let line = Line {
        level: "INFO",
        request_id,
        api_request_id,
        operation,
        code: *code,
        ms: (millis * 10.0).round() / 10.0,
        calls: taken.calls,
        reads: taken.read_units,
        writes: taken.write_units,
        metric,
    };
    serde_json::to_string(&line).expect("names are text and numbers are finite")
}

/// Milliseconds since this was called.
#[expect(clippy::disallowed_methods, reason = "how long it took is for whoever watches")]
fn stopwatch() -> impl Fn() -> f64 {
    let from = Instant::now();
    move || from.elapsed().as_secs_f64() * 1000.0
}

/// An event as it is sent. Some have no records: S3 tries new notifications out with one that has none, and people try
/// functions with `{}`. Then there is nothing to do, and nothing to send again.
#[derive(Deserialize)]
pub struct Sent<R> {
    #[serde(rename = "Records")]
    pub records: Option<Vec<R>>,
}

/// What a function uses.
#[expect(clippy::disallowed_methods, reason = "the one place where a function meets its environment")]
fn app() -> Result<Arc<App>, Error> {
    let variable = |name: &str| std::env::var(name).ok();
    log(variable);
    Ok(App::new(Box::new(variable), system(), aws::http_client())?)
}

/// Logs as `LoggingConfig` in the template says, which Lambda passes on in two variables. `lambda_runtime` has the
/// same few lines around a filter with a language of its own, and that brings a regex engine into every function.
fn log(variable: impl Fn(&str) -> Option<String>) {
    let level = variable("AWS_LAMBDA_LOG_LEVEL").and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    let lines = tracing_subscriber::fmt().with_max_level(level).with_target(false).without_time();
    match variable("AWS_LAMBDA_LOG_FORMAT").is_some_and(|format| format.eq_ignore_ascii_case("json")) {
        true => lines.json().init(),
        false => lines.init(),
    }
}

/// The machine's clock and its randomness.
#[expect(clippy::disallowed_methods, reason = "the one place where a function meets its environment")]
pub fn system() -> System {
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    let random = SystemRandom::new();
    // A system without randomness can make no token that nobody guesses: better none at all.
    System::new(clock, move |bytes| random.fill(bytes).expect("the system's randomness"))
}
