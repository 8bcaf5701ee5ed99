//! Devices: document B's other way to be signed in, and what the apps on them report.
use aws_sdk_dynamodb::types::TransactWriteItem;
use serde::{Deserialize, Serialize};

use super::{LoggedIn, NEW, Outcome, Store, keys, number, sessions::Session, users::FREE_OR_MINE, values};
use crate::domain::{DAY, DeviceId, FeedbackId, Millis, Refusal, TrackId, UserId};

/// How long reports of where a device is are kept.
const TRACKS_LAST: Millis = 90 * DAY;

const TAKEN: Refusal = Refusal::Conflict("X-Device-Id: this device belongs to another user");

/// Whose device it is, and since which epoch of theirs: a later one ends it, as it ends their tokens.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Device {
    holder: UserId,
    epoch: u32,
}

#[derive(Serialize, Deserialize)]
struct UnderReview {}

/// Where a device is, and whether it may be sent messages; each may be unknown.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Track {
    pub push_status: Option<bool>,
    /// Degrees east and north.
    pub lng: Option<f64>,
    pub lat: Option<f64>,
}

impl Store {
    /// The session that a device stands for, not yet checked; none where it is nobody's. One read.
    pub async fn device_session(&self, id: &DeviceId) -> Result<Option<Session>, Refusal> {
        let device: Option<Device> = self.get(keys::device(id)).await?;
        Ok(device.map(|device| Session::of_device(device.holder, device.epoch)))
    }

    /// A login by a device; none where it leads to nobody. 401 where the user's sessions were ended since. Two rounds.
    pub async fn log_in_by_device(&self, id: &DeviceId) -> Result<Option<LoggedIn>, Refusal> {
        let Some(device) = self.get::<Device>(keys::device(id)).await? else {
            return Ok(None);
        };
        let user = self.log_in_vouched(device.holder).await?;
        if user.epoch != device.epoch {
            return Err(Refusal::NotSignedIn);
        }
        Ok(Some(user))
    }

    /// Lets a device sign in the user of a session that was checked. One read where it does so already; 409 where it is
    /// somebody else's.
    pub async fn tie_device(&self, id: &DeviceId, to: &Session) -> Result<(), Refusal> {
        let tied = Device { holder: to.user, epoch: to.epoch };
        if self.get(keys::device(id)).await? == Some(tied) {
            return Ok(());
        }
        let update = self
            .update(keys::device(id), "SET holder = :me, epoch = :epoch")
            .condition_expression(FREE_OR_MINE)
            .set_expression_attribute_values(values([(":me", number(tied.holder.0)), (":epoch", number(tied.epoch))]));
        match self.change(update).await? {
            Outcome::Done(_) => Ok(()),
            Outcome::Refused(_) => Err(TAKEN),
        }
    }

    /// A fresh device id that signs somebody in who has just shown who they are. One write.
    pub async fn new_device(&self, of: &LoggedIn) -> Result<DeviceId, Refusal> {
        let id = DeviceId::fresh(&self.world);
        self.put(keys::device(&id), &Device { holder: of.profile.id, epoch: of.epoch }).await?;
        Ok(id)
    }

    /// The part of a registration that gives a device its user.
    pub(super) fn device_action(&self, id: &DeviceId, user: UserId) -> Result<TransactWriteItem, Refusal> {
        self.put_action(keys::device(id), &Device { holder: user, epoch: 0 }, NEW, None)
    }

    /// Whether an app of this version is to be used with a review account alone.
    pub async fn is_under_review(&self, version: &str) -> Result<bool, Refusal> {
        Ok(self.get::<UnderReview>(keys::version_under_review(version)).await?.is_some())
    }

    pub async fn put_under_review(&self, version: &str) -> Result<(), Refusal> {
        self.put(keys::version_under_review(version), &UnderReview {}).await
    }

    pub async fn keep_feedback(&self, from: UserId, content: &str) -> Result<(), Refusal> {
        #[derive(Serialize)]
        struct Feedback<'a> {
            from: UserId,
            content: &'a str,
        }
        let id = FeedbackId::fresh(&self.world);
        self.put(keys::feedback(self.world.now(), id, from), &Feedback { from, content }).await
    }

    pub async fn keep_track(&self, of: UserId, track: &Track) -> Result<(), Refusal> {
        #[derive(Serialize)]
        struct Kept<'a> {
            #[serde(flatten)]
            track: &'a Track,
            expires_at: u64,
        }
        let expires_at = (self.world.now() + TRACKS_LAST) / 1000;
        self.put(keys::track(of, TrackId::fresh(&self.world)), &Kept { track, expires_at }).await
    }
}
