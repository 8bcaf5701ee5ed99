use shared::wire::{dialect::D, masters::MasterCard, operation::*, values::Page};

/// Read which masters the caller follows, the last followed first (document D).
#[derive(Deserialize, JsonSchema)]
pub struct MyFollowingMasters {
    #[schemars(flatten)]
    page: Page<100>,
}

impl Operation for MyFollowingMasters {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, Vec<MasterCard>>;
    const ROUTE: Route = Route::post("/my_following_masters");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let masters = app.store.followed_masters(caller, self.page.of()).await?;
        Ok(Named::new(masters.into_iter().map(MasterCard::from).collect()))
    }
}
