use shared::{
    store::CartTicket,
    wire::{
        dialect::D,
        operation::*,
        values::{MediaKey, TicketNumber},
    },
};

/// Read the whole shopping cart, what was put in last first (document D).
///
/// Tickets in it may be sold or held by now: whoever orders them is told.
#[derive(Deserialize, JsonSchema)]
pub struct ShoppingCartInfo {}

#[derive(Serialize, JsonSchema)]
pub struct ShownCartTicket {
    ticket_id: TicketNumber,
    ticket_name: String,
    ticket_image: MediaKey,
    ticket_intro: String,
    /// In fen.
    ticket_price: u64,
    /// When it was put in, in milliseconds since 1970.
    created_at: u64,
    /// Milliseconds since 1970.
    updated_at: u64,
}

impl From<CartTicket> for ShownCartTicket {
    fn from(CartTicket { view, added_at }: CartTicket) -> Self {
        let batch = view.batch.record;
        Self {
            ticket_id: TicketNumber(view.ticket_id),
            ticket_name: batch.name,
            ticket_image: MediaKey(batch.image),
            ticket_intro: batch.intro,
            ticket_price: batch.price,
            created_at: added_at,
            updated_at: added_at,
        }
    }
}

impl Operation for ShoppingCartInfo {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, Vec<ShownCartTicket>>;
    const ROUTE: Route = Route::post("/shopping_cart_info");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let tickets = app.store.cart_tickets(caller).await?;
        Ok(Named::new(tickets.into_iter().map(ShownCartTicket::from).collect()))
    }
}
