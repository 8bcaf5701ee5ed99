//! Members as document B shows them, and what several of its requests bring.
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use shared::{
    App,
    domain::{Degree, Gender, Job, Marriage, MediaId, OnlinePeriod, Refusal, SexAttitude, UserId},
    store::{LoggedIn, Profile},
    wire::{
        fields::complaint,
        values::{MediaKey, UserHex},
    },
    words,
};

/// Who it is.
#[derive(Serialize, JsonSchema)]
pub struct MemberBrief {
    id: UserHex,
    nickname: String,
    /// In years.
    age: Option<u8>,
    /// The avatar's key.
    icon: Option<MediaKey>,
}

/// What a member says of themself.
#[derive(Serialize, JsonSchema)]
pub struct Traits {
    /// Null where the member has not said.
    gender: Option<Gender>,
    signature: Option<String>,
    sex_attitude: Option<SexAttitude>,
    job: Option<Job>,
    degree: Option<Degree>,
    marriage: Option<Marriage>,
    online_period: Option<OnlinePeriod>,
    video_price: Option<u32>,
    audio_price: Option<u32>,
}

#[derive(Serialize, JsonSchema)]
pub struct Vip {
    is_vip: bool,
    /// Whole days, rounded up.
    vip_left: u64,
}

/// What everybody may know of a member; the last two fields are for themself alone.
#[derive(Serialize, JsonSchema)]
pub struct MemberProfile {
    #[serde(flatten)]
    face: MemberBrief,
    #[serde(flatten)]
    traits: Traits,
    #[serde(flatten)]
    own: Option<Vip>,
}

/// A member who has just come in.
#[derive(Serialize, JsonSchema)]
pub struct Member {
    #[serde(flatten)]
    face: MemberBrief,
    /// Null where the member has not said.
    gender: Option<Gender>,
    #[serde(flatten)]
    vip: Vip,
    /// Logs in to the messaging service, for 24 hours.
    im_token: String,
    /// Send it as `Authorization` where a device signs nobody in, and in the other documents.
    token: String,
}

impl From<&Profile> for MemberBrief {
    fn from(user: &Profile) -> Self {
        let icon = user.avatar.clone().map(MediaKey);
        Self { id: UserHex(user.id), nickname: user.nickname.clone(), age: user.age, icon }
    }
}

impl From<&Profile> for Traits {
    fn from(user: &Profile) -> Self {
        Self {
            gender: user.gender,
            signature: user.intro.clone(),
            sex_attitude: user.sex_attitude,
            job: user.job,
            degree: user.degree,
            marriage: user.marriage,
            online_period: user.online_period,
            video_price: user.video_price,
            audio_price: user.audio_price,
        }
    }
}

impl Vip {
    fn of(user: &Profile, app: &App) -> Self {
        let now = app.system.now();
        Self { is_vip: user.is_vip(now), vip_left: user.vip_left(now) }
    }
}

impl MemberProfile {
    pub fn of_other(user: &Profile) -> Self {
        Self { face: user.into(), traits: user.into(), own: None }
    }

    pub fn of_oneself(user: &Profile, app: &App) -> Self {
        Self { own: Some(Vip::of(user, app)), ..Self::of_other(user) }
    }
}

impl Member {
    pub fn of(user: &LoggedIn, app: &App) -> Result<Self, Refusal> {
        let profile = &user.profile;
        Ok(Self {
            face: profile.into(),
            gender: profile.gender,
            vip: Vip::of(profile, app),
            im_token: app.im_key()?.sign(profile.id, app.system.now())?,
            token: app.new_token(user)?.0,
        })
    }
}

/// The avatar's key: whatever the client keeps avatars under, since a member registers before they can upload.
#[derive(JsonSchema)]
#[schemars(extend("examples" = ["fda32fdaxfda23"]))]
pub struct Icon(#[schemars(with = "String", regex(pattern = "^[A-Za-z0-9._-]{1,128}$"))] pub MediaId);

impl<'de> Deserialize<'de> for Icon {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let key = String::deserialize(from)?;
        let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        match (1..=128).contains(&key.len()) && key.bytes().all(known) {
            true => Ok(Self(MediaId(key))),
            false => Err(complaint(words!(
                "must be 1 to 128 letters, digits, ., _ or -",
                "应为 1 至 128 个字母、数字、.、_ 或 -"
            ))),
        }
    }
}

/// What is liked and commented on: a post, which is document D's article.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TargetType {
    Post,
}

/// A file that a member names and that was not found to be bad.
pub struct ShownMedia {
    pub id: MediaId,
    /// Of audio that says how long it is.
    pub seconds: Option<u64>,
}

/// What may be shown of a member's files: nothing is served of one that was refused or never checked. One round.
pub async fn shown<const N: usize>(
    app: &App,
    of: UserId,
    ids: [&Option<MediaId>; N],
) -> Result<[Option<ShownMedia>; N], Refusal> {
    let named: Vec<_> = ids.iter().copied().flatten().cloned().collect();
    let records = app.store.media_of(of, &named).await?;
    Ok(ids.map(|id| {
        let record = records.iter().find(|record| Some(&record.id) == id.as_ref())?;
        (!record.standing.is_bad()).then(|| ShownMedia { id: record.id.clone(), seconds: record.whole_seconds })
    }))
}
