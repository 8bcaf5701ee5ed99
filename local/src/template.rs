//! `template.yaml` as far as the local runner needs it: the table, and the functions with their routes.
//!
//! CloudFormation's tags (`!Ref`, `!Sub`, …) may stand anywhere but in the few places that are read here.

use std::collections::HashMap;

use serde_json::json;
use shared::domain::Millis;
use yaml_serde::Value;

/// The resource that becomes the local table.
const TABLE: &str = "Table";
/// What the runner can mount; API Gateway's `ANY` would hide which methods the documents know.
const METHODS: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// A SAM template.
#[derive(Debug)]
pub struct Template {
    table: Table,
    functions: Vec<Function>,
}

/// Why a template cannot be used; the message names the resource.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    #[error("template.yaml: {0}")]
    Yaml(#[from] yaml_serde::Error),
    #[error("template.yaml: resource {resource}: {problem}")]
    Resource { resource: String, problem: String },
}

/// An `AWS::DynamoDB::Table`.
#[derive(Debug)]
pub struct Table {
    definition: serde_json::Map<String, serde_json::Value>,
    ttl_attribute: Option<String>,
}

/// An `AWS::Serverless::Function`.
#[derive(Debug, PartialEq)]
pub struct Function {
    /// Its name in the template.
    pub name: String,
    /// The binary that it runs, which is the name of its crate.
    pub binary: String,
    /// Its `HttpApi` events in the template's order; empty if it is not called over HTTP.
    pub routes: Vec<Route>,
    /// Its `DynamoDB` event, if it is called by the table's stream.
    pub stream: Option<StreamSource>,
    /// Its `SQS` event, if it is called by a queue.
    pub queue: Option<QueueSource>,
}

/// An `SQS` event, with its queue.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueSource {
    /// Messages that are sent at a time, at most.
    pub batch_size: usize,
    /// Batches that are in the works at a time, at most.
    pub concurrency: usize,
    /// For how long nobody else gets a message that was sent.
    pub visibility: Millis,
    /// How often a message is sent before it is a dead one.
    pub tries: u32,
}

/// A `DynamoDB` event.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamSource {
    /// Records that are sent at a time, at most.
    pub batch_size: usize,
    patterns: Vec<serde_json::Value>,
}

/// An `HttpApi` event.
#[derive(Debug, PartialEq)]
pub struct Route {
    /// Its name in the template.
    pub event: String,
    /// In capitals.
    pub method: String,
    /// As API Gateway writes it: `/users/{id}`.
    pub path: String,
}

impl Template {
    /// Reads a template's text.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let document: Value = yaml_serde::from_str(text)?;
        let (mut table, mut functions) = (None, Vec::new());
        let resources = document.get("Resources").and_then(Value::as_mapping);
        for (name, resource) in resources.into_iter().flatten() {
            let name = name.as_str().unwrap_or_default();
            let problem = |problem: String| TemplateError::Resource { resource: name.to_owned(), problem };
            match resource.get("Type").and_then(Value::as_str) {
                Some("AWS::DynamoDB::Table") if name == TABLE => {
                    table = Some(Table::parse(resource).map_err(problem)?);
                }
                Some("AWS::Serverless::Function") => {
                    functions.push(Function::parse(name, resource, &document).map_err(problem)?);
                }
                Some(_) => {}
                None => return Err(problem("has no Type".into())),
            }
        }
        let table = table.ok_or_else(|| TemplateError::Resource {
            resource: TABLE.into(),
            problem: "there is no AWS::DynamoDB::Table of this name".into(),
        })?;
        let template = Self { table, functions };
        template.refuse_routes_served_twice()?;
        Ok(template)
    }

    /// The table, to be made under any name.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// All functions, in the template's order.
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// All HTTP routes, each with its function.
    pub fn routes(&self) -> impl Iterator<Item = (&Function, &Route)> {
        self.functions.iter().flat_map(|function| function.routes.iter().map(move |route| (function, route)))
    }

    /// How a function is called by the table's stream.
    pub fn stream_of(&self, binary: &str) -> Option<&StreamSource> {
        self.functions.iter().find(|function| function.binary == binary)?.stream.as_ref()
    }

    /// How a function is called by a queue.
    pub fn queue_of(&self, binary: &str) -> Option<&QueueSource> {
        self.functions.iter().find(|function| function.binary == binary)?.queue.as_ref()
    }

    fn refuse_routes_served_twice(&self) -> Result<(), TemplateError> {
        let mut seen = HashMap::new();
        for (function, route) in self.routes() {
            if let Some(other) = seen.insert((&route.method, &route.path), &function.name) {
                let problem = format!("{} {} is a route of {other} already", route.method, route.path);
                return Err(TemplateError::Resource { resource: function.name.clone(), problem });
            }
        }
        Ok(())
    }
}

impl Table {
    fn parse(resource: &Value) -> Result<Self, String> {
        let properties = resource.get("Properties").ok_or("has no Properties")?;
        let mut definition = serde_json::Map::new();
        for key in [
            "AttributeDefinitions",
            "BillingMode",
            "GlobalSecondaryIndexes",
            "KeySchema",
            "LocalSecondaryIndexes",
            "ProvisionedThroughput",
            "StreamSpecification",
        ] {
            if let Some(value) = properties.get(key) {
                let value = serde_json::to_value(value).map_err(|error| format!("{key}: {error}"))?;
                definition.insert(key.into(), value);
            }
        }
        for key in ["AttributeDefinitions", "KeySchema"] {
            if !definition.get(key).is_some_and(|list| list.is_array()) {
                return Err(format!("needs a list of {key}"));
            }
        }
        // CloudFormation takes a stream's presence for its switch, DynamoDB wants it said.
        if let Some(stream) = definition.get_mut("StreamSpecification") {
            stream
                .as_object_mut()
                .ok_or("StreamSpecification is not a map")?
                .insert("StreamEnabled".into(), json!(true));
        }
        let ttl = properties.get("TimeToLiveSpecification");
        let ttl = ttl.filter(|ttl| ttl.get("Enabled").and_then(Value::as_bool) == Some(true));
        let ttl_attribute = ttl.map(|ttl| plain(ttl, &["AttributeName"]).map(str::to_owned)).transpose()?;
        Ok(Self { definition, ttl_attribute })
    }

    /// The body of the `CreateTable` request that makes this table as `name`.
    pub fn create_request(&self, name: &str) -> serde_json::Value {
        let mut request = self.definition.clone();
        request.insert("TableName".into(), json!(name));
        request.into()
    }

    /// The attribute that holds an item's expiry, in seconds since 1970.
    pub fn ttl_attribute(&self) -> Option<&str> {
        self.ttl_attribute.as_deref()
    }
}

impl Function {
    fn parse(name: &str, resource: &Value, document: &Value) -> Result<Self, String> {
        let binary = plain(resource, &["Metadata", "BuildProperties", "Binary"])?.to_owned();
        let (mut routes, mut stream, mut queue) = (Vec::new(), None, None);
        let events = resource.get("Properties").and_then(|properties| properties.get("Events"));
        for (event, body) in events.and_then(Value::as_mapping).into_iter().flatten() {
            let event = event.as_str().unwrap_or_default();
            let problem = |problem: String| format!("event {event}: {problem}");
            match body.get("Type").and_then(Value::as_str) {
                Some("HttpApi") => routes.push(Route::parse(event, body).map_err(problem)?),
                Some("DynamoDB") => stream = Some(StreamSource::parse(body).map_err(problem)?),
                Some("SQS") => queue = Some(QueueSource::parse(body, document).map_err(problem)?),
                _ => {}
            }
        }
        Ok(Self { name: name.into(), binary, routes, stream, queue })
    }
}

impl StreamSource {
    fn parse(body: &Value) -> Result<Self, String> {
        let properties = body.get("Properties").ok_or("has no Properties")?;
        let batch_size = properties.get("BatchSize").and_then(Value::as_u64).ok_or("needs a BatchSize")?;
        let filters = properties.get("FilterCriteria").and_then(|criteria| criteria.get("Filters"));
        let patterns = filters.and_then(Value::as_sequence).into_iter().flatten().map(|filter| {
            let pattern = plain(filter, &["Pattern"])?;
            serde_json::from_str(pattern).map_err(|error| format!("a filter's Pattern is not JSON: {error}"))
        });
        Ok(Self { batch_size: batch_size.max(1) as usize, patterns: patterns.collect::<Result<_, String>>()? })
    }

    /// Whether a record passes one of the filters. Of their language, equality and `prefix` are known.
    pub fn wants(&self, record: &serde_json::Value) -> bool {
        self.patterns.is_empty() || self.patterns.iter().any(|pattern| passes(pattern, record))
    }
}

impl QueueSource {
    fn parse(body: &Value, document: &Value) -> Result<Self, String> {
        let whole = |value: &Value, path: &[&str]| {
            let found = path.iter().try_fold(value, |value, key| value.get(key)).and_then(Value::as_u64);
            found.ok_or_else(|| format!("needs a whole number as {}", path.join(".")))
        };
        let Some(Value::Tagged(arn)) = body.get("Properties").and_then(|properties| properties.get("Queue")) else {
            return Err("needs !GetAtt of a queue as Properties.Queue".into());
        };
        let name = arn.value.as_str().and_then(|arn| arn.strip_suffix(".Arn")).unwrap_or_default();
        let queue = document.get("Resources").and_then(|resources| resources.get(name));
        let queue = queue.ok_or_else(|| format!("there is no queue {name}"))?;
        Ok(Self {
            batch_size: whole(body, &["Properties", "BatchSize"])? as usize,
            concurrency: whole(body, &["Properties", "ScalingConfig", "MaximumConcurrency"])? as usize,
            visibility: whole(queue, &["Properties", "VisibilityTimeout"])? * 1000,
            tries: whole(queue, &["Properties", "RedrivePolicy", "maxReceiveCount"])? as u32,
        })
    }
}

fn passes(pattern: &serde_json::Value, value: &serde_json::Value) -> bool {
    match pattern {
        serde_json::Value::Object(parts) => parts.iter().all(|(name, pattern)| passes(pattern, &value[name])),
        serde_json::Value::Array(ways) => ways.iter().any(|way| match way["prefix"].as_str() {
            Some(prefix) => value.as_str().is_some_and(|text| text.starts_with(prefix)),
            None => way == value,
        }),
        _ => false,
    }
}

impl Route {
    fn parse(event: &str, body: &Value) -> Result<Self, String> {
        let method = plain(body, &["Properties", "Method"])?.to_uppercase();
        if !METHODS.contains(&method.as_str()) {
            return Err(format!("Method {method} is none of {}", METHODS.join(", ")));
        }
        let path = plain(body, &["Properties", "Path"])?;
        if !path.starts_with('/') {
            return Err(format!("Path {path} does not begin with /"));
        }
        Ok(Self { event: event.into(), method, path: path.into() })
    }
}

/// The text at `path`, which no tag may stand for: only CloudFormation could tell what it comes to.
fn plain<'a>(value: &'a Value, path: &[&str]) -> Result<&'a str, String> {
    match path.iter().try_fold(value, |value, key| value.get(key)) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(format!("needs a plain text as {}", path.join("."))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      TableName: !Sub '${AWS::StackName}-table'
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_IMAGE}
      TimeToLiveSpecification: {AttributeName: ttl, Enabled: true}
";

    const FUNCTION: &str = "
  Member:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: member}}
    Properties:
      Policies: [!Ref TableAccess, {Statement: [{Resource: !GetAtt Table.Arn}]}]
      Events:
        UsersGet: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: get, Path: '/users/{id}'}}
        Nightly: {Type: Schedule, Properties: {Schedule: rate(1 day)}}
        UsersPut: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: PUT, Path: '/users/{id}'}}
";

    fn parse(resources: &[&str]) -> Result<Template, TemplateError> {
        Template::parse(&format!("Resources:\n{}", resources.concat()))
    }

    fn refusal(resources: &[&str]) -> String {
        parse(resources).unwrap_err().to_string()
    }

    #[test]
    fn functions_come_with_their_http_routes() {
        let template = parse(&[FUNCTION, TABLE]).unwrap();
        let route = |event: &str, method: &str| Route {
            event: event.into(),
            method: method.into(),
            path: "/users/{id}".into(),
        };
        assert_eq!(
            template.functions(),
            [Function {
                name: "Member".into(),
                binary: "member".into(),
                routes: vec![route("UsersGet", "GET"), route("UsersPut", "PUT")],
                stream: None,
                queue: None,
            }]
        );
        assert_eq!(template.routes().count(), 2);
    }

    #[test]
    fn a_stream_lets_through_what_its_filters_say() {
        const FANOUT: &str = r#"
  Fanout:
    Type: AWS::Serverless::Function
    Metadata: {BuildProperties: {Binary: fanout}}
    Properties:
      Events:
        Changes:
          Type: DynamoDB
          Properties:
            BatchSize: 7
            FilterCriteria:
              Filters:
                - Pattern: '{"eventName": ["INSERT", "REMOVE"], "keys": {"sk": {"S": [{"prefix": "A#"}, "B"]}}}'
                - Pattern: '{"eventName": ["OTHER"]}'
"#;
        let template = parse(&[FANOUT, FUNCTION, TABLE]).unwrap();
        let source = template.stream_of("fanout").unwrap();
        assert_eq!((source.batch_size, template.stream_of("member")), (7, None));
        let wants = |name: &str, sk: &str| source.wants(&json!({"eventName": name, "keys": {"sk": {"S": sk}}}));
        assert!(wants("INSERT", "A#1") && wants("REMOVE", "A#") && wants("INSERT", "B") && wants("OTHER", "C"));
        assert!(!wants("MODIFY", "A#1") && !wants("INSERT", "A") && !wants("INSERT", "B#1") && !wants("REMOVE", "xA#"));
        assert!(!source.wants(&json!({"eventName": "INSERT", "keys": {"sk": {"N": "1"}}})));
        assert_eq!(
            refusal(&[&FANOUT.replace("{\"eventName\": [\"OTHER\"]}", "{"), TABLE]).split(" EOF").next(),
            Some("template.yaml: resource Fanout: event Changes: a filter's Pattern is not JSON:")
        );
    }

    #[test]
    fn a_queue_comes_with_what_its_resource_says() {
        const TASKS: &str = "
  Tasks:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 180
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 20}
  Fanout:
    Type: AWS::Serverless::Function
    Metadata: {BuildProperties: {Binary: fanout}}
    Properties:
      Events:
        Left:
          Type: SQS
          Properties: {Queue: !GetAtt Tasks.Arn, BatchSize: 1, ScalingConfig: {MaximumConcurrency: 10}}
";
        let source = QueueSource { batch_size: 1, concurrency: 10, visibility: 180_000, tries: 20 };
        assert_eq!(parse(&[TASKS, TABLE]).unwrap().queue_of("fanout"), Some(&source));
        assert_eq!(
            refusal(&[&TASKS.replace("Tasks.Arn", "Others.Arn"), TABLE]),
            "template.yaml: resource Fanout: event Left: there is no queue Others"
        );
        assert_eq!(
            refusal(&[&TASKS.replace("VisibilityTimeout: 180", "A: 1"), TABLE]),
            "template.yaml: resource Fanout: event Left: needs a whole number as Properties.VisibilityTimeout"
        );
    }

    #[test]
    fn the_table_is_a_create_table_request() {
        let template = parse(&[TABLE]).unwrap();
        assert_eq!(
            template.table().create_request("plaza"),
            json!({
                "TableName": "plaza",
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "StreamSpecification": {"StreamViewType": "NEW_IMAGE", "StreamEnabled": true},
            })
        );
        assert_eq!(template.table().ttl_attribute(), Some("ttl"));
        let without = TABLE.replace("Enabled: true", "Enabled: false");
        assert_eq!(parse(&[&without]).unwrap().table().ttl_attribute(), None);
    }

    #[test]
    fn a_problem_names_the_resource() {
        assert_eq!(
            refusal(&[FUNCTION]),
            "template.yaml: resource Table: there is no AWS::DynamoDB::Table of this name"
        );
        assert_eq!(
            refusal(&[&TABLE.replace("KeySchema", "Keys")]),
            "template.yaml: resource Table: needs a list of KeySchema"
        );
        assert_eq!(
            refusal(&[TABLE, &FUNCTION.replace("Method: get", "Method: FETCH")]),
            "template.yaml: resource Member: event UsersGet: Method FETCH is none of \
             DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
        );
        assert_eq!(
            refusal(&[TABLE, &FUNCTION.replace("Path: '/users/{id}'", "Path: !Sub '/${Stage}'")]),
            "template.yaml: resource Member: event UsersGet: needs a plain text as Properties.Path"
        );
        let twin = FUNCTION.replace("Member:", "Twin:");
        assert_eq!(
            refusal(&[TABLE, FUNCTION, &twin]),
            "template.yaml: resource Twin: GET /users/{id} is a route of Member already"
        );
        let nameless = FUNCTION.replace("Binary: member", "Bin: member");
        assert_eq!(
            refusal(&[TABLE, &nameless]),
            "template.yaml: resource Member: needs a plain text as Metadata.BuildProperties.Binary"
        );
        let message = refusal(&[TABLE, TABLE]);
        assert!(message.contains("duplicate entry with key \"Table\""), "{message}");
    }
}
