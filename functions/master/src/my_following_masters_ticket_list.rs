use shared::{
    store::{Master, Seen, TicketView},
    wire::{
        dialect::D,
        masters::MasterCard,
        operation::*,
        values::{MediaKey, Page, ProjectNumber, TicketNumber},
    },
};

/// Read the tickets that can be bought of the masters whom the caller follows, the newest first (document D).
///
/// It goes back to the newest 1,000 records that brought tickets. New ones are there within seconds; what was sold or
/// withdrawn, or whose master was unfollowed, is gone at once.
#[derive(Deserialize, JsonSchema)]
pub struct MyFollowingMastersTicketList {
    #[schemars(flatten)]
    page: Page,
}

#[derive(Serialize, JsonSchema)]
pub struct ListedTicket {
    ticket_id: TicketNumber,
    project_id: ProjectNumber,
    name: String,
    image: MediaKey,
    intro: String,
    /// In fen.
    price: u64,
    /// Milliseconds since 1970.
    created_at: u64,
    master: MasterCard,
}

impl From<(TicketView, Seen<Master>)> for ListedTicket {
    fn from((ticket, seen): (TicketView, Seen<Master>)) -> Self {
        let batch = ticket.batch.record;
        Self {
            ticket_id: TicketNumber(ticket.ticket_id),
            project_id: ProjectNumber(batch.project_id),
            name: batch.name,
            image: MediaKey(batch.image),
            intro: batch.intro,
            price: batch.price,
            created_at: ticket.batch.created_at,
            master: seen.content.into(),
        }
    }
}

impl Operation for MyFollowingMastersTicketList {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, Vec<ListedTicket>>;
    const ROUTE: Route = Route::post("/my_following_masters_ticket_list");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let tickets = app.store.followed_tickets(caller, self.page.of()).await?;
        Ok(Named::new(tickets.into_iter().map(ListedTicket::from).collect()))
    }
}
