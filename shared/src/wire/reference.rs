//! The OpenAPI 3.1 document, from the operations' own types.
use std::collections::BTreeMap;

use http::{Method, StatusCode};
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::{Map, Value, json};

use super::{
    dialect::Dialect,
    operation::{Caller, Needs, Operation, Operations, name},
};

const ABOUT: &str = "\
The back end of a community app: five API documents over one user base. A tag is a document's letter and the function \
that serves it.

Codes of four digits are answers that a client is meant to read: they travel with HTTP 200 (in document B with 400). \
Any other code is the HTTP status. Either way the body is the document's own envelope, and its message says what to mend, \
in English or, where `Accept-Language` prefers it, in Chinese.

Any operation may refuse with 400 (malformed or out of range), 413 (body too large), 415 (a content type that its \
document does not know), 429 (too often), 500 or 503; one that needs a token with 401; one that names a thing with 403 \
(public, but not yours to change), 404 (no such thing, or somebody else's secret) or 409 (not in this state). In document \
B a device that nobody has registered is 1001, or 1101 where its app's version is under review, and one that is sent \
beside somebody else's token 409.

A field that is null is one not given. A whole number may be written as `20`, `20.0` or `2e1`, or as a text that holds \
one. What people type (an account, a phone, an e-mail address, a code) is taken without the spaces around it, a phone and \
a code without those inside it, and an SMS code may be a number. A text of which nothing can be seen is blank. A body may \
begin with a byte order mark; it must not have a Content-Encoding (415). In a multipart body the field says whether a part \
is a text or a file.";

/// What each document is.
fn about(document: &str) -> &'static str {
    match document {
        "A" => "User galleries",
        "B" => "Members of a voice and video app",
        "C" => "Accounts: login, registration, avatar, information",
        "D" => "A community",
        "E" => "Login, log-out, profile",
        _ => "",
    }
}

/// Listens to all operations and writes them down.
pub struct Reference {
    requests: SchemaGenerator,
    responses: SchemaGenerator,
    paths: BTreeMap<&'static str, Map<String, Value>>,
    refusals: BTreeMap<&'static str, Value>,
    examples: BTreeMap<String, Map<String, Value>>,
    /// Who serves what is added next.
    function: &'static str,
    tags: BTreeMap<String, &'static str>,
}

impl Reference {
    /// `examples`: by operation, a request's parameters.
    pub fn new(examples: BTreeMap<String, Map<String, Value>>) -> Self {
        let mut settings = SchemaSettings::draft2020_12();
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
        // What an operation takes and gives is read in one place, as it stands in the documents.
        settings.inline_subschemas = true;
        // `uint64` and the like are no formats that OpenAPI knows.
        settings.transforms.push(Box::new(RecursiveTransform(|schema: &mut Schema| {
            if schema.get("format").and_then(Value::as_str).is_some_and(|format| format.starts_with("uint")) {
                schema.remove("format");
            }
        })));
        Self {
            requests: settings.clone().for_deserialize().into_generator(),
            responses: settings.for_serialize().into_generator(),
            paths: BTreeMap::new(),
            refusals: BTreeMap::new(),
            examples,
            function: "",
            tags: BTreeMap::new(),
        }
    }

    /// What comes next is served by this function.
    pub fn of_function(self, function: &'static str) -> Self {
        Self { function, ..self }
    }

    /// The whole document, ready to be served.
    pub fn document(mut self) -> Value {
        let mut schemas = self.requests.take_definitions(true);
        for (name, schema) in self.responses.take_definitions(true) {
            let same = schemas.insert(name.clone(), schema.clone()).is_none_or(|other| other == schema);
            assert!(same, "two types of one name, or one type both read and written that differ: {name}");
        }
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": "Plaza",
                "version": env!("CARGO_PKG_VERSION"),
                "description": ABOUT,
                "license": {"name": "MIT or Apache 2.0", "identifier": env!("CARGO_PKG_LICENSE")},
                "contact": {"name": "The Plaza contributors"},
            },
            "servers": [{"url": "/"}],
            "security": [],
            "tags": self.tags.iter().map(|(name, what)| json!({"name": name, "description": what})).collect::<Vec<_>>(),
            "paths": self.paths,
            "components": {
                "schemas": schemas,
                "responses": self.refusals,
                "securitySchemes": {
                    "token": {
                        "type": "apiKey", "in": "header", "name": "Authorization",
                        "description": "The token from a login; `Bearer <token>` works too.",
                    },
                    "device": {
                        "type": "apiKey", "in": "header", "name": "X-Device-Id",
                        "description": "A secret of the device: 16 to 128 letters, digits, - or _. It signs in the \
                            user who registered with it; sent beside a token, it is tied to the token's user.",
                    },
                },
            },
        })
    }

    /// Fields that the path names are path parameters; of a GET all others are query parameters, else the body.
    fn request<O: Operation>(&self, mut schema: Value) -> Value {
        let required: Vec<Value> = schema["required"].as_array().cloned().unwrap_or_default();
        let mut example = self.examples.get(&name::<O>()).cloned().unwrap_or_default();
        let in_path = |field: &str| O::ROUTE.path.contains(&format!("{{{field}}}"));
        let (mut parameters, mut body) = (vec![], Map::new());
        for (field, mut schema) in schema["properties"].as_object().cloned().unwrap_or_default() {
            if !in_path(&field) && O::ROUTE.method != Method::GET {
                body.insert(field, schema);
                continue;
            }
            let description = schema.as_object_mut().and_then(|s| s.remove("description")).unwrap_or_default();
            let place = if in_path(&field) { "path" } else { "query" };
            let required = place == "path" || required.contains(&field.as_str().into());
            let mut parameter =
                json!({"name": field, "in": place, "required": required, "description": description, "schema": schema});
            if let Some(value) = example.remove(&field) {
                parameter["example"] = value;
            }
            parameters.push(parameter);
        }
        if O::Caller::IDEMPOTENCY_KEY {
            parameters.push(json!({
                "name": "Idempotency-Key", "in": "header", "required": false,
                "description": "By what a repeat of this request is known for a day: it is answered as the first one \
                    was, and done once. 409 where it comes with another body.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
            }));
        }
        let mut request = json!({});
        if O::ROUTE.method != Method::GET {
            let files = body.values().any(|schema| schema["contentMediaType"].is_string());
            let kinds = O::Dialect::BODIES.iter().filter(|kind| !files || kind.starts_with("multipart/"));
            if O::Dialect::TOKEN_IN_BODY && O::Caller::NEEDS == Needs::Token {
                // Who tries it out is signed in by the header, as themself.
                example.remove("token");
                body.insert(
                    "token".into(),
                    json!({"type": "string", "description": "From a login; the header `Authorization` does as well."}),
                );
            }
            schema["required"] =
                required.into_iter().filter(|field| body.contains_key(field.as_str().unwrap_or_default())).collect();
            schema["properties"] = body.into();
            let mut content = json!({"schema": schema});
            if !files {
                content["example"] = example.into();
            }
            let content: Map<_, _> = kinds.map(|kind| (kind.to_string(), content.clone())).collect();
            let required = schema_required(&content);
            request["requestBody"] = json!({"required": required, "content": content});
        }
        if O::Dialect::DEVICES {
            parameters.push(json!({
                "name": "X-App-Version", "in": "header", "required": false, "schema": {"type": "string"},
                "description": "The app's version: while it is under review, an unregistered device is 1101.",
            }));
        }
        if !parameters.is_empty() {
            request["parameters"] = parameters.into();
        }
        request
    }
}

/// Whether some field of a body must be there.
fn schema_required(content: &Map<String, Value>) -> bool {
    content.values().any(|kind| kind["schema"]["required"].as_array().is_some_and(|list| !list.is_empty()))
}

impl Operations for Reference {
    fn add<O: Operation>(mut self) -> Self {
        let mut schema = O::json_schema(&mut self.requests);
        let doc = schema.remove("description").and_then(|doc| Some(doc.as_str()?.to_owned())).unwrap_or_default();
        let (summary, description) = doc.split_once("\n\n").unwrap_or((&doc, ""));
        let refusals: String = O::REFUSES.iter().map(|no| format!("\n- `{}` {no}", no.code())).collect();
        let mut response = O::Response::json_schema(&mut self.responses);
        let success = response.remove("description").unwrap_or("Success.".into());
        let (refusal, refusal_schema) = O::Dialect::refusal();

        let mut operation = self.request::<O>(schema.to_value());
        operation["operationId"] = name::<O>().into();
        let tag = format!("{} {}", O::Dialect::DOCUMENT, self.function.replace('_', " "));
        operation["tags"] = json!([tag]);
        self.tags.insert(tag, about(O::Dialect::DOCUMENT));
        operation["summary"] = summary.replace('\n', " ").into();
        if !refusals.is_empty() {
            operation["description"] = format!("{description}\n\nRefuses with:{refusals}").trim_start().into();
        } else if !description.is_empty() {
            operation["description"] = description.into();
        }
        let mut answer = O::Dialect::envelope(response);
        if O::Dialect::FOUR_DIGITS == StatusCode::OK && O::REFUSES.iter().any(|no| no.code() >= 1000) {
            answer = json!({"anyOf": [answer, refusal_schema]});
        }
        let refused = json!({"$ref": format!("#/components/responses/{refusal}")});
        operation["responses"] = json!({
            "200": {"description": success, "content": {"application/json": {"schema": answer}}},
            "4XX": refused.clone(),
            "5XX": refused.clone(),
        });
        if let Some(limit) = O::LIMIT {
            let often = format!("Too often. One user does at most {}, whichever operation does them.", limit.words());
            operation["responses"]["429"] = refused;
            operation["responses"]["429"]["description"] = often.into();
        }
        match O::Caller::NEEDS {
            Needs::Nothing => {}
            Needs::Token if O::Dialect::TOKEN_IN_BODY => operation["security"] = json!([{"token": []}, {}]),
            Needs::Token if O::Dialect::DEVICES => operation["security"] = json!([{"token": []}, {"device": []}]),
            Needs::Token => operation["security"] = json!([{"token": []}]),
            Needs::Device => operation["security"] = json!([{"device": []}]),
        }
        self.refusals.entry(refusal).or_insert_with(|| {
            json!({
                "description": "A refusal. `code` is the HTTP status, or one of the four-digit codes that the documents list.",
                "content": {"application/json": {"schema": refusal_schema}},
            })
        });
        let method = O::ROUTE.method.as_str().to_lowercase();
        let twice = self.paths.entry(O::ROUTE.path).or_default().insert(method, operation);
        assert!(twice.is_none(), "{} is declared twice", O::ROUTE.path);
        self
    }
}
