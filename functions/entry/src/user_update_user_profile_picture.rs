use shared::wire::{dialect::E, operation::*, values::UploadedFile};

/// Replace the caller's avatar (document E, 4).
///
/// JPEG, PNG, WebP or GIF by content, whatever its name; at most 4 MiB and 40 megapixels, at least 64 pixels each
/// side. It is turned upright and its metadata is dropped.
#[derive(Deserialize, JsonSchema)]
pub struct UserUpdateUserProfilePicture {
    /// The picture.
    file: UploadedFile,
}

impl Operation for UserUpdateUserProfilePicture {
    type Dialect = E;
    type Caller = SignedIn;
    type Response = Nothing;
    const ROUTE: Route = Route::put("/user/update_user_profile_picture");
    const REFUSES: &'static [Refusal] = &Refusal::of_image("file");
    const LIMIT: Option<Limit> = Some(Limit::Uploads);

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Nothing, Refusal> {
        app.set_avatar(caller, self.file.0, "file").await?;
        Ok(Nothing::DONE)
    }
}
