use shared::{
    store::Place,
    wire::{banners::ShownBanner, dialect::D, operation::*, values::Page},
};

/// List the banners of the tickets (document D), the highest id first.
#[derive(Deserialize, JsonSchema)]
pub struct TicketBanner {
    #[schemars(flatten)]
    page: Page<100>,
}

impl Operation for TicketBanner {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, Vec<ShownBanner>>;
    const ROUTE: Route = Route::post("/ticket_banner");

    async fn handle(self, Reader(_): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let banners = app.store.banners(Place::Ticket, self.page.of()).await?;
        Ok(Named::new(banners.into_iter().map(ShownBanner::from).collect()))
    }
}
