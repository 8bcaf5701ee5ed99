//! Who may talk to what runs here: programs of this machine's user, not the websites that their browser shows. Such a
//! site can send requests to any port of the machine; by a name of its own that leads here it can read the answers.
use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::json;

/// Refuses what was asked of a host that is not this machine by one of its own names.
pub async fn own_host(request: Request, next: Next) -> Response {
    match is_own_host(&request) {
        true => next.run(request).await,
        false => refused("Host: this is for programs on this machine: ask 127.0.0.1 or localhost"),
    }
}

/// The same, and what another site's page sent.
pub async fn own_host_and_origin(request: Request, next: Next) -> Response {
    match is_own_origin(request.headers()) {
        true => own_host(request, next).await,
        false => other_origin(),
    }
}

/// The answer to another site's page.
pub fn other_origin() -> Response {
    refused("Origin: this is for programs on this machine, not for other sites' pages")
}

fn refused(msg: &str) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json")];
    (StatusCode::FORBIDDEN, headers, json!({"code": 403, "msg": msg}).to_string()).into_response()
}

/// Whatever the port: it may be forwarded, and a browser's is always the one that it has connected to.
fn is_own_host(request: &Request) -> bool {
    let named = request.headers().get_all(header::HOST).iter().map(|host| Authority::try_from(host.as_bytes()).ok());
    let named = named.chain(request.uri().authority().cloned().map(Some));
    // A browser names one.
    named.into_iter().all(|host| host.is_some_and(|host| is_this_machine(host.host()) && !host.as_str().contains('@')))
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// That a page of this very server sent it, or no page at all.
pub fn is_own_origin(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).map(|host| host.as_bytes());
    headers.get_all(header::ORIGIN).iter().all(|origin| {
        let own = origin.as_bytes().strip_prefix(b"http://");
        own.is_some() && own == host
    })
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn request(uri: &str, headers: &[(&str, &str)]) -> Request {
        let request =
            headers.iter().fold(Request::builder().uri(uri), |request, (name, value)| request.header(*name, *value));
        request.body(Body::empty()).unwrap()
    }

    #[test]
    fn a_host_is_this_machine_by_a_name_of_its_own() {
        for host in
            ["127.0.0.1", "127.0.0.1:9000", "localhost", "LOCALHOST:9000", "[::1]", "[::1]:9000", "127.1.2.3:80"]
        {
            assert!(is_own_host(&request("/", &[("host", host)])), "{host}");
            assert!(is_own_host(&request(&format!("http://{host}/"), &[("host", host)])), "{host}");
            assert!(!is_own_host(&request("http://evil.example/", &[("host", host)])), "{host}");
            assert!(!is_own_host(&request("/", &[("host", host), ("host", "evil.example")])), "{host}");
        }
        assert!(is_own_host(&request("/", &[])), "no browser leaves it out");
        for host in [
            "evil.example",
            "evil.example:9000",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "notlocalhost",
            "localhost@evil.example",
            "evil.example@localhost",
            "0.0.0.0",
            "0.0.0.0:9000",
            "[::]",
            "192.168.0.1",
            "::1",
            "169.254.169.254",
            "2130706433",
            "localhost.",
            "",
            " ",
            "é",
            "localhost:9000/x",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(!is_own_host(&request("/", &[("host", host)])), "{host}");
        }
    }

    #[test]
    fn an_origin_is_this_very_server() {
        for host in ["127.0.0.1:9000", "localhost:9000", "[::1]:9000"] {
            assert!(is_own_origin(request("/", &[("host", host)]).headers()));
            assert!(is_own_origin(request("/", &[("host", host), ("origin", &format!("http://{host}"))]).headers()));
            for origin in [
                "null",
                "",
                "http://evil.example",
                "https://127.0.0.1:9000",
                "http://127.0.0.1:3000",
                "http://localhost",
            ] {
                assert!(!is_own_origin(request("/", &[("host", host), ("origin", origin)]).headers()), "{origin}");
            }
        }
        assert!(!is_own_origin(request("/", &[("origin", "http://127.0.0.1")]).headers()));
    }
}
