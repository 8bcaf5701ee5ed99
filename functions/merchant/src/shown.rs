//! Merchants and their clothes as document D shows them.
use schemars::JsonSchema;
use serde::Serialize;
use shared::{
    store::{ClothView, Merchant, Seen},
    wire::{
        cloths::ShownCloth,
        values::{MediaKey, MerchantHex},
    },
};

/// A merchant beside a piece of theirs.
#[derive(Serialize, JsonSchema)]
pub struct SeenMerchant {
    merchant_id: MerchantHex,
    name: String,
    logo: MediaKey,
    intro: String,
    address: String,
    /// Whether the caller follows them.
    is_follow: bool,
}

impl From<Seen<Merchant>> for SeenMerchant {
    fn from(seen: Seen<Merchant>) -> Self {
        let merchant = seen.content.record;
        Self {
            merchant_id: MerchantHex(merchant.merchant_id),
            name: merchant.name,
            logo: MediaKey(merchant.logo),
            intro: merchant.intro,
            address: merchant.address,
            is_follow: seen.is_follow,
        }
    }
}

/// A piece of clothing with its merchant.
#[derive(Serialize, JsonSchema)]
pub struct ListedCloth {
    #[serde(flatten)]
    cloth: ShownCloth,
    merchant: SeenMerchant,
}

impl From<(ClothView, Seen<Merchant>)> for ListedCloth {
    fn from((cloth, merchant): (ClothView, Seen<Merchant>)) -> Self {
        Self { cloth: cloth.into(), merchant: merchant.into() }
    }
}
