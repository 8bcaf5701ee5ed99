use shared::wire::{
    dialect::D,
    operation::*,
    values::{Limit, Offset},
};

use crate::shown::Listed;

/// Read all articles, the newest first (document D).
///
/// A page costs the same at any offset.
#[derive(Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct ArticleList {
    #[serde(default)]
    limit: Limit,
    #[serde(default)]
    offset: Offset<1_000_000_000>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub struct ArticleListPage {
    article_list: Vec<Listed>,
}

impl Operation for ArticleList {
    type Dialect = D;
    type Caller = Reader;
    type Response = ArticleListPage;
    const ROUTE: Route = Route::post("/article_list");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<ArticleListPage, Refusal> {
        let articles = app.store.articles(caller, self.offset.0, self.limit.0).await?;
        Ok(ArticleListPage { article_list: articles.into_iter().map(Listed::from).collect() })
    }
}
