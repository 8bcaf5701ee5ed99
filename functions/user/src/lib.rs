//! Document D: users.
mod send_sms_code;

use shared::wire::operation::Operations;

/// Adds what this function serves.
pub fn operations<L: Operations>(list: L) -> L {
    list.add::<send_sms_code::SendSmsCode>()
}
