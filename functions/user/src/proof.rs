//! That whoever has a token is its user: asked for before what cannot be undone or tells all.
use shared::{
    App,
    domain::{LockedBy, Password, Refusal, UserId},
    store::ProvedCode,
    wire::values::Code,
    words,
};

/// What [`prove`] refuses.
pub const REFUSES: &[Refusal] = &[Refusal::WrongPassword, Refusal::Locked(LockedBy::WrongPasswords), Refusal::SmsCode];

/// By a code that was sent to the caller's phone, which is still to be used up; or, of a caller who has proved no phone,
/// by their password, if they have one. Two rounds, or three of a password.
pub async fn prove(
    caller: UserId,
    code: Option<Code>,
    password: Option<String>,
    app: &App,
) -> Result<Option<ProvedCode>, Refusal> {
    let profile = app.store.profile(caller).await?.ok_or(Refusal::NotSignedIn)?;
    match (profile.phone, code) {
        (Some(phone), Some(code)) => app.store.prove_code(phone, &code.0).await.map(Some).map_err(Refusal::of("code")),
        (Some(_), None) => Err(Refusal::malformed(
            "code",
            words!("is missing: send_sms_code sends one to your phone", "必填：send_sms_code 会把验证码发到你的手机"),
        )),
        (None, _) => {
            let password = password.map(|password| Password::typed(&password));
            app.store.prove_password(caller, password).await.map(|()| None)
        }
    }
}
