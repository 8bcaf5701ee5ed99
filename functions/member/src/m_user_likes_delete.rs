use shared::{
    store::Mark,
    wire::{dialect::B, operation::*, values::ArticleNumber},
};

use crate::shown::TargetType;

/// Take a like back (document B).
///
/// One that was never given is fine. The fields are a body or, without one, the query.
#[derive(Deserialize, JsonSchema)]
pub struct MUserLikesDelete {
    target_id: ArticleNumber,
    target_type: TargetType,
}

impl Operation for MUserLikesDelete {
    type Dialect = B;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::delete("/m_user/likes");

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        let Self { target_id, target_type: TargetType::Post } = self;
        app.store.unmark(Mark::Like, caller, target_id.0).await?;
        Ok(Done {})
    }
}
