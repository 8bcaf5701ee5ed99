use shared::wire::{dialect::D, operation::*};

/// End the token that this request brings, at once and in every document (document D).
#[derive(Deserialize, JsonSchema)]
pub struct UserLogout {}

impl Operation for UserLogout {
    type Dialect = D;
    type Caller = Bearer;
    type Response = Done;
    const ROUTE: Route = Route::post("/user_logout");

    async fn handle(self, Bearer(token): Bearer, app: &App) -> Result<Done, Refusal> {
        app.store.end_session(&token).await?;
        Ok(Done {})
    }
}
