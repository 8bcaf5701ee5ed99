//! The API reference: `/openapi.json`, and Swagger UI at `/docs` from what is built into the binary. The page is ours,
//! since the crate's own asks a validator on the internet about every document not on localhost.

use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::routing::get;
use axum::{Json, Router};
use swagger_ui_dist::{ApiDefinition, OpenApiSource};

/// Nothing is loaded from, and nothing sent to, anywhere but here.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The routes that serve `openapi` and its reference page. It is made when somebody asks: most who start never do.
pub fn routes(openapi: fn() -> serde_json::Value) -> Router {
    let ui = swagger_ui_dist::generate_routes(ApiDefinition {
        uri_prefix: "/docs/ui",
        api_definition: OpenApiSource::Uri("/openapi.json"),
        title: None,
    });
    let file = |kind: &'static str, text: &'static str| {
        get(move || async move { ([(CONTENT_TYPE, kind), (CONTENT_SECURITY_POLICY, POLICY)], text) })
    };
    Router::new()
        .route("/openapi.json", get(move || async move { Json(openapi()) }))
        .route("/docs", file("text/html; charset=utf-8", include_str!("web/reference.html")))
        .route("/docs/reference.css", file("text/css", include_str!("web/reference.css")))
        .route("/docs/reference.js", file("text/javascript", include_str!("web/reference.js")))
        .route("/docs/people.js", file("text/javascript", include_str!("web/people.js")))
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
        let script = get("/docs/reference.js").await;
        let files = |text: &str| -> Vec<String> {
            let named = text.split('"').filter(|text| text.starts_with("/docs/") || text.starts_with("/openapi"));
            named.map(str::to_owned).collect()
        };
        let loaded = [files(&page), files(&script)].concat();
        assert_eq!(loaded.len(), 6, "{loaded:?}");
        for path in loaded {
            get(&path).await;
        }
        assert!(get("/openapi.json").await.ends_with(r#"{"openapi":"3.1.0"}"#));
    }
}
