//! The bucket: s3s over a folder.

use std::path::Path;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::SimpleAuth;
use s3s::path::S3Path;
use s3s::service::S3ServiceBuilder;
use s3s::{S3Result, s3_error};
use s3s_fs::FileSystem;
use tower_http::cors::CorsLayer;

use super::{ACCESS_KEY, EngineError, SECRET_KEY};

/// What anybody may read, as CloudFront serves it when deployed.
const PUBLIC: &str = "media/";

/// S3's API over `root`, with one bucket.
pub(super) fn router(root: &Path, bucket: &str) -> Result<Router, EngineError> {
    std::fs::create_dir_all(root.join(bucket))
        .map_err(|source| EngineError::Folder { path: root.join(bucket), source })?;
    let files = FileSystem::new(root).map_err(|error| EngineError::ObjectStore(format!("{error:?}")))?;
    let mut service = S3ServiceBuilder::new(files);
    service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
    service.set_access(MediaIsPublic { bucket: bucket.into() });
    let service = service.build();
    let serve = move |request: Request| async move {
        match service.call(request.map(s3s::Body::http_body_unsync)).await {
            Ok(response) => response.map(Body::new),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    };
    Ok(Router::new().fallback(serve).layer(CorsLayer::permissive()))
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
            (Some(_), _) => Ok(()),
            (None, S3Path::Object { bucket, key }) if reads && **bucket == *self.bucket && is_public(key) => Ok(()),
            _ => Err(s3_error!(AccessDenied)),
        }
    }
}

/// The store takes keys for file names: `media/../x` would be `x`.
fn is_public(key: &str) -> bool {
    key.starts_with(PUBLIC) && !key.split(['/', '\\']).any(|part| part == "..")
}
