//! Who follows whom.
use std::collections::{BTreeSet, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::{
    contents::{Content, Record},
    feeds::Beside,
    keys::{self, Feed},
    table::{Action, Item, Range, SHOWN, Store, THERE, Tally, full_page, number},
    users::Profile,
};
use crate::{
    domain::{DAY, EntryId, Followee, Millis, Page, Refusal, UserId},
    words,
};

/// Whom of a kind one user can follow.
const MOST_FOLLOWS: u64 = 10_000;
/// How long it is remembered that somebody was followed or unfollowed, should it not be followed up before: longer than
/// the table's stream keeps what it has to tell.
const REMEMBERED: Millis = 2 * DAY;

/// Whom an entry of a list of users names.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct UserEntry {
    pub user: UserId,
}

/// Whom an entry of the list of followees names.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct FolloweeEntry {
    followee: Followee,
}

/// The same with its key.
#[derive(Clone, Deserialize)]
struct PlacedEntry {
    sk: String,
    followee: Followee,
}

/// That a user follows somebody.
#[derive(PartialEq, Serialize, Deserialize)]
pub(super) struct Follow {
    pub followee: Followee,
    /// Its place in the lists of both: another one for each time that they follow.
    pub place: EntryId,
}

/// Content that can be followed, as somebody sees it.
#[derive(Clone)]
pub struct Seen<R> {
    pub content: Content<R>,
    pub is_follow: bool,
}

/// What one's pages count; exact.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    pub articles: u64,
    /// The users whom they follow.
    pub follows: u64,
    pub followers: u64,
    /// A crowd has found them.
    pub(super) is_split: bool,
}

/// The same as it is kept, and a shard beside it, which only counts followers.
#[derive(Default, Deserialize)]
#[serde(default)]
struct KeptCounts {
    articles: u64,
    follows: u64,
    followers: i64,
    shards: Option<u16>,
}

/// The attribute of [`Counts`] that counts whom of a kind one follows.
fn follow_count(of: Followee) -> &'static str {
    match of {
        Followee::User(_) => "follows",
        Followee::Master(_) => "follows_masters",
        Followee::Merchant(_) => "follows_merchants",
    }
}

/// Of somebody's followers.
fn tally(of: Followee) -> Tally {
    Tally { head: keys::followee_head(of), counts: keys::counts(of) }
}

impl Store {
    /// Follows; a repeat changes nothing. 404 where there is nobody to follow, 409 at 10,000. One transaction; a query
    /// before it where a crowd follows.
    pub async fn follow(&self, follower: UserId, followee: impl Into<Followee>) -> Result<(), Refusal> {
        let followee = followee.into();
        let (count, tally) = (follow_count(followee), &tally(followee));
        let build = |_| async move {
            let (place, nobody) = (EntryId::fresh(&self.system), Refusal::NoSuch(followee.thing()));
            let more = Action::add(self.place(tally), "followers", 1).in_crowd(tally);
            let is_crowd = more.key() != &tally.counts;
            let counted = match is_crowd {
                // A shard knows.
                true => vec![more.when(SHOWN).or_refuse(nobody)],
                false => {
                    vec![more, Action::check(tally.head.clone()).when(SHOWN).or_refuse(nobody).in_crowd(tally)]
                }
            };
            let full = Refusal::Conflict(words!(
                "you follow 10,000, which is the most: unfollow one first",
                "最多关注 10,000 个，请先取消一个"
            ));
            let mut actions = vec![
                Action::put_new(keys::follows(follower, followee), &Follow { followee, place }).or_done(),
                Action::add(keys::counts(follower), count, 1)
                    .when(format!("attribute_not_exists({count}) OR {count} < :most"))
                    .with(":most", number(MOST_FOLLOWS))
                    .or_refuse(full),
                // Another follow of this millisecond may have drawn the same place.
                Action::put_new(keys::following(follower, followee, place), &FolloweeEntry { followee }).or_again(),
                Action::put_new(keys::follower(followee, place), &UserEntry { user: follower }).or_again(),
            ];
            actions.extend(counted);
            // Of a crowd, each says at once what else `fanout` would have to write for all of them.
            match is_crowd && self.has_room_beside(follower, followee).await? {
                true => actions.extend([
                    self.always_beside_action(follower, followee),
                    Action::delete(keys::lately_beside(follower, followee)),
                ]),
                false => actions.extend(self.beside(follower, followee, Some(place))),
            }
            Ok((actions, ()))
        };
        self.transact(build).await
    }

    /// Unfollows; whom one does not follow is fine. A read and a transaction.
    pub async fn unfollow(&self, follower: UserId, followee: impl Into<Followee>) -> Result<(), Refusal> {
        let followee = followee.into();
        let Some(Follow { place, .. }) = self.get(keys::follows(follower, followee)).await? else {
            return Ok(());
        };
        let tally = &tally(followee);
        let build = |gone: Option<Item>| async move {
            let mut actions = vec![
                // A parallel call may have done it.
                Action::delete(keys::follows(follower, followee))
                    .when("place = :place")
                    .with(":place", number(place.0))
                    .or_done(),
                Action::add(keys::counts(follower), follow_count(followee), -1),
                Action::delete_there(keys::following(follower, followee, place)),
                Action::delete_there(keys::follower(followee, place)),
            ];
            // Of whom is gone, nothing is counted.
            if gone.is_none() {
                let less = Action::add(self.place(tally), "followers", -1).when(THERE);
                actions.push(less.or_look().in_crowd(tally));
            }
            actions.extend(self.beside(follower, followee, None));
            Ok((actions, ()))
        };
        self.transact(build).await
    }

    /// Until the follow, or the unfollow, was followed up, whoever reads the follower's feeds finds it here.
    fn beside(&self, follower: UserId, followee: Followee, follow: Option<EntryId>) -> Option<Action> {
        let expires_at = Some((self.system.now() + REMEMBERED) / 1000);
        let beside = Beside { followee, follow, expires_at };
        (!Feed::of(followee).is_empty()).then(|| Action::put(keys::lately_beside(follower, followee), &beside))
    }

    /// To read somebody's list beside one's feeds, always.
    pub(super) fn always_beside_action(&self, follower: UserId, followee: Followee) -> Action {
        let beside = Beside { followee, follow: None, expires_at: None };
        Action::put(keys::always_beside(follower, followee), &beside)
    }

    /// What is counted of somebody. One round, and one more of whom a crowd follows.
    pub async fn counts(&self, of: impl Into<Followee>) -> Result<Counts, Refusal> {
        let key = keys::counts(of);
        let kept: KeptCounts = self.get(key.clone()).await?.unwrap_or_default();
        let shards: Vec<KeptCounts> = match kept.shards {
            Some(_) => self.shards(&key, false).await?,
            None => vec![],
        };
        let followers = kept.followers + shards.iter().map(|shard| shard.followers).sum::<i64>();
        // A query is not of one moment, so a sum may be a little off while it changes.
        let followers = followers.max(0).unsigned_abs();
        Ok(Counts { articles: kept.articles, follows: kept.follows, followers, is_split: kept.shards.is_some() })
    }

    pub async fn is_following(&self, follower: UserId, followee: impl Into<Followee>) -> Result<bool, Refusal> {
        Ok(self.get::<Follow>(keys::follows(follower, followee.into())).await?.is_some())
    }

    /// A page of those who follow a user, the newest follower first. Two rounds.
    pub async fn followers(&self, of: UserId, page: Page) -> Result<Vec<Profile>, Refusal> {
        let entries: Vec<UserEntry> = self.newest(keys::followers(of.into()), keys::FOLLOWER, page).await?;
        self.profiles_in_order(of, entries.iter().map(|entry| entry.user)).await
    }

    /// Those of the masters and merchants whom somebody follows. One round; one more as in [`Store::get_near`].
    pub(super) async fn followed_among(
        &self,
        follower: UserId,
        followees: Vec<Followee>,
    ) -> Result<HashSet<Followee>, Refusal> {
        let key = |followee| keys::follows(follower, followee);
        let follows = self.get_near(followees, key, |follow: &Follow| follow.followee).await?;
        Ok(follows.into_keys().collect())
    }

    /// Content that can be followed, withdrawn or not, as somebody sees it. One round; one more as in
    /// [`Store::get_near`].
    pub(super) async fn seen<R: Record>(
        &self,
        viewer: UserId,
        followees: Vec<Followee>,
    ) -> Result<HashMap<Followee, Seen<R>>, Refusal> {
        let (contents, followed) = tokio::try_join!(
            self.get_each_lately(followees.iter().copied(), keys::followee_head),
            self.followed_among(viewer, followees.clone()),
        )?;
        let seen = |(followee, content)| (followee, Seen { content, is_follow: followed.contains(&followee) });
        Ok(contents.into_iter().map(seen).collect())
    }

    /// A page of the content whom or which a user follows, the last followed first, those left out that are withdrawn.
    /// Two rounds.
    pub(super) async fn followed_contents<R: Record>(
        &self,
        of: UserId,
        list: &str,
        page: Page,
    ) -> Result<Vec<Content<R>>, Refusal> {
        let range = || Range::new(keys::user(of), list).newest_first();
        let next = |part: Page, last: Option<PlacedEntry>| {
            let after = last.map(|last| keys::Key { pk: keys::user(of), sk: last.sk });
            self.items(range().after(after), part)
        };
        full_page(page, next, |entries: Vec<PlacedEntry>| async move {
            let followees: Vec<_> = entries.iter().map(|entry| entry.followee).collect();
            let contents =
                self.get_each_lately::<_, Content<R>>(followees.iter().copied(), keys::followee_head).await?;
            let shown = followees.iter().filter_map(|followee| contents.get(followee));
            Ok(shown.filter(|content| !content.withdrawn).cloned().collect())
        })
        .await
    }

    /// A page of the users whom a user follows, the last followed first. Two rounds.
    pub async fn followed_users(&self, of: UserId, page: Page) -> Result<Vec<Profile>, Refusal> {
        let entries: Vec<FolloweeEntry> = self.newest(keys::user(of), keys::FOLLOWING_USER, page).await?;
        let users = entries.iter().filter_map(|entry| match entry.followee {
            Followee::User(user) => Some(user),
            _ => None,
        });
        self.profiles_in_order(of, users).await
    }

    /// All whom somebody follows and whose entries go into a feed. 10,000 at most, in a few queries.
    pub(super) async fn all_followed(&self, feed: Feed, follower: UserId) -> Result<BTreeSet<Followee>, Refusal> {
        let list = match feed {
            Feed::Articles => keys::FOLLOWING_USER,
            Feed::Projects | Feed::Tickets => keys::FOLLOWING_MASTER,
        };
        let entries: Vec<FolloweeEntry> =
            self.items(Range::new(keys::user(follower), list), Page::first(MOST_FOLLOWS as usize)).await?;
        Ok(entries.into_iter().map(|entry| entry.followee).collect())
    }
}
