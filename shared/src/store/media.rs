//! What users upload past the functions: whose it is, what was found of it, and what uses it.
//!
//! Invariant: an object under `media/` that a user has brought has a record, and a record that nothing uses ends by
//! itself. The table drops it then, and `fanout` takes away the object behind every record that went: so whatever breaks
//! off wherever, no object stays for good that nothing leads to. And who begins to use a file keeps the very record: a
//! record that is gone comes never again, and so no object goes that something uses.
use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_dynamo::to_attribute_value;

use super::{
    keys,
    table::{Action, Outcome, Range, Store, number, put_request, read, set, set_of, text, unreadable, whole},
};
use crate::{
    domain::{DAY, MediaId, MediaKind, Millis, Page, Refusal, UserId},
    words,
};

/// How long a file stays that nothing uses.
const LIFE: Millis = 7 * DAY;
/// What may use one file at a time, so that its record stays small.
const MOST_USES: usize = 100;

/// A file that is to come, or has come.
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
    /// The articles, the gallery, and [`PROFILE`] where the owner's names it.
    #[serde(default, with = "serde_dynamo::string_set", skip_serializing_if = "BTreeSet::is_empty")]
    used_in: BTreeSet<String>,
    /// In seconds since 1970, exactly while nothing uses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<u64>,
}

impl MediaRecord {
    /// Something uses it, or its time is not over, though the table has not dropped it yet.
    fn lasts(&self, now: Millis) -> bool {
        self.expires_at.is_none_or(|end| end > now / 1000)
    }
}

/// The owner's profile, among what uses a file.
pub(super) const PROFILE: &str = "profile";

/// In the list of a user's files.
#[derive(Serialize, Deserialize)]
pub(super) struct MediaEntry {
    pub media: MediaId,
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
    /// Names what `owner` is about to upload. Good for a week. Two writes.
    pub async fn new_media(&self, owner: UserId, kind: MediaKind) -> Result<MediaId, Refusal> {
        let id = MediaId::fresh(&self.system, kind.extension());
        self.own(owner, std::slice::from_ref(&id), MediaStatus::Waiting).await?;
        Ok(id)
    }

    /// That what is about to be published are files of a user's, which the server has made. Two writes each.
    pub async fn own_files(&self, owner: UserId, ids: &[MediaId]) -> Result<(), Refusal> {
        self.own(owner, ids, MediaStatus::Checked).await
    }

    /// Lists files among their owner's, so that whoever leaves finds them, and makes their records.
    async fn own(&self, owner: UserId, ids: &[MediaId], standing: MediaStatus) -> Result<(), Refusal> {
        let mut puts = vec![];
        for id in ids {
            puts.push(put_request(whole(keys::user_media(owner, id), &MediaEntry { media: id.clone() })?)?);
            puts.push(put_request(whole(keys::media(owner, id), &self.media_record(owner, id.clone(), standing))?)?);
        }
        self.write_all(puts).await
    }

    fn media_record(&self, owner: UserId, id: MediaId, standing: MediaStatus) -> MediaRecord {
        let expires_at = Some(self.unused_until());
        MediaRecord { id, owner, standing, whole_seconds: None, counted: 0, used_in: BTreeSet::new(), expires_at }
    }

    /// In seconds: what nothing uses from now on.
    fn unused_until(&self) -> u64 {
        (self.system.now() + LIFE) / 1000
    }

    /// What is known of these files of a user's, in no order; of those that nobody named, or whose time is over, nothing.
    /// One round.
    pub async fn media_of(&self, owner: UserId, ids: &[MediaId]) -> Result<Vec<MediaRecord>, Refusal> {
        let records = self.get_each::<_, MediaRecord>(ids, |id| keys::media(owner, id)).await?;
        let now = self.system.now();
        Ok(records.into_values().filter(|record| record.lasts(now)).collect())
    }

    /// What is known of a file by its id alone. One query.
    pub async fn media(&self, id: &MediaId) -> Result<Option<MediaRecord>, Refusal> {
        let found: Option<MediaRecord> = self.items(Range::new(keys::medias(id), ""), Page::first(1)).await?.pop();
        Ok(found.filter(|record| record.lasts(self.system.now())))
    }

    /// Whether a file has a record still: were it over, somebody may use it this moment.
    pub async fn is_media_known(&self, owner: UserId, id: &MediaId) -> Result<bool, Refusal> {
        Ok(self.get::<IgnoredAny>(keys::media(owner, id)).await?.is_some())
    }

    /// It was found good, unless it was found bad before. Gives how it stands now; a repeat changes nothing. One write.
    pub async fn media_checked(
        &self,
        id: &MediaId,
        owner: UserId,
        whole_seconds: Option<u64>,
    ) -> Result<MediaStatus, Refusal> {
        let length = whole_seconds.map_or(AttributeValue::Null(true), number);
        let change = "SET standing = :found, whole_seconds = :length";
        let update = Action::update(keys::media(owner, id), change).with(":found", text("checked"));
        self.settle_media(MediaStatus::Checked, update.with(":length", length)).await
    }

    /// That what is about to be published will be a picture in a gallery, which leads to it from then on. One write.
    pub async fn own_picture_file(&self, owner: UserId, id: &MediaId) -> Result<(), Refusal> {
        self.put(keys::media(owner, id), &self.media_record(owner, id.clone(), MediaStatus::Checked)).await
    }

    /// A file comes into use, and stays as long as it is.
    pub(super) fn use_media(&self, owner: UserId, id: &MediaId, by: &str) -> Action {
        let full = Refusal::Conflict(words!(
            "an image is in 100 articles, which is the most, or has just been deleted: upload it again",
            "图片已用于 100 篇文章（上限），或刚被删除，请重新上传"
        ));
        // What has ended may go at any moment.
        let kept = "attribute_exists(pk) AND (attribute_not_exists(expires_at) OR expires_at > :now) \
            AND (attribute_not_exists(used_in) OR size(used_in) < :most)";
        Action::update(keys::media(owner, id), "ADD used_in :by REMOVE expires_at")
            .when(kept)
            .with(":by", set(by))
            .with(":most", number(MOST_USES))
            .with(":now", number(self.system.now() / 1000))
            .or_refuse(full)
    }

    /// A file is used no more by these; where nothing else uses it, its time begins to run. `None` where it was not.
    pub(super) fn release_media(&self, record: &MediaRecord, by: &BTreeSet<String>) -> Option<Action> {
        let gone: Vec<_> = record.used_in.intersection(by).cloned().collect();
        let is_last = gone.len() == record.used_in.len();
        let key = keys::media(record.owner, &record.id);
        let end = match is_last {
            true => {
                Action::update(key, "REMOVE used_in SET expires_at = :end").with(":end", number(self.unused_until()))
            }
            false => Action::update(key, "DELETE used_in :gone").with(":gone", set_of(gone.iter().cloned())),
        };
        let seen = set_of(record.used_in.iter().cloned());
        (!gone.is_empty()).then(|| end.when("used_in = :seen").with(":seen", seen).or_again())
    }

    /// Some of a user's files. One query.
    pub async fn files_of(&self, owner: UserId, most: usize) -> Result<Vec<MediaId>, Refusal> {
        let range = Range::new(keys::user(owner), keys::USER_MEDIA);
        let entries: Vec<MediaEntry> = self.items(range, Page::first(most)).await?;
        Ok(entries.into_iter().map(|entry| entry.media).collect())
    }

    /// What was known of files whose objects are gone, each once and with whose it was.
    pub async fn forget_files(&self, files: &[(UserId, MediaId)]) -> Result<(), Refusal> {
        self.delete_all(files.iter().map(|(owner, id)| keys::media(*owner, id))).await?;
        self.delete_all(files.iter().map(|(owner, id)| keys::user_media(*owner, id))).await
    }

    /// It was found bad in this way, unless it was found good before. Gives how it stands now; a repeat changes nothing.
    pub async fn media_refused(&self, id: &MediaId, owner: UserId, bad: MediaStatus) -> Result<MediaStatus, Refusal> {
        let found = to_attribute_value(bad).map_err(unreadable)?;
        let update = Action::update(keys::media(owner, id), "SET standing = :found").with(":found", found);
        self.settle_media(bad, update).await
    }

    async fn settle_media(&self, standing: MediaStatus, update: Action) -> Result<MediaStatus, Refusal> {
        match self.change(update.when("standing = :waiting").with(":waiting", text("waiting"))).await? {
            Outcome::Done(_) => Ok(standing),
            // Its time ended meanwhile: nobody can use it any more.
            Outcome::Refused(item) if item.is_empty() => Ok(MediaStatus::Refused),
            Outcome::Refused(item) => Ok(read::<MediaRecord>(item)?.standing),
        }
    }
}
