use shared::wire::{
    dialect::D,
    operation::*,
    users::{PublicProfile, UserBrief},
    values::ArticleNumber,
};

use crate::shown::{Body, ListedComment};

/// Read an article with its newest 100 comments, likers and collectors (document D).
#[derive(Deserialize, JsonSchema)]
pub struct ArticleDetail {
    article_id: ArticleNumber,
}

#[derive(Serialize, JsonSchema)]
pub struct DetailedArticle {
    #[serde(flatten)]
    body: Body,
    like_user_list: Vec<UserBrief>,
    collect_user_list: Vec<UserBrief>,
    comment_list: Vec<ListedComment>,
    author: Author,
    is_like: bool,
    is_collect: bool,
}

#[derive(Serialize, JsonSchema)]
pub struct Author {
    #[serde(flatten)]
    card: PublicProfile,
    /// Whether the caller follows them.
    is_follow: bool,
}

impl Operation for ArticleDetail {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, DetailedArticle>;
    const ROUTE: Route = Route::post("/article_detail");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let found = app.store.article_detail(caller, self.article_id.0).await?;
        let faces = |users: Vec<_>| users.into_iter().map(UserBrief::from).collect();
        Ok(Named::new(DetailedArticle {
            body: found.view.article.into(),
            like_user_list: faces(found.likers),
            collect_user_list: faces(found.collectors),
            comment_list: found.comments.into_iter().map(ListedComment::from).collect(),
            author: Author { card: found.view.author.into(), is_follow: found.is_follow },
            is_like: found.view.is_like,
            is_collect: found.view.is_collect,
        }))
    }
}
