use shared::{
    domain::{Password, PasswordRule, Phone, PhoneFault, StoredPassword},
    off_thread,
    store::{Changes, SignUp},
    wire::{
        dialect::C,
        operation::*,
        values::{Code, Typed, UserDigits},
    },
};

/// Register with a phone, a password and the code that was sent to the phone (document C, 3.2).
///
/// The code comes from `send_sms_code`; it is used up only if the account is made. Log in afterwards, in this
/// document or any other.
#[derive(Deserialize, JsonSchema)]
pub struct UserRegister {
    /// A bare number of country 86, or `+`, country code and number.
    phone: Typed,
    /// 8 to 16 letters and digits, at least one of each.
    password: String,
    /// The six digits of the SMS.
    verifycode: Code,
}

#[derive(Serialize, JsonSchema)]
pub struct Registered {
    /// The new user's id.
    uid: UserDigits,
}

impl Operation for UserRegister {
    type Dialect = C;
    type Caller = Anyone;
    type Response = Registered;
    const ROUTE: Route = Route::post("/user/register");
    const REFUSES: &'static [Refusal] = &[
        Refusal::SmsCode,
        Refusal::Phone(PhoneFault::China),
        Refusal::PasswordRules(PasswordRule::EightToSixteen),
        Refusal::RegisterFailed,
        Refusal::PhoneTaken,
    ];

    async fn handle(self, Anyone: Anyone, app: &App) -> Result<Registered, Refusal> {
        let phone = Phone::parse(&self.phone.0)?;
        let password = Password::new_letters_and_digits(&self.password)?;
        let register = async {
            let code = app.store.prove_code(phone, &self.verifycode.0).await?;
            let salt = app.system.random();
            let password = off_thread(move || StoredPassword::hash(&password, salt)).await?;
            app.store.create_user(&SignUp::Phone(code), Some(password), Changes::default()).await
        };
        match register.await {
            Ok(user) => Ok(Registered { uid: UserDigits(user.id) }),
            Err(Refusal::Internal) => Err(Refusal::RegisterFailed),
            Err(no) => Err(Refusal::of("verifycode")(no)),
        }
    }
}
