//! Banners: pictures with a link, by the place that shows them.
use serde::{Deserialize, Serialize};

use super::{
    contents::Imported,
    keys,
    table::{Action, Store},
};
use crate::domain::{MediaId, Page, Refusal};

/// A banner as operators bring it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Banner {
    pub banner_id: u64,
    pub image: MediaId,
    /// Where it leads.
    pub url: String,
}

/// Where banners are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    Home,
    Ticket,
    Game,
    DesignCircle,
}

impl Place {
    const ALL: [Self; 4] = [Self::Home, Self::Ticket, Self::Game, Self::DesignCircle];

    fn as_str(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Ticket => "ticket",
            Self::Game => "game",
            Self::DesignCircle => "design_circle",
        }
    }
}

impl Store {
    /// A page of a place's banners, the highest id first. One query.
    pub async fn banners(&self, place: Place, page: Page) -> Result<Vec<Banner>, Refusal> {
        self.newest(keys::banners(place.as_str()), "", page).await
    }

    /// Makes a banner as a record says: at one place, and no longer at another, or at none. A read, and a transaction
    /// where it is not so already.
    pub async fn import_banner(&self, place: Place, banner: &Banner, withdrawn: bool) -> Result<Imported, Refusal> {
        let key = |place: Place| keys::banner(place.as_str(), banner.banner_id);
        let found = self.get_each::<_, Banner>(Place::ALL, key).await?;
        let wanted = (!withdrawn).then_some(place);
        let surplus = found.keys().copied().filter(|place| Some(*place) != wanted);
        let mut actions: Vec<_> = surplus.map(|place| Action::delete(key(place))).collect();
        if let Some(place) = wanted.filter(|place| found.get(place) != Some(banner)) {
            actions.push(Action::put(key(place), banner));
        }
        if actions.is_empty() {
            return Ok(Imported::Unchanged);
        }
        self.transact_once(actions).await?;
        Ok(Imported::Written)
    }
}
