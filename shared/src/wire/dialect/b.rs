//! Document B: REST with bare JSON objects; a device or a token signs in; refusals are `{code, msg}`.
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, request::Parts};
use schemars::Schema;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Body, Credentials, Dialect, Fields, header_token};
use crate::{
    domain::{DeviceId, Refusal},
    words,
};

pub struct B;

impl Dialect for B {
    const DOCUMENT: &'static str = "B";
    const FOUR_DIGITS: StatusCode = StatusCode::BAD_REQUEST;

    /// A DELETE's fields are its query where it has no body: not every client can send one.
    async fn read(head: &Parts, body: Bytes) -> Result<(Credentials, Fields), Refusal> {
        let device = match header(&head.headers, "x-device-id") {
            Some(id) => Some(DeviceId::parse(id).ok_or_else(|| {
                let words = words!("send 16 to 128 letters, digits, - or _", "应为 16 至 128 个字母、数字、- 或 _");
                Refusal::malformed("X-Device-Id", words)
            })?),
            None => None,
        };
        let app_version = header(&head.headers, "x-app-version").map(str::to_owned);
        let token = header_token(&head.headers);
        let credentials = Credentials { token, device, app_version, ..Credentials::default() };
        let fields = match head.method {
            Method::GET => Fields::query(head)?,
            Method::DELETE => match Fields::any(&head.headers, body).await? {
                fields if fields.is_empty() => Fields::query(head)?,
                fields => fields,
            },
            _ => Fields::any(&head.headers, body).await?,
        };
        Ok((credentials, fields))
    }

    fn answer<T: Serialize>(response: T) -> Body {
        serde_json::to_vec(&response)
    }

    fn refuse(code: u16, msg: &str) -> Body {
        serde_json::to_vec(&json!({"code": code, "msg": msg}))
    }

    const BODIES: &'static [&'static str] =
        &["application/json", "application/x-www-form-urlencoded", "multipart/form-data"];
    const DEVICES: bool = true;

    fn envelope(response: Schema) -> Value {
        response.to_value()
    }

    fn refusal() -> (&'static str, Value) {
        let schema = json!({"type": "object", "required": ["code", "msg"], "properties": {
            "code": {"type": "integer", "minimum": 400, "examples": [1001]},
            "msg": {"type": "string", "description": "What to mend.", "examples": ["no such registered user"]},
        }});
        ("B-refusal", schema)
    }
}

/// A header's text; one that is no text is as good as none.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim).filter(|text| !text.is_empty())
}
