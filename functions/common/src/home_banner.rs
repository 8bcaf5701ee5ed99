use shared::{
    store::Place,
    wire::{
        dialect::D,
        operation::*,
        values::{Key, Limit, Offset},
    },
};

/// List the banners of the start page (document D), the highest id first.
#[derive(Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct HomeBanner {
    #[serde(default)]
    limit: Limit<100>,
    #[serde(default)]
    offset: Offset,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Banners {
    home_banner: Vec<Shown>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Shown {
    banner_id: u64,
    image: Key,
    /// Where it leads.
    url: String,
}

impl Operation for HomeBanner {
    type Dialect = D;
    type Caller = Reader;
    type Response = Banners;
    const ROUTE: Route = Route::post("/home_banner");

    async fn handle(self, Reader(_): Reader, app: &App) -> Result<Banners, Refusal> {
        let banners = app.store.banners(Place::Home, self.offset.0, self.limit.0).await?;
        let shown = banners.into_iter().map(|banner| Shown {
            banner_id: banner.banner_id,
            image: Key(banner.image),
            url: banner.url,
        });
        Ok(Banners { home_banner: shown.collect() })
    }
}
