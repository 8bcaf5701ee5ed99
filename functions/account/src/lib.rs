//! Document C: login, registration, avatar, information.
mod account_login;
mod user_register;
mod user_update_avator;
mod user_update_info;

use shared::wire::operation::Operations;

/// Adds what this function serves.
pub fn operations<L: Operations>(list: L) -> L {
    list.add::<account_login::AccountLogin>()
        .add::<user_register::UserRegister>()
        .add::<user_update_avator::UserUpdateAvator>()
        .add::<user_update_info::UserUpdateInfo>()
}
