use shared::{
    store::Mark,
    wire::{dialect::D, operation::*, values::ArticleNumber},
};

/// Take an article out of the collection (document D). One that is not in it is fine.
#[derive(Deserialize, JsonSchema)]
pub struct ArticleUncollect {
    article_id: ArticleNumber,
}

impl Operation for ArticleUncollect {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/article_uncollect");

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        app.store.unmark(Mark::Collect, caller, self.article_id.0).await?;
        Ok(Done {})
    }
}
