use shared::{
    store::CommentView,
    wire::{
        dialect::D,
        operation::*,
        users::UserBrief,
        values::{CommentNumber, Page, TicketNumber, UserHex},
    },
};

/// Read a ticket's comments, the newest first (document D).
#[derive(Deserialize, JsonSchema)]
pub struct TicketCommentList {
    ticket_id: TicketNumber,
    #[schemars(flatten)]
    page: Page,
}

#[derive(Serialize, JsonSchema)]
pub struct TicketComment {
    ticket_comment_id: CommentNumber,
    uid: UserHex,
    content: String,
    /// Milliseconds since 1970.
    created_at: u64,
    author: UserBrief,
}

impl From<CommentView> for TicketComment {
    fn from(CommentView { comment, author, .. }: CommentView) -> Self {
        Self {
            ticket_comment_id: CommentNumber(comment.id),
            uid: UserHex(comment.user),
            content: comment.content,
            created_at: comment.created_at,
            author: author.into(),
        }
    }
}

impl Operation for TicketCommentList {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, Vec<TicketComment>>;
    const ROUTE: Route = Route::post("/ticket_comment_list");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let comments = app.store.comments(caller, self.ticket_id.0, self.page.of()).await?;
        Ok(Named::new(comments.into_iter().map(TicketComment::from).collect()))
    }
}
