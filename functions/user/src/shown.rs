//! Users as this function shows them, beside what `wire::users` has.
use schemars::JsonSchema;
use serde::Serialize;
use shared::{
    App,
    domain::{Phone, Refusal},
    store::{LoggedIn, Profile},
    wire::{
        users::{PublicProfile, Rank},
        values::{Typed, UserHex},
    },
};

/// The phone that a request names.
pub fn phone(country: Option<&Typed>, phone: &Typed) -> Result<Phone, Refusal> {
    Phone::of(country.map(|country| country.0.as_str()), &phone.0)
}

/// The caller, as only they see themself.
#[derive(Serialize, JsonSchema)]
pub struct Me {
    #[serde(flatten)]
    card: PublicProfile,
    /// The number without its country code.
    phone: Option<String>,
    email: Option<String>,
    /// 0: no other category is there yet.
    category: u8,
    /// 0: no other status is there yet.
    status: u8,
    #[serde(flatten)]
    rank: Rank,
    /// Null: nobody has one yet.
    invitation_code: Option<String>,
    /// Null: nobody is invited yet.
    inviter: Option<UserHex>,
}

impl Me {
    /// `phone` is the one that is shown, proved or not.
    pub fn new(profile: Profile, phone: Option<Phone>) -> Self {
        let email = profile.email.as_ref().map(|email| email.as_str().to_owned());
        let mut card = PublicProfile::from(profile);
        card.country = phone.as_ref().map(|phone| phone.country().to_owned());
        let phone = phone.map(|phone| phone.number().to_owned());
        let (rank, invitation_code, inviter) = Default::default();
        Self { card, phone, email, category: 0, status: 0, rank, invitation_code, inviter }
    }
}

/// A token, and whose it is: what login and signup answer.
#[derive(Serialize, JsonSchema)]
pub struct Welcome {
    /// Send it as `token` from now on. It ends after 30 days.
    token: String,
    uid: UserHex,
    my_user_info: Me,
}

impl Welcome {
    pub async fn new(user: LoggedIn, app: &App) -> Result<Self, Refusal> {
        let (token, _) = app.new_token(&user)?;
        let phone = app.store.shown_phone(&user.profile).await?;
        Ok(Self { token, uid: UserHex(user.profile.id), my_user_info: Me::new(user.profile, phone) })
    }
}
