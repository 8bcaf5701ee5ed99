//! What `fanout` does some moments after the writes that it follows up: it fills feeds and cleans up behind articles and
//! galleries.
//!
//! Each verb begins with what is true now and makes the rest fit it, so it may come late, twice or in any order. What is
//! changed while it runs has a record of its own in the stream, so it is followed up as well; where that may be over
//! before our writes are done, we look again after them.
//!
//! What is a few writes is done at once. What is more is cut into [`Task`]s, which wait in a queue: each is done again by
//! itself where it fails, beside the others, and they leave the table room for the requests that somebody waits for.
use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::{
    comments::{Reply, answered},
    feeds::BACK_FILL,
    follows::Follow,
    keys::{self, Feed, Key},
    table::{Action, Item, NEW, Pace, Range, Store, THERE, number, put_request, text},
};
use crate::domain::{ArticleId, CommentId, EntryId, Followee, GalleryId, Page, Refusal, UserId};

/// Entries that a feed keeps, so that it can lose some of the 1,000 that it shows before others are fetched in their place.
const KEPT: usize = 1_500;
/// A feed that was trimmed is filled up when it has fewer.
const REFILLED_BELOW: usize = 1_250;
/// A feed is trimmed at one of so many new entries, so that it is longer by about as many at most.
const TRIMMED_AT: u64 = 64;
/// A feed is looked at whether it wants filling up at one of so many deletions. By then it has lost fewer than the 250
/// that it can lose unnoticed, but for one case in ten millions.
const REFILLED_AT: u64 = 16;
/// The list of all articles is looked after at one of so many.
const SETTLED_AT: u64 = 16;
/// Whom more follow, their entries are not written into their followers' feeds: these read them from their own list. Each
/// follower is in one of the two states by themselves, so that it does not matter when the count passes this, or how
/// often: who follows reads the list, if they follow when the count is above, or are to be written to while it is.
const MANY: u64 = 10_000;
/// Feeds that one task writes to, or entries that it deletes: what is no more is done at once. Each is a write unit or
/// two, so a task takes half a second at its pace.
const PART: usize = 100;
/// Followees whose entries are looked through side by side, and entries of theirs that are read at a time.
const LOOKED_THROUGH: usize = 16;
const SOME_ENTRIES: usize = 100;

/// A part of what follows from a change: what a message of the queue holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case")]
pub enum Task {
    /// Brings an entry into some followers' feeds, or takes it out of them.
    Spread { feed: Feed, by: Followee, place: String, part: Part },
    /// Deletes some of what hung on an article that is gone.
    Clear { article: ArticleId, part: Part },
    /// Takes away some of the hearts that a gallery had which is gone.
    TakeHearts { gallery: GalleryId, part: Part },
    /// Fills up a feed that has lost more than it has in reserve.
    Refill { feed: Feed, of: UserId },
}

/// Part of a list, by sort keys that both belong to it. A list's parts leave nothing out between them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    from: String,
    to: String,
}

impl Task {
    /// Whose it is: whoever has many tasks does not keep others' waiting.
    pub fn of(&self) -> String {
        match self {
            Self::Spread { by, .. } => keys::followee(*by),
            Self::Clear { article, .. } => keys::subject((*article).into()),
            Self::TakeHearts { gallery, .. } => keys::gallery(*gallery),
            Self::Refill { of, .. } => keys::user(*of),
        }
    }
}

/// An entry below an article: a liker's, a collector's and a comment name the user.
#[derive(Deserialize)]
struct AttachedEntry {
    sk: String,
    user: Option<UserId>,
    /// Of a comment: what it answers, and the one that began its thread.
    reply: Option<Reply>,
    first_reply: Option<Reply>,
}

/// Of somebody whose feeds are written to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct AheadEntry {
    user: UserId,
    /// However many follow the same: they read as many lists beside their feeds as they can.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    for_good: bool,
}

/// An entry of which only its place counts.
#[derive(Deserialize)]
struct PlacedEntry {
    sk: String,
}

/// That a feed was trimmed: up to this place it holds nothing, though there may be more.
#[derive(Serialize, Deserialize)]
struct FeedHead {
    floor: String,
}

/// What somebody has made, as their own list and every feed hold it.
#[derive(Clone, PartialEq)]
struct FeedItem {
    /// Where it stands in each of them.
    place: String,
    item: Item,
}

impl Store {
    /// An entry of somebody's own list came or went: brings it into their followers' feeds, or takes it out of them, and
    /// behind an article all that hung on it. One write and little more for each follower. Gives what is left to be done.
    pub async fn follow_up_entry(&self, feed: Feed, by: Followee, place: &str) -> Result<Vec<Task>, Refusal> {
        let (is_there, parts) = tokio::try_join!(
            self.get::<IgnoredAny>(keys::own_entry(feed, by, place)),
            self.parts(keys::ahead_list(by), ""),
        )?;
        let (is_there, article) = (is_there.is_some(), keys::place_article(feed, place));
        let mut tasks = match &parts[..] {
            [all] => self.spread(feed, by, place, all, Pace::Fast).await?,
            _ => {
                let spread = |part| Task::Spread { feed, by, place: place.to_owned(), part };
                parts.into_iter().map(spread).collect()
            }
        };
        match article {
            Some(article) if !is_there => tasks.extend(self.clear_article(article).await?),
            // A gap can wait: one look for several articles.
            Some(article) if article.0.is_multiple_of(SETTLED_AT) => {
                if let Err(refusal) = self.settle_articles().await {
                    // Nor is it worth another fan-out.
                    tracing::warn!(%refusal, "numbers were not settled");
                }
            }
            _ => {}
        }
        Ok(tasks)
    }

    /// A follow came or went: brings the newest entries into the follower's feeds and has those to come follow them, or
    /// takes all out of them. Gives what is left to be done.
    pub async fn follow_up_follow(&self, follower: UserId, followee: Followee) -> Result<Vec<Task>, Refusal> {
        let (feeds, mut tasks) = (Feed::of(followee), vec![]);
        if feeds.is_empty() {
            return Ok(tasks);
        }
        let look = || self.get::<Follow>(keys::follows(follower, followee));
        let mut follow = look().await?;
        loop {
            match &follow {
                Some(Follow { place, .. }) => self.begin(follower, followee, *place).await?,
                None => {
                    self.end(follower, followee).await?;
                    for feed in feeds {
                        tasks.extend(self.take_back(*feed, follower, followee).await?);
                    }
                }
            }
            let now = look().await?;
            if now == follow {
                return Ok(tasks);
            }
            follow = now;
        }
    }

    /// A gallery came or went: behind one that is gone takes away the hearts that it had. Nothing new comes: who gives one
    /// wants the gallery to be there. Gives what is left to be done.
    pub async fn follow_up_gallery(&self, gallery: GalleryId) -> Result<Vec<Task>, Refusal> {
        if self.is_gallery_open(gallery).await? {
            return Ok(vec![]);
        }
        let parts = self.parts(keys::hearts(gallery), "").await?;
        match &parts[..] {
            [all] => self.take_hearts(gallery, all, Pace::Fast).await.map(|()| vec![]),
            _ => Ok(parts.into_iter().map(|part| Task::TakeHearts { gallery, part }).collect()),
        }
    }

    /// Does a task, at the pace of what nobody waits for. Gives what is left to be done.
    pub async fn do_task(&self, task: &Task) -> Result<Vec<Task>, Refusal> {
        match task {
            Task::Spread { feed, by, place, part } => self.spread(*feed, *by, place, part, Pace::Slow).await,
            Task::Clear { article, part } => self.clear(*article, part, Pace::Slow).await.map(|()| vec![]),
            Task::TakeHearts { gallery, part } => self.take_hearts(*gallery, part, Pace::Slow).await.map(|()| vec![]),
            Task::Refill { feed, of } => self.refill_feed(*feed, *of).await.map(|()| vec![]),
        }
    }

    /// Cuts a list into parts of some 100 entries each: one at least.
    async fn parts(&self, pk: String, list: &str) -> Result<Vec<Part>, Refusal> {
        /// Entries that are read at a time.
        const READ: usize = 20 * PART;
        // Who is not seen yet falls into one of the parts all the same.
        let whole = Range::new(pk.clone(), list).lately();
        let (mut parts, mut from, mut counted, mut last) = (vec![], format!("{list}!"), 0, None::<String>);
        loop {
            let after = last.clone().map(|sk| Key { pk: pk.clone(), sk });
            let entries: Vec<PlacedEntry> = self.items(whole.clone().after(after), Page::first(READ)).await?;
            let is_end = entries.len() < READ;
            for PlacedEntry { sk } in entries {
                if let Some(to) = last.replace(sk).filter(|_| counted % PART == 0) {
                    // All places are of one length: behind this one begin those above it.
                    let next = format!("{to}!");
                    parts.push(Part { from: std::mem::replace(&mut from, next), to });
                }
                counted += 1;
            }
            if is_end {
                parts.push(Part { from, to: format!("{list}~") });
                return Ok(parts);
            }
        }
    }

    /// Brings an entry, if it is there, into the feeds of some of those who wait for it, or else takes it out of them.
    async fn spread(
        &self,
        feed: Feed,
        by: Followee,
        place: &str,
        part: &Part,
        pace: Pace,
    ) -> Result<Vec<Task>, Refusal> {
        let own = keys::own_entry(feed, by, place);
        let (mut entry, mut ahead, counts) =
            tokio::try_join!(self.get_raw(own.clone()), self.ahead(by, part), self.counts(by))?;
        loop {
            let (is_there, mut tasks) = (entry.is_some(), vec![]);
            if is_there && counts.followers > MANY {
                self.leave_to_read(by, &mut ahead).await?;
            }
            let followers: BTreeSet<_> = ahead.iter().map(|entry| entry.user).collect();
            match entry {
                Some(item) => {
                    let entry = FeedItem::new(place, item);
                    let puts = followers.iter().map(|follower| entry.put_into(feed, *follower));
                    self.write_at(pace, puts.collect::<Result<_, _>>()?).await?;
                }
                None => {
                    let keys = followers.iter().map(|follower| keys::feed_entry(feed, *follower, place));
                    self.delete_at(pace, keys).await?;
                    tasks = self.refills(feed, &followers, place).await?;
                }
            }
            let (still, now) = tokio::try_join!(self.ahead(by, part), self.get_raw(own.clone()))?;
            if now.is_some() != is_there {
                entry = now;
                ahead.extend(still);
                continue;
            }
            if is_there {
                // Whoever unfollowed in between may have been cleaned up after before the entry was there.
                let still = still.into_iter().map(|entry| entry.user).collect();
                for former in followers.difference(&still) {
                    // Both in one transaction: who follows again gets the entry by that, and keeps it. Refused where
                    // they follow, or where the entry is gone: right either way.
                    let check = Action::check(keys::follows(*former, by)).when(NEW).or_done();
                    let delete = Action::delete_there(keys::feed_entry(feed, *former, place)).or_done();
                    self.transact_once(vec![check, delete]).await?;
                }
                let due = followers.iter().filter(|follower| is_due(**follower, place, TRIMMED_AT));
                try_join_all(due.map(|follower| self.trim_feed(feed, *follower))).await?;
            }
            return Ok(tasks);
        }
    }

    /// Of those whose feeds are written to, leaves it to those to read somebody's list who have room for that, one by
    /// one: once in the life of a follow. A query and a transaction each.
    async fn leave_to_read(&self, of: Followee, ahead: &mut BTreeSet<AheadEntry>) -> Result<(), Refusal> {
        let there: Vec<_> = ahead.iter().copied().filter(|entry| !entry.for_good).collect();
        for entry in there {
            let AheadEntry { user, .. } = entry;
            ahead.remove(&entry);
            if self.has_room_beside(user, of).await? {
                let check = Action::check(keys::follows(user, of)).when(THERE).or_done();
                self.transact_once([vec![check], self.read_beside(user, of)].concat()).await?;
            } else {
                let for_good = Action::update(keys::ahead(of, user), "SET for_good = :true").when(THERE).or_done();
                self.transact_once(vec![for_good.with(":true", AttributeValue::Bool(true))]).await?;
                ahead.insert(AheadEntry { user, for_good: true });
            }
        }
        Ok(())
    }

    /// Of feeds that lost an entry, those that are to be looked at: they were trimmed.
    async fn refills(&self, feed: Feed, of: &BTreeSet<UserId>, place: &str) -> Result<Vec<Task>, Refusal> {
        let due = of.iter().copied().filter(|follower| is_due(*follower, place, REFILLED_AT));
        let heads = self.get_each::<_, FeedHead>(due, |of| keys::feed_head(feed, of)).await?;
        Ok(heads.into_keys().map(|of| Task::Refill { feed, of }).collect())
    }

    /// Somebody follows: their feeds are written to from now on, or they read the list of whom many follow. Either way
    /// nothing is missed: until it is done, what was made is read beside their feeds.
    async fn begin(&self, follower: UserId, followee: Followee, follow: EntryId) -> Result<(), Refusal> {
        let feeds = Feed::of(followee);
        let (is_beside, counts) =
            tokio::try_join!(self.get::<IgnoredAny>(keys::always_beside(follower, followee)), self.counts(followee),)?;
        let (is_beside, lately) = (is_beside.is_some(), keys::lately_beside(follower, followee));
        if is_beside {
            let ahead = self.get::<IgnoredAny>(keys::ahead(followee, follower));
            let (ahead, lately) = tokio::try_join!(ahead, self.get::<IgnoredAny>(lately.clone()))?;
            if ahead.is_none() && lately.is_none() {
                // The follow itself has said so.
                return Ok(());
            }
        }
        let for_good = counts.followers > MANY;
        let has_room = !is_beside && (for_good || counts.is_split) && self.has_room_beside(follower, followee).await?;
        let same = || number(follow.0);
        let check = Action::check(keys::follows(follower, followee)).when("place = :place").with(":place", same());
        let check = check.or_done();
        let seen = Action::delete(lately).when("follow = :place").with(":place", same()).or_done();
        if is_beside || has_room {
            self.transact_once([vec![check], self.read_beside(follower, followee)].concat()).await?;
        } else {
            let put = Action::put(keys::ahead(followee, follower), &AheadEntry { user: follower, for_good });
            self.transact_once(vec![check, put]).await?;
            for feed in feeds {
                self.back_fill(*feed, follower, followee).await?;
            }
        }
        self.transact_once(vec![seen]).await
    }

    /// To read somebody's list beside one's feeds, and be written to no more.
    fn read_beside(&self, follower: UserId, followee: Followee) -> Vec<Action> {
        vec![self.always_beside_action(follower, followee), Action::delete(keys::ahead(followee, follower))]
    }

    /// Somebody follows no more: neither is their feed written to, nor do they read a list beside it; unless they follow
    /// again.
    async fn end(&self, follower: UserId, followee: Followee) -> Result<(), Refusal> {
        let check = Action::check(keys::follows(follower, followee)).when(NEW).or_done();
        let deletes = [keys::ahead(followee, follower), keys::always_beside(follower, followee)].map(Action::delete);
        self.transact_once([check].into_iter().chain(deletes).collect()).await
    }

    async fn back_fill(&self, feed: Feed, follower: UserId, followee: Followee) -> Result<(), Refusal> {
        // What lies below the floor would stand there without the others' that was trimmed.
        let floor = self.feed_floor(feed, follower).await?;
        let newest = self.newest_of(feed, followee, &floor, BACK_FILL).await?;
        self.write_feed(feed, follower, &newest).await?;
        // What was deleted in between may have been taken out of the feeds before it was in this one.
        let now = self.newest_of(feed, followee, &floor, BACK_FILL).await?;
        // Older ones may only have been pushed out by newer ones.
        let since = now.last().filter(|_| now.len() == BACK_FILL).map(|entry| &entry.place);
        let deleted =
            newest.iter().map(|entry| &entry.place).filter(|place| now.iter().all(|now| now.place != **place));
        let deleted = deleted.filter(|place| since.is_none_or(|since| *place > since));
        self.delete_all(deleted.map(|place| keys::feed_entry(feed, follower, place))).await?;
        self.trim_feed(feed, follower).await
    }

    /// Somebody's newest entries above a floor, the newest first.
    async fn newest_of(&self, feed: Feed, by: Followee, floor: &str, most: usize) -> Result<Vec<FeedItem>, Refusal> {
        let first = keys::own_entry(feed, by, floor);
        // All places are of one length: behind this one begin those above it.
        let range = Range::new(first.pk, feed.own_prefix()).from(format!("{}!", first.sk)).newest_first();
        let items = self.raw_items(range, Page::first(most)).await?;
        let entry = |item: Item| {
            let place = Key::of(&item)?.sk.strip_prefix(feed.own_prefix())?.to_owned();
            Some(FeedItem::new(&place, item))
        };
        Ok(items.into_iter().filter_map(entry).collect())
    }

    async fn write_feed(&self, feed: Feed, of: UserId, entries: &[FeedItem]) -> Result<(), Refusal> {
        let puts = entries.iter().map(|entry| entry.put_into(feed, of));
        self.write_all(puts.collect::<Result<_, _>>()?).await
    }

    async fn take_back(&self, feed: Feed, follower: UserId, followee: Followee) -> Result<Option<Task>, Refusal> {
        let entries = self.raw_items(Range::new(keys::feed(feed, follower), ""), Page::first(usize::MAX)).await?;
        let theirs = entries.into_iter().filter(|item| feed.maker(item) == Some(followee));
        self.delete_all(theirs.filter_map(|item| Key::of(&item))).await?;
        let was_trimmed = self.get::<FeedHead>(keys::feed_head(feed, follower)).await?.is_some();
        Ok(was_trimmed.then_some(Task::Refill { feed, of: follower }))
    }

    /// Where a feed lost more than it has in reserve, and others' entries were trimmed off it before, these come back:
    /// the newest of all whom its owner follows. Some queries for each of them.
    async fn refill_feed(&self, feed: Feed, of: UserId) -> Result<(), Refusal> {
        let Some(FeedHead { floor }) = self.get(keys::feed_head(feed, of)).await? else {
            return Ok(());
        };
        let newest =
            self.raw_items(Range::new(keys::feed(feed, of), "").newest_first(), Page::first(REFILLED_BELOW)).await?;
        if newest.len() == REFILLED_BELOW {
            return Ok(());
        }
        let there: BTreeSet<_> = newest.iter().filter_map(|item| Some(Key::of(item)?.sk)).collect();
        let followees: Vec<_> = self.all_written(feed, of).await?.into_iter().collect();
        let (mut found, mut is_all) = (BTreeMap::<String, FeedItem>::new(), true);
        for some in followees.chunks(LOOKED_THROUGH) {
            // Nobody's older entry is among the newest any more.
            let lowest = &found.keys().next().filter(|_| found.len() == KEPT).cloned().unwrap_or_default();
            for entries in try_join_all(some.iter().map(|by| self.entries_down_to(feed, *by, lowest))).await? {
                is_all &= entries.len() < KEPT;
                found.extend(entries.into_iter().map(|entry| (entry.place.clone(), entry)));
            }
            is_all &= lowest.is_empty() && found.len() <= KEPT;
            while found.len() > KEPT {
                found.pop_first();
            }
        }
        let missing: Vec<_> = found.values().filter(|entry| !there.contains(&entry.place)).cloned().collect();
        self.write_feed(feed, of, &missing).await?;
        // Unless it was trimmed anew meanwhile.
        let same = |action: Action| action.when("floor = :floor").with(":floor", text(&floor)).or_done();
        let head = match found.keys().next().filter(|_| !is_all) {
            Some(lowest) => {
                let update = Action::update(keys::feed_head(feed, of), "SET floor = :lowest");
                same(update.with(":lowest", text(lowest)))
            }
            None => same(Action::delete(keys::feed_head(feed, of))),
        };
        self.transact_once(vec![head]).await?;
        // What was deleted or unfollowed in between may have been taken out before it was there.
        let still = self.all_written(feed, of).await?;
        let makers: Vec<_> =
            missing.iter().filter_map(|entry| Some((feed.maker(&entry.item)?, &entry.place))).collect();
        let key = |(by, place): (Followee, &String)| keys::own_entry(feed, by, place);
        let made = self.get_each::<_, IgnoredAny>(makers.iter().copied(), key).await?;
        let gone = makers.iter().filter(|(by, place)| !still.contains(by) || !made.contains_key(&(*by, *place)));
        self.delete_all(gone.map(|(_, place)| keys::feed_entry(feed, of, place))).await
    }

    /// All whose entries belong into a feed.
    async fn all_written(&self, feed: Feed, of: UserId) -> Result<BTreeSet<Followee>, Refusal> {
        let (followed, beside) = tokio::try_join!(self.all_followed(feed, of), self.always_beside(feed, of))?;
        Ok(followed.difference(&beside).copied().collect())
    }

    /// Somebody's newest entries above `lowest`, as many as a feed keeps at most.
    async fn entries_down_to(&self, feed: Feed, by: Followee, lowest: &str) -> Result<Vec<FeedItem>, Refusal> {
        let entries = self.newest_of(feed, by, lowest, SOME_ENTRIES).await?;
        match entries.len() {
            SOME_ENTRIES => self.newest_of(feed, by, lowest, KEPT).await,
            _ => Ok(entries),
        }
    }

    async fn feed_floor(&self, feed: Feed, of: UserId) -> Result<String, Refusal> {
        let head: Option<FeedHead> = self.get(keys::feed_head(feed, of)).await?;
        Ok(head.map(|head| head.floor).unwrap_or_default())
    }

    /// Takes off what a feed has too much, and notes where it was cut.
    async fn trim_feed(&self, feed: Feed, of: UserId) -> Result<(), Refusal> {
        // Should there be more, the next time brings them.
        let range = Range::new(keys::feed(feed, of), "").newest_first();
        let beyond: Vec<_> =
            self.raw_items(range, Page { offset: KEPT, limit: KEPT }).await?.iter().filter_map(Key::of).collect();
        let Some(highest) = beyond.first() else {
            return Ok(());
        };
        // Before anything is cut: who finds it cut finds it noted.
        let update = Action::update(keys::feed_head(feed, of), "SET floor = :highest")
            .when("attribute_not_exists(floor) OR floor < :highest")
            .with(":highest", text(&highest.sk))
            .or_done();
        self.transact_once(vec![update]).await?;
        self.delete_all(beyond).await
    }

    /// Deletes what hung on an article that is gone: its text, likes, collects, comments. Nothing new comes: all of it
    /// wants the article to be there. Gives what is left to be done.
    async fn clear_article(&self, article: ArticleId) -> Result<Vec<Task>, Refusal> {
        let mut tasks = vec![];
        // Who deleted it has done so, unless they broke off.
        self.delete_shards(&keys::head(article)).await?;
        for kind in [keys::LIKER, keys::COLLECTOR, keys::COMMENT, keys::COMMENT_PLACE, keys::GONE] {
            let parts = self.parts(lies(article, kind), kind).await?;
            match &parts[..] {
                [all] => self.clear(article, all, Pace::Fast).await?,
                _ => tasks.extend(parts.into_iter().map(|part| Task::Clear { article, part })),
            }
        }
        self.delete_all([keys::article_text(article)]).await?;
        Ok(tasks)
    }

    /// Deletes some of it. The entries go after what they lead to, so that a run that was broken off is finished by its
    /// repeat.
    async fn clear(&self, article: ArticleId, part: &Part, pace: Pace) -> Result<(), Refusal> {
        let pk = lies(article, &part.from);
        let entries: Vec<AttachedEntry> = self.items(part.of(pk.clone()), Page::first(usize::MAX)).await?;
        let leads_to = |entry: &AttachedEntry| {
            let number = keys::entry_number(&entry.sk).unwrap_or_default();
            let mark = entry.user.map(|user| keys::mark(user, article));
            let collect = entry.user.map(|user| keys::collect(user, EntryId(number)));
            match keys::list_of(&entry.sk) {
                keys::LIKER => vec![mark],
                keys::COLLECTOR => vec![mark, collect],
                keys::COMMENT => {
                    let comment = CommentId(number);
                    let answered = answered([entry.reply, entry.first_reply]).into_iter();
                    let answers = answered.map(|user| Some(keys::answer(user, comment)));
                    let said = entry.user.map(|user| keys::own_comment(user, comment));
                    answers.chain([Some(keys::comment_subject(comment)), said]).collect()
                }
                _ => vec![],
            }
        };
        self.delete_at(pace, entries.iter().flat_map(leads_to).flatten()).await?;
        self.delete_at(pace, entries.into_iter().map(|entry| Key { pk: pk.clone(), sk: entry.sk })).await
    }

    /// Deletes some of the hearts that a gallery had: first from their givers' lists, so that a run that was broken off is
    /// finished by its repeat.
    async fn take_hearts(&self, gallery: GalleryId, part: &Part, pace: Pace) -> Result<(), Refusal> {
        let entries: Vec<PlacedEntry> = self.items(part.of(keys::hearts(gallery)), Page::first(usize::MAX)).await?;
        let givers: Vec<_> = entries.iter().filter_map(|entry| keys::heart_giver(&entry.sk)).collect();
        self.delete_at(pace, givers.iter().map(|giver| keys::heart(*giver, gallery))).await?;
        self.delete_at(pace, givers.iter().map(|giver| keys::heart_from(gallery, *giver))).await
    }

    /// Some of those whose feeds are written to.
    async fn ahead(&self, of: Followee, part: &Part) -> Result<BTreeSet<AheadEntry>, Refusal> {
        let entries: Vec<AheadEntry> = self.items(part.of(keys::ahead_list(of)), Page::first(usize::MAX)).await?;
        Ok(entries.into_iter().collect())
    }
}

impl Part {
    fn of(&self, pk: String) -> Range {
        Range::between(Key { pk: pk.clone(), sk: self.from.clone() }, Key { pk, sk: self.to.clone() })
    }
}

impl FeedItem {
    fn new(place: &str, mut item: Item) -> Self {
        item.retain(|name, _| name != "pk" && name != "sk");
        Self { place: place.to_owned(), item }
    }

    fn put_into(&self, feed: Feed, of: UserId) -> Result<aws_sdk_dynamodb::types::WriteRequest, Refusal> {
        let key = Item::from(keys::feed_entry(feed, of, &self.place));
        put_request(self.item.clone().into_iter().chain(key).collect())
    }
}

/// The partition of what hangs on an article, by what its sort keys begin with.
fn lies(article: ArticleId, sk: &str) -> String {
    match keys::list_of(sk) {
        keys::LIKER | keys::COLLECTOR => keys::marked(article),
        _ => keys::subject(article.into()),
    }
}

/// Whether a follower's feed is looked after at this entry: at one of so many, chosen by the ids, which end in chance.
fn is_due(follower: UserId, place: &str, one_of: u64) -> bool {
    (follower.0 ^ keys::place_number(place)).is_multiple_of(one_of)
}
