//! Masters and projects as document D shows them.
use schemars::JsonSchema;
use serde::Serialize;
use shared::{
    store::{Content, Master, ProjectView, Seen},
    wire::{
        masters::MasterCard,
        values::{MasterHex, MediaKey, ProjectNumber},
    },
};

/// A master, as the caller sees them.
#[derive(Serialize, JsonSchema)]
pub struct SeenMaster {
    #[serde(flatten)]
    card: MasterCard,
    /// Whether the caller follows them.
    is_follow: bool,
}

impl From<Seen<Master>> for SeenMaster {
    fn from(seen: Seen<Master>) -> Self {
        Self { card: seen.content.into(), is_follow: seen.is_follow }
    }
}

/// A master where document D calls id and name what a user's are called.
#[derive(Serialize, JsonSchema)]
pub struct ListedMaster {
    /// The master's id, as `master_id` elsewhere.
    uid: MasterHex,
    /// The master's name.
    nickname: String,
    avatar: MediaKey,
    intro: String,
    /// Whether the caller follows them.
    is_follow: bool,
    /// Milliseconds since 1970.
    created_at: u64,
}

impl From<Seen<Master>> for ListedMaster {
    fn from(seen: Seen<Master>) -> Self {
        let Content { record, created_at, .. } = seen.content;
        Self {
            uid: MasterHex(record.master_id),
            nickname: record.name,
            avatar: MediaKey(record.avatar),
            intro: record.intro,
            is_follow: seen.is_follow,
            created_at,
        }
    }
}

/// A project with its master.
#[derive(Serialize, JsonSchema)]
pub struct ListedProject {
    project_id: ProjectNumber,
    name: String,
    image: MediaKey,
    intro: String,
    /// Milliseconds since 1970.
    created_at: u64,
    master: SeenMaster,
}

impl From<ProjectView> for ListedProject {
    fn from(seen: ProjectView) -> Self {
        let Content { record, created_at, .. } = seen.project;
        Self {
            project_id: ProjectNumber(record.project_id),
            name: record.name,
            image: MediaKey(record.image),
            intro: record.intro,
            created_at,
            master: seen.master.into(),
        }
    }
}
