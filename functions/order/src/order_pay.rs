use shared::wire::{dialect::D, operation::*, values::OrderNumber};

/// Pay for a pending order, so that its tickets are the caller's (document D).
///
/// What is paid already is fine. 402 where the payment is declined: the order is as it was. 503 where the outcome is not
/// known yet: the order neither expires nor can be cancelled meanwhile, and a repeat of this call finds out; nothing is
/// charged twice. 409 where the order is cancelled, or its half hour is over.
#[derive(Deserialize, JsonSchema)]
pub struct OrderPay {
    order_id: OrderNumber,
}

impl Operation for OrderPay {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/order_pay");

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        app.pay_order(caller, self.order_id.0).await?;
        Ok(Done {})
    }
}
