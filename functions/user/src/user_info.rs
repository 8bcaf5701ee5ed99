use shared::{
    domain::PhoneFault,
    wire::{
        dialect::D,
        operation::*,
        users::{PublicProfile, Rank},
        values::{NamedUser, Typed},
    },
};

use crate::shown;

/// Read what everybody may know of a user (document D).
///
/// The user is named by `to_uid` or by a phone that they have proved; with both, `to_uid` counts.
#[derive(Deserialize, JsonSchema)]
pub struct UserInfo {
    to_uid: Option<NamedUser>,
    /// Country code of `phone`, 1 to 3 digits; 86 where there is none and the phone brings none.
    country: Option<Typed>,
    /// In place of `to_uid`. Of country 86: 11 digits that begin with 13 to 19. Elsewhere 5 to 15 digits. `+` and the
    /// country code may stand in front.
    phone: Option<Typed>,
}

#[derive(Serialize, JsonSchema)]
pub struct Seen {
    #[serde(flatten)]
    card: PublicProfile,
    #[serde(flatten)]
    rank: Rank,
    /// How many users they follow.
    follow_count: u64,
    follower_count: u64,
    /// Whether the caller follows them.
    is_follow: bool,
    article_count: u64,
}

impl Operation for UserInfo {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, Seen>;
    const ROUTE: Route = Route::post("/user_info");
    const REFUSES: &'static [Refusal] = &[Refusal::Phone(PhoneFault::China)];

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let user = match (self.to_uid, self.phone) {
            (Some(NamedUser(user)), _) => user,
            (None, Some(phone)) => {
                let phone = shown::phone(self.country.as_ref(), &phone)?;
                app.store.user_of_phone(&phone).await?.ok_or(Refusal::NoSuch(Thing::User))?
            }
            (None, None) => {
                return Err(Refusal::malformed(
                    "to_uid",
                    words!("is missing, and so is phone: send one of them", "to_uid 和 phone 必填其一"),
                ));
            }
        };
        let (profile, counts, is_follow) =
            tokio::try_join!(app.store.profile(user), app.store.counts(user), app.store.is_following(caller, user))?;
        Ok(Named::new(Seen {
            card: profile.ok_or(Refusal::NoSuch(Thing::User))?.into(),
            rank: Rank::default(),
            follow_count: counts.follows,
            follower_count: counts.followers,
            is_follow,
            article_count: counts.articles,
        }))
    }
}
