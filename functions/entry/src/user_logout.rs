use shared::wire::{dialect::E, operation::*};

/// Log out: the token ends at once, in every document (document E, 2).
///
/// Whoever does it for the 201st time within 30 days ends all of their tokens.
#[derive(Deserialize, JsonSchema, Validate)]
pub struct UserLogout {}

impl Operation for UserLogout {
    type Dialect = E;
    type Caller = SignedIn;
    type Response = Nothing;
    const ROUTE: Route = Route::post("/user/logout");

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Nothing, Refusal> {
        app.store.end_session(&caller).await?;
        Ok(Nothing::DONE)
    }
}
