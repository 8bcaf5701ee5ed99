//! Document D: tickets and comments on them.
mod ticket_banner;
mod ticket_comment_del;
mod ticket_comment_list;
mod ticket_comment_publish;

use shared::wire::operation::Operations;

/// Adds what this function serves.
pub fn operations<L: Operations>(list: L) -> L {
    list.add::<ticket_banner::TicketBanner>()
        .add::<ticket_comment_del::TicketCommentDel>()
        .add::<ticket_comment_list::TicketCommentList>()
        .add::<ticket_comment_publish::TicketCommentPublish>()
}
