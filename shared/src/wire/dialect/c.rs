//! Document C: form, multipart or JSON bodies, the token in `Authorization`, answers `{code, msg, data}`.
use std::marker::PhantomData;

use schemars::Schema;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Body, Dialect};

/// `C` where the document shows `"code": "000000"`, `C<Number>` where it shows `"code": 1000`.
pub struct C<Code = Text>(PhantomData<Code>);
pub struct Text;
pub struct Number;

/// The JSON type of `code`, which a refusal keeps.
pub trait Code: 'static {
    const SUCCESS: &'static str;
    const REFUSAL: &'static str;
    fn success() -> Value;
    fn refusal(code: u16) -> Value;
}

impl Code for Text {
    const SUCCESS: &'static str = "success";
    const REFUSAL: &'static str = "C-refusal";
    fn success() -> Value {
        "000000".into()
    }
    fn refusal(code: u16) -> Value {
        code.to_string().into()
    }
}

impl Code for Number {
    const SUCCESS: &'static str = "succ";
    const REFUSAL: &'static str = "C-refusal-with-number";
    fn success() -> Value {
        1000.into()
    }
    fn refusal(code: u16) -> Value {
        code.into()
    }
}

#[derive(Serialize)]
struct Envelope<'a, T> {
    code: Value,
    msg: &'a str,
    data: T,
}

impl<K: Code> Dialect for C<K> {
    const DOCUMENT: &'static str = "C";

    fn answer<T: Serialize>(data: T) -> Body {
        serde_json::to_vec(&Envelope { code: K::success(), msg: K::SUCCESS, data })
    }

    fn refuse(code: u16, msg: &str) -> Body {
        serde_json::to_vec(&Envelope { code: K::refusal(code), msg, data: json!({}) })
    }

    const BODIES: &'static [&'static str] =
        &["application/x-www-form-urlencoded", "multipart/form-data", "application/json"];

    fn envelope(response: Schema) -> Value {
        json!({"type": "object", "required": ["code", "msg", "data"], "properties": {
            "code": {"const": K::success()}, "msg": {"const": K::SUCCESS}, "data": response,
        }})
    }

    fn refusal() -> (&'static str, Value) {
        let code = K::refusal(3100);
        let schema = json!({"type": "object", "required": ["code", "msg", "data"], "properties": {
            "code": {"type": if code.is_number() { "integer" } else { "string" }, "examples": [code]},
            "msg": {"type": "string", "description": "What to mend.", "examples": ["wrong account or password"]},
            "data": {"const": {}},
        }});
        (K::REFUSAL, schema)
    }
}
