use shared::wire::{dialect::D, operation::*, values::NamedUser};

/// Unfollow a user (document D).
///
/// May be repeated: whom the caller does not follow is fine.
#[derive(Deserialize, JsonSchema)]
pub struct UserUnfollow {
    /// Whom to follow no longer.
    to_uid: NamedUser,
}

impl Operation for UserUnfollow {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/user_unfollow");

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        app.store.unfollow(caller, self.to_uid.0).await?;
        Ok(Done {})
    }
}
