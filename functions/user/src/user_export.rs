use shared::{
    store::Export,
    wire::{dialect::D, operation::*, values::Code},
};

use crate::proof::{self, prove};

/// Get all that the caller brought and did, as one JSON file (ours, beside document D).
///
/// The first call has it made, which takes a minute or more: until then the answer is `pending`. Then it is `ready`, and
/// `url` can be fetched for 15 minutes; a later call answers another such URL, for a day in all. The next file can be made
/// when that day is over. A code is used up by the first call and by each URL, not by `pending`. What is in it, says docs/export.md.
#[derive(Deserialize, JsonSchema)]
pub struct UserExport {
    /// The six digits of an SMS to the caller's phone, as `send_sms_code` sends it.
    code: Option<Code>,
    /// In place of `code`, of a caller who has proved no phone. Who has no password either needs none.
    password: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub struct Exported {
    status: ExportStatus,
    /// Where the file is, once it is ready.
    url: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum ExportStatus {
    Pending,
    Ready,
}

impl Operation for UserExport {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Exported;
    const ROUTE: Route = Route::post("/user_export");
    const REFUSES: &'static [Refusal] = proof::REFUSES;

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Exported, Refusal> {
        let code = prove(caller, self.code, self.password, app).await?;
        let pending = Exported { status: ExportStatus::Pending, url: None };
        match app.store.export(caller).await? {
            None => app.store.begin_export(caller, code.as_ref()).await.map_err(Refusal::of("code")).map(|()| pending),
            Some(Export { is_ready: false, .. }) => Ok(pending),
            Some(Export { name, .. }) => {
                app.store.hand_out(code.as_ref()).await.map_err(Refusal::of("code"))?;
                Ok(Exported { status: ExportStatus::Ready, url: Some(app.media().export_url(&name).await?) })
            }
        }
    }
}
