use shared::wire::{dialect::D, operation::*, values::MasterHex};

/// Follow a master: their projects and tickets come into the caller's lists (document D).
///
/// May be repeated. At most 10,000 masters. What is there already comes within seconds, too.
#[derive(Deserialize, JsonSchema)]
pub struct MasterFollow {
    master_id: MasterHex,
}

impl Operation for MasterFollow {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/master_follow");
    const LIMIT: Option<Limit> = Some(Limit::Follows);

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        app.store.follow(caller, self.master_id.0).await?;
        Ok(Done {})
    }
}
