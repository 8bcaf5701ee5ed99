use shared::{
    store::Mark,
    wire::{dialect::D, operation::*, values::GameNumber},
};

/// Take a game out of the collection (document D). One that is not in it is fine.
#[derive(Deserialize, JsonSchema)]
pub struct GameUncollect {
    game_id: GameNumber,
}

impl Operation for GameUncollect {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/game_uncollect");

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        app.store.unmark(Mark::Collect, caller, self.game_id.0).await?;
        Ok(Done {})
    }
}
