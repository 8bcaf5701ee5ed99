//! Document D: articles, comments on them, and lists of them.
mod article_collect;
mod article_comment_del;
mod article_comment_list;
mod article_comment_publish;
mod article_comment_reply;
mod article_comment_up;
mod article_del;
mod article_detail;
mod article_like;
mod article_list;
mod article_publish;
mod article_uncollect;
mod article_unlike;
mod following_article_list;
mod my_article_collect_list;
mod my_article_list;
mod shown;

use shared::wire::operation::Operations;

/// Adds what this function serves.
pub fn operations<L: Operations>(list: L) -> L {
    list.add::<article_collect::ArticleCollect>()
        .add::<article_comment_del::ArticleCommentDel>()
        .add::<article_comment_list::ArticleCommentList>()
        .add::<article_comment_publish::ArticleCommentPublish>()
        .add::<article_comment_reply::ArticleCommentReply>()
        .add::<article_comment_up::ArticleCommentUp>()
        .add::<article_del::ArticleDel>()
        .add::<article_detail::ArticleDetail>()
        .add::<article_like::ArticleLike>()
        .add::<article_list::ArticleList>()
        .add::<article_publish::ArticlePublish>()
        .add::<article_uncollect::ArticleUncollect>()
        .add::<article_unlike::ArticleUnlike>()
        .add::<following_article_list::FollowingArticleList>()
        .add::<my_article_collect_list::MyArticleCollectList>()
        .add::<my_article_list::MyArticleList>()
}
