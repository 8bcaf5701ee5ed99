use shared::wire::{
    dialect::D,
    operation::*,
    users::Card,
    values::{Limit, Offset},
};

/// Read who follows the caller, the newest follower first (document D).
#[derive(Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct MyFollower {
    #[serde(default)]
    limit: Limit<100>,
    #[serde(default)]
    offset: Offset,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Followers {
    my_follower: Vec<Card>,
}

impl Operation for MyFollower {
    type Dialect = D;
    type Caller = Reader;
    type Response = Followers;
    const ROUTE: Route = Route::post("/my_follower");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Followers, Refusal> {
        let followers = app.store.followers(caller, self.offset.0, self.limit.0).await?;
        Ok(Followers { my_follower: followers.into_iter().map(Card::from).collect() })
    }
}
