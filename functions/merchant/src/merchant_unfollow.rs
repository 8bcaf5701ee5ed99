use shared::wire::{dialect::D, operation::*, values::MerchantHex};

/// Unfollow a merchant (document D). One whom the caller does not follow is fine.
#[derive(Deserialize, JsonSchema)]
pub struct MerchantUnfollow {
    merchant_id: MerchantHex,
}

impl Operation for MerchantUnfollow {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/merchant_unfollow");

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        app.store.unfollow(caller, self.merchant_id.0).await?;
        Ok(Done {})
    }
}
