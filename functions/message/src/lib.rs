//! Document D: messages to users, masters, merchants and customer service.
mod message_del;
mod my_message;
mod my_message_center;
mod send_message_to_customer_service;
mod send_message_to_master;
mod send_message_to_merchant;
mod send_message_to_user;
mod shown;

use shared::wire::operation::Operations;

/// Adds what this function serves.
pub fn operations<L: Operations>(list: L) -> L {
    list.add::<message_del::MessageDel>()
        .add::<my_message::MyMessage>()
        .add::<my_message_center::MyMessageCenter>()
        .add::<send_message_to_customer_service::SendMessageToCustomerService>()
        .add::<send_message_to_master::SendMessageToMaster>()
        .add::<send_message_to_merchant::SendMessageToMerchant>()
        .add::<send_message_to_user::SendMessageToUser>()
}
