use shared::{
    store::Mark,
    wire::{dialect::D, operation::*, values::GameNumber},
};

/// Collect a game (document D). Once per user: a repeat changes nothing.
#[derive(Deserialize, JsonSchema)]
pub struct GameCollect {
    game_id: GameNumber,
}

impl Operation for GameCollect {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/game_collect");
    const LIMIT: Option<Limit> = Some(Limit::Marks);

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        app.store.mark(Mark::Collect, caller, self.game_id.0).await?;
        Ok(Done {})
    }
}
