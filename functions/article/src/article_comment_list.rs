use shared::wire::{
    dialect::D,
    operation::*,
    values::{ArticleNumber, Page},
};

use crate::shown::ListedComment;

/// Read an article's comments, the newest first (document D).
#[derive(Deserialize, JsonSchema)]
pub struct ArticleCommentList {
    article_id: ArticleNumber,
    #[schemars(flatten)]
    page: Page,
}

impl Operation for ArticleCommentList {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, Vec<ListedComment>>;
    const ROUTE: Route = Route::post("/article_comment_list");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let comments = app.store.comments(caller, self.article_id.0, self.page.of()).await?;
        let comments = comments.into_iter().map(ListedComment::from);
        Ok(Named::new(comments.collect()))
    }
}
