//! A user's avatar: in the bucket, and named by the profile.
use bytes::Bytes;

use super::App;
use crate::{
    domain::{
        MediaId, Refusal, UserId,
        picture::{AVATAR, LARGE_AVATAR, Picture},
    },
    off_thread,
    store::{Changes, Profile},
};

impl App {
    /// Checks a picture and makes it the user's avatar, in two sizes. `field` is its name in the request.
    /// 3300 to 3302 where it is none that we take.
    pub async fn set_avatar(&self, user: UserId, picture: Bytes, field: &'static str) -> Result<Profile, Refusal> {
        let sizes = move || Ok(Picture::open(&picture, field)?.fit([LARGE_AVATAR, AVATAR]));
        let [large, small] = off_thread(sizes).await?;
        let ids = [&large, &small].map(|picture| MediaId::fresh(&self.system, picture.format.extension()));
        // That they are the user's is known before they are there: whoever leaves finds them. And both are there before
        // the profile names them.
        self.store.own_files(user, &ids).await?;
        let media = self.media();
        tokio::try_join!(media.publish_picture(&ids[0], large), media.publish_picture(&ids[1], small))?;
        let [large, small] = ids;
        let changes = Changes { avatar: Some(small), large_avatar: Some(large), ..Changes::default() };
        self.store.change_profile(user, changes).await
    }
}
