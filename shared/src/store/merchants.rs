//! Merchants, who sell clothes.
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{
    contents::{Content, Record},
    keys::{self, Key},
    table::Store,
};
use crate::domain::{Followee, MediaId, MerchantId, Millis, Page, Refusal, UserId};

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

/// A merchant as somebody sees them.
#[derive(Clone)]
pub struct MerchantView {
    pub merchant: Content<Merchant>,
    pub is_follow: bool,
}

impl Record for Merchant {
    fn head(&self) -> Key {
        keys::followee_head(self.merchant_id.into())
    }

    /// No list shows them but their followers' own.
    fn places(&self, _: Millis) -> Vec<Key> {
        vec![]
    }
}

impl Store {
    /// Merchants, withdrawn or not, as somebody sees them, by their ids. One round.
    pub(super) async fn merchant_views(
        &self,
        viewer: UserId,
        ids: Vec<MerchantId>,
    ) -> Result<HashMap<MerchantId, MerchantView>, Refusal> {
        let key = |id: MerchantId| keys::followee_head(id.into());
        let followees = ids.iter().copied().map(Followee::Merchant).collect();
        let (merchants, followed) = tokio::try_join!(
            self.get_each_lately::<_, Content<Merchant>>(ids, key),
            self.followed_among(viewer, followees),
        )?;
        let view =
            |(id, merchant)| (id, MerchantView { merchant, is_follow: followed.contains(&Followee::Merchant(id)) });
        Ok(merchants.into_iter().map(view).collect())
    }

    /// A page of the merchants whom a user follows, the last followed first, those left out that are withdrawn. Two
    /// rounds.
    pub async fn followed_merchants(&self, of: UserId, page: Page) -> Result<Vec<Content<Merchant>>, Refusal> {
        self.followed_contents(of, keys::FOLLOWING_MERCHANT, page).await
    }
}
