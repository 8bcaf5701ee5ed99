use shared::wire::{dialect::D, operation::*, values::Code};

use crate::proof::{self, prove};

/// Leave, for good (ours, beside document D).
///
/// At once the caller's tokens and devices end, in every document; their phone, e-mail, user name and third party's
/// identity are free for a new account; and nobody finds them any more. Within minutes goes what they brought and did:
/// profile, pictures and other files, articles, comments, votes, likes, collects, hearts, follows in both directions, gifts,
/// feedback, cart. Pending orders are cancelled; orders stay, with the user's id alone. There is no way back.
#[derive(Deserialize, JsonSchema)]
pub struct UserErase {
    /// The six digits of an SMS to the caller's phone, as `send_sms_code` sends it.
    code: Option<Code>,
    /// In place of `code`, of a caller who has proved no phone. Who has no password either needs none.
    password: Option<String>,
}

impl Operation for UserErase {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/user_erase");
    const REFUSES: &'static [Refusal] = proof::REFUSES;

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        let code = prove(caller, self.code, self.password, app).await?;
        match app.store.leave(caller, code.as_ref()).await.map_err(Refusal::of("code"))? {
            true => Ok(Done {}),
            // They left elsewhere, this moment.
            false => Err(Refusal::NotSignedIn),
        }
    }
}
