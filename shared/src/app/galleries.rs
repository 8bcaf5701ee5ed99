//! Galleries: in the table, and their pictures in the bucket.
use super::App;
use crate::domain::{GalleryId, MediaId, Refusal, UserId, picture::Rendition};

impl App {
    /// Serves a picture of a user's from now on, which is to come into a gallery: until then it is a file that nothing uses.
    pub async fn new_picture(&self, owner: UserId, picture: Rendition) -> Result<MediaId, Refusal> {
        let id = MediaId::fresh(&self.system, picture.format.extension());
        self.store.own_picture_file(owner, &id).await?;
        self.media().publish_picture(&id, picture).await?;
        Ok(id)
    }

    /// Deletes a gallery with all its pictures; what is gone already is fine, 403 where it is somebody else's. It is gone
    /// for everybody at once, and a repeat finishes what broke off.
    pub async fn delete_gallery(&self, owner: UserId, id: GalleryId) -> Result<(), Refusal> {
        let pictures = self.store.close_gallery(owner, id).await?;
        let objects: Vec<_> = pictures.iter().map(|picture| picture.media.clone()).collect();
        self.media().withdraw(&objects).await?;
        self.store.drop_gallery(owner, id, &pictures).await
    }
}
