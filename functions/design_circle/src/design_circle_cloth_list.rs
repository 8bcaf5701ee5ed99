use shared::{
    store::ClothList,
    wire::{cloths::ShownCloth, dialect::D, operation::*, values::Page},
};

/// Read the design circle's clothes, the newest first (document D).
#[derive(Deserialize, JsonSchema)]
pub struct DesignCircleClothList {
    #[schemars(flatten)]
    page: Page,
}

impl Operation for DesignCircleClothList {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, Vec<ShownCloth>>;
    const ROUTE: Route = Route::post("/design_circle_cloth_list");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let cloths = app.store.cloths(caller, ClothList::DesignCircle, self.page.of()).await?;
        Ok(Named::new(cloths.into_iter().map(ShownCloth::from).collect()))
    }
}
