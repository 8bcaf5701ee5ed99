//! Feeds: the articles of those whom a user follows; and what is cleaned up behind a deleted article.
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
    keys,
    table::{Action, NEW, Range, Store, full_page, number, put_request},
};
use crate::domain::{ArticleId, CommentId, EntryId, Followee, Refusal, UserId};

/// Articles that a feed shows, the newest ones.
const SHOWN: usize = 1_000;
/// Articles that a feed keeps, so that it can lose some before others are fetched in their place.
const KEPT: usize = 1_500;
/// A feed that was trimmed is filled up when it has fewer.
const REFILLED_BELOW: usize = 1_250;
/// A feed is trimmed at one of so many new articles, so that it is longer by about as many at most.
const TRIMMED_AT: u64 = 64;
/// A feed is looked at whether it wants filling up at one of so many deletions. By then it has lost fewer than the 250
/// that it can lose unnoticed, but for one case in ten millions.
const REFILLED_AT: u64 = 16;
/// The list of all articles is looked after at one of so many.
const SETTLED_AT: u64 = 16;
/// Articles of somebody newly followed that come into the feed.
const BACK_FILL: usize = 200;
/// Followers that are served between two looks at who follows.
const FOLLOWERS: usize = 1_000;
/// What hangs on an article is deleted by so many entries at a time.
const ENTRIES: usize = 200;
/// Followees whose articles are looked through side by side, and articles of theirs that are read at a time.
const LOOKED_THROUGH: usize = 16;
const SOME_ARTICLES: usize = 100;

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

/// That a feed was trimmed: below this article it holds nothing, though there may be more.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct FeedHead {
    floor: ArticleId,
}

impl Store {
    /// A page of the articles of those whom the viewer follows, the newest first; at most the newest 1,000. Two rounds,
    /// and two more for each time that what it passed over was deleted, or unfollowed, so lately that it is still there.
    pub async fn followed_articles(
        &self,
        viewer: UserId,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<ArticleView>, Refusal> {
        let limit = limit.min(SHOWN.saturating_sub(offset));
        let feed = || Range::new(keys::feed(viewer), "").newest_first();
        let next = |wanted, last: Option<ArticleEntry>| {
            let skip = if last.is_some() { 0 } else { offset };
            self.items(feed().after(last.map(|last| keys::feed_entry(viewer, last.article))), skip, wanted)
        };
        full_page(limit, next, |entries: Vec<ArticleEntry>| async move {
            let authors = entries.iter().map(|entry| entry.author).collect();
            let (mut views, lately) =
                tokio::try_join!(self.article_views(viewer, entries), self.unfollowed_lately(viewer))?;
            let unfollowed = self.unfollowed_among(viewer, lately, authors).await?;
            views.retain(|view| !unfollowed.contains(&view.article.author));
            Ok(views)
        })
        .await
    }

    /// An article came or went: brings it into the feeds of its author's followers, or takes it out of them, and with
    /// it all that hung on it. One write and little more for each follower, 200 of them in a round.
    pub async fn follow_up_article(&self, author: UserId, article: ArticleId) -> Result<(), Refusal> {
        if let Some(entry) = self.get(keys::own_article(author, article)).await? {
            self.add_to_feeds(entry).await?;
            // A gap can wait: one look for several articles.
            if article.0.is_multiple_of(SETTLED_AT)
                && let Err(refusal) = self.settle_articles().await
            {
                // Nor is it worth another fan-out.
                tracing::warn!(%refusal, "numbers were not settled");
            }
        } else {
            self.remove_from_feeds(author, article).await?;
            self.clear_article(article).await?;
        }
        Ok(())
    }

    /// A follow came or went: brings the newest articles into the follower's feed, or takes all out of it.
    pub async fn follow_up_follow(&self, follower: UserId, followee: UserId) -> Result<(), Refusal> {
        let follows: Option<IgnoredAny> = self.get(keys::follows(follower, Followee::User(followee))).await?;
        match follows {
            Some(_) => self.back_fill(follower, followee).await,
            None => self.take_back(follower, followee).await,
        }
    }

    async fn add_to_feeds(&self, entry: ArticleEntry) -> Result<(), Refusal> {
        let (author, article) = (entry.author, entry.article);
        let mut from = None;
        loop {
            let (followers, next) = self.page_of_followers(author, from.clone()).await?;
            let puts = followers.iter().map(|follower| put_request(keys::feed_entry(*follower, article), &entry));
            self.write_all(puts.collect::<Result<_, _>>()?).await?;
            // Whoever unfollowed in between may have been cleaned up after before the entry was there.
            let (still, _) = self.page_of_followers(author, from).await?;
            for former in followers.difference(&still) {
                self.remove_from_feed_unless_followed(*former, entry).await?;
            }
            // Chosen by the ids, which end in chance.
            let due = followers.iter().filter(|follower| (follower.0 ^ article.0).is_multiple_of(TRIMMED_AT));
            try_join_all(due.map(|follower| self.trim_feed(*follower))).await?;
            if next.is_none() {
                return Ok(());
            }
            from = next;
        }
    }

    async fn remove_from_feeds(&self, author: UserId, article: ArticleId) -> Result<(), Refusal> {
        let mut from = None;
        loop {
            let (followers, next) = self.page_of_followers(author, from).await?;
            self.delete_all(followers.iter().map(|follower| keys::feed_entry(*follower, article))).await?;
            let due = followers.iter().filter(|follower| (follower.0 ^ article.0).is_multiple_of(REFILLED_AT));
            for follower in due {
                self.refill_feed(*follower).await?;
            }
            if next.is_none() {
                return Ok(());
            }
            from = next;
        }
    }

    /// Both in one transaction: who follows again gets the entry by that, and keeps it.
    async fn remove_from_feed_unless_followed(&self, follower: UserId, entry: ArticleEntry) -> Result<(), Refusal> {
        // Refused where they follow, or where the entry is gone: right either way.
        let check = Action::check(keys::follows(follower, Followee::User(entry.author))).when(NEW).or_done();
        let delete = Action::delete_there(keys::feed_entry(follower, entry.article)).or_done();
        self.transact_once(vec![check, delete]).await
    }

    async fn back_fill(&self, follower: UserId, followee: UserId) -> Result<(), Refusal> {
        // What lies below the floor would stand there without the others' that were trimmed.
        let floor = self.feed_floor(follower).await?;
        let newest = self.newest_articles(followee, floor, BACK_FILL).await?;
        self.write_feed(follower, &newest).await?;
        // What was deleted in between may have been taken out of the feeds before it was in this one.
        let now = self.newest_articles(followee, floor, BACK_FILL).await?;
        // Older ones may only have been pushed out by newer ones.
        let since = now.last().filter(|_| now.len() == BACK_FILL).map(|entry| entry.article);
        let deleted = newest.iter().filter(|entry| !now.contains(entry));
        let deleted = deleted.filter(|entry| since.is_none_or(|since| entry.article > since));
        self.delete_all(deleted.map(|entry| keys::feed_entry(follower, entry.article))).await?;
        self.trim_feed(follower).await
    }

    /// Somebody's newest articles above a floor, the newest first.
    async fn newest_articles(
        &self,
        author: UserId,
        floor: ArticleId,
        most: usize,
    ) -> Result<Vec<ArticleEntry>, Refusal> {
        let from = keys::own_article(author, ArticleId(floor.0 + 1)).sk;
        let range = Range::new(keys::user(author), keys::OWN_ARTICLE).from(from).newest_first();
        self.items(range, 0, most).await
    }

    async fn write_feed(&self, of: UserId, entries: &[ArticleEntry]) -> Result<(), Refusal> {
        let puts = entries.iter().map(|entry| put_request(keys::feed_entry(of, entry.article), entry));
        self.write_all(puts.collect::<Result<_, _>>()?).await
    }

    async fn take_back(&self, follower: UserId, followee: UserId) -> Result<(), Refusal> {
        let feed: Vec<ArticleEntry> = self.items(Range::new(keys::feed(follower), ""), 0, usize::MAX).await?;
        let theirs = feed.iter().filter(|entry| entry.author == followee);
        self.delete_all(theirs.map(|entry| keys::feed_entry(follower, entry.article))).await?;
        self.refill_feed(follower).await
    }

    /// Where a feed lost more than it has in reserve, and others' articles were trimmed off it before, these come back:
    /// the newest of all whom its owner follows. Some queries for each of them.
    async fn refill_feed(&self, of: UserId) -> Result<(), Refusal> {
        let Some(FeedHead { floor }) = self.get(keys::feed_head(of)).await? else {
            return Ok(());
        };
        let newest: Vec<ArticleEntry> = self.newest(keys::feed(of), "", 0, REFILLED_BELOW).await?;
        if newest.len() == REFILLED_BELOW {
            return Ok(());
        }
        let followees: Vec<_> = self.all_followed_users(of).await?.into_iter().collect();
        let (mut found, mut is_all) = (BTreeMap::<ArticleId, ArticleEntry>::new(), true);
        for some in followees.chunks(LOOKED_THROUGH) {
            // Nobody's older article is among the newest any more.
            let lowest = found.keys().next().copied().filter(|_| found.len() == KEPT).unwrap_or_default();
            for articles in try_join_all(some.iter().map(|author| self.articles_down_to(*author, lowest))).await? {
                is_all &= articles.len() < KEPT;
                found.extend(articles.into_iter().map(|entry| (entry.article, entry)));
            }
            is_all &= lowest == ArticleId(0) && found.len() <= KEPT;
            while found.len() > KEPT {
                found.pop_first();
            }
        }
        let there: BTreeSet<_> = newest.iter().map(|entry| entry.article).collect();
        let missing: Vec<_> = found.values().copied().filter(|entry| !there.contains(&entry.article)).collect();
        self.write_feed(of, &missing).await?;
        // Unless it was trimmed anew meanwhile.
        let same = |action: Action| action.when("floor = :floor").with(":floor", number(floor.0)).or_done();
        let head = match found.first_key_value().filter(|_| !is_all) {
            Some((lowest, _)) => {
                let update = Action::update(keys::feed_head(of), "SET floor = :lowest");
                same(update.with(":lowest", number(lowest.0)))
            }
            None => same(Action::delete(keys::feed_head(of))),
        };
        self.transact_once(vec![head]).await?;
        // What was deleted or unfollowed in between may have been taken out before it was there.
        let still = self.all_followed_users(of).await?;
        let articles = self.get_each::<_, IgnoredAny>(missing.iter().map(|entry| entry.article), |id| keys::head(id));
        let articles = articles.await?;
        let gone = |entry: &&ArticleEntry| !still.contains(&entry.author) || !articles.contains_key(&entry.article);
        self.delete_all(missing.iter().filter(gone).map(|entry| keys::feed_entry(of, entry.article))).await
    }

    /// Somebody's newest articles above `lowest`, as many as a feed keeps at most.
    async fn articles_down_to(&self, author: UserId, lowest: ArticleId) -> Result<Vec<ArticleEntry>, Refusal> {
        let mut articles = self.newest_articles(author, lowest, SOME_ARTICLES).await?;
        if articles.len() == SOME_ARTICLES {
            articles = self.newest_articles(author, lowest, KEPT).await?;
        }
        Ok(articles)
    }

    async fn feed_floor(&self, of: UserId) -> Result<ArticleId, Refusal> {
        let head: Option<FeedHead> = self.get(keys::feed_head(of)).await?;
        Ok(head.map_or(ArticleId(0), |head| head.floor))
    }

    /// Takes off what a feed has too much, and notes where it was cut.
    async fn trim_feed(&self, of: UserId) -> Result<(), Refusal> {
        // Should there be more, the next time brings them.
        let beyond: Vec<ArticleEntry> = self.newest(keys::feed(of), "", KEPT, KEPT).await?;
        let Some(highest) = beyond.first() else {
            return Ok(());
        };
        // Before anything is cut: who finds it cut finds it noted.
        let update = Action::update(keys::feed_head(of), "SET floor = :highest")
            .when("attribute_not_exists(floor) OR floor < :highest")
            .with(":highest", number(highest.article.0))
            .or_done();
        self.transact_once(vec![update]).await?;
        self.delete_all(beyond.iter().map(|entry| keys::feed_entry(of, entry.article))).await
    }

    /// Deletes what hangs on an article that is gone: its text, likes, collects, comments. The entries go after what they
    /// lead to, so that a run that was broken off is finished by its repeat. Nothing new comes: all of it wants the
    /// article to be there.
    async fn clear_article(&self, article: ArticleId) -> Result<(), Refusal> {
        let about = keys::subject(article.into());
        for kind in [keys::LIKER, keys::COLLECTOR, keys::COMMENT, keys::GONE] {
            loop {
                let entries: Vec<AttachedEntry> = self.items(Range::new(about.clone(), kind), 0, ENTRIES).await?;
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
                self.delete_all(entries.into_iter().map(|entry| keys::Key { pk: about.clone(), sk: entry.sk })).await?;
            }
        }
        self.delete_all([keys::article_text(article)]).await
    }

    /// Some of a user's followers, from a place in their list on, and the place behind them.
    async fn page_of_followers(
        &self,
        of: UserId,
        from: Option<keys::Key>,
    ) -> Result<(BTreeSet<UserId>, Option<keys::Key>), Refusal> {
        let range = Range::new(keys::user(of), keys::FOLLOWER).after(from);
        let entries: Vec<FollowerEntry> = self.items(range, 0, FOLLOWERS).await?;
        let last = entries.last().filter(|_| entries.len() == FOLLOWERS);
        let next = last.map(|last| keys::Key { pk: keys::user(of), sk: last.sk.clone() });
        Ok((entries.into_iter().map(|entry| entry.follower.user).collect(), next))
    }
}
