use shared::{
    domain::{Password, PasswordRule, PhoneFault, StoredPassword},
    off_thread,
    wire::{
        dialect::D,
        operation::*,
        values::{Code, Typed},
    },
};

use crate::shown::phone;

/// Set a new password, with a code that was sent to the phone (document D).
///
/// Works without a token. All of the user's sessions end at once, in every document, and wrong passwords are forgotten.
#[derive(Deserialize, JsonSchema)]
pub struct UserPasswordUpdate {
    /// Country code, 1 to 3 digits; 86 where there is none and the phone brings none.
    country: Option<Typed>,
    /// Of country 86: 11 digits that begin with 13 to 19. Elsewhere 5 to 15 digits. `+` and the
    /// country code may stand in front.
    phone: Typed,
    /// The new one: 6 to 64 characters.
    password: String,
    /// The six digits of the SMS.
    code: Code,
}

impl Operation for UserPasswordUpdate {
    type Dialect = D;
    type Caller = Anyone;
    type Response = Done;
    const ROUTE: Route = Route::post("/user_password_update");
    const REFUSES: &'static [Refusal] = &[
        Refusal::NotRegistered,
        Refusal::SmsCode,
        Refusal::Phone(PhoneFault::China),
        Refusal::PasswordRules(PasswordRule::SixToSixtyFour),
    ];

    async fn handle(self, Anyone: Anyone, app: &App) -> Result<Done, Refusal> {
        let phone = phone(self.country.as_ref(), &self.phone)?;
        let password = Password::new_six_to_sixty_four(&self.password)?;
        let reset = async {
            let code = app.store.prove_code(phone, &self.code.0).await?;
            let salt = app.system.random();
            let password = off_thread(move || StoredPassword::hash(&password, salt)).await?;
            app.store.reset_password(&code, password).await
        };
        reset.await.map_err(Refusal::of("code"))?;
        Ok(Done {})
    }
}
