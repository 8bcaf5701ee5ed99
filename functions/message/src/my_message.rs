use std::borrow::Cow;

use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserializer, de::IntoDeserializer as _};
use shared::{
    domain::{MasterId, MerchantId, Side},
    store::OtherSide,
    wire::{
        dialect::D,
        masters::MasterCard,
        merchants::MerchantCard,
        operation::*,
        users::UserBrief,
        values::{NamedUser, Page, Typed},
    },
};

use crate::shown::{CUSTOMER_SERVICE, ShownMessage};

/// Read a conversation of the caller's, the newest message first, and who is on its other side (document D).
#[derive(Deserialize, JsonSchema)]
pub struct MyMessage {
    to_id: ToId,
    /// As the message center shows it: where operators gave a master and a merchant the same id.
    #[serde(rename = "type")]
    kind: Option<SideKind>,
    #[schemars(flatten)]
    page: Page,
}

/// What the other side is.
#[derive(Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum SideKind {
    Master,
    Merchant,
    User,
    CustomerService,
}

impl SideKind {
    fn of(side: &Side) -> Self {
        match side {
            Side::Master(_) => Self::Master,
            Side::Merchant(_) => Self::Merchant,
            Side::User(_) => Self::User,
            Side::CustomerService => Self::CustomerService,
        }
    }
}

/// Those whom an id may mean: the ids of users, masters and merchants look alike.
struct ToId(Vec<Side>);

impl<'de> Deserialize<'de> for ToId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Typed::deserialize(from)?.0;
        if text == CUSTOMER_SERVICE {
            return Ok(Self(vec![Side::CustomerService]));
        }
        let is_hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let user = NamedUser::deserialize(text.as_str().into_deserializer());
        match u128::from_str_radix(&text, 16) {
            Ok(id) if is_hex => {
                let user = user.ok().filter(|user: &NamedUser| u128::from(user.0.0) == id);
                let others = [Side::Master(MasterId(id)), Side::Merchant(MerchantId(id))];
                Ok(Self(user.map(|user| user.0.into()).into_iter().chain(others).collect()))
            }
            _ => user.map(|user| Self(vec![user.0.into()])),
        }
    }
}

impl JsonSchema for ToId {
    fn schema_name() -> Cow<'static, str> {
        "ToId".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [generator.subschema_for::<NamedUser>(), {"const": CUSTOMER_SERVICE}],
            "description": "A user's, a master's or a merchant's id, or `customer_service`.",
        })
    }
}

#[derive(Serialize, JsonSchema)]
pub struct Messages {
    my_message: Vec<ShownMessage>,
    /// Null where they are gone.
    other_side: Option<ShownSide>,
}

/// Who is on the other side.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ShownSide {
    Master(MasterCard),
    Merchant(MerchantCard),
    User(UserBrief),
    CustomerService {},
}

impl ShownSide {
    fn of(side: OtherSide) -> Option<Self> {
        Some(match side {
            OtherSide::Master(_, master) => Self::Master((*master?).into()),
            OtherSide::Merchant(_, merchant) => Self::Merchant((*merchant?).into()),
            OtherSide::User(_, user) => Self::User((*user?).into()),
            OtherSide::CustomerService => Self::CustomerService {},
        })
    }
}

impl Operation for MyMessage {
    type Dialect = D;
    type Caller = Reader;
    type Response = Messages;
    const ROUTE: Route = Route::post("/my_message");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Messages, Refusal> {
        let mut sides = self.to_id.0;
        sides.retain(|side| self.kind.is_none_or(|kind| kind == SideKind::of(side)));
        let (with, messages) = app.store.messages(caller, &sides, self.page.of()).await?;
        let my_message = messages.into_iter().map(|message| ShownMessage::new(message, &with)).collect();
        Ok(Messages { my_message, other_side: ShownSide::of(with) })
    }
}
