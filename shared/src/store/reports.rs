//! What users report to the operators: feedback, and where their devices are.
use serde::{Deserialize, Serialize};

use super::{
    keys,
    table::{Action, Store},
};
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

/// A track by its key.
#[derive(Deserialize)]
pub(super) struct KeptTrack {
    pub sk: String,
    pub push_status: Option<bool>,
    pub lng: Option<f64>,
    pub lat: Option<f64>,
}

/// What a user wrote to the operators.
#[derive(Serialize, Deserialize)]
pub(super) struct Feedback {
    from: UserId,
    pub content: String,
}

/// That a user wrote to the operators: its key says where that lies.
#[derive(Serialize)]
struct FeedbackEntry {}

impl Store {
    /// One transaction: what was written, and where it lies.
    pub async fn keep_feedback(&self, from: UserId, content: &str) -> Result<(), Refusal> {
        let key = keys::feedback(self.system.now(), FeedbackId::fresh(&self.system), from);
        let actions = vec![
            Action::put(keys::user_feedback(from, &key), &FeedbackEntry {}),
            Action::put(key, &Feedback { from, content: content.to_owned() }),
        ];
        self.transact_once(actions).await
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
