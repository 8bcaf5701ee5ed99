use shared::wire::{dialect::D, operation::*, values::ClothNumber};

/// Collect a piece of the design circle's clothes (document D). Once per user: a repeat changes nothing.
#[derive(Deserialize, JsonSchema)]
pub struct DesignCircleClothCollect {
    cloth_id: ClothNumber,
}

impl Operation for DesignCircleClothCollect {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/design_circle_cloth_collect");
    const LIMIT: Option<Limit> = Some(Limit::Marks);

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        app.store.collect_design_circle_cloth(caller, self.cloth_id.0).await?;
        Ok(Done {})
    }
}
