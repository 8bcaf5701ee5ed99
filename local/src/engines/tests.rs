//! The engines as the functions meet them: through the real SDK, or as a stranger over plain HTTP.
#![expect(clippy::disallowed_methods, reason = "the engines live in real time")]

use std::collections::HashMap;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConsumedCapacity, KeysAndAttributes, Put, ReturnConsumedCapacity,
    ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

const BUCKET: &str = "pictures";
const TABLE: &str = "plaza";

fn template() -> Template {
    Template::parse(include_str!("../../../template.yaml")).unwrap()
}

fn start_with(template: &Template, data: Option<&Path>, ports: Option<u16>) -> Result<Engines, EngineError> {
    let data = data.map(Path::to_owned);
    Engines::start(Config { data, ports, template, bucket: BUCKET, table: TABLE }, |_, _| {})
}

fn start() -> Engines {
    start_with(&template(), None, None).unwrap()
}

fn start_at(data: &Path) -> Result<Engines, EngineError> {
    start_with(&template(), Some(data), None)
}

/// An SDK client of one of the three services.
macro_rules! client {
    ($sdk:ident, $endpoint:expr $(, $more:ident)?) => {{
        use $sdk::config::{BehaviorVersion, Region};
        let config = $sdk::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::from_keys(ACCESS_KEY, SECRET_KEY, None))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .endpoint_url($endpoint)
            $(.$more(true))?;
        $sdk::Client::from_conf(config.build())
    }};
}

fn dynamodb(endpoint: &str) -> aws_sdk_dynamodb::Client {
    client!(aws_sdk_dynamodb, endpoint)
}

fn s3(endpoint: &str) -> aws_sdk_s3::Client {
    client!(aws_sdk_s3, endpoint, force_path_style)
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn item(pk: &str) -> HashMap<String, AttributeValue> {
    HashMap::from([("pk".into(), text(pk)), ("sk".into(), text("-"))])
}

async fn exists(client: &aws_sdk_dynamodb::Client, pk: &str) -> bool {
    let got = client.get_item().table_name(TABLE).set_key(Some(item(pk))).consistent_read(true).send().await;
    got.unwrap().item.is_some()
}

/// One request on a connection of its own, its target sent exactly as given; the answer's head and body.
async fn http(method: &str, url: &str, headers: &[&str], body: &[u8]) -> (String, Vec<u8>) {
    let (host, target) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let mut head = format!("{method} /{target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    for header in headers.iter().copied().chain([&*format!("content-length: {}", body.len())]) {
        head += &format!("{header}\r\n");
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    (String::from_utf8(answer[..end].to_vec()).unwrap(), answer[end + 4..].to_vec())
}

async fn status(method: &str, url: &str) -> u16 {
    http(method, url, &[], b"").await.0[9..12].parse().unwrap()
}

#[tokio::test]
async fn a_condition_refuses_and_tells_what_is_there() {
    let engines = start();
    let client = dynamodb(&engines.dynamodb);
    let put = || {
        client
            .put_item()
            .table_name(TABLE)
            .set_item(Some(item("a")))
            .item("n", AttributeValue::N("1".into()))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
    };
    put().await.unwrap();
    let refused = put().await.unwrap_err().into_service_error();
    let aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(refused) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(refused.item.unwrap()["n"], AttributeValue::N("1".into()));
}

#[tokio::test]
async fn a_repeated_transaction_happens_once() {
    let engines = start();
    let client = dynamodb(&engines.dynamodb);
    let add = |token: &'static str, n: &'static str| {
        let update = Update::builder()
            .table_name(TABLE)
            .set_key(Some(item("a")))
            .update_expression("ADD n :n")
            .expression_attribute_values(":n", AttributeValue::N(n.into()))
            .build()
            .unwrap();
        client
            .transact_write_items()
            .client_request_token(token)
            .transact_items(TransactWriteItem::builder().update(update).build())
            .send()
    };
    add("one", "1").await.unwrap();
    add("one", "1").await.unwrap();
    add("two", "1").await.unwrap();
    let other_body = add("one", "5").await.unwrap_err();
    assert_eq!(other_body.code(), Some("IdempotentParameterMismatchException"));
    let got = client.get_item().table_name(TABLE).set_key(Some(item("a"))).send().await.unwrap();
    assert_eq!(got.item.unwrap()["n"], AttributeValue::N("2".into()));
}

#[tokio::test]
async fn a_refused_transaction_changes_nothing_and_says_why() {
    let engines = start();
    let client = dynamodb(&engines.dynamodb);
    let put = |pk| {
        let put = Put::builder()
            .table_name(TABLE)
            .set_item(Some(item(pk)))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        TransactWriteItem::builder().put(put.build().unwrap()).build()
    };
    client.put_item().table_name(TABLE).set_item(Some(item("b"))).send().await.unwrap();
    let both = client.transact_write_items().transact_items(put("a")).transact_items(put("b"));
    let refused = both.send().await.unwrap_err().into_service_error();
    let aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(
        refused,
    ) = refused
    else {
        panic!("{refused:?}")
    };
    let reasons = refused.cancellation_reasons();
    assert_eq!(reasons.iter().map(|r| r.code().unwrap()).collect::<Vec<_>>(), ["None", "ConditionalCheckFailed"]);
    assert_eq!(reasons[1].item, Some(item("b")));
    assert!(!exists(&client, "a").await);
}

#[tokio::test]
async fn capacity_is_reported_as_dynamodb_reports_it() {
    let engines = start();
    let client = dynamodb(&engines.dynamodb);
    let total = ReturnConsumedCapacity::Total;
    let units = |capacity: &ConsumedCapacity| {
        assert_eq!(capacity.table_name(), Some(TABLE));
        capacity.capacity_units().unwrap()
    };

    let puts = ["a", "b"].map(|pk| {
        let put = Put::builder().table_name(TABLE).set_item(Some(item(pk))).build().unwrap();
        TransactWriteItem::builder().put(put).build()
    });
    let transaction = client.transact_write_items().set_transact_items(Some(puts.into()));
    let transaction = transaction.return_consumed_capacity(total.clone()).send().await.unwrap();
    // Two items of up to 1 kB, at twice a plain write's price.
    assert_eq!(units(&transaction.consumed_capacity()[0]), 4.0);

    let update = client.update_item().table_name(TABLE).set_key(Some(item("a")));
    let update = update.return_consumed_capacity(total.clone()).send().await.unwrap();
    assert_eq!(units(update.consumed_capacity().unwrap()), 1.0);

    for (consistent, expected) in [(false, 0.5), (true, 1.0)] {
        let query = client
            .query()
            .table_name(TABLE)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text("a"))
            .consistent_read(consistent)
            .return_consumed_capacity(total.clone());
        assert_eq!(units(query.send().await.unwrap().consumed_capacity().unwrap()), expected);

        let keys = KeysAndAttributes::builder().keys(item("a")).keys(item("b")).consistent_read(consistent);
        let batch = client.batch_get_item().request_items(TABLE, keys.build().unwrap());
        let batch = batch.return_consumed_capacity(total.clone()).send().await.unwrap();
        assert_eq!(units(&batch.consumed_capacity()[0]), 2.0 * expected);
    }
}

#[tokio::test]
async fn a_sweep_removes_what_has_expired() {
    let template = template();
    let attribute = template.table().ttl_attribute().unwrap();
    let engines = start_with(&template, None, None).unwrap();
    let client = dynamodb(&engines.dynamodb);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    for (pk, ttl) in [("past", now - 60), ("future", now + 60)] {
        let put = client.put_item().table_name(TABLE).set_item(Some(item(pk)));
        put.item(attribute, AttributeValue::N(ttl.to_string())).send().await.unwrap();
    }
    assert!(exists(&client, "past").await);
    assert_eq!(engines.sweep(), 1);
    assert!(!exists(&client, "past").await);
    assert!(exists(&client, "future").await);
}

#[tokio::test]
async fn strangers_read_media_and_nothing_else() {
    let engines = start();
    let client = s3(&engines.s3);
    for key in ["media/a.png", "upload/a.png", "mediator.png"] {
        let put = client.put_object().bucket(BUCKET).key(key).content_type("image/png");
        put.body(ByteStream::from_static(b"picture")).send().await.unwrap();
    }
    let bucket = format!("{}/{BUCKET}", engines.s3);
    let (head, body) = http("GET", &format!("{bucket}/media/a.png"), &["origin: http://app.test"], b"").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.contains("content-type: image/png"), "{head}");
    assert!(head.contains("access-control-allow-origin: *"), "{head}");
    assert_eq!(body, b"picture");
    assert_eq!(status("HEAD", &format!("{bucket}/media/a.png")).await, 200);
    assert_eq!(status("GET", &format!("{bucket}/media/none.png")).await, 404);

    let forbidden = [
        ("GET", "/upload/a.png"),
        ("HEAD", "/upload/a.png"),
        ("GET", "/mediator.png"),
        ("GET", "/media"),
        ("GET", "/"),
        ("GET", "?list-type=2&prefix=media/"),
        ("GET", "/media/a.png?acl"),
        ("GET", "/media/a.png?tagging"),
        ("GET", "/media/a.png?attributes"),
        ("GET", "/media/../upload/a.png"),
        ("GET", "/media/%2e%2e/upload/a.png"),
        ("GET", "/media/..%2fupload/a.png"),
        ("PUT", "/media/a.png"),
        ("PUT", "/media/new.png"),
        ("PUT", "/"),
        ("DELETE", "/media/a.png"),
        ("POST", "/media/a.png?uploads"),
        ("POST", "?delete"),
        ("GET", "/media/a.png?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0"),
    ];
    for (method, path) in forbidden {
        let status = status(method, &format!("{bucket}{path}")).await;
        // A signature without its other parts is malformed, not merely absent.
        let expected = if path.contains("X-Amz") { 400 } else { 403 };
        assert_eq!(status, expected, "{method} {path}");
    }
    assert_eq!(status("GET", &format!("{}/", engines.s3)).await, 403);
    assert_eq!(status("GET", &format!("{}/other/media/a.png", engines.s3)).await, 403);
    let kept = client.get_object().bucket(BUCKET).key("media/a.png").send().await.unwrap();
    assert_eq!(kept.body.collect().await.unwrap().to_vec(), b"picture");
}

#[tokio::test]
async fn a_wrong_secret_is_refused() {
    let engines = start();
    let client = s3(&engines.s3);
    let wrong = Credentials::from_keys(ACCESS_KEY, "wrong", None);
    let config = client.config().to_builder().credentials_provider(wrong).build();
    let list = aws_sdk_s3::Client::from_conf(config).list_objects_v2().bucket(BUCKET).send().await;
    assert_eq!(list.unwrap_err().code(), Some("SignatureDoesNotMatch"));
    client.list_objects_v2().bucket(BUCKET).send().await.unwrap();
}

#[tokio::test]
async fn a_browser_puts_to_a_presigned_url() {
    let engines = start();
    let client = s3(&engines.s3);
    let presigned = |lasting| {
        let put = client.put_object().bucket(BUCKET).key("upload/b.png").content_type("image/png");
        put.presigned(PresigningConfig::expires_in(Duration::from_secs(lasting)).unwrap())
    };
    let url = presigned(60).await.unwrap().uri().to_owned();

    let asks = ["origin: http://app.test", "access-control-request-method: PUT"];
    let (head, _) = http("OPTIONS", &url, &asks, b"").await;
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("access-control-allow-methods: *"), "{head}");

    let (head, _) = http("PUT", &url, &["content-type: image/png"], b"picture").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let got = client.get_object().bucket(BUCKET).key("upload/b.png").send().await.unwrap();
    assert_eq!(got.content_type(), Some("image/png"));
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"picture");

    let (head, _) = http("PUT", &url, &["content-type: text/html"], b"page").await;
    assert!(head.starts_with("HTTP/1.1 403"), "{head}");
    let url = presigned(1).await.unwrap().uri().to_owned();
    tokio::time::sleep(Duration::from_millis(2100)).await;
    let (head, _) = http("PUT", &url, &["content-type: image/png"], b"late").await;
    assert!(head.starts_with("HTTP/1.1 403"), "{head}");
}

#[tokio::test]
async fn half_an_upload_leaves_nothing() {
    let engines = start();
    let client = s3(&engines.s3);
    let put = client.put_object().bucket(BUCKET).key("upload/c");
    let put = put.presigned(PresigningConfig::expires_in(Duration::from_secs(60)).unwrap()).await.unwrap();
    let (host, target) = put.uri().strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let head = format!("PUT /{target} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 1000000\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&[7; 500_000]).await.unwrap();
    let parts = || {
        let names = std::fs::read_dir(engines.running.as_ref().unwrap()._folder.join("s3")).unwrap();
        names.filter(|name| name.as_ref().unwrap().file_name().to_str().unwrap().ends_with(".part")).count()
    };
    within(Duration::from_secs(5), || parts() == 1).await;
    drop(stream);
    within(Duration::from_secs(5), || parts() == 0).await;
    assert_eq!(client.list_objects_v2().bucket(BUCKET).send().await.unwrap().key_count(), Some(0));
}

async fn within(patience: Duration, mut happened: impl FnMut() -> bool) {
    let start = Instant::now();
    while !happened() {
        assert!(start.elapsed() < patience, "did not happen");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn messages_to_phones_reach_the_inbox_and_the_listener() {
    let (heard, hears) = std::sync::mpsc::channel();
    let template = template();
    let config = Config { data: None, ports: None, template: &template, bucket: BUCKET, table: TABLE };
    let engines = Engines::start(config, move |phone, text| heard.send(format!("{phone} {text}")).unwrap()).unwrap();
    let client = client!(aws_sdk_sns, &engines.sns);
    let publish = |phone: &str, text: &str| client.publish().phone_number(phone).message(text).send();

    let sent = publish("+8613800138000", "[Plaza] 您的验证码 048213 & <5> min + 10%").await.unwrap();
    assert_eq!(sent.message_id().unwrap().len(), 36);
    assert_eq!(hears.recv().unwrap(), "+8613800138000 [Plaza] 您的验证码 048213 & <5> min + 10%");
    assert_eq!(engines.sms.last_code("+8613800138000").as_deref(), Some("048213"));
    assert_eq!(engines.sms.last_code("+8613800138001"), None);

    let malformed = publish("13800138000", "123456").await.unwrap_err();
    assert_eq!(malformed.code(), Some("InvalidParameter"));
    let topic = client.create_topic().name("news").send().await.unwrap_err();
    assert_eq!(topic.code(), Some("InvalidAction"));
}

#[tokio::test]
async fn data_outlive_a_stop() {
    let data = TempDir::new().unwrap();
    for round in 0..3 {
        let engines = start_at(data.path()).unwrap();
        let (table, bucket) = (dynamodb(&engines.dynamodb), s3(&engines.s3));
        for earlier in 0..round {
            assert!(exists(&table, &earlier.to_string()).await);
            bucket.head_object().bucket(BUCKET).key(format!("media/{earlier}")).send().await.unwrap();
        }
        table.put_item().table_name(TABLE).set_item(Some(item(&round.to_string()))).send().await.unwrap();
        bucket.put_object().bucket(BUCKET).key(format!("media/{round}")).send().await.unwrap();
        engines.stop().await;
        // Closed: a log left over would show that somebody still had the database open.
        assert!(!data.path().join("dynamodb.sqlite-wal").exists());
    }
}

#[tokio::test]
async fn the_stream_goes_on_from_where_it_was_after_a_stop() {
    let data = TempDir::new().unwrap();
    let told = |engines: &Engines| {
        let records = engines.stream.oldest().unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let told =
            |record: &serde_json::Value| text(&record["eventName"]) + &text(&record["dynamodb"]["Keys"]["pk"]["S"]);
        records.iter().map(told).collect::<Vec<_>>()
    };
    let engines = start_at(data.path()).unwrap();
    let client = dynamodb(&engines.dynamodb);
    for pk in ["a", "b", "c"] {
        client.put_item().table_name(TABLE).set_item(Some(item(pk))).send().await.unwrap();
    }
    assert_eq!(told(&engines), ["INSERTa", "INSERTb", "INSERTc"]);
    engines.stream.trim(2).unwrap();
    engines.stop().await;

    let engines = start_at(data.path()).unwrap();
    let client = dynamodb(&engines.dynamodb);
    client.delete_item().table_name(TABLE).set_key(Some(item("a"))).send().await.unwrap();
    assert_eq!(told(&engines), ["INSERTc", "REMOVEa"]);
    engines.stream.trim(9).unwrap();
    client.put_item().table_name(TABLE).set_item(Some(item("a"))).send().await.unwrap();
    assert_eq!(told(&engines), ["INSERTa"]);
}

#[tokio::test]
async fn stopping_does_not_wait_for_idle_or_stuck_clients() {
    let data = TempDir::new().unwrap();
    let engines = start_at(data.path()).unwrap();
    assert!(!exists(&dynamodb(&engines.dynamodb), "a").await);
    let mut idle = TcpStream::connect(engines.s3.strip_prefix("http://").unwrap()).await.unwrap();
    idle.write_all(b"GET / HTTP/1.1\r\nhost: s3\r\n\r\n").await.unwrap();
    idle.read_u8().await.unwrap();
    let start = Instant::now();
    engines.stop().await;
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());

    let engines = start_at(data.path()).unwrap();
    let mut stuck = TcpStream::connect(engines.sns.strip_prefix("http://").unwrap()).await.unwrap();
    stuck.write_all(b"POST / HTTP/1.1\r\nhost: sns\r\ncontent-length: 9\r\n\r\nhalf").await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let start = Instant::now();
    engines.stop().await;
    assert!(start.elapsed() < PATIENCE + Duration::from_millis(500), "{:?}", start.elapsed());
}

#[tokio::test]
async fn one_folder_serves_one_instance() {
    let data = TempDir::new().unwrap();
    let first = start_at(data.path()).unwrap();
    let second = start_at(data.path()).err().unwrap().to_string();
    assert!(second.contains("in use by another instance") && second.contains("DATA_DIR="), "{second}");
    assert!(second.contains(data.path().to_str().unwrap()), "{second}");
    first.stop().await;
    start_at(data.path()).unwrap();
}

#[tokio::test]
async fn a_changed_table_is_not_taken_for_the_old_one() {
    let data = TempDir::new().unwrap();
    start_at(data.path()).unwrap().stop().await;
    let text = include_str!("../../../template.yaml");
    let ttl = format!("AttributeName: {}", template().table().ttl_attribute().unwrap());
    for changed in [text.replace("AttributeName: sk", "AttributeName: sort"), text.replace(&ttl, "AttributeName: end")]
    {
        let changed = Template::parse(&changed).unwrap();
        let refused = start_with(&changed, Some(data.path()), None).err().unwrap();
        assert!(matches!(refused, EngineError::TableChanged { .. }), "{refused}");
    }
    start_at(data.path()).unwrap().stop().await;
}

#[tokio::test]
async fn what_cannot_be_started_says_why() {
    let taken = start();
    let port: u16 = taken.s3.rsplit_once(':').unwrap().1.parse().unwrap();
    // The one before may be anybody's, too.
    let refused = start_with(&template(), None, Some(port)).err().unwrap().to_string();
    assert_eq!(
        refused,
        format!("port {port} (DynamoDB) is taken: stop what listens there, or choose another with PORT=<port>")
    );
    let refused = start_with(&template(), None, Some(u16::MAX)).err().unwrap();
    assert!(matches!(refused, EngineError::PortTooHigh(_) | EngineError::PortTaken { .. }), "{refused}");

    // Root may write to any folder, but nobody below a file.
    let file = tempfile::NamedTempFile::new().unwrap();
    let refused = start_at(&file.path().join("data")).err().unwrap().to_string();
    assert!(refused.starts_with("cannot write to ") && refused.contains("DATA_DIR="), "{refused}");

    let data = TempDir::new().unwrap();
    std::fs::write(data.path().join("dynamodb.sqlite"), "no database").unwrap();
    let refused = start_at(data.path()).err().unwrap();
    assert!(matches!(refused, EngineError::Database { .. }), "{refused}");
}

/// The other process of [`what_was_answered_outlives_kill_9`].
#[test]
#[ignore = "runs until it is killed"]
fn serves_until_killed() {
    let engines = start_at(Path::new(&std::env::var_os("ENGINES_DATA").unwrap())).unwrap();
    let endpoints = [&engines.dynamodb, &engines.s3].map(String::as_str).join("\n");
    std::fs::write(std::env::var_os("ENGINES_ENDPOINTS").unwrap(), endpoints).unwrap();
    loop {
        std::thread::park();
    }
}

/// A process that gets SIGKILL when this is dropped, also by a failing test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Starts engines in another process; their DynamoDB and S3 endpoints.
async fn serve(data: &Path) -> (Killed, String, String) {
    let told = tempfile::NamedTempFile::new().unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "engines::tests::serves_until_killed", "--ignored"])
        .env("ENGINES_DATA", data)
        .env("ENGINES_ENDPOINTS", told.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let child = Killed(child);
    let endpoints = || std::fs::read_to_string(told.path()).unwrap();
    within(Duration::from_secs(10), || endpoints().contains('\n')).await;
    let endpoints = endpoints();
    let (dynamodb, s3) = endpoints.split_once('\n').unwrap();
    (child, dynamodb.into(), s3.into())
}

#[tokio::test]
async fn what_was_answered_outlives_kill_9() {
    const WRITERS: u8 = 4;
    let data = TempDir::new().unwrap();
    let mut answered = Vec::new();
    for round in 0..3 {
        let (child, table, bucket) = serve(data.path()).await;
        let (done, mut dones) = tokio::sync::mpsc::unbounded_channel();
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            let (table, bucket, done) = (dynamodb(&table), s3(&bucket), done.clone());
            writers.spawn(async move {
                for n in 0.. {
                    let name = format!("{round}-{writer}-{n}");
                    // Two items in one transaction: both or neither.
                    let puts = ["left", "right"].map(|side| {
                        let put = Put::builder().table_name(TABLE).set_item(Some(item(&format!("{name}-{side}"))));
                        TransactWriteItem::builder().put(put.build().unwrap()).build()
                    });
                    let body = vec![writer; 200_000];
                    let object = bucket.put_object().bucket(BUCKET).key(format!("media/{name}"));
                    let object = object.content_type("image/png").body(body.into());
                    if table.transact_write_items().set_transact_items(Some(puts.into())).send().await.is_err() {
                        return;
                    }
                    done.send((name.clone(), false)).unwrap();
                    if object.send().await.is_err() {
                        return;
                    }
                    done.send((name, true)).unwrap();
                }
            });
        }
        drop(done);
        for _ in 0..40 + 7 * round {
            answered.push(dones.recv().await.unwrap());
        }
        drop(child);
        // Nobody listens any more: an answer on its way counts, a retry finds nobody.
        writers.abort_all();
        while let Some(more) = dones.recv().await {
            answered.push(more);
        }
    }

    let engines = start_at(data.path()).unwrap();
    let (table, bucket) = (dynamodb(&engines.dynamodb), s3(&engines.s3));
    for (name, stored) in &answered {
        assert!(exists(&table, &format!("{name}-left")).await, "{name}");
        if *stored {
            let head = bucket.head_object().bucket(BUCKET).key(format!("media/{name}")).send().await.unwrap();
            assert_eq!(head.content_type(), Some("image/png"), "{name}");
        }
    }
    let all = table.scan().table_name(TABLE).send().await.unwrap();
    let keys: Vec<_> = all.items().iter().map(|item| item["pk"].as_s().unwrap().as_str()).collect();
    for key in &keys {
        let (name, _) = key.rsplit_once('-').unwrap();
        assert!(keys.contains(&&*format!("{name}-left")) && keys.contains(&&*format!("{name}-right")), "{name}");
    }
    let objects = bucket.list_objects_v2().bucket(BUCKET).send().await.unwrap();
    assert!(objects.contents().iter().all(|object| object.size() == Some(200_000)));
    let stored = answered.iter().filter(|(_, stored)| *stored).count();
    assert!(objects.contents().len() >= stored && stored > 0);
    engines.stop().await;
}
