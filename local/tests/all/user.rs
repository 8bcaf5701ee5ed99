//! Document D's users, over HTTP against the engines.
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, OnceLock},
};

use aws_sdk_dynamodb::types::AttributeValue;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use shared::{
    domain::{DAY, MINUTE, Password, Phone, StoredPassword, UserId},
    meter::metered,
    store::{Changes, LoggedIn, SignUp},
};

use crate::support::{Answer, Fault, PAUSE, START, Test, picture, together};

const PHONE: &str = "13800138001";
const OTHER: &str = "13800138002";
const PASSWORD: &str = "plaza2026";

async fn call(test: &Test, operation: &str, body: Value) -> Answer {
    test.json(&format!("/{operation}"), body).await
}

/// A call that succeeds.
async fn done(test: &Test, operation: &str, body: Value) -> Value {
    let answer = call(test, operation, body).await;
    assert_eq!((answer.status.as_u16(), &answer.body["code"]), (200, &json!(0)), "{operation}: {answer:?}");
    answer.body
}

/// A refusal that begins by the name of the field to mend.
#[track_caller]
fn names(answer: &Answer, field: &str) {
    assert!(answer.message().starts_with(&format!("{field}: ")), "{answer:?}");
}

struct User {
    uid: String,
    token: String,
}

impl User {
    async fn new(test: &Test, phone: &str) -> Self {
        let code = test.code(phone).await;
        Self::of(&done(test, "user_signup", json!({"phone": phone, "code": code, "password": PASSWORD})).await)
    }

    /// Whom a login or a signup let in.
    fn of(welcome: &Value) -> Self {
        let text = |field: &str| welcome[field].as_str().unwrap_or_else(|| panic!("{welcome}")).to_owned();
        Self { uid: text("uid"), token: text("token") }
    }

    async fn call(&self, test: &Test, operation: &str, mut body: Value) -> Answer {
        body["token"] = self.token.clone().into();
        call(test, operation, body).await
    }

    async fn done(&self, test: &Test, operation: &str, mut body: Value) -> Value {
        body["token"] = self.token.clone().into();
        done(test, operation, body).await
    }

    async fn info(&self, test: &Test) -> Value {
        self.done(test, "my_user_info", json!({})).await["my_user_info"].clone()
    }

    /// The users of a list.
    async fn list(&self, test: &Test, operation: &str, body: Value) -> Vec<String> {
        let page = self.done(test, operation, body).await;
        page[operation].as_array().unwrap().iter().map(|user| user["uid"].as_str().unwrap().to_owned()).collect()
    }

    async fn is_signed_in(&self, test: &Test) -> bool {
        match self.call(test, "my_user_info", json!({})).await.code().as_str() {
            "0" => true,
            "401" => false,
            code => panic!("{code}"),
        }
    }
}

async fn log_in(test: &Test, phone: &str, password: &str) -> Answer {
    call(test, "user_login", json!({"phone": phone, "password": password})).await
}

async fn log_in_by_code(test: &Test, phone: &str, code: &str) -> Answer {
    call(test, "user_login", json!({"phone": phone, "code": code})).await
}

/// Locks password login.
async fn lock(test: &Test, phone: &str) {
    for _ in 0..5 {
        log_in(test, phone, "wrong!").await.refused(200, 3100);
    }
    log_in(test, phone, PASSWORD).await.refused(200, 3101);
}

/// Six digits that are not these.
fn wrong(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

/// Uploads a picture under a new media id.
async fn upload(test: &Test, user: &User) -> String {
    let given = user.done(test, "get_media_id", json!({})).await;
    let request = Request::builder().method(Method::PUT).uri(given["upload_url"].as_str().unwrap());
    let sent = test.raw(request.header("content-type", "image/jpeg"), picture(96, 64)).await;
    assert_eq!(sent, 200);
    given["media_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_user_lives() {
    let test = Test::start().await;
    // They sign up, and are somebody.
    let code = test.code(PHONE).await;
    let body = json!({"country": "86", "phone": PHONE, "code": code, "password": PASSWORD, "nickname": "阿菲"});
    let welcome = done(&test, "user_signup", body).await;
    let anna = User::of(&welcome);
    assert!(anna.uid.len() == 32 && anna.uid.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
    let mut info = json!({
        "uid": anna.uid, "nickname": "阿菲", "avatar": null, "gender": 0, "country": "86", "province": null,
        "city": null, "birthday": null, "phone": PHONE, "email": null, "category": 0, "status": 0, "score": 0,
        "level": 0, "exp": 0, "invitation_code": null, "inviter": null, "intro": null, "created_at": START,
    });
    let mut expected = json!({"code": 0, "token": anna.token, "uid": anna.uid, "my_user_info": info});
    assert_eq!(welcome, expected);

    // They say more of themself.
    let change = json!({
        "nickname": "test", "gender": 1, "province": "广东省", "city": "深圳市", "birthday": 1_701_074_685_929_u64,
        "email": "XXX@163.com", "intro": "test_intro",
    });
    assert_eq!(anna.done(&test, "my_user_info_update", change.clone()).await, json!({"code": 0}));
    for (field, value) in change.as_object().unwrap() {
        info[field] = value.clone();
    }
    info["email"] = json!("xxx@163.com");
    expected["my_user_info"] = info.clone();
    for (field, count) in [("follow_count", 0), ("follower_count", 0), ("article_count", 0)] {
        info[field] = json!(count);
    }
    assert_eq!(anna.done(&test, "my_user_info", json!({})).await, json!({"code": 0, "my_user_info": info}));

    // Somebody else comes, looks and follows.
    let ben = User::new(&test, OTHER).await;
    let mut seen = info.clone();
    for hidden in ["phone", "email", "category", "status", "invitation_code", "inviter"] {
        seen.as_object_mut().unwrap().remove(hidden).unwrap();
    }
    seen["is_follow"] = json!(false);
    for named in [json!({"to_uid": anna.uid}), json!({"phone": PHONE}), json!({"country": 86, "phone": PHONE})] {
        assert_eq!(ben.done(&test, "user_info", named).await, json!({"code": 0, "user_info": seen}));
    }
    assert_eq!(ben.done(&test, "user_follow", json!({"to_uid": anna.uid})).await, json!({"code": 0}));
    (seen["is_follow"], seen["follower_count"]) = (json!(true), json!(1));
    assert_eq!(ben.done(&test, "user_info", json!({"to_uid": anna.uid})).await["user_info"], seen);
    info["follower_count"] = json!(1);
    assert_eq!(anna.info(&test).await, info);
    assert_eq!(ben.info(&test).await["follow_count"], 1);
    for field in ["score", "level", "exp", "follow_count", "follower_count", "is_follow", "article_count"] {
        seen.as_object_mut().unwrap().remove(field).unwrap();
    }
    let followees = ben.done(&test, "my_following_users", json!({})).await;
    assert_eq!(followees, json!({"code": 0, "my_following_users": [seen]}));
    assert_eq!(anna.list(&test, "my_follower", json!({})).await, [ben.uid.as_str()]);
    assert_eq!(ben.list(&test, "my_follower", json!({})).await, [""; 0]);

    assert_eq!(ben.done(&test, "user_unfollow", json!({"to_uid": anna.uid})).await, json!({"code": 0}));
    assert_eq!(ben.list(&test, "my_following_users", json!({})).await, [""; 0]);
    assert_eq!(anna.info(&test).await["follower_count"], 0);

    // They go, and come back by either way; in every document.
    assert_eq!(anna.done(&test, "user_logout", json!({})).await, json!({"code": 0}));
    anna.call(&test, "my_user_info", json!({})).await.refused(401, 401);
    test.wait(PAUSE);
    let code = test.code(PHONE).await;
    for way in [json!({"phone": PHONE, "password": PASSWORD}), json!({"country": "86", "phone": PHONE, "code": code})] {
        let welcome = done(&test, "user_login", way).await;
        expected["token"] = welcome["token"].clone();
        assert_eq!(welcome, expected);
        assert!(User::of(&welcome).is_signed_in(&test).await);
    }
    let elsewhere = test.log_in("xxx@163.com", PASSWORD).await;
    assert_eq!(elsewhere.body["data"]["user_info"]["name"], "test", "{elsewhere:?}");
}

// ---- what they cost

// ---- user_signup

#[tokio::test]
async fn who_is_asked_for_twice_in_one_turn_comes_twice_by_one_call() {
    let test = Test::start().await;
    let (anna, bo) = (User::new(&test, PHONE).await, User::new(&test, OTHER).await);
    let store = &test.plaza.app.store;
    let [a, b] = [anna.id(), bo.id()];

    let asked = async {
        tokio::join!(store.profile(a), store.profile(b), store.profile(a), store.profile(UserId(1)), store.profile(a))
    };
    let (all, taken) = metered(asked).await;

    assert_eq!(taken.calls, 1);
    let (first, other, second, nobody, third) =
        (all.0.unwrap(), all.1.unwrap(), all.2.unwrap(), all.3.unwrap(), all.4.unwrap());
    assert_eq!(nobody, None);
    assert!(first.is_some() && other.is_some() && first != other);
    assert_eq!([&second, &third], [&first, &first]);
}

#[tokio::test]
async fn signup_gives_a_nickname_that_does_not_tell_the_phone() {
    let test = Test::start().await;
    let nickname = User::new(&test, PHONE).await.info(&test).await["nickname"].as_str().unwrap().to_owned();
    assert!(nickname.len() == 13 && nickname.starts_with("nick-") && !PHONE.ends_with(&nickname[5..]), "{nickname}");
}

#[tokio::test]
async fn signup_takes_other_countries_and_numbers() {
    let test = Test::start().await;
    done(&test, "send_sms_code", json!({"country": "852", "phone": "12345678"})).await;
    let code: u32 = test.last_code("+85212345678").parse().unwrap();
    // A JSON number has no leading zeros.
    let code = if code < 100_000 { json!(format!("{code:06}")) } else { json!(code) };
    let body = json!({"country": 852, "phone": 12_345_678, "code": code, "password": PASSWORD});
    let welcome = done(&test, "user_signup", body).await;
    assert_eq!([&welcome["my_user_info"]["country"], &welcome["my_user_info"]["phone"]], ["852", "12345678"]);
    log_in(&test, "12345678", PASSWORD).await.refused(200, 3201);
    done(&test, "user_login", json!({"country": "+852", "phone": "12345678", "password": PASSWORD})).await;
}

#[tokio::test]
async fn signup_refuses_what_it_must_and_keeps_the_code() {
    let test = Test::start().await;
    let code = test.code(PHONE).await;
    let good = json!({"phone": PHONE, "code": code, "password": PASSWORD});
    let before = test.items().await;
    for (field, value, status, refusal) in [
        ("phone", json!("12800138001"), 200, 3201),
        ("phone", json!(null), 400, 400),
        ("country", json!("8a"), 200, 3201),
        ("password", json!("12345"), 200, 3202),
        ("password", json!("x".repeat(65)), 200, 3202),
        ("password", json!(123_456), 400, 400),
        ("nickname", json!(""), 400, 400),
        ("nickname", json!("  "), 400, 400),
        ("nickname", json!("a\nb"), 400, 400),
        ("nickname", json!("x".repeat(65)), 400, 400),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let answer = call(&test, "user_signup", body).await;
        answer.refused(status, refusal);
        names(&answer, field);
    }
    for field in ["phone", "code", "password"] {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(field);
        let answer = call(&test, "user_signup", body).await;
        assert_eq!(answer.body, json!({"code": 400, "msg": format!("{field}: is missing")}));
    }
    assert_eq!(test.items().await, before, "not even a try at the code");
    let mut body = good.clone();
    body["code"] = wrong(&code).into();
    call(&test, "user_signup", body).await.refused(200, 3200);
    let mut body = good.clone();
    body["nickname"] = json!(null);
    done(&test, "user_signup", body).await;
    call(&test, "user_signup", good).await.refused(200, 3200);

    test.wait(PAUSE);
    let taken = json!({"phone": PHONE, "code": test.code(PHONE).await, "password": PASSWORD});
    let answer = call(&test, "user_signup", taken).await;
    answer.refused(200, 3400);
    assert_eq!(answer.body.as_object().unwrap().keys().collect::<Vec<_>>(), ["code", "msg"]);
}

#[tokio::test]
async fn of_parallel_signups_one_makes_a_user() {
    let test = Arc::new(Test::start().await);
    let code = test.code(PHONE).await;
    let sign_up = |_| {
        let (test, code) = (test.clone(), code.clone());
        async move { call(&test, "user_signup", json!({"phone": PHONE, "code": code, "password": PASSWORD})).await.code() }
    };
    let answers = together((0..5).map(sign_up)).await;
    assert_eq!(answers.iter().filter(|code| *code == "0").count(), 1, "{answers:?}");
    let users = test.items().await.into_keys().filter(|key| key.ends_with("PROFILE")).count();
    assert_eq!(users, 1);
}

#[tokio::test]
async fn what_breaks_inside_signup_is_3203() {
    let test = Test::with(&[("TABLE", "nowhere")]).await;
    let body = json!({"phone": PHONE, "code": "000000", "password": PASSWORD});
    let answer = call(&test, "user_signup", body).await;
    answer.refused(200, 3203);
    assert!(!answer.message().contains("nowhere"), "{answer:?}");
}

// ---- user_login

#[tokio::test]
async fn login_wants_a_password_or_a_code() {
    let test = Test::start().await;
    User::new(&test, PHONE).await;
    for body in [json!({"phone": PHONE}), json!({"phone": PHONE, "password": null, "code": null})] {
        let answer = call(&test, "user_login", body).await;
        answer.refused(400, 400);
        names(&answer, "password");
    }
    let answer = call(&test, "user_login", json!({"password": PASSWORD})).await;
    assert_eq!(answer.body, json!({"code": 400, "msg": "phone: is missing"}));
    for phone in ["12800138001", "", "felix", "a@b.com"] {
        let answer = log_in(&test, phone, PASSWORD).await;
        answer.refused(200, 3201);
        assert_eq!(answer.body.as_object().unwrap().keys().collect::<Vec<_>>(), ["code", "msg"]);
    }
}

#[tokio::test]
async fn with_password_and_code_the_password_counts() {
    let test = Test::start().await;
    User::new(&test, PHONE).await;
    test.wait(PAUSE);
    let code = test.code(PHONE).await;
    let both = |password: &str, code: &str| json!({"phone": PHONE, "password": password, "code": code});
    call(&test, "user_login", both("wrong!", &code)).await.refused(200, 3100);
    done(&test, "user_login", both(PASSWORD, &wrong(&code))).await;
    // The code was not looked at.
    for expected in ["0", "3200"] {
        assert_eq!(log_in_by_code(&test, PHONE, &code).await.code(), expected);
    }
}

#[tokio::test]
async fn who_is_registered_is_told_to_the_phones_holder_alone() {
    let test = Test::start().await;
    User::new(&test, PHONE).await;
    let (stranger, member) = (log_in(&test, OTHER, PASSWORD).await, log_in(&test, PHONE, "wrong!").await);
    stranger.refused(200, 3100);
    assert_eq!(stranger.body, member.body);
    test.wait(PAUSE);
    let (code, others) = (test.code(PHONE).await, test.code(OTHER).await);
    let (stranger, member) =
        (log_in_by_code(&test, OTHER, &wrong(&others)).await, log_in_by_code(&test, PHONE, &wrong(&code)).await);
    stranger.refused(200, 3200);
    assert_eq!(stranger.body, member.body);
    log_in_by_code(&test, OTHER, &others).await.refused(200, 1001);
    // The code was not used up, and serves to register.
    done(&test, "user_signup", json!({"phone": OTHER, "code": others, "password": PASSWORD})).await;
}

#[tokio::test]
async fn a_code_lets_in_once_even_if_tried_in_parallel() {
    let test = Arc::new(Test::start().await);
    User::new(&test, PHONE).await;
    test.wait(PAUSE);
    let code = test.code(PHONE).await;
    let logins = (0..5).map(|_| {
        let (test, code) = (test.clone(), code.clone());
        async move { log_in_by_code(&test, PHONE, &code).await.code() }
    });
    let mut answers = together(logins).await;
    answers.sort();
    assert_eq!(answers, ["0", "3200", "3200", "3200", "3200"]);
}

#[tokio::test]
async fn a_locked_password_does_not_lock_the_code() {
    let test = Test::start().await;
    let user = User::new(&test, PHONE).await;
    lock(&test, PHONE).await;
    // Locked in every document, and nobody is signed out by it.
    test.log_in(PHONE, PASSWORD).await.refused(200, 3101);
    assert!(user.is_signed_in(&test).await);
    test.wait(PAUSE);
    let code = test.code(PHONE).await;
    assert_eq!(log_in_by_code(&test, PHONE, &code).await.code(), "0");
    log_in(&test, PHONE, PASSWORD).await.refused(200, 3101);
    test.wait(15 * MINUTE);
    assert_eq!(log_in(&test, PHONE, PASSWORD).await.code(), "0");
    // A phone that nobody has locks alike.
    lock_nobody(&test).await;
}

async fn lock_nobody(test: &Test) {
    for _ in 0..5 {
        log_in(test, OTHER, PASSWORD).await.refused(200, 3100);
    }
    log_in(test, OTHER, PASSWORD).await.refused(200, 3101);
}

// ---- user_password_update

async fn reset(test: &Test, phone: &str, code: &str, password: &str) -> Answer {
    call(test, "user_password_update", json!({"phone": phone, "code": code, "password": password})).await
}

#[tokio::test]
async fn a_new_password_ends_all_sessions_at_once_and_the_lock() {
    let test = Test::start().await;
    let first = User::new(&test, PHONE).await;
    let second = User::of(&log_in(&test, PHONE, PASSWORD).await.body);
    let of_c = test.log_in(PHONE, PASSWORD).await.body["data"]["user_info"]["token"].as_str().unwrap().to_owned();
    let device = async |token: Option<&str>| {
        let request = Request::builder().header("x-device-id", "0123456789abcdef");
        let request = token.into_iter().fold(request, |request, token| request.header("authorization", token));
        test.send(request, "/m_user/im_token", "").await.status
    };
    assert_eq!((device(Some(&first.token)).await, device(None).await), (StatusCode::OK, StatusCode::OK));
    lock(&test, PHONE).await;
    test.wait(PAUSE);
    let code = test.code(PHONE).await;
    assert_eq!(reset(&test, PHONE, &code, "new pass").await.body, json!({"code": 0}));
    assert_eq!(device(None).await, StatusCode::UNAUTHORIZED);
    for user in [&first, &second] {
        for operation in ["my_user_info", "my_follower", "user_logout"] {
            user.call(&test, operation, json!({})).await.refused(401, 401);
        }
    }
    test.json_as(&of_c, "/user/update_info", json!({})).await.refused(401, 401);
    log_in(&test, PHONE, PASSWORD).await.refused(200, 3100);
    let welcome = log_in(&test, PHONE, "new pass").await;
    assert!(User::of(&welcome.body).is_signed_in(&test).await);
    assert_eq!(test.log_in(PHONE, "new pass").await.code(), "1000");
    // What was ended stays so, and the code was for one use.
    assert!(!first.is_signed_in(&test).await);
    reset(&test, PHONE, &code, "newer pass").await.refused(200, 3200);
}

#[tokio::test]
async fn a_new_password_is_refused_without_the_phones_code() {
    let test = Test::start().await;
    let user = User::new(&test, PHONE).await;
    test.wait(PAUSE);
    let (code, others) = (test.code(PHONE).await, test.code(OTHER).await);
    reset(&test, PHONE, &wrong(&code), "new pass").await.refused(200, 3200);
    reset(&test, OTHER, &wrong(&others), "new pass").await.refused(200, 3200);
    reset(&test, OTHER, &others, "new pass").await.refused(200, 1001);
    reset(&test, "12800138001", &code, "new pass").await.refused(200, 3201);
    for password in ["12345".to_owned(), "x".repeat(65)] {
        reset(&test, PHONE, &code, &password).await.refused(200, 3202);
    }
    for field in ["phone", "code", "password"] {
        let mut body = json!({"phone": PHONE, "code": code, "password": "new pass"});
        body.as_object_mut().unwrap().remove(field);
        let answer = call(&test, "user_password_update", body).await;
        assert_eq!(answer.body, json!({"code": 400, "msg": format!("{field}: is missing")}));
    }
    assert!(user.is_signed_in(&test).await);
    assert_eq!(log_in(&test, PHONE, PASSWORD).await.code(), "0");
    assert_eq!(reset(&test, PHONE, &code, &"密".repeat(64)).await.code(), "0");
    assert_eq!(log_in(&test, PHONE, &"密".repeat(64)).await.code(), "0");
}

/// Once, and the client does not notice; nor is a code used up for nothing.
#[tokio::test]
async fn codes_outlive_conflicts_and_lost_answers() {
    for fault in [Fault::Conflict, Fault::Throttle, Fault::AnswerLost, Fault::Broken] {
        let test = Test::start().await;
        let user = User::new(&test, PHONE).await;
        test.wait(PAUSE);
        let code = test.code(PHONE).await;
        test.line.spoil("TransactWriteItems", [fault]);
        assert_eq!(reset(&test, PHONE, &code, "new pass").await.code(), "0", "{fault:?}");
        assert_eq!(test.line.unstruck(), 0);
        assert!(!user.is_signed_in(&test).await);
        test.wait(PAUSE);
        let code = test.code(PHONE).await;
        for operation in ["BatchGetItem", "UpdateItem", "TransactWriteItems"] {
            if operation != "BatchGetItem" || fault != Fault::Conflict {
                test.line.spoil(operation, [fault]);
            }
        }
        let welcome = log_in_by_code(&test, PHONE, &code).await;
        assert_eq!((welcome.code().as_str(), test.line.unstruck()), ("0", 0), "{fault:?}: {welcome:?}");
        assert_eq!(log_in(&test, PHONE, "new pass").await.code(), "0");
        log_in_by_code(&test, PHONE, &code).await.refused(200, 3200);
    }
}

// ---- sessions

#[tokio::test]
async fn a_log_out_ends_one_token() {
    let test = Test::start().await;
    let user = User::new(&test, PHONE).await;
    let other = User::of(&log_in(&test, PHONE, PASSWORD).await.body);
    assert_eq!(user.done(&test, "user_logout", json!({})).await, json!({"code": 0}));
    user.call(&test, "user_logout", json!({})).await.refused(401, 401);
    assert!(!user.is_signed_in(&test).await && other.is_signed_in(&test).await);
    // The header works, too.
    assert_eq!(test.json_as(&other.token, "/user_logout", json!({})).await.body, json!({"code": 0}));
    assert!(!other.is_signed_in(&test).await);
}

#[tokio::test]
async fn a_stranger_learns_nothing_from_complaints() {
    let test = Test::start().await;
    let user = User::new(&test, PHONE).await;
    test.wait(31 * DAY);
    for operation in [
        "my_follower",
        "my_following_users",
        "my_user_info",
        "my_user_info_update",
        "user_follow",
        "user_info",
        "user_logout",
        "user_unfollow",
    ] {
        for token in [Value::Null, json!(""), json!("nonsense"), json!(7), json!(user.token)] {
            let body = json!({"token": token, "to_uid": [], "limit": "x", "nickname": 1, "phone": PHONE});
            let answer = call(&test, operation, body).await;
            answer.refused(401, 401);
            assert_eq!(answer.body.as_object().unwrap().len(), 2);
        }
    }
}

// ---- my_user_info_update

#[tokio::test]
async fn what_is_not_sent_or_null_stays() {
    let test = Test::start().await;
    let user = User::new(&test, PHONE).await;
    let change = json!({"nickname": "test", "gender": 2, "province": "P", "city": "C", "birthday": -1, "intro": "I"});
    user.done(&test, "my_user_info_update", change.clone()).await;
    let before = test.items().await;
    let fields = ["nickname", "avatar", "gender", "province", "city", "birthday", "email", "intro"];
    let nulls: Value = fields.map(|field| (field.to_owned(), Value::Null)).into_iter().collect();
    for nothing in [json!({}), nulls] {
        user.done(&test, "my_user_info_update", nothing).await;
        assert_eq!(test.items().await, before);
    }
    for (change, field, shown) in [
        (json!({"gender": 0}), "gender", json!(0)),
        (json!({"gender": 1}), "gender", json!(1)),
        (json!({"gender": 0, "city": "D"}), "gender", json!(0)),
        (json!({"province": ""}), "province", Value::Null),
        (json!({"intro": "a\nb"}), "intro", json!("a\nb")),
        (json!({"nickname": "密".repeat(64)}), "nickname", json!("密".repeat(64))),
    ] {
        user.done(&test, "my_user_info_update", change).await;
        assert_eq!(user.info(&test).await[field], shown);
    }
    let info = user.info(&test).await;
    assert_eq!((&info["city"], &info["birthday"]), (&json!("D"), &json!(-1)));
}

#[tokio::test]
async fn bad_information_is_refused_and_nothing_changes() {
    let test = Test::start().await;
    let user = User::new(&test, PHONE).await;
    let before = test.items().await;
    for (field, value) in [
        ("nickname", json!("")),
        ("nickname", json!(" ")),
        ("nickname", json!("x".repeat(65))),
        ("nickname", json!("a\u{7}")),
        ("gender", json!(3)),
        ("gender", json!(-1)),
        ("gender", json!("male")),
        ("province", json!("x".repeat(65))),
        ("province", json!("a\nb")),
        ("province", json!(1)),
        ("city", json!("x".repeat(65))),
        ("birthday", json!(-2_208_988_800_001_i64)),
        ("birthday", json!(START + 1)),
        ("birthday", json!(u64::MAX)),
        ("birthday", json!("1990-01-01")),
        ("intro", json!("x".repeat(501))),
        ("email", json!("x")),
        ("email", json!("")),
        ("avatar", json!("me.jpeg")),
        ("avatar", json!("")),
        ("avatar", json!("e4cbdd56-855a-41ee-bcb6-5785abdd6148.jpeg")),
        ("avatar", json!("e4cbdd56-855a-41ee-bcb6-5785abdd6148.mp3")),
    ] {
        let mut body = json!({"nickname": "test"});
        body[field] = value.clone();
        let answer = user.call(&test, "my_user_info_update", body).await;
        assert_eq!(answer.code(), "400", "{field} {value}: {answer:?}");
        names(&answer, field);
    }
    assert_eq!(test.items().await, before);
    for birthday in [json!(-2_208_988_800_000_i64), json!(START), json!(0)] {
        user.done(&test, "my_user_info_update", json!({"birthday": birthday})).await;
        assert_eq!(user.info(&test).await["birthday"], birthday);
    }
}

#[tokio::test]
async fn an_email_is_one_users() {
    let test = Test::start().await;
    let (anna, ben) = (User::new(&test, PHONE).await, User::new(&test, OTHER).await);
    anna.done(&test, "my_user_info_update", json!({"email": "a@b.com"})).await;
    let change = json!({"email": "A@B.com", "nickname": "ben"});
    ben.call(&test, "my_user_info_update", change.clone()).await.refused(200, 3401);
    let info = ben.info(&test).await;
    assert!(info["email"].is_null() && info["nickname"] != "ben", "{info}");
    // Sending it again is no change; letting it go frees it.
    anna.done(&test, "my_user_info_update", json!({"email": "a@b.com"})).await;
    anna.done(&test, "my_user_info_update", json!({"email": "c@b.com", "gender": 0})).await;
    ben.done(&test, "my_user_info_update", change).await;
    assert_eq!(ben.info(&test).await["email"], "a@b.com");
}

#[tokio::test]
async fn an_avatar_is_an_uploaded_image_of_the_callers() {
    let test = Test::start().await;
    let (anna, ben) = (User::new(&test, PHONE).await, User::new(&test, OTHER).await);
    let image = upload(&test, &anna).await;
    let refused = ben.call(&test, "my_user_info_update", json!({"avatar": image, "nickname": "ben"})).await;
    refused.refused(400, 400);
    names(&refused, "avatar");
    let unsent = anna.done(&test, "get_media_id", json!({})).await["media_id"].clone();
    anna.call(&test, "my_user_info_update", json!({"avatar": unsent})).await.refused(400, 400);
    let audio = anna.done(&test, "get_media_id", json!({"content_type": "audio/mpeg"})).await["media_id"].clone();
    anna.call(&test, "my_user_info_update", json!({"avatar": audio})).await.refused(400, 400);
    assert!(anna.info(&test).await["avatar"].is_null() && ben.info(&test).await["nickname"] != "ben");

    anna.done(&test, "my_user_info_update", json!({"avatar": image})).await;
    assert_eq!(anna.info(&test).await["avatar"], *image);
    let seen = ben.done(&test, "user_info", json!({"to_uid": anna.uid})).await;
    assert_eq!(seen["user_info"]["avatar"], *image);
    // The other documents show it under its URL, in both sizes.
    let of_c = test.json_as(&anna.token, "/user/update_info", json!({})).await;
    for size in ["avator", "large_avator"] {
        assert!(of_c.body["data"][size].as_str().unwrap().ends_with(&format!("/{image}")), "{of_c:?}");
    }
}

// ---- user_info

#[tokio::test]
async fn a_user_is_named_by_id_or_phone() {
    let test = Test::start().await;
    let (anna, ben) = (User::new(&test, PHONE).await, User::new(&test, OTHER).await);
    let number = u64::from_str_radix(&anna.uid, 16).unwrap();
    for named in [
        json!({"to_uid": anna.uid}),
        json!({"to_uid": number}),
        json!({"to_uid": number.to_string()}),
        json!({"to_uid": null, "phone": PHONE}),
        json!({"to_uid": anna.uid, "phone": OTHER}),
        json!({"to_uid": anna.uid, "phone": "nonsense"}),
    ] {
        assert_eq!(ben.done(&test, "user_info", named).await["user_info"]["uid"], *anna.uid);
    }
    let own = ben.done(&test, "user_info", json!({"to_uid": ben.uid})).await;
    assert_eq!((&own["user_info"]["uid"], &own["user_info"]["is_follow"]), (&json!(ben.uid), &json!(false)));

    for nothing in
        [json!({}), json!({"to_uid": null, "phone": null}), json!({"to_uid": "felix"}), json!({"to_uid": -1})]
    {
        let answer = ben.call(&test, "user_info", nothing).await;
        answer.refused(400, 400);
        names(&answer, "to_uid");
    }
    for nobody in [
        json!({"to_uid": 1}),
        json!({"to_uid": "f".repeat(32)}),
        json!({"to_uid": 0}),
        json!({"phone": "13800138009"}),
        json!({"country": "852", "phone": "13800138001"}),
    ] {
        ben.call(&test, "user_info", nobody).await.refused(404, 404);
    }
    ben.call(&test, "user_info", json!({"phone": "1"})).await.refused(200, 3201);
}

#[tokio::test]
async fn a_phone_that_is_only_claimed_leads_to_nobody() {
    let test = Test::start().await;
    let user = User::new(&test, PHONE).await;
    let claimed = "+85212345678";
    assert_eq!(test.json_as(&user.token, "/user/update_info", json!({"phone": claimed})).await.code(), "000000");
    let info = user.info(&test).await;
    assert_eq!([&info["country"], &info["phone"]], ["852", "12345678"]);
    let claimed = json!({"country": "852", "phone": "12345678"});
    user.call(&test, "user_info", claimed).await.refused(404, 404);
    assert_eq!(user.done(&test, "user_info", json!({"phone": PHONE})).await["user_info"]["uid"], *user.uid);
    log_in(&test, PHONE, PASSWORD).await;
}

// ---- user_follow, user_unfollow, the lists

#[tokio::test]
async fn follows_that_cannot_be_are_refused() {
    let test = Test::start().await;
    let user = User::new(&test, PHONE).await;
    let before = test.items().await;
    user.call(&test, "user_follow", json!({"to_uid": user.uid})).await.refused(400, 400);
    for nobody in [json!(1), json!("0".repeat(32)), json!("f".repeat(32))] {
        user.call(&test, "user_follow", json!({"to_uid": nobody})).await.refused(404, 404);
        // Whom one does not follow is fine.
        user.done(&test, "user_unfollow", json!({"to_uid": nobody})).await;
    }
    for operation in ["user_follow", "user_unfollow"] {
        for bad in [json!(null), json!("felix"), json!([]), json!(-1), json!("")] {
            let answer = user.call(&test, operation, json!({"to_uid": bad})).await;
            answer.refused(400, 400);
            names(&answer, "to_uid");
        }
        let answer = user.call(&test, operation, json!({})).await;
        assert_eq!(answer.body, json!({"code": 400, "msg": "to_uid: is missing"}));
    }
    user.done(&test, "user_unfollow", json!({"to_uid": user.uid})).await;
    assert_eq!(test.items().await, before);
}

#[tokio::test]
async fn lists_of_users_are_newest_first_and_paged() {
    let test = Test::start().await;
    let people = people(&test, 6).await;
    let (star, others) = people.split_first().unwrap();
    for other in others {
        other.done(&test, "user_follow", json!({"to_uid": star.uid})).await;
        star.done(&test, "user_follow", json!({"to_uid": other.uid})).await;
        test.wait(1);
    }
    // A repeat does not move it.
    others[0].done(&test, "user_follow", json!({"to_uid": star.uid})).await;
    star.done(&test, "user_follow", json!({"to_uid": others[0].uid})).await;
    let newest: Vec<_> = others.iter().rev().map(|user| user.uid.clone()).collect();
    for operation in ["my_follower", "my_following_users"] {
        for (page, found) in [
            (json!({}), &newest[..]),
            (json!({"limit": 2}), &newest[..2]),
            (json!({"limit": 2, "offset": 2}), &newest[2..4]),
            (json!({"limit": 100, "offset": 4}), &newest[4..]),
            (json!({"offset": 5}), &[]),
            (json!({"offset": 10_000}), &[]),
        ] {
            assert_eq!(star.list(&test, operation, page.clone()).await, found, "{operation} {page}");
        }
        for (field, value) in [
            ("limit", json!(0)),
            ("limit", json!(101)),
            ("limit", json!(-1)),
            ("limit", json!("x")),
            ("offset", json!(-1)),
            ("offset", json!(1.5)),
        ] {
            let answer = star.call(&test, operation, json!({field: value})).await;
            answer.refused(400, 400);
            names(&answer, field);
        }
    }
    // Whoever comes back is the newest; whoever left makes room.
    star.done(&test, "user_unfollow", json!({"to_uid": others[1].uid})).await;
    star.done(&test, "user_unfollow", json!({"to_uid": others[2].uid})).await;
    test.wait(1);
    star.done(&test, "user_follow", json!({"to_uid": others[1].uid})).await;
    let found = star.list(&test, "my_following_users", json!({"limit": 3})).await;
    assert_eq!(found, [1, 4, 3].map(|at| others[at].uid.clone()));
}

#[tokio::test]
async fn without_a_limit_a_list_of_users_is_a_hundred() {
    let test = Test::start().await;
    let people = people(&test, 103).await;
    let star = &people[0];
    for other in &people[1..] {
        test.plaza.app.store.follow(other.id(), star.id()).await.unwrap();
        test.wait(1);
    }
    let newest: Vec<_> = people[1..].iter().rev().map(|user| user.uid.clone()).collect();
    assert_eq!(star.list(&test, "my_follower", json!({})).await, newest[..100]);
    assert_eq!(star.list(&test, "my_follower", json!({"offset": 100})).await, newest[100..]);
    assert_eq!(star.info(&test).await["follower_count"], 102);
}

impl User {
    fn id(&self) -> UserId {
        UserId(u64::from_str_radix(&self.uid, 16).unwrap())
    }
}

/// Many users, whose password was hashed only once.
async fn people(test: &Test, number: u64) -> Vec<User> {
    static STORED: OnceLock<StoredPassword> = OnceLock::new();
    let password = STORED.get_or_init(|| StoredPassword::hash(&Password::typed(PASSWORD), [7; 16]).unwrap());
    let app = &test.plaza.app;
    let mut people = vec![];
    for number in 0..number {
        let phone = Phone::parse(&(13_800_138_000 + number).to_string()).unwrap();
        let code = test.new_code(&phone.e164()).await.unwrap();
        let code = app.store.prove_code(phone, &code).await.unwrap();
        let made = app.store.create_user(&SignUp::Phone(code), Some(password.clone()), Changes::default()).await;
        let user = LoggedIn { profile: made.unwrap(), epoch: 0 };
        people.push(User { uid: format!("{:032x}", user.profile.id.0), token: app.new_token(&user).unwrap().0 });
    }
    people
}

/// Counts against their items: every follow stands in three places, and each user's counts are what a recount finds.
/// All follows, as follower and followee.
async fn recount(test: &Test) -> BTreeSet<(u64, u64)> {
    let (mut follows, mut following, mut followers) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut counts = BTreeMap::new();
    let number = |item: &HashMap<String, AttributeValue>, name: &str| -> u64 {
        item.get(name).map_or(0, |value| value.as_n().unwrap().parse().unwrap())
    };
    for (key, item) in test.items().await {
        let (Some(of), sk) = (key.strip_prefix("U#"), item["sk"].as_s().unwrap()) else { continue };
        let of: u64 = of[..16].parse().unwrap();
        match sk.split_once('#') {
            Some(("FOLLOWS", to)) => {
                follows.insert((of, to[2..].parse().unwrap(), number(&item, "place")));
            }
            Some(("FOLLOWING", place)) => {
                let followee = item["followee"].as_m().unwrap();
                following.insert((of, number(followee, "user"), place[2..].parse().unwrap()));
            }
            Some(("FOLLOWER", place)) => drop(followers.insert((number(&item, "user"), of, place.parse().unwrap()))),
            None if sk == "COUNTS" => drop(counts.insert(of, (number(&item, "follows"), number(&item, "followers")))),
            _ => {}
        }
    }
    assert_eq!(follows, following);
    assert_eq!(follows, followers);
    let mut recounted: BTreeMap<u64, (u64, u64)> = counts.keys().map(|user| (*user, (0, 0))).collect();
    for (follower, followee, _) in &follows {
        recounted.entry(*follower).or_default().0 += 1;
        recounted.entry(*followee).or_default().1 += 1;
    }
    assert_eq!(counts, recounted);
    follows.into_iter().map(|(follower, followee, _)| (follower, followee)).collect()
}

/// Does it until it is done, as a client would who is told that we are busy.
async fn insist(test: Arc<Test>, token: String, operation: &'static str, uid: String) {
    for _ in 0..10 {
        let answer = call(&test, operation, json!({"token": token, "to_uid": uid})).await;
        match answer.code().as_str() {
            "0" => return,
            "503" => {}
            _ => panic!("{operation}: {answer:?}"),
        }
    }
    panic!("{operation}: busy ten times");
}

/// 32 users at once; `spoil` may put something in their way.
async fn crowd(spoil: impl Fn(&Test)) {
    let test = Arc::new(Test::start().await);
    let people = people(&test, 32).await;
    let act = |operation: &'static str, who: &User, whom: &User| {
        insist(test.clone(), who.token.clone(), operation, whom.uid.clone())
    };
    let (star, fans) = people.split_first().unwrap();
    let edges =
        |fans: &mut dyn Iterator<Item = &User>| -> BTreeSet<_> { fans.map(|fan| (fan.id().0, star.id().0)).collect() };

    // All of them, three times each.
    spoil(&test);
    together([fans; 3].into_iter().flatten().map(|fan| act("user_follow", fan, star))).await;
    assert_eq!(test.line.unstruck(), 0);
    assert_eq!(recount(&test).await, edges(&mut fans.iter()));
    let info = star.info(&test).await;
    assert_eq!((&info["follower_count"], &info["follow_count"]), (&json!(31), &json!(0)));

    // Half of them leave, twice each, while the others follow again.
    spoil(&test);
    let (leave, stay) = fans.split_at(16);
    let left = [leave; 2].into_iter().flatten().map(|fan| ("user_unfollow", fan));
    let stayed = stay.iter().map(|fan| ("user_follow", fan));
    together(left.chain(stayed).map(|(operation, fan)| act(operation, fan, star))).await;
    assert_eq!(recount(&test).await, edges(&mut stay.iter()));
    assert_eq!(star.info(&test).await["follower_count"], 15);

    // Who follows and unfollows at once may end either way; the counts are true of it.
    spoil(&test);
    let both = fans.iter().flat_map(|fan| [("user_follow", fan, star), ("user_unfollow", fan, star)]);
    let back = fans.iter().flat_map(|fan| [("user_follow", star, fan), ("user_unfollow", star, fan)]);
    together(both.chain(back).map(|(operation, who, whom)| act(operation, who, whom))).await;
    let follows = recount(&test).await;

    // Whatever it was: in the end everybody follows, and everybody goes.
    spoil(&test);
    together(fans.iter().map(|fan| act("user_follow", fan, star))).await;
    let all: BTreeSet<_> = follows.into_iter().chain(edges(&mut fans.iter())).collect();
    assert_eq!(recount(&test).await, all);
    assert_eq!(star.info(&test).await["follower_count"], 31);
    spoil(&test);
    let gone = fans.iter().flat_map(|fan| [("user_unfollow", fan, star), ("user_unfollow", star, fan)]);
    together(gone.map(|(operation, who, whom)| act(operation, who, whom))).await;
    assert_eq!(recount(&test).await, BTreeSet::new());
    let info = star.info(&test).await;
    assert_eq!((&info["follower_count"], &info["follow_count"]), (&json!(0), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_follows_and_repeats_end_at_the_truth() {
    crowd(|_| ()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_they_do_with_conflicts_and_lost_answers() {
    crowd(|test| {
        test.line.mend();
        let faults = [Fault::Conflict, Fault::AnswerLost, Fault::Conflict, Fault::Throttle];
        let some = (0..40).map(|at| (at % 2 == 0).then_some(faults[at / 2 % faults.len()]));
        test.line.spoil("TransactWriteItems", some);
    })
    .await;
}
