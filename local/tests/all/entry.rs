//! Document E, over HTTP against the engines; and one account over all documents.
use http::{Method, Request};
use serde_json::{Value, json};
use shared::domain::UserId;

use crate::support::{Answer, Test, picture};

/// MD5 of `abcd1234`, every test user's password.
const MD5: &str = "e19d5cd5af0378da05f63f891c7467af";

async fn log_in(test: &Test, username: &str, password: &str) -> Answer {
    test.json("/login", json!({"username": username, "password": password})).await
}

async fn call(test: &Test, method: Method, path: &str, token: &str, body: Value) -> Answer {
    let request = Request::builder().method(method).header("authorization", token);
    test.send(request.header("content-type", "application/json"), path, body.to_string()).await
}

async fn info(test: &Test, token: &str) -> Answer {
    test.send(Request::builder().header("authorization", token), "/user/get_user_info", "").await
}

async fn log_out(test: &Test, token: &str) -> Answer {
    test.send(Request::builder().method(Method::POST).header("authorization", token), "/user/logout", "").await
}

fn done() -> Value {
    json!({"code": 0, "msg": "", "result": ""})
}

#[tokio::test]
async fn login_answers_as_documented() {
    let test = Test::start().await;
    let (_, token) = test.user("13800138001").await;
    test.json_as(&token, "/user/update_info", json!({"name": "felix", "email": "f@x.com"})).await;
    for (username, password) in [("13800138001", MD5), ("F@x.com", &MD5.to_uppercase()), ("+8613800138001", MD5)] {
        let mut answer = log_in(&test, username, password).await;
        let token = answer.body["result"]["token"].take();
        assert_eq!(info(&test, token.as_str().unwrap()).await.status, 200);
        let result = json!({"nickname": "felix", "profilePicture": null, "token": null, "username": "13800138001"});
        assert_eq!(answer.body, json!({"code": 0, "msg": "", "result": result}));
    }
}

#[tokio::test]
async fn wrong_passwords_count_in_all_documents_together() {
    let test = Test::start().await;
    test.user("13800138001").await;
    log_in(&test, "13800138001", "abcd1234").await.refused(400, 400);
    for _ in 0..2 {
        test.log_in("13800138001", "wrong").await.refused(200, 3100);
    }
    for _ in 0..3 {
        let wrong = log_in(&test, "13800138001", &MD5.replace('e', "f")).await;
        wrong.refused(200, 3100);
        assert_eq!(wrong.body["result"], "");
    }
    log_in(&test, "13800138001", MD5).await.refused(200, 3101);
    test.log_in("13800138001", "abcd1234").await.refused(200, 3101);
}

#[tokio::test]
async fn the_profile_can_be_read_and_changed() {
    let test = Test::start().await;
    let (_, token) = test.user("13800138001").await;
    let changed = call(&test, Method::PUT, "/user/update_user_info", &token, json!({"nickname": "亖狼"})).await;
    assert_eq!(changed.body, done());
    let result = json!({"username": "13800138001", "nickname": "亖狼", "profile_picture": null});
    assert_eq!(info(&test, &token).await.body, json!({"code": 0, "msg": "", "result": result}));
    for nickname in [json!(""), json!("  "), json!("a\nb"), json!("x".repeat(65)), json!(7), json!(null)] {
        let refused = call(&test, Method::PUT, "/user/update_user_info", &token, json!({ "nickname": nickname })).await;
        refused.refused(400, 400);
        assert!(refused.message().starts_with("nickname: "), "{}", refused.message());
    }
    assert_eq!(info(&test, &token).await.body["result"]["nickname"], "亖狼");
}

#[tokio::test]
async fn everything_but_login_wants_a_token() {
    let test = Test::start().await;
    for token in ["", "nonsense"] {
        info(&test, token).await.refused(401, 401);
        log_out(&test, token).await.refused(401, 401);
        call(&test, Method::PUT, "/user/update_user_info", token, json!({"nickname": ""})).await.refused(401, 401);
        call(&test, Method::PUT, "/user/update_user_profile_picture", token, json!({})).await.refused(401, 401);
    }
}

#[tokio::test]
async fn a_log_out_ends_one_token_in_every_document() {
    let test = Test::start().await;
    let (_, token) = test.user("13800138001").await;
    let other = test.token("13800138001").await;
    assert_eq!(log_out(&test, &token).await.body, done());
    info(&test, &token).await.refused(401, 401);
    log_out(&test, &token).await.refused(401, 401);
    test.json_as(&token, "/user/update_info", json!({})).await.refused(401, 401);
    test.json_as(&token, "/user/pic_dir/create", json!({"name": "x"})).await.refused(401, 401);
    assert_eq!(info(&test, &other).await.status, 200);
}

#[tokio::test]
async fn whoever_logs_out_very_often_ends_all_of_their_tokens() {
    let test = Test::start().await;
    let (id, token) = test.user("13800138001").await;
    let app = &test.plaza.app;
    let user = app.store.log_in_vouched(UserId(id)).await.unwrap();
    for _ in 0..200 {
        let ended = app.keys().unwrap().verify(&app.new_token(&user).unwrap().0, app.system.now()).unwrap();
        app.store.end_session(&ended).await.unwrap();
    }
    assert_eq!(info(&test, &token).await.status, 200);
    // What has expired since makes room.
    test.wait(20 * shared::domain::DAY);
    let later = test.token("13800138001").await;
    test.wait(11 * shared::domain::DAY);
    assert_eq!(log_out(&test, &test.token("13800138001").await).await.body, done());
    assert_eq!(info(&test, &later).await.status, 200);
    // Where nothing has, all end.
    let user = app.store.log_in_vouched(UserId(id)).await.unwrap();
    for _ in 0..200 {
        let ended = app.keys().unwrap().verify(&app.new_token(&user).unwrap().0, app.system.now()).unwrap();
        app.store.end_session(&ended).await.unwrap();
    }
    info(&test, &later).await.refused(401, 401);
    let afresh = test.token("13800138001").await;
    assert_eq!(info(&test, &afresh).await.status, 200);
}

#[tokio::test]
async fn one_account_over_all_documents() {
    let test = Test::start().await;
    // Registered through C and D's code, logged in through E.
    let (id, c) = test.user("13800138001").await;
    let e = log_in(&test, "13800138001", MD5).await.body["result"]["token"].as_str().unwrap().to_owned();
    // The avatar set in E shows in C and E, under one URL.
    let (content_type, body) = crate::support::multipart(&[], Some(("file", &picture(200, 100))));
    let request =
        Request::builder().method(Method::PUT).header("authorization", &e).header("content-type", content_type);
    assert_eq!(test.send(request, "/user/update_user_profile_picture", body).await.body, done());
    let url = info(&test, &c).await.body["result"]["profile_picture"].as_str().unwrap().to_owned();
    assert_eq!(test.fetch(&url).await.0, 200);
    assert_eq!(test.json_as(&e, "/user/update_info", json!({})).await.body["data"]["avator"], *url);
    assert_eq!(log_in(&test, "13800138001", MD5).await.body["result"]["profilePicture"], *url);
    // The name set in E and the intro set in C show in A.
    call(&test, Method::PUT, "/user/update_user_info", &e, json!({"nickname": "felix"})).await;
    test.json_as(&c, "/user/update_info", json!({"desc": "hello", "job_status": 1})).await;
    let gallery =
        test.json_as(&e, "/user/pic_dir/create", json!({"name": "x"})).await.body["data"]["pic_dir_id"].clone();
    let fields = [("pic_dir_id", gallery.to_string())];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    let uploaded = test.upload(&c, "/user/pic/upload", &fields, ("image", &picture(64, 64))).await;
    let detail = test.get(&format!("/user/pic/detail?pic_id={}", uploaded.body["data"]["pic_id"])).await;
    let shown = |name: &str| detail.body["data"][name].clone();
    assert_eq!((shown("user_id"), shown("username")), (json!(id), json!("felix")));
    assert_eq!((shown("desc"), shown("job_status")), (json!("hello"), json!(1)));
    // Log-out in one ends it in all.
    log_out(&test, &c).await;
    test.json_as(&c, "/user/pic_dir/create", json!({"name": "y"})).await.refused(401, 401);
    assert_eq!(test.json_as(&e, "/user/pic_dir/create", json!({"name": "y"})).await.status, 200);
}
