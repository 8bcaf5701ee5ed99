//! Clothes: merchants' and the design circle's.
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    contents::{Content, Record},
    follows::Seen,
    keys::{self, Key},
    marks::Mark,
    merchants::Merchant,
    table::{SHOWN, Store},
};
use crate::domain::{ClothId, Followee, MediaId, MerchantId, Millis, Page, Refusal, Subject, Thing, UserId};

const NO_CLOTH: Refusal = Refusal::NoSuch(Thing::Cloth);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cloth {
    pub cloth_id: ClothId,
    /// Whose it is; the design circle's without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant_id: Option<MerchantId>,
    pub name: String,
    pub image: MediaId,
    pub intro: String,
    /// In fen.
    pub price: u64,
    pub dynasty: u32,
    pub designer_intro: String,
    pub recommended: bool,
}

/// A piece of clothing as somebody sees it.
pub struct ClothView {
    pub cloth: Content<Cloth>,
    pub is_collect: bool,
}

/// In the list of what a merchant has.
#[derive(Serialize, Deserialize)]
pub(super) struct ClothEntry {
    pub cloth: ClothId,
}

/// The lists of clothes.
#[derive(Clone, Copy, PartialEq)]
pub enum ClothList {
    DesignCircle,
    Merchants,
    /// The recommended ones first.
    MerchantsRecommended,
}

impl ClothList {
    fn name(self) -> &'static str {
        match self {
            Self::DesignCircle => "design-circle-cloths",
            Self::Merchants => "merchant-cloths",
            Self::MerchantsRecommended => "merchant-cloths-recommended",
        }
    }
}

impl Record for Cloth {
    fn head(&self) -> Key {
        keys::head(self.cloth_id)
    }

    fn owner(&self) -> Option<(Key, Refusal)> {
        let merchant = self.merchant_id?;
        Some((keys::followee_head(merchant.into()), Refusal::NoSuch(Thing::Merchant)))
    }

    fn places(&self, created_at: Millis) -> Vec<Key> {
        let place = |list: ClothList, first| keys::place(list.name(), first, created_at, self.cloth_id.0);
        match self.merchant_id {
            None => vec![place(ClothList::DesignCircle, false)],
            Some(_) => {
                vec![place(ClothList::Merchants, false), place(ClothList::MerchantsRecommended, self.recommended)]
            }
        }
    }

    fn entries(&self, _: Millis) -> Vec<(Key, impl Serialize)> {
        let cloth = self.cloth_id;
        self.merchant_id
            .map(|merchant| (keys::merchant_cloth(merchant, cloth), ClothEntry { cloth }))
            .into_iter()
            .collect()
    }
}

impl Store {
    /// A page of a list of clothes. Two rounds.
    pub async fn cloths(&self, viewer: UserId, list: ClothList, page: Page) -> Result<Vec<ClothView>, Refusal> {
        let cloths = self.contents(keys::list(list.name()), page).await?;
        self.cloth_views(viewer, cloths).await
    }

    /// The same with the merchants whose they are. Two rounds.
    pub async fn merchant_cloths(
        &self,
        viewer: UserId,
        list: ClothList,
        page: Page,
    ) -> Result<Vec<(ClothView, Seen<Merchant>)>, Refusal> {
        let cloths: Vec<Content<Cloth>> = self.contents(keys::list(list.name()), page).await?;
        let merchants: BTreeSet<Followee> =
            cloths.iter().filter_map(|cloth| Some(cloth.record.merchant_id?.into())).collect();
        let merchants = self.seen(viewer, merchants.into_iter().collect());
        let (cloths, merchants) = tokio::try_join!(self.cloth_views(viewer, cloths), merchants)?;
        let with_merchant = |cloth: ClothView| {
            let merchant = merchants.get(&cloth.cloth.record.merchant_id?.into())?.clone();
            Some((cloth, merchant))
        };
        Ok(cloths.into_iter().filter_map(with_merchant).collect())
    }

    async fn cloth_views(&self, viewer: UserId, cloths: Vec<Content<Cloth>>) -> Result<Vec<ClothView>, Refusal> {
        let subjects: Vec<_> = cloths.iter().map(|cloth| Subject::Cloth(cloth.record.cloth_id)).collect();
        let collected = self.collected_among(viewer, subjects).await?;
        let view = |cloth: Content<Cloth>| ClothView {
            is_collect: collected.contains(&Subject::Cloth(cloth.record.cloth_id)),
            cloth,
        };
        Ok(cloths.into_iter().map(view).collect())
    }

    /// A piece of the design circle's; 404 where there is none, or it is withdrawn or a merchant's. One round.
    pub async fn design_circle_cloth(&self, viewer: UserId, id: ClothId) -> Result<ClothView, Refusal> {
        let view = self.cloth(viewer, id).await?;
        match view.cloth.record.merchant_id {
            None => Ok(view),
            Some(_) => Err(NO_CLOTH),
        }
    }

    /// Collects a piece of the design circle's; a repeat changes nothing. 404 as above. One transaction.
    pub async fn collect_design_circle_cloth(&self, user: UserId, id: ClothId) -> Result<(), Refusal> {
        let condition = format!("{SHOWN} AND attribute_not_exists(content.merchant_id)");
        self.mark_where(&condition, Mark::Collect, user, id.into()).await
    }

    /// A merchant's piece, the merchant, and how many follow them; 404 as above. Two rounds.
    pub async fn merchant_cloth(
        &self,
        viewer: UserId,
        id: ClothId,
    ) -> Result<(ClothView, Seen<Merchant>, u64), Refusal> {
        let view = self.cloth(viewer, id).await?;
        let merchant = Followee::Merchant(view.cloth.record.merchant_id.ok_or(NO_CLOTH)?);
        let (mut merchants, counts) = tokio::try_join!(self.seen(viewer, vec![merchant]), self.counts(merchant))?;
        Ok((view, merchants.remove(&merchant).ok_or(NO_CLOTH)?, counts.followers))
    }

    /// Collects a merchant's piece; a repeat changes nothing. 404 as above. A read and a transaction.
    pub async fn collect_merchant_cloth(&self, user: UserId, id: ClothId) -> Result<(), Refusal> {
        let cloth: Content<Cloth> = self.shown_content(keys::head(id), Thing::Cloth).await?;
        cloth.record.merchant_id.ok_or(NO_CLOTH)?;
        self.mark(Mark::Collect, user, id).await
    }

    async fn cloth(&self, viewer: UserId, id: ClothId) -> Result<ClothView, Refusal> {
        let (cloth, collected) = tokio::try_join!(
            self.shown_content::<Cloth>(keys::head(id), Thing::Cloth),
            self.collected_among(viewer, vec![id.into()]),
        )?;
        Ok(ClothView { cloth, is_collect: !collected.is_empty() })
    }
}
