use shared::{
    domain::CommentId,
    store::{CommentView, Snapshot},
    wire::{
        dialect::B,
        fields::complaint,
        operation::*,
        values::{ArticleNumber, CommentDigits, Page},
    },
};

use crate::shown::{MemberBrief, TargetType};

/// Read a post's comments, the newest first (document B).
///
/// The first page pins the list: send its `cursor` with the next ones, and what is written or deleted meanwhile shifts
/// nothing. A page is shorter by what was deleted since.
#[derive(Deserialize, JsonSchema)]
pub struct MUserCommentsGet {
    target_id: ArticleNumber,
    target_type: TargetType,
    cursor: Option<Cursor>,
    #[schemars(flatten)]
    page: Page,
}

/// The list as it was when its first page was read: what that page came with; empty at first.
#[derive(JsonSchema)]
#[schemars(extend("examples" = ["129171615744000-1767225700000"]))]
pub struct Cursor(#[schemars(with = "String")] Snapshot);

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let parts = text.split_once('-').and_then(|(newest, at)| Some((newest.parse().ok()?, at.parse().ok()?)));
        match parts.filter(|(newest, _)| *newest <= LARGEST) {
            Some((newest, at)) => Ok(Self(Snapshot { newest: CommentId(newest), at })),
            None => Err(complaint(words!(
                "send the one that the first page came with, or none",
                "请发送第一页返回的值，或不填"
            ))),
        }
    }
}

impl Serialize for Cursor {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{}-{}", self.0.newest.0, self.0.at))
    }
}

/// No comment has a larger id.
const LARGEST: u64 = (1 << 53) - 1;

#[derive(Serialize, JsonSchema)]
pub struct CommentsPage {
    cursor: Cursor,
    /// All comments now.
    total: u64,
    items: Vec<PostComment>,
}

#[derive(Serialize, JsonSchema)]
struct PostComment {
    id: CommentDigits,
    content: String,
    /// Milliseconds since 1970.
    created_time: u64,
    user: MemberBrief,
}

impl Operation for MUserCommentsGet {
    type Dialect = B;
    type Caller = Reader;
    type Response = CommentsPage;
    const ROUTE: Route = Route::get("/m_user/comments");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<CommentsPage, Refusal> {
        let Self { target_id, target_type: TargetType::Post, cursor, page } = self;
        let (at, snapshot) = (app.system.now(), cursor.map(|cursor| cursor.0));
        let page = app.store.comments_as_of(caller, target_id.0, snapshot, page.of()).await?;
        let snapshot = snapshot.unwrap_or(Snapshot { newest: page.newest, at });
        let items = page.comments.into_iter().map(|CommentView { comment, author, .. }| PostComment {
            id: CommentDigits(comment.id),
            content: comment.content,
            created_time: comment.created_at,
            user: (&author).into(),
        });
        Ok(CommentsPage { cursor: Cursor(snapshot), total: page.total, items: items.collect() })
    }
}
