use shared::wire::{
    dialect::D,
    operation::*,
    values::{List, OrderNumber, TicketNumber},
};

use crate::shown::{PlacedOrder, blame, each_once};

/// Order tickets that are in the shopping cart, which they leave (document D).
///
/// As `order_create`; 409 also where one is not in the cart.
#[derive(Deserialize, JsonSchema)]
pub struct OrderCreateByShoppingCart {
    /// 1 to 50, each once.
    ticket_id_list: List<TicketNumber, 1, 50>,
}

impl Operation for OrderCreateByShoppingCart {
    type Dialect = D;
    type Caller = Buyer;
    type Response = PlacedOrder;
    const ROUTE: Route = Route::post("/order_create_by_shopping_cart");
    const LIMIT: Option<Limit> = Some(Limit::Orders);

    async fn handle(self, buyer: Buyer, app: &App) -> Result<PlacedOrder, Refusal> {
        let tickets = each_once(self.ticket_id_list)?;
        let placed = app.store.place_order(buyer.user, &tickets, true, buyer.key()?).await;
        Ok(PlacedOrder { order_id: OrderNumber(placed.map_err(blame)?) })
    }
}
