//! What users report to the operators: feedback, and where their devices are.
use serde::Serialize;

use super::{keys, table::Store};
use crate::domain::{DAY, FeedbackId, Millis, Refusal, TrackId, UserId};

/// How long reports of where a device is are kept.
const TRACKS_LAST: Millis = 90 * DAY;

/// Where a device is, and whether it may be sent messages; each may be unknown.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Track {
    pub push_status: Option<bool>,
    /// Degrees east and north.
    pub lng: Option<f64>,
    pub lat: Option<f64>,
}

impl Store {
    pub async fn keep_feedback(&self, from: UserId, content: &str) -> Result<(), Refusal> {
        #[derive(Serialize)]
        struct Feedback<'a> {
            from: UserId,
            content: &'a str,
        }
        let id = FeedbackId::fresh(&self.system);
        self.put(keys::feedback(self.system.now(), id, from), &Feedback { from, content }).await
    }

    pub async fn keep_track(&self, of: UserId, track: &Track) -> Result<(), Refusal> {
        #[derive(Serialize)]
        struct Kept<'a> {
            #[serde(flatten)]
            track: &'a Track,
            expires_at: u64,
        }
        let expires_at = (self.system.now() + TRACKS_LAST) / 1000;
        self.put(keys::track(of, TrackId::fresh(&self.system)), &Kept { track, expires_at }).await
    }
}
