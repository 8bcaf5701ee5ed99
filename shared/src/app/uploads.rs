//! What users upload past the functions: known to the table, and there in the bucket.
use std::collections::BTreeSet;

use futures_util::future::try_join_all;

use super::App;
use crate::{
    domain::{MediaClass, MediaId, Refusal, UploadFault, UserId},
    store::MediaStatus,
    words,
};

impl App {
    /// That all of these are uploads of this owner and class, each checked or at least there. `field` is their name in
    /// the request. One round, and one more where some wait for their check.
    pub async fn own_media(
        &self,
        owner: UserId,
        ids: &[MediaId],
        class: MediaClass,
        field: &'static str,
    ) -> Result<(), Refusal> {
        if ids.is_empty() {
            return Ok(());
        }
        // Somebody else's is refused in the same words as one that nobody has.
        let refusal = || {
            let what = match class {
                MediaClass::Image => words!("an image", "图片"),
                MediaClass::Audio => words!("an audio file", "音频"),
                MediaClass::Video => words!("a video", "视频"),
            };
            let words = words!(
                "not {what} that you have uploaded: ask get_media_id for an id, PUT the file to its upload_url, then send \
                    the id",
                "不是你上传的{what:#}：先用 get_media_id 获取 id，把文件 PUT 到 upload_url，再发送 id",
                what = what
            );
            Refusal::malformed(field, words)
        };
        let fault = |standing| match (standing, class) {
            (MediaStatus::TooLarge, MediaClass::Image) => Some(UploadFault::TooLarge),
            (MediaStatus::CutOff, MediaClass::Image) => Some(UploadFault::PictureCutOff),
            (MediaStatus::Refused, MediaClass::Image) => Some(UploadFault::NoPicture),
            (MediaStatus::TooLarge, _) => Some(UploadFault::RecordingTooLarge),
            (MediaStatus::CutOff, _) => Some(UploadFault::RecordingCutOff),
            (MediaStatus::Refused, _) => Some(UploadFault::NoRecording),
            _ => None,
        };
        // Nor is the table asked for what cannot be an id.
        let fits = |id: &MediaId| MediaId::parse(&id.0)?.kind().filter(|kind| kind.class() == class);
        if !ids.iter().all(|id| fits(id).is_some()) {
            return Err(refusal());
        }
        let standings = async || {
            let records = self.store.media_of(owner, ids).await?;
            let of = |id: &MediaId| records.iter().find(|record| record.id == *id);
            let standing = |id: &MediaId| of(id).map(|record| record.standing);
            let standings = ids.iter().map(standing).collect::<Option<Vec<_>>>().ok_or_else(refusal)?;
            if standings.contains(&MediaStatus::OverQuota) {
                let what = words!(
                    "it came when you had uploaded as much as a day may bring: upload it again tomorrow",
                    "上传时已超出当天的上传总量，请明天重新上传"
                );
                return Err(Refusal::TooMany(what.about(field)));
            }
            match standings.iter().find_map(|standing| fault(*standing)) {
                Some(fault) => Err(Refusal::Upload(field, fault)),
                None => Ok(standings),
            }
        };
        let waiting = ids.iter().zip(standings().await?).filter(|(_, standing)| *standing == MediaStatus::Waiting);
        let uploads = try_join_all(waiting.map(|(id, _)| self.media().upload(id))).await?;
        if uploads.iter().all(Option::is_some) {
            return Ok(());
        }
        // What is not there any more may have been checked just now.
        match standings().await?.contains(&MediaStatus::Waiting) {
            true => Err(refusal()),
            false => Ok(()),
        }
    }

    /// Behind records that went, or may have gone: takes their files away, for nothing can use them any more. Up to 500
    /// files, each with whose it was: a read where the record is there; else one request to the object store for all, and
    /// the writes of [`Store::forget_files`].
    ///
    /// [`Store::forget_files`]: crate::store::Store::forget_files
    pub async fn follow_up_files(&self, files: &BTreeSet<(UserId, MediaId)>) -> Result<(), Refusal> {
        let known = files.iter().map(|(owner, id)| self.store.is_media_known(*owner, id));
        let known = try_join_all(known).await?;
        let gone: Vec<_> = files.iter().zip(known).filter(|(_, known)| !known).map(|(file, _)| file.clone()).collect();
        if gone.is_empty() {
            // Nor is the object store's client made, which most batches do not need.
            return Ok(());
        }
        let ids: Vec<MediaId> = gone.iter().map(|(_, id)| id.clone()).collect();
        self.media().withdraw_all(&ids).await?;
        self.store.forget_files(&gone).await
    }
}
