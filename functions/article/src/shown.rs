//! Articles and comments as document D shows them.
use schemars::JsonSchema;
use serde::Serialize;
use shared::{
    store::{Article, ArticleView, CommentView, Reply},
    wire::{
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
            like_count: article.like_count,
            collect_count: article.collect_count,
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
    comment_id: CommentNumber,
    uid: UserHex,
    content: String,
    /// The comment that this one answers; it may be gone.
    reply_id: Option<CommentNumber>,
    reply_uid: Option<UserHex>,
    /// The comment that the thread began with.
    first_reply_id: Option<CommentNumber>,
    first_reply_uid: Option<UserHex>,
    /// Milliseconds since 1970.
    created_at: u64,
    up_count: u64,
    down_count: u64,
    is_up: bool,
    is_down: bool,
    author: UserBrief,
    reply_author: Option<UserBrief>,
    first_reply_author: Option<UserBrief>,
}

impl From<CommentView> for ListedComment {
    fn from(seen: CommentView) -> Self {
        let comment = seen.comment;
        let id = |reply: Option<Reply>| reply.map(|reply| CommentNumber(reply.comment));
        let uid = |reply: Option<Reply>| reply.map(|reply| UserHex(reply.user));
        Self {
            comment_id: CommentNumber(comment.id),
            uid: UserHex(comment.user),
            content: comment.content,
            reply_id: id(comment.reply),
            reply_uid: uid(comment.reply),
            first_reply_id: id(comment.first_reply),
            first_reply_uid: uid(comment.first_reply),
            created_at: comment.created_at,
            up_count: comment.up_count,
            down_count: comment.down_count,
            is_up: seen.is_up,
            is_down: seen.is_down,
            author: seen.author.into(),
            reply_author: seen.reply_author.map(UserBrief::from),
            first_reply_author: seen.first_reply_author.map(UserBrief::from),
        }
    }
}

/// A comment that was just written.
#[derive(Serialize, JsonSchema)]
pub struct Commented {
    pub comment_id: CommentNumber,
}
