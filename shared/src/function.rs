//! What every function's `main` is.
use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::Router;
use lambda_http::{Error, LambdaEvent, lambda_runtime, service_fn};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    App,
    domain::{Millis, World},
    outside::aws,
    wire::operation::router,
};

/// Serves a function's operations to the Lambda runtime, for as long as it wants.
pub async fn serve(operations: impl FnOnce(Router<Arc<App>>) -> Router<Arc<App>>) -> Result<(), Error> {
    let app = app().await?;
    lambda_http::run(router(operations, app)).await
}

/// The same for a function that takes events, not requests; it is told when Lambda ends it. An error makes Lambda send
/// the whole event again.
pub async fn serve_events<E, A>(handle: impl AsyncFn(&App, E, Millis) -> Result<A, Error>) -> Result<(), Error>
where
    E: DeserializeOwned,
    A: Serialize,
{
    let (app, handle) = (app().await?, &handle);
    lambda_runtime::run(service_fn(|event: LambdaEvent<E>| handle(&app, event.payload, event.context.deadline))).await
}

/// An event as it is sent. Some have no records: S3 tries new notifications out with one that has none, and people try
/// functions with `{}`. Then there is nothing to do, and nothing to send again.
#[derive(Deserialize)]
pub struct Sent<R> {
    #[serde(rename = "Records")]
    pub records: Option<Vec<R>>,
}

/// What a function uses, its connection to the table open.
#[expect(clippy::disallowed_methods, reason = "the one place where a function meets its environment")]
async fn app() -> Result<Arc<App>, Error> {
    // As `LoggingConfig` in the template says.
    lambda_http::tracing::init_default_subscriber();
    let variable = Box::new(|name: &str| std::env::var(name).ok());
    let app = App::new(variable, world(), aws::http_client())?;
    app.store.warm().await;
    Ok(app)
}

/// The machine's clock and its randomness.
#[expect(clippy::disallowed_methods, reason = "the one place where a function meets its environment")]
pub fn world() -> World {
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    let random = SystemRandom::new();
    // A system without randomness can make no token that nobody guesses: better none at all.
    World::new(clock, move |bytes| random.fill(bytes).expect("the system's randomness"))
}
