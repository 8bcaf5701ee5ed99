use shared::wire::{dialect::B, operation::*, values::is_not_blank};

/// Tell the operators something (document B).
#[derive(Deserialize, JsonSchema, Validate)]
pub struct MUserFeedbacks {
    /// 1 to 2,000 characters.
    #[garde(length(chars, min = 1, max = 2000), custom(is_not_blank))]
    content: String,
}

impl Operation for MUserFeedbacks {
    type Dialect = B;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/m_user/feedbacks");

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        app.store.keep_feedback(caller, &self.content).await?;
        Ok(Done {})
    }
}
