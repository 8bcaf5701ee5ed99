use shared::{
    domain::{Account, LockedBy, Password},
    wire::{
        dialect::E,
        operation::*,
        values::{PictureUrl, Typed},
    },
};

/// Log in with an account and the MD5 of its password (document E, 1).
///
/// Five wrong passwords within 15 minutes lock password login for 15 minutes, in every document.
#[derive(Deserialize, JsonSchema)]
pub struct Login {
    /// A phone (of country 86 the bare number, else `+`, country code and number), an e-mail address or a user name.
    username: Typed,
    /// The MD5 of the password: 32 hexadecimal digits.
    password: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoginResult {
    nickname: String,
    profile_picture: Option<PictureUrl>,
    /// Send it as `Authorization` from now on.
    token: String,
    /// The user name, or the phone where there is none.
    username: Option<String>,
}

impl Operation for Login {
    type Dialect = E;
    type Caller = Anyone;
    type Response = LoginResult;
    const ROUTE: Route = Route::post("/login");
    const REFUSES: &'static [Refusal] = &[Refusal::WrongPassword, Refusal::Locked(LockedBy::WrongPasswords)];

    async fn handle(self, Anyone: Anyone, app: &App) -> Result<LoginResult, Refusal> {
        let password = Password::md5(&self.password)?;
        let user = app.store.log_in_by_password(&Account::parse(&self.username.0), password).await?;
        let (token, _) = app.new_token(&user)?;
        let username = app.store.username(&user.profile).await?;
        let profile_picture = user.profile.avatar.map(|id| PictureUrl::of(app, &id));
        Ok(LoginResult { nickname: user.profile.nickname, profile_picture, token, username })
    }
}
