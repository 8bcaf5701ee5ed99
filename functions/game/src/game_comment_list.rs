use shared::wire::{
    comments::ShownComment,
    dialect::D,
    operation::*,
    values::{GameNumber, Page},
};

/// Read a game's comments, the newest first (document D).
#[derive(Deserialize, JsonSchema)]
pub struct GameCommentList {
    game_id: GameNumber,
    #[schemars(flatten)]
    page: Page,
}

impl Operation for GameCommentList {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, Vec<ShownComment>>;
    const ROUTE: Route = Route::post("/game_comment_list");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let comments = app.store.comments(caller, self.game_id.0, self.page.of()).await?;
        Ok(Named::new(comments.into_iter().map(ShownComment::from).collect()))
    }
}
