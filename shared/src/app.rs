use std::sync::{Arc, OnceLock};

use aws_sdk_dynamodb::{Client, config::StalledStreamProtectionConfig};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::SdkConfig;
use bytes::Bytes;
use futures_util::future::try_join_all;

use crate::{
    config::Config,
    domain::{
        MediaClass, MediaId, Millis, Refusal, System, UploadFault, UserId, hex,
        picture::{AVATAR, LARGE_AVATAR, Picture},
        token::{self, Token, TokenKeys},
    },
    off_thread,
    outside::{
        Media, Providers, Sms,
        aws::{self, TableEndpoint},
    },
    store::{Changes, LoggedIn, MediaStatus, Profile, Store},
};

type Variable = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What a handler can use. What not every function needs is made when it is first asked for, and not even linked
/// into a function that never asks.
pub struct App {
    pub system: System,
    pub config: Config,
    pub keys: TokenKeys,
    pub store: Store,
    settings: SdkConfig,
    variable: Variable,
    media: OnceLock<Media>,
    sms: OnceLock<Sms>,
    providers: OnceLock<Providers>,
}

impl App {
    /// From the environment that a Lambda has. The error says which variable is missing or wrong.
    pub fn new(variable: Variable, system: System, http: SharedHttpClient) -> Result<Arc<Self>, String> {
        let config = Config::read(&variable)?;
        let keys = TokenKeys::new(&config.jwt_key, config.jwt_key_previous.as_deref())?;
        let settings = aws::settings(&config.aws, http);
        let dynamodb = aws_sdk_dynamodb::config::Builder::from(&settings);
        // Items are small and read whole within an attempt's time limit: a guard against streams that stall is for S3.
        let dynamodb = dynamodb.stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        let dynamodb = dynamodb.endpoint_resolver(TableEndpoint::new(&config.aws));
        let store = Store::new(Client::from_conf(dynamodb.build()), config.table.clone(), system.clone());
        let (media, sms, providers) = Default::default();
        Ok(Arc::new(Self { system, config, keys, store, settings, variable, media, sms, providers }))
    }

    pub fn media(&self) -> &Media {
        self.media.get_or_init(|| {
            let Config { media_bucket, media_base_url, aws, .. } = &self.config;
            Media::new(&self.settings, aws.s3.as_deref(), media_bucket, media_base_url, self.system.clone())
        })
    }

    pub fn sms(&self) -> &Sms {
        self.sms.get_or_init(|| Sms::new(&self.settings, self.config.aws.sns.as_deref()))
    }

    pub fn providers(&self) -> &Providers {
        self.providers.get_or_init(|| Providers::from_environment(&self.variable))
    }

    /// A token for somebody who has just shown who they are, and when it ends.
    pub fn new_token(&self, user: &LoggedIn) -> Result<(String, Millis), Refusal> {
        let now = self.system.now();
        let id = hex(&self.system.random::<12>());
        let token = Token { user: user.profile.id, id, epoch: user.epoch, expires: now + token::LIFE };
        Ok((self.keys.sign(&token, now)?, token.expires))
    }

    /// Checks a picture and makes it the user's avatar, in two sizes. `field` is its name in the request.
    pub async fn set_avatar(&self, user: UserId, picture: Bytes, field: &'static str) -> Result<Profile, Refusal> {
        let sizes = move || Ok(Picture::open(&picture, field)?.fit([LARGE_AVATAR, AVATAR]));
        let [large, small] = off_thread(sizes).await?;
        // Both are there before the profile names them; to what a failure leaves behind nothing leads.
        let media = self.media();
        let (large, small) = tokio::try_join!(media.publish(large), media.publish(small))?;
        let changes = Changes { avatar: Some(small), large_avatar: Some(large), ..Changes::default() };
        self.store.change_profile(user, changes).await
    }

    /// That all of these are uploads of this owner and class, each checked or at least there. `field` is their name in
    /// the request. One round, and one more where some wait for their check.
    pub async fn own_media(
        &self,
        owner: UserId,
        ids: &[MediaId],
        class: MediaClass,
        field: &'static str,
    ) -> Result<(), Refusal> {
        if ids.is_empty() {
            return Ok(());
        }
        // Somebody else's is refused in the same words as one that nobody has.
        let what = match class {
            MediaClass::Image => "an image",
            MediaClass::Audio => "an audio file",
            MediaClass::Video => "a video",
        };
        let refusal = || {
            let how = "ask get_media_id for an id, PUT the file to its upload_url, then send the id";
            Refusal::malformed(format!("{field}: not {what} that you have uploaded: {how}"))
        };
        let fault = |standing| match (standing, class) {
            (MediaStatus::TooLarge, MediaClass::Image) => Some(UploadFault::TooLarge),
            (MediaStatus::CutOff, MediaClass::Image) => Some(UploadFault::PictureCutOff),
            (MediaStatus::Refused, MediaClass::Image) => Some(UploadFault::NoPicture),
            (MediaStatus::TooLarge, _) => Some(UploadFault::RecordingTooLarge),
            (MediaStatus::CutOff, _) => Some(UploadFault::RecordingCutOff),
            (MediaStatus::Refused, _) => Some(UploadFault::NoRecording),
            _ => None,
        };
        // Nor is the table asked for what cannot be an id.
        let fits = |id: &MediaId| MediaId::parse(&id.0)?.kind().filter(|kind| kind.class() == class);
        if !ids.iter().all(|id| fits(id).is_some()) {
            return Err(refusal());
        }
        let standings = async || {
            let records = self.store.media_of(ids).await?;
            let of = |id: &MediaId| records.iter().find(|record| record.id == *id && record.owner == owner);
            let standing = |id: &MediaId| of(id).map(|record| record.standing);
            let standings = ids.iter().map(standing).collect::<Option<Vec<_>>>().ok_or_else(refusal)?;
            match standings.iter().find_map(|standing| fault(*standing)) {
                Some(fault) => Err(Refusal::Upload(field, fault)),
                None => Ok(standings),
            }
        };
        let waiting = ids.iter().zip(standings().await?).filter(|(_, standing)| *standing == MediaStatus::Waiting);
        let uploads = try_join_all(waiting.map(|(id, _)| self.media().upload(id))).await?;
        if uploads.iter().all(Option::is_some) {
            return Ok(());
        }
        // What is not there any more may have been checked just now.
        match standings().await?.contains(&MediaStatus::Waiting) {
            true => Err(refusal()),
            false => Ok(()),
        }
    }
}
