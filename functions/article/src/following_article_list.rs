use shared::wire::{dialect::D, operation::*, values::Page};

use crate::shown::ListedArticle;

/// Read the articles of those whom the caller follows, the newest first (document D).
///
/// It goes back to the newest 1,000. A new article is there within seconds; one that was deleted, or whose author was
/// unfollowed, is gone at once.
#[derive(Deserialize, JsonSchema)]
pub struct FollowingArticleList {
    #[schemars(flatten)]
    page: Page,
}

impl Operation for FollowingArticleList {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, Vec<ListedArticle>>;
    const ROUTE: Route = Route::post("/following_article_list");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let articles = app.store.followed_articles(caller, self.page.of()).await?;
        Ok(Named::new(articles.into_iter().map(ListedArticle::from).collect()))
    }
}
