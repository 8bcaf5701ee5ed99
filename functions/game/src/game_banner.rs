use shared::{
    store::Place,
    wire::{banners::ShownBanner, dialect::D, operation::*, values::Page},
};

/// List the banners of the games (document D), the highest id first.
#[derive(Deserialize, JsonSchema)]
pub struct GameBanner {
    #[schemars(flatten)]
    page: Page<100>,
}

#[derive(Serialize, JsonSchema)]
pub struct ShownBanners {
    /// The same under the name that the document gives.
    design_circle_banner: Vec<ShownBanner>,
    game_banner: Vec<ShownBanner>,
}

impl Operation for GameBanner {
    type Dialect = D;
    type Caller = Reader;
    type Response = ShownBanners;
    const ROUTE: Route = Route::post("/game_banner");

    async fn handle(self, Reader(_): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let banners = app.store.banners(Place::Game, self.page.of()).await?;
        let banners: Vec<_> = banners.into_iter().map(ShownBanner::from).collect();
        Ok(ShownBanners { design_circle_banner: banners.clone(), game_banner: banners })
    }
}
