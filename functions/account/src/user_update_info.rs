use shared::{
    domain::{Email, Gender, Phone, PhoneFault},
    store::{Changes, PhoneChange},
    wire::{
        dialect::C,
        operation::*,
        values::{Code, Nickname, PictureUrl, Prose, Typed, Whole},
    },
};

/// Change what the caller says of themself (document C, 3.4).
///
/// What is not sent stays as it is. A phone with its `verifycode` takes the place of the one that logs in. Without one it is only shown: it logs
/// nobody in, and it goes as soon as somebody proves it by SMS.
#[derive(Deserialize, JsonSchema)]
pub struct UserUpdateInfo {
    /// The nickname, up to 64 characters.
    name: Option<Nickname>,
    gender: Option<GenderDigit>,
    /// A bare number of country 86, or `+`, country code and number.
    phone: Option<Typed>,
    /// The six digits that `send_sms_code` sent to `phone`.
    verifycode: Option<Code>,
    /// It is the account's to log in with; upper and lower case are the same.
    email: Option<Typed>,
    /// The intro, up to 500 characters.
    desc: Option<Prose<0, 500>>,
    /// 1 looks for work, 0 does not.
    job_status: Option<Whole<u8, 0, 1>>,
}

/// 1 male, 0 female.
#[derive(Clone, Copy, Serialize, Deserialize, JsonSchema)]
pub enum GenderDigit {
    #[serde(rename = "1")]
    Male,
    #[serde(rename = "0")]
    Female,
}

#[derive(Serialize, JsonSchema)]
pub struct Info {
    name: String,
    /// A bare number of country 86, or `+`, country code and number.
    phone: Option<String>,
    gender: Option<GenderDigit>,
    /// The avatar, small.
    avator: Option<PictureUrl>,
    /// The avatar, large.
    large_avator: Option<PictureUrl>,
    email: Option<String>,
}

impl Operation for UserUpdateInfo {
    type Dialect = C;
    type Caller = SignedIn;
    type Response = Info;
    const ROUTE: Route = Route::post("/user/update_info");
    const REFUSES: &'static [Refusal] =
        &[Refusal::SmsCode, Refusal::Phone(PhoneFault::China), Refusal::PhoneTaken, Refusal::EmailTaken];

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Info, Refusal> {
        let email = self.email.map(|email| Email::parse(&email.0)).transpose()?;
        let phone = self.phone.map(|phone| Phone::parse(&phone.0)).transpose()?;
        let phone = match (phone, self.verifycode) {
            (Some(phone), Some(code)) => {
                let code = app.store.prove_code(phone, &code.0).await;
                Some(PhoneChange::Proved(code.map_err(Refusal::of("verifycode"))?))
            }
            (None, Some(_)) => {
                return Err(Refusal::malformed(
                    "phone",
                    words!("is missing beside verifycode", "有 verifycode 时必填"),
                ));
            }
            (phone, None) => phone.map(PhoneChange::Claimed),
        };
        let gender = self.gender.map(|gender| match gender {
            GenderDigit::Male => Gender::Male,
            GenderDigit::Female => Gender::Female,
        });
        let changes = Changes {
            nickname: self.name.map(|text| text.0),
            gender,
            intro: self.desc.map(|text| text.0),
            job_status: self.job_status.map(|status| status.0),
            email,
            phone,
            ..Changes::default()
        };
        let user = app.store.change_profile(caller, changes).await.map_err(Refusal::of("verifycode"))?;
        let phone = app.store.shown_phone(&user).await?;
        let url = |id| PictureUrl::of(app, &id);
        Ok(Info {
            name: user.nickname,
            phone: phone.map(|phone| phone.to_string()),
            gender: user.gender.map(|gender| match gender {
                Gender::Male => GenderDigit::Male,
                Gender::Female => GenderDigit::Female,
            }),
            avator: user.avatar.map(url),
            large_avator: user.large_avatar.map(url),
            email: user.email.map(|email| email.as_str().to_owned()),
        })
    }
}
