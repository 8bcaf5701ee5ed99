//! Who is signed in, and guesses at passwords: the item beside each user's profile.
use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use serde_dynamo::to_attribute_value;

use super::{
    Outcome, Profile, ProvedCode, Refused, Store, THERE, TRIES, keys, number, read, set, text, unreadable, values,
    window::{Window, moment},
};
use crate::{
    aside,
    domain::{Account, LockedBy, MINUTE, Millis, Password, Phone, Refusal, StoredPassword, UserId, token::Token},
};

/// Five wrong passwords lock password login, for as long again after the fifth.
const GUESSES: Window = Window { most: 5, span: 15 * MINUTE };

/// By then a try at a password is decided, or was cut off with its function and counts as wrong.
const DECIDED: Millis = 15 * 1000;

/// How often a login looks whether it is its turn, while tries before it are undecided: some 3 s in all.
const LOOKS: u32 = 24;

/// The most logged-out tokens that are remembered; the record must stay small, for every request reads it. Whoever logs
/// out more often within a token's life ends all of their tokens instead.
const MOST_ENDED: usize = 200;

/// An ended token, so written that one which has expired since is known by comparison.
fn mark(token: &Token) -> String {
    format!("{:013}{}", token.expires, token.id)
}

/// No user has this id: their keys lead to no item.
const NOBODY: UserId = UserId(0);

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
    /// Tokens that were logged out before their time, as [`mark`]s.
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
    /// The token's, as a [`mark`]; a device has none.
    mark: Option<String>,
}

impl From<&Token> for Session {
    fn from(token: &Token) -> Self {
        Self { user: token.user, epoch: token.epoch, mark: Some(mark(token)) }
    }
}

impl Session {
    pub(super) fn of_device(user: UserId, epoch: u32) -> Self {
        Self { user, epoch, mark: None }
    }
}

/// A user who has just shown that they are who they say.
pub struct LoggedIn {
    pub profile: Profile,
    /// What their token carries.
    pub epoch: u32,
}

impl LoggedIn {
    /// Somebody who has just been made.
    pub fn for_the_first_time(profile: Profile) -> Self {
        Self { profile, epoch: 0 }
    }

    /// What a device of theirs is tied by.
    pub fn session(&self) -> Session {
        Session::of_device(self.profile.id, self.epoch)
    }
}

impl Store {
    /// That a session was not ended since it began. One consistent read.
    pub async fn check_session(&self, session: &Session) -> Result<(), Refusal> {
        let ended = |auth: &Auth| session.mark.as_ref().is_some_and(|mark| auth.ended.contains(mark));
        match self.get::<Auth>(keys::auth(session.user)).await? {
            Some(auth) if auth.epoch == session.epoch && !auth.locked && !ended(&auth) => Ok(()),
            _ => Err(Refusal::NotSignedIn),
        }
    }

    /// A new password for whoever holds the phone; all sessions end, devices' included, and wrong guesses are
    /// forgotten. One transaction, after a round that finds the user: 1001 where there is none.
    pub async fn reset_password(&self, code: &ProvedCode, password: StoredPassword) -> Result<(), Refusal> {
        let user = self.whose(keys::phone(&code.phone)).await?.ok_or(Refusal::NotRegistered)?;
        let password = to_attribute_value(&password).map_err(unreadable)?;
        let actions = vec![
            self.use_code(code)?,
            self.update_action(
                keys::auth(user),
                "SET password = :password, epoch = epoch + :one REMOVE ended, guesses, wrong",
                THERE,
                values([(":password", password), (":one", number(1))]),
            )?,
        ];
        match self.transact(actions).await? {
            Ok(()) => Ok(()),
            Err(Refused { at: 0, .. }) => Err(Refusal::SmsCode(code.field)),
            Err(_) => Err(Refusal::Internal),
        }
    }

    /// Ends a token before its time, everywhere and at once. One write.
    pub async fn end_session(&self, token: &Token) -> Result<(), Refusal> {
        let key = keys::auth(token.user);
        loop {
            let update = self
                .update(key.clone(), "ADD ended :marks")
                .condition_expression("attribute_not_exists(ended) OR size(ended) < :most")
                .set_expression_attribute_values(values([(":marks", set(mark(token))), (":most", number(MOST_ENDED))]));
            let Outcome::Refused(item) = self.change(update).await? else {
                return Ok(());
            };
            let now = format!("{:013}", self.world.now());
            let expired: BTreeSet<_> = read::<Auth>(item)?.ended.into_iter().filter(|mark| *mark < now).collect();
            if expired.is_empty() {
                let all = self.update(key, "SET epoch = epoch + :one REMOVE ended");
                self.change(all.set_expression_attribute_values(values([(":one", number(1))]))).await?;
                return Ok(());
            }
            self.forget(&key, "ended", expired).await?;
        }
    }

    /// Three rounds: whose name it is; the try counted, beside the profile; and what it was: a right one forgets all
    /// tries, a wrong one is marked as such.
    ///
    /// An unknown account takes the same steps over the same time and locks in the same way.
    pub async fn log_in_by_password(&self, account: &Account, password: Password) -> Result<LoggedIn, Refusal> {
        let user = self.whose(keys::account(account)).await?;
        let key = user.map_or_else(|| keys::guesses_at(account), keys::auth);
        let profile = keys::profile(user.unwrap_or(NOBODY));
        let moment = moment(&self.world);
        let counted = self.count_try(&key, &moment, user.is_none());
        let (auth, profile) = tokio::try_join!(counted, self.get::<Profile>(profile))?;
        let Auth { password: stored, epoch, locked, .. } = auth;
        let right = aside(move || Ok(StoredPassword::verify(stored.as_ref(), &password))).await?;
        let decided = match right {
            true => self.update(key, "REMOVE guesses, wrong"),
            // Counted again, where a right one beside it has just forgotten all.
            false => self
                .update(key, "ADD guesses :moments, wrong :moments")
                .set_expression_attribute_values(values([(":moments", set(&moment))])),
        };
        self.change(decided).await?;
        match profile {
            _ if !right => Err(Refusal::WrongPassword),
            _ if locked => Err(Refusal::Locked(LockedBy::Operator)),
            None => Err(Refusal::Internal),
            Some(profile) => Ok(LoggedIn { profile, epoch }),
        }
    }

    /// A login by an SMS code, which is used up; `field` is its name in the request. 1001 where nobody has the phone,
    /// which only its holder is told. Three rounds.
    pub async fn log_in_by_code(&self, phone: Phone, code: &str, field: &'static str) -> Result<LoggedIn, Refusal> {
        let key = keys::phone(&phone);
        let (code, user) = tokio::join!(self.prove_code(phone, code, field), self.whose(key));
        let code = code?;
        let user = self.log_in_vouched(user?.ok_or(Refusal::NotRegistered)?).await?;
        match self.transact(vec![self.use_code(&code)?]).await? {
            Ok(()) => Ok(user),
            Err(_) => Err(Refusal::SmsCode(field)),
        }
    }

    /// A login that needed no password: a third party, a device or an SMS code has vouched for the user.
    pub async fn log_in_vouched(&self, user: UserId) -> Result<LoggedIn, Refusal> {
        let (auth, profile) =
            tokio::try_join!(self.get::<Auth>(keys::auth(user)), self.get::<Profile>(keys::profile(user)))?;
        match (auth, profile) {
            (Some(Auth { locked: true, .. }), _) => Err(Refusal::Locked(LockedBy::Operator)),
            (Some(auth), Some(profile)) => Ok(LoggedIn { profile, epoch: auth.epoch }),
            _ => Err(Refusal::Internal),
        }
    }

    /// Counts a try before its password is looked at. Only wrong ones lock: who finds as many undecided ones waits for
    /// them, and in the end is told that we are busy. `nobodys`: where there is no user, the count ends by itself.
    async fn count_try(&self, key: &keys::Key, moment: &str, nobodys: bool) -> Result<Auth, Refusal> {
        let forgotten = if nobodys { " SET expires_at = :end" } else { "" };
        let update = self.update(key.clone(), format!("ADD guesses :moments{forgotten}"));
        let mut of = values([(":moments", set(moment)), (":moment", text(moment)), (":most", number(GUESSES.most))]);
        if nobodys {
            let end = (self.world.now() + 2 * GUESSES.span) / 1000;
            of.get_or_insert_default().insert(":end".into(), number(end));
        }
        let update = update.condition_expression(Window::condition("guesses")).set_expression_attribute_values(of);
        for look in 0..LOOKS {
            let Auth { guesses, wrong, .. } = match self.change(update.clone()).await? {
                Outcome::Done(item) => return read(item),
                Outcome::Refused(item) => read(item)?,
            };
            let now = self.world.now();
            let (old, young) = Window::split(&guesses, now.saturating_sub(DECIDED));
            let wrong: BTreeSet<_> = young.intersection(&wrong).chain(&old).cloned().collect();
            let outdated = match GUESSES.filled_at(&wrong) {
                Some(at) if now < at + GUESSES.span => return Err(Refusal::Locked(LockedBy::WrongPasswords)),
                Some(_) => wrong,
                None => GUESSES.outdated(&wrong, now),
            };
            match outdated.is_empty() {
                // Those who wait do not come back together.
                true => self.pause(look.min(TRIES - 2)).await,
                false => {
                    let update = self.update(key.clone(), "DELETE guesses :outdated, wrong :outdated");
                    let outdated = AttributeValue::Ss(outdated.into_iter().collect());
                    self.change(update.set_expression_attribute_values(values([(":outdated", outdated)]))).await?;
                }
            }
        }
        Err(Refusal::Unavailable)
    }

    /// Takes moments out of a window that is full of outdated ones.
    pub(super) async fn forget(
        &self,
        key: &keys::Key,
        attribute: &str,
        moments: BTreeSet<String>,
    ) -> Result<(), Refusal> {
        if moments.is_empty() {
            // It was full when we looked, and is not outdated: somebody else's clock is far ahead of ours.
            return Err(Refusal::Unavailable);
        }
        let update = self.update(key.clone(), format!("DELETE {attribute} :outdated"));
        let outdated = AttributeValue::Ss(moments.into_iter().collect());
        self.change(update.set_expression_attribute_values(values([(":outdated", outdated)]))).await?;
        Ok(())
    }
}
