//! Document D: tickets and comments on them.
mod my_ticket_list;
mod shown;
mod ticket_banner;
mod ticket_circle;
mod ticket_comment_del;
mod ticket_comment_list;
mod ticket_comment_publish;
mod ticket_detail;
mod ticket_list;

use shared::wire::operation::Operations;

/// Adds what this function serves.
pub fn operations<L: Operations>(list: L) -> L {
    list.add::<my_ticket_list::MyTicketList>()
        .add::<ticket_banner::TicketBanner>()
        .add::<ticket_circle::TicketCircle>()
        .add::<ticket_comment_del::TicketCommentDel>()
        .add::<ticket_comment_list::TicketCommentList>()
        .add::<ticket_comment_publish::TicketCommentPublish>()
        .add::<ticket_detail::TicketDetail>()
        .add::<ticket_list::TicketList>()
}
