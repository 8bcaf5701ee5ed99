use shared::wire::{dialect::D, operation::*};

use crate::shown::Me;

/// Read all that the caller has said of themself, and their counts (document D).
#[derive(Deserialize, JsonSchema, Validate)]
pub struct MyUserInfo {}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Mine {
    my_user_info: Counted,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
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
    type Response = Mine;
    const ROUTE: Route = Route::post("/my_user_info");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Mine, Refusal> {
        let (profile, counts) = tokio::try_join!(app.store.profile(caller), app.store.counts(caller))?;
        let profile = profile.ok_or(Refusal::NotSignedIn)?;
        let phone = app.store.shown_phone(&profile).await?;
        Ok(Mine {
            my_user_info: Counted {
                me: Me::new(profile, phone),
                follow_count: counts.follows,
                follower_count: counts.followers,
                article_count: counts.articles,
            },
        })
    }
}
