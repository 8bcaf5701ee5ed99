use shared::wire::{dialect::A, operation::*, values::GalleryNumber};

/// Delete a gallery of the caller's with all its pictures (ours, beside document A).
///
/// It is gone for everybody at once. A repeat succeeds, and finishes what a crash may have left.
#[derive(Deserialize, JsonSchema)]
pub struct UserPicDirDelete {
    pic_dir_id: GalleryNumber,
}

impl Operation for UserPicDirDelete {
    type Dialect = A;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/user/pic_dir/delete");

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        app.delete_gallery(caller, self.pic_dir_id.0).await?;
        Ok(Done {})
    }
}
