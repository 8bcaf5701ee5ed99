//! The bucket: s3s over a folder, and the events of what comes into it.

use std::collections::HashMap;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use aws_lambda_events::s3::S3Event;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::SimpleAuth;
use s3s::path::S3Path;
use s3s::service::S3ServiceBuilder;
use s3s::{S3Result, s3_error};
use s3s_fs::FileSystem;
use serde_json::json;
use tower_http::cors::CorsLayer;

use super::{ACCESS_KEY, EngineError, SECRET_KEY};
use crate::guard;

/// What anybody may read, as CloudFront serves it when deployed.
const PUBLIC: &str = "media/";
/// What is told of, as the template has it.
const TOLD: &str = "upload/";
/// How often Lambda tries an event in all.
const TRIES: usize = 3;

/// S3's API over `root`, with one bucket.
pub(super) fn router(root: &Path, bucket: &str, uploads: Uploads) -> Result<Router, EngineError> {
    let folder = root.join(bucket);
    std::fs::create_dir_all(&folder).map_err(|source| EngineError::Folder { path: folder.clone(), source })?;
    let files = FileSystem::new(root).map_err(|error| EngineError::ObjectStore(format!("{error:?}")))?;
    let mut service = S3ServiceBuilder::new(files);
    service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
    service.set_access(MediaIsPublic { bucket: bucket.into() });
    let service = service.build();
    let bucket: Arc<str> = bucket.into();
    let of_pages = bucket.clone();
    let guard = from_fn(move |request: Request, next: Next| {
        let may = guard::is_own_origin(request.headers()) || is_for_pages(&request, &of_pages);
        async move { if may { guard::own_host(request, next).await } else { guard::other_origin() } }
    });
    let serve = move |request: Request| async move {
        let key =
            request.uri().path().strip_prefix('/').and_then(|path| path.strip_prefix(&*bucket)?.strip_prefix('/'));
        let key = key.unwrap_or_default().to_owned();
        let puts = request.method() == Method::PUT;
        let size = number(request.headers(), "content-length");
        // The store is not as S3 is: it swaps an object's bytes and its ETag one after the other, and looks whether
        // there is one before it writes.
        let turn = uploads.turn(key.rsplit('/').next().filter(|_| puts || key.starts_with(TOLD)).unwrap_or_default());
        let turn = turn.lock().await;
        let copies = request.headers().contains_key("x-amz-copy-source");
        if copies && request.headers().contains_key("if-none-match") && folder.join(&key).exists() {
            return refused(StatusCode::PRECONDITION_FAILED, "PreconditionFailed");
        }
        let response = match service.call(request.map(s3s::Body::http_body_unsync)).await {
            Ok(response) => response.map(Body::new),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        };
        drop(turn);
        if puts && response.status().is_success() && key.starts_with(TOLD) {
            let etag = response.headers().get("etag").and_then(|etag| etag.to_str().ok()).unwrap_or_default();
            let event = created(&bucket, &key, size, etag.trim_matches('"'));
            // To its end, even if the client is gone.
            let _ = tokio::spawn(async move { uploads.tell(event).await }).await;
        }
        response
    };
    Ok(Router::new().fallback(serve).layer(CorsLayer::permissive()).layer(guard))
}

/// What an app's page does, wherever that is from: it shows media, and puts a file to the address that it was given.
fn is_for_pages(request: &Request, bucket: &str) -> bool {
    let path = request.uri().path().strip_prefix('/').and_then(|path| path.strip_prefix(bucket)?.strip_prefix('/'));
    let (path, query) = (path.unwrap_or_default(), request.uri().query().unwrap_or_default());
    match *request.method() {
        // Only asks whether it may.
        Method::OPTIONS => true,
        Method::GET | Method::HEAD => path.starts_with(PUBLIC),
        Method::PUT => path.starts_with(TOLD) && query.contains("X-Amz-Signature="),
        _ => false,
    }
}

fn number(headers: &HeaderMap, name: &str) -> u64 {
    headers.get(name).and_then(|number| number.to_str().ok()?.parse().ok()).unwrap_or_default()
}

fn refused(status: StatusCode, code: &str) -> Response {
    (status, [("content-type", "application/xml")], format!("<Error><Code>{code}</Code></Error>")).into_response()
}

/// What S3 tells Lambda of a new object. (What time it is, nobody here asks.)
pub fn created(bucket: &str, key: &str, size: u64, etag: &str) -> S3Event {
    let record = json!({
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "eu-west-1",
        "eventTime": "1970-01-01T00:00:00.000Z",
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "local"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "local",
            "bucket": {"name": bucket, "ownerIdentity": {"principalId": "local"}, "arn": format!("arn:aws:s3:::{bucket}")},
            "object": {"key": key, "size": size, "eTag": etag, "sequencer": "0"},
        },
    });
    serde_json::from_value(json!({ "Records": [record] })).expect("an event of S3")
}

/// Those of all objects that lie in the folder: a stop may have cut off theirs.
pub(super) fn left(root: &Path, bucket: &str) -> Vec<S3Event> {
    let files = std::fs::read_dir(root.join(bucket).join(TOLD)).into_iter().flatten().flatten();
    let names = files.filter_map(|file| file.file_name().into_string().ok());
    names.map(|name| created(bucket, &format!("{TOLD}{name}"), 0, "")).collect()
}

type Handler = dyn Fn(S3Event) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync;

/// Brings the event of an upload to whoever takes them, before the upload is answered.
#[derive(Clone, Default)]
pub struct Uploads(Arc<State>);

#[derive(Default)]
struct State {
    handler: OnceLock<Box<Handler>>,
    held: Mutex<Option<Vec<S3Event>>>,
    turns: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl Uploads {
    /// Who takes the events. The error of a failure says what was not done.
    pub(super) fn deliver_to<F: Future<Output = Result<(), String>> + Send + 'static>(
        &self,
        handler: impl Fn(S3Event) -> F + Send + Sync + 'static,
    ) {
        let _ = self.0.handler.set(Box::new(move |event| Box::pin(handler(event))));
    }

    /// From now on events are kept, for a test to deliver as it likes.
    pub fn hold(&self) {
        lock(&self.0.held).get_or_insert_default();
    }

    /// Takes out those that were kept, in the order of the uploads.
    pub fn held(&self) -> Vec<S3Event> {
        lock(&self.0.held).as_mut().map(std::mem::take).unwrap_or_default()
    }

    pub(super) async fn tell(&self, event: S3Event) {
        if let Some(held) = lock(&self.0.held).as_mut() {
            return held.push(event);
        }
        let Some(handler) = self.0.handler.get() else { return };
        for _ in 0..TRIES {
            match handler(event.clone()).await {
                Ok(()) => return,
                Err(problem) => tracing::error!(problem, "an upload's event failed"),
            }
        }
    }

    /// One at a time for each name.
    fn turn(&self, name: &str) -> Arc<tokio::sync::Mutex<()>> {
        if name.is_empty() {
            return Arc::default();
        }
        let mut turns = lock(&self.0.turns);
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        turns.entry(name.to_owned()).or_default().clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who signed may do anything, everybody else read what is public.
struct MediaIsPublic {
    bucket: String,
}

#[async_trait::async_trait]
impl S3Access for MediaIsPublic {
    async fn check(&self, request: &mut S3AccessContext<'_>) -> S3Result<()> {
        let reads = matches!(request.s3_op().name(), "GetObject" | "HeadObject");
        match (request.credentials(), request.s3_path()) {
            // The store takes keys for file names: `upload/../media/x` would be `media/x`.
            (_, S3Path::Object { key, .. }) if key.split(['/', '\\']).any(|part| part == "..") => {
                Err(s3_error!(AccessDenied))
            }
            (Some(_), _) => Ok(()),
            (None, S3Path::Object { bucket, key }) if reads && **bucket == *self.bucket && key.starts_with(PUBLIC) => {
                Ok(())
            }
            _ => Err(s3_error!(AccessDenied)),
        }
    }
}
