use shared::wire::{
    dialect::D,
    operation::*,
    users::Card,
    values::{Limit, Offset},
};

/// Read whom the caller follows, the last followed first (document D).
#[derive(Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct MyFollowingUsers {
    #[serde(default)]
    limit: Limit<100>,
    #[serde(default)]
    offset: Offset,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Followees {
    my_following_users: Vec<Card>,
}

impl Operation for MyFollowingUsers {
    type Dialect = D;
    type Caller = Reader;
    type Response = Followees;
    const ROUTE: Route = Route::post("/my_following_users");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Followees, Refusal> {
        let followees = app.store.followed_users(caller, self.offset.0, self.limit.0).await?;
        Ok(Followees { my_following_users: followees.into_iter().map(Card::from).collect() })
    }
}
