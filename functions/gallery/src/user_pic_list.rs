use shared::{
    store::GalleryPicture,
    wire::{
        dialect::A,
        operation::*,
        values::{PictureNumber, PictureUrl, Whole},
    },
};

/// Read the wall: all users' pictures, newest first (document A, 1). For everybody.
#[derive(Deserialize, JsonSchema)]
pub struct UserPicList {
    /// How many, at most.
    #[schemars(extend("default" = 20))]
    limit: Option<Whole<usize, 1, 100>>,
    /// Where to go on: `next_cursor` of the page before.
    cursor: Option<PictureNumber>,
}

#[derive(Serialize, JsonSchema)]
pub struct Wall {
    list: Vec<WallPicture>,
    /// The `cursor` of the next page; null on the last one.
    next_cursor: Option<PictureNumber>,
}

#[derive(Serialize, JsonSchema)]
pub struct WallPicture {
    url: PictureUrl,
    pic_id: PictureNumber,
}

impl Operation for UserPicList {
    type Dialect = A;
    type Caller = Anyone;
    type Response = Wall;
    const ROUTE: Route = Route::get("/user/pic/list");

    async fn handle(self, Anyone: Anyone, app: &App) -> Result<Wall, Refusal> {
        let limit = self.limit.map_or(20, |limit| limit.0);
        let pictures = app.store.wall(self.cursor.map(|cursor| cursor.0), limit).await?;
        let next_cursor = (pictures.len() > limit).then(|| PictureNumber(pictures[limit - 1].id));
        let show = |picture: &GalleryPicture| WallPicture {
            url: PictureUrl::of(app, &picture.media),
            pic_id: PictureNumber(picture.id),
        };
        Ok(Wall { list: pictures.iter().take(limit).map(show).collect(), next_cursor })
    }
}
