//! Bad input of every kind, to every operation: a clear refusal in the document's own envelope, never a 5xx, and
//! nothing half-stored. What is asked, and how, comes from the OpenAPI document.
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use aws_sdk_dynamodb::types::AttributeValue;
use http::{HeaderValue, Method, Request, StatusCode};
use serde_json::{Map, Value, json};
use shared::wire::operation::Needs;

use crate::support::{Answer, Test};

const PHONE: &str = "13800138001";
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=frontier";
const REGISTER: &str = "/user/register";
const AVATOR: &str = "/user/update_avator";
const INFO: &str = "/user/update_info";
const SMS: &str = "/send_sms_code";

/// Long enough for every honest answer, far too short for a request that hangs.
const PATIENCE: Duration = Duration::from_secs(10);

/// An operation that takes a body.
struct Target {
    name: String,
    method: Method,
    path: String,
    /// The content types of its body.
    kinds: BTreeSet<String>,
    /// The body's fields.
    fields: BTreeMap<String, Value>,
    needs_a_field: bool,
    /// Called by a device that nobody has registered.
    by_device: bool,
    /// The sample event's body: good but for what a test without the sample data does not have.
    good: Map<String, Value>,
    /// The schema of its refusals.
    refusal: Value,
}

impl Target {
    fn is(&self, kind: &str) -> bool {
        self.kinds.contains(kind.split(';').next().unwrap())
    }

    fn texts(&self) -> impl Iterator<Item = &String> {
        let files = |schema: &Value| schema["contentMediaType"].is_string();
        self.fields.iter().filter(move |(_, schema)| !files(schema)).map(|(name, _)| name)
    }

    /// The good body with another value.
    fn with(&self, field: &str, value: Value) -> String {
        let mut body = self.good.clone();
        body.insert(field.to_owned(), value);
        Value::Object(body).to_string()
    }

    /// Whether the answer is a refusal as documented: envelope, code, status, a message.
    #[track_caller]
    fn refused(&self, answer: &Answer, what: &str) {
        let Self { name, refusal, .. } = self;
        let context = || format!("{name}, {what}: {answer:?}");
        let body = answer.body.as_object().unwrap_or_else(|| panic!("{}", context()));
        let properties = refusal["properties"].as_object().unwrap();
        assert_eq!(body.keys().collect::<Vec<_>>(), properties.keys().collect::<Vec<_>>(), "{}", context());
        for (key, schema) in properties {
            let fits = match (&schema["const"], schema["type"].as_str()) {
                (Value::Null, Some("string")) => body[key].is_string(),
                (Value::Null, Some("integer")) => body[key].is_u64(),
                (Value::Null, _) => true,
                (wanted, _) => body[key] == *wanted,
            };
            assert!(fits, "{key} in {}", context());
        }
        match answer.code().parse() {
            Ok(code @ 400..500) => assert_eq!(answer.status.as_u16(), code, "{}", context()),
            Ok(1001..10_000) => assert!([200, 400].contains(&answer.status.as_u16()), "{}", context()),
            _ => panic!("{}", context()),
        }
        let message = answer.body["msg"].as_str().unwrap_or_default();
        assert!(!message.is_empty() && message.len() < 300, "{}", context());
        assert!(answer.headers.contains_key("content-language"), "{}", context());
    }

    #[track_caller]
    fn refused_with(&self, answer: &Answer, code: u16, what: &str) {
        self.refused(answer, what);
        assert_eq!(answer.code(), code.to_string(), "{}, {what}: {answer:?}", self.name);
    }

    /// Done, or refused as documented.
    #[track_caller]
    fn answered(&self, answer: &Answer, what: &str) {
        // Document B has no code where all is well.
        let done = matches!(answer.code().as_str(), "0" | "000000" | "1000" | "null");
        if answer.status != StatusCode::OK || !done {
            self.refused(answer, what);
        }
    }

    /// Refused, or done where nothing that was sent asks for anything.
    #[track_caller]
    fn refused_or_idle(&self, answer: &Answer, what: &str) {
        match self.needs_a_field {
            true => self.refused(answer, what),
            false => self.answered(answer, what),
        }
    }
}

/// A Plaza with a user, and all that takes a body.
struct Hostile {
    test: Test,
    token: String,
    targets: Vec<Target>,
    before: HashMap<String, HashMap<String, AttributeValue>>,
}

impl Hostile {
    async fn start() -> Self {
        let document = local::openapi();
        let test = Test::start().await;
        let (user, token) = test.user(PHONE).await;
        let listed = local::functions().into_iter().flat_map(|(_, operations)| operations);
        let targets: Vec<_> = listed
            .filter_map(|listed| {
                let operation = &document["paths"][listed.path][listed.method.as_str().to_lowercase()];
                assert!(operation.is_object(), "{}", listed.name);
                let content = operation["requestBody"]["content"].as_object()?;
                let body = content.values().next()?;
                let reference = operation["responses"]["4XX"]["$ref"].as_str()?;
                let refusal = document.pointer(reference.strip_prefix('#')?)?["content"][JSON]["schema"].clone();
                let mut good = body["example"].as_object().cloned().unwrap_or_default();
                // The sample user's. Document C has another token: a third party's.
                if listed.name != "account_login" {
                    good.remove("token");
                }
                Some(Target {
                    name: listed.name,
                    method: listed.method,
                    path: listed.path.replace("{user_id}", &user.to_string()),
                    kinds: content.keys().cloned().collect(),
                    fields: body["schema"]["properties"].as_object()?.clone().into_iter().collect(),
                    needs_a_field: body["schema"]["required"].as_array().is_some_and(|list| !list.is_empty()),
                    by_device: listed.needs == Needs::Device,
                    good,
                    refusal,
                })
            })
            .collect();
        assert!(targets.len() >= 5, "the OpenAPI document is read");
        let before = lasting(&test).await;
        Self { test, token, targets, before }
    }

    /// Those that ask for something. What does not, such as a log-out, is simply done.
    fn asking(&self) -> impl Iterator<Item = &Target> {
        self.targets.iter().filter(|target| target.fields.keys().any(|field| field != "token"))
    }

    async fn ask(&self, target: &Target, kind: &str, body: impl Into<bytes::Bytes>) -> Answer {
        let request = Request::builder().method(target.method.clone());
        let request = match target.by_device {
            true => request.header("x-device-id", "a-device-that-nobody-has"),
            false => request.header("authorization", &self.token),
        };
        let request = request.header("content-type", HeaderValue::from_bytes(kind.as_bytes()).unwrap());
        // So that each complaint is seen to have its Chinese; other tests see the English.
        let request = request.header("accept-language", "zh-CN,zh;q=0.9");
        let answer = tokio::time::timeout(PATIENCE, self.test.send(request, &target.path, body)).await;
        answer.unwrap_or_else(|_| panic!("{} does not answer", target.name))
    }

    /// Nothing of it all was stored, and everything still works.
    async fn unharmed(&self) {
        assert_eq!(lasting(&self.test).await, self.before);
        assert_eq!(self.test.objects().await.0, [""; 0]);
        assert_eq!(self.test.json_as(&self.token, INFO, json!({})).await.code(), "000000");
    }
}

/// All items but counters of tries, and what is made without being told anything: ids for uploads, empty reports of
/// where a device is.
async fn lasting(test: &Test) -> HashMap<String, HashMap<String, AttributeValue>> {
    let mut items: HashMap<_, _> = test.items().await.into_iter().collect();
    items.retain(|key, _| !["GUESS#", "M#"].iter().any(|kind| key.starts_with(kind)));
    items.retain(|key, _| !["TRACK#", " / MEDIA#"].iter().any(|kind| key.contains(kind)));
    items.values_mut().for_each(|item| drop(item.remove("code_tries")));
    items
}

fn part(name: &str, value: &[u8]) -> Vec<u8> {
    let head = format!("--frontier\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n");
    [head.as_bytes(), value, b"\r\n"].concat()
}

const END: &[u8] = b"--frontier--\r\n";

#[tokio::test]
async fn malformed_json_is_400() {
    let hostile = Hostile::start().await;
    let deep = ["[", "{\"a\":", "[{\"a\":"].map(|nested| nested.repeat(100_000));
    let closed = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let inside = format!("{{\"a\": {closed}}}");
    let mut bodies: Vec<&[u8]> = vec![
        b"{",
        b"}",
        b"{\"a\"",
        b"{\"a\":}",
        b"{\"a\":1,}",
        b"{'a':1}",
        b"{a:1}",
        b"{\"a\":1}x",
        b"{\"a\":\"\n\"}",
        b"{\"a\":\"\\x\"}",
        b"{\"a\":\"\\ud800\"}",
        b"{\"a\":01}",
        b"{\"a\":NaN}",
        b"{\"a\":1e999}",
        b"{\"a\":\"\xff\"}",
        b"\xef\xbb\xbf",
        b"\0",
        b" ",
        b"not JSON",
        b"<a/>",
        b"[]",
        b"[{}]",
        b"7",
        b"\"text\"",
        b"null",
        b"true",
        closed.as_bytes(),
        inside.as_bytes(),
    ];
    bodies.extend(deep.iter().map(|nested| nested.as_bytes()));
    for target in hostile.targets.iter().filter(|target| target.is(JSON)) {
        for body in &bodies {
            let what = String::from_utf8_lossy(&body[..body.len().min(30)]);
            let answer = hostile.ask(target, JSON, body.to_vec()).await;
            target.refused_with(&answer, 400, &what);
            assert!(answer.message().starts_with("body: "), "{what} {answer:?}");
        }
    }
    hostile.unharmed().await;
}

#[tokio::test]
async fn a_field_of_the_wrong_type_is_400_and_named() {
    let hostile = Hostile::start().await;
    let wrong = [
        json!(true),
        json!(false),
        json!([]),
        json!(["a"]),
        json!([[[[]]]]),
        json!({}),
        json!({"a": "b"}),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(i64::MIN),
    ];
    for target in hostile.asking().filter(|target| target.is(JSON) || target.is(MULTIPART)) {
        for field in target.fields.keys().filter(|field| *field != "token" || target.name == "account_login") {
            for value in wrong.iter().filter(|value| !fits(value, &target.fields[field])) {
                let answer = hostile.ask(target, JSON, target.with(field, value.clone())).await;
                let what = format!("{field}: {value}");
                target.refused_with(&answer, 400, &what);
                let named = answer.message().strip_prefix(field.as_str()).unwrap_or_default();
                assert!(named.starts_with(": ") || named.starts_with('['), "{what}: {answer:?}");
            }
        }
    }
    hostile.unharmed().await;
}

/// Whether a value is as a field's schema says.
fn fits(value: &Value, schema: &Value) -> bool {
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    compiler.add_resource("file:///field.json", schema.clone()).unwrap();
    let index = compiler.compile("file:///field.json", &mut schemas).unwrap();
    schemas.validate(value, index).is_ok()
}

/// Some of these are good values somewhere: what a field may be is tested elsewhere.
#[tokio::test]
async fn every_value_is_answered() {
    let hostile = Hostile::start().await;
    for target in hostile.asking().filter(|target| target.is(JSON)) {
        for field in target.fields.keys() {
            for value in [Value::Null, json!(u64::MAX), json!(0), json!(1), json!(""), json!(" "), json!("0")] {
                let answer = hostile.ask(target, JSON, json!({field: value}).to_string()).await;
                target.answered(&answer, field);
            }
        }
    }
}

#[tokio::test]
async fn nul_bytes_are_400_and_named() {
    let hostile = Hostile::start().await;
    for target in hostile.asking() {
        for field in target.texts() {
            let nul = "a\0b";
            let mut sent = vec![];
            if target.is(JSON) {
                sent.push((JSON, target.with(field, json!(nul)).into_bytes()));
                sent.push((JSON, target.with(field, json!({"deep": [nul]})).into_bytes()));
            }
            if target.is(FORM) {
                sent.push((FORM, format!("{field}=a%00b").into_bytes()));
                sent.push((FORM, format!("{field}=a\0b").into_bytes()));
            }
            if target.is(MULTIPART) {
                sent.push((MULTIPART, [&part(field, nul.as_bytes()), END].concat()));
            }
            for (kind, body) in sent {
                let answer = hostile.ask(target, kind, body).await;
                target.refused_with(&answer, 400, kind);
                assert!(answer.message().starts_with(&format!("{field}: ")), "{answer:?}");
            }
        }
        for (kind, body) in [(JSON, "{\"a\\u0000b\": 1}"), (FORM, "a%00b=1")] {
            if target.is(kind) {
                target.refused_with(&hostile.ask(target, kind, body).await, 400, kind);
            }
        }
    }
    hostile.unharmed().await;
}

#[tokio::test]
async fn invalid_utf8_is_400() {
    let hostile = Hostile::start().await;
    for target in hostile.asking() {
        for field in target.texts() {
            for bad in [b"\xff".as_slice(), b"a\xc3", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80"] {
                let percent: String = bad.iter().map(|byte| format!("%{byte:02x}")).collect();
                for (kind, body) in [
                    (JSON, [b"{\"", field.as_bytes(), b"\": \"", bad, b"\"}"].concat()),
                    (FORM, [field.as_bytes(), b"=", bad].concat()),
                    (FORM, format!("{field}={percent}").into_bytes()),
                    (MULTIPART, [&part(field, bad), END].concat()),
                ] {
                    if target.is(kind) {
                        target.refused_with(&hostile.ask(target, kind, body).await, 400, kind);
                    }
                }
            }
        }
    }
    hostile.unharmed().await;
}

#[tokio::test]
async fn broken_multipart_is_400() {
    let hostile = Hostile::start().await;
    let headless = b"--frontier\r\n\r\nvalue\r\n--frontier--\r\n".as_slice();
    for target in hostile.asking().filter(|target| target.is(MULTIPART)) {
        for kind in ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary"] {
            target.refused_with(&hostile.ask(target, kind, [&part("a", b"b"), END].concat()).await, 400, kind);
        }
        let many = (0..150).flat_map(|number| part(&format!("f{number}"), b"x")).collect::<Vec<_>>();
        for body in [
            b"x".as_slice(),
            b"--frontier",
            b"--frontier\r\n",
            b"--frontier\r\ncontent-dis",
            b"--other\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\nb\r\n--other--\r\n",
            b"--frontier\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\nb",
            b"--frontier\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\nb\r\n",
            b"--frontier\r\ncontent-disposition form-data\r\n\r\nb\r\n--frontier--\r\n",
            b"--frontier\r\n\x00: \x01\r\n\r\nb\r\n--frontier--\r\n",
            b"--frontier\r\ncontent-disposition: form-data; name=\"\xff\xfe\"\r\n\r\nb\r\n--frontier--\r\n\x80",
            &[&many, END].concat(),
        ] {
            let what = String::from_utf8_lossy(&body[..body.len().min(60)]);
            target.refused_or_idle(&hostile.ask(target, MULTIPART, body.to_vec()).await, &what);
        }
        for whole in [headless, &[&part("", b"value"), END].concat(), END] {
            target.refused_or_idle(&hostile.ask(target, MULTIPART, whole.to_vec()).await, "nameless");
        }
        // Cut off anywhere.
        for field in target.fields.keys() {
            let body = [&part(field, b"value"), END].concat();
            for cut in 1..body.len() - 4 {
                let answer = hostile.ask(target, MULTIPART, body[..cut].to_vec()).await;
                target.refused_with(&answer, 400, &format!("cut at {cut}"));
            }
        }
    }
    hostile.unharmed().await;
}

#[tokio::test]
async fn odd_forms_are_answered() {
    let hostile = Hostile::start().await;
    let many = "a=1&".repeat(1000);
    for target in hostile.asking().filter(|target| target.is(FORM)) {
        for body in ["%", "%zz=1", "&&&&", "=", "=x", "a", "a[b]=c", "a=%", "a=%u0041", "{\"a\": 1}", "\r\n", "a=b;c=d"]
        {
            target.refused_or_idle(&hostile.ask(target, FORM, body).await, body);
        }
        target.refused_with(&hostile.ask(target, FORM, many.clone()).await, 400, "a thousand fields");
    }
    hostile.unharmed().await;
}

#[tokio::test]
async fn a_field_given_twice_is_400_and_named() {
    let hostile = Hostile::start().await;
    for target in hostile.asking() {
        for field in target.fields.keys() {
            // A good value where one is known: the first of two must not be what is complained of.
            let schema = &target.fields[field];
            let known = [target.good.get(field), schema["examples"].get(0), schema["enum"].get(0)];
            let value = match known.into_iter().flatten().next() {
                Some(Value::String(text)) => text.clone(),
                Some(number @ Value::Number(_)) => number.to_string(),
                _ => "1".into(),
            };
            let text = part(field, value.as_bytes());
            let head =
                format!("--frontier\r\ncontent-disposition: form-data; name=\"{field}\"; filename=\"a\"\r\n\r\n");
            let file = [head.as_bytes(), b"x\r\n"].concat();
            let twice =
                if target.texts().any(|name| name == field) { [text.clone(), text] } else { [file.clone(), file] };
            for (kind, body) in [
                (FORM, format!("{field}={value}&{field}={value}").into_bytes()),
                (MULTIPART, [&twice.concat(), END].concat()),
            ] {
                if target.is(kind) {
                    let answer = hostile.ask(target, kind, body).await;
                    target.refused_with(&answer, 400, kind);
                    assert_eq!(answer.message(), format!("{field}: 出现了两次"), "{}", target.name);
                }
            }
        }
    }
    hostile.unharmed().await;
}

#[tokio::test]
async fn other_content_types_are_415() {
    let hostile = Hostile::start().await;
    // Document D reads JSON whatever the type says.
    for target in hostile.asking().filter(|target| target.is(FORM) || target.is(MULTIPART)) {
        for kind in
            ["text/plain", "application/xml", "", ";", "json", "application/jsonp", "multipart/mixed; boundary=x", "é"]
        {
            let answer = hostile.ask(target, kind, Value::Object(target.good.clone()).to_string()).await;
            target.refused_with(&answer, 415, kind);
        }
        let request = Request::builder().method(target.method.clone()).header("authorization", &hostile.token);
        target.refused_with(&hostile.test.send(request, &target.path, "a=b").await, 415, "none at all");
    }
    hostile.unharmed().await;
}

#[tokio::test]
async fn a_byte_order_mark_in_front_of_a_body_is_none_of_it() {
    let hostile = Hostile::start().await;
    for target in hostile.asking() {
        for (kind, body) in [(JSON, "{}"), (JSON, r#"{"a": 1}"#), (FORM, "a=1"), (FORM, "a=1&b=2")] {
            if target.is(kind) {
                let marked = hostile.ask(target, kind, format!("\u{feff}{body}")).await;
                let bare = hostile.ask(target, kind, body).await;
                target.refused_or_idle(&marked, body);
                assert_eq!(
                    (marked.code(), marked.message()),
                    (bare.code(), bare.message()),
                    "{} {kind} {body}",
                    target.name
                );
            }
        }
        if target.is(JSON) {
            let units = || "{\"a\": 1}".encode_utf16();
            let little: Vec<_> = [0xfeff].into_iter().chain(units()).flat_map(u16::to_le_bytes).collect();
            let big: Vec<_> = [0xfeff].into_iter().chain(units()).flat_map(u16::to_be_bytes).collect();
            for body in [&little[..], &little[2..], &big, &big[2..]] {
                let answer = hostile.ask(target, JSON, body.to_vec()).await;
                target.refused_with(&answer, 400, "UTF-16");
                assert!(answer.message().contains("UTF-8"), "{answer:?}");
            }
        }
    }
    hostile.unharmed().await;
}

#[tokio::test]
async fn a_body_that_is_encoded_is_415() {
    let hostile = Hostile::start().await;
    for target in &hostile.targets {
        for (encoding, code) in [
            ("gzip", 415),
            ("deflate", 415),
            ("br", 415),
            ("zstd", 415),
            ("GZIP", 415),
            ("gzip, br", 415),
            ("x", 415),
            ("identity", 0),
        ] {
            let kind = target.kinds.iter().next().unwrap();
            let request = Request::builder().method(target.method.clone()).header("content-type", kind);
            let request = request.header("content-encoding", encoding);
            let answer = hostile.test.send(request, &target.path, "{}").await;
            match code {
                415 => target.refused_with(&answer, 415, encoding),
                _ => assert_ne!(answer.code(), "415", "{encoding}"),
            }
        }
    }
    hostile.unharmed().await;
}

#[tokio::test]
async fn no_body_at_all_is_a_body_without_fields() {
    let hostile = Hostile::start().await;
    for target in hostile.asking() {
        for kind in [JSON, FORM, MULTIPART, "text/plain", ""] {
            target.refused_or_idle(&hostile.ask(target, kind, "").await, kind);
        }
    }
    hostile.unharmed().await;
}

#[tokio::test]
async fn bodies_that_are_too_large_are_413() {
    let hostile = Hostile::start().await;
    let (six, one) = ((6 << 20) + 1, (1 << 20) + 1);
    for target in hostile.asking() {
        for (kind, size) in [(JSON, six), (JSON, one), (FORM, one), (MULTIPART, six), ("text/plain", one), ("", one)] {
            let answer = hostile.ask(target, kind, vec![b' '; size]).await;
            target.refused_with(&answer, 413, &format!("{size} bytes of {kind}"));
        }
        // Up to there a multipart body is read.
        if target.is(MULTIPART) {
            let mut body = part("unknown", &vec![b'x'; (6 << 20) - 200]);
            body.extend(END);
            target.refused_or_idle(&hostile.ask(target, MULTIPART, body).await, "just below 6 MiB");
        }
    }
    hostile.unharmed().await;
}

#[tokio::test]
async fn a_megabyte_in_a_text_field_is_refused() {
    let hostile = Hostile::start().await;
    let huge = "x".repeat(1_000_000);
    for target in hostile.asking() {
        for field in target.fields.keys().filter(|field| *field != "token" || target.name == "account_login") {
            let (kind, body) = match target.is(JSON) {
                true => (JSON, target.with(field, json!(huge)).into_bytes()),
                false => (MULTIPART, [&part(field, huge.as_bytes()), END].concat()),
            };
            target.refused(&hostile.ask(target, kind, body).await, &format!("{kind} {field}"));
        }
        for (kind, body) in
            [(JSON, json!({&huge: huge[..40_000]}).to_string()), (FORM, format!("{huge}={huge:.40000}"))]
        {
            if target.is(kind) {
                target.refused_or_idle(&hostile.ask(target, kind, body).await, "unknown field");
            }
        }
    }
    hostile.unharmed().await;
}

#[tokio::test]
async fn unknown_paths_and_methods_are_404() {
    let hostile = Hostile::start().await;
    let nowhere = json!({"code": 404, "msg": "no such path or method"});
    let mut taken: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for listed in local::functions().into_iter().flat_map(|(_, operations)| operations) {
        taken.entry(listed.path).or_default().insert(listed.method.to_string());
    }
    let mut asked = vec![];
    for (path, methods) in &taken {
        asked.extend(
            ["GET", "POST", "PUT", "PATCH", "DELETE"]
                .iter()
                .filter(|m| !methods.contains(**m))
                .map(|m| (*m, path.replace(['{', '}'], ""))),
        );
    }
    for path in [
        "/user",
        "/user/",
        "/user/login/",
        "//user/login",
        "/USER/LOGIN",
        "/user/login/x",
        "/user%2flogin",
        "/%00",
        "/%ff",
        "/../etc/passwd",
        "/_local/none",
    ] {
        asked.extend(["GET", "POST"].map(|method| (method, path.to_owned())));
    }
    for (method, path) in asked {
        for body in ["", "{}", "["] {
            let request = Request::builder().method(method).header("content-type", JSON);
            let answer = tokio::time::timeout(PATIENCE, hostile.test.send(request, &path, body)).await.unwrap();
            assert_eq!((answer.status, &answer.body), (StatusCode::NOT_FOUND, &nowhere), "{method} {path}");
        }
    }
    hostile.unharmed().await;
}

// ---- What others wrote

/// A folder of the outside test material, where it is.
fn corpus(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora").join(folder);
    if !path.is_dir() {
        println!("skipped: {} is not here", path.display());
    }
    path.is_dir().then_some(path)
}

/// All files below a folder, by path.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(self::files(&path)),
            false => drop(files.insert(path.clone(), fs::read(path).unwrap())),
        }
    }
    files
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

impl Hostile {
    fn target(&self, path: &str) -> &Target {
        self.targets.iter().find(|target| target.path == path).unwrap()
    }
}

#[tokio::test]
async fn json_is_told_from_what_is_none() {
    let Some(folder) = corpus("json-nst/test_parsing") else { return };
    let hostile = Hostile::start().await;
    let mut seen = 0;
    for path in [SMS, REGISTER] {
        let target = hostile.target(path);
        for (file, body) in files(&folder) {
            let name = name(&file);
            let empty = body.is_empty();
            let answer = hostile.ask(target, JSON, body).await;
            target.refused_with(&answer, 400, name);
            let syntax = answer.message().contains("不是有效的 JSON");
            match name.as_bytes()[0] {
                // No body is a body without fields.
                b'n' => assert!(syntax || empty, "{name} {answer:?}"),
                b'y' => assert!(!syntax, "{name} {answer:?}"),
                _ => {}
            }
            seen += 1;
        }
    }
    assert!(seen > 600, "{seen} of 2 × 318");
    hostile.unharmed().await;
}

fn naughty_strings() -> Option<Vec<String>> {
    let folder = corpus("strings-blns")?;
    let strings: Vec<String> = serde_json::from_slice(&fs::read(folder.join("blns.json")).unwrap()).unwrap();
    assert!(strings.len() > 500);
    Some(strings)
}

#[tokio::test]
async fn naughty_names_are_kept_exactly_or_refused() {
    let Some(strings) = naughty_strings() else { return };
    let hostile = Hostile::start().await;
    let target = hostile.target(INFO);
    let mut kept = 0;
    for (number, string) in strings.iter().enumerate() {
        let form = form_urlencoded::Serializer::new(String::new()).append_pair("name", string).finish();
        let other = match number % 2 {
            0 => (FORM, form.into_bytes()),
            _ => (MULTIPART, [&part("name", string.as_bytes()), END].concat()),
        };
        for (kind, body) in [(JSON, json!({"name": string}).to_string().into_bytes()), other] {
            let answer = hostile.ask(target, kind, body).await;
            match answer.code() == "000000" {
                // A form cannot leave a field out, so an empty one is none.
                true if string.is_empty() => assert_ne!(kind, JSON),
                true => {
                    assert_eq!(answer.body["data"]["name"], **string, "{kind}");
                    kept += 1;
                }
                false => target.refused(&answer, string),
            }
        }
    }
    assert!(kept > 700, "{kept}");
}

#[tokio::test]
async fn naughty_strings_are_no_phones_codes_and_emails() {
    let Some(strings) = naughty_strings() else { return };
    let hostile = Hostile::start().await;
    let (register, sms, info) = (hostile.target(REGISTER), hostile.target(SMS), hostile.target(INFO));
    for string in &strings {
        for (target, body) in [
            (register, json!({"phone": string, "password": "abcd1234", "verifycode": "000000"})),
            (register, json!({"phone": "13800138002", "password": string, "verifycode": "000000"})),
            (register, json!({"phone": "13800138002", "password": "abcd1234", "verifycode": string})),
            (sms, json!({"country": string, "phone": string})),
            (info, json!({"email": string})),
        ] {
            target.refused(&hostile.ask(target, JSON, body.to_string()).await, string);
        }
    }
    hostile.unharmed().await;
}

#[tokio::test]
async fn naughty_strings_log_nobody_in() {
    let Some(strings) = naughty_strings() else { return };
    let hostile = Hostile::start().await;
    let login = hostile.target("/user/login");
    // Each login costs a password's hash, so several share one.
    for string in strings.chunks(10).map(<[String]>::concat) {
        let body = json!({"user_type": "1", "account": string, "password": string});
        login.refused(&hostile.ask(login, JSON, body.to_string()).await, &string);
    }
    hostile.unharmed().await;
}

#[tokio::test]
async fn multipart_of_other_makes_is_read_or_refused() {
    let Some(folder) = corpus("multipart") else { return };
    let hostile = Hostile::start().await;
    let mut whole = 0;
    for (file, body) in files(&folder) {
        if matches!(file.extension().and_then(|extension| extension.to_str()), Some("yaml" | "txt" | "md"))
            || name(&file) == "LICENSE"
        {
            continue;
        }
        // As the test beside the file says, else as its first line does.
        let described = fs::read_to_string(file.with_extension("yaml")).unwrap_or_default();
        let first = String::from_utf8_lossy(&body).trim_start().lines().next().unwrap_or_default().to_owned();
        let boundary = match described.lines().find_map(|line| line.strip_prefix("boundary: ")) {
            Some(boundary) => boundary.trim().to_owned(),
            None => first.strip_prefix("--").unwrap_or(&first).to_owned(),
        };
        let kind = format!("multipart/form-data; boundary=\"{boundary}\"");
        let file = file.display().to_string();
        for path in [INFO, AVATOR] {
            let target = hostile.target(path);
            let length = body.len();
            for (kind, body) in [
                (kind.as_str(), &body[..]),
                (&kind, &body[..length / 2]),
                (&kind, &body[..length.saturating_sub(3)]),
                (&kind, &body[length / 3..]),
                (FORM, &body),
                (JSON, &body),
            ] {
                target.refused_or_idle(&hostile.ask(target, kind, body.to_vec()).await, &file);
            }
        }
        let answer = hostile.ask(hostile.target(INFO), &kind, body).await;
        println!("{} {}", file, answer.message());
        if file.ends_with("/request.http") {
            assert_eq!(answer.code(), "000000", "a browser sent {file}: {answer:?}");
            whole += 1;
        }
    }
    assert!(whole >= 5, "{whole}");
    hostile.unharmed().await;
}
