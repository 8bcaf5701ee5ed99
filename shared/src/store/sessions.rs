//! Who is signed in: sessions, and what ends them.
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    keys,
    table::{Action, Outcome, Store, number, read, set},
};
use crate::domain::{Refusal, StoredPassword, UserId, token::Token};

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
        let ended = |auth: &Auth| session.ended.as_ref().is_some_and(|ended| auth.ended.contains(ended));
        match self.get::<Auth>(keys::auth(session.user)).await? {
            Some(auth) if auth.epoch == session.epoch && !auth.locked && !ended(&auth) => Ok(()),
            _ => Err(Refusal::NotSignedIn),
        }
    }

    /// Ends a token before its time, everywhere and at once. One write.
    pub async fn end_session(&self, token: &Token) -> Result<(), Refusal> {
        let key = keys::auth(token.user);
        loop {
            let update = Action::update(key.clone(), "ADD ended :ended")
                .when("attribute_not_exists(ended) OR size(ended) < :most")
                .with(":ended", set(ended(token)))
                .with(":most", number(MOST_ENDED));
            let Outcome::Refused(item) = self.change(update).await? else {
                return Ok(());
            };
            let now = format!("{:013}", self.system.now());
            let expired: BTreeSet<_> = read::<Auth>(item)?.ended.into_iter().filter(|ended| *ended < now).collect();
            if expired.is_empty() {
                let all = Action::update(key, "SET epoch = epoch + :one REMOVE ended").with(":one", number(1));
                return self.change(all).await.map(drop);
            }
            self.forget_moments(&key, "ended", expired).await?;
        }
    }
}
