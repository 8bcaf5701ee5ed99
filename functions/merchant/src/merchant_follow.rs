use shared::wire::{dialect::D, operation::*, values::MerchantHex};

/// Follow a merchant (document D). May be repeated. At most 10,000 merchants.
#[derive(Deserialize, JsonSchema)]
pub struct MerchantFollow {
    merchant_id: MerchantHex,
}

impl Operation for MerchantFollow {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/merchant_follow");
    const LIMIT: Option<Limit> = Some(Limit::Follows);

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        app.store.follow(caller, self.merchant_id.0).await?;
        Ok(Done {})
    }
}
