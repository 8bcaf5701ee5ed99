use shared::wire::{dialect::D, operation::*, values::OrderNumber};

use crate::shown::{PlacedOrder, TicketsToOrder};

/// Order tickets that are in the shopping cart, which they leave (document D).
///
/// As `order_create`; 409 also where one is not in the cart.
#[derive(Deserialize, JsonSchema)]
pub struct OrderCreateByShoppingCart {
    #[serde(flatten)]
    #[schemars(flatten)]
    tickets: TicketsToOrder,
}

impl Operation for OrderCreateByShoppingCart {
    type Dialect = D;
    type Caller = Buyer;
    type Response = PlacedOrder;
    const ROUTE: Route = Route::post("/order_create_by_shopping_cart");

    async fn handle(self, buyer: Buyer, app: &App) -> Result<PlacedOrder, Refusal> {
        let id = app.store.place_order(buyer.user, &self.tickets.ids()?, true, buyer.key()?).await?;
        Ok(PlacedOrder { order_id: OrderNumber(id) })
    }
}
