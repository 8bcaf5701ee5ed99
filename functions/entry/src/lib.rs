//! Document E: login, log-out, profile.
mod entry_logout;
mod login;
mod user_get_user_info;
mod user_update_user_info;
mod user_update_user_profile_picture;

use shared::wire::operation::Operations;

/// Adds what this function serves.
pub fn operations<L: Operations>(list: L) -> L {
    list.add::<login::Login>()
        .add::<user_get_user_info::UserGetUserInfo>()
        .add::<entry_logout::EntryLogout>()
        .add::<user_update_user_info::UserUpdateUserInfo>()
        .add::<user_update_user_profile_picture::UserUpdateUserProfilePicture>()
}
