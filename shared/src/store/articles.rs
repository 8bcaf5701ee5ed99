//! Articles (document B's posts): publishing and deleting them, and lists of them.
use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::TransactWriteItem;
use serde::{Deserialize, Serialize};

use super::{NEW, Part, Profile, Store, THERE, TRIES, keys, marks::Marks, number, read, values};
use crate::domain::{ArticleId, CommentId, MediaId, Millis, Refusal, UserId};

/// The numbered list of all articles.
const ALL: &str = "articles";

/// Entries that a list reads when it looks for more in the place of those it may not show.
pub(super) const FILL: usize = 100;

/// Articles that are deleted in one transaction, which takes 100 actions at most.
const DELETED_AT_ONCE: usize = 16;

/// An article with its counts, which are exact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Article {
    pub id: ArticleId,
    pub author: UserId,
    pub content: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<MediaId>,
    pub created_at: Millis,
    /// Its place in the list of all.
    number: u64,
    pub like_count: u64,
    pub collect_count: u64,
    pub comment_count: u64,
    /// The newest comment that there ever was: the next one's id is larger.
    pub(super) last_comment: CommentId,
}

/// What every index of articles holds: enough to fetch the article and its author at once.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ArticleEntry {
    pub article: ArticleId,
    pub author: UserId,
}

/// An article as somebody sees it.
#[derive(Clone, Debug)]
pub struct SeenArticle {
    pub article: Article,
    pub author: Profile,
    pub is_like: bool,
    pub is_collect: bool,
}

impl Store {
    /// Publishes. Two rounds: its number is drawn, then it is there with all that leads to it, or nothing is.
    pub async fn publish_article(
        &self,
        author: UserId,
        content: &str,
        images: Vec<MediaId>,
    ) -> Result<ArticleId, Refusal> {
        for _ in 0..TRIES {
            let drawn = self.draw_number(ALL).await?;
            let id = ArticleId::fresh(&self.world);
            let article = Article {
                id,
                author,
                content: content.to_owned(),
                images: images.clone(),
                created_at: self.world.now(),
                number: drawn,
                like_count: 0,
                collect_count: 0,
                comment_count: 0,
                last_comment: CommentId(0),
            };
            let entry = ArticleEntry { article: id, author };
            let mut actions = vec![
                self.put_action(keys::article(id), &article, NEW, None)?,
                self.number_action(ALL, drawn, &entry)?,
                self.put_action(keys::own_article(author, id), &entry, NEW, None)?,
                self.update_action(keys::counts(author), "ADD articles :one", "", values([(":one", number(1))]))?,
            ];
            if !images.is_empty() {
                actions.push(self.put_action(keys::pictured(author, id), &entry, NEW, None)?);
            }
            match self.transact(actions).await? {
                Ok(()) => return Ok(id),
                // Another article drew the same id, or the number was given up while we slept.
                Err(_) => self.void_number(ALL, drawn).await?,
            }
        }
        Err(Refusal::Unavailable)
    }

    /// Deletes articles of the caller's, all or, where one is somebody else's, none; what is gone already is fine.
    /// Several go in one transaction, so that a repeat finishes what broke off.
    pub async fn delete_articles(&self, caller: UserId, ids: &BTreeSet<ArticleId>) -> Result<(), Refusal> {
        for _ in 0..TRIES {
            let articles: Vec<Article> = self.get_all(ids.iter().copied().map(keys::article).collect()).await?;
            if articles.iter().any(|article| article.author != caller) {
                return Err(Refusal::NotYours);
            }
            let mut raced = false;
            for some in articles.chunks(DELETED_AT_ONCE) {
                // Where one has gone meanwhile, look again for the others.
                raced |= self.transact(self.deletion(caller, some)?).await?.is_err();
            }
            if !raced {
                return Ok(());
            }
        }
        Err(Refusal::Unavailable)
    }

    /// All that it takes for articles of one author to be gone.
    fn deletion(&self, author: UserId, articles: &[Article]) -> Result<Vec<TransactWriteItem>, Refusal> {
        let numbers: Vec<_> = articles.iter().map(|article| article.number).collect();
        let mut actions = self.unnumber_actions(ALL, &numbers)?;
        let less = values([(":less", number(-(articles.len() as i64)))]);
        actions.push(self.update_action(keys::counts(author), "ADD articles :less", "", less)?);
        for article in articles {
            actions.push(self.delete_action(keys::article(article.id), THERE, None)?);
            actions.push(self.delete_action(keys::own_article(author, article.id), THERE, None)?);
            if !article.images.is_empty() {
                actions.push(self.delete_action(keys::pictured(author, article.id), THERE, None)?);
            }
        }
        Ok(actions)
    }

    pub async fn article(&self, id: ArticleId) -> Result<Article, Refusal> {
        self.get(keys::article(id)).await?.ok_or(Refusal::NoSuch("article"))
    }

    /// A page of all articles, the newest first. Three rounds, whatever the offset.
    pub async fn articles(&self, viewer: UserId, offset: usize, limit: usize) -> Result<Vec<SeenArticle>, Refusal> {
        let entries = self.numbered_page(ALL, offset, limit).await?;
        self.see(viewer, entries, false).await
    }

    /// A page of the viewer's own articles, the newest first. Two rounds.
    pub async fn own_articles(&self, viewer: UserId, offset: usize, limit: usize) -> Result<Vec<SeenArticle>, Refusal> {
        let entries = self.newest(keys::user(viewer), keys::OWN_ARTICLE, offset, limit).await?;
        self.see(viewer, entries, false).await
    }

    /// A page of what the viewer collected, the last collected first. Two rounds, and more as in
    /// [`Store::followed_articles`].
    pub async fn collected_articles(
        &self,
        viewer: UserId,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<Article>, Refusal> {
        #[derive(Deserialize)]
        struct Collected {
            article: ArticleId,
        }
        let collected = || Part::new(keys::user(viewer), keys::COLLECT).newest_first();
        let (mut wanted, mut page) = (limit, vec![]);
        let mut items = self.items(collected(), offset, wanted).await?;
        while !items.is_empty() {
            let is_end = items.len() < wanted;
            let last = items.last().cloned();
            let entries = items.into_iter().map(read).collect::<Result<Vec<Collected>, _>>()?;
            let mut articles = self.articles_by_id(entries.iter().map(|entry| entry.article)).await?;
            page.extend(entries.iter().filter_map(|entry| articles.remove(&entry.article)));
            if is_end || page.len() >= limit {
                break;
            }
            wanted = FILL;
            items = self.items(collected().after(last.as_ref()), 0, wanted).await?;
        }
        page.truncate(limit);
        Ok(page)
    }

    /// A user's newest articles with images, whatever else they wrote. Two rounds.
    pub async fn pictured_articles(&self, author: UserId, most: usize) -> Result<Vec<Article>, Refusal> {
        let entries: Vec<ArticleEntry> = self.newest(keys::user(author), keys::PICTURED, 0, most).await?;
        let mut articles = self.articles_by_id(entries.iter().map(|entry| entry.article)).await?;
        Ok(entries.iter().filter_map(|entry| articles.remove(&entry.article)).collect())
    }

    async fn articles_by_id(
        &self,
        ids: impl Iterator<Item = ArticleId>,
    ) -> Result<HashMap<ArticleId, Article>, Refusal> {
        let articles: Vec<Article> = self.get_all(ids.map(keys::article).collect()).await?;
        Ok(articles.into_iter().map(|article| (article.id, article)).collect())
    }

    /// Articles with their authors and the viewer's marks, those left out that are gone; `followed`: those, too, whose
    /// author the viewer does not follow. One round.
    pub(super) async fn see(
        &self,
        viewer: UserId,
        entries: Vec<ArticleEntry>,
        followed: bool,
    ) -> Result<Vec<SeenArticle>, Refusal> {
        let authors: BTreeSet<_> = entries.iter().map(|entry| entry.author).collect();
        let ids = || entries.iter().map(|entry| entry.article);
        let (mut articles, authors, marks, followees) = tokio::try_join!(
            self.articles_by_id(ids()),
            self.profiles(authors.iter().copied()),
            self.marks(viewer, ids()),
            async {
                match followed {
                    true => self.followees_among(viewer, authors.iter().copied()).await.map(Some),
                    false => Ok(None),
                }
            },
        )?;
        let seen = entries.into_iter().filter_map(|ArticleEntry { article, author }| {
            if followees.as_ref().is_some_and(|followees| !followees.contains(&author)) {
                return None;
            }
            let Marks { liked, collected, .. } = marks.get(&article).copied().unwrap_or_default();
            Some(SeenArticle {
                article: articles.remove(&article)?,
                author: authors.get(&author)?.clone(),
                is_like: liked.is_some(),
                is_collect: collected.is_some(),
            })
        });
        Ok(seen.collect())
    }

    /// Gives up numbers that were drawn and never used, so that offsets stay exact.
    pub async fn settle_numbers(&self) -> Result<(), Refusal> {
        self.settle(ALL, |entry: &ArticleEntry| entry.article.made_at()).await
    }
}
