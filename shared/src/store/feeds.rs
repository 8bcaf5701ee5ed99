//! Feeds: what those whom a user follows have made, the newest first. [`super::fan_out`] fills them.
use super::{
    articles::{ArticleEntry, ArticleView},
    keys::{self, Feed},
    table::{Range, Store, full_page},
};
use crate::domain::{Page, Refusal, UserId};

/// Entries that a feed shows, the newest ones.
const SHOWN: usize = 1_000;

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
}
