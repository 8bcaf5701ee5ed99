use shared::wire::{dialect::B, operation::*, values::Prose};

/// Tell the operators something (document B).
#[derive(Deserialize, JsonSchema)]
pub struct MUserFeedbacks {
    /// 1 to 2,000 characters.
    content: Prose<1, 2_000>,
}

impl Operation for MUserFeedbacks {
    type Dialect = B;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/m_user/feedbacks");
    const LIMIT: Option<Limit> = Some(Limit::Feedback);

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        app.store.keep_feedback(caller, &self.content.0).await?;
        Ok(Done {})
    }
}
