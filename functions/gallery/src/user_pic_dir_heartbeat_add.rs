use shared::wire::{dialect::A, operation::*, values::GalleryNumber};

/// Give a gallery a heart (ours, beside document A). May be repeated.
#[derive(Deserialize, JsonSchema)]
pub struct UserPicDirHeartbeatAdd {
    pic_dir_id: GalleryNumber,
}

impl Operation for UserPicDirHeartbeatAdd {
    type Dialect = A;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/user/pic_dir/heartbeat/add");
    const LIMIT: Option<Limit> = Some(Limit::Marks);

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        app.store.give_heart(caller, self.pic_dir_id.0).await?;
        Ok(Done {})
    }
}
