//! What each function may do, as template.yaml has it, held against what it does: every test's calls are let through by
//! its policies or not at all, and what the operations' budgets never need, no policy gives without a reason.
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::OnceLock,
};

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use local::{ACTING, BY_EVENT, events, sample};
use serde_json::{Value, json};
use yaml_serde::Value as Yaml;

use shared::outside::aws;

use crate::support::Test;

/// What a call needs to be allowed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// As IAM has it: `dynamodb:PutItem`.
    pub action: String,
    /// A partition's key, or an object's; of other services nothing.
    pub of: String,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} of {}", self.action, self.of)
    }
}

/// The sort key of the one item that a request changes.
pub fn sort_key(request: &HttpRequest) -> Option<String> {
    body(request)["Key"]["sk"]["S"].as_str().map(str::to_owned)
}

fn body(request: &HttpRequest) -> Value {
    request.body().bytes().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default()
}

/// What a request to one of AWS's services needs.
pub fn needs(request: &HttpRequest) -> Vec<Need> {
    let body = body(request);
    let need = |action: &str, of: &str| Need { action: action.into(), of: of.into() };
    match request.headers().get("x-amz-target").and_then(|target| target.split_once('.')) {
        Some((service, operation)) if service.starts_with("DynamoDB") => of_table(operation, &body),
        Some((_, operation)) => vec![need(&format!("sqs:{}", operation.trim_end_matches("Batch")), "")],
        None => {
            let uri: http::Uri = request.uri().parse().unwrap();
            let object = uri.path().trim_start_matches('/').split_once('/').map_or("", |(_, object)| object);
            match (request.method(), object) {
                ("POST", "") if !uri.query().unwrap_or_default().contains("delete") => vec![need("sns:Publish", "")],
                ("GET", "") => vec![need("s3:ListBucket", "")],
                // In pieces.
                ("POST", _) if uri.query().is_some_and(|query| query.contains("upload")) => {
                    vec![need("s3:PutObject", object)]
                }
                // Which ones, its body says: all of them lie there.
                ("POST", _) => vec![need("s3:DeleteObject", "media/")],
                ("GET" | "HEAD", _) => vec![need("s3:GetObject", object)],
                ("DELETE", _) => vec![need("s3:DeleteObject", object)],
                _ => vec![need("s3:PutObject", object)],
            }
        }
    }
}

fn of_table(operation: &str, body: &Value) -> Vec<Need> {
    let need = |action: &str, key: &Value| Need {
        action: format!("dynamodb:{action}"),
        of: key["pk"]["S"].as_str().unwrap_or_default().into(),
    };
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let tables = || body["RequestItems"].as_object().into_iter().flatten().map(|(_, part)| part.clone());
    match operation {
        "TransactWriteItems" => list(&body["TransactItems"])
            .iter()
            .filter_map(|action| {
                let (kind, what) = action.as_object()?.iter().next()?;
                Some(match kind.as_str() {
                    "Put" => need("PutItem", &what["Item"]),
                    "ConditionCheck" => need("ConditionCheckItem", &what["Key"]),
                    kind => need(&format!("{kind}Item"), &what["Key"]),
                })
            })
            .collect(),
        "BatchGetItem" => tables().flat_map(|part| list(&part["Keys"])).map(|key| need(operation, &key)).collect(),
        "BatchWriteItem" => tables()
            .flat_map(|part| list(&part))
            .map(|write| match &write["PutRequest"] {
                Value::Null => need(operation, &write["DeleteRequest"]["Key"]),
                put => need(operation, &put["Item"]),
            })
            .collect(),
        "Query" => {
            let condition = body["KeyConditionExpression"].as_str().unwrap_or_default();
            let name = condition.split("pk = ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
            vec![need(operation, &json!({"pk": body["ExpressionAttributeValues"][name]}))]
        }
        "PutItem" => vec![need(operation, &body["Item"])],
        _ => vec![need(operation, &body["Key"])],
    }
}

/// The policies of all functions, by binary.
pub struct Policies(BTreeMap<String, Vec<Statement>>);

#[derive(Clone, Debug)]
struct Statement {
    actions: Vec<String>,
    /// What of the table or the bucket; `*` stands for anything.
    of: Vec<String>,
}

impl Policies {
    /// Of template.yaml.
    pub fn ours() -> &'static Self {
        static OURS: OnceLock<Policies> = OnceLock::new();
        OURS.get_or_init(|| Self(functions().map(|(binary, function)| (binary, statements(&function))).collect()))
    }

    /// What a function needs, but may not do.
    pub fn denied<'a>(&self, function: &str, needs: &'a [Need]) -> Option<&'a Need> {
        let statements = self.0.get(function).map(Vec::as_slice).unwrap_or_default();
        needs.iter().find(|need| !statements.iter().any(|statement| statement.allows(need)))
    }
}

impl Statement {
    fn allows(&self, need: &Need) -> bool {
        self.actions.contains(&need.action) && self.of.iter().any(|pattern| fits(pattern, &need.of))
    }
}

fn fits(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => text.starts_with(prefix),
        None => text == pattern,
    }
}

fn template() -> &'static Yaml {
    static TEMPLATE: OnceLock<Yaml> = OnceLock::new();
    TEMPLATE.get_or_init(|| yaml_serde::from_str(include_str!("../../../template.yaml")).unwrap())
}

fn resources() -> impl Iterator<Item = (&'static str, &'static Yaml)> {
    let resources = template()["Resources"].as_mapping().unwrap().iter();
    resources.map(|(name, resource)| (name.as_str().unwrap(), resource))
}

fn functions() -> impl Iterator<Item = (String, Yaml)> {
    let functions = resources().filter(|(_, resource)| resource["Type"].as_str() == Some("AWS::Serverless::Function"));
    functions.map(|(_, function)| {
        let binary = function["Metadata"]["BuildProperties"]["Binary"].as_str().unwrap();
        (binary.to_owned(), function["Properties"].clone())
    })
}

/// A list's members, or what stands in the place of a list of one.
fn members(value: &Yaml) -> Vec<Yaml> {
    match value {
        Yaml::Sequence(list) => list.clone(),
        Yaml::Null => vec![],
        one => vec![one.clone()],
    }
}

/// The text of a value, whatever tag it bears; of `!Sub [text, …]` the text.
fn text(value: &Yaml) -> String {
    match value {
        Yaml::Tagged(tagged) => text(members(&tagged.value).first().unwrap_or(&Yaml::Null)),
        value => value.as_str().unwrap_or_default().to_owned(),
    }
}

fn statements(function: &Yaml) -> Vec<Statement> {
    let policies = members(&function["Policies"]).into_iter().map(|policy| match &policy {
        Yaml::Tagged(_) => template()["Resources"][text(&policy).as_str()]["Properties"]["PolicyDocument"].clone(),
        _ => policy,
    });
    policies.flat_map(|policy| members(&policy["Statement"])).map(|statement| statement_of(&statement)).collect()
}

fn statement_of(statement: &Yaml) -> Statement {
    let actions: Vec<_> = members(&statement["Action"]).iter().map(text).collect();
    let keys = &statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
    let of = match keys {
        // By object, as its ARN ends; of everything else, whatever there is.
        Yaml::Null if actions[0].starts_with("s3:") => {
            let arns = members(&statement["Resource"]).into_iter().map(|arn| text(&arn));
            arns.map(|arn| arn.split_once("}/").map_or("", |(_, object)| object).to_owned()).collect()
        }
        Yaml::Null => vec!["*".to_owned()],
        keys => members(keys).iter().map(text).collect(),
    };
    Statement { actions, of }
}

/// By their sample events; all other tests hold them to it as well, but for what they read.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_called_by_events_may_do_what_that_takes() {
    let test = Test::start().await;
    sample::load(&test.plaza, aws::http_client()).await.unwrap();
    for (function, event) in BY_EVENT {
        let sent = events::load(&events::path(function, event)).unwrap();
        let app = &test.plaza.app;
        let handling = async {
            match function {
                "fanout" => drop(fanout::handle(app, serde_json::from_value(sent).unwrap(), u64::MAX).await),
                "catalogue" => drop(catalogue::handle(app, serde_json::from_value(sent).unwrap(), u64::MAX).await),
                "payments" => assert_eq!(payments::handle(app).await.failed, 0),
                "leaving" => assert_eq!(leaving::handle(app, u64::MAX).await.failed, 0),
                "media" => media::handle(app, serde_json::from_value(sent).unwrap()).await.unwrap(),
                _ => panic!("{function}: say here how it is called"),
            }
        };
        let ((), cost) = test.line.meter(ACTING.scope(function, handling)).await;
        let needs: Vec<_> = cost.0.into_iter().flat_map(|call| call.needs).collect();
        assert!(!needs.is_empty(), "{function} did nothing");
        assert_eq!(Policies::ours().denied(function, &needs), None, "template.yaml: {function}");
    }
    let others = [("media", "dynamodb:BatchGetItem", "U#1"), ("common", "dynamodb:PutItem", "U#1")];
    for (function, action, of) in others {
        let need = Need { action: action.into(), of: of.into() };
        assert_eq!(Policies::ours().denied(function, std::slice::from_ref(&need)), Some(&need), "{function}");
    }
}

/// Actions that a function may do although no sample event makes it, and why.
const RARE: &[(&str, &str, &str)] = &[
    ("account", "dynamodb:ConditionCheckItem", "a phone that is asked for may be somebody else's"),
    ("article", "s3:GetObject", WAITING),
    ("article", "s3:ListBucket", WAITING),
    ("common", "s3:PutObject", "whoever has an upload's URL does what its signer may"),
    ("member", "s3:GetObject", WAITING),
    ("member", "s3:ListBucket", WAITING),
    ("user", "s3:GetObject", WAITING),
    ("user", "s3:ListBucket", WAITING),
];
const WAITING: &str =
    "whether an upload that was not checked yet is there; without the list S3 says 403 of what is not";

/// That every function may do what it `did`, and nothing that it never does.
pub fn compare(did: &BTreeMap<&str, BTreeSet<Need>>) -> Vec<String> {
    let mut wrong = vec![];
    for (function, needs) in did {
        let needs: Vec<_> = needs.iter().cloned().collect();
        if let Some(denied) = Policies::ours().denied(function, &needs) {
            wrong.push(format!("template.yaml: {function} may not do {denied}: add it to its Policies"));
        }
        let done: BTreeSet<_> = needs.iter().map(|need| need.action.as_str()).collect();
        let given: BTreeSet<_> =
            Policies::ours().0[*function].iter().flat_map(|statement| &statement.actions).collect();
        for surplus in given.into_iter().filter(|action| !done.contains(action.as_str())) {
            if !RARE.iter().any(|(of, action, _)| of == function && action == surplus) {
                wrong.push(format!(
                    "template.yaml: {function} never does {surplus}: take it out of its Policies, or say why in RARE"
                ));
            }
        }
    }
    if !wrong.is_empty() {
        for (function, needs) in did {
            let mut kinds: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
            for need in needs {
                let kind = need.of.split_inclusive(['#', '/']).next().unwrap_or_default();
                kinds.entry(need.action.as_str()).or_default().insert(kind);
            }
            println!("{function} does {kinds:?}");
        }
    }
    wrong
}

#[test]
fn the_signing_key_is_only_where_tokens_are_signed_or_verified() {
    for (binary, function) in functions() {
        let variables = &function["Environment"]["Variables"];
        let is_called_by_http = members_of(&function["Events"]).any(|event| event["Type"].as_str() == Some("HttpApi"));
        for name in ["JWT_KEY", "JWT_KEYS_ACCEPTED"] {
            // Globals gives it; an empty one takes it away.
            assert_eq!(variables.get(name).is_none(), is_called_by_http, "{binary}: {name} in its Environment");
        }
        assert_eq!(variables.get("IM_KEY").is_some(), binary == "member", "{binary}: IM_KEY");
        assert_eq!(
            function["AutoPublishAliasAllProperties"].as_bool(),
            Some(true),
            "{binary}: without AutoPublishAliasAllProperties: true a change of keys never reaches its alias"
        );
        // The API is not starved by what can wait.
        let is_reserved = function.get("ReservedConcurrentExecutions").is_some();
        assert_eq!(is_reserved, !is_called_by_http, "{binary}: ReservedConcurrentExecutions");
    }
}

#[test]
fn every_route_has_a_throttle() {
    let settings = &template()["Resources"]["Api"]["Properties"];
    let throttles = |settings: &Yaml| {
        ["ThrottlingBurstLimit", "ThrottlingRateLimit"].map(|name| settings[name].as_u64().unwrap_or_default())
    };
    let usual = throttles(&settings["DefaultRouteSettings"]);
    assert!(usual.iter().all(|limit| *limit > 0), "DefaultRouteSettings");
    let routes: BTreeSet<_> = functions().flat_map(|(_, function)| routes(&function)).collect();
    for (route, own) in settings["RouteSettings"].as_mapping().unwrap() {
        let route = route.as_str().unwrap();
        assert!(routes.contains(route), "RouteSettings: there is no route {route}");
        let tighter = throttles(own).iter().zip(usual).all(|(own, usual)| *own > 0 && *own < usual);
        assert!(tighter, "RouteSettings: {route}");
    }
}

fn members_of(map: &Yaml) -> impl Iterator<Item = &Yaml> {
    map.as_mapping().into_iter().flatten().map(|(_, value)| value)
}

fn routes(function: &Yaml) -> Vec<String> {
    let events = members_of(&function["Events"]).filter(|event| event["Type"].as_str() == Some("HttpApi"));
    let routes = events.map(|event| {
        let properties = &event["Properties"];
        format!("{} {}", properties["Method"].as_str().unwrap(), properties["Path"].as_str().unwrap())
    });
    routes.collect()
}

#[test]
fn no_policy_is_wider_than_it_must_be() {
    let documents = resources().filter_map(|(name, resource)| {
        let document = resource["Properties"].get("PolicyDocument")?;
        Some((name.to_owned(), document.clone()))
    });
    let inline = functions().flat_map(|(binary, function)| {
        let inline = members(&function["Policies"]).into_iter().filter(|policy| !matches!(policy, Yaml::Tagged(_)));
        inline.map(move |policy| (binary.clone(), policy)).collect::<Vec<_>>()
    });
    for (of, document) in documents.chain(inline) {
        for statement in members(&document["Statement"]) {
            if statement["Effect"].as_str() == Some("Deny") {
                continue;
            }
            for action in members(&statement["Action"]) {
                assert!(!text(&action).contains('*'), "{of}: the action {}", text(&action));
            }
            let all = members(&statement["Resource"]).iter().any(|resource| text(resource) == "*");
            // What publishes to phones cannot name them.
            let is_sms = members(&statement["Action"]).iter().all(|action| text(action) == "sns:Publish");
            let is_negative = statement.get("NotResource").is_some() && !is_sms;
            assert!(!all && !is_negative, "{of}: any resource");
        }
    }
}

/// AWS's limits, of which a quarter is to be left.
#[test]
fn the_stack_fits_with_room() {
    let routes: Vec<usize> = functions().map(|(_, function)| routes(&function).len()).collect();
    let (all, most) = (routes.iter().sum::<usize>(), routes.iter().max().copied().unwrap_or_default());
    assert!(all <= 300 * 3 / 4, "{all} of an API's 300 routes");
    // SAM lets API Gateway invoke a function by one resource a route, and its resource policy, of 20 KB, holds some 50.
    assert!(most <= 50 * 3 / 4, "a function with {most} routes");
    // What SAM makes of a function: itself, its role, its version, its alias, its deployment group; and a permission by
    // route and event.
    let events: usize = functions().map(|(_, function)| members_of(&function["Events"]).count()).sum();
    let stack = resources().count() + 4 * functions().count() + events + 4;
    assert!(stack <= 500 * 3 / 4, "{stack} of a stack's 500 resources");
    // Inline policies of a role: 10,240 characters in all; a managed one: 6,144.
    for (binary, function) in functions() {
        let inline = members(&function["Policies"]).into_iter().filter(|policy| !matches!(policy, Yaml::Tagged(_)));
        let size: usize = inline.map(|policy| format!("{policy:?}").len()).sum();
        assert!(size <= 10_240 * 3 / 4, "{binary}: policies of {size} characters");
    }
}
