use shared::{
    store::Mark,
    wire::{dialect::B, operation::*, values::ArticleNumber},
};

use crate::shown::TargetType;

/// Like a post (document B).
///
/// Once per user; a repeat changes nothing.
#[derive(Deserialize, JsonSchema)]
pub struct MUserLikesPost {
    target_id: ArticleNumber,
    target_type: TargetType,
}

impl Operation for MUserLikesPost {
    type Dialect = B;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/m_user/likes");
    const LIMIT: Option<Limit> = Some(Limit::Marks);

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        let Self { target_id, target_type: TargetType::Post } = self;
        app.store.mark(Mark::Like, caller, target_id.0).await?;
        Ok(Done {})
    }
}
