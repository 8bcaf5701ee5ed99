use shared::wire::{dialect::D, operation::*, values::OrderNumber};

use crate::shown::{PlacedOrder, TicketsToOrder};

/// Order tickets (document D).
///
/// It holds all of them or, with 409, none: where one is sold or held by another order, or the caller's pending orders
/// would hold more than 100. They are held for half an hour, in which the order is paid with `order_pay`; then it counts as
/// cancelled.
#[derive(Deserialize, JsonSchema)]
pub struct OrderCreate {
    #[serde(flatten)]
    #[schemars(flatten)]
    tickets: TicketsToOrder,
}

impl Operation for OrderCreate {
    type Dialect = D;
    type Caller = Buyer;
    type Response = PlacedOrder;
    const ROUTE: Route = Route::post("/order_create");

    async fn handle(self, buyer: Buyer, app: &App) -> Result<PlacedOrder, Refusal> {
        let id = app.store.place_order(buyer.user, &self.tickets.ids()?, false, buyer.key()?).await?;
        Ok(PlacedOrder { order_id: OrderNumber(id) })
    }
}
