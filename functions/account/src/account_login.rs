use shared::{
    domain::{Account, Gender, LockedBy, Password},
    outside::Provider,
    wire::{
        dialect::{C, Number},
        operation::*,
        values::{PictureUrl, Typed, UserNumber},
    },
};

/// Log in with an account and a password, or through a third party (document C, 3.1).
///
/// A third party's `token` is proved there to be for our app and this `openid`; the first time makes a user. Five
/// wrong passwords within 15 minutes lock password login for 15 minutes, whatever the account was called by; other
/// ways to log in still work. An unknown account is answered like a wrong password.
#[derive(Deserialize, JsonSchema)]
pub struct AccountLogin {
    user_type: UserType,
    /// The third party's access token. With `user_type` 2 to 4.
    token: Option<String>,
    /// The third party's name for the user. With `user_type` 2 to 4.
    openid: Option<String>,
    /// With `user_type` 1: a phone (of country 86 the bare number, else `+`, country code and number), an e-mail
    /// address or a user name.
    account: Option<Typed>,
    /// With `user_type` 1.
    password: Option<String>,
}

/// How to log in: 1 account and password, 2 QQ, 3 WeChat, 4 Weibo.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
pub enum UserType {
    #[serde(rename = "1")]
    Password,
    #[serde(rename = "2")]
    Qq,
    #[serde(rename = "3")]
    WeChat,
    #[serde(rename = "4")]
    Weibo,
}

#[derive(Serialize, JsonSchema)]
pub struct LoggedIn {
    user_info: LoginUserInfo,
}

#[derive(Serialize, JsonSchema)]
pub struct LoginUserInfo {
    uid: UserNumber,
    /// What the user logged in with; through a third party, their phone or e-mail if they have one.
    account: Option<String>,
    /// The nickname.
    name: String,
    /// 1 male, 0 female.
    gender: Option<u8>,
    /// As in the request.
    user_type: u8,
    /// 1 normal, 2 locked.
    user_status: u8,
    /// The avatar, small.
    avator: Option<PictureUrl>,
    /// The avatar, large.
    large_avator: Option<PictureUrl>,
    /// Send it as `Authorization` from now on.
    token: String,
    /// When the token ends: seconds since 1970.
    expires: u64,
    /// The number without its country code.
    phone: Option<u64>,
    email: Option<String>,
    /// 1 where this login made the user.
    is_new_user: u8,
}

impl Operation for AccountLogin {
    type Dialect = C<Number>;
    type Caller = Anyone;
    type Response = LoggedIn;
    const ROUTE: Route = Route::post("/user/login");
    const REFUSES: &'static [Refusal] = &[Refusal::WrongPassword, Refusal::Locked(LockedBy::WrongPasswords)];

    async fn handle(self, Anyone: Anyone, app: &App) -> Result<LoggedIn, Refusal> {
        let given = |value: Option<String>, name: &str| value.ok_or_else(|| Refusal::missing(name));
        let provider = match self.user_type {
            UserType::Password => None,
            UserType::Qq => Some(Provider::Qq),
            UserType::WeChat => Some(Provider::WeChat),
            UserType::Weibo => Some(Provider::Weibo),
        };
        let (user, account, is_new) = match provider {
            None => {
                let account = given(self.account.map(|account| account.0), "account")?;
                let password = Password::typed(&given(self.password, "password")?);
                (app.store.log_in_by_password(&Account::parse(&account), password).await?, Some(account), false)
            }
            Some(provider) => {
                let (openid, token) = (given(self.openid, "openid")?, given(self.token, "token")?);
                app.providers().prove(provider, &openid, &token).await?;
                let (user, is_new) = app.store.user_of_third_party(provider.name(), &openid).await?;
                (app.store.log_in_vouched(user).await?, None, is_new)
            }
        };
        let (token, expires) = app.new_token(&user)?;
        let phone = app.store.shown_phone(&user.profile).await?;
        let user = user.profile;
        let email = user.email.map(|email| email.as_str().to_owned());
        let url = |id| PictureUrl::of(app, &id);
        Ok(LoggedIn {
            user_info: LoginUserInfo {
                uid: UserNumber(user.id),
                account: account.or_else(|| phone.as_ref().map(|phone| phone.to_string())).or_else(|| email.clone()),
                name: user.nickname,
                gender: user.gender.map(|gender| u8::from(gender == Gender::Male)),
                user_type: self.user_type as u8 + 1,
                // Whoever is locked is not let in.
                user_status: 1,
                avator: user.avatar.map(url),
                large_avator: user.large_avatar.map(url),
                token,
                expires: expires / 1000,
                phone: phone.and_then(|phone| phone.number().parse().ok()),
                email,
                is_new_user: u8::from(is_new),
            },
        })
    }
}
