use shared::wire::{dialect::D, operation::*, values::Page};

use crate::shown::Marked;

/// Read the caller's own articles, the newest first (document D).
#[derive(Deserialize, JsonSchema)]
pub struct MyArticleList {
    #[schemars(flatten)]
    page: Page,
}

impl Operation for MyArticleList {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, Vec<Marked>>;
    const ROUTE: Route = Route::post("/my_article_list");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let articles = app.store.own_articles(caller, self.page.of()).await?;
        Ok(Named::new(articles.into_iter().map(Marked::from).collect()))
    }
}
