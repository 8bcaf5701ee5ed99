use shared::wire::{dialect::A, operation::*, values::GalleryNumber};

/// Take a heart back (ours, beside document A). May be repeated.
#[derive(Deserialize, JsonSchema)]
pub struct UserPicDirHeartbeatRemove {
    pic_dir_id: GalleryNumber,
}

impl Operation for UserPicDirHeartbeatRemove {
    type Dialect = A;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/user/pic_dir/heartbeat/remove");

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        app.store.take_heart(caller, self.pic_dir_id.0).await?;
        Ok(Done {})
    }
}
