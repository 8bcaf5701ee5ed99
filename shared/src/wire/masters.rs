//! Masters as document D shows them.
use schemars::JsonSchema;
use serde::Serialize;

use super::values::{MasterHex, MediaKey};
use crate::store::{Content, Master};

/// What is shown of a master nearly everywhere.
#[derive(Serialize, JsonSchema)]
pub struct MasterCard {
    master_id: MasterHex,
    name: String,
    avatar: MediaKey,
    intro: String,
    address: String,
    /// `YYYY-MM-DD`.
    birthday: String,
    /// Milliseconds since 1970.
    created_at: u64,
}

impl From<Content<Master>> for MasterCard {
    fn from(master: Content<Master>) -> Self {
        let Content { record, created_at, .. } = master;
        Self {
            master_id: MasterHex(record.master_id),
            name: record.name,
            avatar: MediaKey(record.avatar),
            intro: record.intro,
            address: record.address,
            birthday: record.birthday,
            created_at,
        }
    }
}
