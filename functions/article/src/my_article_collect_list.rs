use shared::wire::{
    dialect::D,
    operation::*,
    values::{Limit, Offset},
};

use crate::shown::Body;

/// Read the articles that the caller collected, the last collected first (document D).
///
/// Deleted ones are left out.
#[derive(Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct MyArticleCollectList {
    #[serde(default)]
    limit: Limit<100>,
    #[serde(default)]
    offset: Offset,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub struct MyArticleCollectListPage {
    my_article_collect_list: Vec<Body>,
}

impl Operation for MyArticleCollectList {
    type Dialect = D;
    type Caller = Reader;
    type Response = MyArticleCollectListPage;
    const ROUTE: Route = Route::post("/my_article_collect_list");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<MyArticleCollectListPage, Refusal> {
        let articles = app.store.collected_articles(caller, self.offset.0, self.limit.0).await?;
        Ok(MyArticleCollectListPage { my_article_collect_list: articles.into_iter().map(Body::from).collect() })
    }
}
