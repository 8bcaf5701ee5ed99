//! Document D: masters, their projects, and those whom the caller follows.
mod master_detail;
mod master_follow;
mod master_list;
mod master_recommend_list;
mod master_unfollow;
mod my_following_masters;
mod my_following_masters_project_list;
mod my_following_masters_ticket_list;
mod project_detail;
mod project_list;
mod project_recommend_list;
mod shown;

use shared::wire::operation::Operations;

/// Adds what this function serves.
pub fn operations<L: Operations>(list: L) -> L {
    list.add::<master_detail::MasterDetail>()
        .add::<master_follow::MasterFollow>()
        .add::<master_list::MasterList>()
        .add::<master_recommend_list::MasterRecommendList>()
        .add::<master_unfollow::MasterUnfollow>()
        .add::<my_following_masters::MyFollowingMasters>()
        .add::<my_following_masters_project_list::MyFollowingMastersProjectList>()
        .add::<my_following_masters_ticket_list::MyFollowingMastersTicketList>()
        .add::<project_detail::ProjectDetail>()
        .add::<project_list::ProjectList>()
        .add::<project_recommend_list::ProjectRecommendList>()
}
