use std::slice;

use shared::{
    domain::{Class, Email, Gender, UploadFault},
    store::Changes,
    wire::{
        dialect::D,
        operation::*,
        values::{Key, is_one_line},
    },
};

/// Change what the caller says of themself (document D).
///
/// What is not sent, or null, stays as it is.
#[derive(Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct MyUserInfoUpdate {
    /// Up to 64 characters.
    #[garde(inner(length(chars, min = 1, max = 64), custom(is_one_line)))]
    #[schemars(length(min = 1, max = 64))]
    nickname: Option<String>,
    /// An image: an id from `get_media_id` under which the caller has uploaded one.
    avatar: Option<Key>,
    /// 1 male, 2 female; 0 forgets it.
    #[garde(range(max = 2))]
    gender: Option<u8>,
    /// Up to 64 characters, or none.
    #[garde(inner(length(chars, max = 64), custom(is_no_block)))]
    #[schemars(length(max = 64))]
    province: Option<String>,
    /// Up to 64 characters, or none.
    #[garde(inner(length(chars, max = 64), custom(is_no_block)))]
    #[schemars(length(max = 64))]
    city: Option<String>,
    /// Milliseconds since 1970, before it negative; from 1900 to now.
    #[garde(range(min = -2_208_988_800_000_i64))]
    birthday: Option<i64>,
    /// It is the account's to log in with; upper and lower case are the same.
    email: Option<String>,
    /// Up to 500 characters, or none.
    #[garde(inner(length(chars, max = 500)))]
    #[schemars(length(max = 500))]
    intro: Option<String>,
}

/// A place may be left empty, which takes it away.
fn is_no_block(place: &str, (): &()) -> garde::Result {
    match place {
        "" => Ok(()),
        place => is_one_line(place, &()),
    }
}

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
        let now = i64::try_from(app.world.now()).unwrap_or(i64::MAX);
        if self.birthday.is_some_and(|birthday| birthday > now) {
            return Err(Refusal::malformed("birthday: has not come yet: send milliseconds since 1970"));
        }
        let email = self.email.as_deref().map(Email::parse).transpose()?;
        let avatar = self.avatar.map(|avatar| avatar.0);
        if let Some(avatar) = &avatar {
            app.own_media(caller, slice::from_ref(avatar), Class::Image, "avatar").await?;
        }
        let changes = Changes {
            nickname: self.nickname,
            gender: match self.gender {
                Some(1) => Some(Gender::Male),
                Some(2) => Some(Gender::Female),
                _ => None,
            },
            no_gender: self.gender == Some(0),
            intro: self.intro,
            // One upload serves for both sizes.
            large_avatar: avatar.clone(),
            avatar,
            province: self.province,
            city: self.city,
            birthday: self.birthday,
            email,
            ..Changes::default()
        };
        app.store.change_profile(caller, changes).await?;
        Ok(Done {})
    }
}
