use shared::{
    store::Mark,
    wire::{dialect::D, operation::*, values::GameNumber},
};

/// Like a game (document D). Once per user: a repeat changes nothing.
#[derive(Deserialize, JsonSchema)]
pub struct GameLike {
    game_id: GameNumber,
}

impl Operation for GameLike {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/game_like");
    const LIMIT: Option<Limit> = Some(Limit::Marks);

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        app.store.mark(Mark::Like, caller, self.game_id.0).await?;
        Ok(Done {})
    }
}
