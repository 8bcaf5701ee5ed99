//! Document A: reads are GETs with a query, answers are `{code, msg, format_msg, data}`. What we add for writing takes
//! form, multipart or JSON bodies and the token in `Authorization`.
use schemars::Schema;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Body, Dialect};

pub struct A;

#[derive(Serialize)]
struct Envelope<'a, T> {
    code: u16,
    msg: &'a str,
    /// The message as a client may show it to people.
    format_msg: &'a str,
    data: T,
}

impl Dialect for A {
    const DOCUMENT: &'static str = "A";

    fn answer<T: Serialize>(data: T) -> Body {
        serde_json::to_vec(&Envelope { code: 0, msg: "", format_msg: "", data })
    }

    fn refuse(code: u16, msg: &str) -> Body {
        serde_json::to_vec(&Envelope { code, msg, format_msg: msg, data: json!({}) })
    }

    const BODIES: &'static [&'static str] =
        &["application/json", "application/x-www-form-urlencoded", "multipart/form-data"];

    fn envelope(response: Schema) -> Value {
        json!({"type": "object", "required": ["code", "msg", "format_msg", "data"], "properties": {
            "code": {"const": 0}, "msg": {"const": ""}, "format_msg": {"const": ""}, "data": response,
        }})
    }

    fn refusal() -> (&'static str, Value) {
        let schema = json!({"type": "object", "required": ["code", "msg", "format_msg", "data"], "properties": {
            "code": {"type": "integer", "minimum": 400, "examples": [404]},
            "msg": {"type": "string", "description": "What to mend.", "examples": ["no such gallery"]},
            "format_msg": {"type": "string", "description": "The same, to be shown."},
            "data": {"const": {}},
        }});
        ("A-refusal", schema)
    }
}
