use shared::wire::{
    dialect::C,
    operation::*,
    values::{PictureUrl, UploadedFile},
};

/// Replace the caller's avatar (document C, 3.3).
///
/// JPEG, PNG, WebP or GIF by content, whatever its name; at most 4 MiB and 40 megapixels, at least 64 pixels each
/// side. It is turned upright, its metadata (place and camera among them) is dropped, and two sizes are kept.
#[derive(Deserialize, JsonSchema)]
pub struct UserUpdateAvator {
    /// The picture.
    image: UploadedFile,
}

#[derive(Serialize, JsonSchema)]
pub struct Avator {
    /// The small size: at most 160 pixels each side.
    avator: Option<PictureUrl>,
    /// The large size: at most 640 pixels each side.
    large_avator: Option<PictureUrl>,
}

impl Operation for UserUpdateAvator {
    type Dialect = C;
    type Caller = SignedIn;
    type Response = Avator;
    const ROUTE: Route = Route::post("/user/update_avator");
    const REFUSES: &'static [Refusal] = &Refusal::of_image("image");
    const LIMIT: Option<Limit> = Some(Limit::Uploads);

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Avator, Refusal> {
        let user = app.set_avatar(caller, self.image.0, "image").await?;
        let url = |id| PictureUrl::of(app, &id);
        Ok(Avator { avator: user.avatar.map(url), large_avator: user.large_avatar.map(url) })
    }
}
