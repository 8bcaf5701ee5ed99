use std::collections::BTreeSet;

use shared::wire::{dialect::D, operation::*, values::CommentNumber};

/// Delete comments that the caller wrote or that stand under the caller's articles, at most 100 at a time (document D).
///
/// If one is neither, none is deleted. One that is gone already is fine. Replies stay.
#[derive(Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct ArticleCommentDel {
    #[garde(length(min = 1, max = 100))]
    article_comment_id_list: Vec<CommentNumber>,
}

impl Operation for ArticleCommentDel {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/article_comment_del");

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        let ids: BTreeSet<_> = self.article_comment_id_list.into_iter().map(|id| id.0).collect();
        app.store.delete_comments(caller, &ids).await?;
        Ok(Done {})
    }
}
