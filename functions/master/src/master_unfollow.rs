use shared::wire::{dialect::D, operation::*, values::MasterHex};

/// Unfollow a master (document D). One whom the caller does not follow is fine.
#[derive(Deserialize, JsonSchema)]
pub struct MasterUnfollow {
    master_id: MasterHex,
}

impl Operation for MasterUnfollow {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/master_unfollow");

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        app.store.unfollow(caller, self.master_id.0).await?;
        Ok(Done {})
    }
}
