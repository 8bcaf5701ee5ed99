use shared::wire::{
    dialect::D,
    operation::*,
    values::{ArticleNumber, Limit, Offset},
};

use crate::shown::ListedComment;

/// Read an article's comments, the newest first (document D).
#[derive(Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct ArticleCommentList {
    article_id: ArticleNumber,
    #[serde(default)]
    limit: Limit,
    #[serde(default)]
    offset: Offset,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub struct ArticleCommentListPage {
    article_comment_list: Vec<ListedComment>,
}

impl Operation for ArticleCommentList {
    type Dialect = D;
    type Caller = Reader;
    type Response = ArticleCommentListPage;
    const ROUTE: Route = Route::post("/article_comment_list");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<ArticleCommentListPage, Refusal> {
        let (article, offset, limit) = (self.article_id.0, self.offset.0, self.limit.0);
        let comments = app.store.comments(caller, article, offset, limit).await?;
        let comments = comments.into_iter().map(ListedComment::from);
        Ok(ArticleCommentListPage { article_comment_list: comments.collect() })
    }
}
