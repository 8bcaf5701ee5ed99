use shared::wire::{dialect::D, operation::*, values::ClothNumber};

/// Collect a piece of clothing of a merchant's (document D). Once per user: a repeat changes nothing.
#[derive(Deserialize, JsonSchema)]
pub struct MerchantClothCollect {
    cloth_id: ClothNumber,
}

impl Operation for MerchantClothCollect {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/merchant_cloth_collect");
    const LIMIT: Option<Limit> = Some(Limit::Marks);

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        app.store.collect_merchant_cloth(caller, self.cloth_id.0).await?;
        Ok(Done {})
    }
}
