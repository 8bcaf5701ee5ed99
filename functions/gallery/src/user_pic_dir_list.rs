use shared::wire::{
    dialect::A,
    operation::*,
    values::{GalleryNumber, NamedUser, PictureUrl},
};

/// Read a user's galleries, in the order they were made (document A, 4). For everybody.
#[derive(Deserialize, JsonSchema)]
pub struct UserPicDirList {
    user_id: NamedUser,
}

#[derive(Serialize, JsonSchema)]
pub struct Galleries {
    list: Vec<ListedGallery>,
}

#[derive(Serialize, JsonSchema)]
pub struct ListedGallery {
    /// Its first picture; null while it is empty.
    pic_url: Option<PictureUrl>,
    name: String,
    /// Pictures in it.
    count: u64,
    pic_dir_id: GalleryNumber,
}

impl Operation for UserPicDirList {
    type Dialect = A;
    type Caller = Anyone;
    type Response = Galleries;
    const ROUTE: Route = Route::get("/user/pic_dir/list");

    async fn handle(self, Anyone: Anyone, app: &App) -> Result<Galleries, Refusal> {
        let user = self.user_id.0;
        let (profile, galleries) = tokio::try_join!(app.store.profile(user), app.store.galleries_of(user))?;
        profile.ok_or(Refusal::NoSuch(Thing::User))?;
        let show = |gallery: shared::store::Gallery| ListedGallery {
            pic_url: gallery.cover.map(|id| PictureUrl::of(app, &id)),
            name: gallery.title,
            count: gallery.pictures,
            pic_dir_id: GalleryNumber(gallery.id),
        };
        Ok(Galleries { list: galleries.into_iter().map(show).collect() })
    }
}
