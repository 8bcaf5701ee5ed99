use shared::wire::{
    comments::Commented,
    dialect::D,
    operation::*,
    values::{CommentNumber, Prose, TicketNumber},
};

/// Comment on a ticket (document D).
#[derive(Deserialize, JsonSchema)]
pub struct TicketCommentPublish {
    ticket_id: TicketNumber,
    /// 1 to 1,000 characters.
    content: Prose<1, 1_000>,
}

impl Operation for TicketCommentPublish {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Commented;
    const ROUTE: Route = Route::post("/ticket_comment_publish");
    const LIMIT: Option<Limit> = Some(Limit::Comments);

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Commented, Refusal> {
        let id = app.store.publish_comment(caller, self.ticket_id.0, &self.content.0, None).await?;
        Ok(Commented { comment_id: CommentNumber(id) })
    }
}
