//! Feeds: the articles of those whom a user follows; and what is cleaned up behind a deleted article.
//!
//! `fanout` calls these verbs some moments after the writes that they follow up. Each begins with what is true now and
//! makes the rest fit it, so it may come late, twice or in any order. What is changed while it runs has a record of its
//! own in the stream, so it is followed up as well; where that may be over before our writes are done, we look again
//! after them.
use std::collections::BTreeSet;

use futures_util::future::try_join_all;
use serde::{Deserialize, de::IgnoredAny};

use super::{
    Item, NEW, Part, SeenArticle, Store, THERE,
    articles::{ArticleEntry, FILL},
    follows::UserEntry,
    keys, put_request, read,
};
use crate::domain::{ArticleId, CommentId, EntryId, Refusal, UserId};

/// Articles that a feed keeps, the newest ones.
const FEED: usize = 1_000;
/// A feed is trimmed at one of so many articles, so that it is longer by about as many at most.
const TRIMMED_AT: u64 = 64;
/// The list of all articles is looked after at one of so many.
const SETTLED_AT: u64 = 16;
/// Articles of somebody newly followed that come into the feed.
const BACK_FILL: usize = 200;
/// Followers that are served between two looks at who follows.
const FOLLOWERS: usize = 1_000;
/// What hangs on an article is deleted by so many entries at a time.
const ENTRIES: usize = 200;

/// An entry below an article: a liker's and a collector's name the user.
#[derive(Deserialize)]
struct Hanging {
    sk: String,
    user: Option<UserId>,
}

impl Store {
    /// A page of the articles of those whom the viewer follows, the newest first; at most the newest 1,000. Two rounds,
    /// and two more for each time that what it passed over was deleted, or unfollowed, so lately that it is still there.
    pub async fn followed_articles(
        &self,
        viewer: UserId,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<SeenArticle>, Refusal> {
        let feed = || Part::new(keys::feed(viewer), "").newest_first();
        let (mut left, mut page) = (FEED.saturating_sub(offset), vec![]);
        let mut wanted = limit.min(left);
        let mut items = self.items(feed(), offset, wanted).await?;
        while !items.is_empty() {
            left -= items.len();
            let is_end = items.len() < wanted;
            let last = items.last().cloned();
            let entries = items.into_iter().map(read).collect::<Result<_, _>>()?;
            page.extend(self.see(viewer, entries, true).await?);
            if is_end || page.len() >= limit {
                break;
            }
            wanted = FILL.min(left);
            items = self.items(feed().after(last.as_ref()), 0, wanted).await?;
        }
        page.truncate(limit);
        Ok(page)
    }

    /// An article came or went: brings it into the feeds of its author's followers, or takes it out of them, and with
    /// it all that hung on it. One write and little more for each follower, 200 of them in a round.
    pub async fn follow_up_article(&self, author: UserId, article: ArticleId) -> Result<(), Refusal> {
        if self.is_there(keys::own_article(author, article)).await? {
            self.add_to_feeds(author, article).await?;
            // A gap can wait: one look for several articles.
            if article.0.is_multiple_of(SETTLED_AT)
                && let Err(refusal) = self.settle_numbers().await
            {
                // Nor is it worth another fan-out.
                tracing::warn!(%refusal, "numbers were not settled");
            }
        } else {
            self.remove_from_feeds(author, article).await?;
            self.clear(article).await?;
        }
        Ok(())
    }

    /// A follow came or went: brings the newest articles into the follower's feed, or takes all out of it.
    pub async fn follow_up_follow(&self, follower: UserId, followee: UserId) -> Result<(), Refusal> {
        match self.is_there(keys::follows(follower, followee)).await? {
            true => self.back_fill(follower, followee).await,
            false => self.take_back(follower, followee).await,
        }
    }

    async fn is_there(&self, key: keys::Key) -> Result<bool, Refusal> {
        Ok(self.get::<IgnoredAny>(key).await?.is_some())
    }

    async fn add_to_feeds(&self, author: UserId, article: ArticleId) -> Result<(), Refusal> {
        let entry = ArticleEntry { article, author };
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
            self.delete_all(followers.iter().map(|follower| keys::feed_entry(*follower, article)).collect()).await?;
            if next.is_none() {
                return Ok(());
            }
            from = next;
        }
    }

    /// Both in one transaction: who follows again gets the entry by that, and keeps it.
    async fn remove_from_feed_unless_followed(&self, follower: UserId, entry: ArticleEntry) -> Result<(), Refusal> {
        let check = self.check_action(keys::follows(follower, entry.author), NEW, None)?;
        let delete = self.delete_action(keys::feed_entry(follower, entry.article), THERE, None)?;
        // Refused where they follow, or where the entry is gone: right either way.
        let _ = self.transact(vec![check, delete]).await?;
        Ok(())
    }

    async fn back_fill(&self, follower: UserId, followee: UserId) -> Result<(), Refusal> {
        let newest = self.newest_articles(followee).await?;
        let puts = newest.iter().map(|article| {
            put_request(keys::feed_entry(follower, *article), &ArticleEntry { article: *article, author: followee })
        });
        self.write_all(puts.collect::<Result<_, _>>()?).await?;
        // What was deleted in between may have been taken out of the feeds before it was in this one.
        let now = self.newest_articles(followee).await?;
        // Older ones may only have been pushed out by newer ones.
        let since = if now.len() < BACK_FILL { None } else { now.first() };
        let deleted = newest.difference(&now).filter(|article| since.is_none_or(|since| *article > since));
        self.delete_all(deleted.map(|article| keys::feed_entry(follower, *article)).collect()).await?;
        self.trim_feed(follower).await
    }

    async fn newest_articles(&self, author: UserId) -> Result<BTreeSet<ArticleId>, Refusal> {
        let newest: Vec<ArticleEntry> = self.newest(keys::user(author), keys::OWN_ARTICLE, 0, BACK_FILL).await?;
        Ok(newest.into_iter().map(|entry| entry.article).collect())
    }

    async fn take_back(&self, follower: UserId, followee: UserId) -> Result<(), Refusal> {
        let feed: Vec<ArticleEntry> = self.query(keys::feed(follower), "", i32::MAX as usize).await?;
        let theirs = feed.iter().filter(|entry| entry.author == followee);
        self.delete_all(theirs.map(|entry| keys::feed_entry(follower, entry.article)).collect()).await
    }

    async fn trim_feed(&self, of: UserId) -> Result<(), Refusal> {
        // Should there be more, the next time brings them.
        let beyond: Vec<ArticleEntry> = self.newest(keys::feed(of), "", FEED, FEED).await?;
        self.delete_all(beyond.iter().map(|entry| keys::feed_entry(of, entry.article)).collect()).await
    }

    /// Deletes what hangs on an article: likes, collects, comments. The entries go after what they lead to, so that a
    /// run that was broken off is finished by its repeat. Nothing new comes: all of it wants the article to be there.
    async fn clear(&self, article: ArticleId) -> Result<(), Refusal> {
        let about = keys::about_article(article);
        for kind in [keys::LIKER, keys::COLLECTOR, keys::COMMENT] {
            loop {
                let part = Part::new(about.clone(), kind).with_gone_since(0);
                let entries = self.items(part, 0, ENTRIES).await?;
                let entries = entries.into_iter().map(read).collect::<Result<Vec<Hanging>, _>>()?;
                if entries.is_empty() {
                    break;
                }
                let leads_to = |entry: &Hanging| {
                    let number = keys::entry_number(&entry.sk).unwrap_or_default();
                    let mark = entry.user.map(|user| keys::mark(user, article));
                    let collect = entry.user.map(|user| keys::collect(user, EntryId(number)));
                    match kind {
                        keys::LIKER => [mark, None],
                        keys::COLLECTOR => [mark, collect],
                        _ => [Some(keys::comment(CommentId(number))), None],
                    }
                };
                self.delete_all(entries.iter().flat_map(leads_to).flatten().collect()).await?;
                let entries = entries.into_iter().map(|entry| keys::Key { pk: about.clone(), sk: entry.sk });
                self.delete_all(entries.collect()).await?;
            }
        }
        Ok(())
    }

    /// Some of a user's followers, from a place in their list on, and the place behind them.
    async fn page_of_followers(
        &self,
        of: UserId,
        from: Option<Item>,
    ) -> Result<(BTreeSet<UserId>, Option<Item>), Refusal> {
        let part = Part::new(keys::user(of), keys::FOLLOWER).after(from.as_ref());
        let items = self.items(part, 0, FOLLOWERS).await?;
        let next = items.last().filter(|_| items.len() == FOLLOWERS).cloned();
        let followers = items.into_iter().map(|item| Ok(read::<UserEntry>(item)?.user));
        Ok((followers.collect::<Result<_, Refusal>>()?, next))
    }
}
