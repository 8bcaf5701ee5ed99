use shared::{
    domain::SubjectKind,
    store::Vote,
    wire::{dialect::D, operation::*, values::CommentNumber},
};

/// Vote a comment on a game down (document D). Once per user: a repeat changes nothing, the opposite vote is replaced.
#[derive(Deserialize, JsonSchema)]
pub struct GameCommentDown {
    comment_id: CommentNumber,
}

impl Operation for GameCommentDown {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/game_comment_down");
    const LIMIT: Option<Limit> = Some(Limit::Votes);

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        app.store.vote_on_comment(caller, SubjectKind::Game, self.comment_id.0, Vote::Down).await?;
        Ok(Done {})
    }
}
