use shared::wire::{dialect::D, operation::*, values::Page};

use crate::shown::ListedArticle;

/// Read all articles, the newest first (document D).
///
/// A page costs the same at any offset.
#[derive(Deserialize, JsonSchema)]
pub struct ArticleList {
    #[schemars(flatten)]
    page: Page<20, 1_000_000_000>,
}

impl Operation for ArticleList {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, Vec<ListedArticle>>;
    const ROUTE: Route = Route::post("/article_list");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let articles = app.store.articles(caller, self.page.of()).await?;
        Ok(Named::new(articles.into_iter().map(ListedArticle::from).collect()))
    }
}
