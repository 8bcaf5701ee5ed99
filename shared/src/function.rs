//! What every function's `main` is.
use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::Router;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tracing_subscriber::filter::LevelFilter;

use crate::{
    App,
    domain::{Millis, System},
    outside::aws,
    wire::operation::router,
};

/// Serves a function's operations to the Lambda runtime, for as long as it wants.
pub async fn serve(operations: impl FnOnce(Router<Arc<App>>) -> Router<Arc<App>>) -> Result<(), Error> {
    let app = app()?;
    // The router is made while the network is about the connection.
    let ((), router) = tokio::join!(app.store.warm(), async { router(operations, app.clone()) });
    lambda_http::run(router).await
}

/// The same for a function that takes events, not requests; it is told when Lambda ends it. An error makes Lambda send
/// the whole event again.
pub async fn serve_events<E, A>(handle: impl AsyncFn(&App, E, Millis) -> Result<A, Error>) -> Result<(), Error>
where
    E: DeserializeOwned,
    A: Serialize,
{
    let (app, handle) = (app()?, &handle);
    app.store.warm().await;
    lambda_runtime::run(service_fn(|event: LambdaEvent<E>| handle(&app, event.payload, event.context.deadline))).await
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
