//! Document D: `POST /<name>` with a JSON body that carries `token`; answers are bare objects plus `"code": 0`.
use bytes::Bytes;
use http::request::Parts;
use schemars::Schema;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Body, Credentials, Dialect, Fields, header_token, token};
use crate::domain::Refusal;

pub struct D;

#[derive(Serialize)]
struct Success<T> {
    code: u16,
    #[serde(flatten)]
    response: T,
}

impl Dialect for D {
    const DOCUMENT: &'static str = "D";

    /// JSON whatever the content type says: many clients of such an API leave it out.
    async fn read(head: &Parts, body: Bytes) -> Result<(Credentials, Fields), Refusal> {
        let mut fields = Fields::json(&body)?;
        let token = fields.take_text("token").and_then(|text| token(&text)).or_else(|| header_token(&head.headers));
        // One that is no text is none that may be sent: the caller's type refuses it.
        let idempotency_key =
            head.headers.get("idempotency-key").map(|key| key.to_str().unwrap_or_default().to_owned());
        Ok((Credentials { token, idempotency_key, ..Credentials::default() }, fields))
    }

    fn answer<T: Serialize>(response: T) -> Body {
        serde_json::to_vec(&Success { code: 0, response })
    }

    fn refuse(code: u16, msg: &str) -> Body {
        serde_json::to_vec(&json!({"code": code, "msg": msg}))
    }

    const BODIES: &'static [&'static str] = &["application/json"];
    const TOKEN_IN_BODY: bool = true;

    fn envelope(response: Schema) -> Value {
        let mut schema = response.to_value();
        schema["properties"]["code"] = json!({"const": 0});
        match schema["required"].as_array_mut() {
            Some(required) => required.push("code".into()),
            None => schema["required"] = json!(["code"]),
        }
        schema
    }

    fn refusal() -> (&'static str, Value) {
        let schema = json!({"type": "object", "required": ["code", "msg"], "properties": {
            "code": {"type": "integer", "minimum": 400, "examples": [401]},
            "msg": {"type": "string", "description": "What to mend.", "examples": ["sign in first"]},
        }});
        ("D-refusal", schema)
    }
}
