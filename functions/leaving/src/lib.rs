//! Run every minute: takes away what users who have left leave behind, and writes exports, from wherever that stands.
//!
//! (Not by a queue: whoever has much to be taken away would have to be sent to it again and again, and Lambda takes a
//! function that feeds its own queue for a loop. A list in the table loses nothing, and a minute is soon enough.)
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use shared::{
    App,
    domain::{MINUTE, Millis, Refusal},
    store::{Exporting, Leaver},
};

/// What one user's turn takes: whoever has much does not keep others waiting.
const TURN: Millis = 10_000;
/// What the last steps of a turn may take beyond it.
const RESERVE: Millis = 10_000;

/// What EventBridge sends; nothing of it matters.
#[derive(Deserialize)]
pub struct Tick {}

/// What a run came to.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Answer {
    /// Turns after which nothing was left of a user.
    pub erased: usize,
    /// Exports that are ready, or no longer wanted.
    pub exported: usize,
    /// Turns that were not enough.
    pub begun: usize,
    /// Turns that failed: a later run goes on.
    pub failed: usize,
}

/// Gives turns to whoever waits longest, for an export or to be erased, while there is time. `deadline`: when Lambda ends
/// us.
pub async fn handle(app: &App, deadline: Millis) -> Answer {
    let mut answer = Answer::default();
    while app.system.now() + TURN + RESERVE < deadline {
        match next_turn(app, &mut answer).await {
            Ok(true) => {}
            Ok(false) => break,
            Err(failure) => {
                tracing::error!(%failure, "the lists of who is waiting cannot be read or written");
                answer.failed += 1;
                break;
            }
        }
    }
    answer
}

/// Gives a turn, if somebody waits. What fails goes behind the others: if it fails for good, it keeps none of them.
/// (Boxed: a type of all that a turn may be is more than the compiler takes.)
fn next_turn<'a>(app: &'a App, answer: &'a mut Answer) -> BoxFuture<'a, Result<bool, Refusal>> {
    Box::pin(async move {
        let (exporting, leaver) = tokio::try_join!(app.store.first_export(), app.store.first_leaver())?;
        // So neither keeps the others waiting.
        let exporting = exporting.filter(|exporting| leaver.is_none_or(|leaver| exporting.at <= leaver.at));
        match (exporting, leaver) {
            (Some(exporting), _) => match export(app, &exporting).await {
                Ok(true) => answer.exported += 1,
                Ok(false) => answer.begun += 1,
                Err(failure) => {
                    tracing::warn!(user = exporting.user.0, %failure, "an export was not written");
                    app.store.export_later(&exporting, MINUTE).await?;
                    answer.failed += 1;
                }
            },
            (None, Some(leaver)) => match erase(app, &leaver).await {
                Ok(true) => answer.erased += 1,
                Ok(false) => answer.begun += 1,
                Err(failure) => {
                    tracing::warn!(user = leaver.user.0, %failure, "a user who left was not erased");
                    app.store.go_on_later(&leaver, MINUTE).await?;
                    answer.failed += 1;
                }
            },
            (None, None) => return Ok(false),
        }
        Ok(true)
    })
}

/// A turn for an export; whether that is all.
async fn export(app: &App, exporting: &Exporting) -> Result<bool, Refusal> {
    let is_ready = app.write_export(exporting, app.system.now() + TURN).await?;
    match is_ready {
        true => app.store.end_export(exporting).await?,
        false => app.store.export_later(exporting, 0).await?,
    }
    Ok(is_ready)
}

/// A turn for a user who has left; whether nothing is left of them.
async fn erase(app: &App, leaver: &Leaver) -> Result<bool, Refusal> {
    let until = app.system.now() + TURN;
    let is_erased = app.erase(leaver.user, until).await?;
    match is_erased {
        true => app.store.has_left(leaver).await?,
        // There was time enough: a payment is under way.
        false if app.system.now() < until => app.store.go_on_later(leaver, MINUTE).await?,
        false => app.store.go_on_later(leaver, 0).await?,
    }
    Ok(is_erased)
}
