use shared::{
    store::{CommentView, TicketView},
    wire::{
        dialect::D,
        operation::*,
        users::{PublicProfile, Rank},
        values::{CommentNumber, Page},
    },
};

use crate::shown::ShownTicket;

/// Read the tickets that are talked about, the last commented first, each with its last comment (document D).
#[derive(Deserialize, JsonSchema)]
pub struct TicketCircle {
    #[schemars(flatten)]
    page: Page<100>,
}

#[derive(Serialize, JsonSchema)]
pub struct Talk {
    ticket: ShownTicket,
    last_comment: LastComment,
}

#[derive(Serialize, JsonSchema)]
struct LastComment {
    comment_id: CommentNumber,
    content: String,
    /// Milliseconds since 1970.
    created_at: u64,
    author: Author,
}

#[derive(Serialize, JsonSchema)]
struct Author {
    #[serde(flatten)]
    card: PublicProfile,
    #[serde(flatten)]
    rank: Rank,
}

impl From<CommentView> for LastComment {
    fn from(CommentView { comment, author, .. }: CommentView) -> Self {
        Self {
            comment_id: CommentNumber(comment.id),
            content: comment.content,
            created_at: comment.created_at,
            author: Author { card: author.into(), rank: Rank::default() },
        }
    }
}

impl Operation for TicketCircle {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, Vec<Talk>>;
    const ROUTE: Route = Route::post("/ticket_circle");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let circle = app.store.ticket_circle(caller, self.page.of()).await?;
        let talk =
            |(ticket, comment): (TicketView, CommentView)| Talk { ticket: ticket.into(), last_comment: comment.into() };
        Ok(Named::new(circle.into_iter().map(talk).collect()))
    }
}
