//! Likes and collects: once per user and article, counted exactly.
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{NEW, Refused, Store, THERE, TRIES, follows::UserEntry, keys, number, values};
use crate::domain::{ArticleId, EntryId, Refusal, UserId};

/// What can be done to an article once.
#[derive(Clone, Copy, PartialEq)]
pub enum Mark {
    Like,
    Collect,
}

impl Mark {
    /// The attribute of [`Marks`], and the count of the article.
    fn attributes(self) -> (&'static str, &'static str) {
        match self {
            Self::Like => ("liked", "like_count"),
            Self::Collect => ("collected", "collect_count"),
        }
    }

    /// Where it stands in the article's list of those who did it.
    fn entry(self, article: ArticleId, entry: EntryId) -> keys::Key {
        match self {
            Self::Like => keys::liker(article, entry),
            Self::Collect => keys::collector(article, entry),
        }
    }
}

/// A user's marks on an article: each with its place in the lists.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Marks {
    article: ArticleId,
    pub liked: Option<EntryId>,
    pub collected: Option<EntryId>,
}

#[derive(Serialize)]
struct Collected {
    article: ArticleId,
}

impl Store {
    /// Likes or collects; a repeat changes nothing. One transaction.
    pub async fn mark(&self, mark: Mark, user: UserId, article: ArticleId) -> Result<(), Refusal> {
        let (attribute, count) = mark.attributes();
        for _ in 0..TRIES {
            let entry = EntryId::fresh(&self.world);
            let mut actions = vec![
                self.update_action(
                    keys::article(article),
                    format!("ADD {count} :one"),
                    THERE,
                    values([(":one", number(1))]),
                )?,
                self.update_action(
                    keys::mark(user, article),
                    format!("SET {attribute} = :entry, article = :article"),
                    format!("attribute_not_exists({attribute})"),
                    values([(":entry", number(entry.0)), (":article", number(article.0))]),
                )?,
                self.put_action(mark.entry(article, entry), &UserEntry { user }, NEW, None)?,
            ];
            if mark == Mark::Collect {
                actions.push(self.put_action(keys::collect(user, entry), &Collected { article }, NEW, None)?);
            }
            match self.transact(actions).await? {
                Ok(()) | Err(Refused { at: 1, .. }) => return Ok(()),
                Err(Refused { at: 0, .. }) => return Err(Refusal::NoSuch("article")),
                // Somebody else did it in this millisecond and drew the same place.
                Err(_) => {}
            }
        }
        Err(Refusal::Unavailable)
    }

    /// Takes a mark back; one that was never made is fine. A read and a transaction.
    pub async fn unmark(&self, mark: Mark, user: UserId, article: ArticleId) -> Result<(), Refusal> {
        let (attribute, count) = mark.attributes();
        let marks = self.get::<Marks>(keys::mark(user, article)).await?.unwrap_or_default();
        let place = match mark {
            Mark::Like => marks.liked,
            Mark::Collect => marks.collected,
        };
        let Some(entry) = place else {
            return Ok(());
        };
        let mut actions = vec![
            self.update_action(
                keys::mark(user, article),
                format!("REMOVE {attribute}"),
                format!("{attribute} = :entry"),
                values([(":entry", number(entry.0))]),
            )?,
            self.update_action(
                keys::article(article),
                format!("ADD {count} :less"),
                THERE,
                values([(":less", number(-1))]),
            )?,
            self.delete_action(mark.entry(article, entry), THERE, None)?,
        ];
        if mark == Mark::Collect {
            actions.push(self.delete_action(keys::collect(user, entry), THERE, None)?);
        }
        match self.transact(actions).await? {
            // A parallel call has taken it back; or the article is gone, and its marks with it in a moment.
            Ok(()) | Err(Refused { at: 0 | 1, .. }) => Ok(()),
            Err(_) => Err(Refusal::Internal),
        }
    }

    /// A user's marks on articles. One round.
    pub(super) async fn marks(
        &self,
        user: UserId,
        articles: impl Iterator<Item = ArticleId>,
    ) -> Result<HashMap<ArticleId, Marks>, Refusal> {
        let marks: Vec<Marks> = self.get_all(articles.map(|article| keys::mark(user, article)).collect()).await?;
        Ok(marks.into_iter().map(|marks| (marks.article, marks)).collect())
    }
}
