use shared::wire::{dialect::D, operation::*, values::NamedUser};

/// Follow a user: their articles come into `following_article_list` (document D).
///
/// May be repeated. At most 10,000 users. What they have published before comes within seconds, too.
#[derive(Deserialize, JsonSchema)]
pub struct UserFollow {
    /// Whom to follow; not oneself.
    to_uid: NamedUser,
}

impl Operation for UserFollow {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/user_follow");
    const LIMIT: Option<Limit> = Some(Limit::Follows);

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        let NamedUser(to) = self.to_uid;
        if to == caller {
            return Err(Refusal::malformed(
                "to_uid",
                words!("is your own: nobody follows themself", "是你自己：不能关注自己"),
            ));
        }
        app.store.follow(caller, to).await?;
        Ok(Done {})
    }
}
