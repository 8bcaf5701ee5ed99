use shared::{
    domain::SubjectKind,
    store::Vote,
    wire::{dialect::D, operation::*, values::CommentNumber},
};

/// Vote a comment on an article up (document D). Once per user: a repeat changes nothing.
#[derive(Deserialize, JsonSchema)]
pub struct ArticleCommentUp {
    article_comment_id: CommentNumber,
}

impl Operation for ArticleCommentUp {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/article_comment_up");
    const LIMIT: Option<Limit> = Some(Limit::Votes);

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        app.store.vote_on_comment(caller, SubjectKind::Article, self.article_comment_id.0, Vote::Up).await?;
        Ok(Done {})
    }
}
