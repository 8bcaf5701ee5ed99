use shared::{
    domain::CommentId,
    store::SeenComment,
    wire::{
        dialect::B,
        operation::*,
        values::{ArticleNumber, CommentDigits, CommentNumber, Limit, Offset},
    },
};

use crate::shown::{Face, TargetType};

/// Read a post's comments, the newest first (document B).
///
/// The first page pins the list: send its `cursor` with the next ones, and comments written meanwhile shift nothing.
#[derive(Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct MUserCommentsGet {
    target_id: ArticleNumber,
    target_type: TargetType,
    cursor: Option<Cursor>,
    #[serde(default)]
    offset: Offset,
    #[serde(default)]
    limit: Limit,
}

/// The list as it was when its first page was read: what that page came with; empty at first.
#[derive(JsonSchema)]
#[schemars(inline, extend("examples" = ["129171456003145"]))]
pub struct Cursor(#[schemars(with = "String")] CommentId);

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match CommentNumber::deserialize(from) {
            Ok(newest) => Ok(Self(newest.0)),
            Err(_) => Err(serde::de::Error::custom("send the one that the first page came with")),
        }
    }
}

impl Serialize for Cursor {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        CommentDigits(self.0).serialize(to)
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Page {
    cursor: Cursor,
    /// All comments now.
    total: u64,
    items: Vec<Comment>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct Comment {
    id: CommentDigits,
    content: String,
    /// Milliseconds since 1970.
    created_time: u64,
    user: Face,
}

impl Operation for MUserCommentsGet {
    type Dialect = B;
    type Caller = Reader;
    type Response = Page;
    const ROUTE: Route = Route::get("/m_user/comments");

    async fn handle(self, Reader(_): Reader, app: &App) -> Result<Page, Refusal> {
        let Self { target_id, target_type: TargetType::Post, cursor, offset, limit } = self;
        let pin = cursor.map(|cursor| cursor.0);
        let page = app.store.comments(None, target_id.0, pin, offset.0, limit.0).await?;
        let items = page.comments.into_iter().map(|SeenComment { comment, author, .. }| Comment {
            id: CommentDigits(comment.id),
            content: comment.content,
            created_time: comment.created_at,
            user: (&author).into(),
        });
        Ok(Page { cursor: Cursor(page.pin), total: page.total, items: items.collect() })
    }
}
