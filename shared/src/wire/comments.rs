//! Comments as document D shows them.
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    users::UserBrief,
    values::{CommentNumber, UserHex},
};
use crate::store::CommentView;

/// What every list shows of a comment.
#[derive(Serialize, JsonSchema)]
pub struct ShownComment {
    comment_id: CommentNumber,
    uid: UserHex,
    content: String,
    /// The comment that this one answers; it may be gone.
    reply_id: Option<CommentNumber>,
    /// Milliseconds since 1970.
    created_at: u64,
    up_count: u64,
    down_count: u64,
    is_up: bool,
    is_down: bool,
    author: UserBrief,
}

impl From<CommentView> for ShownComment {
    fn from(seen: CommentView) -> Self {
        let comment = seen.comment;
        Self {
            comment_id: CommentNumber(comment.id),
            uid: UserHex(comment.user),
            content: comment.content,
            reply_id: comment.reply.map(|reply| CommentNumber(reply.comment)),
            created_at: comment.created_at,
            up_count: comment.up_count,
            down_count: comment.down_count,
            is_up: seen.is_up,
            is_down: seen.is_down,
            author: seen.author.into(),
        }
    }
}

/// A comment that was just written.
#[derive(Serialize, JsonSchema)]
pub struct Commented {
    pub comment_id: CommentNumber,
}
