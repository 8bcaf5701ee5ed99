use shared::wire::{dialect::D, operation::*, values::GameNumber};

use crate::shown::ShownGame;

/// Read a game (document D).
#[derive(Deserialize, JsonSchema)]
pub struct GameDetail {
    game_id: GameNumber,
}

impl Operation for GameDetail {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, ShownGame>;
    const ROUTE: Route = Route::post("/game_detail");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        Ok(Named::new(app.store.game(caller, self.game_id.0).await?.into()))
    }
}
