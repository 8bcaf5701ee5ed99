use std::collections::BTreeSet;

use shared::{
    domain::SubjectKind,
    wire::{
        dialect::D,
        operation::*,
        values::{CommentNumber, List},
    },
};

/// Delete comments that the caller wrote or that stand under the caller's articles, at most 100 at a time (document D).
///
/// If one is neither, none is deleted. One that is gone already is fine. Replies stay.
#[derive(Deserialize, JsonSchema)]
pub struct ArticleCommentDel {
    article_comment_id_list: List<CommentNumber, 1, 100>,
}

impl Operation for ArticleCommentDel {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/article_comment_del");

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        let ids: BTreeSet<_> = self.article_comment_id_list.0.into_iter().map(|id| id.0).collect();
        app.store.delete_comments(caller, SubjectKind::Article, &ids).await?;
        Ok(Done {})
    }
}
