//! Orders as document D shows them.
use schemars::JsonSchema;
use serde::Serialize;
use shared::{
    domain::{Millis, Refusal, TicketId},
    store::{Order, OrderStatus},
    wire::values::{List, OrderNumber, TicketNumber, UserHex},
    words,
};

/// An order.
#[derive(Serialize, JsonSchema)]
pub struct ShownOrder {
    order_id: OrderNumber,
    uid: UserHex,
    /// In fen.
    price: u64,
    /// 0 pending: it holds its tickets for half an hour, or while a payment is under way; 1 paid, 2 cancelled, or not
    /// paid in time.
    #[schemars(range(min = 0, max = 2))]
    status: u8,
    /// Milliseconds since 1970.
    created_at: u64,
    /// When its status changed, in milliseconds since 1970.
    updated_at: u64,
}

impl ShownOrder {
    /// As it stands `now`.
    pub fn new(order: &Order, now: Millis) -> Self {
        Self {
            order_id: OrderNumber(order.id),
            uid: UserHex(order.user),
            price: order.price,
            status: match order.status(now) {
                OrderStatus::Pending => 0,
                OrderStatus::Paid => 1,
                OrderStatus::Cancelled => 2,
            },
            created_at: order.created_at,
            updated_at: order.updated_at(now),
        }
    }
}

/// The ids of tickets to order; 400 where one is named twice.
pub fn each_once(tickets: List<TicketNumber, 1, 50>) -> Result<Vec<TicketId>, Refusal> {
    let ids: Vec<_> = tickets.0.into_iter().map(|ticket| ticket.0).collect();
    match (1..ids.len()).any(|at| ids[..at].contains(&ids[at])) {
        true => Err(Refusal::malformed("ticket_id_list", words!("the same ticket twice", "同一张票出现了两次"))),
        false => Ok(ids),
    }
}

/// Names what of a request to order is to blame.
pub fn blame(no: Refusal) -> Refusal {
    let field = if no == Refusal::KeyUsed { "Idempotency-Key" } else { "ticket_id_list" };
    Refusal::of(field)(no)
}

/// What was ordered.
#[derive(Serialize, JsonSchema)]
pub struct PlacedOrder {
    pub order_id: OrderNumber,
}
