//! Banners as document D shows them.
use schemars::JsonSchema;
use serde::Serialize;

use super::values::MediaKey;
use crate::store::Banner;

#[derive(Clone, Serialize, JsonSchema)]
pub struct ShownBanner {
    banner_id: u64,
    image: MediaKey,
    /// Where it leads.
    url: String,
}

impl From<Banner> for ShownBanner {
    fn from(banner: Banner) -> Self {
        Self { banner_id: banner.banner_id, image: MediaKey(banner.image), url: banner.url }
    }
}
