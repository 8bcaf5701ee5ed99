use shared::wire::{
    dialect::D,
    operation::*,
    values::{NamedUser, Prose},
};

use crate::shown::SentMessage;

/// Write to another user (document D). At most 60 messages a minute, to whomever.
#[derive(Deserialize, JsonSchema)]
pub struct SendMessageToUser {
    to_uid: NamedUser,
    /// 1 to 2,000 characters.
    content: Prose<1, 2_000>,
}

impl Operation for SendMessageToUser {
    type Dialect = D;
    type Caller = SignedIn;
    type Response = SentMessage;
    const ROUTE: Route = Route::post("/send_message_to_user");
    const LIMIT: Option<Limit> = Some(Limit::Messages);

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<SentMessage, Refusal> {
        if self.to_uid.0 == caller {
            return Err(Refusal::malformed("to_uid", words!("nobody writes to themself", "不能给自己发消息")));
        }
        Ok(app.store.send_message(caller, self.to_uid.0.into(), &self.content.0).await?.into())
    }
}
