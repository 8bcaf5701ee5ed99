use shared::wire::{dialect::D, operation::*, users::PublicProfile, values::Page};

/// Read whom the caller follows, the last followed first (document D).
#[derive(Deserialize, JsonSchema)]
pub struct MyFollowingUsers {
    #[schemars(flatten)]
    page: Page<100>,
}

impl Operation for MyFollowingUsers {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, Vec<PublicProfile>>;
    const ROUTE: Route = Route::post("/my_following_users");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let followees = app.store.followed_users(caller, self.page.of()).await?;
        Ok(Named::new(followees.into_iter().map(PublicProfile::from).collect()))
    }
}
