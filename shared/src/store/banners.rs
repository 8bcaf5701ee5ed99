//! Banners: pictures with a link, by the place that shows them.
use serde::{Deserialize, Serialize};

use super::{keys, table::Store};
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    Home,
    Ticket,
    Game,
    DesignCircle,
}

impl Place {
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

    /// Shows a banner at a place, instead of the one that had its id there.
    pub async fn put_banner(&self, place: Place, banner: &Banner) -> Result<(), Refusal> {
        self.put(keys::banner(place.as_str(), banner.banner_id), banner).await
    }
}
