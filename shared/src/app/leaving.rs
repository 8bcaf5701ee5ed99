//! Users who leave: what they left in the table and in the bucket goes.
use super::App;
use crate::{
    domain::{Millis, Refusal, UserId},
    store::Trace,
};

/// Objects that one request takes away.
const FILES_AT_ONCE: usize = 100;

impl App {
    /// Takes away what a user who has left leaves behind, from wherever that stands, until a moment; `true` where nothing
    /// is left but the books.
    pub async fn erase(&self, user: UserId, until: Millis) -> Result<bool, Refusal> {
        // Should leaving have broken off before.
        self.store.end_follows(user).await?;
        let is_settled = self.store.let_orders_go(user).await?;
        for trace in Trace::ALL {
            while self.erase_some(user, trace).await? {
                if self.system.now() >= until {
                    return Ok(false);
                }
            }
        }
        Ok(is_settled)
    }

    async fn erase_some(&self, user: UserId, trace: Trace) -> Result<bool, Refusal> {
        match trace {
            Trace::Galleries => match self.store.gallery_left(user).await? {
                Some(gallery) => self.delete_gallery(user, gallery).await.map(|()| true),
                None => Ok(false),
            },
            Trace::Files => {
                let files = self.store.files_of(user, FILES_AT_ONCE).await?;
                // The objects go first: what ends half way is found again.
                self.media().withdraw_all(&files).await?;
                let files: Vec<_> = files.into_iter().map(|id| (user, id)).collect();
                self.store.forget_files(&files).await?;
                Ok(!files.is_empty())
            }
            Trace::Export => match self.store.forgotten_export(user).await? {
                Some(name) => {
                    self.media().drop_export(&name).await?;
                    self.store.forget_export(user).await.map(|()| true)
                }
                None => Ok(false),
            },
            _ => self.store.erase_some(user, trace).await,
        }
    }
}
