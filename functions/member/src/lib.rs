//! Document B: members of a voice and video app.
mod m_user_audit_login;
mod m_user_comments_get;
mod m_user_comments_post;
mod m_user_feedbacks;
mod m_user_im_token;
mod m_user_likes_delete;
mod m_user_likes_post;
mod m_user_login;
mod m_user_user_chat_media;
mod m_user_user_tracks;
mod m_user_users_get;
mod m_user_users_homepage;
mod m_user_users_patch;
mod m_user_users_post;
mod m_user_users_put;
mod shown;

use shared::wire::operation::Operations;

/// Adds what this function serves.
pub fn operations<L: Operations>(list: L) -> L {
    list.add::<m_user_audit_login::MUserAuditLogin>()
        .add::<m_user_comments_get::MUserCommentsGet>()
        .add::<m_user_comments_post::MUserCommentsPost>()
        .add::<m_user_feedbacks::MUserFeedbacks>()
        .add::<m_user_im_token::MUserImToken>()
        .add::<m_user_likes_delete::MUserLikesDelete>()
        .add::<m_user_likes_post::MUserLikesPost>()
        .add::<m_user_login::MUserLogin>()
        .add::<m_user_user_chat_media::MUserUserChatMedia>()
        .add::<m_user_user_tracks::MUserUserTracks>()
        .add::<m_user_users_get::MUserUsersGet>()
        .add::<m_user_users_homepage::MUserUsersHomepage>()
        .add::<m_user_users_patch::MUserUsersPatch>()
        .add::<m_user_users_post::MUserUsersPost>()
        .add::<m_user_users_put::MUserUsersPut>()
}
