use std::collections::BTreeSet;

use shared::wire::{
    dialect::D,
    operation::*,
    values::{List, MessageNumber},
};

/// Delete messages, at most 100 at a time: they are hidden from the caller alone (document D).
///
/// If one is between others, 404, and none is deleted. One that is gone already is fine.
#[derive(Deserialize, JsonSchema)]
pub struct MessageDel {
    message_id_list: List<MessageNumber, 1, 100>,
}

impl Operation for MessageDel {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/message_del");

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        let ids: BTreeSet<_> = self.message_id_list.0.into_iter().map(|id| id.0).collect();
        app.store.delete_messages(caller, &ids).await?;
        Ok(Done {})
    }
}
