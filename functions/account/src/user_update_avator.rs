use shared::{
    aside,
    domain::picture::{AVATAR, LARGE_AVATAR, Picture},
    store::Changes,
    wire::{
        dialect::C,
        operation::*,
        values::{PictureUrl, Upload},
    },
};

/// Replace the caller's avatar.
///
/// JPEG, PNG, WebP or GIF by content, whatever its name; at most 4 MiB and 40 megapixels, at least 64 pixels each
/// side. It is turned upright, its metadata (place and camera among them) is dropped, and two sizes are kept.
#[derive(Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct UserUpdateAvator {
    /// The picture.
    image: Upload,
}

#[derive(Serialize, JsonSchema)]
pub struct Avator {
    /// The small size: at most 160 pixels each side.
    avator: PictureUrl,
    /// The large size: at most 640 pixels each side.
    large_avator: PictureUrl,
}

impl Operation for UserUpdateAvator {
    type Dialect = C;
    type Caller = SignedIn;
    type Response = Avator;
    const ROUTE: Route = Route::post("/user/update_avator");
    const REFUSES: &'static [Refusal] =
        &[Refusal::ImageFormat("image"), Refusal::ImageTooLarge("image"), Refusal::ImageTooSmall("image")];

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Avator, Refusal> {
        let sizes = move || Ok(Picture::open(&self.image.0, "image")?.fit([LARGE_AVATAR, AVATAR]));
        let [large, small] = aside(sizes).await?;
        let media = app.media();
        // Both are there before the profile names them; what a failure leaves behind nothing leads to.
        let (large, small) = tokio::try_join!(media.publish(large), media.publish(small))?;
        let (avator, large_avator) = (PictureUrl(media.url(&small)), PictureUrl(media.url(&large)));
        let changes = Changes { avatar: Some(small), large_avatar: Some(large), ..Changes::default() };
        app.store.change_profile(caller.user, changes).await?;
        Ok(Avator { avator, large_avator })
    }
}
