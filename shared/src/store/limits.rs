//! What one user does only so often: an item an hour and one a day hold the counts, and end by themselves.
use super::{
    keys,
    media::{MediaRecord, MediaStatus},
    table::{Action, Item, Outcome, Store, number, read, unreadable},
};
use crate::{
    domain::{DAY, Limit, MINUTE, Millis, Refusal, UserId, Words},
    words,
};

impl Store {
    /// Counts one more before it is done, so that nothing done in parallel gains more: 429 where it is too often. One
    /// write. (A try whose answer is lost may count twice.)
    pub async fn count(&self, user: UserId, limit: Limit) -> Result<(), Refusal> {
        let (what, most, span) = limit.of();
        let now = self.system.now();
        let count = format!("{what}_done");
        let under = format!("(attribute_not_exists({count}) OR {count} < :most)");
        let update = Action::update(keys::done(user, now, span), format!("ADD {count} :one SET expires_at = :end"));
        let update = update.with(":one", number(1)).with(":end", number(kept_until(now, span) / 1000));
        let (update, most) = match limit {
            Limit::Uploads => {
                let room = format!("{under} AND (attribute_not_exists(upload_bytes) OR upload_bytes < :bytes)");
                (update.when(room).with(":bytes", number(self.uploads.bytes)), self.uploads.files)
            }
            _ => (update.when(under), most),
        };
        match self.change(update.with(":most", number(most))).await? {
            Outcome::Done(_) => Ok(()),
            Outcome::Refused(_) => Err(too_often(&limit.words_with(most), now, span)),
        }
    }

    /// It was not this user who was counted.
    pub async fn uncount(&self, user: UserId, limit: Limit) -> Result<(), Refusal> {
        let (what, _, span) = limit.of();
        let key = keys::done(user, self.system.now(), span);
        self.change(Action::add(key, &format!("{what}_done"), -1)).await.map(drop)
    }

    /// Counts an upload's bytes for its owner's day, once: where it was written anew before it was settled, by as much
    /// as it has grown. 429 where the day has no room for it, and nothing is counted. One transaction.
    pub async fn count_upload(&self, upload: &MediaRecord, bytes: u64) -> Result<(), Refusal> {
        let build = |found: Option<Item>| async move {
            let counted = match found {
                None => upload.counted,
                // Its day is over.
                Some(item) if item.is_empty() => return Ok((vec![], ())),
                Some(item) => match read::<MediaRecord>(item)? {
                    MediaRecord { standing: MediaStatus::Waiting, counted, .. } => counted,
                    _ => return Ok((vec![], ())),
                },
            };
            let (now, more) = (self.system.now(), bytes.saturating_sub(counted));
            if more == 0 {
                return Ok((vec![], ()));
            }
            let mib = self.uploads.bytes >> 20;
            let most = words!("{mib} MiB of uploads a day", "每天最多上传 {mib} MiB", mib = mib);
            let full = too_often(&most, now, DAY);
            let Some(room) = self.uploads.bytes.checked_sub(more) else { return Err(full) };
            let once = Action::update(keys::media(upload.owner, &upload.id), "SET counted = :bytes")
                .when("standing = :waiting AND (attribute_not_exists(counted) OR counted = :counted)")
                .with(":bytes", number(bytes))
                .with(":counted", number(counted))
                .with(":waiting", serde_dynamo::to_attribute_value(MediaStatus::Waiting).map_err(unreadable)?);
            let day =
                Action::update(keys::done(upload.owner, now, DAY), "ADD upload_bytes :more SET expires_at = :end");
            let day = day
                .when("attribute_not_exists(upload_bytes) OR upload_bytes <= :room")
                .with(":more", number(more))
                .with(":room", number(room))
                .with(":end", number(kept_until(now, DAY) / 1000));
            Ok((vec![once.or_look(), day.or_refuse(full)], ()))
        };
        self.transact(build).await
    }
}

/// When an hour or a day ends.
fn end_of(now: Millis, span: Millis) -> Millis {
    now - now % span + span
}

/// Until when its counts are kept.
fn kept_until(now: Millis, span: Millis) -> Millis {
    end_of(now, span) + span
}

fn too_often(most: &Words, now: Millis, span: Millis) -> Refusal {
    let minutes = (end_of(now, span) - now).div_ceil(MINUTE);
    Refusal::TooMany(words!(
        "at most {most}: try again in {minutes} min",
        "{most:#}，请 {minutes} 分钟后再试",
        most = most,
        minutes = minutes
    ))
}
