//! Articles (document B's posts): publishing and deleting them, and lists of them.
use std::collections::{BTreeSet, HashMap};

use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};

use super::{
    comments::{CommentView, Votes},
    follows::UserEntry,
    keys,
    marks::Marks,
    media::MediaRecord,
    numbered::{Numbered, Top},
    table::{Action, Range, Store, THERE, full_page},
    users::Profile,
};
use crate::domain::{ArticleId, CommentId, EntryId, MediaId, Millis, Page, Refusal, Subject, Thing, UserId};

/// The numbered list of all articles.
const ALL: &str = "articles";

/// Comments, likers and collectors that an article's own page shows.
const DETAIL: usize = 100;

/// ArticleText, in bytes, up to which an article, with its images, is one KB: a like is then two write units. A longer text is
/// an item of its own, which no like touches.
const SHORT: usize = 600;
/// What an image's id takes of it.
const IMAGE: usize = 45;

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
    /// This and the next are less than they are, even below 0, until [`Store::add_shards`] was there.
    pub like_count: i64,
    pub collect_count: i64,
    pub comment_count: u64,
    /// The newest comment that there ever was: the next one's id is larger.
    pub(super) last_comment: CommentId,
    /// The text is an item of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_long: bool,
    /// A crowd likes and collects it: over how many its counts are split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shards: Option<u16>,
}

/// What is counted of a crowd beside an article.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ArticleShard {
    like_count: i64,
    collect_count: i64,
}

/// The text of a long article.
#[derive(Serialize, Deserialize)]
struct ArticleText {
    content: String,
}

/// What every index of articles holds: enough to fetch the article and its author at once.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ArticleEntry {
    pub article: ArticleId,
    pub author: UserId,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_long: bool,
}

/// An article as somebody sees it.
#[derive(Clone, Debug)]
pub struct ArticleView {
    pub article: Article,
    pub author: Profile,
    pub is_like: bool,
    pub is_collect: bool,
}

/// An article with all that its page shows.
pub struct ArticleDetail {
    pub view: ArticleView,
    pub is_follow: bool,
    pub comments: Vec<CommentView>,
    /// The last who liked and collected it.
    pub likers: Vec<Profile>,
    pub collectors: Vec<Profile>,
}

impl Store {
    /// Publishes. Two rounds: its number is drawn, then it is there with all that leads to it, or nothing is.
    pub async fn publish_article(
        &self,
        author: UserId,
        content: &str,
        images: Vec<MediaId>,
    ) -> Result<ArticleId, Refusal> {
        let (is_long, images) = (content.len() + IMAGE * images.len() > SHORT, &images);
        let build = |_| async move {
            let (drawn, id) = (self.draw_number(ALL).await?, ArticleId::fresh(&self.system));
            let article = Article {
                id,
                author,
                content: if is_long { String::new() } else { content.to_owned() },
                images: images.clone(),
                created_at: self.system.now(),
                number: drawn,
                like_count: 0,
                collect_count: 0,
                comment_count: 0,
                last_comment: CommentId(0),
                is_long,
                shards: None,
            };
            let entry = ArticleEntry { article: id, author, is_long };
            let mut actions = vec![
                // Another article may have drawn the same id: the number becomes a hole, as of one that died.
                Action::put_new(keys::head(id), &article).or_again(),
                self.number_action(ALL, drawn, &entry),
                Action::put_new(keys::own_article(author, id), &entry),
                Action::add(keys::counts(author), "articles", 1),
            ];
            if !images.is_empty() {
                actions.push(Action::put_new(keys::pictured(author, id), &entry));
            }
            actions.extend(images.iter().map(|image| self.use_media(author, image, &keys::head(id).pk)));
            if is_long {
                actions.push(Action::put_new(keys::article_text(id), &ArticleText { content: content.to_owned() }));
            }
            Ok((actions, id))
        };
        self.transact(build).await
    }

    /// Who wrote an article. One read.
    pub async fn article_author(&self, id: ArticleId) -> Result<Option<UserId>, Refusal> {
        Ok(self.get::<Article>(keys::head(id)).await?.map(|article| article.author))
    }

    /// Deletes articles of the caller's, all or, where one is somebody else's, none; what is gone already is fine.
    /// Several go in one transaction, so that a repeat finishes what broke off. One read, and a transaction for some; one
    /// read more where these have images.
    pub async fn delete_articles(&self, caller: UserId, ids: &BTreeSet<ArticleId>) -> Result<(), Refusal> {
        let known = &self.articles_to_delete(caller, ids.iter().copied()).await?;
        let mut left = &known.1[..];
        while !left.is_empty() {
            let (some, rest) = left.split_at(deleted_at_once(left));
            left = rest;
            let build = |gone| async move {
                // Where one has gone meanwhile, look again for the others.
                let again = match gone {
                    None => None,
                    Some(_) => Some(self.articles_to_delete(caller, some.iter().map(|article| article.id)).await?),
                };
                let (settled, articles) =
                    again.as_ref().map_or((known.0, some), |(settled, articles)| (*settled, articles));
                let images: BTreeSet<_> = articles.iter().flat_map(|article| &article.images).cloned().collect();
                let images = self.media_of(caller, &images.into_iter().collect::<Vec<_>>()).await?;
                let split = articles.iter().filter(|article| article.shards.is_some());
                let split: Vec<_> = split.map(|article| keys::head(article.id)).collect();
                Ok((self.article_deletion(caller, articles, &images, settled), split))
            };
            let split = self.transact(build).await?;
            try_join_all(split.iter().map(|head| self.delete_shards(head))).await?;
        }
        Ok(())
    }

    /// Those of the articles that are there, each the caller's; and up to which number the list of all is settled.
    async fn articles_to_delete(
        &self,
        caller: UserId,
        ids: impl Iterator<Item = ArticleId>,
    ) -> Result<(u64, Vec<Article>), Refusal> {
        let (top, articles) =
            tokio::try_join!(self.get::<Top>(keys::numbered_top(ALL)), self.get_each::<_, Article>(ids, keys::head),)?;
        match articles.values().any(|article| article.author != caller) {
            true => Err(Refusal::NotYours),
            false => Ok((top.unwrap_or_default().settled, articles.into_values().collect())),
        }
    }

    /// All that it takes for articles of one author to be gone.
    fn article_deletion(
        &self,
        author: UserId,
        articles: &[Article],
        images: &[MediaRecord],
        settled: u64,
    ) -> Vec<Action> {
        if articles.is_empty() {
            return vec![];
        }
        let numbers: Vec<_> = articles.iter().map(|article| article.number).collect();
        let mut actions = self.unnumber_actions(ALL, &numbers, settled);
        actions.push(Action::add(keys::counts(author), "articles", -(articles.len() as i64)));
        for article in articles {
            // Its counts may be split since.
            let same = if article.shards.is_some() { THERE } else { "attribute_not_exists(shards)" };
            actions.push(Action::delete_there(keys::head(article.id)).and(same).or_look());
            actions.push(Action::delete_there(keys::own_article(author, article.id)).or_look());
            if !article.images.is_empty() {
                actions.push(Action::delete_there(keys::pictured(author, article.id)).or_look());
            }
        }
        let gone = articles.iter().map(|article| keys::head(article.id).pk).collect();
        actions.extend(images.iter().filter_map(|image| self.release_media(image, &gone)));
        actions
    }

    /// An article as it is now. One round, and one more for the text of a long one.
    pub async fn article(&self, id: ArticleId) -> Result<Article, Refusal> {
        let mut article: Article = self.get(keys::head(id)).await?.ok_or(Refusal::NoSuch(Thing::Article))?;
        self.add_shards([&mut article], false).await?;
        if article.is_long {
            let text: ArticleText = self.get(keys::article_text(id)).await?.ok_or(Refusal::NoSuch(Thing::Article))?;
            article.content = text.content;
        }
        Ok(article)
    }

    /// An article with its newest 100 comments, likers and collectors. Two rounds.
    pub async fn article_detail(&self, viewer: UserId, id: ArticleId) -> Result<ArticleDetail, Refusal> {
        let about = Subject::Article(id);
        let (article, marks, comments, likers, collectors) = tokio::try_join!(
            self.get::<Article>(keys::head(id)),
            self.article_marks(viewer, [id]),
            self.newest(keys::subject(about), keys::COMMENT, Page::first(DETAIL)),
            self.newest::<UserEntry>(keys::marked(id), keys::LIKER, Page::first(DETAIL)),
            self.newest::<UserEntry>(keys::marked(id), keys::COLLECTOR, Page::first(DETAIL)),
        )?;
        let mut article = article.ok_or(Refusal::NoSuch(Thing::Article))?;
        let marked = likers.iter().chain(&collectors).map(|entry| entry.user);
        let others = marked.chain([article.author]).collect::<Vec<_>>();
        let (author, is_long) = (article.author, article.is_long);
        let text = async {
            match is_long {
                true => Ok(self.get_each_lately::<_, ArticleText>([id], keys::article_text).await?.remove(&id)),
                false => Ok(None),
            }
        };
        let ((comments, users), text, is_follow, ()) = tokio::try_join!(
            self.comment_views(viewer, Votes::Under(about), comments, others),
            text,
            self.is_following(viewer, author),
            self.add_shards([&mut article], false),
        )?;
        if let Some(ArticleText { content }) = text {
            article.content = content;
        }
        let profiles =
            |entries: Vec<UserEntry>| entries.iter().filter_map(|entry| users.get(&entry.user).cloned()).collect();
        let marks = marks.get(&id);
        Ok(ArticleDetail {
            is_follow,
            comments,
            likers: profiles(likers),
            collectors: profiles(collectors),
            view: ArticleView {
                // Who has left takes what they wrote with them, in a moment.
                author: users.get(&article.author).cloned().ok_or(Refusal::NoSuch(Thing::Article))?,
                is_like: marks.is_some_and(Marks::is_like),
                is_collect: marks.is_some_and(Marks::is_collect),
                article,
            },
        })
    }

    /// A page of all articles, the newest first. Three rounds, whatever the offset.
    pub async fn articles(&self, viewer: UserId, page: Page) -> Result<Vec<ArticleView>, Refusal> {
        let index = &self.numbered_index(ALL, page.end()).await?;
        let next = |part: Page, last: Option<Numbered<ArticleEntry>>| {
            self.numbered_entries(ALL, index, last.map(|last| last.number), part)
        };
        full_page(page, next, |entries: Vec<Numbered<_>>| {
            self.article_views(viewer, entries.into_iter().map(|numbered| numbered.entry).collect())
        })
        .await
    }

    /// A page of the viewer's own articles, the newest first. Two rounds.
    pub async fn own_articles(&self, viewer: UserId, page: Page) -> Result<Vec<ArticleView>, Refusal> {
        let own = || Range::new(keys::user(viewer), keys::OWN_ARTICLE).newest_first();
        let next = |part: Page, last: Option<ArticleEntry>| {
            self.items(own().after(last.map(|last| keys::own_article(viewer, last.article))), part)
        };
        full_page(page, next, |entries| self.article_views(viewer, entries)).await
    }

    /// A page of what the viewer collected, the last collected first, without what those wrote who have left. Three rounds;
    /// one more where what it passed over was deleted so lately that it is still in the list.
    pub async fn collected_articles(&self, viewer: UserId, page: Page) -> Result<Vec<Article>, Refusal> {
        #[derive(Clone, Deserialize)]
        struct Collected {
            sk: String,
            subject: Subject,
        }
        let collected = || Range::new(keys::user(viewer), keys::COLLECT).newest_first();
        let next = |part: Page, last: Option<Collected>| {
            let after = last.and_then(|last| keys::entry_number(&last.sk));
            self.items(collected().after(after.map(|place| keys::collect(viewer, EntryId(place)))), part)
        };
        full_page(page, next, |entries: Vec<Collected>| async move {
            let ids = entries.iter().filter_map(|entry| match entry.subject {
                Subject::Article(id) => Some(id),
                _ => None,
            });
            let ids: Vec<_> = ids.collect();
            let mut articles = self.get_each_lately::<_, Article>(ids.iter().copied(), keys::head).await?;
            let long = articles.values().filter(|article| article.is_long).map(|article| article.id);
            let long: Vec<_> = long.collect();
            let texts = self.get_each_lately::<_, ArticleText>(long, keys::article_text);
            let authors: BTreeSet<_> = articles.values().map(|article| article.author).collect();
            let authors = self.profiles(viewer, authors);
            let (texts, authors, ()) = tokio::try_join!(texts, authors, self.add_shards(articles.values_mut(), true))?;
            add_texts(&mut articles, texts);
            articles.retain(|_, article| authors.contains_key(&article.author));
            Ok(ids.iter().filter_map(|id| articles.remove(id)).collect())
        })
        .await
    }

    /// A user's newest articles with images, whatever else they wrote. Two rounds.
    pub async fn pictured_articles(&self, author: UserId, most: usize) -> Result<Vec<Article>, Refusal> {
        let entries: Vec<ArticleEntry> = self.newest(keys::user(author), keys::PICTURED, Page::first(most)).await?;
        let mut articles = self.articles_of(&entries).await?;
        Ok(entries.iter().filter_map(|entry| articles.remove(&entry.article)).collect())
    }

    /// Articles with their texts, as they were a moment ago; none that is gone. One round; one more where a crowd was at
    /// some of them.
    pub(super) async fn articles_of(&self, entries: &[ArticleEntry]) -> Result<HashMap<ArticleId, Article>, Refusal> {
        let ids: Vec<_> = entries.iter().map(|entry| entry.article).collect();
        let long: Vec<_> = entries.iter().filter(|entry| entry.is_long).map(|entry| entry.article).collect();
        let (mut articles, texts) =
            tokio::try_join!(self.get_each_lately(ids, keys::head), self.get_each_lately(long, keys::article_text))?;
        add_texts(&mut articles, texts);
        self.add_shards(articles.values_mut(), true).await?;
        Ok(articles)
    }

    /// Counts what a crowd did to articles. A query for each that was found by one, side by side.
    async fn add_shards(&self, articles: impl IntoIterator<Item = &mut Article>, lately: bool) -> Result<(), Refusal> {
        let split = articles.into_iter().filter(|article| article.shards.is_some());
        let added = split.map(async |article| {
            for shard in self.shards::<ArticleShard>(&keys::head(article.id), lately).await? {
                article.like_count += shard.like_count;
                article.collect_count += shard.collect_count;
            }
            Ok(())
        });
        try_join_all(added).await.map(drop)
    }

    /// Articles with their authors and the viewer's marks, those left out that are gone. One round.
    pub(super) async fn article_views(
        &self,
        viewer: UserId,
        entries: Vec<ArticleEntry>,
    ) -> Result<Vec<ArticleView>, Refusal> {
        let (ids, authors): (Vec<_>, Vec<_>) = entries.iter().map(|entry| (entry.article, entry.author)).unzip();
        let (mut articles, authors, marks) = tokio::try_join!(
            self.articles_of(&entries),
            self.profiles(viewer, authors),
            self.article_marks(viewer, ids),
        )?;
        let view = |ArticleEntry { article, author, .. }| {
            let marks = marks.get(&article);
            Some(ArticleView {
                article: articles.remove(&article)?,
                author: authors.get(&author)?.clone(),
                is_like: marks.is_some_and(Marks::is_like),
                is_collect: marks.is_some_and(Marks::is_collect),
            })
        };
        Ok(entries.into_iter().filter_map(view).collect())
    }

    /// Gives up numbers that were drawn and never used, so that offsets stay exact.
    pub async fn settle_articles(&self) -> Result<(), Refusal> {
        self.settle(ALL, |entry: &ArticleEntry| entry.article.made_at()).await
    }
}

/// How many of these go in one transaction, which takes 100 actions: five for each at most, and one for each image.
fn deleted_at_once(articles: &[Article]) -> usize {
    let mut actions = 1;
    let fits = |article: &&Article| {
        actions += 5 + article.images.len();
        actions <= 100
    };
    articles.iter().take_while(fits).count()
}

/// Gives long articles their texts; one whose text is gone already is going itself.
fn add_texts(articles: &mut HashMap<ArticleId, Article>, mut texts: HashMap<ArticleId, ArticleText>) {
    articles.retain(|id, article| {
        match texts.remove(id) {
            Some(text) => article.content = text.content,
            None if article.is_long => return false,
            None => {}
        }
        true
    });
}
