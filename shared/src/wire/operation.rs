//! What an operation is and how one runs. Generic; a [`Dialect`] fills in one document's manners.
use std::{borrow::Cow, future::Future, marker::PhantomData, sync::Arc, time::Duration};

use axum::{
    Router,
    body::to_bytes,
    extract::{RawPathParams, Request, State, rejection::RawPathParamsRejection},
    response::{IntoResponse, Response},
    routing::{MethodFilter, on},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};
pub use schemars::JsonSchema;
use schemars::{Schema, SchemaGenerator, json_schema};
pub use serde::{Deserialize, Serialize};
use serde::{Serializer, de::DeserializeOwned};
use tokio::time::timeout;

pub use super::caller::{Anyone, Bearer, Buyer, Caller, Device, Needs, Reader, SignedIn, Someone};
use super::{
    caller::source,
    dialect::{D, Dialect},
    language::wanted,
};
use crate::function::Outcome;
use crate::meter::{Happened, happened};
pub use crate::{
    App,
    domain::{Limit, Refusal, Thing},
    words,
};

/// What Lambda lets through. (A picture of more than 4 MiB is refused by its own rule.)
const LARGEST_BODY: usize = 6 << 20;
/// Nothing but files needs more than this.
const LARGEST_TEXT: usize = 1 << 20;

/// A request that meets one slow call after another ends with a 503 of ours, before the function's own 15 seconds.
const LONGEST: Duration = Duration::from_secs(13);

/// One documented operation. The implementing type *is* its request: the type's doc comment becomes the operation's
/// description, the fields' doc comments describe the parameters, and the type's name in snake case is the
/// operation's name in OpenAPI, in `events/` and in logs.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an operation",
    note = "write `impl Operation for {Self}`; `functions/user/src/send_sms_code.rs` is an example"
)]
pub trait Operation: DeserializeOwned + JsonSchema + Send + 'static {
    /// The document whose manners apply: where parameters and token are, what the envelope looks like.
    type Dialect: Dialect;
    /// Who may call: [`SignedIn`], [`Reader`] where the handler only reads, or [`Anyone`].
    type Caller: Caller;
    type Response: Serialize + JsonSchema + Send;
    const ROUTE: Route;
    /// What of it one user may do only so often. Of a [`SignedIn`] caller alone.
    const LIMIT: Option<Limit> = None;
    /// The refusals of four digits that the document lists for this operation.
    const REFUSES: &'static [Refusal] = &[];

    fn handle(self, caller: Self::Caller, app: &App) -> impl Future<Output = Result<Self::Response, Refusal>> + Send;
}

/// A method and a path as API Gateway's HTTP API writes it.
pub struct Route {
    pub method: Method,
    pub path: &'static str,
}

impl Route {
    pub const fn get(path: &'static str) -> Self {
        Self { method: Method::GET, path }
    }
    pub const fn put(path: &'static str) -> Self {
        Self { method: Method::PUT, path }
    }
    pub const fn patch(path: &'static str) -> Self {
        Self { method: Method::PATCH, path }
    }
    pub const fn delete(path: &'static str) -> Self {
        Self { method: Method::DELETE, path }
    }
    pub const fn post(path: &'static str) -> Self {
        Self { method: Method::POST, path }
    }
}

/// Somebody who wants to know a function's operations: a router, the API reference, a test. Code for a listener that
/// a binary does not use is never generated, so a Lambda carries no trace of the reference.
pub trait Operations: Sized {
    fn add<O: Operation>(self) -> Self;
}

impl Operations for Router<Arc<App>> {
    fn add<O: Operation>(self) -> Self {
        let method = MethodFilter::try_from(O::ROUTE.method).expect("a method that axum routes");
        self.route(O::ROUTE.path, on(method, serve::<O>))
    }
}

/// An operation as plain data.
#[derive(Debug, PartialEq)]
pub struct Listed {
    pub document: &'static str,
    pub name: String,
    pub method: Method,
    pub path: &'static str,
    pub needs: Needs,
    /// The session is checked beside the handler, which therefore must not write.
    pub reads_only: bool,
    pub limit: Option<Limit>,
}

impl Operations for Vec<Listed> {
    fn add<O: Operation>(mut self) -> Self {
        let Route { method, path } = O::ROUTE;
        let (document, needs, reads_only) = (O::Dialect::DOCUMENT, O::Caller::NEEDS, O::Caller::READS_ONLY);
        self.push(Listed { document, name: name::<O>(), method, path, needs, reads_only, limit: O::LIMIT });
        self
    }
}

/// `ArticlePublish` is `article_publish`.
pub fn name<O: JsonSchema>() -> String {
    let mut name = String::new();
    for letter in O::schema_name().chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

/// A router for the operations that `list` adds. An unknown path or method is 404, with `code` and `msg`.
pub fn router(list: impl FnOnce(Router<Arc<App>>) -> Router<Arc<App>>, app: Arc<App>) -> Router {
    list(Router::new()).fallback(unknown).method_not_allowed_fallback(unknown).with_state(app)
}

/// The answer to a path or a method that leads nowhere: of no document, so in the barest envelope of all.
pub async fn unknown(headers: HeaderMap) -> Response {
    refused::<D>(&Refusal::NoSuch(Thing::Path), &headers)
}

fn json(status: StatusCode, body: Vec<u8>) -> Response {
    const HEADERS: [(HeaderName, HeaderValue); 3] = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        // Tokens and what only the caller may see are nothing for a cache on the way.
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (status, HEADERS, body).into_response()
}

/// A refusal in the caller's language. A code of three digits is the HTTP status.
fn refused<D: Dialect>(no: &Refusal, headers: &HeaderMap) -> Response {
    let (code, language) = (no.code(), wanted(headers));
    let status = match code {
        1000.. => D::FOUR_DIGITS,
        code => StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
    };
    // Of numbers and texts: it is always JSON.
    let body = D::refuse(code, no.words().said_in(language)).unwrap_or_default();
    let mut response = json(status, body);
    response.headers_mut().insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    response
}

async fn serve<O: Operation>(
    State(app): State<Arc<App>>,
    path: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    if head.method != O::ROUTE.method {
        // axum would answer HEAD where GET is; API Gateway does not.
        return unknown(head.headers).await;
    }
    let outcome = match (to_bytes(body, LARGEST_BODY).await, path) {
        (_, Err(_)) => Err(Refusal::malformed("path", words!("not valid UTF-8", "不是有效的 UTF-8"))),
        (Ok(body), Ok(path)) => {
            timeout(LONGEST, run::<O>(&app, &head, &path, body)).await.unwrap_or(Err(Refusal::Unavailable))
        }
        (Err(_), _) => {
            Err(Refusal::BodyTooLarge(words!("the body is too large: at most 6 MiB", "请求体过大，最多 6 MiB")))
        }
    };
    if let Err(
        Refusal::ImageFormat(_) | Refusal::ImageCutOff(_) | Refusal::ImageTooLarge(_) | Refusal::ImageTooSmall(_),
    ) = &outcome
    {
        happened(Happened::UploadsRefused);
    }
    let body = outcome.and_then(|response| O::Dialect::answer(response).map_err(|_| Refusal::Internal));
    let code = body.as_ref().map_or_else(Refusal::code, |_| 0);
    let mut response = match body {
        Ok(body) => json(StatusCode::OK, body),
        Err(no) => refused::<O::Dialect>(&no, &head.headers),
    };
    response.extensions_mut().insert(Outcome { operation: name::<O>(), code });
    response
}

/// The caller is asked for before the body's details are: a stranger learns nothing from complaints.
async fn run<O: Operation>(app: &App, head: &Parts, path: &RawPathParams, body: Bytes) -> Result<O::Response, Refusal> {
    let content_type = head.headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if body.len() > LARGEST_TEXT && !content_type.get(..10).is_some_and(|kind| kind.eq_ignore_ascii_case(b"multipart/"))
    {
        return Err(Refusal::BodyTooLarge(words!(
            "the body is too large: at most 1 MiB where no file is sent",
            "请求体过大：不含文件时最多 1 MiB"
        )));
    }
    let encoding = head.headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes).unwrap_or_default();
    if !body.is_empty() && !encoding.is_empty() && !encoding.eq_ignore_ascii_case(b"identity") {
        return Err(Refusal::UnsupportedMediaType(words!(
            "send the body as it is, without a Content-Encoding",
            "请原样发送请求体，不要使用 Content-Encoding"
        )));
    }
    let (mut credentials, mut fields) = O::Dialect::read(head, body).await?;
    credentials.source = source(&head.extensions);
    path.iter().for_each(|(name, value)| fields.set_text(name, value));
    let (caller, claim) = O::Caller::identify(credentials, app).await?;
    // What is wrong with it is told to whoever is signed in.
    let request = fields.parse::<O>();
    let Some(claim) = claim else {
        return request?.handle(caller, app).await;
    };
    if O::Caller::READS_ONLY {
        let handled = async { request?.handle(caller, app).await };
        let (signed_in, handled) = tokio::join!(claim.check(app), handled);
        return signed_in.and(handled);
    }
    let user = claim.session.user;
    match O::LIMIT.filter(|_| request.is_ok()) {
        Some(limit) => match tokio::join!(claim.check(app), app.store.count(user, limit)) {
            (Ok(()), counted) => counted?,
            (Err(no), counted) => {
                // Whoever has a token that was ended does not use the user's limits up.
                if counted.is_ok() {
                    app.store.uncount(user, limit).await?;
                }
                return Err(no);
            }
        },
        None => claim.check(app).await?,
    }
    request?.handle(caller, app).await
}

/// The response where document E shows `""`.
#[derive(Serialize, JsonSchema)]
#[schemars(transparent, description = "Done.")]
pub struct Nothing(#[schemars(with = "String", length(max = 0))] &'static str);

impl Nothing {
    pub const DONE: Self = Self("");
}

/// What document D shows under the operation's own name: `{"article_list": …}`.
pub struct Named<O, T>(T, PhantomData<O>);

impl<O, T> Named<O, T> {
    pub fn new(what: T) -> Self {
        Self(what, PhantomData)
    }
}

impl<O: JsonSchema, T: Serialize> Serialize for Named<O, T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map([(name::<O>(), &self.0)])
    }
}

impl<O: JsonSchema, T: JsonSchema> JsonSchema for Named<O, T> {
    fn schema_name() -> Cow<'static, str> {
        "Named".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (name, what) = (name::<O>(), generator.subschema_for::<T>());
        json_schema!({"type": "object", "properties": {&name: what}, "required": [name]})
    }
}

/// The response of an operation that has nothing to say beyond the envelope.
#[derive(Serialize, JsonSchema)]
#[schemars(description = "Done.")]
pub struct Done {}
