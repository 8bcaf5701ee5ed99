use shared::{
    store::Place,
    wire::{banners::ShownBanner, dialect::D, operation::*, values::Page},
};

/// List the banners of the design circle (document D), the highest id first.
#[derive(Deserialize, JsonSchema)]
pub struct DesignCircleBanner {
    #[schemars(flatten)]
    page: Page<100>,
}

impl Operation for DesignCircleBanner {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, Vec<ShownBanner>>;
    const ROUTE: Route = Route::post("/design_circle_banner");

    async fn handle(self, Reader(_): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let banners = app.store.banners(Place::DesignCircle, self.page.of()).await?;
        Ok(Named::new(banners.into_iter().map(ShownBanner::from).collect()))
    }
}
