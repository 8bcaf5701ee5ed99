//! What a handler can use, and the verbs that need both the table and the bucket.
mod avatars;
mod exports;
mod galleries;
mod leaving;
mod orders;
mod sms_codes;
mod uploads;

use std::sync::{Arc, OnceLock};

use aws_sdk_dynamodb::{Client, config::StalledStreamProtectionConfig};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::SdkConfig;

use crate::{
    config::Config,
    domain::{
        Millis, Refusal, System, hex,
        token::{self, ImKey, Token, TokenKeys},
    },
    meter::Counted,
    outside::{
        Media, Payments, Providers, Queue, Sms,
        aws::{self, TableEndpoint},
    },
    store::{LoggedIn, Store},
};

type Variable = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What a handler can use. What not every function needs is made when it is first asked for, and not even linked
/// into a function that never asks.
pub struct App {
    pub system: System,
    pub config: Config,
    pub store: Store,
    keys: Option<TokenKeys>,
    im_key: Option<ImKey>,
    settings: SdkConfig,
    variable: Variable,
    media: OnceLock<Media>,
    sms: OnceLock<Sms>,
    providers: OnceLock<Providers>,
    tasks: OnceLock<Queue>,
    payments: OnceLock<Option<Payments>>,
}

impl App {
    /// From the environment that a Lambda has. The error says which variable is missing or wrong.
    pub fn new(variable: Variable, system: System, http: SharedHttpClient) -> Result<Arc<Self>, String> {
        let config = Config::read(&variable)?;
        let accepted = config.jwt_keys_accepted.as_deref();
        let keys = config.jwt_key.as_deref().map(|key| TokenKeys::new(key, accepted)).transpose()?;
        let im_key = config.im_key.as_deref().map(ImKey::new).transpose()?;
        let settings = aws::settings(&config.aws, http);
        let dynamodb = aws_sdk_dynamodb::config::Builder::from(&settings);
        // Items are small and read whole within an attempt's time limit: a guard against streams that stall is for S3.
        let dynamodb = dynamodb.stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        let dynamodb = dynamodb.endpoint_resolver(TableEndpoint::new(&config.aws)).interceptor(Counted);
        let store =
            Store::new(Client::from_conf(dynamodb.build()), config.table.clone(), system.clone(), config.uploads);
        let (media, sms, providers, tasks, payments) = Default::default();
        Ok(Arc::new(Self {
            system,
            config,
            store,
            keys,
            im_key,
            settings,
            variable,
            media,
            sms,
            providers,
            tasks,
            payments,
        }))
    }

    /// What signs and verifies tokens. An error where the function has none: then it has no operations either.
    pub fn keys(&self) -> Result<&TokenKeys, Refusal> {
        self.keys.as_ref().ok_or(Refusal::Internal)
    }

    /// What signs tokens for the messaging service. An error where the function has none.
    pub fn im_key(&self) -> Result<&ImKey, Refusal> {
        self.im_key.as_ref().ok_or(Refusal::Internal)
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

    /// Where `fanout` leaves what is left to be done: the queue that `TASKS` names, which it alone has.
    pub fn tasks(&self) -> &Queue {
        self.tasks.get_or_init(|| {
            let url = (self.variable)("TASKS").unwrap_or_default();
            Queue::new(&self.settings, self.config.aws.sqs.as_deref(), url)
        })
    }

    /// Who charges for orders. `Internal` in a function that was deployed without anybody.
    pub fn payments(&self) -> Result<&Payments, Refusal> {
        let make = || Some(Payments::new(self.config.payment.as_ref()?, self.system.clone()));
        self.payments.get_or_init(make).as_ref().ok_or_else(|| {
            tracing::error!("PAYMENT_PROVIDER is missing");
            Refusal::Internal
        })
    }

    /// A token for somebody who has just shown who they are, and when it ends.
    pub fn new_token(&self, user: &LoggedIn) -> Result<(String, Millis), Refusal> {
        let now = self.system.now();
        let id = hex(&self.system.random::<12>());
        let token = Token { user: user.profile.id, id, epoch: user.epoch, expires: now + token::LIFE };
        Ok((self.keys()?.sign(&token, now)?, token.expires))
    }
}
