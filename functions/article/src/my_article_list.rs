use shared::wire::{
    dialect::D,
    operation::*,
    values::{Limit, Offset},
};

use crate::shown::Marked;

/// Read the caller's own articles, the newest first (document D).
#[derive(Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct MyArticleList {
    #[serde(default)]
    limit: Limit,
    #[serde(default)]
    offset: Offset,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub struct MyArticleListPage {
    my_article_list: Vec<Marked>,
}

impl Operation for MyArticleList {
    type Dialect = D;
    type Caller = Reader;
    type Response = MyArticleListPage;
    const ROUTE: Route = Route::post("/my_article_list");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<MyArticleListPage, Refusal> {
        let articles = app.store.own_articles(caller, self.offset.0, self.limit.0).await?;
        Ok(MyArticleListPage { my_article_list: articles.into_iter().map(Marked::from).collect() })
    }
}
