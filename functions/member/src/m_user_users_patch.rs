use shared::{
    domain::{Degree, Gender, Job, Marriage, MediaClass, OnlinePeriod, SexAttitude, UploadFault, UserId},
    store::Changes,
    wire::{
        dialect::B,
        operation::*,
        values::{MediaKey, NamedUser, Nickname, Prose, Whole},
    },
};

use crate::shown::{Icon, MemberProfile};

/// Change some of what one says of oneself (document B).
///
/// What is not sent stays as it is. Only the user themself may: anybody else's is 403.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct MUserUsersPatch(Change);

/// What can be changed; shared by PUT and PATCH.
#[derive(Deserialize, JsonSchema)]
pub struct Change {
    user_id: NamedUser,
    /// Up to 64 characters.
    pub nickname: Option<Nickname>,
    /// Male or female.
    pub gender: Option<Gender>,
    icon: Option<Icon>,
    /// In years.
    age: Option<Whole<u8, 0, 150>>,
    /// Up to 500 characters.
    signature: Option<Prose<0, 500>>,
    sex_attitude: Option<SexAttitude>,
    job: Option<Job>,
    degree: Option<Degree>,
    marriage: Option<Marriage>,
    online_period: Option<OnlinePeriod>,
    /// Of a video chat, in the app's own unit.
    video_price: Option<Whole<u32, 0, 1_000_000>>,
    /// Of an audio chat, in the app's own unit.
    audio_price: Option<Whole<u32, 0, 1_000_000>>,
    /// An image or a video that the caller has uploaded, for the homepage.
    background: Option<MediaKey>,
    /// An audio that the caller has uploaded, for the homepage.
    audio_intro: Option<MediaKey>,
    /// A video that the caller has uploaded, for video chats.
    video_chat: Option<MediaKey>,
    /// An audio that the caller has uploaded, for audio chats.
    audio_chat: Option<MediaKey>,
}

impl Operation for MUserUsersPatch {
    type Dialect = B;
    type Caller = SignedIn;
    type Response = MemberProfile;
    const ROUTE: Route = Route::patch("/m_user/users/{user_id}");
    const REFUSES: &'static [Refusal] =
        &[Refusal::Upload("background", UploadFault::NoPicture), Refusal::Upload("background", UploadFault::TooLarge)];

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<MemberProfile, Refusal> {
        self.0.make(caller, app).await
    }
}

impl Change {
    pub async fn make(self, caller: UserId, app: &App) -> Result<MemberProfile, Refusal> {
        let user = self.user_id.0;
        if user != caller {
            let other = app.store.profile(user).await?;
            return Err(other.map_or(Refusal::NoSuch(Thing::User), |_| Refusal::NotYours));
        }
        let picture_or_video = match self.background.as_ref().and_then(|background| background.0.kind()) {
            Some(kind) if kind.class() == MediaClass::Video => MediaClass::Video,
            _ => MediaClass::Image,
        };
        let owned = async |key: Option<MediaKey>, class, field| match key {
            Some(MediaKey(id)) => {
                app.own_media(caller, std::slice::from_ref(&id), class, field).await.map(|()| Some(id))
            }
            None => Ok(None),
        };
        let (background, audio_intro, video_chat, audio_chat) = tokio::try_join!(
            owned(self.background, picture_or_video, "background"),
            owned(self.audio_intro, MediaClass::Audio, "audio_intro"),
            owned(self.video_chat, MediaClass::Video, "video_chat"),
            owned(self.audio_chat, MediaClass::Audio, "audio_chat"),
        )?;
        let icon = self.icon.map(|icon| icon.0);
        let changes = Changes {
            nickname: self.nickname.map(|text| text.0),
            gender: self.gender,
            avatar: icon.clone(),
            large_avatar: icon,
            age: self.age.map(|age| age.0),
            intro: self.signature.map(|text| text.0),
            sex_attitude: self.sex_attitude,
            job: self.job,
            degree: self.degree,
            marriage: self.marriage,
            online_period: self.online_period,
            video_price: self.video_price.map(|price| price.0),
            audio_price: self.audio_price.map(|price| price.0),
            background,
            audio_intro,
            video_chat,
            audio_chat,
            ..Changes::default()
        };
        Ok(MemberProfile::of_oneself(&app.store.change_profile(caller, changes).await?, app))
    }
}
