use std::future::Future;

use crate::{
    App,
    domain::{Refusal, token::Token},
};

/// What a request brings to say who is calling. Each dialect knows where it is.
#[derive(Default)]
pub struct Credentials {
    pub token: Option<String>,
}

/// Who may call an operation: the type of its handler's second argument.
#[diagnostic::on_unimplemented(message = "`{Self}` does not say who is calling", note = "use `SignedIn` or `Anyone`")]
pub trait Caller: Send + Sized {
    const NEEDS_TOKEN: bool;
    fn identify(credentials: Credentials, app: &App) -> impl Future<Output = Result<Self, Refusal>> + Send;
}

/// A user whose token is valid and was not ended.
pub struct SignedIn(pub Token);

/// Whoever it is.
pub struct Anyone;

impl Caller for SignedIn {
    const NEEDS_TOKEN: bool = true;

    async fn identify(credentials: Credentials, app: &App) -> Result<Self, Refusal> {
        let token = credentials.token.ok_or(Refusal::NotSignedIn)?;
        let token = app.keys.verify(&token, app.world.now()).ok_or(Refusal::NotSignedIn)?;
        app.store.check_session(&token).await?;
        Ok(Self(token))
    }
}

impl Caller for Anyone {
    const NEEDS_TOKEN: bool = false;

    async fn identify(_: Credentials, _: &App) -> Result<Self, Refusal> {
        Ok(Self)
    }
}
