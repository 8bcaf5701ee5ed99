//! The proof that an access token of QQ, WeChat or Weibo belongs to who says so, asked of the provider over HTTP.

use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use http::{Method, Request, header::CONTENT_TYPE};
use serde_json::Value;

use super::exchange::{Exchange, Failure};
use crate::domain::Refusal;
use crate::words;

/// The whole proof, to the last byte of the answer.
const TIME_LIMIT: Duration = Duration::from_secs(4);

/// Who vouches for a third-party identity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Provider {
    Qq,
    WeChat,
    Weibo,
}

impl Provider {
    /// `qq`, `wechat` or `weibo`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Qq => "qq",
            Self::WeChat => "wechat",
            Self::Weibo => "weibo",
        }
    }
}

/// The providers offered here, by which of our apps and at what address.
pub struct Providers {
    qq: Option<ProviderApp>,
    wechat: Option<ProviderApp>,
    weibo: Option<ProviderApp>,
    exchange: Exchange,
}

/// Our app at a provider.
struct ProviderApp {
    id: String,
    /// Without a slash at its end.
    base_url: String,
}

impl Providers {
    /// From `QQ_APP_ID`, `WECHAT_APP_ID` and `WEIBO_APP_ID`: a provider without an app id is not offered.
    /// `QQ_BASE_URL`, `WECHAT_BASE_URL` and `WEIBO_BASE_URL` replace the providers' own addresses.
    pub fn from_environment(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let value = |name: String| variable(&name).filter(|value| !value.is_empty());
        let app = |name: &str, base_url: &str| {
            let id = value(format!("{name}_APP_ID"))?;
            let base_url = value(format!("{name}_BASE_URL")).unwrap_or_else(|| base_url.to_owned());
            Some(ProviderApp { id, base_url: base_url.trim_end_matches('/').to_owned() })
        };
        Self {
            qq: app("QQ", "https://graph.qq.com"),
            wechat: app("WECHAT", "https://api.weixin.qq.com"),
            weibo: app("WEIBO", "https://api.weibo.com"),
            exchange: Exchange::within(TIME_LIMIT),
        }
    }

    /// `Ok` when the provider says that the access token `token` belongs to `openid` (Weibo's `uid`) and was issued to
    /// our app. WeChat does not name the app, but its openids differ from app to app: another app's token proves only
    /// an openid that is nobody here.
    ///
    /// `WrongPassword` when the provider says no, `Unavailable` when it gives no clear answer within four seconds,
    /// `Malformed` when it is not offered here or a value cannot be one of its.
    pub async fn prove(&self, provider: Provider, openid: &str, token: &str) -> Result<(), Refusal> {
        let app = match provider {
            Provider::Qq => &self.qq,
            Provider::WeChat => &self.wechat,
            Provider::Weibo => &self.weibo,
        };
        let Some(app) = app else {
            return Err(not_offered(provider));
        };
        check("openid", openid)?;
        check("token", token)?;
        match self.ask(provider, app, openid, token).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Refusal::WrongPassword),
            Err(failure) => {
                tracing::warn!(provider = provider.name(), %failure, "no proof of a third-party login");
                Err(Refusal::Unavailable)
            }
        }
    }

    async fn ask(&self, provider: Provider, app: &ProviderApp, openid: &str, token: &str) -> Result<bool, Failure> {
        let request = request(provider, &app.base_url, openid, token).ok_or(Failure::Url)?;
        let (status, body) = self.exchange.ask(request).await?;
        // Weibo explains its errors in bodies of status 400 and 403; redirects are not followed.
        if !matches!(status, 200 | 400..=499) {
            return Err(Failure::Status(status));
        }
        match judge(provider, &app.id, openid, &body) {
            Ok(true) | Err(Failure::Unreadable) if status != 200 => Err(Failure::Status(status)),
            judgement => judgement,
        }
    }
}

fn not_offered(provider: Provider) -> Refusal {
    let words = words!("login by {name} is not offered here", "这里不支持用 {name} 登录", name = provider.name());
    Refusal::malformed("user_type", words)
}

/// Lets through what an openid or a token can be at any of the providers, and nothing else.
fn check(field: &str, value: &str) -> Result<(), Refusal> {
    match (1..=512).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(()),
        false => Err(Refusal::malformed(
            field,
            words!("1 to 512 visible ASCII characters", "应为 1 至 512 个可见的 ASCII 字符"),
        )),
    }
}

/// The provider's question for what a token is good for; `None` if the base URL is not one.
fn request(provider: Provider, base_url: &str, openid: &str, token: &str) -> Option<HttpRequest> {
    let encode = |pairs: &[(&str, &str)]| form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let get = |path, query| (Method::GET, format!("{base_url}{path}?{query}"), SdkBody::empty());
    let (method, url, body) = match provider {
        Provider::Qq => get("/oauth2.0/me", encode(&[("access_token", token), ("fmt", "json")])),
        Provider::WeChat => get("/sns/auth", encode(&[("access_token", token), ("openid", openid)])),
        Provider::Weibo => (
            Method::POST,
            format!("{base_url}/oauth2/get_token_info"),
            SdkBody::from(encode(&[("access_token", token)])),
        ),
    };
    let mut request = Request::builder().method(method.clone()).uri(url);
    if method == Method::POST {
        request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    }
    request.body(body).ok()?.try_into().ok()
}

/// Whether the provider's answer proves that the token belongs to `openid` and, where it tells, to the app `app_id`.
/// Error codes that are about the token or its user mean no; all others (busy, over quota, …) leave it open.
fn judge(provider: Provider, app_id: &str, openid: &str, body: &[u8]) -> Result<bool, Failure> {
    let answer: Value = serde_json::from_slice(without_callback(body)).map_err(|_| Failure::Unreadable)?;
    // The documents and the answers disagree about which ids and codes are strings and which are numbers.
    let text = |field: &str| match &answer[field] {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(Failure::Unreadable),
    };
    let number = |field: &str| text(field)?.parse::<i64>().map_err(|_| Failure::Unreadable);
    let error_code = |field: &str| answer.get(field).map(|_| number(field)).transpose();
    match provider {
        Provider::Qq => match error_code("error")? {
            None => Ok(text("client_id")? == app_id && text("openid")? == openid),
            Some(100_000..=100_999) => Ok(false),
            Some(code) => Err(Failure::ErrorCode(code)),
        },
        Provider::WeChat => match number("errcode")? {
            0 => Ok(true),
            40_000..=42_999 | 50_000..=50_999 => Ok(false),
            code => Err(Failure::ErrorCode(code)),
        },
        Provider::Weibo => match error_code("error_code")? {
            None => Ok(number("expire_in")? > 0 && text("appkey")? == app_id && text("uid")? == openid),
            // The first digit says whose error it is: 1 the platform's, 2 the request's.
            Some(20_000..=29_999) => Ok(false),
            Some(code) => Err(Failure::ErrorCode(code)),
        },
    }
}

/// The JSON inside `callback( … );`, which QQ answers where it does not heed `fmt`.
fn without_callback(body: &[u8]) -> &[u8] {
    let body = body.trim_ascii();
    body.strip_prefix(b"callback(").and_then(|rest| rest.strip_suffix(b");")).unwrap_or(body)
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Read, Write},
        net::{TcpListener, TcpStream},
        sync::{Arc, Mutex},
        thread::{self, JoinHandle},
    };

    use tracing::{Dispatch, Level};
    use tracing_subscriber::util::SubscriberInitExt;

    use super::{super::exchange::SIZE_LIMIT, *};

    const A_MOMENT: Duration = Duration::from_millis(500);
    const APP: &str = "1352222456";
    const OPENID: &str = "1073880650";
    const TOKEN: &str = "2.00+a/b&c=d%";
    const ENCODED_TOKEN: &str = "2.00%2Ba%2Fb%26c%3Dd%25";

    const GOOD: [(Provider, &str); 3] = [
        (Provider::Qq, r#"{"client_id":"1352222456","openid":"1073880650"}"#),
        (Provider::WeChat, r#"{"errcode":0,"errmsg":"ok"}"#),
        (
            Provider::Weibo,
            r#"{"uid":1073880650,"appkey":1352222456,"scope":null,"create_at":1352267591,"expire_in":157679471}"#,
        ),
    ];

    /// A provider on loopback that takes one connection; its base URL and what `serve` returns.
    fn stand_in<T: Send + 'static>(serve: impl FnOnce(TcpStream) -> T + Send + 'static) -> (String, JoinHandle<T>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        (base_url, thread::spawn(move || serve(listener.accept().unwrap().0)))
    }

    /// A stand-in that gives one answer and returns the request it saw.
    fn answering(status: u16, body: &str) -> (String, JoinHandle<String>) {
        let answer = format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stand_in(move |mut stream| {
            let request = read_request(&mut stream);
            stream.write_all(answer.as_bytes()).unwrap();
            request
        })
    }

    fn read_request(stream: &mut TcpStream) -> String {
        let mut request = String::new();
        loop {
            let mut bytes = [0; 1024];
            let length = stream.read(&mut bytes).unwrap();
            assert!(length > 0, "half a request: {request}");
            request.push_str(str::from_utf8(&bytes[..length]).unwrap());
            if let Some((head, body)) = request.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                if body.len() == length.map_or(0, |length| length.parse().unwrap()) {
                    return request;
                }
            }
        }
    }

    /// What the stand-in returns. Blocks no runtime: there the client's connections are closed.
    async fn end_of<T: Send + 'static>(stand_in: JoinHandle<T>) -> T {
        tokio::task::spawn_blocking(|| stand_in.join().unwrap()).await.unwrap()
    }

    fn providers(base_url: &str) -> Providers {
        Providers::from_environment(&|name| {
            Some(if name.ends_with("_APP_ID") { APP.to_owned() } else { base_url.to_owned() })
        })
    }

    async fn prove(provider: Provider, status: u16, body: &str) -> Result<(), Refusal> {
        let (base_url, seen) = answering(status, body);
        let proof = providers(&base_url).prove(provider, OPENID, TOKEN).await;
        end_of(seen).await;
        proof
    }

    async fn failure(base_url: &str) -> Failure {
        failure_within(TIME_LIMIT, base_url).await
    }

    async fn failure_within(time_limit: Duration, base_url: &str) -> Failure {
        let providers = Providers { exchange: Exchange::within(time_limit), ..providers(base_url) };
        providers.ask(Provider::Qq, providers.qq.as_ref().unwrap(), OPENID, TOKEN).await.unwrap_err()
    }

    #[tokio::test]
    async fn each_provider_is_asked_in_its_own_way() {
        for (provider, body) in GOOD {
            for slash in ["", "/"] {
                let (base_url, seen) = answering(200, body);
                let proof = providers(&format!("{base_url}/at{slash}")).prove(provider, OPENID, TOKEN).await;
                let seen = end_of(seen).await;
                assert_eq!(proof, Ok(()), "{provider:?}");
                assert!(seen.contains(&format!("\r\nhost: {}\r\n", &base_url["http://".len()..])), "{seen}");
                let (first_line, form) = match provider {
                    Provider::Qq => {
                        (format!("GET /at/oauth2.0/me?access_token={ENCODED_TOKEN}&fmt=json"), String::new())
                    }
                    Provider::WeChat => {
                        (format!("GET /at/sns/auth?access_token={ENCODED_TOKEN}&openid={OPENID}"), String::new())
                    }
                    Provider::Weibo => {
                        assert!(seen.contains("\r\ncontent-type: application/x-www-form-urlencoded\r\n"), "{seen}");
                        ("POST /at/oauth2/get_token_info".to_owned(), format!("access_token={ENCODED_TOKEN}"))
                    }
                };
                assert_eq!(seen.lines().next(), Some(&*format!("{first_line} HTTP/1.1")));
                assert_eq!(seen.split_once("\r\n\r\n").unwrap().1, form);
            }
        }
    }

    #[tokio::test]
    async fn other_spellings_of_yes() {
        for (provider, body) in [
            (Provider::Qq, "callback( {\"client_id\":\"1352222456\",\"openid\":\"1073880650\"} );\n"),
            (Provider::Qq, r#"{"client_id":1352222456,"openid":"1073880650","unionid":"UID_1"}"#),
            (Provider::Weibo, r#"{"uid":"1073880650","appkey":"1352222456","expire_in":"1"}"#),
        ] {
            assert_eq!(prove(provider, 200, body).await, Ok(()), "{body}");
        }
    }

    #[tokio::test]
    async fn a_token_that_proves_something_else_lets_nobody_in() {
        for (provider, status, body) in [
            (Provider::Qq, 200, r#"{"client_id":"1352222456","openid":"1073880651"}"#),
            (Provider::Qq, 200, r#"{"client_id":"1352222457","openid":"1073880650"}"#),
            (Provider::Qq, 200, r#"callback( {"client_id":"1352222457","openid":"1073880650"} );"#),
            (Provider::Qq, 200, r#"{"error":100016,"error_description":"access token check failed"}"#),
            (Provider::Qq, 200, "callback( {\"error\":100013,\"error_description\":\"access token is illegal\"} );\n"),
            (Provider::WeChat, 200, r#"{"errcode":40003,"errmsg":"invalid openid"}"#),
            (Provider::WeChat, 200, r#"{"errcode":40001,"errmsg":"invalid credential"}"#),
            (Provider::WeChat, 200, r#"{"errcode":42001,"errmsg":"access_token expired"}"#),
            (Provider::Weibo, 200, r#"{"uid":1073880651,"appkey":1352222456,"expire_in":60}"#),
            (Provider::Weibo, 200, r#"{"uid":1073880650,"appkey":1352222457,"expire_in":60}"#),
            (Provider::Weibo, 200, r#"{"uid":1073880650,"appkey":1352222456,"expire_in":0}"#),
            (Provider::Weibo, 200, r#"{"uid":1073880650,"appkey":1352222456,"expire_in":-5}"#),
            (Provider::Weibo, 400, r#"{"error":"expired_token","error_code":21327,"request":"/"}"#),
            (Provider::Weibo, 403, r#"{"error":"invalid_access_token","error_code":"21332"}"#),
        ] {
            assert_eq!(prove(provider, status, body).await, Err(Refusal::WrongPassword), "{provider:?} {body}");
        }
    }

    #[tokio::test]
    async fn no_clear_answer_lets_nobody_in() {
        let no = r#"{"error":100016,"errcode":40003,"error_code":21327}"#;
        for (provider, good) in GOOD {
            let cut = &good[..good.len() - 1];
            let nested = "[".repeat(10_000);
            for (status, body) in [
                (500, good),
                (503, "busy"),
                (400, good),
                (404, "<html>"),
                (204, ""),
                (206, good),
                (302, good),
                (302, no),
                (500, no),
                (200, ""),
                (200, "{}"),
                (200, "[]"),
                (200, "0"),
                (200, "\"ok\""),
                (200, cut),
                (200, &nested),
                (200, "callback( );"),
                (200, "\u{feff}{}"),
                (200, r#"{"errcode":-1,"errmsg":"system error","error":-1,"error_code":10002}"#),
                (200, r#"{"errcode":45009,"error":1002,"error_code":10023,"errmsg":"over quota"}"#),
                (200, r#"{"errcode":null,"error":null,"error_code":null}"#),
                (200, r#"{"errcode":false,"client_id":null,"openid":null,"uid":null,"appkey":null,"expire_in":1}"#),
                (200, r#"{"errcode":"ok","client_id":"1352222456","uid":1073880650,"appkey":1352222456}"#),
            ] {
                assert_eq!(
                    prove(provider, status, body).await,
                    Err(Refusal::Unavailable),
                    "{provider:?} {status} {body}"
                );
            }
        }
        let error_beside_yes = r#"{"error":"?","client_id":"1352222456","openid":"1073880650"}"#;
        assert_eq!(prove(Provider::Qq, 200, error_beside_yes).await, Err(Refusal::Unavailable));
    }

    #[tokio::test]
    async fn a_provider_that_never_answers_is_left() {
        let (base_url, end) = stand_in(|mut stream| {
            read_request(&mut stream);
            stream.read(&mut [0]).unwrap()
        });
        assert_eq!(failure_within(A_MOMENT, &base_url).await, Failure::TooSlow);
        assert_eq!(end_of(end).await, 0, "the connection was closed");
    }

    /// Slow, not unreachable: who reads the log looks in another place.
    #[tokio::test]
    async fn who_takes_the_connection_and_shakes_no_hand_is_slow() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        assert_eq!(failure(&format!("https://{}", silent.local_addr().unwrap())).await, Failure::TooSlow);
    }

    /// Writes the head of an answer, then `chunk` again and again until the client hangs up.
    fn pour(mut stream: TcpStream, chunk: &[u8], pause: Duration) {
        read_request(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        while stream.write_all(chunk).is_ok() {
            thread::sleep(pause);
        }
    }

    #[tokio::test]
    async fn an_endless_answer_is_left() {
        let (base_url, end) = stand_in(|stream| pour(stream, &[b' '; 4096], Duration::ZERO));
        assert_eq!(failure(&base_url).await, Failure::TooLarge);
        end_of(end).await;

        let (base_url, end) = stand_in(|stream| pour(stream, b" ", Duration::from_millis(20)));
        assert_eq!(failure_within(A_MOMENT, &base_url).await, Failure::TooSlow);
        end_of(end).await;
    }

    #[tokio::test]
    async fn an_answer_may_be_as_long_as_the_limit() {
        let (provider, good) = GOOD[0];
        let body = |length| format!("{good}{}", " ".repeat(length - good.len()));
        assert_eq!(prove(provider, 200, &body(SIZE_LIMIT)).await, Ok(()));
        assert_eq!(failure(&answering(200, &body(SIZE_LIMIT + 1)).0).await, Failure::TooLarge);
    }

    #[tokio::test]
    async fn broken_connections() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert_eq!(failure(&format!("http://{free}")).await, Failure::Unreachable);
        assert_eq!(failure("not a URL").await, Failure::Url);
        assert_eq!(failure("graph.qq.com").await, Failure::Url);

        let (base_url, _) = stand_in(|mut stream| {
            read_request(&mut stream);
        });
        assert_eq!(failure(&base_url).await, Failure::Unreachable);

        let (base_url, _) = stand_in(|mut stream| {
            read_request(&mut stream);
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{").unwrap();
        });
        assert_eq!(failure(&base_url).await, Failure::BrokenOff);
    }

    #[tokio::test]
    async fn https_speaks_tls_or_not_at_all() {
        let (base_url, first_byte) = stand_in(|mut stream| {
            let mut bytes = [0; 4096];
            let length = stream.read(&mut bytes).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            bytes[..length].first().copied()
        });
        assert_eq!(failure(&base_url.replace("http:", "https:")).await, Failure::Unreachable);
        assert_eq!(end_of(first_byte).await, Some(22), "a TLS handshake record");
    }

    #[tokio::test]
    async fn redirects_are_not_followed() {
        let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
        elsewhere.set_nonblocking(true).unwrap();
        let location = elsewhere.local_addr().unwrap();
        let (base_url, _) = stand_in(move |mut stream| {
            read_request(&mut stream);
            write!(stream, "HTTP/1.1 302 Found\r\nlocation: http://{location}/\r\ncontent-length: 0\r\n\r\n").unwrap();
        });
        assert_eq!(failure(&base_url).await, Failure::Status(302));
        assert_eq!(elsewhere.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }

    #[tokio::test]
    async fn one_connector_serves_many_proofs_each_on_a_fresh_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let providers = providers(&format!("http://{}", listener.local_addr().unwrap()));
        let server = thread::spawn(move || {
            for _ in 0..3 {
                let mut stream = listener.accept().unwrap().0;
                read_request(&mut stream);
                let body = GOOD[1].1;
                write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
                assert_eq!(stream.read(&mut [0]).unwrap(), 0);
            }
        });
        for _ in 0..3 {
            assert_eq!(providers.prove(Provider::WeChat, OPENID, TOKEN).await, Ok(()));
        }
        end_of(server).await;
    }

    #[tokio::test]
    async fn values_that_no_provider_gives_out_are_not_asked_about() {
        let providers = providers("not a URL");
        let malformed = |field| check(field, "");
        for value in ["", " ", "a b", "a\n", "a\0", "é", "a\u{7f}", &"a".repeat(513)] {
            assert_eq!(providers.prove(Provider::Qq, value, TOKEN).await, malformed("openid"), "{value:?}");
            assert_eq!(providers.prove(Provider::Qq, OPENID, value).await, malformed("token"), "{value:?}");
        }
        let longest = "~".repeat(512);
        assert_eq!(providers.prove(Provider::Qq, &longest, &longest).await, Err(Refusal::Unavailable));
    }

    #[tokio::test]
    async fn only_providers_with_an_app_of_ours_are_offered() {
        let names = [(Provider::Qq, "QQ"), (Provider::WeChat, "WECHAT"), (Provider::Weibo, "WEIBO")];
        for (ours, prefix) in names {
            let providers = Providers::from_environment(&|name| match name.strip_suffix("_APP_ID") {
                Some(name) if name == prefix => Some(APP.to_owned()),
                Some("QQ") => Some(String::new()),
                Some(_) => None,
                None => Some("not a URL".to_owned()),
            });
            for (provider, _) in names {
                let refusal = match provider == ours {
                    true => Refusal::Unavailable,
                    false => not_offered(provider),
                };
                assert_eq!(providers.prove(provider, OPENID, TOKEN).await, Err(refusal));
            }
        }

        let all =
            Providers::from_environment(&|name| Some(if name.ends_with("_APP_ID") { name } else { "" }.to_owned()));
        let apps = [all.qq, all.wechat, all.weibo].map(|app| app.map(|app| (app.id, app.base_url)).unwrap());
        assert_eq!(
            apps,
            [
                ("QQ_APP_ID", "https://graph.qq.com"),
                ("WECHAT_APP_ID", "https://api.weixin.qq.com"),
                ("WEIBO_APP_ID", "https://api.weibo.com"),
            ]
            .map(|(id, base_url)| (id.to_owned(), base_url.to_owned()))
        );
    }

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn the_log_names_provider_and_failure_and_nothing_secret() {
        let log = Log::default();
        let writer = log.clone();
        // While only one subscriber exists, the first test to reach a log line decides for all threads whether anybody
        // listens. So there are two.
        let _second = Dispatch::new(tracing_subscriber::registry());
        // Everything that any crate on the way would ever log.
        let _guard = tracing_subscriber::fmt()
            .with_max_level(Level::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .set_default();
        for (provider, _) in GOOD {
            assert_eq!(prove(provider, 500, "a body").await, Err(Refusal::Unavailable));
        }
        let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        for provider in ["qq", "wechat", "weibo"] {
            let line = format!("no proof of a third-party login provider=\"{provider}\" failure=HTTP status 500");
            assert!(log.contains(&line), "{log}");
        }
        for secret in [OPENID, TOKEN, ENCODED_TOKEN, "a body"] {
            assert!(!log.contains(secret), "{secret} in: {log}");
        }
    }
}
