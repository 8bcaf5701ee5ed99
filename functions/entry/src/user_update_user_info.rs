use shared::{
    store::Changes,
    wire::{dialect::E, operation::*, values::is_nickname},
};

/// Change the caller's nickname (document E, 3).
#[derive(Deserialize, JsonSchema, Validate)]
pub struct UserUpdateUserInfo {
    /// Up to 64 characters.
    #[garde(length(chars, min = 1, max = 64), custom(is_nickname))]
    nickname: String,
}

impl Operation for UserUpdateUserInfo {
    type Dialect = E;
    type Caller = SignedIn;
    type Response = Nothing;
    const ROUTE: Route = Route::put("/user/update_user_info");

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Nothing, Refusal> {
        let changes = Changes { nickname: Some(self.nickname), ..Changes::default() };
        app.store.change_profile(caller, changes).await?;
        Ok(Nothing::DONE)
    }
}
