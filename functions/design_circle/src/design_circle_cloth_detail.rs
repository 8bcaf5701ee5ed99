use shared::wire::{cloths::ShownCloth, dialect::D, operation::*, values::ClothNumber};

/// Read a piece of the design circle's clothes (document D).
#[derive(Deserialize, JsonSchema)]
pub struct DesignCircleClothDetail {
    cloth_id: ClothNumber,
}

#[derive(Serialize, JsonSchema)]
pub struct DetailedCloth {
    #[serde(flatten)]
    cloth: ShownCloth,
    designer_intro: String,
}

impl Operation for DesignCircleClothDetail {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, DetailedCloth>;
    const ROUTE: Route = Route::post("/design_circle_cloth_detail");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let mut seen = app.store.design_circle_cloth(caller, self.cloth_id.0).await?;
        let designer_intro = std::mem::take(&mut seen.cloth.record.designer_intro);
        Ok(Named::new(DetailedCloth { designer_intro, cloth: seen.into() }))
    }
}
