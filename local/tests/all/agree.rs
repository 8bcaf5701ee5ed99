//! Template, code, events, reference and pages must tell one story. What fails here says what to mend.
mod papers;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use boon::{Compiler, Draft, Schemas};
use local::{
    ACTING, BY_EVENT, Options, Plaza,
    events::{self, ANY},
    functions, openapi, sample,
    template::Template,
};
use serde_json::{Value, json};
use shared::{
    domain::UserId,
    function,
    outside::aws,
    wire::operation::{Listed, Needs},
};
use tempfile::TempDir;

use crate::support::{copied, invoke, operations};

/// What `cargo run` serves in a new clone.
pub async fn fresh(data: Option<&Path>) -> Plaza {
    let (http, system, data) = (aws::http_client(), function::system(), data.map(Path::to_owned));
    let options = Options { data, engine_ports: None, system, http: http.clone(), variables: vec![] };
    let plaza = Plaza::start(options, |_, _| ()).unwrap();
    sample::load(&plaza, http).await.unwrap();
    plaza.deliver().await.unwrap();
    plaza
}

/// A fresh one's folder, to be copied: making the sample takes long.
async fn prepared() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fresh(Some(folder.path())).await.engines.stop().await;
    folder
}

#[test]
fn the_template_routes_what_the_functions_serve() {
    let template = Template::parse(include_str!("../../../template.yaml")).unwrap();
    let mut wrong = String::new();
    let code: BTreeMap<_, _> = functions().into_iter().collect();
    for function in template.functions() {
        if !function.routes.is_empty() && !code.contains_key(function.binary.as_str()) {
            wrong += &format!("\nlocal/src/lib.rs: functions! {{ … {} }}", function.binary);
        }
    }
    for (name, listed) in code {
        let Some(function) = template.functions().iter().find(|function| function.binary == name) else {
            wrong += &format!("\ntemplate.yaml: a function with `Binary: {name}`");
            continue;
        };
        let routed: BTreeSet<_> = function.routes.iter().map(|r| (r.method.as_str(), r.path.as_str())).collect();
        let served: BTreeSet<_> = listed.iter().map(|l| (l.method.as_str(), l.path)).collect();
        for Listed { name, method, path, .. } in
            listed.iter().filter(|l| !routed.contains(&(l.method.as_str(), l.path)))
        {
            let event: String = name.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
            let properties = format!("{{ApiId: !Ref Api, Method: {method}, Path: \"{path}\"}}");
            wrong += &format!(
                "\ntemplate.yaml, to the Events of {}:\n        {event}: {{Type: HttpApi, Properties: {properties}}}",
                function.name
            );
        }
        for (method, path) in routed.difference(&served) {
            wrong += &format!("\nfunctions/{name}/src/lib.rs: nothing serves {method} {path}; template.yaml routes it");
        }
    }
    assert!(wrong.is_empty(), "mend:{wrong}");
}

#[test]
fn every_operation_has_an_event_and_an_answer() {
    let mut wrong = String::new();
    let mut known = BTreeSet::new();
    for (function, Listed { name, method, path, .. }) in operations() {
        let (event, answer) = (events::path(function, &name), events::answer_path(function, &name));
        let route = format!("{method} {path}");
        let http = json!({"method": method.as_str(), "path": path, "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1", "userAgent": "plaza/1.0"});
        let skeleton = json!({
            "version": "2.0", "routeKey": route, "rawPath": path, "rawQueryString": "",
            "headers": {"content-type": "application/json", "host": "localhost:9000"},
            "requestContext": {"accountId": "123456789012", "apiId": "local", "domainName": "localhost",
                "domainPrefix": "localhost", "http": http, "requestId": "sample", "routeKey": route,
                "stage": "$default", "time": "01/Jan/2026:00:00:00 +0000", "timeEpoch": 1_767_225_600_000_u64},
            "body": "{}", "isBase64Encoded": false,
        });
        for (file, skeleton) in [(event, skeleton), (answer, json!({"statusCode": 200, "body": ANY}))] {
            if !file.exists() {
                wrong += &format!("\nwrite {}:\n{skeleton:#}", file.display());
            }
            known.insert(file);
        }
    }
    for (function, event) in BY_EVENT {
        known.extend([events::path(function, event), events::answer_path(function, event)]);
    }
    for folder in fs::read_dir(events::root().join("events")).unwrap() {
        for file in fs::read_dir(folder.unwrap().path()).unwrap().map(|file| file.unwrap().path()) {
            if !known.contains(&file) {
                wrong += &format!("\n{}: is no operation's; delete it, or add::<…>() the operation", file.display());
            }
        }
    }
    assert!(wrong.is_empty(), "mend:{wrong}");
}

#[test]
fn every_event_fits_its_route() {
    for (function, Listed { name, method, path, .. }) in operations() {
        let event = events::load(&events::path(function, &name)).unwrap();
        let context = &event["requestContext"];
        let file = format!("events/{function}/{name}.json");
        let route = format!("{method} {path}");
        assert_eq!(event["version"], "2.0", "{file}: version");
        assert_eq!(event["routeKey"], route, "{file}: routeKey");
        assert_eq!(context["routeKey"], route, "{file}: requestContext.routeKey");
        assert_eq!(context["http"]["method"], method.as_str(), "{file}: requestContext.http.method");
        assert_eq!(context["http"]["path"], event["rawPath"], "{file}: requestContext.http.path");
        let raw = event["rawPath"].as_str().unwrap_or_default();
        let (mut given, mut parameters) = (raw.split('/'), serde_json::Map::new());
        for part in path.split('/') {
            let given = given.next().unwrap_or_default();
            match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                Some(name) => drop(parameters.insert(name.into(), given.into())),
                None => assert_eq!(given, part, "{file}: rawPath"),
            }
        }
        assert_eq!(given.next(), None, "{file}: rawPath");
        let named = event["pathParameters"].as_object().cloned().unwrap_or_default();
        assert_eq!(named, parameters, "{file}: pathParameters");
    }
}

/// Each against a Plaza of its own, so that no event lives by what another has done.
#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_answered() {
    answers_every_event(&prepared().await).await;
}

/// From a copy of this folder.
pub async fn answers_every_event(prepared: &TempDir) {
    let document = openapi();
    let mut wrong = String::new();
    for (function, Listed { name, method, path, .. }) in operations() {
        let event = events::load(&events::path(function, &name)).unwrap();
        let expected = events::load(&events::answer_path(function, &name)).unwrap();
        let folder = copied(prepared.path());
        let plaza = fresh(Some(folder.path())).await;
        let actual = invoke(&plaza, &event).await;
        plaza.engines.stop().await;
        let differences = events::differences(&expected, &actual);
        if !differences.is_empty() {
            let differences = differences.join("\n  ");
            wrong += &format!("\nevents/{function}/{name}.answer.json:\n  {differences}\nThe answer was {actual:#}");
        }
        let pointer = ["paths", path, method.as_str().to_lowercase().as_str()].map(escaped).join("/");
        let schema = format!("/{pointer}/responses/200/content/application~1json/schema");
        if let Err(no) = check(&document, &schema, &actual["body"]) {
            wrong += &format!("\n{name}: the answer is not as the reference says: {no}");
        }
    }
    assert!(wrong.is_empty(), "mend:{wrong}\n(\"*\" stands for what is another value each time)");
}

/// Behind a named stage and a custom domain with a base path.
#[tokio::test(flavor = "multi_thread")]
async fn every_operation_is_found_behind_a_stage_and_a_base_path() {
    let plaza = fresh(None).await;
    for (function, Listed { name, .. }) in operations() {
        let mut event = events::load(&events::path(function, &name)).unwrap();
        let moved = json!(format!("/v1/prod{}", event["rawPath"].as_str().unwrap()));
        event["rawPath"] = moved.clone();
        event["requestContext"]["http"]["path"] = moved;
        event["requestContext"]["stage"] = "prod".into();
        let answer = invoke(&plaza, &event).await;
        assert_ne!(answer["body"]["msg"], "no such path or method", "{name}: {answer:#}");
    }
}

/// The events of those that nobody calls over HTTP, read by the types of Lambda's own crate.
#[tokio::test(flavor = "multi_thread")]
async fn every_other_event_is_answered() {
    let plaza = fresh(None).await;
    for (function, event) in BY_EVENT {
        let sent = events::load(&events::path(function, event)).unwrap();
        let handling = async {
            match function {
                "fanout" => json!(fanout::handle(&plaza.app, serde_json::from_value(sent).unwrap(), u64::MAX).await),
                "catalogue" => {
                    json!(catalogue::handle(&plaza.app, serde_json::from_value(sent).unwrap(), u64::MAX).await)
                }
                "payments" => {
                    let _: payments::Tick = serde_json::from_value(sent).unwrap();
                    json!(payments::handle(&plaza.app).await)
                }
                "leaving" => {
                    let _: leaving::Tick = serde_json::from_value(sent).unwrap();
                    json!(leaving::handle(&plaza.app, u64::MAX).await)
                }
                "media" => json!(media::handle(&plaza.app, serde_json::from_value(sent).unwrap()).await.unwrap()),
                _ => panic!("{function}: say here how it is called"),
            }
        };
        let answer = ACTING.scope(function, handling).await;
        let expected = events::load(&events::answer_path(function, event)).unwrap();
        assert_eq!(events::differences(&expected, &events::answer(&answer)), [""; 0], "{function}");
    }
}

/// They are written down in the events: whoever is there first must have the same number everywhere.
#[tokio::test(flavor = "multi_thread")]
async fn the_events_tokens_are_the_sample_users() {
    let mut users = BTreeSet::new();
    let folder = tempfile::tempdir().unwrap();
    for plaza in [fresh(None).await, fresh(Some(folder.path())).await] {
        let mut login = events::load(&events::path("account", "account_login")).unwrap();
        login["body"] =
            json!({"user_type": "1", "account": sample::PHONE, "password": sample::PASSWORD}).to_string().into();
        let answer = invoke(&plaza, &login).await;
        let user = &answer["body"]["data"]["user_info"]["uid"];
        users.insert(user.as_u64().unwrap_or_else(|| panic!("{answer}")));
    }
    assert_eq!(users.len(), 1, "the sample user has another number each time: {users:?}");
    let user = UserId(*users.first().unwrap());
    let mut wrong = String::new();
    for (function, Listed { name, needs, .. }) in operations() {
        let event = events::load(&events::path(function, &name)).unwrap();
        let body = events::example(&event);
        let sent = [event["headers"].get("authorization"), body.get("token")].into_iter().flatten().next();
        // What logs out has a token of its own: it must not end the others'.
        let token = sample::token(user, if name.ends_with("logout") { "log-out" } else { "sample" });
        if (needs == Needs::Token || sent.is_some()) && sent != Some(&json!(token)) {
            wrong += &format!("\nevents/{function}/{name}.json: {token}");
        }
    }
    assert!(wrong.is_empty(), "put the sample user's token into the header or the body of:{wrong}");
}

#[test]
fn every_operation_is_in_the_reference() {
    let document = openapi();
    let mut names = BTreeSet::new();
    for (function, Listed { document: letter, name, method, path, needs, .. }) in operations() {
        let described = &document["paths"][path][method.as_str().to_lowercase()];
        assert_eq!(described["operationId"], *name, "{method} {path}");
        let tag = format!("{letter} {}", function.replace('_', " "));
        assert_eq!(described["tags"], json!([tag]), "{name}: tags");
        let summary = described["summary"].as_str().unwrap_or_default();
        assert!(!summary.is_empty(), "{name}: begin its doc comment with one sentence");
        let guarded = described["security"].as_array().is_some_and(|ways| !ways.is_empty());
        assert_eq!(guarded, needs != Needs::Nothing, "{name}: security");
        assert!(names.insert(name.clone()), "{name}: two operations have this name");
    }
    let described: usize =
        document["paths"].as_object().unwrap().values().map(|path| path.as_object().unwrap().len()).sum();
    assert_eq!(described, names.len(), "the reference describes something that no function serves");
}

#[test]
fn the_reference_is_openapi_3_1() {
    let document = openapi();
    oas3::from_json(document.to_string()).unwrap();
    let mut wrong = String::new();
    visit(&document, "", &mut |pointer, value| {
        if let Some(to) = value["$ref"].as_str()
            && to.strip_prefix('#').and_then(|to| document.pointer(to)).is_none()
        {
            wrong += &format!("\n#{pointer}: leads to {to}, where nothing is");
        }
        let is_schema =
            pointer.ends_with("/schema") || pointer.rsplit_once('/').is_some_and(|(of, _)| of == "/components/schemas");
        if is_schema && let Err(no) = compile(&document, pointer) {
            wrong += &format!("\n#{pointer}: {no}");
        }
        // Beside an example is its schema.
        if let (Some(example), Some(_)) = (value.get("example"), value.get("schema"))
            && let Err(no) = check(&document, &format!("{pointer}/schema"), example)
        {
            wrong += &format!("\n#{pointer}/example: {no}");
        }
    });
    assert!(wrong.is_empty(), "mend:{wrong}");
}

#[test]
fn the_reference_changes_only_on_purpose() {
    insta::assert_json_snapshot!(openapi());
}

fn visit(value: &Value, pointer: &str, see: &mut impl FnMut(&str, &Value)) {
    see(pointer, value);
    match value {
        Value::Object(object) => {
            object.iter().for_each(|(name, value)| visit(value, &format!("{pointer}/{}", escaped(name)), see));
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(at, value)| visit(value, &format!("{pointer}/{at}"), see));
        }
        _ => {}
    }
}

/// A name as it stands in a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The schema at `pointer`, found to be one.
fn compile(document: &Value, pointer: &str) -> Result<(Schemas, boon::SchemaIndex), String> {
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.set_default_draft(Draft::V2020_12);
    compiler.add_resource("file:///openapi.json", document.clone()).map_err(|error| error.to_string())?;
    let index = compiler.compile(&format!("file:///openapi.json#{pointer}"), &mut schemas);
    index.map(|index| (schemas, index)).map_err(|error| format!("{error:#}"))
}

/// That `value` is as the schema at `pointer` has it.
fn check(document: &Value, pointer: &str, value: &Value) -> Result<(), String> {
    let (schemas, index) = compile(document, pointer)?;
    schemas.validate(value, index).map_err(|error| format!("{error:#}"))
}
