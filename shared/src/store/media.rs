//! What users upload past the functions: whose it is, and what was found of it.
use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use serde_dynamo::to_attribute_value;

use super::{
    keys,
    table::{Action, Outcome, Range, Store, number, put_request, read, text, unreadable, whole},
};
use crate::domain::{DAY, MediaId, MediaKind, Millis, Page, Refusal, UserId};

/// How long an upload may take to come and be checked.
const LIFE: Millis = DAY;

/// An upload that is to come, or has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MediaRecord {
    pub id: MediaId,
    pub owner: UserId,
    pub standing: MediaStatus,
    /// How long it is, in whole seconds: of audio that was checked and says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole_seconds: Option<u64>,
    /// Bytes of it that count for its owner's day.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) counted: u64,
    /// In seconds since 1970; what was checked stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<u64>,
}

/// In the list of a user's files.
#[derive(Serialize, Deserialize)]
pub(super) struct MediaEntry {
    pub media: MediaId,
    /// It is served, though no record tells of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_served: bool,
}

/// It waits, once; what was found of it stays.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaStatus {
    /// To come, or to be checked.
    Waiting,
    /// It is what it says, and is served.
    Checked,
    /// It is not, and is gone.
    Refused,
    /// It was larger than its kind may be, and is gone.
    TooLarge,
    /// Some of it was missing, and it is gone.
    CutOff,
    /// Its owner had uploaded as much as a day may bring, and it is gone.
    OverQuota,
}

fn is_zero(bytes: &u64) -> bool {
    *bytes == 0
}

impl MediaStatus {
    /// Found bad, for whatever reason.
    pub fn is_bad(self) -> bool {
        matches!(self, Self::Refused | Self::TooLarge | Self::CutOff | Self::OverQuota)
    }
}

impl Store {
    /// Names what `owner` is about to upload. Good for a day.
    pub async fn new_media(&self, owner: UserId, kind: MediaKind) -> Result<MediaId, Refusal> {
        let id = MediaId::fresh(&self.system, kind.extension());
        let expires_at = Some((self.system.now() + LIFE) / 1000);
        let standing = MediaStatus::Waiting;
        let record = MediaRecord { id, owner, standing, whole_seconds: None, counted: 0, expires_at };
        self.put(keys::media(&record.id), &record).await?;
        Ok(record.id)
    }

    /// What is known of these, in no order; of those that nobody named, or whose day is over, nothing. One round.
    pub async fn media_of(&self, ids: &[MediaId]) -> Result<Vec<MediaRecord>, Refusal> {
        let records = self.get_each::<_, MediaRecord>(ids, keys::media).await?;
        let now = self.system.now() / 1000;
        Ok(records.into_values().filter(|record| record.expires_at.is_none_or(|end| end > now)).collect())
    }

    /// It was found good: it stays, among its owner's, unless it was found bad before. Gives how it stands now; a repeat
    /// changes nothing. Two writes.
    pub async fn media_checked(
        &self,
        id: &MediaId,
        owner: UserId,
        whole_seconds: Option<u64>,
    ) -> Result<MediaStatus, Refusal> {
        // First, so that whoever leaves finds all that stays.
        self.put(keys::user_media(owner, id), &MediaEntry { media: id.clone(), is_served: false }).await?;
        let length = whole_seconds.map_or(AttributeValue::Null(true), number);
        let change = "SET standing = :found, whole_seconds = :length REMOVE expires_at";
        let update = Action::update(keys::media(id), change).with(":found", text("checked")).with(":length", length);
        self.settle_media(MediaStatus::Checked, update).await
    }

    /// That what is about to be published are files of a user's, of which no record tells. One write each.
    pub async fn own_files(&self, owner: UserId, ids: &[MediaId]) -> Result<(), Refusal> {
        let entry = |id: &MediaId| {
            put_request(whole(keys::user_media(owner, id), &MediaEntry { media: id.clone(), is_served: true })?)
        };
        self.write_all(ids.iter().map(entry).collect::<Result<_, _>>()?).await
    }

    /// Some of a user's files. One query.
    pub async fn files_of(&self, owner: UserId, most: usize) -> Result<Vec<MediaId>, Refusal> {
        let range = Range::new(keys::user(owner), keys::USER_MEDIA);
        let entries: Vec<MediaEntry> = self.items(range, Page::first(most)).await?;
        Ok(entries.into_iter().map(|entry| entry.media).collect())
    }

    /// What was known of a user's files, whose objects are gone.
    pub async fn forget_files(&self, owner: UserId, ids: &[MediaId]) -> Result<(), Refusal> {
        self.delete_all(ids.iter().map(keys::media)).await?;
        self.delete_all(ids.iter().map(|id| keys::user_media(owner, id))).await
    }

    /// It was found bad in this way, unless it was found good before. Gives how it stands now; a repeat changes nothing.
    pub async fn media_refused(&self, id: &MediaId, bad: MediaStatus) -> Result<MediaStatus, Refusal> {
        let found = to_attribute_value(bad).map_err(unreadable)?;
        self.settle_media(bad, Action::update(keys::media(id), "SET standing = :found").with(":found", found)).await
    }

    async fn settle_media(&self, standing: MediaStatus, update: Action) -> Result<MediaStatus, Refusal> {
        match self.change(update.when("standing = :waiting").with(":waiting", text("waiting"))).await? {
            Outcome::Done(_) => Ok(standing),
            // Its day ended meanwhile: nobody can use it any more.
            Outcome::Refused(item) if item.is_empty() => Ok(MediaStatus::Refused),
            Outcome::Refused(item) => Ok(read::<MediaRecord>(item)?.standing),
        }
    }
}
