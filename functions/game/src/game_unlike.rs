use shared::{
    store::Mark,
    wire::{dialect::D, operation::*, values::GameNumber},
};

/// Take a like of a game back (document D). One that was never given is fine.
#[derive(Deserialize, JsonSchema)]
pub struct GameUnlike {
    game_id: GameNumber,
}

impl Operation for GameUnlike {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/game_unlike");

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        app.store.unmark(Mark::Like, caller, self.game_id.0).await?;
        Ok(Done {})
    }
}
