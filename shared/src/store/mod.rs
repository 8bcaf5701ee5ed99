//! The one table, by its nouns: each module holds the verbs of one, which stand on [`Store`]. A verb is one round trip or
//! one transaction where that can be; its comment says where it cannot. Key strings are in [`keys`], the mechanics in
//! [`table`].
mod articles;
mod banners;
mod cloths;
mod comments;
mod contents;
mod devices;
mod feeds;
mod follows;
mod galleries;
mod games;
mod gifts;
pub mod keys;
mod logins;
mod marks;
mod masters;
mod media;
mod merchants;
mod numbered;
mod reports;
mod sessions;
mod sms_codes;
mod table;
mod tickets;
mod users;
mod window;

pub use articles::{Article, ArticleDetail, ArticleView};
pub use banners::{Banner, Place};
pub use cloths::{Cloth, ClothList, ClothView};
pub use comments::{Comment, CommentPage, CommentView, Reply, Snapshot, Vote};
pub use contents::{Content, Imported, Record};
pub use follows::Counts;
pub use galleries::{Gallery, GalleryPicture, MOST_PICTURES};
pub use games::{Game, GameView};
pub use gifts::{Gift, Giver};
pub use logins::LoggedIn;
pub use marks::Mark;
pub use masters::{Master, MasterList, MasterView, Project, ProjectList, ProjectView};
pub use media::{MediaRecord, MediaStatus};
pub use merchants::{Merchant, MerchantView};
pub use reports::Track;
pub use sessions::Session;
pub use sms_codes::ProvedCode;
pub use table::Store;
pub use tickets::{TicketBatch, TicketView};
pub use users::{Changes, PhoneChange, Profile, SignUp};
