use shared::{
    store::Changes,
    wire::{dialect::E, operation::*, values::Nickname},
};

/// Change the caller's nickname (document E, 3).
#[derive(Deserialize, JsonSchema)]
pub struct UserUpdateUserInfo {
    /// Up to 64 characters.
    nickname: Nickname,
}

impl Operation for UserUpdateUserInfo {
    type Dialect = E;
    type Caller = SignedIn;
    type Response = Nothing;
    const ROUTE: Route = Route::put("/user/update_user_info");

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Nothing, Refusal> {
        let changes = Changes { nickname: Some(self.nickname.0), ..Changes::default() };
        app.store.change_profile(caller, changes).await?;
        Ok(Nothing::DONE)
    }
}
