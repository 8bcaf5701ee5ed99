//! Types and rules: no I/O, no clock, no HTTP. Time and randomness come in as arguments.
mod account;
mod id;
mod limit;
pub mod media;
mod member;
mod page;
mod password;
pub mod picture;
mod refusal;
mod source;
mod system;
pub mod text;
pub mod token;
mod words;

pub use account::{Account, Email, Phone};
pub use id::{
    ArticleId, ClothId, CommentId, DeviceId, EntryId, FeedbackId, Followee, GalleryId, GameId, MasterId, MediaId,
    MerchantId, MessageId, OrderId, PictureId, ProjectId, Side, Subject, SubjectKind, TicketId, TrackId, UserId,
};
pub use limit::{Limit, UploadQuota};
pub use media::{MediaClass, MediaKind};
pub use member::{Degree, Job, Marriage, OnlinePeriod, SexAttitude};
pub use page::Page;
pub use password::{Password, StoredPassword};
pub use refusal::{IS_MISSING, LockedBy, PasswordRule, PhoneFault, Refusal, Thing, UploadFault};
pub use source::{SmsLimits, Source};
pub use system::{DAY, HOUR, MINUTE, Millis, Random, System};
pub use words::{Language, Words};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a user says of themself. Unknown is `None`; each document has words of its own for it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Gender {
    Male,
    Female,
}
