use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Millis, World};

/// 2025-01-01. 41 bits of milliseconds from here last until 2094.
const EPOCH: Millis = 1_735_689_600_000;

/// A number below 2^53, ordered by the millisecond of its making, without a shared counter: 41 bits of time, 12 of
/// chance. Two of one millisecond may be the same, so whoever stores a new one makes sure that it is.
fn fresh(world: &World) -> u64 {
    let chance = u64::from(u16::from_le_bytes(world.random()) & 0xfff);
    (world.now().saturating_sub(EPOCH) << 12 | chance) & ((1 << 53) - 1)
}

/// Numbers that name one kind of thing; how each document writes them is the wire's.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub struct $name(pub u64);

        impl $name {
            pub fn fresh(world: &World) -> Self {
                Self(fresh(world))
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
}

/// Names an image, audio or video in the object store: `<uuid>.<ext>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaId(pub String);

impl MediaId {
    pub fn fresh(world: &World, extension: &str) -> Self {
        let uuid = uuid::Builder::from_random_bytes(world.random()).into_uuid();
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
        let at = |now, chance| UserId::fresh(&World::new(move || now, move |bytes| bytes.fill(chance))).0;
        assert_eq!(at(EPOCH, 0), 0);
        assert_eq!(at(EPOCH + 1, 0), 4096);
        assert!(at(EPOCH + 5, 0xff) < at(EPOCH + 6, 0));
        let in_2094 = EPOCH + (1 << 41) - 1;
        assert!(at(in_2094, 0xff) < 1 << 53);
    }

    #[test]
    fn media_ids_are_uuids_with_an_extension() {
        let id = MediaId::fresh(&World::new(|| 0, |bytes| bytes.fill(7)), "jpeg");
        assert_eq!(id.0, "07070707-0707-4707-8707-070707070707.jpeg");
    }
}
