use shared::wire::{
    dialect::D,
    operation::*,
    values::{OrderNumber, TicketNumber},
};

use crate::shown::ShownOrder;

/// Read an order of the caller's with its tickets (document D).
#[derive(Deserialize, JsonSchema)]
pub struct OrderDetail {
    order_id: OrderNumber,
}

#[derive(Serialize, JsonSchema)]
pub struct DetailedOrder {
    #[serde(flatten)]
    order: ShownOrder,
    order_item_list: Vec<ShownItem>,
}

/// A ticket of an order.
#[derive(Serialize, JsonSchema)]
pub struct ShownItem {
    ticket_id: TicketNumber,
    /// In fen, when it was ordered.
    price: u64,
    /// Milliseconds since 1970.
    created_at: u64,
    /// Milliseconds since 1970.
    updated_at: u64,
}

impl Operation for OrderDetail {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, DetailedOrder>;
    const ROUTE: Route = Route::post("/order_detail");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let (order, items) = app.store.order(caller, self.order_id.0).await?;
        let now = app.system.now();
        let (created_at, updated_at) = (order.created_at, order.updated_at(now));
        let shown = |item: shared::store::OrderItem| {
            let (ticket_id, price) = (TicketNumber(item.ticket), item.price);
            ShownItem { ticket_id, price, created_at, updated_at }
        };
        let order_item_list = items.into_iter().map(shown).collect();
        Ok(Named::new(DetailedOrder { order: ShownOrder::new(&order, now), order_item_list }))
    }
}
