//! Who follows whom.
use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::{NEW, Profile, Refused, Store, THERE, TRIES, keys, number, values};
use crate::domain::{EntryId, Refusal, UserId};

/// Whom one user can follow.
const MOST_FOLLOWS: u64 = 10_000;

/// Whom an entry of a list of users names.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct UserEntry {
    pub user: UserId,
}

/// That one user follows another.
#[derive(Serialize, Deserialize)]
struct Follow {
    user: UserId,
    /// Its place in the lists of both.
    entry: EntryId,
}

/// What a user's pages count; exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Counts {
    pub articles: u64,
    /// Whom they follow.
    pub follows: u64,
    pub followers: u64,
}

impl Store {
    /// Follows; a repeat changes nothing. One transaction.
    pub async fn follow(&self, follower: UserId, followee: UserId) -> Result<(), Refusal> {
        for _ in 0..TRIES {
            let entry = EntryId::fresh(&self.world);
            let one = || values([(":one", number(1))]);
            let actions = vec![
                self.put_action(keys::follows(follower, followee), &Follow { user: followee, entry }, NEW, None)?,
                self.check_action(keys::profile(followee), THERE, None)?,
                self.update_action(
                    keys::counts(follower),
                    "ADD follows :one",
                    "attribute_not_exists(follows) OR follows < :most",
                    values([(":one", number(1)), (":most", number(MOST_FOLLOWS))]),
                )?,
                self.update_action(keys::counts(followee), "ADD followers :one", "", one())?,
                self.put_action(keys::following(follower, entry), &UserEntry { user: followee }, NEW, None)?,
                self.put_action(keys::follower(followee, entry), &UserEntry { user: follower }, NEW, None)?,
            ];
            match self.transact(actions).await? {
                Ok(()) | Err(Refused { at: 0, .. }) => return Ok(()),
                Err(Refused { at: 1, .. }) => return Err(Refusal::NoSuch("user")),
                Err(Refused { at: 2, .. }) => {
                    return Err(Refusal::Conflict("you follow 10,000 users, which is the most: unfollow one first"));
                }
                // Another follow of this millisecond drew the same place.
                Err(_) => {}
            }
        }
        Err(Refusal::Unavailable)
    }

    /// Unfollows; whom one does not follow is fine. A read and a transaction.
    pub async fn unfollow(&self, follower: UserId, followee: UserId) -> Result<(), Refusal> {
        let Some(Follow { entry, .. }) = self.get(keys::follows(follower, followee)).await? else {
            return Ok(());
        };
        let less = || values([(":less", number(-1))]);
        let this = values([(":entry", number(entry.0))]);
        let actions = vec![
            self.delete_action(keys::follows(follower, followee), "entry = :entry", this)?,
            self.update_action(keys::counts(follower), "ADD follows :less", "", less())?,
            self.update_action(keys::counts(followee), "ADD followers :less", "", less())?,
            self.delete_action(keys::following(follower, entry), THERE, None)?,
            self.delete_action(keys::follower(followee, entry), THERE, None)?,
        ];
        match self.transact(actions).await? {
            // A parallel call has done it.
            Ok(()) | Err(Refused { at: 0, .. }) => Ok(()),
            Err(_) => Err(Refusal::Internal),
        }
    }

    pub async fn counts(&self, of: UserId) -> Result<Counts, Refusal> {
        Ok(self.get(keys::counts(of)).await?.unwrap_or_default())
    }

    pub async fn is_following(&self, follower: UserId, followee: UserId) -> Result<bool, Refusal> {
        Ok(self.get::<Follow>(keys::follows(follower, followee)).await?.is_some())
    }

    /// A page of those who follow a user, the newest follower first. Two rounds.
    pub async fn followers(&self, of: UserId, offset: usize, limit: usize) -> Result<Vec<Profile>, Refusal> {
        self.listed(of, keys::FOLLOWER, offset, limit).await
    }

    /// A page of those whom a user follows, the last followed first. Two rounds.
    pub async fn followees(&self, of: UserId, offset: usize, limit: usize) -> Result<Vec<Profile>, Refusal> {
        self.listed(of, keys::FOLLOWING, offset, limit).await
    }

    async fn listed(&self, of: UserId, list: &str, offset: usize, limit: usize) -> Result<Vec<Profile>, Refusal> {
        let entries: Vec<UserEntry> = self.newest(keys::user(of), list, offset, limit).await?;
        let mut profiles = self.profiles(entries.iter().map(|entry| entry.user)).await?;
        Ok(entries.iter().filter_map(|entry| profiles.remove(&entry.user)).collect())
    }

    /// Those of the users whom somebody follows. One round.
    pub(super) async fn followees_among(
        &self,
        follower: UserId,
        users: impl Iterator<Item = UserId>,
    ) -> Result<BTreeSet<UserId>, Refusal> {
        let follows: Vec<Follow> = self.get_all(users.map(|user| keys::follows(follower, user)).collect()).await?;
        Ok(follows.into_iter().map(|follow| follow.user).collect())
    }

    /// Users' profiles, as they were a moment ago; no user twice. One round, and another where somebody is so new that
    /// a moment ago they were not there.
    pub(super) async fn profiles(
        &self,
        users: impl Iterator<Item = UserId>,
    ) -> Result<HashMap<UserId, Profile>, Refusal> {
        let mut missing: BTreeSet<_> = users.collect();
        let mut profiles: Vec<Profile> =
            self.get_all_lately(missing.iter().copied().map(keys::profile).collect()).await?;
        missing.retain(|user| profiles.iter().all(|profile| profile.id != *user));
        profiles.extend(self.get_all::<Profile>(missing.into_iter().map(keys::profile).collect()).await?);
        Ok(profiles.into_iter().map(|profile| (profile.id, profile)).collect())
    }
}
