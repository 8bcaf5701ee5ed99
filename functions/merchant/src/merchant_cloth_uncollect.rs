use shared::{
    store::Mark,
    wire::{dialect::D, operation::*, values::ClothNumber},
};

/// Take a piece of clothing out of the collection (document D). One that is not in it is fine.
#[derive(Deserialize, JsonSchema)]
pub struct MerchantClothUncollect {
    cloth_id: ClothNumber,
}

impl Operation for MerchantClothUncollect {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/merchant_cloth_uncollect");

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        app.store.unmark(Mark::Collect, caller, self.cloth_id.0).await?;
        Ok(Done {})
    }
}
