//! `events/<function>/<operation>.json`: what API Gateway sends a function, against a freshly started Plaza; and
//! beside it `<operation>.answer.json`: what is answered. Both `sam local invoke` and the tests read them.
use std::{
    fs,
    path::{Path, PathBuf},
};

use lambda_http::{Request, request::LambdaRequest};
use serde_json::{Map, Value, json};

/// In an expected answer: whatever it is, but not null.
pub const ANY: &str = "*";

/// Where the bundle is.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate lies in the bundle")
}

/// The event of an operation, there or not.
pub fn path(function: &str, operation: &str) -> PathBuf {
    root().join(format!("events/{function}/{operation}.json"))
}

/// Its answer, there or not.
pub fn answer_path(function: &str, operation: &str) -> PathBuf {
    path(function, operation).with_extension("answer.json")
}

/// Reads an event or an answer; the error names the file.
pub fn load(path: &Path) -> Result<Value, String> {
    let name = path.strip_prefix(root()).unwrap_or(path).display();
    let text = fs::read(path).map_err(|error| format!("{name}: {error}"))?;
    serde_json::from_slice(&text).map_err(|error| format!("{name}: not JSON: {error}"))
}

/// The request that a function makes of an event; the error says what `lambda_http` cannot read.
pub fn request(event: &Value) -> Result<Request, String> {
    let request: LambdaRequest = serde_json::from_value(event.clone()).map_err(|error| error.to_string())?;
    Ok(request.into())
}

/// An event's parameters as the reference shows them: of the path, of the query, of a JSON body or a form. None of
/// files.
pub fn example(event: &Value) -> Map<String, Value> {
    let Ok(request) = request(event) else { return Map::new() };
    let body: &[u8] = request.body();
    let pairs = |text: &[u8]| {
        let pairs = form_urlencoded::parse(text).into_owned();
        pairs.map(|(name, value)| (name, value.into())).collect::<Map<_, _>>()
    };
    let kind = request.headers().get("content-type").and_then(|kind| kind.to_str().ok()?.split(';').next());
    let mut example = match kind {
        Some("application/json") => serde_json::from_slice(body).unwrap_or_default(),
        Some("application/x-www-form-urlencoded") => pairs(body),
        _ => Map::new(),
    };
    example.extend(event["pathParameters"].as_object().cloned().unwrap_or_default());
    example.extend(pairs(event["rawQueryString"].as_str().unwrap_or_default().as_bytes()));
    example
}

/// What a function answers its runtime, as answer files have it: of HTTP status and JSON body.
pub fn answer(response: &Value) -> Value {
    if !response["statusCode"].is_number() {
        return response.clone();
    }
    let body = response["body"].as_str().unwrap_or_default();
    json!({
        "statusCode": response["statusCode"],
        "body": serde_json::from_str(body).unwrap_or(Value::String(body.into())),
    })
}

/// Where `actual` is not as `expected`; [`ANY`] stands for any value that is not null. Each difference begins with
/// its path.
pub fn differences(expected: &Value, actual: &Value) -> Vec<String> {
    let mut found = vec![];
    compare("answer", expected, actual, &mut found);
    found
}

fn compare(path: &str, expected: &Value, actual: &Value, found: &mut Vec<String>) {
    match (expected, actual) {
        (Value::String(any), Value::Null) if any == ANY => found.push(format!("{path}: is null, not any value")),
        (Value::String(any), _) if any == ANY => {}
        (Value::Object(expected), Value::Object(actual)) => {
            for (name, expected) in expected {
                match actual.get(name) {
                    Some(actual) => compare(&format!("{path}.{name}"), expected, actual, found),
                    None => found.push(format!("{path}.{name}: is missing")),
                }
            }
            let surplus = actual.keys().filter(|name| !expected.contains_key(*name));
            found.extend(surplus.map(|name| format!("{path}.{name}: is not expected")));
        }
        (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => {
            for (at, (expected, actual)) in expected.iter().zip(actual).enumerate() {
                compare(&format!("{path}[{at}]"), expected, actual, found);
            }
        }
        _ if expected == actual => {}
        _ => found.push(format!("{path}: is {actual}, not {expected}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_name_their_path() {
        let expected = json!({"a": "*", "b": [1, {"c": "*"}], "d": null, "e": 1});
        assert_eq!(differences(&expected, &json!({"a": 0, "b": [1, {"c": {}}], "d": null, "e": 1})), [""; 0]);
        assert_eq!(
            differences(&expected, &json!({"a": null, "b": [2, {"c": 1}], "d": {}, "f": 1})),
            [
                "answer.a: is null, not any value",
                "answer.b[0]: is 2, not 1",
                "answer.d: is {}, not null",
                "answer.e: is missing",
                "answer.f: is not expected",
            ]
        );
        assert_eq!(differences(&json!([1]), &json!([])), ["answer: is [], not [1]"]);
    }
}
