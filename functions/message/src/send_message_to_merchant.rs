use shared::wire::{
    dialect::D,
    operation::*,
    values::{MerchantHex, Prose},
};

use crate::shown::SentMessage;

/// Write to a merchant (document D). At most 60 messages a minute, to whomever.
#[derive(Deserialize, JsonSchema)]
pub struct SendMessageToMerchant {
    merchant_id: MerchantHex,
    /// 1 to 2,000 characters.
    content: Prose<1, 2_000>,
}

impl Operation for SendMessageToMerchant {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = SentMessage;
    const ROUTE: Route = Route::post("/send_message_to_merchant");
    const LIMIT: Option<Limit> = Some(Limit::Messages);

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<SentMessage, Refusal> {
        Ok(app.store.send_message(caller, self.merchant_id.0.into(), &self.content.0).await?.into())
    }
}
