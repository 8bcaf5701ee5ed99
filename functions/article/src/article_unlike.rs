use shared::{
    store::Mark,
    wire::{dialect::D, operation::*, values::ArticleNumber},
};

/// Take a like back (document D). One that was never given is fine.
#[derive(Deserialize, JsonSchema)]
pub struct ArticleUnlike {
    article_id: ArticleNumber,
}

impl Operation for ArticleUnlike {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/article_unlike");

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        app.store.unmark(Mark::Like, caller, self.article_id.0).await?;
        Ok(Done {})
    }
}
