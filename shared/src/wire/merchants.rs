//! Merchants as document D shows them.
use schemars::JsonSchema;
use serde::Serialize;

use super::values::{MediaKey, MerchantHex};
use crate::store::{Content, Merchant};

/// All that is shown of a merchant.
#[derive(Serialize, JsonSchema)]
pub struct MerchantCard {
    merchant_id: MerchantHex,
    name: String,
    logo: MediaKey,
    intro: String,
    address: String,
    phone: String,
    email: String,
    /// Milliseconds since 1970.
    created_at: u64,
}

impl From<Content<Merchant>> for MerchantCard {
    fn from(merchant: Content<Merchant>) -> Self {
        let Content { record, created_at, .. } = merchant;
        Self {
            merchant_id: MerchantHex(record.merchant_id),
            name: record.name,
            logo: MediaKey(record.logo),
            intro: record.intro,
            address: record.address,
            phone: record.phone,
            email: record.email,
            created_at,
        }
    }
}
