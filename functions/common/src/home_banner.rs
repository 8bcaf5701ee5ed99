use shared::{
    store::Place,
    wire::{
        dialect::D,
        operation::*,
        values::{MediaKey, Page},
    },
};

/// List the banners of the start page (document D), the highest id first.
#[derive(Deserialize, JsonSchema)]
pub struct HomeBanner {
    #[schemars(flatten)]
    page: Page<100>,
}

#[derive(Serialize, JsonSchema)]
pub struct ShownBanner {
    banner_id: u64,
    image: MediaKey,
    /// Where it leads.
    url: String,
}

impl Operation for HomeBanner {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, Vec<ShownBanner>>;
    const ROUTE: Route = Route::post("/home_banner");

    async fn handle(self, Reader(_): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let banners = app.store.banners(Place::Home, self.page.of()).await?;
        let shown = banners.into_iter().map(|banner| ShownBanner {
            banner_id: banner.banner_id,
            image: MediaKey(banner.image),
            url: banner.url,
        });
        Ok(Named::new(shown.collect()))
    }
}
