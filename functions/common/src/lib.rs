//! Document D: what belongs to no single part of the community.
mod current_time;
mod get_media_id;
mod home_banner;

use shared::wire::operation::Operations;

/// Adds what this function serves.
pub fn operations<L: Operations>(list: L) -> L {
    list.add::<current_time::CurrentTime>().add::<get_media_id::GetMediaId>().add::<home_banner::HomeBanner>()
}
