//! Merchants, who sell clothes.
use serde::{Deserialize, Serialize};

use super::{
    cloths::{Cloth, ClothEntry},
    contents::{Content, Record},
    keys::{self, Key},
    table::{Range, Store},
};
use crate::domain::{MediaId, MerchantId, Millis, Page, Refusal, UserId};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Merchant {
    pub merchant_id: MerchantId,
    pub name: String,
    pub logo: MediaId,
    pub intro: String,
    pub address: String,
    pub phone: String,
    pub email: String,
}

impl Record for Merchant {
    fn head(&self) -> Key {
        keys::followee_head(self.merchant_id.into())
    }

    fn counts(&self) -> Key {
        keys::counts(self.merchant_id)
    }

    /// No list shows them but their followers' own.
    fn places(&self, _: Millis) -> Vec<Key> {
        vec![]
    }

    async fn take_along(&self, store: &Store, withdrawn: bool) -> Result<(), Refusal> {
        let clothes = Range::new(keys::followee(self.merchant_id.into()), keys::MERCHANT_CLOTH);
        let clothes: Vec<ClothEntry> = store.items(clothes, Page::first(usize::MAX)).await?;
        let heads = clothes.iter().map(|entry| keys::head(entry.cloth)).collect();
        store.take_content_along::<Cloth>(heads, withdrawn).await
    }
}

impl Store {
    /// A page of the merchants whom a user follows, the last followed first, those left out that are withdrawn. Two
    /// rounds.
    pub async fn followed_merchants(&self, of: UserId, page: Page) -> Result<Vec<Content<Merchant>>, Refusal> {
        self.followed_contents(of, keys::FOLLOWING_MERCHANT, page).await
    }
}
