//! Messages as document D shows them.
use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use shared::{
    domain::{MessageId, Side},
    store::{Message, OtherSide},
    wire::values::{MasterHex, MerchantHex, MessageNumber, UserHex},
};

/// What customer service is called where others have an id.
pub const CUSTOMER_SERVICE: &str = "customer_service";

/// Whoever writes, or is written to: their id, or `customer_service`.
pub struct SideId(pub Side);

impl Serialize for SideId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Side::User(id) => UserHex(id).serialize(to),
            Side::Master(id) => MasterHex(id).serialize(to),
            Side::Merchant(id) => MerchantHex(id).serialize(to),
            Side::CustomerService => to.serialize_str(CUSTOMER_SERVICE),
        }
    }
}

impl JsonSchema for SideId {
    fn schema_name() -> Cow<'static, str> {
        "SideId".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^([0-9a-f]{32}|customer_service)$",
            "description": "A user's, a master's or a merchant's id, or `customer_service`.",
            "examples": ["ef1b95c82f4b47c2841d9c0c095a558b"],
        })
    }
}

/// A message.
#[derive(Serialize, JsonSchema)]
pub struct ShownMessage {
    message_id: MessageNumber,
    /// Who wrote it; null where they are gone.
    from_id: Option<SideId>,
    to_id: SideId,
    content: String,
    /// Milliseconds since 1970.
    created_at: u64,
}

impl ShownMessage {
    /// A message of a conversation with somebody.
    pub fn new(message: Message, with: &OtherSide) -> Self {
        let is_from_nobody = with.is_gone() && message.from == with.side();
        Self {
            message_id: MessageNumber(message.id),
            from_id: (!is_from_nobody).then_some(SideId(message.from)),
            to_id: SideId(message.to),
            content: message.content,
            created_at: message.id.made_at(),
        }
    }
}

/// A message that was just sent.
#[derive(Serialize, JsonSchema)]
pub struct SentMessage {
    message_id: MessageNumber,
    /// Milliseconds since 1970.
    created_at: u64,
}

impl From<MessageId> for SentMessage {
    fn from(id: MessageId) -> Self {
        Self { message_id: MessageNumber(id), created_at: id.made_at() }
    }
}
