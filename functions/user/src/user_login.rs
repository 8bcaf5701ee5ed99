use shared::{
    domain::{Account, LockedBy, Password, PhoneFault},
    wire::{
        dialect::D,
        operation::*,
        values::{Code, Typed},
    },
};

use crate::shown::{Welcome, phone};

/// Log in with a phone and its password, or a code that was sent to it (document D).
///
/// Works without a token. Five wrong passwords within 15 minutes lock password login for 15 minutes; a code still
/// lets in. A phone that nobody has is answered like a wrong password, and by 1001 only to whoever proved it by a code.
#[derive(Deserialize, JsonSchema)]
pub struct UserLogin {
    /// Country code, 1 to 3 digits; 86 where there is none and the phone brings none.
    country: Option<Typed>,
    /// Of country 86: 11 digits that begin with 13 to 19. Elsewhere 5 to 15 digits. `+` and the
    /// country code may stand in front.
    phone: Typed,
    /// With a code beside it, the password counts.
    password: Option<String>,
    /// In place of the password: the six digits of the SMS. It is used up.
    code: Option<Code>,
}

impl Operation for UserLogin {
    type Dialect = D;
    type Caller = Anyone;
    type Response = Welcome;
    const ROUTE: Route = Route::post("/user_login");
    const REFUSES: &'static [Refusal] = &[
        Refusal::NotRegistered,
        Refusal::WrongPassword,
        Refusal::Locked(LockedBy::WrongPasswords),
        Refusal::SmsCode,
        Refusal::Phone(PhoneFault::China),
    ];

    async fn handle(self, Anyone: Anyone, app: &App) -> Result<Welcome, Refusal> {
        let phone = phone(self.country.as_ref(), &self.phone)?;
        let user = match (self.password, self.code) {
            (Some(password), _) => {
                app.store.log_in_by_password(&Account::Phone(phone), Password::typed(&password)).await?
            }
            (None, Some(code)) => app.store.log_in_by_code(phone, &code.0).await.map_err(Refusal::of("code"))?,
            (None, None) => {
                let words = words!("is missing, and so is code: send one of them", "password 和 code 必填其一");
                return Err(Refusal::malformed("password", words));
            }
        };
        Welcome::new(user, app).await
    }
}
