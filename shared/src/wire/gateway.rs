//! What API Gateway says of a request beside the request itself.
use lambda_http::{
    Request, RequestExt as _,
    http::{Uri, uri::PathAndQuery},
    request::RequestContext,
};

/// The request at the path of the route that API Gateway found for it. What the client typed may begin with a stage's
/// name or with a custom domain's base path, of which no operation knows.
pub fn as_routed(mut request: Request) -> Request {
    if let Some(uri) = routed(&request) {
        *request.uri_mut() = uri;
    }
    request
}

fn routed(request: &Request) -> Option<Uri> {
    let RequestContext::ApiGatewayV2(context) = request.request_context_ref()? else { return None };
    let (_, route) = context.route_key.as_deref()?.split_once(' ')?;
    let parameters = request.path_parameters_ref();
    let parts = route.split('/').map(|part| {
        let name = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        match name.and_then(|name| parameters?.first(name)) {
            // They come decoded.
            Some(value) => form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>().replace('+', "%20"),
            None => part.to_owned(),
        }
    });
    let mut path = parts.collect::<Vec<_>>().join("/");
    if let Some(query) = request.uri().query() {
        path = format!("{path}?{query}");
    }
    let mut uri = request.uri().clone().into_parts();
    uri.path_and_query = Some(PathAndQuery::try_from(path).ok()?);
    Uri::from_parts(uri).ok()
}

#[cfg(test)]
mod tests {
    use lambda_http::request::LambdaRequest;
    use serde_json::{Value, json};

    use super::*;

    fn path(event: Value) -> String {
        let http = json!({"method": "GET", "path": event["rawPath"], "protocol": "HTTP/1.1", "sourceIp": "1.2.3.4",
            "userAgent": "test"});
        let context = json!({"accountId": "1", "apiId": "api", "http": http, "requestId": "id", "stage": event["stage"],
            "routeKey": event["routeKey"], "time": "01/Jan/2026:00:00:00 +0000", "timeEpoch": 1});
        let mut event = event;
        event["version"] = "2.0".into();
        event["headers"] = json!({"host": "api.example.org"});
        event["isBase64Encoded"] = false.into();
        event["requestContext"] = context;
        let request: LambdaRequest = serde_json::from_value(event).unwrap();
        as_routed(request.into()).uri().path_and_query().unwrap().to_string()
    }

    #[test]
    fn the_route_says_where_a_request_goes() {
        let event = |stage: &str, raw: &str, query: &str| {
            json!({"stage": stage, "routeKey": "GET /users/{user_id}/homepage", "rawPath": raw, "rawQueryString": query,
                "pathParameters": {"user_id": "a/b c+%41"}})
        };
        let there = "/users/a%2Fb%20c%2B%2541/homepage";
        assert_eq!(path(event("$default", "/users/a/homepage", "")), there);
        assert_eq!(path(event("prod", "/prod/users/a/homepage", "x=1&y=%20")), format!("{there}?x=1&y=%20"));
        assert_eq!(path(event("v1", "/base/path/users/a/homepage", "")), there);
    }

    #[test]
    fn what_was_not_routed_stays_where_it_is() {
        let event =
            json!({"stage": "$default", "routeKey": "$default", "rawPath": "/some/where", "rawQueryString": ""});
        assert_eq!(path(event), "/some/where");
    }
}
