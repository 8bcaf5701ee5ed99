use shared::{
    domain::PhoneFault,
    wire::{dialect::D, operation::*, values::Typed},
};

use crate::shown::phone;

/// Send a six-digit code to a phone (document D).
///
/// Works without a token. The code is good for five minutes and one use; a new one takes the place of the one before.
/// At most one a minute and ten in 24 hours go to a phone, so many an hour to whom one address asks for (by default
/// 30), and so many a day (1,000) in all, half of them kept for phones that have an account: beyond that 429, and nothing
/// is sent. The same code serves every operation that asks for one, in
/// all documents.
#[derive(Deserialize, JsonSchema)]
pub struct SendSmsCode {
    /// Country code, 1 to 3 digits; 86 where there is none and the phone brings none.
    country: Option<Typed>,
    /// Of country 86: 11 digits that begin with 13 to 19. Elsewhere 5 to 15 digits. `+` and the
    /// country code may stand in front.
    phone: Typed,
}

impl Operation for SendSmsCode {
    type Dialect = D;
    type Caller = Someone;
    type Response = Done;
    const ROUTE: Route = Route::post("/send_sms_code");
    const REFUSES: &'static [Refusal] = &[Refusal::Phone(PhoneFault::China)];

    async fn handle(self, Someone(source): Someone, app: &App) -> Result<Done, Refusal> {
        let phone = phone(self.country.as_ref(), &self.phone)?;
        if !app.config.serves(&phone) {
            return Err(Refusal::malformed(
                "country",
                words!("no codes are sent to this country", "不向这个国家或地区发送验证码"),
            ));
        }
        app.send_sms_code(&phone, source).await.map_err(Refusal::of("phone"))?;
        Ok(Done {})
    }
}
