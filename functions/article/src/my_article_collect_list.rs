use shared::wire::{dialect::D, operation::*, values::Page};

use crate::shown::Body;

/// Read the articles that the caller collected, the last collected first (document D).
///
/// Deleted ones are left out.
#[derive(Deserialize, JsonSchema)]
pub struct MyArticleCollectList {
    #[schemars(flatten)]
    page: Page<100>,
}

impl Operation for MyArticleCollectList {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, Vec<Body>>;
    const ROUTE: Route = Route::post("/my_article_collect_list");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let articles = app.store.collected_articles(caller, self.page.of()).await?;
        Ok(Named::new(articles.into_iter().map(Body::from).collect()))
    }
}
