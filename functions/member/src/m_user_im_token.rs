use shared::wire::{dialect::B, operation::*};

/// Get a fresh key to the messaging service (document B).
#[derive(Deserialize, JsonSchema)]
pub struct MUserImToken {}

#[derive(Serialize, JsonSchema)]
pub struct ImToken {
    /// A JWT of audience `im`, for 24 hours; its subject is the user's id.
    im_token: String,
}

impl Operation for MUserImToken {
    type Dialect = B;
    type Caller = Reader;
    type Response = ImToken;
    const ROUTE: Route = Route::get("/m_user/im_token");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<ImToken, Refusal> {
        Ok(ImToken { im_token: app.im_key()?.sign(caller, app.system.now())? })
    }
}
