use shared::wire::{
    comments::Commented,
    dialect::D,
    operation::*,
    values::{ArticleNumber, CommentNumber, Prose},
};

/// Answer a comment on an article (document D).
#[derive(Deserialize, JsonSchema)]
pub struct ArticleCommentReply {
    article_id: ArticleNumber,
    /// The comment to answer.
    reply_id: CommentNumber,
    /// 1 to 1,000 characters.
    content: Prose<1, 1_000>,
    /// The comment that the thread began with: the `first_reply_id` of the comment to answer, or, where it has none, that
    /// comment itself. It may be gone, and it may be left out here.
    first_reply_id: Option<CommentNumber>,
}

impl Operation for ArticleCommentReply {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Commented;
    const ROUTE: Route = Route::post("/article_comment_reply");
    const LIMIT: Option<Limit> = Some(Limit::Comments);

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Commented, Refusal> {
        let reply = (self.reply_id.0, self.first_reply_id.map(|id| id.0));
        let id = app.store.publish_comment(caller, self.article_id.0, &self.content.0, Some(reply)).await;
        let id = id.map_err(Refusal::of("first_reply_id"))?;
        Ok(Commented { comment_id: CommentNumber(id) })
    }
}
