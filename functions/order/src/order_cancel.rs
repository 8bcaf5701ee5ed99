use shared::wire::{dialect::D, operation::*, values::OrderNumber};

/// Cancel a pending order, so that its tickets are free (document D).
///
/// What is cancelled already is fine. 409 where it is paid, or a payment for it is under way.
#[derive(Deserialize, JsonSchema)]
pub struct OrderCancel {
    order_id: OrderNumber,
}

impl Operation for OrderCancel {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/order_cancel");

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        app.store.cancel_order(caller, self.order_id.0).await?;
        Ok(Done {})
    }
}
