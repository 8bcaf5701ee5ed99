use shared::wire::{
    dialect::D,
    operation::*,
    values::{List, OrderNumber, TicketNumber},
};

use crate::shown::{PlacedOrder, blame, each_once};

/// Order tickets (document D).
///
/// It holds all of them or, with 409, none: where one is sold or held by another order, or the caller's pending orders
/// would hold more than 100. They are held for half an hour, in which the order is paid with `order_pay`; then it counts as
/// cancelled.
#[derive(Deserialize, JsonSchema)]
pub struct OrderCreate {
    /// 1 to 50, each once.
    ticket_id_list: List<TicketNumber, 1, 50>,
}

impl Operation for OrderCreate {
    type Dialect = D;
    type Caller = Buyer;
    type Response = PlacedOrder;
    const ROUTE: Route = Route::post("/order_create");
    const LIMIT: Option<Limit> = Some(Limit::Orders);

    async fn handle(self, buyer: Buyer, app: &App) -> Result<PlacedOrder, Refusal> {
        let tickets = each_once(self.ticket_id_list)?;
        let placed = app.store.place_order(buyer.user, &tickets, false, buyer.key()?).await;
        Ok(PlacedOrder { order_id: OrderNumber(placed.map_err(blame)?) })
    }
}
