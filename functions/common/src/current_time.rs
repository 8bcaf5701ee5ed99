use shared::wire::{dialect::D, operation::*};

/// Tell the server's time (document D).
///
/// Works without a token.
#[derive(Deserialize, JsonSchema)]
pub struct CurrentTime {}

#[derive(Serialize, JsonSchema)]
pub struct Now {
    /// In milliseconds since 1970.
    time: u64,
}

impl Operation for CurrentTime {
    type Dialect = D;
    type Caller = Anyone;
    type Response = Now;
    const ROUTE: Route = Route::post("/current_time");

    async fn handle(self, Anyone: Anyone, app: &App) -> Result<Now, Refusal> {
        Ok(Now { time: app.system.now() })
    }
}
