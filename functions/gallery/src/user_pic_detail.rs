use shared::{
    domain::MediaId,
    wire::{
        dialect::A,
        operation::*,
        values::{GalleryNumber, PictureNumber, PictureUrl, UserNumber},
    },
};

use crate::shown::ShownPicture;

/// Read a picture, with its gallery and its owner's other galleries (document A, 2). For everybody.
#[derive(Deserialize, JsonSchema)]
pub struct UserPicDetail {
    pic_id: PictureNumber,
}

#[derive(Serialize, JsonSchema)]
pub struct PictureDetail {
    user_id: UserNumber,
    /// The owner's nickname.
    username: String,
    /// The owner's intro.
    desc: Option<String>,
    /// 1 where the owner looks for work.
    job_status: u8,
    pic_url: PictureUrl,
    pic_dir_name: String,
    pic_dir_id: GalleryNumber,
    /// The gallery that the picture is in.
    pic_dir_pic_list: OtherGallery,
    /// The owner's other galleries.
    pic_dir_other_list: Others,
}

#[derive(Serialize, JsonSchema)]
pub struct OtherGallery {
    /// All of its pictures.
    count: u64,
    /// The first nine.
    list: Vec<ShownPicture>,
}

#[derive(Serialize, JsonSchema)]
pub struct Others {
    count: usize,
    list: Vec<Other>,
}

#[derive(Serialize, JsonSchema)]
pub struct Other {
    pic_dir_id: GalleryNumber,
    /// Its first picture; null while it is empty.
    pic_dir_url: Option<PictureUrl>,
}

/// Pictures of the gallery that the page shows.
const SHOWN: usize = 9;

impl Operation for UserPicDetail {
    type Dialect = A;
    type Caller = Anyone;
    type Response = PictureDetail;
    const ROUTE: Route = Route::get("/user/pic/detail");

    async fn handle(self, Anyone: Anyone, app: &App) -> Result<PictureDetail, Refusal> {
        let gone = || Refusal::NoSuch(Thing::Picture);
        let picture = app.store.picture(self.pic_id.0).await?.ok_or_else(gone)?;
        let (owner, first, galleries) = tokio::try_join!(
            app.store.profile(picture.owner),
            app.store.pictures_of(picture.gallery, SHOWN),
            app.store.galleries_of(picture.owner)
        )?;
        let (owner, first) = (owner.ok_or_else(gone)?, first.ok_or_else(gone)?);
        let (own, others): (Vec<_>, Vec<_>) = galleries.into_iter().partition(|gallery| gallery.id == picture.gallery);
        let gallery = own.into_iter().next().ok_or_else(gone)?;
        let url = |id: &MediaId| PictureUrl::of(app, id);
        let other = |gallery: &shared::store::Gallery| Other {
            pic_dir_id: GalleryNumber(gallery.id),
            pic_dir_url: gallery.cover.as_ref().map(url),
        };
        Ok(PictureDetail {
            user_id: UserNumber(owner.id),
            username: owner.nickname,
            desc: owner.intro,
            job_status: owner.job_status,
            pic_url: url(&picture.media),
            pic_dir_name: gallery.title,
            pic_dir_id: GalleryNumber(gallery.id),
            pic_dir_pic_list: OtherGallery {
                count: gallery.pictures,
                list: first.iter().map(|picture| ShownPicture::of(app, picture)).collect(),
            },
            pic_dir_other_list: Others { count: others.len(), list: others.iter().map(other).collect() },
        })
    }
}
