//! Exports: read from the table, put into the bucket.
use serde_json::json;

use super::App;
use crate::{
    domain::{MediaId, Millis, Refusal},
    store::{Chapter, Exporting, Written},
};

/// What is put at a time: S3 takes no smaller pieces but the last. So much is in memory, whatever a user has.
const PIECE: usize = 5 << 20;
/// What a piece that was begun in time may take beyond it: were it given up at once, who has many small things would
/// begin with it again and again.
const LAST_PIECE: Millis = 5_000;

impl App {
    /// Writes an export on from where it was left, until the first piece that is there after a moment; `true` where it is
    /// ready, or no longer wanted. What breaks off is gone on with behind the last piece.
    pub async fn write_export(&self, exporting: &Exporting, until: Millis) -> Result<bool, Refusal> {
        let user = exporting.user;
        let (profile, export) = tokio::try_join!(self.store.profile(user), self.store.export(user))?;
        let wanted = export.filter(|export| profile.is_some() && !export.is_ready);
        let Some(mut export) = wanted else { return Ok(true) };
        let media = self.media();
        let link = |id: &MediaId| media.url(id);
        let mut text = String::new();
        if export.written == Written::default() {
            let head = json!({"format": "plaza-export-1", "made_at": self.system.now()}).to_string();
            text += head.trim_end_matches('}');
        }
        while let Some(chapter) = Chapter::ALL.get(export.written.chapters) {
            if self.system.now() >= until + LAST_PIECE {
                return Ok(false);
            }
            let written = &mut export.written;
            let (entries, next) = self.store.told(user, *chapter, written.after.clone(), &link).await?;
            if written.after.is_none() {
                text += &format!(",\n\"{}\": [", chapter.name());
            }
            for entry in entries {
                text += if written.has_some { ",\n" } else { "\n" };
                text += &entry.to_string();
                written.has_some = true;
            }
            written.after = next;
            if written.after.is_none() {
                text += "]";
                (written.chapters, written.has_some) = (written.chapters + 1, false);
            }
            if text.len() >= PIECE {
                let upload = match written.upload.take() {
                    Some(upload) => upload,
                    None => media.begin_export(&export.name).await?,
                };
                let number = written.pieces.len() + 1;
                let piece = media.put_piece(&export.name, &upload, number, std::mem::take(&mut text)).await?;
                match piece {
                    Some(piece) => {
                        written.pieces.push(piece);
                        written.upload = Some(upload);
                    }
                    // It was given up, or ended without our hearing of it: from the beginning.
                    None => *written = Written::default(),
                }
                let is_lost = written.upload.is_none();
                if !self.store.keep_export(user, &export).await? {
                    return Ok(true);
                }
                if is_lost || self.system.now() >= until {
                    return Ok(false);
                }
            }
        }
        text += "\n}\n";
        let written = &mut export.written;
        let is_there = match written.upload.take() {
            None => media.put_export(&export.name, text).await.map(|()| true)?,
            Some(upload) => {
                let number = written.pieces.len() + 1;
                match media.put_piece(&export.name, &upload, number, text).await? {
                    Some(piece) => {
                        written.pieces.push(piece);
                        media.end_export(&export.name, &upload, &written.pieces).await?
                    }
                    None => false,
                }
            }
        };
        *written = Written::default();
        export.is_ready = is_there;
        if !self.store.keep_export(user, &export).await? {
            // They have left meanwhile.
            media.drop_export(&export.name).await?;
            return Ok(true);
        }
        Ok(is_there)
    }
}
