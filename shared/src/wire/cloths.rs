//! Clothes as document D shows them.
use schemars::JsonSchema;
use serde::Serialize;

use super::values::{ClothNumber, MediaKey};
use crate::store::{ClothView, Content};

/// A piece of clothing, as the caller sees it.
#[derive(Serialize, JsonSchema)]
pub struct ShownCloth {
    cloth_id: ClothNumber,
    name: String,
    image: MediaKey,
    intro: String,
    /// In fen.
    price: u64,
    dynasty: u32,
    /// Milliseconds since 1970.
    created_at: u64,
    is_collect: bool,
}

impl From<ClothView> for ShownCloth {
    fn from(seen: ClothView) -> Self {
        let Content { record, created_at, .. } = seen.cloth;
        Self {
            cloth_id: ClothNumber(record.cloth_id),
            name: record.name,
            image: MediaKey(record.image),
            intro: record.intro,
            price: record.price,
            dynasty: record.dynasty,
            created_at,
            is_collect: seen.is_collect,
        }
    }
}
