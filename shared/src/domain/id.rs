use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Millis, System, Thing, hex};

/// 2025-01-01. 41 bits of milliseconds from here last until 2094.
const EPOCH: Millis = 1_735_689_600_000;

/// A number below 2^53, ordered by the millisecond of its making, without a shared counter: 41 bits of time, 12 of
/// chance. Two of one millisecond may be the same, so whoever stores a new one makes sure that it is.
fn fresh(system: &System) -> u64 {
    let chance = u64::from(u16::from_le_bytes(system.random()) & 0xfff);
    (system.now().saturating_sub(EPOCH) << 12 | chance) & ((1 << 53) - 1)
}

/// Numbers that name one kind of thing; how each document writes them is the wire's.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub struct $name(pub u64);

        impl $name {
            pub fn fresh(system: &System) -> Self {
                Self(fresh(system))
            }

            /// When it was made.
            pub fn made_at(self) -> Millis {
                (self.0 >> 12) + EPOCH
            }
        }
    )*};
}

ids! {
    /// A user, the same in all documents.
    UserId
    /// A gallery (document A's `pic_dir`).
    GalleryId
    /// A picture in a gallery.
    PictureId
    /// An article (document B's post).
    ArticleId
    /// A comment.
    CommentId
    /// A game.
    GameId
    /// A piece of clothing, a merchant's or the design circle's.
    ClothId
    /// A ticket.
    TicketId
    /// A master's project, which has tickets.
    ProjectId
    /// What a user wants to buy, has bought, or has let go.
    OrderId
    /// A place in a list that is ordered by time: who liked, collected or followed when.
    EntryId
    /// What a user wrote to the operators.
    FeedbackId
    /// A report of where a device is.
    TrackId
    /// A message from one side of a conversation to the other.
    MessageId
}

impl UserId {
    /// As documents B and D show it: 32 hexadecimal digits.
    pub fn hex(self) -> String {
        format!("{:032x}", self.0)
    }
}

/// Names of operators' choosing, of 32 hexadecimal digits.
macro_rules! hexes {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub struct $name(pub u128);

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                format!("{:032x}", id.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = std::num::ParseIntError;
            fn try_from(digits: String) -> Result<Self, Self::Error> {
                u128::from_str_radix(&digits, 16).map(Self)
            }
        }
    )*};
}

hexes! {
    /// A master, whose projects have tickets.
    MasterId
    /// A merchant, who sells clothes.
    MerchantId
}

/// What can be liked, collected and commented on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    Article(ArticleId),
    Game(GameId),
    Cloth(ClothId),
    Ticket(TicketId),
}

/// Each kind has operations of its own for its comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectKind {
    Article,
    Game,
    Cloth,
    Ticket,
}

impl Subject {
    pub fn kind(self) -> SubjectKind {
        match self {
            Self::Article(_) => SubjectKind::Article,
            Self::Game(_) => SubjectKind::Game,
            Self::Cloth(_) => SubjectKind::Cloth,
            Self::Ticket(_) => SubjectKind::Ticket,
        }
    }

    /// What a refusal calls it.
    pub fn thing(self) -> Thing {
        match self.kind() {
            SubjectKind::Article => Thing::Article,
            SubjectKind::Game => Thing::Game,
            SubjectKind::Cloth => Thing::Cloth,
            SubjectKind::Ticket => Thing::Ticket,
        }
    }
}

/// Whom one can follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Followee {
    User(UserId),
    Master(MasterId),
    Merchant(MerchantId),
}

impl Followee {
    /// What a refusal calls them.
    pub fn thing(self) -> Thing {
        match self {
            Self::User(_) => Thing::User,
            Self::Master(_) => Thing::Master,
            Self::Merchant(_) => Thing::Merchant,
        }
    }
}

/// A side of a conversation. One of the two is a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    User(UserId),
    Master(MasterId),
    Merchant(MerchantId),
    CustomerService,
}

impl Side {
    /// Whom one could follow as well.
    pub fn followee(self) -> Option<Followee> {
        match self {
            Self::User(id) => Some(id.into()),
            Self::Master(id) => Some(id.into()),
            Self::Merchant(id) => Some(id.into()),
            Self::CustomerService => None,
        }
    }
}

/// `From` for each kind of an id.
macro_rules! kinds {
    ($($of:ident: $($kind:ident($id:ident))*;)*) => {$($(
        impl From<$id> for $of {
            fn from(id: $id) -> Self {
                Self::$kind(id)
            }
        }
    )*)*};
}

kinds! {
    Subject: Article(ArticleId) Game(GameId) Cloth(ClothId) Ticket(TicketId);
    Followee: User(UserId) Master(MasterId) Merchant(MerchantId);
    Side: User(UserId) Master(MasterId) Merchant(MerchantId);
}

/// What signs a device in (document B's `X-Device-Id`): a secret, of which only the hash is kept.
#[derive(Clone, PartialEq)]
pub struct DeviceId(String);

impl DeviceId {
    /// 16 to 128 characters of `A-Za-z0-9_-`.
    pub fn parse(text: &str) -> Option<Self> {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        ((16..=128).contains(&text.len()) && text.bytes().all(known)).then(|| Self(text.to_owned()))
    }

    /// One that nobody guesses.
    pub fn fresh(system: &System) -> Self {
        Self(hex(&system.random::<32>()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Names an image, audio or video in the object store: `<uuid>.<ext>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MediaId(pub String);

impl MediaId {
    pub fn fresh(system: &System, extension: &str) -> Self {
        let uuid = uuid::Builder::from_random_bytes(system.random()).into_uuid();
        Self(format!("{uuid}.{extension}"))
    }
}

impl fmt::Display for MediaId {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_ordered_by_time_and_fit_a_double() {
        let at = |now, chance| UserId::fresh(&System::new(move || now, move |bytes| bytes.fill(chance))).0;
        assert_eq!(at(EPOCH, 0), 0);
        assert_eq!(at(EPOCH + 1, 0), 4096);
        assert_eq!(UserId(4097).made_at(), EPOCH + 1);
        assert!(at(EPOCH + 5, 0xff) < at(EPOCH + 6, 0));
        let in_2094 = EPOCH + (1 << 41) - 1;
        assert!(at(in_2094, 0xff) < 1 << 53);
    }

    #[test]
    fn device_ids_are_long_and_plain() {
        let (shortest, longest) = ("a".repeat(16), "-".repeat(128));
        for good in ["0123456789abcdef", "ABCDEF_ghijkl-0123", &shortest, &longest] {
            assert!(DeviceId::parse(good).is_some(), "{good}");
        }
        for bad in ["", "0123456789abcde", "0123456789abcde ", "0123456789abcdé", &"a".repeat(129)] {
            assert!(DeviceId::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn media_ids_are_uuids_with_an_extension() {
        let id = MediaId::fresh(&System::new(|| 0, |bytes| bytes.fill(7)), "jpeg");
        assert_eq!(id.0, "07070707-0707-4707-8707-070707070707.jpeg");
    }
}
