//! Users who leave: they are gone at once, and what they leave behind goes bit by bit, from wherever that stands.
//!
//! It begins when nothing that was begun in their name can still be on its way, so that nobody acts for them beside it.
//! Others do, and what hangs on both goes by the verbs that anybody calls: so their counts stay exact. Each entry of the
//! user's partition goes after what it leads to, so whatever breaks off, the next look finds it again.
use std::collections::BTreeSet;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    articles::ArticleEntry,
    comments::SaidEntry,
    follows::{Follow, UserEntry},
    galleries::Heart,
    gifts::{GaveEntry, Given},
    keys::{self, Feed, Key},
    marks::{Mark, Marks},
    messages::MessageEntry,
    sms_codes::ProvedCode,
    table::{Action, Item, Range, Store, number, read},
    users::FREE_OR_MINE,
};
use crate::domain::{DAY, MINUTE, Millis, Page, Refusal, UserId};

/// Longer than any function runs that acts for a user.
const SETTLED_AFTER: Millis = 90 * 1000;
/// When a user is looked for once more: the table's stream keeps for a day what `fanout` may still do in their name.
const LOOKED_AGAIN_AFTER: Millis = DAY + MINUTE;
/// Devices that end in the very transaction, which takes 100 actions. (Of others only the tokens' end ends them.)
const DEVICES_AT_ONCE: usize = 50;
/// Entries that are looked at together, and of these as many side by side: some hundred write units a second each.
const SOME: usize = 100;
const AT_ONCE: usize = 8;

/// A user who has left.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leaver {
    pub user: UserId,
    left_at: Millis,
    /// When they are gone on with.
    pub at: Millis,
    /// Nothing was left of them; it is for what came late.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_last_look: bool,
}

/// What a user leaves behind, in the order in which it goes: first those who follow them, for each article that goes
/// while it has followers is to be taken from every one's feed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Trace {
    Devices,
    Followers,
    Articles,
    Galleries,
    Comments,
    /// That others' comments answer them.
    Answers,
    Votes,
    Marks,
    Follows,
    /// What they gave, in the lists of those who got it.
    Gifts,
    /// That others gave them something.
    Givers,
    Feedback,
    Hearts,
    /// Their own copies; whom they wrote to keeps theirs.
    Messages,
    Files,
    Export,
    Feeds,
    /// All else in their partition but the books.
    Rest,
}

impl Trace {
    pub const ALL: [Self; 18] = [
        Self::Devices,
        Self::Followers,
        Self::Articles,
        Self::Galleries,
        Self::Comments,
        Self::Answers,
        Self::Votes,
        Self::Marks,
        Self::Follows,
        Self::Gifts,
        Self::Givers,
        Self::Feedback,
        Self::Hearts,
        Self::Messages,
        Self::Files,
        Self::Export,
        Self::Feeds,
        Self::Rest,
    ];
}

impl Store {
    /// A user leaves: nobody finds them, nothing signs them in, and all names that led to them are free. With a code that
    /// they proved, it is used up. One transaction, after a round that finds the names, and a query; says whether they were
    /// there.
    pub async fn leave(&self, user: UserId, code: Option<&ProvedCode>) -> Result<bool, Refusal> {
        let build = |_| async move {
            let devices = self.raw_items(Range::new(keys::user(user), keys::DEVICE), Page::first(DEVICES_AT_ONCE));
            let (profile, devices) = tokio::try_join!(self.profile(user), devices)?;
            let Some(profile) = profile else {
                return Ok((vec![], false));
            };
            let mine = |action: Action| action.when(FREE_OR_MINE).with(":me", number(user.0)).or_again();
            // Were one changed meanwhile, it would lead to nobody for good.
            let (same, values) = profile.same_links()?;
            let (now, at) = (self.system.now(), self.system.now() + SETTLED_AFTER);
            let leaver = Leaver { user, left_at: now, at, is_last_look: false };
            let mut actions: Vec<_> = code.map(|code| self.use_code(code)).into_iter().collect();
            actions.extend([
                Action::delete(keys::profile(user)).when(same).with_all(values).or_again(),
                Action::delete(keys::auth(user)),
                Action::put(keys::leaving(at, user), &leaver),
            ]);
            actions.extend(profile.names().into_iter().map(|name| mine(Action::delete(name))));
            let devices: Vec<_> = devices.iter().filter_map(Key::of).collect();
            actions.extend(devices.iter().map(|device| mine(Action::delete(keys::device_of(device)))));
            Ok((actions, true))
        };
        let was_there = self.transact(build).await?;
        self.end_follows(user).await?;
        Ok(was_there)
    }

    /// Nobody can follow who has left, wherever their followers are counted. A query.
    pub async fn end_follows(&self, of: UserId) -> Result<(), Refusal> {
        self.delete_shards(&keys::counts(of)).await
    }

    /// Who has left and is to be gone on with by now, whoever waits longest. One query.
    pub async fn first_leaver(&self) -> Result<Option<Leaver>, Refusal> {
        let due = Range::new(keys::LEAVING.into(), "").up_to(format!("{:013}~", self.system.now()));
        Ok(self.items(due, Page::first(1)).await?.pop())
    }

    /// Is gone on with behind the others, or in so long. A transaction.
    pub async fn go_on_later(&self, leaver: &Leaver, after: Millis) -> Result<(), Refusal> {
        // Behind those who wait since this moment, too.
        self.move_leaver(leaver, Leaver { at: self.system.now().max(leaver.at + 1) + after, ..*leaver }).await
    }

    /// Nothing is left: looks once more when nothing can come late any more, and was that it, forgets them. A transaction.
    pub async fn has_left(&self, leaver: &Leaver) -> Result<(), Refusal> {
        match leaver.is_last_look {
            true => self.delete_all([keys::leaving(leaver.at, leaver.user)]).await,
            false => {
                let at = (leaver.left_at + LOOKED_AGAIN_AFTER).max(leaver.at + 1);
                self.move_leaver(leaver, Leaver { at, is_last_look: true, ..*leaver }).await
            }
        }
    }

    async fn move_leaver(&self, from: &Leaver, to: Leaver) -> Result<(), Refusal> {
        let actions = vec![
            // Somebody else was here.
            Action::delete_there(keys::leaving(from.at, from.user)).or_done(),
            Action::put(keys::leaving(to.at, to.user), &to),
        ];
        self.transact_once(actions).await
    }

    /// Cancels what a user who has left ordered and did not pay. `false` while a charge is under way: it is settled first.
    pub async fn let_orders_go(&self, user: UserId) -> Result<bool, Refusal> {
        let mut is_done = true;
        for order in self.pending_orders(user).await? {
            match self.cancel_order(user, order).await {
                Err(Refusal::Conflict(_)) => is_done = false,
                other => other?,
            }
        }
        if is_done {
            self.delete_all([keys::pending_orders(user)]).await?;
        }
        Ok(is_done)
    }

    /// Takes away some of what a user left behind of one kind, all but what lies in the bucket. `false`: there was none.
    pub async fn erase_some(&self, user: UserId, trace: Trace) -> Result<bool, Refusal> {
        let list = match trace {
            Trace::Devices => keys::DEVICE,
            Trace::Articles => keys::OWN_ARTICLE,
            Trace::Comments => keys::COMMENT,
            Trace::Answers => keys::ANSWER,
            Trace::Votes => keys::VOTE,
            Trace::Marks => keys::MARK,
            Trace::Follows => keys::FOLLOWS,
            Trace::Followers => keys::FOLLOWER,
            Trace::Gifts => keys::GAVE,
            Trace::Givers => keys::GIFT,
            Trace::Feedback => keys::FEEDBACK,
            Trace::Hearts => keys::HEART,
            Trace::Messages => keys::CHAT,
            Trace::Feeds => return self.erase_feeds(user).await,
            Trace::Rest => return self.erase_rest(user).await,
            Trace::Galleries | Trace::Files | Trace::Export => return Err(Refusal::Internal),
        };
        let partition = match trace {
            Trace::Followers => keys::followers(user.into()),
            _ => keys::user(user),
        };
        let items = self.raw_items(Range::new(partition, list), Page::first(SOME)).await?;
        let entries: Vec<_> = items.iter().filter_map(Key::of).collect();
        if entries.is_empty() {
            return Ok(false);
        }
        match trace {
            Trace::Devices => {
                // It ended when they left, and may have another user since.
                let end = |entry: Key| {
                    let mine = Action::delete(keys::device_of(&entry)).when("holder = :me");
                    self.transact_once(vec![mine.with(":me", number(user.0)).or_done()])
                };
                each(entries.clone().into_iter().map(end)).await?
            }
            Trace::Articles => {
                let ids = all::<ArticleEntry>(items)?.into_iter().map(|entry| entry.article).collect();
                self.delete_articles(user, &ids).await?;
            }
            Trace::Comments => {
                let delete = |SaidEntry { said, subject }| async move {
                    self.delete_comments(user, subject.kind(), &BTreeSet::from([said])).await
                };
                each(all(items)?.into_iter().map(delete)).await?
            }
            Trace::Answers => each(all(items)?.into_iter().map(|entry| self.forget_answered(user, entry))).await?,
            Trace::Votes => each(entries.clone().into_iter().map(|vote| self.take_vote_back(vote))).await?,
            Trace::Marks => {
                let unmark = |marks: Marks| async move {
                    if marks.is_like() {
                        self.unmark(Mark::Like, user, marks.subject).await?;
                    }
                    if marks.is_collect() {
                        self.unmark(Mark::Collect, user, marks.subject).await?;
                    }
                    Ok(())
                };
                each(all(items)?.into_iter().map(unmark)).await?
            }
            // One by one, for each changes the user's own counts: side by side they would be in each other's way.
            Trace::Follows => {
                for Follow { followee, .. } in all(items)? {
                    self.unfollow(user, followee).await?;
                }
            }
            Trace::Followers => {
                for UserEntry { user: follower, .. } in all(items)? {
                    self.unfollow(follower, user).await?;
                }
            }
            Trace::Gifts => {
                self.delete_all(all::<GaveEntry>(items)?.iter().map(|entry| keys::gift(entry.to, user))).await?
            }
            Trace::Givers => {
                self.delete_all(all::<Given>(items)?.iter().map(|given| keys::gave(given.giver, user))).await?
            }
            Trace::Hearts => {
                each(all::<Heart>(items)?.into_iter().map(|Heart { heart }| self.take_heart(user, heart))).await?
            }
            Trace::Messages => {
                let ids = all::<MessageEntry>(items)?.into_iter().map(|entry| entry.message).collect();
                self.delete_messages(user, &ids).await?;
            }
            _ => self.delete_all(entries.iter().filter_map(|entry| keys::feedback_of(user, entry))).await?,
        }
        // Where they are still there: what they lead to is gone.
        self.delete_all(entries).await?;
        Ok(true)
    }

    /// A user's own feeds. What notes that one was trimmed goes first, so that none is filled up again.
    async fn erase_feeds(&self, of: UserId) -> Result<bool, Refusal> {
        let feeds = [Feed::Articles, Feed::Projects, Feed::Tickets];
        let mut is_some = false;
        for feed in feeds {
            let entries = self.raw_items(Range::new(keys::feed(feed, of), ""), Page::first(SOME)).await?;
            if !entries.is_empty() {
                self.delete_all([keys::feed_head(feed, of)]).await?;
                self.delete_all(entries.iter().filter_map(Key::of)).await?;
                is_some = true;
            }
        }
        Ok(is_some)
    }

    /// All that is left in a user's partition and leads nowhere else. What came late and leads to something of others'
    /// stays for the last look: were it taken away here, nothing would find that any more.
    async fn erase_rest(&self, user: UserId) -> Result<bool, Refusal> {
        let key = |sk: String| Key { pk: keys::user(user), sk };
        let mut books = keys::BOOKS.to_vec();
        books.sort_unstable();
        // Between the books, and before and behind them.
        let ends = books.iter().map(|book| format!("{book}!")).chain(["~".to_owned()]);
        let begins = ["!".to_owned()].into_iter().chain(books.iter().map(|book| format!("{book}~")));
        let pending = keys::pending_orders(user);
        let leads = |key: &Key| {
            let lists = [keys::COMMENT, keys::ANSWER, keys::VOTE, keys::MARK, keys::HEART];
            lists.iter().any(|list| key.sk.starts_with(list))
        };
        let mut is_some = false;
        for (from, to) in begins.zip(ends) {
            let items = self.raw_items(Range::between(key(from), key(to)), Page::first(SOME)).await?;
            let keys = items.iter().filter_map(Key::of).filter(|key| *key != pending && !leads(key));
            let keys: Vec<_> = keys.collect();
            is_some |= !keys.is_empty();
            self.delete_all(keys).await?;
        }
        Ok(is_some)
    }
}

fn all<T: DeserializeOwned>(items: Vec<Item>) -> Result<Vec<T>, Refusal> {
    items.into_iter().map(read).collect()
}

/// Does all of it, some side by side.
async fn each<F: Future<Output = Result<(), Refusal>>>(work: impl Iterator<Item = F>) -> Result<(), Refusal> {
    stream::iter(work).buffer_unordered(AT_ONCE).try_collect().await
}
