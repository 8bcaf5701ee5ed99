//! The API reference: `/openapi.json`, and Swagger UI at `/docs` from what is built into the binary.

use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::Html;
use axum::routing::get;
use axum::{Json, Router};
use swagger_ui_dist::{ApiDefinition, OpenApiSource};

// Ours, since the crate's own page asks a validator on the internet about every document not on localhost.
const PAGE: &str = r##"<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>API reference</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="/docs/ui/swagger-ui.css">
</head>
<body>
  <div id="ui"></div>
  <script src="/docs/ui/swagger-ui-bundle.js"></script>
  <script>
    SwaggerUIBundle({
      url: "/openapi.json", dom_id: "#ui", validatorUrl: null,
      deepLinking: true, filter: true, persistAuthorization: true,
    });
  </script>
</body>
</html>
"##;

/// Nothing is loaded from, and nothing sent to, anywhere but here.
const POLICY: &str = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data: blob:";

/// The routes that serve `openapi` and its reference page. It is made when somebody asks: most who start never do.
pub fn routes(openapi: fn() -> serde_json::Value) -> Router {
    let ui = swagger_ui_dist::generate_routes(ApiDefinition {
        uri_prefix: "/docs/ui",
        api_definition: OpenApiSource::Uri("/openapi.json"),
        title: None,
    });
    Router::new()
        .route("/openapi.json", get(move || async move { Json(openapi()) }))
        .route("/docs", get(|| async { ([(CONTENT_SECURITY_POLICY, POLICY)], Html(PAGE)) }))
        .merge(ui)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    #[tokio::test]
    async fn the_page_and_all_it_loads_is_served_from_here() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(axum::serve(listener, routes(|| json!({"openapi": "3.1.0"}))).into_future());
        let get = async |path: &str| {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer:.200}");
            answer
        };
        let page = get("/docs").await;
        assert!(page.contains("content-security-policy: default-src 'self'"), "{page}");
        assert!(!page.contains("://") && !page.contains("\"//"), "{page}");
        let loaded: Vec<_> = page.split('"').filter(|text| text.starts_with('/')).collect();
        assert_eq!(loaded, ["/docs/ui/swagger-ui.css", "/docs/ui/swagger-ui-bundle.js", "/openapi.json"]);
        for path in loaded {
            get(path).await;
        }
        assert!(get("/openapi.json").await.ends_with(r#"{"openapi":"3.1.0"}"#));
    }
}
