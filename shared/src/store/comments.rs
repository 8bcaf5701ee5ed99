//! Comments on articles, and votes on comments.
use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::{
    Article, NEW, Part, Profile, Refused, Store, THERE, TRIES, follows::UserEntry, keys, number, read, values,
};
use crate::domain::{ArticleId, CommentId, Millis, Refusal, UserId};

const NO_COMMENT: Refusal = Refusal::NoSuch("comment");

/// A comment with its counts, which are exact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comment {
    pub id: CommentId,
    pub article: ArticleId,
    pub user: UserId,
    pub content: String,
    pub created_at: Millis,
    /// What it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
    /// What the thread began with that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_reply: Option<Reply>,
    pub up_count: u64,
    pub down_count: u64,
}

/// Another comment, which may be gone, and who wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    pub comment: CommentId,
    pub user: UserId,
}

/// What an article's list of comments holds: enough to fetch them and all of their users at once.
#[derive(Serialize, Deserialize)]
struct CommentEntry {
    comment: CommentId,
    user: UserId,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_user: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_reply_user: Option<UserId>,
}

/// A comment as somebody sees it.
#[derive(Clone, Debug)]
pub struct SeenComment {
    pub comment: Comment,
    pub author: Profile,
    pub reply_author: Option<Profile>,
    pub first_reply_author: Option<Profile>,
    pub is_up: bool,
    pub is_down: bool,
}

/// A list of comments as it was: what is written or deleted since shifts nothing in it.
#[derive(Clone, Copy)]
pub struct Pin {
    /// Its newest comment.
    pub newest: CommentId,
    pub at: Millis,
}

pub struct CommentPage {
    /// The newest comment that there ever was.
    pub newest: CommentId,
    /// All comments now.
    pub total: u64,
    pub comments: Vec<SeenComment>,
}

/// An article with all that its page shows.
pub struct ArticleDetail {
    pub article: Article,
    pub author: Profile,
    pub is_follow: bool,
    pub is_like: bool,
    pub is_collect: bool,
    pub comments: Vec<SeenComment>,
    /// The last who liked and collected it.
    pub likers: Vec<Profile>,
    pub collectors: Vec<Profile>,
}

/// Up or not (which is down).
#[derive(Clone, Copy, Deserialize)]
struct Vote {
    /// The comment's id; `comment` is a word that the table keeps for itself.
    target: CommentId,
    up: bool,
}

impl Store {
    /// Writes a comment, or with `reply_to` answers one; `thread` is what the client takes for the thread's beginning.
    /// One transaction, after a read of what is answered. The ids of an article's comments grow in the order in which
    /// they come to be there, so that a list can be pinned by its newest.
    pub async fn publish_comment(
        &self,
        user: UserId,
        on: ArticleId,
        content: &str,
        reply_to: Option<(CommentId, Option<CommentId>)>,
    ) -> Result<CommentId, Refusal> {
        let (reply, first_reply) = match reply_to {
            None => (None, None),
            Some((id, thread)) => {
                let target = self.comment(id).await?.filter(|comment| comment.article == on).ok_or(NO_COMMENT)?;
                let reply = Reply { comment: id, user: target.user };
                let first = target.first_reply.unwrap_or(reply);
                if thread.is_some_and(|thread| thread != first.comment) {
                    return Err(Refusal::malformed("first_reply_id: send the comment that the thread began with"));
                }
                (Some(reply), Some(first))
            }
        };
        let mut last = CommentId(0);
        for _ in 0..TRIES {
            let id = CommentId::fresh(&self.world).max(CommentId(last.0 + 1));
            let comment = Comment {
                id,
                article: on,
                user,
                content: content.to_owned(),
                created_at: self.world.now(),
                reply,
                first_reply,
                up_count: 0,
                down_count: 0,
            };
            let entry = CommentEntry {
                comment: id,
                user,
                reply_user: reply.map(|reply| reply.user),
                first_reply_user: first_reply.map(|reply| reply.user),
            };
            let mut actions = vec![
                self.update_action(
                    keys::article(on),
                    "SET last_comment = :id ADD comment_count :one",
                    "attribute_exists(pk) AND last_comment < :id",
                    values([(":id", number(id.0)), (":one", number(1))]),
                )?,
                self.put_action(keys::comment(id), &comment, NEW, None)?,
                self.put_action(keys::comment_entry(on, id), &entry, NEW, None)?,
            ];
            if let Some(reply) = reply {
                actions.push(self.check_action(keys::comment(reply.comment), THERE, None)?);
            }
            match self.transact(actions).await? {
                Ok(()) => return Ok(id),
                Err(Refused { at: 0, item }) if item.is_empty() => return Err(Refusal::NoSuch("article")),
                // A later one was there first.
                Err(Refused { at: 0, item }) => last = read::<Article>(item)?.last_comment,
                Err(Refused { at: 3, .. }) => return Err(NO_COMMENT),
                // A comment elsewhere has this id.
                Err(_) => last = id,
            }
        }
        Err(Refusal::Unavailable)
    }

    pub async fn comment(&self, id: CommentId) -> Result<Option<Comment>, Refusal> {
        self.get(keys::comment(id)).await
    }

    /// Deletes comments that the caller wrote, or that stand under articles of the caller's: all or, where one is
    /// neither, none; what is gone already is fine. One by one, each whole, so that a repeat finishes what broke off.
    pub async fn delete_comments(&self, caller: UserId, ids: &BTreeSet<CommentId>) -> Result<(), Refusal> {
        let comments: Vec<Comment> = self.get_all(ids.iter().copied().map(keys::comment).collect()).await?;
        let others = comments.iter().filter(|comment| comment.user != caller).map(|comment| comment.article);
        let others: BTreeSet<_> = others.collect();
        let articles: Vec<Article> = self.get_all(others.into_iter().map(keys::article).collect()).await?;
        if articles.iter().any(|article| article.author != caller) {
            return Err(Refusal::NotYours);
        }
        for Comment { id, article, .. } in comments {
            let actions = vec![
                self.delete_action(keys::comment(id), THERE, None)?,
                self.update_action(
                    keys::article(article),
                    "ADD comment_count :less",
                    THERE,
                    values([(":less", number(-1))]),
                )?,
                // Its place stays, for those who are paging through the list as it was.
                self.update_action(
                    keys::comment_entry(article, id),
                    "SET gone_at = :now",
                    THERE,
                    values([(":now", number(self.world.now()))]),
                )?,
            ];
            match self.transact(actions).await? {
                // A parallel call has deleted it; or the article is gone, and its comments with it in a moment.
                Ok(()) | Err(Refused { at: 0 | 1, .. }) => {}
                Err(_) => return Err(Refusal::Internal),
            }
        }
        Ok(())
    }

    /// Votes for a comment; a repeat changes nothing, and the opposite vote is replaced. One transaction, or two.
    pub async fn vote_up(&self, user: UserId, comment: CommentId) -> Result<(), Refusal> {
        let mut replaced = false;
        for _ in 0..TRIES {
            let (count, before) = match replaced {
                false => ("ADD up_count :one", "attribute_not_exists(up)"),
                true => ("ADD up_count :one, down_count :less", "up = :no"),
            };
            let mut counted = values([(":one", number(1))]).unwrap_or_default();
            let yes = ("up", AttributeValue::Bool(true));
            let mut vote = values([(":up", yes.1), (":target", number(comment.0))]).unwrap_or_default();
            if replaced {
                counted.insert(":less".into(), number(-1));
                vote.insert(":no".into(), AttributeValue::Bool(false));
            }
            let actions = vec![
                self.update_action(keys::comment(comment), count, THERE, Some(counted))?,
                self.update_action(keys::vote(user, comment), "SET up = :up, target = :target", before, Some(vote))?,
            ];
            match self.transact(actions).await? {
                Ok(()) => return Ok(()),
                Err(Refused { at: 0, .. }) => return Err(NO_COMMENT),
                Err(Refused { item, .. }) if item.is_empty() => replaced = false,
                Err(Refused { item, .. }) if read::<Vote>(item.clone())?.up => return Ok(()),
                Err(_) => replaced = true,
            }
        }
        Err(Refusal::Unavailable)
    }

    /// A page of an article's comments, the newest first; where the list is pinned, as it was then, less what was deleted
    /// since. Two rounds. Without a viewer nobody's votes are looked at.
    pub async fn comments(
        &self,
        viewer: Option<UserId>,
        on: ArticleId,
        pin: Option<Pin>,
        offset: usize,
        limit: usize,
    ) -> Result<CommentPage, Refusal> {
        let mut part = Part::new(keys::about_article(on), keys::COMMENT).newest_first();
        if let Some(pin) = pin {
            part = part.up_to(keys::comment_entry(on, pin.newest).sk).with_gone_since(pin.at);
        }
        let (article, entries) = tokio::try_join!(self.article(on), self.items(part, offset, limit))?;
        let entries = entries.into_iter().map(read).collect::<Result<Vec<CommentEntry>, _>>()?;
        // One may have come between the two reads.
        let newest = entries.first().map_or(article.last_comment, |entry| entry.comment.max(article.last_comment));
        let users = entries.iter().flat_map(CommentEntry::users).collect();
        let ids = || entries.iter().map(|entry| entry.comment);
        let (bodies, users, votes) =
            tokio::try_join!(self.comments_by_id(ids()), self.users(users), self.votes(viewer, ids()))?;
        Ok(CommentPage { newest, total: article.comment_count, comments: seen(&entries, bodies, &users, &votes) })
    }

    /// An article with its newest 100 comments, likers and collectors. Two rounds.
    pub async fn article_detail(&self, viewer: UserId, id: ArticleId) -> Result<ArticleDetail, Refusal> {
        const MOST: usize = 100;
        let about = || keys::about_article(id);
        let (article, mut marks, entries, likers, collectors) = tokio::try_join!(
            self.article(id),
            self.marks(viewer, [id].into_iter()),
            self.newest::<CommentEntry>(about(), keys::COMMENT, 0, MOST),
            self.newest::<UserEntry>(about(), keys::LIKER, 0, MOST),
            self.newest::<UserEntry>(about(), keys::COLLECTOR, 0, MOST),
        )?;
        let marks = marks.remove(&id).unwrap_or_default();
        let marked = likers.iter().chain(&collectors).map(|entry| entry.user);
        let users = entries.iter().flat_map(CommentEntry::users).chain(marked).chain([article.author]).collect();
        let ids = || entries.iter().map(|entry| entry.comment);
        let (bodies, users, votes, is_follow) = tokio::try_join!(
            self.comments_by_id(ids()),
            self.users(users),
            self.votes(Some(viewer), ids()),
            self.is_following(viewer, article.author),
        )?;
        let profiles =
            |entries: Vec<UserEntry>| entries.iter().filter_map(|entry| users.get(&entry.user).cloned()).collect();
        Ok(ArticleDetail {
            author: users.get(&article.author).cloned().ok_or(Refusal::Internal)?,
            is_follow,
            is_like: marks.liked.is_some(),
            is_collect: marks.collected.is_some(),
            comments: seen(&entries, bodies, &users, &votes),
            likers: profiles(likers),
            collectors: profiles(collectors),
            article,
        })
    }

    async fn users(&self, users: BTreeSet<UserId>) -> Result<HashMap<UserId, Profile>, Refusal> {
        self.profiles(users.into_iter()).await
    }

    async fn comments_by_id(
        &self,
        ids: impl Iterator<Item = CommentId>,
    ) -> Result<HashMap<CommentId, Comment>, Refusal> {
        let comments: Vec<Comment> = self.get_all(ids.map(keys::comment).collect()).await?;
        Ok(comments.into_iter().map(|comment| (comment.id, comment)).collect())
    }

    async fn votes(
        &self,
        viewer: Option<UserId>,
        ids: impl Iterator<Item = CommentId>,
    ) -> Result<HashMap<CommentId, Vote>, Refusal> {
        let Some(viewer) = viewer else {
            return Ok(HashMap::new());
        };
        let votes: Vec<Vote> = self.get_all(ids.map(|id| keys::vote(viewer, id)).collect()).await?;
        Ok(votes.into_iter().map(|vote| (vote.target, vote)).collect())
    }
}

impl CommentEntry {
    /// All whose names it takes to show the comment.
    fn users(&self) -> impl Iterator<Item = UserId> {
        [Some(self.user), self.reply_user, self.first_reply_user].into_iter().flatten()
    }
}

/// Comments in the order of their entries; one that was deleted this moment is left out.
fn seen(
    entries: &[CommentEntry],
    mut bodies: HashMap<CommentId, Comment>,
    users: &HashMap<UserId, Profile>,
    votes: &HashMap<CommentId, Vote>,
) -> Vec<SeenComment> {
    let seen = entries.iter().filter_map(|entry| {
        let comment = bodies.remove(&entry.comment)?;
        let user = |reply: Option<Reply>| reply.and_then(|reply| users.get(&reply.user).cloned());
        let vote = votes.get(&comment.id);
        Some(SeenComment {
            author: users.get(&comment.user)?.clone(),
            reply_author: user(comment.reply),
            first_reply_author: user(comment.first_reply),
            is_up: vote.is_some_and(|vote| vote.up),
            is_down: vote.is_some_and(|vote| !vote.up),
            comment,
        })
    });
    seen.collect()
}
