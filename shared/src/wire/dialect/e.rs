//! Document E: JSON, form or multipart bodies, the token in `Authorization`, answers `{code, msg, result}`.
use schemars::Schema;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Body, Dialect};

pub struct E;

#[derive(Serialize)]
struct Envelope<'a, T> {
    code: u16,
    msg: &'a str,
    result: T,
}

impl Dialect for E {
    const DOCUMENT: &'static str = "E";

    fn answer<T: Serialize>(result: T) -> Body {
        serde_json::to_vec(&Envelope { code: 0, msg: "", result })
    }

    fn refuse(code: u16, msg: &str) -> Body {
        serde_json::to_vec(&Envelope { code, msg, result: "" })
    }

    const BODIES: &'static [&'static str] =
        &["application/json", "application/x-www-form-urlencoded", "multipart/form-data"];

    fn envelope(response: Schema) -> Value {
        json!({"type": "object", "required": ["code", "msg", "result"], "properties": {
            "code": {"const": 0}, "msg": {"const": ""}, "result": response,
        }})
    }

    fn refusal() -> (&'static str, Value) {
        let schema = json!({"type": "object", "required": ["code", "msg", "result"], "properties": {
            "code": {"type": "integer", "minimum": 400, "examples": [3100]},
            "msg": {"type": "string", "description": "What to mend.", "examples": ["wrong account or password"]},
            "result": {"const": ""},
        }});
        ("E-refusal", schema)
    }
}
