use shared::wire::{cloths::ShownCloth, dialect::D, operation::*, values::ClothNumber};

use crate::shown::SeenMerchant;

/// Read about a piece of clothing with its merchant (document D).
#[derive(Deserialize, JsonSchema)]
pub struct MerchantClothDetail {
    cloth_id: ClothNumber,
}

#[derive(Serialize, JsonSchema)]
pub struct DetailedCloth {
    #[serde(flatten)]
    cloth: ShownCloth,
    merchant: DetailedMerchant,
}

#[derive(Serialize, JsonSchema)]
pub struct DetailedMerchant {
    #[serde(flatten)]
    merchant: SeenMerchant,
    /// How many follow them.
    follow_count: u64,
}

impl Operation for MerchantClothDetail {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, DetailedCloth>;
    const ROUTE: Route = Route::post("/merchant_cloth_detail");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let (cloth, merchant, follow_count) = app.store.merchant_cloth(caller, self.cloth_id.0).await?;
        let merchant = DetailedMerchant { merchant: merchant.into(), follow_count };
        Ok(Named::new(DetailedCloth { cloth: cloth.into(), merchant }))
    }
}
