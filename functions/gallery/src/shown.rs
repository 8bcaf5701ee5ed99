use shared::{
    App,
    store::GalleryPicture,
    wire::{
        operation::{JsonSchema, Serialize},
        values::{PictureNumber, PictureUrl},
    },
};

/// A picture as it stands in lists of a gallery.
#[derive(Serialize, JsonSchema)]
pub struct ShownPicture {
    pic_url: PictureUrl,
    pic_id: PictureNumber,
}

impl ShownPicture {
    pub fn of(app: &App, picture: &GalleryPicture) -> Self {
        Self { pic_url: PictureUrl::of(app, &picture.media), pic_id: PictureNumber(picture.id) }
    }
}
