//! The runner is its user's alone: no website that their browser shows reads or changes what is here.
use http::{Method, Request, StatusCode, header};
use serde_json::json;

use crate::support::{Answer, Test};

const PHONE: &str = "13800138001";

/// What other sites' pages are, and what does not say so.
const SITES: [&str; 5] =
    ["http://evil.example", "https://evil.example", "null", "http://localhost:3000", "http://127.0.0.1"];

/// Names that lead here and are somebody else's.
const HOSTS: [&str; 5] =
    ["evil.example", "evil.example:9000", "127.0.0.1.evil.example", "localhost.evil.example:80", "0.0.0.0"];

/// A call that each answers.
struct Door {
    name: &'static str,
    method: Method,
    url: String,
    headers: Vec<(&'static str, String)>,
    body: &'static str,
}

async fn doors(test: &Test) -> Vec<Door> {
    test.code(PHONE).await;
    let engines = &test.plaza.engines;
    let scan = [
        ("x-amz-target", "DynamoDB_20120810.Scan"),
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-date", "20270115T000000Z"),
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=local/20270115/eu-west-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
        ),
    ];
    let form = ("content-type", "application/x-www-form-urlencoded".to_owned());
    let door = |name, method, url, headers, body| Door { name, method, url, headers, body };
    vec![
        door("API", Method::GET, test.url(&format!("/_local/sms?phone={PHONE}")), vec![], ""),
        door("catalogue", Method::POST, test.url("/_local/catalog"), vec![], r#"{"records": []}"#),
        door("desk", Method::GET, test.url("/_local/desk/items?noun=users"), vec![], ""),
        door(
            "DynamoDB",
            Method::POST,
            format!("{}/", engines.dynamodb),
            scan.map(|(name, value)| (name, value.to_owned())).into(),
            r#"{"TableName": "plaza"}"#,
        ),
        door(
            "SNS",
            Method::POST,
            format!("{}/", engines.sns),
            vec![form],
            "Action=Publish&PhoneNumber=%2B8613800138001&Message=hi",
        ),
        door(
            "SQS",
            Method::POST,
            format!("{}/", engines.sqs),
            vec![("x-amz-target", "AmazonSQS.SendMessageBatch".into())],
            r#"{"QueueUrl": "tasks", "Entries": [{"Id": "0", "MessageBody": "hi", "MessageGroupId": "U#1"}]}"#,
        ),
    ]
}

impl Door {
    async fn ask(&self, test: &Test, headers: &[(&'static str, &str)]) -> Answer {
        let mut request = Request::builder().method(self.method.clone());
        let own = self.headers.iter().map(|(name, value)| (*name, value.as_str()));
        for (name, value) in own.chain(headers.iter().copied()) {
            request = request.header(name, value);
        }
        test.call(request, &self.url, self.body).await
    }
}

/// That no page can read it.
fn is_not_shared(answer: &Answer) {
    let shared = answer.headers.keys().filter(|name| name.as_str().starts_with("access-control-"));
    assert_eq!(shared.count(), 0, "{answer:?}");
}

#[tokio::test]
async fn whoever_asks_by_this_machines_names_is_answered() {
    let test = Test::start().await;
    for door in doors(&test).await {
        let port = door.url.parse::<http::Uri>().unwrap().port_u16().unwrap();
        for host in ["127.0.0.1", "localhost", "[::1]"].map(|host| format!("{host}:{port}")) {
            for headers in [vec![("host", host.as_str())], vec![("host", &host), ("origin", &format!("http://{host}"))]]
            {
                let answer = door.ask(&test, &headers).await;
                assert_eq!(answer.status, StatusCode::OK, "{} {headers:?} {answer:?}", door.name);
            }
        }
    }
}

#[tokio::test]
async fn a_name_that_is_somebody_elses_is_refused_at_every_port() {
    let test = Test::start().await;
    let doors = doors(&test).await;
    for host in HOSTS {
        for door in &doors {
            let answer = door.ask(&test, &[("host", host)]).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{} {host} {answer:?}", door.name);
            is_not_shared(&answer);
        }
        for path in ["/user/pic/list", "/docs", "/openapi.json", "/desk", "/", "/_local/none", "/none"] {
            let answer = test.call(Request::builder().header("host", host), &test.url(path), "").await;
            assert_eq!((answer.status, &answer.body["code"]), (StatusCode::FORBIDDEN, &json!(403)), "{path} {host}");
        }
        let media = format!("{}/plaza-media/media/none.png", test.plaza.engines.s3);
        for url in [media, format!("{}/", test.plaza.engines.s3)] {
            let answer = test.call(Request::builder().header("host", host), &url, "").await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{url} {host}");
            is_not_shared(&answer);
        }
    }
}

#[tokio::test]
async fn other_sites_pages_are_refused() {
    let test = Test::start().await;
    let doors = doors(&test).await;
    for site in SITES {
        for door in &doors {
            let answer = door.ask(&test, &[("origin", site)]).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{} {site} {answer:?}", door.name);
            is_not_shared(&answer);
            // Whether it may, is asked first.
            let asks = Request::builder().method(Method::OPTIONS).header("origin", site);
            let asks = asks.header("access-control-request-method", door.method.as_str());
            let asks = asks.header("access-control-request-headers", "content-type,x-amz-target,authorization");
            is_not_shared(&test.call(asks, &door.url, "").await);
        }
    }
    let answer = doors[0].ask(&test, &[]).await;
    assert_eq!(answer.status, StatusCode::OK);
    is_not_shared(&answer);
    assert_eq!(test.plaza.engines.sms.last_code("+8613800138001"), answer.body["code"].as_str().map(str::to_owned));
}

#[tokio::test]
async fn other_sites_pages_may_call_the_api_as_when_deployed() {
    let test = Test::start().await;
    let asks = Request::builder().method(Method::OPTIONS).header("origin", "http://app.example");
    let asks =
        asks.header("access-control-request-method", "POST").header("access-control-request-headers", "authorization");
    let answer = test.send(asks, "/user/login", "").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    let answer = test.send(Request::builder().header("origin", "http://app.example"), "/user/pic/list", "").await;
    assert_eq!((answer.status, &answer.body["code"]), (StatusCode::OK, &json!(0)));
    assert_eq!(answer.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
}

#[tokio::test]
async fn other_sites_pages_show_media_and_put_uploads_and_nothing_else() {
    let test = Test::start().await;
    let (_, token) = test.user(PHONE).await;
    let answer = test.json("/get_media_id", json!({"token": token})).await;
    let upload = answer.body["upload_url"].as_str().unwrap().to_owned();
    let picture = crate::support::picture(64, 64);
    let put = || Request::builder().method(Method::PUT).header("content-type", "image/jpeg");
    let asks = Request::builder().method(Method::OPTIONS).header("origin", "http://app.example");
    let asks =
        asks.header("access-control-request-method", "PUT").header("access-control-request-headers", "content-type");
    let allowed = test.call(asks, &upload, "").await;
    assert_eq!(
        (allowed.status, &allowed.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN]),
        (StatusCode::OK, &"*".parse().unwrap())
    );
    let sent = test.call(put().header("origin", "http://app.example"), &upload, picture.clone()).await;
    assert_eq!(sent.status, StatusCode::OK, "{sent:?}");
    let media = format!("{}/{}", test.plaza.environment["MEDIA_BASE_URL"], answer.body["media_id"].as_str().unwrap());
    for site in SITES {
        let shown = test.call(Request::builder().header("origin", site), &media, "").await;
        assert_eq!(shown.status, StatusCode::OK, "{site}");
        let bucket = format!("{}/plaza-media", test.plaza.engines.s3);
        for (method, url) in [
            (Method::GET, format!("{bucket}?list-type=2")),
            (Method::GET, format!("{bucket}/upload/a.jpeg")),
            (Method::GET, test.plaza.engines.s3.clone()),
            (Method::PUT, media.clone()),
            (Method::PUT, media.clone() + "?X-Amz-Signature=0"),
            (Method::PUT, upload.split('?').next().unwrap().to_owned()),
            (Method::DELETE, media.clone()),
            (Method::POST, bucket.clone() + "?delete"),
        ] {
            let request = Request::builder().method(method.clone()).header("origin", site);
            let answer = test.call(request, &url, "").await;
            assert_eq!(
                (answer.status, &answer.body["code"]),
                (StatusCode::FORBIDDEN, &json!(403)),
                "{method} {url} {site}"
            );
            is_not_shared(&answer);
        }
    }
}
