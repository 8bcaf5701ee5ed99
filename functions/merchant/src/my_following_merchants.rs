use shared::wire::{dialect::D, merchants::MerchantCard, operation::*, values::Page};

/// Read which merchants the caller follows, the last followed first (document D).
#[derive(Deserialize, JsonSchema)]
pub struct MyFollowingMerchants {
    #[schemars(flatten)]
    page: Page<100>,
}

impl Operation for MyFollowingMerchants {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, Vec<MerchantCard>>;
    const ROUTE: Route = Route::post("/my_following_merchants");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let merchants = app.store.followed_merchants(caller, self.page.of()).await?;
        Ok(Named::new(merchants.into_iter().map(MerchantCard::from).collect()))
    }
}
