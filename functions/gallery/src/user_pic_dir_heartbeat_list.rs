use shared::wire::{
    dialect::A,
    operation::*,
    values::{GalleryNumber, NamedUser},
};

/// Read the ids of the galleries that a user gave a heart, the newest gallery first (document A, 5). For everybody.
///
/// Up to 1,000; a gallery that is deleted goes from the list some moments later.
#[derive(Deserialize, JsonSchema)]
pub struct UserPicDirHeartbeatList {
    user_id: NamedUser,
}

#[derive(Serialize, JsonSchema)]
pub struct Hearts {
    list: Vec<GalleryNumber>,
}

impl Operation for UserPicDirHeartbeatList {
    type Dialect = A;
    type Caller = Anyone;
    type Response = Hearts;
    const ROUTE: Route = Route::get("/user/pic_dir/heartbeat/list");

    async fn handle(self, Anyone: Anyone, app: &App) -> Result<Hearts, Refusal> {
        let user = self.user_id.0;
        let (profile, hearts) = tokio::try_join!(app.store.profile(user), app.store.hearts_of(user))?;
        profile.ok_or(Refusal::NoSuch(Thing::User))?;
        Ok(Hearts { list: hearts.into_iter().map(GalleryNumber).collect() })
    }
}
