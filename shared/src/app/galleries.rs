//! Galleries: in the table, and their pictures in the bucket.
use super::App;
use crate::domain::{GalleryId, Refusal, UserId};

impl App {
    /// Deletes a gallery with all its pictures; what is gone already is fine, 403 where it is somebody else's. It is gone
    /// for everybody at once, and a repeat finishes what broke off.
    pub async fn delete_gallery(&self, owner: UserId, id: GalleryId) -> Result<(), Refusal> {
        let pictures = self.store.close_gallery(owner, id).await?;
        let objects: Vec<_> = pictures.iter().map(|picture| picture.media.clone()).collect();
        self.media().withdraw(&objects).await?;
        self.store.drop_gallery(owner, id, &pictures).await
    }
}
