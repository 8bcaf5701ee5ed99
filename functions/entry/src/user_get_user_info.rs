use shared::wire::{dialect::E, operation::*, values::PictureUrl};

/// Read the caller's own profile (document E, 5).
#[derive(Deserialize, JsonSchema)]
pub struct UserGetUserInfo {}

#[derive(Serialize, JsonSchema)]
pub struct EntryUserInfo {
    /// The user name, or the phone where there is none.
    username: Option<String>,
    nickname: String,
    profile_picture: Option<PictureUrl>,
}

impl Operation for UserGetUserInfo {
    type Dialect = E;
    type Caller = Reader;
    type Response = EntryUserInfo;
    const ROUTE: Route = Route::get("/user/get_user_info");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<EntryUserInfo, Refusal> {
        let user = app.store.profile(caller).await?.ok_or(Refusal::NotSignedIn)?;
        let username = app.store.username(&user).await?;
        let profile_picture = user.avatar.map(|id| PictureUrl::of(app, &id));
        Ok(EntryUserInfo { username, nickname: user.nickname, profile_picture })
    }
}
