use shared::{
    store::MOST_PICTURES,
    wire::{dialect::A, operation::*, values::GalleryNumber},
};

use crate::shown::ShownPicture;

/// Read all pictures of a gallery, in the order they came (document A, 3). For everybody.
#[derive(Deserialize, JsonSchema)]
pub struct UserPicDirPicList {
    pic_dir_id: GalleryNumber,
}

#[derive(Serialize, JsonSchema)]
pub struct Pictures {
    list: Vec<ShownPicture>,
}

impl Operation for UserPicDirPicList {
    type Dialect = A;
    type Caller = Anyone;
    type Response = Pictures;
    const ROUTE: Route = Route::get("/user/pic_dir/pic/list");

    async fn handle(self, Anyone: Anyone, app: &App) -> Result<Pictures, Refusal> {
        let pictures = app.store.pictures_of(self.pic_dir_id.0, MOST_PICTURES).await?;
        let pictures = pictures.ok_or(Refusal::NoSuch(Thing::Gallery))?;
        Ok(Pictures { list: pictures.iter().map(|picture| ShownPicture::of(app, picture)).collect() })
    }
}
