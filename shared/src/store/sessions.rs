//! Who is signed in: sessions, and what ends them.
use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::{
    contents::Imported,
    keys,
    table::{Action, Outcome, Store, THERE, number, read, set},
};
use crate::domain::{Refusal, StoredPassword, Thing, UserId, token::Token};

/// The most logged-out tokens that are remembered; the record must stay small, for every request reads it. Whoever logs
/// out more often within a token's life ends all of their tokens instead.
const MOST_ENDED: usize = 200;

/// An ended token, so written that one which has expired since is known by comparison.
fn ended(token: &Token) -> String {
    format!("{:013}{}", token.expires, token.id)
}

/// A user's secrets and sessions.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Auth {
    /// None where somebody only ever came through a third party.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<StoredPassword>,
    /// Raised, and all tokens made before end.
    pub epoch: u32,
    /// The first epoch whose devices are still good, where it is not this one: a lock ends tokens for good, but lets
    /// devices in again after it, for they may be all that somebody has to sign in with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub devices_from: Option<u32>,
    /// By an operator.
    pub locked: bool,
    /// Tokens that were logged out before their time, as [`ended`] writes them.
    #[serde(with = "serde_dynamo::string_set", skip_serializing_if = "BTreeSet::is_empty")]
    pub ended: BTreeSet<String>,
    /// Tries at the password, as moments: the wrong ones and those that are not decided yet.
    #[serde(with = "serde_dynamo::string_set", skip_serializing_if = "BTreeSet::is_empty")]
    pub guesses: BTreeSet<String>,
    /// Those of them that were wrong.
    #[serde(with = "serde_dynamo::string_set", skip_serializing_if = "BTreeSet::is_empty")]
    pub wrong: BTreeSet<String>,
}

impl Auth {
    /// Whether a device that was tied in this epoch is still good, once the user is not locked.
    pub(super) fn admits_device(&self, epoch: u32) -> bool {
        (self.devices_from.unwrap_or(self.epoch)..=self.epoch).contains(&epoch)
    }
}

/// Who a token or a device says is calling, and since which epoch: right once [`Store::check_session`] agrees.
#[derive(Clone)]
pub struct Session {
    pub user: UserId,
    pub(super) epoch: u32,
    /// What would be kept of its token, were it ended; a device has none.
    ended: Option<String>,
}

impl From<&Token> for Session {
    fn from(token: &Token) -> Self {
        Self { user: token.user, epoch: token.epoch, ended: Some(ended(token)) }
    }
}

impl Session {
    pub(super) fn of_device(user: UserId, epoch: u32) -> Self {
        Self { user, epoch, ended: None }
    }
}

impl Store {
    /// That a session was not ended since it began. One consistent read.
    pub async fn check_session(&self, session: &Session) -> Result<(), Refusal> {
        let is_good = |auth: &Auth| match &session.ended {
            Some(ended) => auth.epoch == session.epoch && !auth.ended.contains(ended),
            None => auth.admits_device(session.epoch),
        };
        match self.get::<Auth>(keys::auth(session.user)).await? {
            Some(auth) if !auth.locked && is_good(&auth) => Ok(()),
            _ => Err(Refusal::NotSignedIn),
        }
    }

    /// Ends a token before its time, everywhere and at once; of who has left, none is good. One write.
    pub async fn end_session(&self, token: &Token) -> Result<(), Refusal> {
        let key = keys::auth(token.user);
        loop {
            let update = Action::update(key.clone(), "ADD ended :ended")
                .when("attribute_exists(pk) AND (attribute_not_exists(ended) OR size(ended) < :most)")
                .with(":ended", set(ended(token)))
                .with(":most", number(MOST_ENDED));
            let Outcome::Refused(item) = self.change(update).await? else {
                return Ok(());
            };
            if item.is_empty() {
                return Ok(());
            }
            let now = format!("{:013}", self.system.now());
            let expired: BTreeSet<_> = read::<Auth>(item)?.ended.into_iter().filter(|ended| *ended < now).collect();
            if expired.is_empty() {
                let all = Action::update(key, "SET epoch = epoch + :one REMOVE ended, devices_from");
                let all = all.when(THERE).with(":one", number(1));
                return self.change(all).await.map(drop);
            }
            self.forget_moments(&key, "ended", expired).await?;
        }
    }

    /// Locks a user out, or lets them in again. A lock ends all their tokens at once and for good; their devices sign
    /// in again after it. 404 where there is no such user. A read, and a write where it is not so already.
    pub async fn lock_user(&self, user: UserId, locked: bool) -> Result<Imported, Refusal> {
        const NO_USER: Refusal = Refusal::NoSuch(Thing::User);
        let key = keys::auth(user);
        if self.get::<Auth>(key.clone()).await?.ok_or(NO_USER)?.locked == locked {
            return Ok(Imported::Unchanged);
        }
        let update = match locked {
            true => Action::update(
                key,
                "SET locked = :to, devices_from = if_not_exists(devices_from, epoch), epoch = epoch + :one REMOVE ended",
            )
            .with(":one", number(1)),
            false => Action::update(key, "SET locked = :to"),
        };
        let update = update.when("attribute_exists(pk) AND locked <> :to").with(":to", AttributeValue::Bool(locked));
        match self.change(update).await? {
            Outcome::Done(_) => Ok(Imported::Written),
            Outcome::Refused(item) if item.is_empty() => Err(NO_USER),
            // Another import was quicker.
            Outcome::Refused(_) => Ok(Imported::Unchanged),
        }
    }
}
