use shared::wire::{dialect::D, operation::*};

use crate::shown::Me;

/// Read all that the caller has said of themself, and their counts (document D).
#[derive(Deserialize, JsonSchema)]
pub struct MyUserInfo {}

#[derive(Serialize, JsonSchema)]
pub struct Counted {
    #[serde(flatten)]
    me: Me,
    /// How many users the caller follows.
    follow_count: u64,
    follower_count: u64,
    article_count: u64,
}

impl Operation for MyUserInfo {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, Counted>;
    const ROUTE: Route = Route::post("/my_user_info");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let (profile, counts) = tokio::try_join!(app.store.profile(caller), app.store.counts(caller))?;
        let profile = profile.ok_or(Refusal::NotSignedIn)?;
        let phone = app.store.shown_phone(&profile).await?;
        Ok(Named::new(Counted {
            me: Me::new(profile, phone),
            follow_count: counts.follows,
            follower_count: counts.followers,
            article_count: counts.articles,
        }))
    }
}
