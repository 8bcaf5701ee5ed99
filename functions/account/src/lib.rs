//! Document C: login, registration, avatar, information.
mod user_login;
mod user_register;
mod user_update_avator;
mod user_update_info;

use shared::wire::operation::Operations;

/// Adds what this function serves.
pub fn operations<L: Operations>(list: L) -> L {
    list.add::<user_login::UserLogin>()
        .add::<user_register::UserRegister>()
        .add::<user_update_avator::UserUpdateAvator>()
        .add::<user_update_info::UserUpdateInfo>()
}
