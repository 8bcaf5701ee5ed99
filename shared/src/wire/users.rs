//! Users as document D shows them.
use schemars::JsonSchema;
use serde::Serialize;

use super::values::{MediaKey, UserHex};
use crate::{domain::Gender, store::Profile};

/// Who wrote, likes or collected something.
#[derive(Serialize, JsonSchema)]
pub struct UserBrief {
    pub uid: UserHex,
    pub nickname: String,
    pub avatar: Option<MediaKey>,
}

impl From<Profile> for UserBrief {
    fn from(user: Profile) -> Self {
        Self { uid: UserHex(user.id), nickname: user.nickname, avatar: user.avatar.map(MediaKey) }
    }
}

/// What everybody may know of a user.
#[derive(Serialize, JsonSchema)]
pub struct PublicProfile {
    #[serde(flatten)]
    pub face: UserBrief,
    /// 0 unknown, 1 male, 2 female.
    pub gender: u8,
    /// The country code of the user's phone.
    pub country: Option<String>,
    pub province: Option<String>,
    pub city: Option<String>,
    /// Milliseconds since 1970.
    pub birthday: Option<i64>,
    pub intro: Option<String>,
    /// Milliseconds since 1970.
    pub created_at: u64,
}

impl From<Profile> for PublicProfile {
    fn from(mut user: Profile) -> Self {
        Self {
            gender: match user.gender {
                None => 0,
                Some(Gender::Male) => 1,
                Some(Gender::Female) => 2,
            },
            country: user.phone.as_ref().map(|phone| phone.country().to_owned()),
            province: user.province.take(),
            city: user.city.take(),
            birthday: user.birthday,
            intro: user.intro.take(),
            created_at: user.created_at,
            face: user.into(),
        }
    }
}

/// Where a user stands. Nothing raises it yet.
#[derive(Default, Serialize, JsonSchema)]
pub struct Rank {
    /// 0 for a new user.
    score: u32,
    /// 0 for a new user.
    level: u32,
    /// 0 for a new user.
    exp: u32,
}
