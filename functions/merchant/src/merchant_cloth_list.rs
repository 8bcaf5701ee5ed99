use shared::{
    store::ClothList,
    wire::{dialect::D, operation::*, values::Page},
};

use crate::shown::ListedCloth;

/// Read all merchants' clothes, the newest first (document D).
#[derive(Deserialize, JsonSchema)]
pub struct MerchantClothList {
    #[schemars(flatten)]
    page: Page,
}

impl Operation for MerchantClothList {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, Vec<ListedCloth>>;
    const ROUTE: Route = Route::post("/merchant_cloth_list");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let cloths = app.store.merchant_cloths(caller, ClothList::Merchants, self.page.of()).await?;
        Ok(Named::new(cloths.into_iter().map(ListedCloth::from).collect()))
    }
}
