use std::collections::BTreeSet;

use shared::{
    domain::SubjectKind,
    wire::{
        dialect::D,
        operation::*,
        values::{CommentNumber, OneOrMore},
    },
};

/// Delete comments on games that the caller wrote, at most 100 at a time (document D).
///
/// If one is somebody else's, none is deleted. One that is gone already is fine; so is a comment on something else, which
/// stays.
#[derive(Deserialize, JsonSchema)]
pub struct GameCommentDel {
    /// One or a list.
    comment_id: OneOrMore<CommentNumber, 100>,
}

impl Operation for GameCommentDel {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/game_comment_del");

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        let ids: BTreeSet<_> = self.comment_id.0.into_iter().map(|id| id.0).collect();
        app.store.delete_comments(caller, SubjectKind::Game, &ids).await?;
        Ok(Done {})
    }
}
