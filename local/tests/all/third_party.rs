//! Logins through QQ, WeChat and Weibo, against a stand-in of them on loopback.
use std::{collections::HashMap, sync::Arc};

use axum::{
    Json, Router,
    extract::Query,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};

use crate::support::{Answer, Test, together};

const APP: &str = "1352222456";
const PHONE: &str = "13800138001";
const INFO: &str = "/user/update_info";
const OPENID: &str = "1073880650";

/// `user_type` and the beginning of the variables' names.
const PROVIDERS: [(&str, &str); 3] = [("2", "QQ"), ("3", "WECHAT"), ("4", "WEIBO")];

/// What a token is made of here: whom it lets in, and to which app.
fn token(openid: &str, app: &str) -> String {
    format!("{app}-{openid}")
}

fn no(code: Value) -> Response {
    (StatusCode::OK, Json(code)).into_response()
}

async fn qq(Query(asked): Query<HashMap<String, String>>) -> Response {
    match asked["access_token"].split_once('-') {
        Some((app, openid)) => Json(json!({"client_id": app, "openid": openid})).into_response(),
        None if asked["access_token"] == "down" => StatusCode::BAD_GATEWAY.into_response(),
        None => no(json!({"error": 100_016, "error_description": "access token check failed"})),
    }
}

async fn wechat(Query(asked): Query<HashMap<String, String>>) -> Response {
    match asked["access_token"].as_str() {
        good if good == token(&asked["openid"], APP) => Json(json!({"errcode": 0, "errmsg": "ok"})).into_response(),
        "down" => StatusCode::BAD_GATEWAY.into_response(),
        _ => no(json!({"errcode": 40_003, "errmsg": "invalid openid"})),
    }
}

async fn weibo(body: String) -> Response {
    let asked: HashMap<_, _> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    match asked["access_token"].split_once('-') {
        Some((app, uid)) => Json(json!({"uid": uid, "appkey": app, "expire_in": 3600})).into_response(),
        None if asked["access_token"] == "down" => StatusCode::BAD_GATEWAY.into_response(),
        None => {
            (StatusCode::BAD_REQUEST, Json(json!({"error": "expired_token", "error_code": 21_327}))).into_response()
        }
    }
}

/// A Plaza with an app at each provider.
async fn start() -> Test {
    let providers = Router::new()
        .route("/oauth2.0/me", get(qq))
        .route("/sns/auth", get(wechat))
        .route("/oauth2/get_token_info", post(weibo));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, providers).await });
    Test::with(&[
        ("QQ_APP_ID", APP),
        ("QQ_BASE_URL", &url),
        ("WECHAT_APP_ID", APP),
        ("WECHAT_BASE_URL", &url),
        ("WEIBO_APP_ID", APP),
        ("WEIBO_BASE_URL", &url),
    ])
    .await
}

async fn log_in(test: &Test, user_type: &str, openid: &str, token: &str) -> Answer {
    test.json("/user/login", json!({"user_type": user_type, "openid": openid, "token": token})).await
}

#[track_caller]
fn user(answer: &Answer) -> &Value {
    assert_eq!((answer.code(), answer.message()), ("1000".into(), "succ"), "{answer:?}");
    &answer.body["data"]["user_info"]
}

#[tokio::test]
async fn the_first_login_through_each_makes_a_user_and_the_next_finds_them() {
    let test = start().await;
    let mut ids = vec![];
    for (user_type, name) in PROVIDERS {
        let token = token(OPENID, APP);
        let first = log_in(&test, user_type, OPENID, &token).await;
        let first = user(&first);
        assert_eq!(first["is_new_user"], 1, "{name}");
        assert_eq!(first["user_type"].to_string(), user_type);
        for unknown in ["account", "phone", "email", "gender", "avator", "large_avator"] {
            assert_eq!(first[unknown], Value::Null, "{unknown}");
        }
        let second = log_in(&test, user_type, OPENID, &token).await;
        let second = user(&second);
        assert_eq!((&second["is_new_user"], &second["uid"]), (&json!(0), &first["uid"]), "{name}");
        let info = test.json_as(second["token"].as_str().unwrap(), INFO, json!({"name": name})).await;
        assert_eq!((info.code(), &info.body["data"]["name"]), ("000000".into(), &json!(name)));
        ids.push(first["uid"].as_u64().unwrap());
    }
    ids.dedup();
    assert_eq!(ids.len(), 3, "one name at three providers is three users");
}

#[tokio::test]
async fn what_proves_somebody_or_something_else_is_3100_and_makes_no_user() {
    let test = start().await;
    for (user_type, name) in PROVIDERS {
        for bad in [token("1073880651", APP), token(OPENID, "1352222457"), "expired".into()] {
            let answer = log_in(&test, user_type, OPENID, &bad).await;
            answer.refused(200, 3100);
            assert_eq!(answer.body["data"], json!({}), "{name}");
        }
    }
    assert_eq!(test.items().await.into_keys().collect::<Vec<_>>(), [""; 0]);
}

#[tokio::test]
async fn a_provider_that_gives_no_clear_answer_lets_nobody_in() {
    let test = start().await;
    for (user_type, _) in PROVIDERS {
        log_in(&test, user_type, OPENID, "down").await.refused(503, 503);
    }
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let gone = Test::with(&[("QQ_APP_ID", APP), ("QQ_BASE_URL", &format!("http://{free}"))]).await;
    log_in(&gone, "2", OPENID, &token(OPENID, APP)).await.refused(503, 503);
    for test in [test, gone] {
        assert_eq!(test.items().await.into_keys().collect::<Vec<_>>(), [""; 0]);
    }
}

#[tokio::test]
async fn who_is_not_offered_is_400() {
    let test = Test::start().await;
    for (user_type, _) in PROVIDERS {
        let answer = log_in(&test, user_type, OPENID, &token(OPENID, APP)).await;
        answer.refused(400, 400);
        assert!(answer.message().starts_with("user_type: "), "{answer:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_an_openid_or_a_token_is_400() {
    let test = start().await;
    let long = "a".repeat(513);
    for bad in ["", "a b", "é", "a\n", &long] {
        for (openid, token, field) in [(bad, "token", "openid"), (OPENID, bad, "token")] {
            let answer = log_in(&test, "2", openid, token).await;
            answer.refused(400, 400);
            assert!(answer.message().starts_with(field), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn parallel_first_logins_make_one_user() {
    let test = Arc::new(start().await);
    let logins = (0..8).map(|_| {
        let test = test.clone();
        async move { user(&log_in(&test, "2", OPENID, &token(OPENID, APP)).await).clone() }
    });
    let users = together(logins).await;
    assert!(users.iter().all(|user| user["uid"] == users[0]["uid"]), "{users:?}");
    assert_eq!(users.iter().filter(|user| user["is_new_user"] == 1).count(), 1);
    let id = users[0]["uid"].as_u64().unwrap();
    assert_eq!(
        test.items().await.into_keys().collect::<Vec<_>>(),
        [format!("OPENID#qq#{OPENID} / -"), format!("U#{id:016} / AUTH"), format!("U#{id:016} / PROFILE")]
    );
}

#[tokio::test]
async fn a_user_without_a_password_can_prove_a_phone_that_no_password_opens() {
    let test = start().await;
    let first = log_in(&test, "3", OPENID, &token(OPENID, APP)).await;
    let code = test.code(PHONE).await;
    let proof = json!({"phone": PHONE, "verifycode": code});
    let proved = test.json_as(user(&first)["token"].as_str().unwrap(), INFO, proof).await;
    assert_eq!((proved.code(), &proved.body["data"]["phone"]), ("000000".into(), &json!(PHONE)));
    for account in [PHONE, "13800138009"] {
        for _ in 0..5 {
            test.log_in(account, "abcd1234").await.refused(200, 3100);
        }
        test.log_in(account, "abcd1234").await.refused(200, 3101);
    }
    // The lock is on passwords: the provider still vouches.
    let again = log_in(&test, "3", OPENID, &token(OPENID, APP)).await;
    let again = user(&again);
    assert_eq!((&again["uid"], &again["is_new_user"]), (&user(&first)["uid"], &json!(0)));
    assert_eq!((&again["account"], &again["phone"]), (&json!(PHONE), &json!(13_800_138_001_u64)));
}
