use shared::{
    domain::MediaKind,
    wire::{dialect::D, operation::*, values::MediaKey},
};

/// Name a file that the caller is about to upload (document D).
///
/// PUT the file to `upload_url` within 15 minutes; no header is needed, and any Content-Type will do. From then on other
/// operations take the id. It is served under the media base URL once it was checked, as what it is: an image may be of
/// any of the four kinds, whichever was asked for, and a film MP4 or QuickTime. Images are turned upright, stripped of
/// metadata and made no larger than 2048 pixels each side, WebP and GIF pictures become a JPEG or PNG one; audio and
/// video stay as they are. What is larger than its kind may be (images 10 MiB and 40 megapixels, audio 20 MiB, video
/// 200 MiB), cut off or not what it says is removed, and so is what nobody uploads within a day, and what
/// comes when the caller has put as many bytes there as an operator allows a day. What an id names never
/// changes: for another file ask for another id.
#[derive(Deserialize, JsonSchema)]
pub struct GetMediaId {
    /// What the file is.
    #[serde(default = "jpeg")]
    #[schemars(extend("enum" = MediaKind::content_types().collect::<Vec<_>>()))]
    content_type: String,
}

fn jpeg() -> String {
    MediaKind::Jpeg.content_type().into()
}

#[derive(Serialize, JsonSchema)]
pub struct NewMedia {
    media_id: MediaKey,
    /// Where to PUT the file.
    #[schemars(extend("format" = "uri"))]
    upload_url: String,
}

impl Operation for GetMediaId {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = NewMedia;
    const ROUTE: Route = Route::post("/get_media_id");
    const LIMIT: Option<Limit> = Some(Limit::Uploads);

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<NewMedia, Refusal> {
        let Some(kind) = MediaKind::of_content_type(&self.content_type) else {
            let known = MediaKind::content_types().collect::<Vec<_>>().join(", ");
            return Err(Refusal::malformed(
                "content_type",
                words!("one of {known}", "应为 {known} 之一", known = known),
            ));
        };
        let id = app.store.new_media(caller, kind).await?;
        let upload_url = app.media().upload_url(&id).await?;
        Ok(NewMedia { media_id: MediaKey(id), upload_url })
    }
}
