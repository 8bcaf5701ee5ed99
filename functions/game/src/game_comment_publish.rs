use shared::wire::{
    comments::Commented,
    dialect::D,
    operation::*,
    values::{CommentNumber, GameNumber, Prose},
};

/// Comment on a game (document D).
#[derive(Deserialize, JsonSchema)]
pub struct GameCommentPublish {
    game_id: GameNumber,
    /// 1 to 1,000 characters.
    content: Prose<1, 1_000>,
}

impl Operation for GameCommentPublish {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Commented;
    const ROUTE: Route = Route::post("/game_comment_publish");
    const LIMIT: Option<Limit> = Some(Limit::Comments);

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Commented, Refusal> {
        let id = app.store.publish_comment(caller, self.game_id.0, &self.content.0, None).await?;
        Ok(Commented { comment_id: CommentNumber(id) })
    }
}
