//! Run every minute: takes away what users who have left leave behind, from wherever that stands.
//!
//! (Not by a queue: whoever has much to be taken away would have to be sent to it again and again, and Lambda takes a
//! function that feeds its own queue for a loop. A list in the table loses nothing, and a minute is soon enough.)
use serde::{Deserialize, Serialize};
use shared::{
    App,
    domain::{MINUTE, Millis, Refusal},
    store::Leaver,
};

/// What one user's turn takes: whoever leaves much behind does not keep others waiting.
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
    /// Turns that were not enough.
    pub begun: usize,
    /// Turns that failed: a later run goes on.
    pub failed: usize,
}

/// Gives turns to whoever waits longest, while there is time. `deadline`: when Lambda ends us.
pub async fn handle(app: &App, deadline: Millis) -> Answer {
    let mut answer = Answer::default();
    while app.system.now() + TURN + RESERVE < deadline {
        let count = match app.store.first_leaver().await {
            Ok(None) => break,
            Ok(Some(leaver)) => match turn(app, &leaver).await {
                Ok(true) => &mut answer.erased,
                Ok(false) => &mut answer.begun,
                Err(failure) => {
                    tracing::warn!(user = leaver.user.0, %failure, "a user who left was not erased");
                    // Behind the others, for what fails for good keeps none of them.
                    if let Err(failure) = app.store.go_on_later(&leaver, MINUTE).await {
                        tracing::error!(%failure, "the list of those who left cannot be written");
                        answer.failed += 1;
                        break;
                    }
                    &mut answer.failed
                }
            },
            Err(failure) => {
                tracing::error!(%failure, "the list of those who left cannot be read");
                answer.failed += 1;
                break;
            }
        };
        *count += 1;
    }
    answer
}

/// One user's turn; whether nothing is left of them.
async fn turn(app: &App, leaver: &Leaver) -> Result<bool, Refusal> {
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
