//! Articles and comments as document D shows them.
use schemars::JsonSchema;
use serde::Serialize;
use shared::{
    store::{Article, ArticleView, CommentView, Reply},
    wire::{
        comments::ShownComment,
        users::UserBrief,
        values::{ArticleNumber, CommentNumber, MediaKey, UserHex},
    },
};

/// What every list shows of an article.
#[derive(Serialize, JsonSchema)]
pub struct Body {
    article_id: ArticleNumber,
    content: String,
    images: Vec<MediaKey>,
    /// Milliseconds since 1970.
    created_at: u64,
    like_count: u64,
    collect_count: u64,
    comment_count: u64,
}

impl From<Article> for Body {
    fn from(article: Article) -> Self {
        Self {
            article_id: ArticleNumber(article.id),
            content: article.content,
            images: article.images.into_iter().map(MediaKey).collect(),
            created_at: article.created_at,
            like_count: article.like_count.max(0).unsigned_abs(),
            collect_count: article.collect_count.max(0).unsigned_abs(),
            comment_count: article.comment_count,
        }
    }
}

/// An article with the caller's marks.
#[derive(Serialize, JsonSchema)]
pub struct Marked {
    #[serde(flatten)]
    body: Body,
    uid: UserHex,
    is_like: bool,
    is_collect: bool,
}

/// The same with its author.
#[derive(Serialize, JsonSchema)]
pub struct ListedArticle {
    #[serde(flatten)]
    marked: Marked,
    author: UserBrief,
}

impl From<ArticleView> for Marked {
    fn from(seen: ArticleView) -> Self {
        Self {
            uid: UserHex(seen.article.author),
            is_like: seen.is_like,
            is_collect: seen.is_collect,
            body: seen.article.into(),
        }
    }
}

impl From<ArticleView> for ListedArticle {
    fn from(mut seen: ArticleView) -> Self {
        Self { author: std::mem::take(&mut seen.author).into(), marked: seen.into() }
    }
}

/// A comment, with what it answers and who wrote that.
#[derive(Serialize, JsonSchema)]
pub struct ListedComment {
    #[serde(flatten)]
    comment: ShownComment,
    reply_uid: Option<UserHex>,
    /// The comment that the thread began with.
    first_reply_id: Option<CommentNumber>,
    first_reply_uid: Option<UserHex>,
    reply_author: Option<UserBrief>,
    first_reply_author: Option<UserBrief>,
}

impl From<CommentView> for ListedComment {
    fn from(mut seen: CommentView) -> Self {
        let uid = |reply: Option<Reply>| Some(UserHex(reply?.user?));
        Self {
            reply_uid: uid(seen.comment.reply),
            first_reply_id: seen.comment.first_reply.map(|reply| CommentNumber(reply.comment)),
            first_reply_uid: uid(seen.comment.first_reply),
            reply_author: seen.reply_author.take().map(UserBrief::from),
            first_reply_author: seen.first_reply_author.take().map(UserBrief::from),
            comment: seen.into(),
        }
    }
}
