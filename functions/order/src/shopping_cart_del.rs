use shared::wire::{dialect::D, operation::*, values::TicketNumber};

/// Take a ticket out of the shopping cart (document D). One that is not there is fine.
#[derive(Deserialize, JsonSchema)]
pub struct ShoppingCartDel {
    ticket_id: TicketNumber,
}

impl Operation for ShoppingCartDel {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/shopping_cart_del");

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        app.store.remove_from_cart(caller, self.ticket_id.0).await?;
        Ok(Done {})
    }
}
