//! Document B, over HTTP against the engines.
use http::{Method, Request};
use serde_json::{Value, json};
use shared::{
    domain::{DAY, MINUTE, MediaId, MediaKind, Password, Refusal, StoredPassword, UserId},
    store::{Changes, Gift, MediaStatus, SignUp},
    words,
};

use crate::support::{Answer, Test, together};

const DEVICE: &str = "device-of-a-member-1";
const OTHER: &str = "device-of-a-member-2";

/// Who sends a request: what the headers say.
#[derive(Clone, Copy, Default)]
struct By<'a> {
    device: &'a str,
    token: &'a str,
    version: &'a str,
}

fn device(device: &str) -> By<'_> {
    By { device, ..By::default() }
}

fn token(token: &str) -> By<'_> {
    By { token, ..By::default() }
}

async fn call(test: &Test, by: By<'_>, method: Method, path: &str, body: Value) -> Answer {
    let headers = [("x-device-id", by.device), ("authorization", by.token), ("x-app-version", by.version)];
    let mut request = Request::builder().method(method).header("content-type", "application/json");
    for (name, value) in headers.into_iter().filter(|(_, value)| !value.is_empty()) {
        request = request.header(name, value);
    }
    let body = if body.is_null() { String::new() } else { body.to_string() };
    test.send(request, &format!("/m_user/{path}"), body).await
}

async fn get(test: &Test, by: By<'_>, path: &str) -> Answer {
    call(test, by, Method::GET, path, Value::Null).await
}

async fn post(test: &Test, by: By<'_>, path: &str, body: Value) -> Answer {
    call(test, by, Method::POST, path, body).await
}

/// Registers a device and gives the user's number.
async fn register(test: &Test, id: &str) -> u64 {
    let answer = post(test, device(id), "users", json!({"nickname": "bo", "gender": "male", "age": 24})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    number(&answer.body["id"])
}

/// What 32 hexadecimal digits say.
#[track_caller]
fn number(id: &Value) -> u64 {
    let id = id.as_str().unwrap();
    assert_eq!(id.len(), 32);
    u64::from_str_radix(id, 16).unwrap()
}

/// An upload that was checked and found good.
async fn checked(test: &Test, owner: u64, kind: MediaKind, seconds: Option<u64>) -> MediaId {
    let store = &test.plaza.app.store;
    let id = store.new_media(UserId(owner), kind).await.unwrap();
    store.media_checked(&id, UserId(owner), seconds).await.unwrap();
    id
}

#[tokio::test]
async fn a_device_registers_and_is_let_in_from_then_on() {
    let test = Test::start().await;
    let log_in = async |by| post(&test, by, "login", Value::Null).await;
    // Nobody's device; one whose app is under review; none at all; one that cannot be.
    log_in(device(DEVICE)).await.refused(400, 1001);
    test.plaza.app.store.put_under_review("9.9.9").await.unwrap();
    log_in(By { version: "9.9.9", ..device(DEVICE) }).await.refused(400, 1101);
    log_in(By { version: "9.9.8", ..device(DEVICE) }).await.refused(400, 1001);
    get(&test, By { version: "9.9.9", ..device(DEVICE) }, "im_token").await.refused(400, 1101);
    let long = "x".repeat(129);
    for bad in ["", "short", "sixteen characters!", &long] {
        log_in(device(bad)).await.refused(400, 400);
    }

    let body = json!({"nickname": "阙子雄", "gender": "male", "icon": "fda32fdaxfda23", "age": 24});
    let mut registered = post(&test, device(DEVICE), "users", body).await;
    let id = registered.body["id"].take();
    let (im, first) = (registered.body["im_token"].take(), registered.body["token"].take());
    let shown = json!({
        "id": null, "nickname": "阙子雄", "gender": "male", "icon": "fda32fdaxfda23", "age": 24,
        "is_vip": false, "vip_left": 0, "im_token": null, "token": null,
    });
    assert_eq!(registered.body, shown);
    assert!(im.is_string() && im != first);
    // Twice is once.
    post(&test, device(DEVICE), "users", json!({"gender": "female", "age": 20})).await.refused(409, 409);
    // The app's version is nothing to those who are registered.
    for version in ["", "9.9.9"] {
        let mut again = log_in(By { version, ..device(DEVICE) }).await;
        assert_eq!(again.body["id"].take(), id);
        for token in ["im_token", "token"] {
            assert!(again.body[token].take().is_string());
        }
        assert_eq!(again.body, shown);
    }
    // The token does as well, here and in the other documents; the one for messages does nowhere.
    let (first, im) = (first.as_str().unwrap(), im.as_str().unwrap());
    assert_eq!(get(&test, token(first), "im_token").await.status, 200);
    let info = async |token: &str| {
        test.send(Request::builder().header("authorization", token), "/user/get_user_info", "").await
    };
    assert_eq!(info(first).await.body["result"]["nickname"], "阙子雄");
    get(&test, token(im), "im_token").await.refused(401, 401);
    info(im).await.refused(401, 401);
}

#[tokio::test]
async fn a_registration_may_leave_out_nickname_and_icon() {
    let test = Test::start().await;
    let made = post(&test, device(DEVICE), "users", json!({"gender": "female", "age": 0})).await;
    assert!(made.body["nickname"].as_str().unwrap().starts_with("nick-"), "{made:?}");
    assert_eq!((&made.body["icon"], &made.body["age"]), (&Value::Null, &json!(0)));
    let good = json!({"nickname": "bo", "gender": "male", "icon": "a", "age": 24});
    for (field, bad) in [
        ("nickname", json!("")),
        ("nickname", json!("a\nb")),
        ("nickname", json!("x".repeat(65))),
        ("gender", json!("other")),
        ("gender", json!(null)),
        ("icon", json!("a/b")),
        ("icon", json!("")),
        ("icon", json!("x".repeat(129))),
        ("age", json!(151)),
        ("age", json!(-1)),
        ("age", json!(null)),
    ] {
        let mut body = good.clone();
        body[field] = bad;
        let no = post(&test, device(OTHER), "users", body.clone()).await;
        no.refused(400, 400);
        assert!(no.message().starts_with(&format!("{field}: ")), "{body}: {no:?}");
    }
    assert_eq!(post(&test, device(OTHER), "users", good).await.status, 200);
}

#[tokio::test]
async fn of_many_registrations_at_once_one_is_done() {
    let test = std::sync::Arc::new(Test::start().await);
    let asked = together((0..8).map(|_| {
        let test = test.clone();
        async move { post(&test, device(DEVICE), "users", json!({"gender": "male", "age": 30})).await }
    }));
    let statuses: Vec<_> = asked.await.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 7, "{statuses:?}");
    let profiles = test.items().await.into_keys().filter(|key| key.ends_with("PROFILE")).count();
    assert_eq!(profiles, 1);
}

#[tokio::test]
async fn a_token_beside_a_device_ties_it() {
    let test = Test::start().await;
    let (anna, annas) = test.user("13800138001").await;
    let bo = register(&test, DEVICE).await;
    // By any call; and what the device then does, it does as Anna.
    assert_eq!(get(&test, By { token: &annas, ..device(OTHER) }, "im_token").await.status, 200);
    assert_eq!(number(&post(&test, device(OTHER), "login", Value::Null).await.body["id"]), anna);
    // Again is fine; another's is not.
    let both = |device, token| By { device, token, version: "" };
    assert_eq!(get(&test, both(OTHER, &annas), "im_token").await.status, 200);
    let no = get(&test, both(DEVICE, &annas), "im_token").await;
    no.refused(409, 409);
    assert!(no.message().starts_with("X-Device-Id: "), "{no:?}");
    post(&test, both(DEVICE, &annas), "login", Value::Null).await.refused(409, 409);
    assert_eq!(number(&post(&test, device(DEVICE), "login", Value::Null).await.body["id"]), bo);
    // Login ties too; a bad token ties nothing, even beside a device that is good.
    let third = "device-of-a-member-3";
    assert_eq!(number(&post(&test, both(third, &annas), "login", Value::Null).await.body["id"]), anna);
    get(&test, both(third, "nonsense"), "im_token").await.refused(401, 401);
    post(&test, both("device-of-a-member-4", "nonsense"), "login", Value::Null).await.refused(401, 401);
    post(&test, device("device-of-a-member-4"), "login", Value::Null).await.refused(400, 1001);
    // A registration with a token ties the device, which has a user then.
    let body = json!({"gender": "male", "age": 30});
    post(&test, both("device-of-a-member-5", &annas), "users", body).await.refused(409, 409);
    assert_eq!(number(&post(&test, device("device-of-a-member-5"), "login", Value::Null).await.body["id"]), anna);
    // Of a device's id only the hash is kept.
    assert!(!format!("{:?}", test.items().await).contains("device-of-a-member"));
}

#[tokio::test]
async fn a_password_reset_ends_devices() {
    let test = Test::start().await;
    let (anna, annas) = test.user("13800138001").await;
    get(&test, By { token: &annas, ..device(DEVICE) }, "im_token").await;
    test.wait(MINUTE);
    let app = &test.plaza.app;
    let phone = shared::domain::Phone::parse("13800138001").unwrap();
    let code = app.store.prove_code(phone, &test.code("13800138001").await).await.unwrap();
    let password = StoredPassword::hash(&Password::typed("efgh5678"), app.system.random()).unwrap();
    app.store.reset_password(&code, password).await.unwrap();
    get(&test, device(DEVICE), "im_token").await.refused(401, 401);
    post(&test, device(DEVICE), "feedbacks", json!({"content": "hi"})).await.refused(401, 401);
    post(&test, device(DEVICE), "login", Value::Null).await.refused(401, 401);
    // It stays theirs: it is no new user's, and a token of theirs ties it again, nobody else's.
    let mia = json!({"nickname": "mia", "gender": "female", "age": 24});
    post(&test, device(DEVICE), "users", mia).await.refused(409, 409);
    let (_, others) = test.person("13800138002").await;
    get(&test, By { token: &others, ..device(DEVICE) }, "im_token").await.refused(409, 409);
    let logged_in = test.log_in("13800138001", "efgh5678").await;
    let annas = logged_in.body["data"]["user_info"]["token"].as_str().unwrap();
    assert_eq!(get(&test, By { token: annas, ..device(DEVICE) }, "im_token").await.status, 200);
    assert_eq!(number(&post(&test, device(DEVICE), "login", Value::Null).await.body["id"]), anna);
}

#[tokio::test]
async fn reviewers_log_in_with_an_account() {
    let test = Test::start().await;
    let app = &test.plaza.app;
    let password = StoredPassword::hash(&Password::typed("review2026"), app.system.random()).unwrap();
    let first = Changes { nickname: Some("reviewer".into()), ..Changes::default() };
    app.store.create_user(&SignUp::Review("apple".into()), Some(password), first).await.unwrap();
    let log_in = async |account: &str, password: &str| {
        post(&test, By::default(), "audit_login", json!({"account": account, "password": password})).await
    };
    let let_in = log_in("apple", "review2026").await;
    let user = &let_in.body["user"];
    assert_eq!(user["nickname"], "reviewer");
    assert!(user["im_token"].is_string());
    assert_eq!(let_in.body.as_object().unwrap().len(), 2);
    let fresh = let_in.body["device_id"].as_str().unwrap();
    assert_eq!(post(&test, device(fresh), "login", Value::Null).await.body["id"], user["id"]);
    assert_eq!(get(&test, token(user["token"].as_str().unwrap()), "im_token").await.status, 200);
    // A fresh one each time.
    assert_ne!(log_in("apple", "review2026").await.body["device_id"], fresh);
    // It is an account of this operation alone, and no other's is one here.
    test.log_in("apple", "review2026").await.refused(200, 3100);
    test.user("13800138001").await;
    log_in("13800138001", "abcd1234").await.refused(400, 3100);

    for account in ["apple", "unknown"] {
        for _ in 0..5 {
            log_in(account, "wrong").await.refused(400, 3100);
        }
        log_in(account, "review2026").await.refused(400, 3101);
    }
    test.wait(15 * MINUTE);
    assert_eq!(log_in("apple", "review2026").await.status, 200);
}

#[tokio::test]
async fn members_change_themselves_and_are_read() {
    let test = Test::start().await;
    let bo = register(&test, DEVICE).await;
    let (anna, annas) = test.user("13800138001").await;
    let path = format!("users/{bo:032x}");
    let change = async |method, by, path: &str, body| call(&test, by, method, path, body).await;
    let whole = json!({
        "nickname": "阙子雄", "gender": "female", "icon": "fda32fdaxfda23", "age": 25, "signature": "哈哈\n哈",
        "sex_attitude": "each_other", "job": "private_owner", "degree": "junior_middle", "marriage": "in_love",
        "online_period": "rest_time", "video_price": 1_000_000, "audio_price": 0,
    });
    let mut shown = whole.clone();
    shown["id"] = json!(format!("{bo:032x}"));
    let seen_by_others = shown.clone();
    shown["is_vip"] = json!(false);
    shown["vip_left"] = json!(0);
    assert_eq!(change(Method::PUT, device(DEVICE), &path, whole.clone()).await.body, shown);
    // The number does as well; VIP time is for one's own eyes.
    for path in [&path, &format!("users/{bo}")] {
        assert_eq!(get(&test, device(DEVICE), path).await.body, shown);
        assert_eq!(get(&test, token(&annas), path).await.body, seen_by_others);
    }
    // PATCH takes any part, or nothing; as a form too.
    shown["degree"] = json!("doctor");
    assert_eq!(change(Method::PATCH, device(DEVICE), &path, json!({"degree": "doctor"})).await.body, shown);
    assert_eq!(change(Method::PATCH, device(DEVICE), &path, json!({})).await.body, shown);
    let form = Request::builder().method(Method::PATCH).header("x-device-id", DEVICE);
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    shown["age"] = json!(26);
    assert_eq!(test.send(form, &format!("/m_user/{path}"), "age=26").await.body, shown);
    // PUT leaves what it does not name, but names these two.
    assert_eq!(
        change(Method::PUT, device(DEVICE), &path, json!({"nickname": "阙子雄", "gender": "female"})).await.body,
        shown
    );
    for (field, other) in [("nickname", "gender"), ("gender", "nickname")] {
        let mut body = whole.clone();
        body.as_object_mut().unwrap().remove(field);
        let no = change(Method::PUT, device(DEVICE), &path, body).await;
        no.refused(400, 400);
        assert!(no.message().starts_with(&format!("{field}: ")), "{other}: {no:?}");
    }
    for (field, bad) in [
        ("nickname", json!(" ")),
        ("gender", json!(1)),
        ("icon", json!("no icon")),
        ("age", json!(151)),
        ("signature", json!("x".repeat(501))),
        ("sex_attitude", json!("closed")),
        ("job", json!("pilot")),
        ("degree", json!("")),
        ("marriage", json!("divorced")),
        ("online_period", json!("never")),
        ("video_price", json!(1_000_001)),
        ("audio_price", json!(-1)),
        ("background", json!("fda32fdaxfda23")),
    ] {
        for method in [Method::PUT, Method::PATCH] {
            let mut body = whole.clone();
            body[field] = bad.clone();
            let no = change(method, device(DEVICE), &path, body).await;
            no.refused(400, 400);
            assert!(no.message().starts_with(&format!("{field}: ")), "{field} {bad}: {no:?}");
        }
    }
    // Nobody else's; and nobody's.
    for method in [Method::PUT, Method::PATCH] {
        change(method.clone(), token(&annas), &path, whole.clone()).await.refused(403, 403);
        change(method.clone(), device(DEVICE), "users/7", whole.clone()).await.refused(404, 404);
        change(method, device(DEVICE), "users/nobody", whole.clone()).await.refused(400, 400);
    }
    for path in ["users/7", &format!("users/{:032x}", u128::MAX), "users/7/homepage"] {
        get(&test, device(DEVICE), path).await.refused(404, 404);
    }
    assert_eq!(get(&test, device(DEVICE), &path).await.body, shown);
    // Where nothing was said there is null, and no field is missing.
    let anna = get(&test, device(DEVICE), &format!("users/{anna}")).await.body;
    assert_eq!(
        anna.as_object().unwrap().keys().collect::<Vec<_>>(),
        seen_by_others.as_object().unwrap().keys().collect::<Vec<_>>()
    );
    assert_eq!((&anna["age"], &anna["signature"], &anna["gender"]), (&Value::Null, &Value::Null, &Value::Null));
}

#[tokio::test]
async fn everything_but_coming_in_wants_a_caller() {
    let test = Test::start().await;
    for (method, path) in [
        (Method::PUT, "users/7"),
        (Method::PATCH, "users/7"),
        (Method::GET, "users/7"),
        (Method::GET, "users/7/homepage"),
        (Method::POST, "likes"),
        (Method::DELETE, "likes"),
        (Method::POST, "feedbacks"),
        (Method::POST, "user_tracks"),
        (Method::GET, "im_token"),
        (Method::GET, "comments"),
        (Method::POST, "comments"),
        (Method::GET, "user_chat_media"),
    ] {
        call(&test, By::default(), method.clone(), path, Value::Null).await.refused(401, 401);
        call(&test, token("nonsense"), method.clone(), path, Value::Null).await.refused(401, 401);
        call(&test, device(DEVICE), method, path, Value::Null).await.refused(400, 1001);
    }
    for path in ["login", "users"] {
        post(&test, By::default(), path, json!({"gender": "male", "age": 30})).await.refused(400, 400);
    }
}

#[tokio::test]
async fn likes_are_given_once_and_taken_back() {
    let test = Test::start().await;
    let bo = register(&test, DEVICE).await;
    let store = &test.plaza.app.store;
    let article = store.publish_article(UserId(bo), "hello", vec![]).await.unwrap();
    let count = async || store.article(article).await.unwrap().like_count;
    let like = json!({"target_id": article.0.to_string(), "target_type": "post"});
    for _ in 0..2 {
        assert_eq!(post(&test, device(DEVICE), "likes", like.clone()).await.body, json!({}));
        assert_eq!(count().await, 1);
    }
    for _ in 0..2 {
        assert_eq!(call(&test, device(DEVICE), Method::DELETE, "likes", like.clone()).await.body, json!({}));
        assert_eq!(count().await, 0);
    }
    // The fields of a DELETE may be its query.
    post(&test, device(DEVICE), "likes", json!({"target_id": article.0, "target_type": "post"})).await;
    let query = format!("likes?target_id={}&target_type=post", article.0);
    assert_eq!(call(&test, device(DEVICE), Method::DELETE, &query, Value::Null).await.body, json!({}));
    assert_eq!(count().await, 0);
    post(&test, device(DEVICE), "likes", json!({"target_id": "7", "target_type": "post"})).await.refused(404, 404);
    for (field, body) in [
        ("target_type", json!({"target_id": article.0, "target_type": "user"})),
        ("target_type", json!({"target_id": article.0})),
        ("target_id", json!({"target_id": "x", "target_type": "post"})),
        ("target_id", json!({"target_type": "post"})),
    ] {
        for method in [Method::POST, Method::DELETE] {
            let no = call(&test, device(DEVICE), method, "likes", body.clone()).await;
            no.refused(400, 400);
            assert!(no.message().starts_with(&format!("{field}: ")), "{no:?}");
        }
    }
}

#[tokio::test]
async fn comments_written_between_two_pages_shift_nothing() {
    let test = Test::start().await;
    let bo = register(&test, DEVICE).await;
    let article = test.plaza.app.store.publish_article(UserId(bo), "hello", vec![]).await.unwrap().0;
    let write = async |content: String| {
        let body = json!({"target_id": article, "target_type": "post", "content": content});
        assert_eq!(post(&test, device(DEVICE), "comments", body).await.body, json!({}));
    };
    let page = async |cursor: &str, offset: usize, limit: usize| {
        let query = format!("target_id={article}&target_type=post&cursor={cursor}&offset={offset}&limit={limit}");
        let page = get(&test, device(DEVICE), &format!("comments?{query}")).await;
        assert_eq!(page.status, 200, "{page:?}");
        let contents: Vec<_> = page.body["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["content"].as_str().unwrap().to_owned())
            .collect();
        (page.body["cursor"].as_str().unwrap().to_owned(), page.body["total"].as_u64().unwrap(), contents)
    };
    // A list may be pinned while it is empty.
    let (nothing, total, contents) = page("", 0, 20).await;
    assert_eq!((total, contents.len()), (0, 0));
    for number in 0..25 {
        write(number.to_string()).await;
    }
    assert_eq!(page(&nothing, 0, 20).await, (nothing.clone(), 25, vec![]));
    let (cursor, _, mut seen) = page("", 0, 10).await;
    for offset in [10, 20] {
        write(format!("meanwhile {offset}")).await;
        let (same, total, contents) = page(&cursor, offset, 10).await;
        assert_eq!((same, total), (cursor.clone(), 25 + offset as u64 / 10));
        seen.extend(contents);
    }
    assert_eq!(seen, (0..25).rev().map(|number| number.to_string()).collect::<Vec<_>>());
    assert_eq!(page(&cursor, 30, 10).await.2, [""; 0]);
    let (newer, total, contents) = page("", 0, 1).await;
    assert_eq!((total, contents), (27, vec!["meanwhile 20".to_owned()]));
    assert_ne!(newer, cursor);

    // What one says, and who.
    let query = format!("comments?target_id={article}&target_type=post");
    let first = get(&test, device(DEVICE), &query).await.body["items"][0].clone();
    assert!(first["id"].as_str().unwrap().parse::<u64>().is_ok());
    assert_eq!(first["created_time"], crate::support::START);
    let user = json!({"id": format!("{bo:032x}"), "nickname": "bo", "age": 24, "icon": null});
    assert_eq!(first["user"], user);
    assert_eq!(get(&test, device(DEVICE), &query).await.body["items"].as_array().unwrap().len(), 20);

    for (field, bad) in [
        ("cursor", "x"),
        ("cursor", "-1"),
        ("cursor", "99999999999999999"),
        ("offset", "-1"),
        ("limit", "0"),
        ("limit", "101"),
    ] {
        let no = get(&test, device(DEVICE), &format!("{query}&{field}={bad}")).await;
        no.refused(400, 400);
        assert!(no.message().starts_with(&format!("{field}: ")), "{no:?}");
    }
    get(&test, device(DEVICE), "comments?target_id=7&target_type=post").await.refused(404, 404);
    let gone = json!({"target_id": 7, "target_type": "post", "content": "x"});
    post(&test, device(DEVICE), "comments", gone).await.refused(404, 404);
    for content in [json!(""), json!(" \n"), json!("x".repeat(1001)), json!(null)] {
        let body = json!({"target_id": article, "target_type": "post", "content": content});
        let no = post(&test, device(DEVICE), "comments", body).await;
        no.refused(400, 400);
        assert!(no.message().starts_with("content: "), "{no:?}");
    }
}

#[tokio::test]
async fn a_homepage_shows_it_all() {
    let test = Test::start().await;
    let bo = register(&test, DEVICE).await;
    let anna = register(&test, OTHER).await;
    let store = &test.plaza.app.store;
    let path = format!("users/{bo:032x}/homepage");
    let empty = get(&test, device(OTHER), &path).await;
    assert_eq!(
        empty.body,
        json!({
            "id": format!("{bo:032x}"), "nickname": "bo", "gender": "male", "icon": null, "age": 24, "signature": null,
            "background": null, "audio_intro": null, "job": null, "degree": null, "marriage": null,
            "sex_attitude": null, "video_price": null, "audio_price": null, "is_vip": false, "online_period": null,
            "profit": 0, "her_gifts": [], "post_count": 0, "posts": [],
        })
    );
    let chat = async |kind: &str| {
        get(&test, device(OTHER), &format!("user_chat_media?chat_type={kind}&user_id={bo}")).await.body
    };
    assert_eq!(chat("video_chat").await, json!({"key": null, "type": "video"}));
    assert_eq!(chat("audio_chat").await, json!({"key": null, "type": "audio"}));
    for (query, code) in
        [("chat_type=video_chat&user_id=7", 404), ("chat_type=chat&user_id=7", 400), ("user_id=7", 400)]
    {
        get(&test, device(OTHER), &format!("user_chat_media?{query}")).await.refused(code, code);
    }

    let [picture, video, audio] = [
        checked(&test, bo, MediaKind::Jpeg, None).await,
        checked(&test, bo, MediaKind::Mp4, None).await,
        checked(&test, bo, MediaKind::Mp3, Some(7)).await,
    ];
    let set = async |body| call(&test, device(DEVICE), Method::PATCH, &format!("users/{bo}"), body).await;
    assert_eq!(set(json!({"background": picture, "audio_intro": audio})).await.status, 200);
    let shown = get(&test, device(OTHER), &path).await.body;
    assert_eq!(shown["background"], json!({"type": "picture", "key": picture}));
    assert_eq!(shown["audio_intro"], json!({"type": "audio", "key": audio, "duration": 7}));
    assert_eq!(set(json!({"background": video, "video_chat": video, "audio_chat": audio})).await.status, 200);
    assert_eq!(get(&test, device(OTHER), &path).await.body["background"], json!({"type": "video", "key": video}));
    assert_eq!(chat("video_chat").await, json!({"key": video, "type": "video"}));
    assert_eq!(chat("audio_chat").await, json!({"key": audio, "type": "audio"}));
    // Of another kind, of somebody else, of nobody.
    let annas = checked(&test, anna, MediaKind::Mp4, None).await;
    let nobodys = MediaId::fresh(&test.plaza.app.system, "mp3");
    for (field, media) in [
        ("background", &audio),
        ("audio_intro", &video),
        ("video_chat", &audio),
        ("audio_chat", &picture),
        ("background", &annas),
        ("audio_intro", &nobodys),
    ] {
        let no = set(json!({field: media})).await;
        no.refused(400, 400);
        assert!(no.message().starts_with(&format!("{field}: ")), "{no:?}");
    }

    // Five posts with images of seven, the newest first; those without count as well.
    let mut posts = vec![];
    for number in 0..7 {
        test.wait(1);
        let images = vec![checked(&test, bo, MediaKind::Jpeg, None).await];
        let id = store.publish_article(UserId(bo), &number.to_string(), images.clone()).await.unwrap();
        store.publish_article(UserId(bo), "no image", vec![]).await.unwrap();
        let media = json!([{"type": "picture", "key": images[0]}]);
        posts.insert(0, json!({"id": id.0.to_string(), "post_type": "picture", "media": media}));
    }
    let shown = get(&test, device(OTHER), &path).await.body;
    assert_eq!((&shown["post_count"], &shown["posts"]), (&json!(14), &json!(posts[..5])));
}

#[tokio::test]
async fn what_was_found_bad_is_not_shown() {
    let test = Test::start().await;
    let bo = register(&test, DEVICE).await;
    let store = &test.plaza.app.store;
    let [background, intro] = [MediaKind::Jpeg, MediaKind::Mp3];
    let background = store.new_media(UserId(bo), background).await.unwrap();
    let intro = store.new_media(UserId(bo), intro).await.unwrap();
    let changes = Changes {
        background: Some(background.clone()),
        audio_intro: Some(intro.clone()),
        audio_chat: Some(intro.clone()),
        ..Changes::default()
    };
    store.change_profile(UserId(bo), changes).await.unwrap();
    let homepage = async || get(&test, device(DEVICE), &format!("users/{bo}/homepage")).await.body;
    let chat = async || get(&test, device(DEVICE), &format!("user_chat_media?chat_type=audio_chat&user_id={bo}")).await;
    // Not checked yet is good enough.
    assert_eq!(homepage().await["audio_intro"], json!({"type": "audio", "key": intro, "duration": null}));
    assert_eq!(chat().await.body["key"], json!(intro));
    store.media_refused(&intro, UserId(bo), MediaStatus::Refused).await.unwrap();
    store.media_checked(&background, UserId(bo), None).await.unwrap();
    // Soon, and when nobody knows of it any more.
    for days in [0, 2] {
        test.wait(days * DAY);
        let shown = homepage().await;
        assert_eq!((&shown["background"]["key"], &shown["audio_intro"]), (&json!(background), &Value::Null));
        assert_eq!(chat().await.body, json!({"key": null, "type": "audio"}));
    }
}

#[tokio::test]
async fn gifts_and_vip_time_are_entered_once() {
    let test = Test::start().await;
    let bo = register(&test, DEVICE).await;
    let mut givers = vec![];
    for name in ["device-of-a-giver-01", "device-of-a-giver-02"] {
        test.wait(1);
        givers.push(register(&test, name).await);
    }
    let store = &test.plaza.app.store;
    let give = async |id, from: usize, code, count, value| {
        let gift = Gift { id, to: UserId(bo), from: UserId(givers[from]), code, count, value };
        store.give_gift(&gift).await
    };
    let otherwise = Err(Refusal::Conflict(words!(
        "this id was entered with other values: choose another",
        "此 id 已用于其他内容，请换一个"
    )));
    for new in [true, false] {
        assert_eq!(give("1", 0, "villa", 5, 300).await, Ok(new));
        assert_eq!(give("2", 1, "rose red", 1, 2000).await, Ok(new));
        assert_eq!(give("3", 0, "villa", 1, 60).await, Ok(new));
        assert_eq!(give("4", 0, "car", 2, 40).await, Ok(new));
        for id in ["1", "2", "3", "4"] {
            assert_eq!(give(id, 1, "villa", 9, 900).await, otherwise, "{id}");
        }
    }
    let nobody = Gift { id: "5", to: UserId(7), from: UserId(bo), code: "car", count: 1, value: 1 };
    for gift in [Gift { ..nobody }, Gift { to: UserId(bo), from: UserId(7), ..nobody }] {
        store.give_gift(&gift).await.unwrap_err();
    }
    let homepage = get(&test, device(DEVICE), &format!("users/{bo}/homepage")).await.body;
    assert_eq!(homepage["profit"], 2400);
    let from = |giver: usize| json!({"id": format!("{:032x}", givers[giver]), "icon": null});
    assert_eq!(
        homepage["her_gifts"],
        json!([
            {"from_user": from(1), "gifts": [{"code": "rose red", "count": 1}]},
            {"from_user": from(0), "gifts": [{"code": "car", "count": 2}, {"code": "villa", "count": 6}]},
        ])
    );
    // Refused, it may be entered again once it is right.
    assert_eq!(give("5", 0, "car", 1, 0).await, Ok(true));

    let vip = async || {
        let shown = post(&test, device(DEVICE), "login", Value::Null).await.body;
        (shown["is_vip"].as_bool().unwrap(), shown["vip_left"].as_u64().unwrap())
    };
    assert_eq!(vip().await, (false, 0));
    for new in [true, false] {
        assert_eq!(store.grant_vip("a", UserId(bo), 30).await, Ok(new));
        assert_eq!(store.grant_vip("a", UserId(bo), 31).await, otherwise);
        assert_eq!(store.grant_vip("a", UserId(givers[0]), 30).await, otherwise);
        assert_eq!(vip().await, (true, 30));
    }
    test.wait(DAY / 2);
    assert_eq!(vip().await, (true, 30));
    // From its end on while it lasts, from now on later.
    assert!(store.grant_vip("b", UserId(bo), 1).await.unwrap());
    assert_eq!(vip().await, (true, 31));
    test.wait(40 * DAY);
    assert_eq!(vip().await, (false, 0));
    assert!(store.grant_vip("c", UserId(bo), 2).await.unwrap());
    assert_eq!(vip().await, (true, 2));
    assert_eq!(get(&test, device(DEVICE), &format!("users/{bo}")).await.body["vip_left"], 2);
    assert_eq!(get(&test, device("device-of-a-giver-01"), &format!("users/{bo}/homepage")).await.body["is_vip"], true);
    store.grant_vip("d", UserId(7), 2).await.unwrap_err();
}

#[tokio::test]
async fn gifts_and_grants_at_once_all_count() {
    let test = std::sync::Arc::new(Test::start().await);
    let bo = UserId(register(&test, DEVICE).await);
    let from = UserId(register(&test, OTHER).await);
    // Each of eight twice, and meeting conflicts.
    test.line.spoil("TransactWriteItems", [crate::support::Fault::Conflict; 4]);
    together((0..16).map(|number| {
        let test = test.clone();
        async move {
            let (store, id) = (&test.plaza.app.store, (number / 2).to_string());
            let gift = Gift { id: &id, to: bo, from, code: "car", count: 1, value: 10 };
            let busy = |no| assert_eq!(no, Refusal::Unavailable);
            for _ in 0..20 {
                match store.give_gift(&gift).await {
                    Ok(_) => break,
                    Err(no) => busy(no),
                }
            }
            for _ in 0..20 {
                match store.grant_vip(&id, bo, 1).await {
                    Ok(_) => break,
                    Err(no) => busy(no),
                }
            }
        }
    }))
    .await;
    assert_eq!(test.line.unstruck(), 0);
    let user = test.plaza.app.store.profile(bo).await.unwrap().unwrap();
    assert_eq!((user.profit, user.vip_left(test.plaza.app.system.now())), (80, 8));
    let givers = test.plaza.app.store.gifts_of(bo, bo).await.unwrap();
    assert_eq!(givers.iter().map(|giver| giver.gifts["car"]).collect::<Vec<_>>(), [8]);
}

#[tokio::test]
async fn a_homepage_costs_the_same_whatever_else_one_wrote() {
    let cost = async |others: usize| {
        let test = Test::start().await;
        let bo = UserId(register(&test, DEVICE).await);
        let store = &test.plaza.app.store;
        for _ in 0..6 {
            test.wait(1);
            let images = vec![checked(&test, bo.0, MediaKind::Jpeg, None).await];
            store.publish_article(bo, "look", images).await.unwrap();
        }
        for _ in 0..others / 50 {
            test.wait(1);
            let several = (0..50).map(|_| store.publish_article(bo, "no image", vec![]));
            futures_util::future::try_join_all(several).await.unwrap();
        }
        let path = format!("users/{}/homepage", bo.0);
        let (shown, cost) = test.line.meter(get(&test, device(DEVICE), &path)).await;
        assert_eq!(shown.body["posts"].as_array().unwrap().len(), 5);
        assert_eq!(shown.body["post_count"], 6 + others);
        (cost.rounds(), cost.0.len(), cost.read_units(), cost.write_units())
    };
    let (without, with) = (cost(0).await, cost(1000).await);
    println!("{without:?}");
    assert_eq!(without, with);
    assert!(without.0 <= 3, "{without:?}");
}

#[tokio::test]
async fn feedback_and_tracks_are_kept() {
    let test = Test::start().await;
    let bo = register(&test, DEVICE).await;
    assert_eq!(post(&test, device(DEVICE), "feedbacks", json!({"content": "很好\n!"})).await.body, json!({}));
    for content in [json!(""), json!("  "), json!("x".repeat(2001)), json!(7)] {
        post(&test, device(DEVICE), "feedbacks", json!({ "content": content })).await.refused(400, 400);
    }
    let kept = test.items().await;
    let feedback: Vec<_> = kept.iter().filter(|(key, _)| key.starts_with("FEEDBACK#")).collect();
    assert_eq!(feedback.len(), 1);
    assert_eq!(feedback[0].1["content"].as_s().unwrap(), "很好\n!");
    assert_eq!(feedback[0].1["from"].as_n().unwrap(), &bo.to_string());

    for (body, push, lng, lat) in [
        (json!({"push_status": true, "lng": 116.404, "lat": -39.9}), "Bool(true)", "N(\"116.404\")", "N(\"-39.9\")"),
        (json!({"push_status": "false", "lng": "-180", "lat": "90.0"}), "Bool(false)", "N(\"-180\")", "N(\"90\")"),
        (json!({"push_status": 1, "lng": "", "lat": null}), "Bool(true)", "Null(true)", "Null(true)"),
        (json!({"lng": 7}), "Null(true)", "N(\"7\")", "Null(true)"),
    ] {
        test.wait(1);
        assert_eq!(post(&test, device(DEVICE), "user_tracks", body.clone()).await.body, json!({}), "{body}");
        let items = test.items().await;
        let track = items.iter().rfind(|(key, _)| key.contains(" / TRACK#")).unwrap().1;
        let kept = ["push_status", "lng", "lat"].map(|name| format!("{:?}", track[name]));
        assert_eq!(kept, [push, lng, lat], "{body}");
        assert!(track.contains_key("expires_at"));
    }
    let form = Request::builder().method(Method::POST).header("x-device-id", DEVICE);
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    test.wait(1);
    assert_eq!(test.send(form, "/m_user/user_tracks", "push_status=0&lng=1.5&lat=").await.body, json!({}));
    for (field, bad) in [
        ("lng", json!(180.1)),
        ("lng", json!("-181")),
        ("lng", json!("east")),
        ("lng", json!("NaN")),
        ("lng", json!("inf")),
        ("lat", json!(90.5)),
        ("lat", json!([1])),
        ("lat", json!(true)),
        ("push_status", json!("on")),
        ("push_status", json!(2)),
    ] {
        let no = post(&test, device(DEVICE), "user_tracks", json!({field: bad})).await;
        no.refused(400, 400);
        assert!(no.message().starts_with(&format!("{field}: ")), "{field} {bad}: {no:?}");
    }
    // What tells nothing is fine, and not kept.
    for nothing in [json!({}), json!({"push_status": null, "lng": "", "lat": null})] {
        assert_eq!(post(&test, device(DEVICE), "user_tracks", nothing).await.body, json!({}));
    }
    let tracks = test.items().await.into_keys().filter(|key| key.contains(" / TRACK#")).count();
    assert_eq!(tracks, 5);
}

/// By a token, and by a device, which takes a round more: whose it is.
#[tokio::test]
async fn few_rounds_by_token_and_by_device() {
    let mut long = vec![];
    for by_device in [false, true] {
        let test = Test::start().await;
        let made = post(&test, device(DEVICE), "users", json!({"gender": "male", "age": 24})).await.body;
        let (bo, with) = (number(&made["id"]), made["token"].as_str().unwrap().to_owned());
        let by = if by_device { device(DEVICE) } else { token(&with) };
        let giver = UserId(register(&test, OTHER).await);
        let store = &test.plaza.app.store;
        let [image, audio] =
            [checked(&test, bo, MediaKind::Jpeg, None).await, checked(&test, bo, MediaKind::Mp3, Some(7)).await];
        let changes = Changes {
            background: Some(image.clone()),
            audio_intro: Some(audio.clone()),
            audio_chat: Some(audio.clone()),
            ..Changes::default()
        };
        store.change_profile(UserId(bo), changes).await.unwrap();
        let gift = Gift { id: "1", to: UserId(bo), from: giver, code: "car", count: 1, value: 10 };
        store.give_gift(&gift).await.unwrap();
        let article = store.publish_article(UserId(bo), "look", vec![image.clone()]).await.unwrap().0;
        let target = json!({"target_id": article, "target_type": "post"});
        let comment = json!({"target_id": article, "target_type": "post", "content": "hi"});
        post(&test, by, "comments", comment.clone()).await;
        test.wait(1);
        let password = StoredPassword::hash(&Password::typed("review2026"), test.plaza.app.system.random()).unwrap();
        store.create_user(&SignUp::Review("apple".into()), Some(password), Changes::default()).await.unwrap();
        let (user, page) = (format!("users/{bo}"), format!("comments?target_id={article}&target_type=post"));
        let new = json!({"nickname": "bo", "gender": "male", "age": 24});
        let mut asked = vec![
            (by, Method::POST, "likes", target.clone()),
            (by, Method::DELETE, "likes", target),
            (by, Method::POST, "comments", comment),
            (by, Method::GET, &page, Value::Null),
            (by, Method::POST, "feedbacks", json!({"content": "hi"})),
            (by, Method::POST, "user_tracks", json!({"lng": 7})),
            (by, Method::GET, "im_token", Value::Null),
            (by, Method::PUT, &user, new.clone()),
            (by, Method::PATCH, &user, json!({"age": 25})),
            (by, Method::PATCH, &user, json!({"background": image, "audio_chat": audio})),
            (by, Method::GET, &user, Value::Null),
        ];
        let (homepage, chat) =
            (format!("{user}/homepage"), format!("user_chat_media?chat_type=audio_chat&user_id={bo}"));
        asked.extend([(by, Method::GET, &*homepage, Value::Null), (by, Method::GET, &chat, Value::Null)]);
        if by_device {
            let reviewer = json!({"account": "apple", "password": "review2026"});
            asked.extend([
                (by, Method::POST, "login", Value::Null),
                (device("device-of-a-member-3"), Method::POST, "users", new),
                (By::default(), Method::POST, "audit_login", reviewer),
            ]);
        }
        for (by, method, path, body) in asked {
            let what = format!("{method} {} {body}", path.split('?').next().unwrap().replace(&bo.to_string(), "…"));
            let (answer, cost) = test.line.meter(call(&test, by, method, path, body)).await;
            assert_eq!(answer.status, 200, "{what}: {answer:?}");
            let (rounds, calls) = (cost.rounds(), cost.0.len());
            println!("{by_device:5} {rounds} {calls} {:.1} {:.1} {what}", cost.read_units(), cost.write_units());
            if rounds > 3 {
                long.push((rounds, what.split(' ').take(2).collect::<Vec<_>>().join(" ")));
            }
            test.wait(1);
        }
    }
    println!("{long:?}");
    // A device takes a round more than a token; and a login with a password takes three before the device is made.
    // Files of a profile are changed with what held the old ones.
    let known = [(4, "PATCH users/…"), (4, "DELETE likes"), (5, "PATCH users/…"), (4, "POST audit_login")];
    assert_eq!(long, known.map(|(rounds, what)| (rounds, what.to_owned())));
}

#[tokio::test]
async fn what_no_table_takes_and_no_gateway_passes_is_refused_or_rounded() {
    let test = Test::start().await;
    let (anna, token) = test.person("13800138001").await;
    let by = || By { token: &token, ..By::default() };
    for (lng, status) in [("1e-200", 200), ("-180", 200), ("180.0000001", 400), ("NaN", 400), ("inf", 400)] {
        assert_eq!(post(&test, by(), "user_tracks", json!({"lng": lng})).await.status, status, "{lng}");
    }
    let request = |method: &str| Request::builder().method(method).header("authorization", &token);
    let answer = test.send(request("GET"), "/m_user/users/%ff", "").await;
    answer.refused(400, 400);
    let head = test.send(request("HEAD"), "/m_user/im_token", "").await;
    assert_eq!(head.status, 404);
    // A client that always sends a body.
    let article = test.plaza.app.store.publish_article(UserId(anna), "x", vec![]).await.unwrap();
    let path = format!("/m_user/likes?target_id={}&target_type=post", article.0);
    let delete = request("DELETE").header("content-type", "application/json");
    assert_eq!(test.send(delete, &path, "{}").await.status, 200);
}
