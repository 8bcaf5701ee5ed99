//! What a function is sent, and what it says.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::Result;

/// The operation that stands for its function. The others: their first event by name.
///
/// A login's Argon2 is meant to cost what it costs: `--event account=account_login` shows it.
const CHOSEN: [(&str, &str); 7] = [
    ("account", "user_update_info"),
    ("article", "article_list"),
    ("common", "home_banner"),
    ("entry", "user_get_user_info"),
    ("gallery", "user_pic_list"),
    ("member", "m_user_users_homepage"),
    ("user", "my_user_info"),
];

/// Fields that may be used once only, so every request gets its own. The phones are of the form that country 86 has.
const FRESH: [(&str, &str); 1] = [("send_sms_code", "phone")];

pub struct Event {
    /// The file's name without `.json`.
    pub operation: String,
    text: String,
    /// The value that `text` replaces.
    fresh: Option<String>,
}

impl Event {
    /// What the empty function is sent; it does not look at it.
    pub fn empty() -> Self {
        Self { operation: "empty".into(), text: include_str!("empty.json").into(), fresh: None }
    }

    /// Reads `<folder>/<operation>.json`; without a wish the operation that stands for the function.
    pub fn load(folder: &Path, function: &str, wish: Option<&str>) -> Result<Self> {
        let chosen = || CHOSEN.iter().find(|(name, _)| *name == function).map(|(_, operation)| (*operation).to_owned());
        let operation = match wish.map(String::from).or_else(chosen) {
            Some(operation) => operation,
            None => first(folder)?,
        };
        let path = folder.join(format!("{operation}.json"));
        let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        Self::new(operation, text).map_err(|e| format!("{}: {e}", path.display()).into())
    }

    fn new(operation: String, text: String) -> Result<Self> {
        let event: Value = serde_json::from_str(&text)?;
        let fresh = match FRESH.iter().find(|(name, _)| *name == operation) {
            None => None,
            Some((_, field)) => {
                let body: Value = serde_json::from_str(event["body"].as_str().unwrap_or_default())
                    .map_err(|_| format!("the body is not JSON, so every request would carry the same {field}"))?;
                Some(match &body[field] {
                    Value::String(value) => value.clone(),
                    Value::Number(value) => value.to_string(),
                    _ => return Err(format!("the body has no {field}").into()),
                })
            }
        };
        Ok(Self { operation, text, fresh })
    }

    /// The event as the `n`th request carries it.
    pub fn text(&self, n: usize) -> String {
        match &self.fresh {
            Some(value) => self.text.replace(value, &format!("139{n:08}")),
            None => self.text.clone(),
        }
    }
}

fn first(folder: &Path) -> Result<String> {
    let files = fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let names = files.flatten().map(|file| file.file_name().to_string_lossy().into_owned());
    let first = names.filter_map(|name| name.strip_suffix(".json").map(String::from)).min();
    Ok(first.ok_or_else(|| format!("{}: no event there", folder.display()))?)
}

/// An answer in short: `200`, and `, code 1000` where its body is an envelope with a code. An error if the function
/// failed (status 500 and above). The body itself stays unsaid: it may hold a token.
pub fn outcome(answer: &[u8]) -> Result<String> {
    let answer: Value = serde_json::from_slice(answer).map_err(|_| "answered something that is not JSON")?;
    // Not every function answers HTTP: those invoked by a queue or a stream just succeed.
    let Some(status) = answer["statusCode"].as_u64() else {
        return Ok("done".into());
    };
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap_or_default()).unwrap_or_default();
    let code = match &body["code"] {
        Value::Null => String::new(),
        Value::String(code) => format!(", code {code}"),
        code => format!(", code {code}"),
    };
    if status >= 500 {
        return Err(format!("answered {status}{code}").into());
    }
    Ok(format!("{status}{code}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_field_differs_in_every_request() {
        let text = r#"{"body": "{\"country\":86,\"phone\":\"13800138000\"}"}"#;
        let event = Event::new("send_sms_code".into(), text.into()).unwrap();
        assert_eq!(event.text(7), r#"{"body": "{\"country\":86,\"phone\":\"13900000007\"}"}"#);
        assert_eq!(Event::new("user_info".into(), text.into()).unwrap().text(7), text);
        assert!(Event::new("send_sms_code".into(), r#"{"body": "{}"}"#.into()).is_err());
    }

    #[test]
    fn failures_are_no_outcome() {
        let said = |answer: &str| outcome(answer.as_bytes()).map_err(|e| e.to_string());
        assert_eq!(said(r#"{"statusCode":200,"body":"{\"code\":\"000000\"}"}"#).unwrap(), "200, code 000000");
        assert_eq!(said(r#"{"statusCode":429,"body":"{\"code\":429}"}"#).unwrap(), "429, code 429");
        assert_eq!(said(r#"{"statusCode":200,"body":""}"#).unwrap(), "200");
        assert_eq!(said("null").unwrap(), "done");
        assert_eq!(said(r#"{"statusCode":503,"body":"{\"code\":503}"}"#).unwrap_err(), "answered 503, code 503");
        assert_eq!(said("oops").unwrap_err(), "answered something that is not JSON");
    }
}
