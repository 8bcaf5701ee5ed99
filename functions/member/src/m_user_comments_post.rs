use shared::wire::{
    dialect::B,
    operation::*,
    values::{ArticleNumber, Prose},
};

use crate::shown::TargetType;

/// Comment on a post (document B).
#[derive(Deserialize, JsonSchema)]
pub struct MUserCommentsPost {
    target_id: ArticleNumber,
    target_type: TargetType,
    /// 1 to 1,000 characters.
    content: Prose<1, 1_000>,
}

impl Operation for MUserCommentsPost {
    type Dialect = B;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/m_user/comments");
    const LIMIT: Option<Limit> = Some(Limit::Comments);

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        let Self { target_id, target_type: TargetType::Post, content } = self;
        app.store.publish_comment(caller, target_id.0, &content.0, None).await?;
        Ok(Done {})
    }
}
