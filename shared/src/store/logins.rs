//! Logging in: by a password, a code, a device or a third party; and guesses at passwords.
use std::collections::BTreeSet;

use serde_dynamo::to_attribute_value;

use super::{
    keys,
    sessions::{Auth, Session},
    sms_codes::ProvedCode,
    table::{Action, Outcome, Store, THERE, number, read, set, set_of, text, unreadable},
    users::Profile,
    window::{Window, moment},
};
use crate::{
    domain::{Account, LockedBy, MINUTE, Millis, Password, Phone, Refusal, StoredPassword, UserId},
    off_thread,
};

/// Five wrong passwords lock password login, for as long again after the fifth.
const GUESSES: Window = Window { most: 5, span: 15 * MINUTE };

/// By then a try at a password is decided, or was cut off with its function and counts as wrong.
const DECIDED: Millis = 15 * 1000;

/// How often a login looks whether it is its turn, while tries before it are undecided: some 3 s in all.
const LOOKS: u32 = 24;

/// No user has this id: their keys lead to no item.
const NOBODY: UserId = UserId(0);

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
    /// A new password for whoever holds the phone; all sessions end, devices' included, and wrong guesses are
    /// forgotten. One transaction, after a round that finds the user: 1001 where there is none, 3200 where the code was
    /// used meanwhile.
    pub async fn reset_password(&self, code: &ProvedCode, password: StoredPassword) -> Result<(), Refusal> {
        let user = self.whose(keys::phone(&code.phone)).await?.ok_or(Refusal::NotRegistered)?;
        let password = to_attribute_value(&password).map_err(unreadable)?;
        let reset = "SET password = :password, epoch = epoch + :one REMOVE ended, guesses, wrong, devices_from";
        // Who is not there has left this moment.
        let reset = Action::update(keys::auth(user), reset).when(THERE).or_refuse(Refusal::NotRegistered);
        let reset = reset.with(":password", password).with(":one", number(1));
        self.transact_once(vec![self.use_code(code), reset]).await
    }

    /// Three rounds: whose name it is; the try counted, beside the profile; and what it was: a right one forgets all
    /// tries, a wrong one is marked as such.
    ///
    /// An unknown account takes the same steps over the same time and locks in the same way.
    pub async fn log_in_by_password(&self, account: &Account, password: Password) -> Result<LoggedIn, Refusal> {
        let user = self.whose(keys::account(account)).await?;
        let key = user.map_or_else(|| keys::guesses_at(account), keys::auth);
        let profile = keys::profile(user.unwrap_or(NOBODY));
        let moment = moment(&self.system);
        let counted = self.count_try(&key, &moment, user.is_none());
        let (auth, profile) = tokio::try_join!(counted, self.get::<Profile>(profile))?;
        let Auth { epoch, locked, .. } = auth;
        self.decide_try(key, moment, auth.password, password).await?;
        match profile {
            _ if locked => Err(Refusal::Locked(LockedBy::Operator)),
            // They have left this moment.
            None => Err(Refusal::WrongPassword),
            Some(profile) => Ok(LoggedIn { profile, epoch }),
        }
    }

    /// That whoever is signed in knows their password, if they have one: counted as a login by it is. 3100 where it is
    /// wrong. Three rounds.
    pub async fn prove_password(&self, user: UserId, password: Option<Password>) -> Result<(), Refusal> {
        let (key, moment) = (keys::auth(user), moment(&self.system));
        let auth: Auth = self.get(key.clone()).await?.ok_or(Refusal::NotSignedIn)?;
        if auth.password.is_none() {
            return Ok(());
        }
        let password = password.ok_or(Refusal::missing("password"))?;
        let Auth { password: stored, .. } = self.count_try(&key, &moment, false).await?;
        self.decide_try(key, moment, stored, password).await
    }

    /// What a try at a password was that is counted: a right one forgets all tries, a wrong one is marked as such, and
    /// 3100.
    async fn decide_try(
        &self,
        key: keys::Key,
        moment: String,
        stored: Option<StoredPassword>,
        password: Password,
    ) -> Result<(), Refusal> {
        let right = off_thread(move || Ok(StoredPassword::verify(stored.as_ref(), &password))).await?;
        let decided = match right {
            true => Action::update(key, "REMOVE guesses, wrong"),
            // Counted again, where a right one beside it has just forgotten all.
            false => Action::update(key, "ADD guesses :moments, wrong :moments").with(":moments", set(&moment)),
        };
        // Of who has left this moment nothing comes back.
        self.change(decided.when(THERE)).await?;
        if right { Ok(()) } else { Err(Refusal::WrongPassword) }
    }

    /// A login by an SMS code, which is used up: 3200 where it is wrong or used. 1001 where nobody has the phone,
    /// which only its holder is told. Three rounds.
    pub async fn log_in_by_code(&self, phone: Phone, code: &str) -> Result<LoggedIn, Refusal> {
        let key = keys::phone(&phone);
        let (code, user) = tokio::join!(self.prove_code(phone, code), self.whose(key));
        let code = code?;
        let user = self.log_in_vouched(user?.ok_or(Refusal::NotRegistered)?).await?;
        self.transact_once(vec![self.use_code(&code)]).await?;
        Ok(user)
    }

    /// A login that needed no password: a third party, a device or an SMS code has vouched for the user.
    pub async fn log_in_vouched(&self, user: UserId) -> Result<LoggedIn, Refusal> {
        Ok(self.vouched(user).await?.1)
    }

    /// The same with what is known of the user's sessions.
    pub(super) async fn vouched(&self, user: UserId) -> Result<(Auth, LoggedIn), Refusal> {
        let (auth, profile) =
            tokio::try_join!(self.get::<Auth>(keys::auth(user)), self.get::<Profile>(keys::profile(user)))?;
        match (auth, profile) {
            (Some(Auth { locked: true, .. }), _) => Err(Refusal::Locked(LockedBy::Operator)),
            (Some(auth), Some(profile)) => {
                let epoch = auth.epoch;
                Ok((auth, LoggedIn { profile, epoch }))
            }
            // They have left.
            _ => Err(Refusal::NotRegistered),
        }
    }

    /// Counts a try before its password is looked at. Only wrong ones lock: who finds as many undecided ones waits for
    /// them, and in the end is told that we are busy. `nobodys`: where there is no user, the count ends by itself.
    async fn count_try(&self, key: &keys::Key, moment: &str, nobodys: bool) -> Result<Auth, Refusal> {
        let forgotten = if nobodys { " SET expires_at = :end" } else { "" };
        let window = Window::condition("guesses");
        // Of who has left nothing comes back: an `AUTH` of nothing but guesses would let all their tokens in again.
        let window = if nobodys { window } else { format!("{THERE} AND {window}") };
        let mut update = Action::update(key.clone(), format!("ADD guesses :moments{forgotten}"))
            .when(window)
            .with(":moments", set(moment))
            .with(":moment", text(moment))
            .with(":most", number(GUESSES.most));
        if nobodys {
            update = update.with(":end", number((self.system.now() + 2 * GUESSES.span) / 1000));
        }
        for look in 0..LOOKS {
            let Auth { guesses, wrong, .. } = match self.change(update.clone()).await? {
                Outcome::Done(item) => return read(item),
                Outcome::Refused(item) if item.is_empty() => return Ok(Auth::default()),
                Outcome::Refused(item) => read(item)?,
            };
            let now = self.system.now();
            let (old, young) = Window::split(&guesses, now.saturating_sub(DECIDED));
            let wrong: BTreeSet<_> = young.intersection(&wrong).chain(&old).cloned().collect();
            let outdated = match GUESSES.filled_at(&wrong) {
                Some(at) if now < at + GUESSES.span => return Err(Refusal::Locked(LockedBy::WrongPasswords)),
                Some(_) => wrong,
                None => GUESSES.outdated(&wrong, now),
            };
            match outdated.is_empty() {
                // Those who wait do not come back together.
                true => self.pause_before(look).await,
                false => {
                    let update = Action::update(key.clone(), "DELETE guesses :outdated, wrong :outdated");
                    self.change(update.with(":outdated", set_of(outdated))).await?;
                }
            }
        }
        Err(Refusal::Unavailable)
    }
}
