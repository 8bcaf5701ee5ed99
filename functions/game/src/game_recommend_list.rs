use shared::wire::{dialect::D, operation::*, values::Page};

use crate::shown::ShownGame;

/// Read all games, the recommended ones first, then the newest (document D).
#[derive(Deserialize, JsonSchema)]
pub struct GameRecommendList {
    #[schemars(flatten)]
    page: Page<100>,
}

impl Operation for GameRecommendList {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, Vec<ShownGame>>;
    const ROUTE: Route = Route::post("/game_recommend_list");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let games = app.store.games(caller, self.page.of()).await?;
        Ok(Named::new(games.into_iter().map(ShownGame::from).collect()))
    }
}
