use shared::{
    domain::{Account, LockedBy, Password},
    wire::{dialect::B, operation::*, values::Typed},
};

use crate::shown::Member;

/// Log in with a review account (document B).
///
/// For those who review an app's version before it is published. Five wrong passwords within 15 minutes lock the
/// account for 15 minutes.
#[derive(Deserialize, JsonSchema)]
pub struct MUserAuditLogin {
    account: Typed,
    password: String,
}

#[derive(Serialize, JsonSchema)]
pub struct Reviewer {
    /// Send it as `X-Device-Id` from now on: it signs in.
    device_id: String,
    user: Member,
}

impl Operation for MUserAuditLogin {
    type Dialect = B;
    type Caller = Anyone;
    type Response = Reviewer;
    const ROUTE: Route = Route::post("/m_user/audit_login");
    const REFUSES: &'static [Refusal] =
        &[Refusal::WrongPassword, Refusal::Locked(LockedBy::WrongPasswords), Refusal::Locked(LockedBy::Operator)];

    async fn handle(self, Anyone: Anyone, app: &App) -> Result<Reviewer, Refusal> {
        let (account, password) = (Account::Review(self.account.0), Password::typed(&self.password));
        let user = app.store.log_in_by_password(&account, password).await?;
        let device = app.store.new_device(&user).await?;
        Ok(Reviewer { device_id: device.as_str().to_owned(), user: Member::of(&user, app)? })
    }
}
