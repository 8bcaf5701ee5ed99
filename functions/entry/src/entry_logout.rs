use shared::wire::{dialect::E, operation::*};

/// Log out: the token ends at once, in every document (document E, 2).
///
/// Whoever does it for the 201st time within 30 days ends all of their tokens.
#[derive(Deserialize, JsonSchema)]
pub struct EntryLogout {}

impl Operation for EntryLogout {
    type Dialect = E;
    type Caller = Bearer;
    type Response = Nothing;
    const ROUTE: Route = Route::post("/user/logout");

    async fn handle(self, Bearer(token): Bearer, app: &App) -> Result<Nothing, Refusal> {
        app.store.end_session(&token).await?;
        Ok(Nothing::DONE)
    }
}
