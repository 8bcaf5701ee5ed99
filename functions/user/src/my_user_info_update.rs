use std::slice;

use shared::{
    domain::{Email, Gender, MediaClass, UploadFault},
    store::Changes,
    wire::{
        dialect::D,
        operation::*,
        values::{Line, MediaKey, Nickname, Prose, Typed, Whole},
    },
};

/// Change what the caller says of themself (document D).
///
/// What is not sent, or null, stays as it is.
#[derive(Deserialize, JsonSchema)]
pub struct MyUserInfoUpdate {
    /// Up to 64 characters.
    nickname: Option<Nickname>,
    /// An image: an id from `get_media_id` under which the caller has uploaded one.
    avatar: Option<MediaKey>,
    /// 1 male, 2 female; 0 forgets it.
    gender: Option<Whole<u8, 0, 2>>,
    /// Up to 64 characters, or none.
    province: Option<Line<0, 64>>,
    /// Up to 64 characters, or none.
    city: Option<Line<0, 64>>,
    /// Milliseconds since 1970, before it negative; from 1900 to now.
    birthday: Option<Whole<i64, YEAR_1900, YEAR_10000>>,
    /// It is the account's to log in with; upper and lower case are the same.
    email: Option<Typed>,
    /// Up to 500 characters, or none.
    intro: Option<Prose<0, 500>>,
}

const YEAR_1900: i64 = -2_208_988_800_000;
const YEAR_10000: i64 = 253_402_300_800_000;

impl Operation for MyUserInfoUpdate {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/my_user_info_update");
    const REFUSES: &'static [Refusal] = &[
        Refusal::Upload("avatar", UploadFault::NoPicture),
        Refusal::Upload("avatar", UploadFault::TooLarge),
        Refusal::EmailTaken,
    ];

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        let now = i64::try_from(app.system.now()).unwrap_or(i64::MAX);
        if self.birthday.is_some_and(|birthday| birthday.0 > now) {
            return Err(Refusal::malformed(
                "birthday",
                words!("has not come yet: send milliseconds since 1970", "尚未到来：应为 1970 年以来的毫秒数"),
            ));
        }
        let email = self.email.map(|email| Email::parse(&email.0)).transpose()?;
        let avatar = self.avatar.map(|avatar| avatar.0);
        if let Some(avatar) = &avatar {
            app.own_media(caller, slice::from_ref(avatar), MediaClass::Image, "avatar").await?;
        }
        let changes = Changes {
            nickname: self.nickname.map(|text| text.0),
            gender: match self.gender {
                Some(Whole(1)) => Some(Gender::Male),
                Some(Whole(2)) => Some(Gender::Female),
                _ => None,
            },
            no_gender: matches!(self.gender, Some(Whole(0))),
            intro: self.intro.map(|text| text.0),
            // One upload serves for both sizes.
            large_avatar: avatar.clone(),
            avatar,
            province: self.province.map(|text| text.0),
            city: self.city.map(|text| text.0),
            birthday: self.birthday.map(|birthday| birthday.0),
            email,
            ..Changes::default()
        };
        app.store.change_profile(caller, changes).await?;
        Ok(Done {})
    }
}
