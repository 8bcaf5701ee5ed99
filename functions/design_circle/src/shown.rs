//! Clothes as document D shows them.
use schemars::JsonSchema;
use serde::Serialize;
use shared::{
    store::ClothView,
    wire::values::{ClothNumber, MediaKey},
};

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
        let cloth = seen.cloth.record;
        Self {
            cloth_id: ClothNumber(cloth.cloth_id),
            name: cloth.name,
            image: MediaKey(cloth.image),
            intro: cloth.intro,
            price: cloth.price,
            dynasty: cloth.dynasty,
            created_at: seen.cloth.created_at,
            is_collect: seen.is_collect,
        }
    }
}
