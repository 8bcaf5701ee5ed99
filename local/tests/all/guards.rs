//! Who may not: without a good session nothing is done that needs one, what only reads writes nothing, and nobody
//! changes what is somebody else's. Asked of all operations that there are, by their sample events.
use http::{Request, header};
use local::{events, functions, sample};
use serde_json::{Value, json};
use shared::{
    domain::{
        DAY, MediaKind, Phone, UserId,
        token::{self, Token, TokenKeys},
    },
    outside::aws,
    wire::operation::{Listed, Needs},
};

use crate::support::{Answer, Cost, Test};

/// Somebody of the sample, and somebody who has nothing and follows nobody.
const ANNA: &str = "13800138001";
const BO: &str = "13800138002";
const NOBODYS_DEVICE: &str = "a-device-of-nobody-1";
const STRANGE_KEY: &str = "a key that is not ours, but as long as one";

/// A Plaza with the sample data.
async fn sampled() -> Test {
    let test = Test::start().await;
    sample::load(&test.plaza, aws::http_client()).await.unwrap();
    test.plaza.deliver().await.unwrap();
    test
}

async fn user(test: &Test, phone: &str) -> UserId {
    test.plaza.app.store.user_of_phone(&Phone::parse(phone).unwrap()).await.unwrap().unwrap()
}

async fn token(test: &Test, user: UserId) -> String {
    let app = &test.plaza.app;
    app.new_token(&app.store.log_in_vouched(user).await.unwrap()).unwrap().0
}

/// What a request brings to say who is calling.
#[derive(Default)]
struct By<'a> {
    token: Option<&'a str>,
    device: Option<&'a str>,
}

/// An operation with its sample event.
struct Guarded {
    listed: Listed,
    event: http::Request<lambda_http::Body>,
}

fn operations() -> impl Iterator<Item = Guarded> {
    functions().into_iter().flat_map(|(function, listed)| {
        listed.into_iter().map(move |listed| {
            let event = events::load(&events::path(function, &listed.name)).unwrap();
            Guarded { event: events::request(&event).unwrap(), listed }
        })
    })
}

impl Guarded {
    /// Sends the event with other credentials: what is answered, and which calls were made.
    async fn ask(&self, test: &Test, by: &By<'_>) -> (Answer, Cost) {
        let mut request = Request::builder().method(self.event.method());
        for (name, value) in self.event.headers() {
            if ![header::AUTHORIZATION, header::HOST, header::CONTENT_LENGTH].contains(name) && name != "x-device-id" {
                request = request.header(name, value);
            }
        }
        let mut body = self.event.body().to_vec();
        let in_body = self.listed.document == "D";
        if in_body {
            let mut fields: Value = serde_json::from_slice(&body).unwrap();
            fields.as_object_mut().unwrap().remove("token");
            if let Some(token) = by.token {
                fields["token"] = token.into();
            }
            body = fields.to_string().into();
        }
        if let Some(token) = by.token.filter(|_| !in_body) {
            request = request.header(header::AUTHORIZATION, token);
        }
        if let Some(device) = by.device {
            request = request.header("x-device-id", device);
        }
        let path = self.event.uri().path_and_query().unwrap().as_str();
        test.line.meter(test.send(request, path, body)).await
    }

    /// The refusal in the document's own envelope, and nothing written.
    async fn refuses(&self, test: &Test, by: &By<'_>, what: &str, status: u16, code: u16) {
        let (answer, cost) = self.ask(test, by).await;
        let what = format!("{}, {what}: {answer:?}", self.listed.name);
        assert_eq!((answer.status.as_u16(), answer.code()), (status, code.to_string()), "{what}");
        let message = answer.message();
        let envelope = match self.listed.document {
            "A" => json!({"code": code, "msg": message, "format_msg": message, "data": {}}),
            "B" | "D" => json!({"code": code, "msg": message}),
            "C" => json!({"code": code.to_string(), "msg": message, "data": {}}),
            "E" => json!({"code": code, "msg": message, "result": ""}),
            other => panic!("document {other} is new here"),
        };
        assert_eq!(answer.body, envelope, "{what}");
        assert!(!message.is_empty(), "{what}");
        only_reads(&cost, &what);
    }
}

/// Neither the table nor the object store was told to change anything, nor was anybody sent a message. The count of what
/// the token's own user does in an hour is none of that: it is taken back where the session is no good.
#[track_caller]
fn only_reads(cost: &Cost, what: &str) {
    const READS: [&str; 6] = ["BatchGetItem", "BatchGetItem", "Query", "TransactGetItems", "GET", "HEAD"];
    let written: Vec<_> = cost.0.iter().filter(|call| !READS.contains(&&*call.operation) && !call.is_count()).collect();
    assert!(written.is_empty(), "{what}: writes {written:?}");
}

#[tokio::test]
async fn without_a_good_session_nothing_is_done() {
    let test = sampled().await;
    // Felix has another password since; each of Anna's tokens is bad for one reason alone.
    let (felix, anna) = (user(&test, sample::PHONE).await, user(&test, ANNA).await);
    let expired = token(&test, anna).await;
    test.wait(31 * DAY);
    let logged_out = token(&test, anna).await;
    assert_eq!(test.json("/user_logout", json!({"token": logged_out})).await.code(), "0");
    let app = &test.plaza.app;
    let (now, good) = (app.system.now(), token(&test, anna).await);
    let claims = Token { user: anna, id: "forged".into(), epoch: 0, expires: now + token::LIFE };
    let strange = TokenKeys::new(STRANGE_KEY, None).unwrap().sign(&claims, now).unwrap();
    let (good_parts, strange_parts): (Vec<_>, Vec<_>) = (good.split('.').collect(), strange.split('.').collect());
    let named = [good_parts[0], strange_parts[1], strange_parts[2]].join(".");
    let tampered = [good_parts[0], strange_parts[1], good_parts[2]].join(".");
    let im = app.im_key().unwrap().sign(anna, now).unwrap();
    let before_reset = token(&test, felix).await;
    let code = sample::CODE;
    let reset = json!({"phone": sample::PHONE, "password": "another1", "code": code});
    assert_eq!(test.json("/user_password_update", reset).await.code(), "0");
    assert_eq!(test.json("/my_user_info", json!({"token": good})).await.code(), "0");

    let table = test.items().await;
    let objects = test.objects().await.0;
    let bad = [
        ("rubbish", "x.y.z"),
        ("a token of another key", &strange),
        ("a token of another key under our key's name", &named),
        ("a token with other claims", &tampered),
        ("a token for messages", &im),
        ("an expired token", &expired),
        ("a token that was logged out", &logged_out),
        ("a token from before the password's reset", &before_reset),
    ];
    let mut asked = 0;
    for operation in operations().filter(|operation| operation.listed.needs != Needs::Nothing) {
        let (by_device, is_b) = (operation.listed.needs == Needs::Device, operation.listed.document == "B");
        for (what, token) in bad {
            let token = Some(token);
            if !by_device {
                operation.refuses(&test, &By { token, device: None }, what, 401, 401).await;
            }
            // A device beside it does not make it better, nor is the device tied to anybody.
            for device in [NOBODYS_DEVICE, sample::DEVICE].into_iter().filter(|_| is_b) {
                let by = By { token, device: Some(device) };
                operation.refuses(&test, &by, &format!("{what} beside {device}"), 401, 401).await;
            }
            asked += 1;
        }
        if !by_device {
            operation.refuses(&test, &By::default(), "no token", 401, 401).await;
        }
        if is_b && !by_device {
            let device = |device| By { token: None, device: Some(device) };
            operation.refuses(&test, &device(NOBODYS_DEVICE), "nobody's device", 400, 1001).await;
            operation.refuses(&test, &device(sample::DEVICE), "a device from before the reset", 401, 401).await;
        }
    }
    assert!(asked > 300, "{asked}");
    assert!(test.items().await == table && test.objects().await.0 == objects);
}

#[tokio::test]
async fn what_only_reads_writes_nothing() {
    let test = sampled().await;
    let felix = user(&test, sample::PHONE).await;
    let (good, ended) = (token(&test, felix).await, token(&test, felix).await);
    assert_eq!(test.json("/user_logout", json!({"token": ended})).await.code(), "0");
    let readers: Vec<_> = operations().filter(|operation| operation.listed.reads_only).collect();
    assert!(readers.len() > 10, "{}", readers.len());
    let table = test.items().await;
    for operation in &readers {
        let name = &operation.listed.name;
        let by_device = By { token: None, device: Some(sample::DEVICE) };
        let by_device = Some(by_device).filter(|_| operation.listed.document == "B");
        for by in [By { token: Some(&good), device: None }].into_iter().chain(by_device) {
            let (answer, cost) = operation.ask(&test, &by).await;
            assert_eq!(answer.status, 200, "{name}: {answer:?}");
            only_reads(&cost, name);
        }
        // The handler has begun, but nobody sees what it found.
        let by = By { token: Some(&ended), device: None };
        operation.refuses(&test, &by, "a token that was logged out", 401, 401).await;
    }
    assert!(test.items().await == table);
}

/// What the sample events name is Felix's.
#[tokio::test]
async fn nobody_changes_what_is_somebody_elses() {
    const HIS: [&str; 7] = [
        "m_user_users_put",
        "m_user_users_patch",
        "user_pic_upload",
        "user_pic_delete",
        "user_pic_dir_delete",
        "article_comment_del",
        "article_del",
    ];
    let test = sampled().await;
    let felix = user(&test, sample::PHONE).await;
    let (his, bos) = (token(&test, felix).await, token(&test, user(&test, BO).await).await);
    let store = &test.plaza.app.store;
    let image = store.new_media(felix, MediaKind::Jpeg).await.unwrap();
    store.media_checked(&image, felix, None).await.unwrap();
    let (table, objects) = (test.items().await, test.objects().await.0);
    let operations: Vec<_> = operations().collect();
    let changing =
        || HIS.into_iter().map(|name| operations.iter().find(|operation| operation.listed.name == name).unwrap());
    for operation in changing() {
        operation.refuses(&test, &By { token: Some(&bos), device: None }, "by somebody else", 403, 403).await;
    }
    // An upload of somebody else's is refused in the words for one that nobody has.
    for (path, body) in
        [("/article_publish", json!({"images": [image]})), ("/my_user_info_update", json!({"avatar": image}))]
    {
        let (answer, cost) = test.line.meter(test.json_as(&bos, path, body)).await;
        answer.refused(400, 400);
        only_reads(&cost, path);
    }
    assert!(test.items().await == table && test.objects().await.0 == objects);
    // He himself may do it all.
    for operation in changing() {
        let (answer, _) = operation.ask(&test, &By { token: Some(&his), device: None }).await;
        assert_eq!(answer.status, 200, "{}: {answer:?}", operation.listed.name);
    }
}
