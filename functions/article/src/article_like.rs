use shared::{
    store::Mark,
    wire::{dialect::D, operation::*, values::ArticleNumber},
};

/// Like an article (document D). Once per user: a repeat changes nothing.
#[derive(Deserialize, JsonSchema)]
pub struct ArticleLike {
    article_id: ArticleNumber,
}

impl Operation for ArticleLike {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/article_like");
    const LIMIT: Option<Limit> = Some(Limit::Marks);

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        app.store.mark(Mark::Like, caller, self.article_id.0).await?;
        Ok(Done {})
    }
}
