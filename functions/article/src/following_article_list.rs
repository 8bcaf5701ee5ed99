use shared::wire::{
    dialect::D,
    operation::*,
    values::{Limit, Offset},
};

use crate::shown::Listed;

/// Read the articles of those whom the caller follows, the newest first (document D).
///
/// It goes back to the newest 1,000. A new article is there within seconds; one that was deleted, or whose author was
/// unfollowed, is gone at once.
#[derive(Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct FollowingArticleList {
    #[serde(default)]
    limit: Limit,
    #[serde(default)]
    offset: Offset,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub struct FollowingArticleListPage {
    following_article_list: Vec<Listed>,
}

impl Operation for FollowingArticleList {
    type Dialect = D;
    type Caller = Reader;
    type Response = FollowingArticleListPage;
    const ROUTE: Route = Route::post("/following_article_list");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<FollowingArticleListPage, Refusal> {
        let articles = app.store.followed_articles(caller, self.offset.0, self.limit.0).await?;
        Ok(FollowingArticleListPage { following_article_list: articles.into_iter().map(Listed::from).collect() })
    }
}
