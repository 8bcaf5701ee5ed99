//! Document D: games and comments on them.
mod game_banner;
mod game_collect;
mod game_comment_del;
mod game_comment_down;
mod game_comment_list;
mod game_comment_publish;
mod game_comment_up;
mod game_detail;
mod game_like;
mod game_recommend_list;
mod game_uncollect;
mod game_unlike;
mod shown;

use shared::wire::operation::Operations;

/// Adds what this function serves.
pub fn operations<L: Operations>(list: L) -> L {
    list.add::<game_banner::GameBanner>()
        .add::<game_collect::GameCollect>()
        .add::<game_comment_del::GameCommentDel>()
        .add::<game_comment_down::GameCommentDown>()
        .add::<game_comment_list::GameCommentList>()
        .add::<game_comment_publish::GameCommentPublish>()
        .add::<game_comment_up::GameCommentUp>()
        .add::<game_detail::GameDetail>()
        .add::<game_like::GameLike>()
        .add::<game_recommend_list::GameRecommendList>()
        .add::<game_uncollect::GameUncollect>()
        .add::<game_unlike::GameUnlike>()
}
