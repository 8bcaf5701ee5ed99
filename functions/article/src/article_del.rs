use std::collections::BTreeSet;

use shared::wire::{
    dialect::D,
    operation::*,
    values::{ArticleNumber, List},
};

/// Delete articles of the caller's with all that hangs on them, at most 100 at a time (document D).
///
/// If one is somebody else's, none is deleted. One that is gone already is fine.
#[derive(Deserialize, JsonSchema)]
pub struct ArticleDel {
    article_id_list: List<ArticleNumber, 1, 100>,
}

impl Operation for ArticleDel {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/article_del");

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        let ids: BTreeSet<_> = self.article_id_list.0.into_iter().map(|id| id.0).collect();
        app.store.delete_articles(caller, &ids).await?;
        Ok(Done {})
    }
}
