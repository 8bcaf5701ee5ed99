use shared::{
    store::ClothList,
    wire::{dialect::D, operation::*, values::Page},
};

use crate::{merchant_cloth_list::MerchantClothList, shown::ListedCloth};

/// Read all merchants' clothes, the recommended ones first, then the newest (document D).
#[derive(Deserialize, JsonSchema)]
pub struct MerchantClothRecommendList {
    #[schemars(flatten)]
    page: Page,
}

impl Operation for MerchantClothRecommendList {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<MerchantClothList, Vec<ListedCloth>>;
    const ROUTE: Route = Route::post("/merchant_cloth_recommend_list");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let cloths = app.store.merchant_cloths(caller, ClothList::MerchantsRecommended, self.page.of()).await?;
        Ok(Named::new(cloths.into_iter().map(ListedCloth::from).collect()))
    }
}
