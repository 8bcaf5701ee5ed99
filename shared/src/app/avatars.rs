//! A user's avatar: in the bucket, and named by the profile.
use bytes::Bytes;

use super::App;
use crate::{
    domain::{
        Refusal, UserId,
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
        // Both are there before the profile names them; to what a failure leaves behind nothing leads.
        let media = self.media();
        let (large, small) = tokio::try_join!(media.publish(large), media.publish(small))?;
        let changes = Changes { avatar: Some(small), large_avatar: Some(large), ..Changes::default() };
        self.store.change_profile(user, changes).await
    }
}
