//! Devices: document B's other way to be signed in.
use serde::{Deserialize, Serialize};

use super::{
    keys,
    logins::LoggedIn,
    sessions::Session,
    table::{Action, Outcome, Store, number},
    users::FREE_OR_MINE,
};
use crate::{
    domain::{DeviceId, Limit, Refusal, UserId},
    words,
};

const TAKEN: Refusal = Refusal::Conflict(words!("this device belongs to another user", "此设备属于另一位用户"));

/// Whose device it is, and since which epoch of theirs: a later one ends it, as it ends their tokens.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
struct TiedDevice {
    holder: UserId,
    epoch: u32,
}

/// That a device is a user's: its key says which.
#[derive(Serialize)]
struct TheirDevice {}

#[derive(Serialize, Deserialize)]
struct UnderReview {}

impl Store {
    /// The session that a device stands for, not yet checked; none where it is nobody's. One read.
    pub async fn device_session(&self, id: &DeviceId) -> Result<Option<Session>, Refusal> {
        let device: Option<TiedDevice> = self.get(keys::device(id)).await?;
        Ok(device.map(|device| Session::of_device(device.holder, device.epoch)))
    }

    /// A login by a device; none where it leads to nobody. 401 where the user's sessions were ended since. Two rounds.
    pub async fn log_in_by_device(&self, id: &DeviceId) -> Result<Option<LoggedIn>, Refusal> {
        let Some(device) = self.get::<TiedDevice>(keys::device(id)).await? else {
            return Ok(None);
        };
        let (auth, user) = self.vouched(device.holder).await?;
        match auth.admits_device(device.epoch) {
            true => Ok(Some(user)),
            false => Err(Refusal::NotSignedIn),
        }
    }

    /// Lets a device sign in the user of a session that was checked. One read where it does so already; 409 where it is
    /// somebody else's, 429 where they are too many.
    pub async fn tie_device(&self, id: &DeviceId, to: &Session) -> Result<(), Refusal> {
        let tied = TiedDevice { holder: to.user, epoch: to.epoch };
        if self.get(keys::device(id)).await? == Some(tied) {
            return Ok(());
        }
        self.count(to.user, Limit::Devices).await?;
        // First that it is theirs, so that whoever leaves finds it.
        self.put(keys::user_device(to.user, &keys::device(id)), &TheirDevice {}).await?;
        let update = Action::update(keys::device(id), "SET holder = :me, epoch = :epoch")
            .when(FREE_OR_MINE)
            .with(":me", number(tied.holder.0))
            .with(":epoch", number(tied.epoch));
        match self.change(update).await? {
            Outcome::Done(_) => Ok(()),
            Outcome::Refused(_) => Err(TAKEN),
        }
    }

    /// A fresh device id that signs somebody in who has just shown who they are. One transaction.
    pub async fn new_device(&self, of: &LoggedIn) -> Result<DeviceId, Refusal> {
        let (id, user) = (DeviceId::fresh(&self.system), of.profile.id);
        let device = keys::device(&id);
        let theirs = Action::put(keys::user_device(user, &device), &TheirDevice {});
        let tied = Action::put(device, &TiedDevice { holder: user, epoch: of.epoch });
        self.transact_once(vec![theirs, tied]).await?;
        Ok(id)
    }

    /// The part of a registration that gives a device its user.
    pub(super) fn device_actions(&self, id: &DeviceId, user: UserId) -> [Action; 2] {
        let taken =
            Refusal::Conflict(words!("this device has a user already: log in with it", "此设备已有用户，请直接登录"));
        let device = keys::device(id);
        let theirs = Action::put_new(keys::user_device(user, &device), &TheirDevice {}).or_again();
        [theirs, Action::put_new(device, &TiedDevice { holder: user, epoch: 0 }).or_refuse(taken)]
    }

    /// Whether an app of this version is to be used with a review account alone.
    pub async fn is_under_review(&self, version: &str) -> Result<bool, Refusal> {
        Ok(self.get::<UnderReview>(keys::version_under_review(version)).await?.is_some())
    }

    pub async fn put_under_review(&self, version: &str) -> Result<(), Refusal> {
        self.put(keys::version_under_review(version), &UnderReview {}).await
    }

    /// The review of a version is over.
    pub async fn end_review(&self, version: &str) -> Result<(), Refusal> {
        self.delete_all([keys::version_under_review(version)]).await
    }
}
