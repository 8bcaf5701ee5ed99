use shared::{
    domain::{Password, PasswordRule, PhoneFault, StoredPassword},
    off_thread,
    store::{Changes, LoggedIn, SignUp},
    wire::{
        dialect::D,
        operation::*,
        values::{Code, Nickname, Typed},
    },
};

use crate::shown::{Welcome, phone};

/// Register with a phone, a password and the code that was sent to the phone, and be logged in (document D).
///
/// Works without a token. The code is used up only if the account is made.
#[derive(Deserialize, JsonSchema)]
pub struct UserSignup {
    /// Country code, 1 to 3 digits; 86 where there is none and the phone brings none.
    country: Option<Typed>,
    /// Of country 86: 11 digits that begin with 13 to 19. Elsewhere 5 to 15 digits. `+` and the
    /// country code may stand in front.
    phone: Typed,
    /// The six digits of the SMS.
    code: Code,
    /// 6 to 64 characters.
    password: String,
    /// Up to 64 characters; without one, the user is called `nick-` and eight letters and digits.
    nickname: Option<Nickname>,
}

impl Operation for UserSignup {
    type Dialect = D;
    type Caller = Anyone;
    type Response = Welcome;
    const ROUTE: Route = Route::post("/user_signup");
    const REFUSES: &'static [Refusal] = &[
        Refusal::SmsCode,
        Refusal::Phone(PhoneFault::China),
        Refusal::PasswordRules(PasswordRule::SixToSixtyFour),
        Refusal::RegisterFailed,
        Refusal::PhoneTaken,
    ];

    async fn handle(self, Anyone: Anyone, app: &App) -> Result<Welcome, Refusal> {
        let phone = phone(self.country.as_ref(), &self.phone)?;
        let password = Password::new_six_to_sixty_four(&self.password)?;
        let sign_up = async {
            let code = app.store.prove_code(phone, &self.code.0).await?;
            let salt = app.system.random();
            let password = off_thread(move || StoredPassword::hash(&password, salt)).await?;
            let first = Changes { nickname: self.nickname.map(|text| text.0), ..Changes::default() };
            let profile = app.store.create_user(&SignUp::Phone(code), Some(password), first).await?;
            Welcome::new(LoggedIn { profile, epoch: 0 }, app).await
        };
        match sign_up.await {
            Err(Refusal::Internal) => Err(Refusal::RegisterFailed),
            signed_up => signed_up.map_err(Refusal::of("code")),
        }
    }
}
