use std::{future::Future, net::IpAddr};

use http::Extensions;
use lambda_http::request::RequestContext;

use crate::{
    App,
    domain::{DeviceId, Refusal, Source, UserId, token::Token},
    store::Session,
    words,
};

/// What a request brings to say who is calling. Each dialect knows where it is.
#[derive(Default)]
pub struct Credentials {
    pub token: Option<String>,
    /// Document B's other way to be signed in.
    pub device: Option<DeviceId>,
    /// Of the app that is calling, where it says so.
    pub app_version: Option<String>,
    /// By what a repeat of a request is known.
    pub idempotency_key: Option<String>,
    /// Nothing that the client sends: set by whoever took its connection.
    pub source: Option<Source>,
}

/// Where a request came from, as API Gateway tells it, or the runner.
pub fn source(extensions: &Extensions) -> Option<Source> {
    let told = |context: &RequestContext| match context {
        RequestContext::ApiGatewayV2(context) => context.http.source_ip.as_ref()?.parse::<IpAddr>().ok(),
        _ => None,
    };
    extensions.get().copied().or_else(|| extensions.get().and_then(told).map(Source::from))
}

/// What a caller must bring.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Needs {
    Nothing,
    /// Or, in document B, a device that a user registered.
    Token,
    Device,
}

/// Who may call an operation: the type of its handler's second argument.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say who is calling",
    note = "use `SignedIn`, `Reader` or `Anyone`"
)]
pub trait Caller: Send + Sized {
    const NEEDS: Needs;
    /// Whether the handler begins before the session is known to be good.
    const READS_ONLY: bool = false;
    /// Whether a header may say by what a repeat is known.
    const IDEMPOTENCY_KEY: bool = false;

    /// Who it is, before the request's details are looked at; and the session that says so.
    fn identify(
        credentials: Credentials,
        app: &App,
    ) -> impl Future<Output = Result<(Self, Option<Claim>), Refusal>> + Send;
}

/// Somebody's session, as they claim it.
pub struct Claim {
    pub session: Session,
    pub is_checked: bool,
}

impl Claim {
    /// 401 where the session was ended. One read, if it was not made before.
    pub async fn check(&self, app: &App) -> Result<(), Refusal> {
        match self.is_checked {
            true => Ok(()),
            false => app.store.check_session(&self.session).await,
        }
    }
}

/// A signed-in user.
pub struct SignedIn(pub UserId);

/// A signed-in user of an operation that only reads: the session is checked beside the handler, which saves a round.
/// A handler that writes must take [`SignedIn`].
pub struct Reader(pub UserId);

/// A signed-in user and the token that says so: for what ends it.
pub struct Bearer(pub Token);

/// A signed-in user who may say by what a repeat of the request is known: the header `Idempotency-Key`.
pub struct Buyer {
    pub user: UserId,
    idempotency_key: Option<String>,
}

/// A device, whether somebody has registered it or not.
pub struct Device {
    pub id: DeviceId,
    pub app_version: Option<String>,
}

/// Whoever it is.
pub struct Anyone;

/// Whoever it is, and where they are: for what strangers may do only so often.
pub struct Someone(pub Source);

impl Caller for SignedIn {
    const NEEDS: Needs = Needs::Token;

    async fn identify(credentials: Credentials, app: &App) -> Result<(Self, Option<Claim>), Refusal> {
        let claim = claim(&credentials, app).await?;
        Ok((Self(claim.session.user), Some(claim)))
    }
}

impl Caller for Reader {
    const NEEDS: Needs = Needs::Token;
    const READS_ONLY: bool = true;

    async fn identify(credentials: Credentials, app: &App) -> Result<(Self, Option<Claim>), Refusal> {
        let claim = claim(&credentials, app).await?;
        Ok((Self(claim.session.user), Some(claim)))
    }
}

impl Caller for Bearer {
    const NEEDS: Needs = Needs::Token;

    async fn identify(credentials: Credentials, app: &App) -> Result<(Self, Option<Claim>), Refusal> {
        let token = token(&credentials, app)?;
        let claim = Claim { session: Session::from(&token), is_checked: false };
        Ok((Self(token), Some(claim)))
    }
}

impl Caller for Buyer {
    const NEEDS: Needs = Needs::Token;
    const IDEMPOTENCY_KEY: bool = true;

    async fn identify(mut credentials: Credentials, app: &App) -> Result<(Self, Option<Claim>), Refusal> {
        let idempotency_key = credentials.idempotency_key.take();
        let (SignedIn(user), claim) = SignedIn::identify(credentials, app).await?;
        Ok((Self { user, idempotency_key }, claim))
    }
}

impl Buyer {
    /// What the header says; 400 where that is no key.
    pub fn key(&self) -> Result<Option<&str>, Refusal> {
        let key = self.idempotency_key.as_deref();
        let is_fine = |key: &str| (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
        match key.is_none_or(is_fine) {
            true => Ok(key),
            false => Err(Refusal::malformed(
                "Idempotency-Key",
                words!("1 to 255 visible characters of ASCII", "应为 1 至 255 个可见的 ASCII 字符"),
            )),
        }
    }
}

impl Caller for Device {
    const NEEDS: Needs = Needs::Device;

    async fn identify(credentials: Credentials, app: &App) -> Result<(Self, Option<Claim>), Refusal> {
        if credentials.token.is_some() {
            claim(&credentials, app).await?;
        }
        let id = credentials.device.ok_or_else(|| Refusal::missing("X-Device-Id"))?;
        Ok((Self { id, app_version: credentials.app_version }, None))
    }
}

impl Device {
    /// What a device is answered that leads to no user.
    pub async fn unregistered(app_version: Option<&str>, app: &App) -> Refusal {
        match app_version {
            Some(version) => match app.store.is_under_review(version).await {
                Ok(true) => Refusal::UnderReview,
                Ok(false) => Refusal::NotRegistered,
                Err(no) => no,
            },
            None => Refusal::NotRegistered,
        }
    }
}

impl Caller for Anyone {
    const NEEDS: Needs = Needs::Nothing;

    async fn identify(_: Credentials, _: &App) -> Result<(Self, Option<Claim>), Refusal> {
        Ok((Self, None))
    }
}

impl Caller for Someone {
    const NEEDS: Needs = Needs::Nothing;

    async fn identify(credentials: Credentials, _: &App) -> Result<(Self, Option<Claim>), Refusal> {
        Ok((Self(credentials.source.unwrap_or(Source::UNKNOWN)), None))
    }
}

fn token(credentials: &Credentials, app: &App) -> Result<Token, Refusal> {
    let token = credentials.token.as_deref().ok_or(Refusal::NotSignedIn)?;
    app.keys()?.verify(token, app.system.now()).ok_or(Refusal::NotSignedIn)
}

/// The session that the token or the device claims. A call that brings both ties the device to the user, which nobody may
/// do unchecked.
async fn claim(credentials: &Credentials, app: &App) -> Result<Claim, Refusal> {
    let session = match (&credentials.token, &credentials.device) {
        (None, Some(device)) => match app.store.device_session(device).await? {
            Some(session) => session,
            None => return Err(Device::unregistered(credentials.app_version.as_deref(), app).await),
        },
        (_, None) => Session::from(&token(credentials, app)?),
        (Some(_), Some(device)) => {
            let session = Session::from(&token(credentials, app)?);
            app.store.check_session(&session).await?;
            app.store.tie_device(device, &session).await.map_err(Refusal::of("X-Device-Id"))?;
            return Ok(Claim { session, is_checked: true });
        }
    };
    Ok(Claim { session, is_checked: false })
}
