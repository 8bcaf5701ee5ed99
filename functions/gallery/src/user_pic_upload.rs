use shared::{
    domain::picture::{GALLERY, Picture},
    off_thread,
    wire::{
        dialect::A,
        operation::*,
        values::{GalleryNumber, PictureNumber, PictureUrl, UploadedFile},
    },
};

/// Put a picture into a gallery of the caller's (ours, beside document A). At most 500 a gallery.
///
/// JPEG, PNG, WebP or GIF by content, whatever its name; at most 4 MiB and 40 megapixels, at least 64 pixels each
/// side. It is turned upright, its metadata is dropped, and it is made no larger than 2048 pixels each side.
#[derive(Deserialize, JsonSchema)]
pub struct UserPicUpload {
    /// The picture.
    image: UploadedFile,
    pic_dir_id: GalleryNumber,
}

#[derive(Serialize, JsonSchema)]
pub struct Uploaded {
    pic_id: PictureNumber,
    url: PictureUrl,
}

impl Operation for UserPicUpload {
    type Dialect = A;
    type Caller = SignedIn;
    type Response = Uploaded;
    const ROUTE: Route = Route::post("/user/pic/upload");
    const REFUSES: &'static [Refusal] = &Refusal::of_image("image");
    const LIMIT: Option<Limit> = Some(Limit::Uploads);

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Uploaded, Refusal> {
        let gallery = app.store.own_gallery(caller, self.pic_dir_id.0).await?;
        let [picture] = off_thread(move || Ok(Picture::open(&self.image.0, "image")?.fit([GALLERY]))).await?;
        let media = app.new_picture(caller, picture).await?;
        let added = app.store.add_picture(caller, gallery, media.clone()).await;
        if let Err(Refusal::NoSuch(_) | Refusal::Conflict(_)) = added {
            // Nothing leads to it. After any other failure something may: if not, it goes as what nothing uses.
            let _ = app.store.forget_files(&[(caller, media.clone())]).await;
        }
        let added = added.map_err(Refusal::of("pic_dir_id"))?;
        Ok(Uploaded { pic_id: PictureNumber(added), url: PictureUrl::of(app, &media) })
    }
}
