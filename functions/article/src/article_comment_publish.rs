use shared::wire::{
    comments::Commented,
    dialect::D,
    operation::*,
    values::{ArticleNumber, CommentNumber, Prose},
};

/// Comment on an article (document D).
#[derive(Deserialize, JsonSchema)]
pub struct ArticleCommentPublish {
    article_id: ArticleNumber,
    /// 1 to 1,000 characters.
    content: Prose<1, 1_000>,
}

impl Operation for ArticleCommentPublish {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Commented;
    const ROUTE: Route = Route::post("/article_comment_publish");
    const LIMIT: Option<Limit> = Some(Limit::Comments);

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Commented, Refusal> {
        let id = app.store.publish_comment(caller, self.article_id.0, &self.content.0, None).await?;
        Ok(Commented { comment_id: CommentNumber(id) })
    }
}
