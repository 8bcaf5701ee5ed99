use shared::wire::{dialect::D, operation::*, users::PublicProfile, values::Page};

/// Read who follows the caller, the newest follower first (document D).
#[derive(Deserialize, JsonSchema)]
pub struct MyFollower {
    #[schemars(flatten)]
    page: Page<100>,
}

impl Operation for MyFollower {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, Vec<PublicProfile>>;
    const ROUTE: Route = Route::post("/my_follower");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let followers = app.store.followers(caller, self.page.of()).await?;
        Ok(Named::new(followers.into_iter().map(PublicProfile::from).collect()))
    }
}
