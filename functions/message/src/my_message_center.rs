use shared::{
    store::{Conversation, OtherSide},
    wire::{
        dialect::D,
        masters::MasterCard,
        merchants::MerchantCard,
        operation::*,
        users::UserBrief,
        values::{MasterHex, MerchantHex, Page, UserHex},
    },
};

use crate::shown::ShownMessage;

/// Read the caller's conversations, each with its newest message and the other side, the newest first (document D).
#[derive(Deserialize, JsonSchema)]
pub struct MyMessageCenter {
    #[schemars(flatten)]
    page: Page<100>,
}

#[derive(Serialize, JsonSchema)]
pub struct ShownConversation {
    #[serde(flatten)]
    with: With,
    last_message: ShownMessage,
}

/// Whom it is with; what is known of them is null where they are gone.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
enum With {
    Master { master_id: MasterHex, master: Option<MasterCard> },
    Merchant { merchant_id: MerchantHex, merchant: Option<MerchantCard> },
    User { uid: UserHex, user: Option<UserBrief> },
    CustomerService {},
}

impl From<OtherSide> for With {
    fn from(side: OtherSide) -> Self {
        match side {
            OtherSide::Master(id, master) => {
                Self::Master { master_id: MasterHex(id), master: master.map(|master| (*master).into()) }
            }
            OtherSide::Merchant(id, merchant) => {
                Self::Merchant { merchant_id: MerchantHex(id), merchant: merchant.map(|merchant| (*merchant).into()) }
            }
            OtherSide::User(id, user) => Self::User { uid: UserHex(id), user: user.map(|user| (*user).into()) },
            OtherSide::CustomerService => Self::CustomerService {},
        }
    }
}

impl Operation for MyMessageCenter {
    type Dialect = D;
    type Caller = Reader;
    type Response = Named<Self, Vec<ShownConversation>>;
    const ROUTE: Route = Route::post("/my_message_center");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Self::Response, Refusal> {
        let conversations = app.store.conversations(caller, self.page.of()).await?;
        let shown = |Conversation { with, last }| {
            let last_message = ShownMessage::new(last, &with);
            ShownConversation { with: with.into(), last_message }
        };
        Ok(Named::new(conversations.into_iter().map(shown).collect()))
    }
}
