use std::collections::BTreeSet;

use shared::{
    domain::SubjectKind,
    wire::{
        dialect::D,
        operation::*,
        values::{CommentNumber, List},
    },
};

/// Delete comments on tickets that the caller wrote, at most 100 at a time (document D).
///
/// If one is somebody else's, none is deleted. One that is gone already is fine; so is a comment on something else, which
/// stays.
#[derive(Deserialize, JsonSchema)]
pub struct TicketCommentDel {
    ticket_comment_id_list: List<CommentNumber, 1, 100>,
}

impl Operation for TicketCommentDel {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/ticket_comment_del");

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        let ids: BTreeSet<_> = self.ticket_comment_id_list.0.into_iter().map(|id| id.0).collect();
        app.store.delete_comments(caller, SubjectKind::Ticket, &ids).await?;
        Ok(Done {})
    }
}
