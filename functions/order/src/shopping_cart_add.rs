use shared::wire::{dialect::D, operation::*, values::TicketNumber};

/// Put a ticket into the shopping cart (document D).
///
/// It is not held for the caller. One that is in the cart stays there. 409 where it is sold, or the cart has 100.
#[derive(Deserialize, JsonSchema)]
pub struct ShoppingCartAdd {
    ticket_id: TicketNumber,
}

impl Operation for ShoppingCartAdd {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/shopping_cart_add");

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        app.store.add_to_cart(caller, self.ticket_id.0).await?;
        Ok(Done {})
    }
}
