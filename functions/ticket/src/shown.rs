//! Tickets as document D shows them.
use schemars::JsonSchema;
use serde::Serialize;
use shared::{
    store::TicketView,
    wire::values::{MediaKey, TicketNumber},
};

/// A ticket.
#[derive(Serialize, JsonSchema)]
pub struct ShownTicket {
    ticket_id: TicketNumber,
    name: String,
    image: MediaKey,
    intro: String,
    /// In fen.
    price: u64,
    /// Milliseconds since 1970.
    created_at: u64,
}

impl From<TicketView> for ShownTicket {
    fn from(ticket: TicketView) -> Self {
        let batch = ticket.batch.record;
        Self {
            ticket_id: TicketNumber(ticket.ticket_id),
            name: batch.name,
            image: MediaKey(batch.image),
            intro: batch.intro,
            price: batch.price,
            created_at: ticket.batch.created_at,
        }
    }
}
