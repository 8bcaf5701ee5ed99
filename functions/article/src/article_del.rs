use std::collections::BTreeSet;

use shared::wire::{dialect::D, operation::*, values::ArticleNumber};

/// Delete articles of the caller's with all that hangs on them, at most 100 at a time (document D).
///
/// If one is somebody else's, none is deleted. One that is gone already is fine.
#[derive(Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct ArticleDel {
    #[garde(length(min = 1, max = 100))]
    article_id_list: Vec<ArticleNumber>,
}

impl Operation for ArticleDel {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/article_del");

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        let ids: BTreeSet<_> = self.article_id_list.into_iter().map(|id| id.0).collect();
        app.store.delete_articles(caller, &ids).await?;
        Ok(Done {})
    }
}
