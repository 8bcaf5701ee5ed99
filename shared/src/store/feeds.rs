//! Feeds: what those whom a user follows have made, the newest first; and what is cleaned up behind a deleted article.
//!
//! `fanout` calls these verbs some moments after the writes that they follow up. Each begins with what is true now and
//! makes the rest fit it, so it may come late, twice or in any order. What is changed while it runs has a record of its
//! own in the stream, so it is followed up as well; where that may be over before our writes are done, we look again
//! after them.
use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::{
    articles::{ArticleEntry, ArticleView},
    follows::UserEntry,
    keys::{self, Feed, Key},
    table::{Action, Item, NEW, Range, Store, full_page, put_request, text},
};
use crate::domain::{ArticleId, CommentId, EntryId, Followee, Page, Refusal, UserId};

/// Entries that a feed shows, the newest ones.
const SHOWN: usize = 1_000;
/// Entries that a feed keeps, so that it can lose some before others are fetched in their place.
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
/// Entries of somebody newly followed that come into the feed.
const BACK_FILL: usize = 200;
/// Followers that are served between two looks at who follows.
const FOLLOWERS: usize = 1_000;
/// What hangs on an article is deleted by so many entries at a time.
const ENTRIES: usize = 200;
/// Followees whose entries are looked through side by side, and entries of theirs that are read at a time.
const LOOKED_THROUGH: usize = 16;
const SOME_ENTRIES: usize = 100;

/// An entry below an article: a liker's and a collector's name the user.
#[derive(Deserialize)]
struct AttachedEntry {
    sk: String,
    user: Option<UserId>,
}

/// A follower's entry, with its place in the list.
#[derive(Deserialize)]
struct FollowerEntry {
    sk: String,
    #[serde(flatten)]
    follower: UserEntry,
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
    /// A page of the articles of those whom the viewer follows, the newest first; at most the newest 1,000. Two rounds,
    /// and two more for each time that what it passed over was deleted, or unfollowed, so lately that it is still there.
    pub async fn followed_articles(&self, viewer: UserId, page: Page) -> Result<Vec<ArticleView>, Refusal> {
        let page = Page { limit: page.limit.min(SHOWN.saturating_sub(page.offset)), ..page };
        let feed = || Range::new(keys::feed(Feed::Articles, viewer), "").newest_first();
        let next = |part: Page, last: Option<ArticleEntry>| {
            let after = last.map(|last| keys::feed_entry(Feed::Articles, viewer, &keys::article_place(last.article)));
            self.items(feed().after(after), part)
        };
        full_page(page, next, |entries: Vec<ArticleEntry>| async move {
            let authors = entries.iter().map(|entry| entry.author).collect();
            let (mut views, lately) =
                tokio::try_join!(self.article_views(viewer, entries), self.unfollowed_lately(viewer))?;
            let unfollowed = self.unfollowed_among(viewer, lately, authors).await?;
            views.retain(|view| !unfollowed.contains(&view.article.author));
            Ok(views)
        })
        .await
    }

    /// An entry of somebody's own list came or went: brings it into their followers' feeds, or takes it out of them, and
    /// behind an article all that hung on it. One write and little more for each follower, 200 of them in a round.
    pub async fn follow_up_entry(&self, feed: Feed, by: Followee, place: &str) -> Result<(), Refusal> {
        let article = keys::place_article(feed, place);
        if let Some(item) = self.get_raw(keys::own_entry(feed, by, place)).await? {
            self.add_to_feeds(feed, by, FeedItem::new(place, item)).await?;
            // A gap can wait: one look for several articles.
            if article.is_some_and(|article| article.0.is_multiple_of(SETTLED_AT))
                && let Err(refusal) = self.settle_articles().await
            {
                // Nor is it worth another fan-out.
                tracing::warn!(%refusal, "numbers were not settled");
            }
        } else {
            self.remove_from_feeds(feed, by, place).await?;
            if let Some(article) = article {
                self.clear_article(article).await?;
            }
        }
        Ok(())
    }

    /// A follow came or went: brings the newest entries into the follower's feeds, or takes all out of them.
    pub async fn follow_up_follow(&self, follower: UserId, followee: Followee) -> Result<(), Refusal> {
        let follows: Option<IgnoredAny> = self.get(keys::follows(follower, followee)).await?;
        for feed in Feed::of(followee) {
            match follows {
                Some(_) => self.back_fill(*feed, follower, followee).await?,
                None => self.take_back(*feed, follower, followee).await?,
            }
        }
        Ok(())
    }

    async fn add_to_feeds(&self, feed: Feed, by: Followee, entry: FeedItem) -> Result<(), Refusal> {
        let mut from = None;
        loop {
            let (followers, next) = self.page_of_followers(by, from.clone()).await?;
            let puts = followers.iter().map(|follower| entry.put_into(feed, *follower));
            self.write_all(puts.collect::<Result<_, _>>()?).await?;
            // Whoever unfollowed in between may have been cleaned up after before the entry was there.
            let (still, _) = self.page_of_followers(by, from).await?;
            for former in followers.difference(&still) {
                // Both in one transaction: who follows again gets the entry by that, and keeps it. Refused where they
                // follow, or where the entry is gone: right either way.
                let check = Action::check(keys::follows(*former, by)).when(NEW).or_done();
                let delete = Action::delete_there(keys::feed_entry(feed, *former, &entry.place)).or_done();
                self.transact_once(vec![check, delete]).await?;
            }
            let due = followers.iter().filter(|follower| is_due(**follower, &entry.place, TRIMMED_AT));
            try_join_all(due.map(|follower| self.trim_feed(feed, *follower))).await?;
            if next.is_none() {
                return Ok(());
            }
            from = next;
        }
    }

    async fn remove_from_feeds(&self, feed: Feed, by: Followee, place: &str) -> Result<(), Refusal> {
        let mut from = None;
        loop {
            let (followers, next) = self.page_of_followers(by, from).await?;
            self.delete_all(followers.iter().map(|follower| keys::feed_entry(feed, *follower, place))).await?;
            for follower in followers.iter().filter(|follower| is_due(**follower, place, REFILLED_AT)) {
                self.refill_feed(feed, *follower).await?;
            }
            if next.is_none() {
                return Ok(());
            }
            from = next;
        }
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

    async fn take_back(&self, feed: Feed, follower: UserId, followee: Followee) -> Result<(), Refusal> {
        let entries = self.raw_items(Range::new(keys::feed(feed, follower), ""), Page::first(usize::MAX)).await?;
        let theirs = entries.into_iter().filter(|item| feed.maker(item) == Some(followee));
        self.delete_all(theirs.filter_map(|item| Key::of(&item))).await?;
        self.refill_feed(feed, follower).await
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
        let followees: Vec<_> = self.all_followed(feed, of).await?.into_iter().collect();
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
        let still = self.all_followed(feed, of).await?;
        let makers: Vec<_> =
            missing.iter().filter_map(|entry| Some((feed.maker(&entry.item)?, &entry.place))).collect();
        let key = |(by, place): (Followee, &String)| keys::own_entry(feed, by, place);
        let made = self.get_each::<_, IgnoredAny>(makers.iter().copied(), key).await?;
        let gone = makers.iter().filter(|(by, place)| !still.contains(by) || !made.contains_key(&(*by, *place)));
        self.delete_all(gone.map(|(_, place)| keys::feed_entry(feed, of, place))).await
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

    /// Deletes what hangs on an article that is gone: its text, likes, collects, comments. The entries go after what they
    /// lead to, so that a run that was broken off is finished by its repeat. Nothing new comes: all of it wants the
    /// article to be there.
    async fn clear_article(&self, article: ArticleId) -> Result<(), Refusal> {
        let about = keys::subject(article.into());
        for kind in [keys::LIKER, keys::COLLECTOR, keys::COMMENT, keys::GONE] {
            loop {
                let entries: Vec<AttachedEntry> =
                    self.items(Range::new(about.clone(), kind), Page::first(ENTRIES)).await?;
                if entries.is_empty() {
                    break;
                }
                let leads_to = |entry: &AttachedEntry| {
                    let number = keys::entry_number(&entry.sk).unwrap_or_default();
                    let mark = entry.user.map(|user| keys::mark(user, article));
                    let collect = entry.user.map(|user| keys::collect(user, EntryId(number)));
                    match kind {
                        keys::LIKER => [mark, None],
                        keys::COLLECTOR => [mark, collect],
                        keys::COMMENT => [Some(keys::comment_subject(CommentId(number))), None],
                        _ => [None, None],
                    }
                };
                self.delete_all(entries.iter().flat_map(leads_to).flatten()).await?;
                self.delete_all(entries.into_iter().map(|entry| Key { pk: about.clone(), sk: entry.sk })).await?;
            }
        }
        self.delete_all([keys::article_text(article)]).await
    }

    /// Some of somebody's followers, from a place in their list on, and the place behind them.
    async fn page_of_followers(
        &self,
        of: Followee,
        from: Option<Key>,
    ) -> Result<(BTreeSet<UserId>, Option<Key>), Refusal> {
        let range = Range::new(keys::followee(of), keys::FOLLOWER).after(from);
        let entries: Vec<FollowerEntry> = self.items(range, Page::first(FOLLOWERS)).await?;
        let last = entries.last().filter(|_| entries.len() == FOLLOWERS);
        let next = last.map(|last| Key { pk: keys::followee(of), sk: last.sk.clone() });
        Ok((entries.into_iter().map(|entry| entry.follower.user).collect(), next))
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

/// Whether a follower's feed is looked after at this entry: at one of so many, chosen by the ids, which end in chance.
fn is_due(follower: UserId, place: &str, one_of: u64) -> bool {
    (follower.0 ^ keys::place_number(place)).is_multiple_of(one_of)
}
