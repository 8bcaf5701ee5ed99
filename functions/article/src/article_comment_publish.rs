use shared::wire::{
    dialect::D,
    operation::*,
    values::{ArticleNumber, CommentNumber, is_not_blank},
};

use crate::shown::Commented;

/// Comment on an article (document D).
#[derive(Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct ArticleCommentPublish {
    article_id: ArticleNumber,
    /// 1 to 1,000 characters.
    #[garde(length(chars, min = 1, max = 1000), custom(is_not_blank))]
    content: String,
}

impl Operation for ArticleCommentPublish {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Commented;
    const ROUTE: Route = Route::post("/article_comment_publish");

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Commented, Refusal> {
        let id = app.store.publish_comment(caller, self.article_id.0, &self.content, None).await?;
        Ok(Commented { comment_id: CommentNumber(id) })
    }
}
