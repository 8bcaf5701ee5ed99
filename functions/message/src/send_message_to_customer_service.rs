use shared::{
    domain::Side,
    wire::{dialect::D, operation::*, values::Prose},
};

use crate::shown::SentMessage;

/// Write to customer service (document D). At most 60 messages a minute, to whomever.
#[derive(Deserialize, JsonSchema)]
pub struct SendMessageToCustomerService {
    /// 1 to 2,000 characters.
    content: Prose<1, 2_000>,
}

impl Operation for SendMessageToCustomerService {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = SentMessage;
    const ROUTE: Route = Route::post("/send_message_to_customer_service");
    const LIMIT: Option<Limit> = Some(Limit::Messages);

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<SentMessage, Refusal> {
        Ok(app.store.send_message(caller, Side::CustomerService, &self.content.0).await?.into())
    }
}
