//! Document D: users.
mod my_follower;
mod my_following_users;
mod my_user_info;
mod my_user_info_update;
mod proof;
mod send_sms_code;
mod shown;
mod user_erase;
mod user_export;
mod user_follow;
mod user_info;
mod user_login;
mod user_logout;
mod user_password_update;
mod user_signup;
mod user_unfollow;

use shared::wire::operation::Operations;

/// Adds what this function serves.
pub fn operations<L: Operations>(list: L) -> L {
    list.add::<my_follower::MyFollower>()
        .add::<my_following_users::MyFollowingUsers>()
        .add::<my_user_info::MyUserInfo>()
        .add::<my_user_info_update::MyUserInfoUpdate>()
        .add::<send_sms_code::SendSmsCode>()
        .add::<user_erase::UserErase>()
        .add::<user_export::UserExport>()
        .add::<user_follow::UserFollow>()
        .add::<user_info::UserInfo>()
        .add::<user_login::UserLogin>()
        .add::<user_logout::UserLogout>()
        .add::<user_password_update::UserPasswordUpdate>()
        .add::<user_signup::UserSignup>()
        .add::<user_unfollow::UserUnfollow>()
}
