//! Document C, over HTTP against the engines.
use std::{collections::BTreeMap, io::Cursor, sync::Arc};

use http::{Method, Request, StatusCode};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};
use shared::{
    domain::{
        DAY, MINUTE, UserId,
        token::{Token, TokenKeys},
    },
    store::keys,
};

use crate::support::{Answer, Fault, PAUSE, START, Test, multipart, together};

const LOGIN: &str = "/user/login";
const REGISTER: &str = "/user/register";
const AVATOR: &str = "/user/update_avator";
const INFO: &str = "/user/update_info";

const PHONE: &str = "13800138001";
const OTHER: &str = "13800138002";
const PASSWORD: &str = "abcd1234";

#[tokio::test]
async fn a_user_registers_and_logs_in() {
    let test = Test::start().await;
    let (id, token) = test.user(PHONE).await;
    let answer = test.json_as(&token, INFO, json!({"name": "felix", "gender": "1"})).await;
    assert_eq!(
        answer.body,
        json!({"code": "000000", "msg": "success", "data": {
            "name": "felix", "phone": PHONE, "gender": "1", "avator": null, "large_avator": null, "email": null,
        }})
    );
    let user = &test.log_in(PHONE, PASSWORD).await.body["data"]["user_info"];
    assert_eq!((user["uid"].as_u64(), user["name"].as_str()), (Some(id), Some("felix")));
    test.wait(PAUSE);
    test.code(PHONE).await;
}

// ---- user_register

fn registration(phone: &str, code: &str) -> Value {
    json!({"phone": phone, "password": PASSWORD, "verifycode": code})
}

/// Six digits that are not these.
fn wrong(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

async fn register(test: &Test, phone: &str, code: &str) -> Answer {
    test.json(REGISTER, registration(phone, code)).await
}

#[tokio::test]
async fn register_answers_the_id_in_decimal_digits_and_login_works_at_once() {
    let test = Test::start().await;
    let answer = register(&test, PHONE, &test.code(PHONE).await).await;
    let uid = answer.body["data"]["uid"].as_str().unwrap().to_owned();
    assert!(uid.bytes().all(|byte| byte.is_ascii_digit()) && !uid.starts_with('0'), "{uid}");
    assert_eq!(answer.body, json!({"code": "000000", "msg": "success", "data": {"uid": uid}}));
    let user = &test.log_in(PHONE, PASSWORD).await.body["data"]["user_info"];
    assert_eq!(user["uid"].as_u64().map(|id| id.to_string()), Some(uid));
}

#[tokio::test]
async fn register_refuses_in_the_documents_envelope_with_a_text_for_a_code() {
    let test = Test::start().await;
    let code = test.code(PHONE).await;
    let answer = register(&test, PHONE, &wrong(&code)).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        answer.body,
        json!({"code": "3200", "msg": "verifycode: wrong, expired or used up: ask for a new code", "data": {}})
    );
    let answer = test.json(REGISTER, json!({})).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.body, json!({"code": "400", "msg": "phone: is missing", "data": {}}));
}

#[tokio::test]
async fn a_code_is_good_for_five_minutes() {
    let test = Test::start().await;
    let code = test.code(PHONE).await;
    test.wait(5 * MINUTE);
    register(&test, PHONE, &code).await.refused(200, 3200);
    let code = test.code(PHONE).await;
    test.wait(5 * MINUTE - 1);
    assert_eq!(register(&test, PHONE, &code).await.code(), "000000");
}

#[tokio::test]
async fn a_code_is_good_for_one_phone() {
    let test = Test::start().await;
    let (code, others) = (test.code(PHONE).await, test.code(OTHER).await);
    if code != others {
        register(&test, PHONE, &others).await.refused(200, 3200);
    }
    register(&test, "13800138003", &code).await.refused(200, 3200);
    assert_eq!(register(&test, PHONE, &code).await.code(), "000000");
}

#[tokio::test]
async fn a_code_is_good_for_one_use() {
    let test = Test::start().await;
    let code = test.code(PHONE).await;
    assert_eq!(register(&test, PHONE, &code).await.code(), "000000");
    register(&test, PHONE, &code).await.refused(200, 3200);
    let token = test.token(PHONE).await;
    test.json_as(&token, INFO, json!({"phone": PHONE, "verifycode": code})).await.refused(200, 3200);
}

#[tokio::test]
async fn a_newer_code_takes_the_place_of_the_one_before() {
    let test = Test::start().await;
    let old = test.code(PHONE).await;
    test.wait(PAUSE);
    let new = test.code(PHONE).await;
    if old != new {
        register(&test, PHONE, &old).await.refused(200, 3200);
    }
    assert_eq!(register(&test, PHONE, &new).await.code(), "000000");
}

#[tokio::test]
async fn a_code_bears_five_tries() {
    let test = Test::start().await;
    for (phone, tries, answer) in [(PHONE, 4, "000000"), (OTHER, 5, "3200")] {
        let code = test.code(phone).await;
        for _ in 0..tries {
            register(&test, phone, &wrong(&code)).await.refused(200, 3200);
        }
        assert_eq!(register(&test, phone, &code).await.code(), answer, "after {tries} wrong ones");
    }
    test.wait(PAUSE);
    let code = test.code(OTHER).await;
    assert_eq!(register(&test, OTHER, &code).await.code(), "000000", "a new code is tried anew");
}

#[tokio::test]
async fn parallel_tries_at_a_code_gain_nothing() {
    let test = Arc::new(Test::start().await);
    let code = test.code(PHONE).await;
    let tries = (1..=20).map(|step| {
        let (test, code) = (test.clone(), format!("{:06}", (code.parse::<u32>().unwrap() + step) % 1_000_000));
        async move { register(&test, PHONE, &code).await.refused(200, 3200) }
    });
    together(tries).await;
    register(&test, PHONE, &code).await.refused(200, 3200);
    let tried = &test.items().await[&format!("SMS#86-{PHONE} / -")]["code_tries"];
    assert_eq!(tried.as_ss().unwrap().len(), 5);
}

#[tokio::test]
async fn only_who_knows_the_code_hears_that_a_phone_is_registered_and_the_code_stays_good() {
    let test = Test::start().await;
    let (_, token) = test.user(PHONE).await;
    test.wait(PAUSE);
    let code = test.code(PHONE).await;
    register(&test, PHONE, &wrong(&code)).await.refused(200, 3200);
    register(&test, PHONE, &code).await.refused(200, 3400);
    register(&test, PHONE, &code).await.refused(200, 3400);
    let kept = test.json_as(&token, INFO, json!({"phone": PHONE, "verifycode": code})).await;
    assert_eq!(kept.code(), "000000", "their own phone may be proved again: {kept:?}");
    register(&test, PHONE, &code).await.refused(200, 3200);
}

#[tokio::test]
async fn register_refuses_phones_that_are_none() {
    let test = Test::start().await;
    for phone in [
        "12800138001",
        "1380013800",
        "138001380011",
        "1380013800a",
        "8613800138001",
        "138/0013/8001",
        "+8612800138001",
        "+",
        "+0123456789",
        "+441234",
        "+441234567890123456",
        "+44 2079/4609",
        "felix@example.com",
    ] {
        register(&test, phone, "000000").await.refused(200, 3201);
    }
    // An empty text in JSON is one that was sent.
    register(&test, "", "000000").await.refused(200, 3201);
}

#[tokio::test]
async fn register_demands_letters_and_digits_and_leaves_the_code_alone() {
    let test = Test::start().await;
    let code = test.code(PHONE).await;
    for password in [
        "",
        "abcd123",
        "abcdefgh123456789",
        "abcdefgh",
        "12345678",
        "abcd 1234",
        "abcd_1234",
        "äbcd1234",
        "１２３４abcd",
    ] {
        let mut request = registration(PHONE, &code);
        request["password"] = password.into();
        test.json(REGISTER, request).await.refused(200, 3202);
    }
    assert_eq!(register(&test, PHONE, &code).await.code(), "000000");
}

#[tokio::test]
async fn a_field_that_is_missing_is_named() {
    let test = Test::start().await;
    let (_, token) = test.user(PHONE).await;
    for (path, whole) in [
        (REGISTER, vec![("phone", PHONE), ("password", PASSWORD), ("verifycode", "000000")]),
        (LOGIN, vec![("user_type", "1"), ("account", PHONE), ("password", PASSWORD)]),
        (LOGIN, vec![("user_type", "2"), ("openid", "a"), ("token", "b")]),
        (AVATOR, vec![("image", "")]),
    ] {
        for (missing, _) in &whole {
            let rest: Vec<_> = whole.iter().filter(|(name, _)| name != missing).copied().collect();
            let object: BTreeMap<_, _> = rest.iter().copied().collect();
            let (content_type, parts) = multipart(&rest, None);
            let form =
                form_urlencoded::Serializer::new(String::new()).extend_pairs(rest).append_pair(missing, "").finish();
            for (content_type, body) in [
                ("application/json", json!(object).to_string().into_bytes()),
                ("application/x-www-form-urlencoded", form.into_bytes()),
                (content_type, parts),
            ] {
                let request = Request::builder().method(Method::POST).header("authorization", &token);
                let answer = test.send(request.header("content-type", content_type), path, body).await;
                answer.refused(400, 400);
                assert_eq!(answer.message(), format!("{missing}: is missing"), "{path} {content_type}");
            }
        }
    }
}

#[tokio::test]
async fn form_multipart_and_json_say_the_same() {
    let test = Test::start().await;
    for (phone, how) in [(PHONE, "form"), (OTHER, "multipart"), ("13800138003", "json")] {
        let code = test.code(phone).await;
        let send = async |path, fields: &[(&str, &str)]| match how {
            "form" => {
                let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
                test.post(path, "application/x-www-form-urlencoded; charset=UTF-8", body).await
            }
            "multipart" => {
                let (content_type, body) = multipart(fields, None);
                test.post(path, content_type, body).await
            }
            _ => test.json(path, json!(fields.iter().copied().collect::<BTreeMap<_, _>>())).await,
        };
        let registered =
            send(REGISTER, &[("phone", phone), ("password", PASSWORD), ("verifycode", code.as_str())]).await;
        assert_eq!(registered.code(), "000000", "{how} {registered:?}");
        let logged_in = send(LOGIN, &[("user_type", "1"), ("account", phone), ("password", PASSWORD)]).await;
        assert_eq!(logged_in.code(), "1000", "{how} {logged_in:?}");
    }
}

#[tokio::test]
async fn of_parallel_registrations_with_one_code_exactly_one_wins_and_no_half_user_stays() {
    let test = Arc::new(Test::start().await);
    let code = test.code(PHONE).await;
    let both = (0..4).map(|_| {
        let (test, code) = (test.clone(), code.clone());
        async move { register(&test, PHONE, &code).await }
    });
    let answers = together(both).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.code() == "000000");
    assert_eq!(won.len(), 1, "{answers:?}");
    for answer in lost {
        assert!(["3200", "3400"].contains(&answer.code().as_str()), "{answer:?}");
    }
    let id: u64 = won[0].body["data"]["uid"].as_str().unwrap().parse().unwrap();
    let keys: Vec<_> = test.items().await.into_keys().filter(|key| !key.starts_with("SMS")).collect();
    assert_eq!(keys, [format!("PHONE#86-{PHONE} / -"), format!("U#{id:016} / AUTH"), format!("U#{id:016} / PROFILE")]);
}

#[tokio::test]
async fn what_breaks_inside_register_is_3203_and_tells_nothing() {
    let test = Test::with(&[("TABLE", "nowhere")]).await;
    let answer = register(&test, PHONE, "000000").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        answer.body,
        json!({"code": "3203", "msg": "something broke on our side while registering; trying again may help", "data": {}})
    );
    let answer = test.log_in(PHONE, PASSWORD).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(
        answer.body,
        json!({"code": 500, "msg": "something broke on our side; trying again may help", "data": {}})
    );
}

#[tokio::test]
async fn a_table_that_is_too_busy_is_503() {
    let test = Test::start().await;
    let code = test.code(PHONE).await;
    test.line.spoil("UpdateItem", [Fault::Throttle; 3]);
    register(&test, PHONE, &code).await.refused(503, 503);
    assert_eq!(register(&test, PHONE, &code).await.code(), "000000");
}

#[tokio::test]
async fn phones_of_other_countries_register_and_log_in() {
    let test = Test::start().await;
    assert_eq!(
        test.json("/send_sms_code", json!({"country": "852", "phone": "12345678"})).await.body,
        json!({"code": 0})
    );
    let phone = "+85212345678";
    assert_eq!(register(&test, phone, &test.last_code(phone)).await.code(), "000000");
    let user = &test.log_in(phone, PASSWORD).await.body["data"]["user_info"];
    assert_eq!(
        (&user["phone"], &user["account"]),
        (&json!(12_345_678), &json!(phone)),
        "the number without its country code"
    );
    test.log_in("12345678", PASSWORD).await.refused(200, 3100);
}

// ---- account_login

#[tokio::test]
async fn login_answers_all_that_is_documented() {
    let test = Test::start().await;
    let (id, _) = test.user(PHONE).await;
    let answer = test.log_in(PHONE, PASSWORD).await;
    assert_eq!(answer.status, StatusCode::OK);
    let user = &answer.body["data"]["user_info"];
    let (token, name) = (user["token"].as_str().unwrap(), user["name"].as_str().unwrap());
    assert!(!token.is_empty());
    assert!(name.starts_with("nick-") && name.len() == 13 && !name.contains("8001"), "{name}");
    assert_eq!(
        answer.body,
        json!({"code": 1000, "msg": "succ", "data": {"user_info": {
            "uid": id, "account": PHONE, "name": name, "gender": null, "user_type": 1, "user_status": 1,
            "avator": null, "large_avator": null, "token": token, "expires": (START + 30 * DAY) / 1000,
            "phone": 13_800_138_001_u64, "email": null, "is_new_user": 0,
        }}})
    );
    let known = json!({"name": "felix", "gender": 0, "email": "Felix@Example.com"});
    assert_eq!(test.json_as(token, INFO, known).await.code(), "000000");
    let user = &test.log_in(PHONE, PASSWORD).await.body["data"]["user_info"];
    assert_eq!(
        [&user["name"], &user["gender"], &user["email"]],
        [&json!("felix"), &json!(0), &json!("felix@example.com")]
    );
}

#[tokio::test]
async fn every_name_of_a_user_logs_them_in() {
    let test = Test::start().await;
    let (id, token) = test.user(PHONE).await;
    test.json_as(&token, INFO, json!({"email": "felix@example.com"})).await;
    for account in [PHONE, "+8613800138001", "felix@example.com", "FELIX@Example.COM"] {
        let answer = test.log_in(account, PASSWORD).await;
        assert_eq!(answer.code(), "1000", "{account} {answer:?}");
        let user = &answer.body["data"]["user_info"];
        assert_eq!((user["uid"].as_u64(), user["account"].as_str()), (Some(id), Some(account)));
    }
    for user_type in [json!(1), json!("1")] {
        let request = json!({"user_type": user_type, "account": 13_800_138_001_u64, "password": PASSWORD});
        assert_eq!(test.json(LOGIN, request).await.code(), "1000", "numbers will do");
    }
}

#[tokio::test]
async fn login_refuses_with_a_number_for_a_code() {
    let test = Test::start().await;
    let answer = test.log_in(PHONE, PASSWORD).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body, json!({"code": 3100, "msg": "wrong account or password", "data": {}}));
    for (request, message) in [
        (json!({"account": PHONE, "password": PASSWORD}), "user_type: is missing"),
        (json!({"user_type": "5", "account": PHONE, "password": PASSWORD}), "user_type: must be one of 1, 2, 3, 4"),
        (json!({"user_type": 0}), "user_type: must be one of 1, 2, 3, 4"),
        (json!({"user_type": "1", "account": PHONE}), "password: is missing"),
        (json!({"user_type": "1", "password": null, "account": PHONE}), "password: is missing"),
    ] {
        let answer = test.json(LOGIN, request).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.body, json!({"code": 400, "msg": message, "data": {}}));
    }
}

#[tokio::test]
async fn an_unknown_account_cannot_be_told_from_a_wrong_password() {
    let test = Test::start().await;
    test.user(PHONE).await;
    let (known, known_cost) = test.line.meter(test.log_in(PHONE, "wrong1234")).await;
    for account in [OTHER, "nobody@example.com", "nobody", ""] {
        let (unknown, cost) = test.line.meter(test.log_in(account, "wrong1234")).await;
        unknown.refused(200, 3100);
        assert_eq!((unknown.status, &unknown.body), (known.status, &known.body));
        let names = |headers: &http::HeaderMap| headers.keys().map(|name| name.to_string()).collect::<Vec<_>>();
        assert_eq!(names(&unknown.headers), names(&known.headers));
        let calls = |cost: &crate::support::Cost| {
            let mut calls: Vec<_> = cost.0.iter().map(|call| (call.round, call.operation.clone())).collect();
            calls.sort();
            calls
        };
        assert_eq!(calls(&cost), calls(&known_cost), "{account}");
    }
}

#[tokio::test]
async fn five_wrong_passwords_lock_whatever_name_was_used_for_fifteen_minutes() {
    let test = Test::start().await;
    let (_, token) = test.user(PHONE).await;
    test.json_as(&token, INFO, json!({"email": "felix@example.com"})).await;
    let names = [PHONE, "+8613800138001", "felix@example.com", "FELIX@example.com"];
    for name in names.iter().chain([&PHONE]) {
        test.log_in(name, "wrong1234").await.refused(200, 3100);
    }
    for name in names {
        test.log_in(name, PASSWORD).await.refused(200, 3101);
    }
    assert_eq!(test.json_as(&token, INFO, json!({})).await.code(), "000000", "nobody is signed out by it");
    test.wait(15 * MINUTE - 1);
    test.log_in(PHONE, PASSWORD).await.refused(200, 3101);
    test.wait(1);
    assert_eq!(test.log_in(PHONE, PASSWORD).await.code(), "1000");
}

#[tokio::test]
async fn after_a_lock_there_are_five_guesses_again() {
    let test = Test::start().await;
    test.user(PHONE).await;
    for _ in 0..2 {
        for _ in 0..5 {
            test.log_in(PHONE, "wrong1234").await.refused(200, 3100);
        }
        test.log_in(PHONE, "wrong1234").await.refused(200, 3101);
        test.wait(15 * MINUTE);
    }
    assert_eq!(test.log_in(PHONE, PASSWORD).await.code(), "1000");
}

#[tokio::test]
async fn an_unknown_name_locks_as_well() {
    let test = Test::start().await;
    for account in [PHONE, "nobody@example.com", "nobody"] {
        for _ in 0..5 {
            test.log_in(account, PASSWORD).await.refused(200, 3100);
        }
        test.log_in(account, PASSWORD).await.refused(200, 3101);
    }
    test.log_in("+8613800138001", PASSWORD).await.refused(200, 3101);
    test.log_in("NOBODY@example.com", PASSWORD).await.refused(200, 3101);
    test.wait(15 * MINUTE);
    test.log_in(PHONE, PASSWORD).await.refused(200, 3100);
}

#[tokio::test]
async fn wrong_passwords_far_apart_do_not_lock() {
    let test = Test::start().await;
    test.user(PHONE).await;
    for _ in 0..8 {
        test.log_in(PHONE, "wrong1234").await.refused(200, 3100);
        test.wait(4 * MINUTE);
    }
    assert_eq!(test.log_in(PHONE, PASSWORD).await.code(), "1000");
}

#[tokio::test]
async fn a_success_clears_the_count() {
    let test = Test::start().await;
    test.user(PHONE).await;
    for _ in 0..2 {
        for _ in 0..4 {
            test.log_in(PHONE, "wrong1234").await.refused(200, 3100);
        }
        assert_eq!(test.log_in(PHONE, PASSWORD).await.code(), "1000");
    }
}

#[tokio::test]
async fn parallel_guesses_gain_nothing() {
    let test = Arc::new(Test::start().await);
    test.user(PHONE).await;
    for account in [PHONE, OTHER] {
        let guesses = (0..20).map(|_| {
            let test = test.clone();
            async move { test.log_in(account, "wrong1234").await }
        });
        let answers = together(guesses).await;
        let count = |code| answers.iter().filter(|answer| answer.body["code"] == code).count();
        assert_eq!((count(3100), count(3101)), (5, 15), "{account}");
    }
    test.log_in(PHONE, PASSWORD).await.refused(200, 3101);
}

#[tokio::test]
async fn the_right_password_locks_nobody_however_often_it_comes_at_once() {
    let test = Arc::new(Test::start().await);
    let (id, _) = test.user(PHONE).await;
    for wrong in [0, 4] {
        for _ in 0..wrong {
            test.log_in(PHONE, "wrong1234").await.refused(200, 3100);
        }
        let logins = (0..20).map(|_| {
            let test = test.clone();
            async move { test.log_in(PHONE, PASSWORD).await }
        });
        let answers = together(logins).await;
        assert!(answers.iter().all(|answer| answer.code() == "1000"), "after {wrong} wrong ones: {answers:?}");
        let auth = &test.items().await[&format!("U#{id:016} / AUTH")];
        assert!(!auth.contains_key("guesses") && !auth.contains_key("wrong"), "{auth:?}");
    }
}

#[tokio::test]
async fn right_and_wrong_passwords_at_once_lock_only_by_the_wrong_ones() {
    let test = Arc::new(Test::start().await);
    test.user(PHONE).await;
    let logins = (0..20).map(|number| {
        let test = test.clone();
        let password = if number % 5 == 0 { "wrong1234" } else { PASSWORD };
        async move { (password == PASSWORD, test.log_in(PHONE, password).await.code()) }
    });
    let answers = together(logins).await;
    assert!(answers.iter().all(|(right, code)| code == if *right { "1000" } else { "3100" }), "{answers:?}");
}

#[tokio::test]
async fn a_login_that_was_cut_off_counts_as_wrong_once_it_cannot_be_decided_any_more() {
    let test = Test::start().await;
    let (id, _) = test.user(PHONE).await;
    let cut_off: Vec<_> = (0..5).map(|number| format!("{START}{number:04x}")).collect();
    let update = test.table().update_item().table_name(&test.plaza.app.config.table);
    let update = update.set_key(Some(keys::auth(UserId(id)).into())).update_expression("ADD guesses :moments");
    let moments = aws_sdk_dynamodb::types::AttributeValue::Ss(cut_off);
    update.expression_attribute_values(":moments", moments).send().await.unwrap();
    test.log_in(PHONE, PASSWORD).await.refused(503, 503);
    test.wait(15_000);
    test.log_in(PHONE, PASSWORD).await.refused(200, 3101);
    test.wait(15 * MINUTE - 15_000);
    assert_eq!(test.log_in(PHONE, PASSWORD).await.code(), "1000");
}

#[tokio::test]
async fn wrong_passwords_of_long_ago_are_not_kept() {
    let test = Test::start().await;
    let (id, _) = test.user(PHONE).await;
    for _ in 0..12 {
        test.log_in(PHONE, "wrong1234").await.refused(200, 3100);
        test.wait(4 * MINUTE);
    }
    let auth = &test.items().await[&format!("U#{id:016} / AUTH")];
    for kept in ["guesses", "wrong"] {
        assert!((1..=5).contains(&auth[kept].as_ss().unwrap().len()), "{kept}");
    }
}

#[tokio::test]
async fn whom_an_operator_locked_is_neither_let_in_nor_kept_in() {
    let test = Test::start().await;
    let (id, token) = test.user(PHONE).await;
    let update = test.table().update_item().table_name(&test.plaza.app.config.table);
    let update = update.set_key(Some(keys::auth(UserId(id)).into())).update_expression("SET locked = :true");
    let locked = aws_sdk_dynamodb::types::AttributeValue::Bool(true);
    update.expression_attribute_values(":true", locked).send().await.unwrap();
    for _ in 0..7 {
        test.log_in(PHONE, PASSWORD).await.refused(200, 3101);
    }
    test.log_in(PHONE, "wrong1234").await.refused(200, 3100);
    test.json_as(&token, INFO, json!({})).await.refused(401, 401);
}

// ---- tokens

#[tokio::test]
async fn a_token_is_taken_bare_or_as_bearer() {
    let test = Test::start().await;
    let (_, token) = test.user(PHONE).await;
    for header in [token.clone(), format!("Bearer {token}"), format!("bearer {token}"), format!("BEARER  {token} ")] {
        let answer = test.json_as(&header, INFO, json!({})).await;
        assert_eq!(answer.code(), "000000", "{header} {answer:?}");
    }
}

#[tokio::test]
async fn a_token_that_is_none_is_401() {
    let test = Test::start().await;
    let (id, token) = test.user(PHONE).await;
    let token_by = |key: &str| {
        let ours = Token { user: UserId(id), id: "of-this-test".into(), epoch: 0, expires: START + DAY };
        TokenKeys::new(key, None).unwrap().sign(&ours, START).unwrap()
    };
    let right = token_by(&test.plaza.environment["JWT_KEY"]);
    assert_eq!(test.json_as(&right, INFO, json!({})).await.code(), "000000");
    let (head, signature) = token.rsplit_once('.').unwrap();
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    for bad in [
        String::new(),
        " ".into(),
        "Bearer".into(),
        "Bearer ".into(),
        "garbage".into(),
        "a.b.c".into(),
        format!("Basic {token}"),
        format!("{token} {token}"),
        format!("{token}x"),
        format!("{head}."),
        format!("{head}.{flipped}{}", &signature[1..]),
        token_by("a key that is somebody else's, not this Plaza's"),
        "x".repeat(8000),
    ] {
        for path in [INFO, AVATOR] {
            let answer = test.json_as(&bad, path, json!({})).await;
            answer.refused(401, 401);
            assert_eq!(answer.body["code"], "401", "a text in this document");
            assert_eq!(answer.body["data"], json!({}));
        }
    }
    test.json(INFO, json!({"name": "x"})).await.refused(401, 401);
    test.json(INFO, json!({"name": "x", "token": token})).await.refused(401, 401);
    let request = Request::builder().method(Method::POST).header("content-type", "application/json");
    let request = request.header("authorization", http::HeaderValue::from_bytes(b"\xff\xfe").unwrap());
    test.send(request, INFO, "{}").await.refused(401, 401);
}

#[tokio::test]
async fn a_token_lasts_thirty_days() {
    let test = Test::start().await;
    let (_, token) = test.user(PHONE).await;
    test.wait(30 * DAY - 1);
    assert_eq!(test.json_as(&token, INFO, json!({})).await.code(), "000000");
    test.wait(1);
    test.json_as(&token, INFO, json!({})).await.refused(401, 401);
}

#[tokio::test]
async fn a_stranger_learns_nothing_from_complaints() {
    let test = Test::start().await;
    for body in [json!({"name": 7}), json!({"gender": "9"}), json!({"email": "x"}), json!({"phone": "1"})] {
        test.json(INFO, body).await.refused(401, 401);
    }
    for fields in [vec![("image", "text")], vec![], vec![("name", "x")]] {
        let (content_type, body) = multipart(&fields, None);
        test.post(AVATOR, content_type, body).await.refused(401, 401);
    }
    test.upload("", AVATOR, &[], ("image", b"no picture")).await.refused(401, 401);
}

// ---- user_update_avator

const RED: Rgb<u8> = Rgb([220, 20, 20]);
const BLUE: Rgb<u8> = Rgb([20, 20, 220]);

/// Red on the left, blue on the right.
fn red_blue(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let pixels = RgbImage::from_fn(width, height, |x, _| if x < width / 2 { RED } else { BLUE });
    let mut bytes = Cursor::new(vec![]);
    DynamicImage::from(pixels).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// What a phone adds: that it was held upright (orientation 6), and where.
fn phone_photo(width: u32, height: u32) -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0\x2A\0\0\0\x08".to_vec();
    exif.extend(b"\0\x02\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\x88\x25\0\x04\0\0\0\x01\0\0\0\x26\0\0\0\0");
    exif.extend(b"\0\x01\0\x12\0\x02\0\0\0\x14\0\0\0\x38\0\0\0\0");
    exif.extend(PLACE);
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    let mut photo = red_blue(width, height, ImageFormat::Jpeg);
    photo.splice(2..2, [0xFF, 0xE1].into_iter().chain(length).chain(exif));
    photo
}

const PLACE: &[u8] = b"31.2304N 121.4737E\0\0";

/// A JPEG of a few hundred bytes whose header says otherwise.
fn jpeg_that_claims(width: u16, height: u16) -> Vec<u8> {
    let mut jpeg = red_blue(64, 64, ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|mark| mark[0] == 0xFF && (0xC0..=0xC2).contains(&mark[1])).unwrap();
    jpeg[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
    jpeg[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
    jpeg
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Fetches a picture with nobody's token and decodes it.
async fn picture(test: &Test, url: &Value) -> (DynamicImage, bytes::Bytes) {
    let (status, content_type, bytes) = test.fetch(url.as_str().unwrap()).await;
    assert_eq!(status, StatusCode::OK, "{url}");
    let format = ImageFormat::from_mime_type(&content_type).unwrap_or_else(|| panic!("{content_type}"));
    (image::load_from_memory_with_format(&bytes, format).unwrap(), bytes)
}

#[tokio::test]
async fn an_avatar_of_every_format_loads_in_two_sizes() {
    let test = Test::start().await;
    let (_, token) = test.user(PHONE).await;
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif] {
        let answer = test.upload(&token, AVATOR, &[], ("image", &red_blue(800, 400, format))).await;
        assert_eq!((answer.code(), answer.message()), ("000000".into(), "success"), "{format:?} {answer:?}");
        let data = answer.body["data"].as_object().unwrap();
        assert_eq!(data.keys().collect::<Vec<_>>(), ["avator", "large_avator"]);
        for (name, size) in [("avator", (160, 80)), ("large_avator", (640, 320))] {
            let (pixels, _) = picture(&test, &data[name]).await;
            assert_eq!((pixels.width(), pixels.height()), size, "{format:?} {name}");
        }
        let shown = [
            &test.json_as(&token, INFO, json!({})).await.body["data"],
            &test.log_in(PHONE, PASSWORD).await.body["data"]["user_info"],
        ]
        .map(|user| (user["avator"].clone(), user["large_avator"].clone()));
        assert_eq!(shown, [(); 2].map(|()| (data["avator"].clone(), data["large_avator"].clone())), "{format:?}");
    }
    let small = test.upload(&token, AVATOR, &[], ("image", &red_blue(64, 64, ImageFormat::Png))).await;
    for name in ["avator", "large_avator"] {
        assert_eq!(picture(&test, &small.body["data"][name]).await.0.width(), 64, "nothing is blown up");
    }
}

#[tokio::test]
async fn a_phones_photo_stands_upright_and_has_forgotten_where_it_was_taken() {
    let test = Test::start().await;
    let (_, token) = test.user(PHONE).await;
    let photo = phone_photo(1000, 500);
    assert!(contains(&photo, PLACE) && contains(&photo, b"Exif"));
    let answer = test.upload(&token, AVATOR, &[], ("image", &photo)).await;
    for (name, (width, height)) in [("avator", (80, 160)), ("large_avator", (320, 640))] {
        let (pixels, bytes) = picture(&test, &answer.body["data"][name]).await;
        assert_eq!((pixels.width(), pixels.height()), (width, height), "{name}");
        let pixels = pixels.to_rgb8();
        for (y, color) in [(height / 4, RED), (height * 3 / 4, BLUE)] {
            let pixel = pixels.get_pixel(width / 2, y);
            assert!(pixel.0.iter().zip(color.0).all(|(a, b)| a.abs_diff(b) < 12), "{pixel:?} in {name}");
        }
        for secret in [PLACE, b"Exif", b"GPS", b"MM\0\x2A"] {
            assert!(!contains(&bytes, secret), "{name}");
        }
    }
}

#[tokio::test]
async fn pictures_are_known_by_content_not_by_name() {
    let test = Test::start().await;
    let (_, token) = test.user(PHONE).await;
    // A PNG that says it is a JPEG, in its name and in its content type.
    let mut body = b"--x\r\ncontent-disposition: form-data; name=\"image\"; filename=\"a.jpg\"\r\n\
        content-type: image/jpeg\r\n\r\n"
        .to_vec();
    body.extend(red_blue(100, 100, ImageFormat::Png));
    body.extend(b"\r\n--x--\r\n");
    let request = Request::builder().method(Method::POST).header("authorization", &token);
    let request = request.header("content-type", "multipart/form-data; boundary=x");
    let answer = test.send(request, AVATOR, body).await;
    assert_eq!(answer.code(), "000000", "{answer:?}");
    picture(&test, &answer.body["data"]["avator"]).await;
}

#[tokio::test]
async fn a_refused_picture_leaves_nothing_behind() {
    let test = Test::start().await;
    let (_, token) = test.user(PHONE).await;
    let before = test.items().await;
    let mut heavy = red_blue(64, 64, ImageFormat::Jpeg);
    heavy.resize((4 << 20) + 1, 0);
    let mut cut = red_blue(300, 300, ImageFormat::Png);
    cut.truncate(cut.len() / 2);
    let bmp = [b"BM".as_slice(), &[0; 60]].concat();
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"100\" height=\"100\"></svg>";
    for (code, bytes) in [
        (3300, b"".as_slice()),
        (3300, b"no picture"),
        (3300, b"\xff\xd8\xff\xe0"),
        (3300, b"\x89PNG\r\n\x1a\n"),
        (3300, &bmp),
        (3300, svg),
        (3300, &cut),
        (3301, &heavy),
        (3301, &jpeg_that_claims(64_250, 64_250)),
        (3302, &jpeg_that_claims(63, 500)),
        (3302, &red_blue(63, 64, ImageFormat::Png)),
        (3302, &red_blue(64, 1, ImageFormat::Gif)),
    ] {
        let (answer, cost) = test.line.meter(test.upload(&token, AVATOR, &[], ("image", bytes))).await;
        answer.refused(200, code);
        assert_eq!(answer.body["data"], json!({}));
        assert!(answer.message().starts_with("image: "), "{answer:?}");
        assert!(cost.0.iter().all(|call| call.operation == "BatchGetItem" || call.is_count()), "{cost:?}");
    }
    assert_eq!(test.items().await, before);
    assert_eq!(test.objects().await.0, [""; 0]);
}

#[tokio::test]
async fn an_avatar_that_is_no_file_is_400() {
    let test = Test::start().await;
    let (_, token) = test.user(PHONE).await;
    let (content_type, body) = multipart(&[], None);
    let request = Request::builder().method(Method::POST).header("authorization", &token);
    let answer = test.send(request.header("content-type", content_type), AVATOR, body).await;
    answer.refused(400, 400);
    assert_eq!(answer.message(), "image: is missing");
    let answer = test.json_as(&token, AVATOR, json!({"image": "iVBORw0KGgo="})).await;
    answer.refused(400, 400);
    assert_eq!(answer.message(), "image: must be a file in a multipart body");
    let picture = red_blue(64, 64, ImageFormat::Png);
    let answer = test.upload(&token, AVATOR, &[("image", "text")], ("image", &picture)).await;
    answer.refused(400, 400);
    assert_eq!(test.objects().await.0, [""; 0]);
}

#[tokio::test]
async fn a_store_that_is_down_leaves_the_old_avatar() {
    let test = Test::start().await;
    let (_, token) = test.user(PHONE).await;
    let picture = red_blue(64, 64, ImageFormat::Png);
    let old = test.upload(&token, AVATOR, &[], ("image", &picture)).await.body["data"].clone();
    test.line.spoil("PUT", [Fault::Broken; 6]);
    test.upload(&token, AVATOR, &[], ("image", &picture)).await.refused(503, 503);
    let shown = &test.json_as(&token, INFO, json!({})).await.body["data"];
    assert_eq!((&shown["avator"], &shown["large_avator"]), (&old["avator"], &old["large_avator"]));
}

#[tokio::test]
async fn only_what_lies_under_media_is_public() {
    let test = Test::start().await;
    let (_, token) = test.user(PHONE).await;
    let answer = test.upload(&token, AVATOR, &[], ("image", &red_blue(64, 64, ImageFormat::Png))).await;
    let (objects, client) = test.objects().await;
    assert_eq!(objects.len(), 2);
    assert!(objects.iter().all(|key| key.starts_with("media/")), "{objects:?}");
    let bucket = &test.plaza.app.config.media_bucket;
    let secret = aws_sdk_s3::primitives::ByteStream::from_static(b"secret");
    client.put_object().bucket(bucket).key("incoming/secret.txt").body(secret).send().await.unwrap();
    let s3 = format!("{}/{bucket}", test.plaza.engines.s3);
    for path in [
        "",
        "/",
        "?list-type=2",
        "/incoming/secret.txt",
        "/media/../incoming/secret.txt",
        "/media/%2e%2e/incoming/secret.txt",
    ] {
        let (status, _, body) = test.fetch(&format!("{s3}{path}")).await;
        assert!(status.is_client_error(), "{path} {status}");
        assert_ne!(&body[..], b"secret", "{path}");
    }
    let url = answer.body["data"]["avator"].as_str().unwrap();
    assert!(url.starts_with(&format!("{s3}/media/")), "{url}");
    for method in [Method::PUT, Method::DELETE, Method::POST] {
        let request = Request::builder().method(method);
        let stranger = test.raw(request.uri(url), "x").await;
        assert!(!stranger.is_success(), "{stranger}");
    }
    picture(&test, &answer.body["data"]["avator"]).await;
}

// ---- user_update_info

/// The `data` of a change that was made.
#[track_caller]
fn data(answer: Answer) -> Value {
    assert_eq!((answer.code(), answer.message()), ("000000".into(), "success"), "{answer:?}");
    answer.body["data"].clone()
}

#[tokio::test]
async fn what_is_not_sent_stays_as_it_is() {
    let test = Test::start().await;
    let (_, token) = test.user(PHONE).await;
    let mut shown = data(test.json_as(&token, INFO, json!({})).await);
    for (field, sent, shows) in [
        ("name", json!("felix 猫"), json!("felix 猫")),
        ("gender", json!("1"), json!("1")),
        ("gender", json!(0), json!("0")),
        ("gender", json!("0"), json!("0")),
        ("email", json!("Felix@Example.com"), json!("felix@example.com")),
        ("phone", json!("+85212345678"), json!("+85212345678")),
        ("phone", json!(13_900_139_001_u64), json!("13900139001")),
        ("desc", json!("two\nlines"), Value::Null),
        ("job_status", json!(1), Value::Null),
    ] {
        let changed = data(test.json_as(&token, INFO, json!({field: sent})).await);
        if !shows.is_null() {
            shown[field] = shows;
        }
        assert_eq!(changed, shown, "{field}");
        for nothing in [json!({}), json!({field: null}), json!({"unknown": "field"})] {
            let before = test.items().await;
            assert_eq!(data(test.json_as(&token, INFO, nothing).await), shown);
            assert_eq!(test.items().await, before);
        }
    }
    let stored = test.items().await;
    let profile = stored.iter().find(|(key, _)| key.ends_with("PROFILE")).unwrap().1;
    assert_eq!(profile["intro"].as_s().unwrap(), "two\nlines");
    assert_eq!(profile["job_status"].as_n().unwrap(), "1");
}

#[tokio::test]
async fn update_info_refuses_what_does_not_fit_and_changes_nothing() {
    let test = Test::start().await;
    let (_, token) = test.user(PHONE).await;
    let before = test.items().await;
    for (field, values) in [
        (
            "name",
            vec![json!(""), json!(" \u{3000}"), json!("猫".repeat(65)), json!("a\nb"), json!("a\u{7f}"), json!(7)],
        ),
        ("gender", vec![json!("2"), json!(2), json!("male"), json!(""), json!(true), json!(1.5)]),
        ("desc", vec![json!("猫".repeat(501)), json!(1)]),
        ("job_status", vec![json!(2), json!(-1), json!(256), json!("yes"), json!(0.5)]),
        (
            "email",
            vec![json!(""), json!("x"), json!("a@b"), json!("a b@example.com"), json!("A <a@example.com>"), json!(1)],
        ),
        ("phone", vec![json!(true), json!([])]),
        ("verifycode", vec![json!(true), json!("000000"), json!(1.5)]),
    ] {
        for value in values {
            // The good name beside it must not be stored either.
            let mut request = json!({"name": "felix"});
            request[field] = value.clone();
            let answer = test.json_as(&token, INFO, request).await;
            answer.refused(400, 400);
            let named = if field == "verifycode" {
                answer.message().contains(field)
            } else {
                answer.message().starts_with(field)
            };
            assert!(named, "{value} {answer:?}");
        }
    }
    for phone in ["", "1", "12800138001", "+", "+441"] {
        test.json_as(&token, INFO, json!({"name": "felix", "phone": phone})).await.refused(200, 3201);
    }
    assert_eq!(test.items().await, before);
    for (field, value) in [("name", "猫".repeat(64)), ("desc", "猫".repeat(500)), ("desc", String::new())] {
        data(test.json_as(&token, INFO, json!({field: value})).await);
    }
}

#[tokio::test]
async fn an_email_belongs_to_one_user_until_they_let_it_go() {
    let test = Test::start().await;
    let ((_, first), (_, second)) = (test.user(PHONE).await, test.user(OTHER).await);
    data(test.json_as(&first, INFO, json!({"email": "a@example.com"})).await);
    let before = test.items().await;
    test.json_as(&second, INFO, json!({"email": "A@Example.com", "name": "x"})).await.refused(200, 3401);
    assert_eq!(test.items().await, before);
    data(test.json_as(&first, INFO, json!({"email": "b@example.com"})).await);
    test.log_in("a@example.com", PASSWORD).await.refused(200, 3100);
    let taken = data(test.json_as(&second, INFO, json!({"email": "a@example.com"})).await);
    assert_eq!(taken["email"], "a@example.com");
    let user = &test.log_in("a@example.com", PASSWORD).await.body["data"]["user_info"];
    assert_eq!(user["phone"], 13_800_138_002_u64);
    // A repeat succeeds as well.
    for _ in 0..2 {
        data(test.json_as(&second, INFO, json!({"email": "a@example.com"})).await);
    }
}

#[tokio::test]
async fn of_parallel_changes_to_one_email_exactly_one_wins() {
    let test = Arc::new(Test::start().await);
    let ((_, first), (_, second)) = (test.user(PHONE).await, test.user(OTHER).await);
    for email in ["a@example.com", "b@example.com", "c@example.com"] {
        let changes = [first.clone(), second.clone()].map(|token| {
            let test = test.clone();
            async move { test.json_as(&token, INFO, json!({"email": email})).await.code() }
        });
        let mut answers = together(changes).await;
        answers.sort();
        assert_eq!(answers, ["000000", "3401"]);
        let items = test.items().await;
        let shown = items.values().filter(|item| item.get("email").is_some_and(|text| text.as_s().unwrap() == email));
        assert_eq!(shown.count(), 1);
    }
    let emails = test.items().await.into_keys().filter(|key| key.starts_with("EMAIL#")).count();
    let holders = test.items().await.values().filter(|item| item.contains_key("email")).count();
    assert_eq!(emails, holders, "none is held that nobody shows");
}

#[tokio::test]
async fn parallel_changes_of_one_users_email_leave_one() {
    let test = Arc::new(Test::start().await);
    let (_, token) = test.user(PHONE).await;
    let changes = (0..4).map(|number| {
        let (test, token) = (test.clone(), token.clone());
        async move { test.json_as(&token, INFO, json!({"email": format!("{number}@example.com")})).await.code() }
    });
    let answers = together(changes).await;
    assert!(answers.iter().all(|code| code == "000000" || code == "503"), "{answers:?}");
    let shown = data(test.json_as(&token, INFO, json!({})).await)["email"].as_str().unwrap().to_owned();
    let held: Vec<_> = test.items().await.into_keys().filter(|key| key.starts_with("EMAIL#")).collect();
    assert_eq!(held, [format!("EMAIL#{shown} / -")]);
}

#[tokio::test]
async fn a_phone_without_a_code_is_shown_but_logs_nobody_in() {
    let test = Test::start().await;
    let (id, token) = test.user(PHONE).await;
    for _ in 0..2 {
        assert_eq!(data(test.json_as(&token, INFO, json!({"phone": OTHER})).await)["phone"], OTHER);
    }
    test.log_in(OTHER, PASSWORD).await.refused(200, 3100);
    let user = test.log_in(PHONE, PASSWORD).await.body["data"]["user_info"].clone();
    assert_eq!((user["uid"].as_u64(), user["phone"].as_u64()), (Some(id), Some(13_800_138_002)));
    // Two may claim the same: it is nobody's.
    let (_, third) = test.user("13800138003").await;
    assert_eq!(data(test.json_as(&third, INFO, json!({"phone": OTHER})).await)["phone"], OTHER);
    // Their own again: the claim is gone.
    assert_eq!(data(test.json_as(&token, INFO, json!({"phone": PHONE})).await)["phone"], PHONE);
}

#[tokio::test]
async fn a_phone_without_a_code_yields_to_whoever_proves_it() {
    let test = Test::start().await;
    let (_, token) = test.user(PHONE).await;
    data(test.json_as(&token, INFO, json!({"phone": OTHER})).await);
    let (other, _) = test.user(OTHER).await;
    assert_eq!(data(test.json_as(&token, INFO, json!({})).await)["phone"], PHONE);
    let user = test.log_in(PHONE, PASSWORD).await.body["data"]["user_info"].clone();
    assert_eq!(user["phone"].as_u64(), Some(13_800_138_001));
    let user = test.log_in(OTHER, PASSWORD).await.body["data"]["user_info"].clone();
    assert_eq!(user["uid"].as_u64(), Some(other));
    test.json_as(&token, INFO, json!({"phone": OTHER, "name": "x"})).await.refused(200, 3400);
}

#[tokio::test]
async fn a_proved_phone_takes_the_old_ones_place() {
    let test = Test::start().await;
    let (id, token) = test.user(PHONE).await;
    data(test.json_as(&token, INFO, json!({"phone": "13800138003"})).await);
    let code = test.code(OTHER).await;
    test.json_as(&token, INFO, json!({"phone": OTHER, "verifycode": wrong(&code)})).await.refused(200, 3200);
    let changed = data(test.json_as(&token, INFO, json!({"phone": OTHER, "verifycode": code})).await);
    assert_eq!(changed["phone"], OTHER, "the claimed one is gone");
    test.json_as(&token, INFO, json!({"phone": OTHER, "verifycode": code})).await.refused(200, 3200);
    let user = test.log_in(OTHER, PASSWORD).await.body["data"]["user_info"].clone();
    assert_eq!((user["uid"].as_u64(), user["phone"].as_u64()), (Some(id), Some(13_800_138_002)));
    test.log_in(PHONE, PASSWORD).await.refused(200, 3100);
    test.wait(PAUSE);
    let (new, _) = test.user(PHONE).await;
    assert_ne!(new, id, "the old number can be registered anew");
}

#[tokio::test]
async fn a_phone_that_is_somebodys_is_not_given_away_and_the_code_stays_good() {
    let test = Test::start().await;
    let ((_, token), _) = (test.user(PHONE).await, test.user(OTHER).await);
    test.wait(PAUSE);
    let code = test.code(OTHER).await;
    for _ in 0..2 {
        test.json_as(&token, INFO, json!({"phone": OTHER, "verifycode": code})).await.refused(200, 3400);
    }
    test.json_as(&token, INFO, json!({"phone": OTHER})).await.refused(200, 3400);
    assert_eq!(test.log_in(OTHER, PASSWORD).await.code(), "1000");
}

#[tokio::test]
async fn of_parallel_proofs_of_one_phone_exactly_one_wins() {
    let test = Arc::new(Test::start().await);
    let ((_, first), (_, second)) = (test.user(PHONE).await, test.user(OTHER).await);
    let phone = "13800138003";
    let code = test.code(phone).await;
    let changes = [first, second].map(|token| {
        let (test, code) = (test.clone(), code.clone());
        async move { test.json_as(&token, INFO, json!({"phone": phone, "verifycode": code})).await.code() }
    });
    let mut answers = together(changes).await;
    answers.sort();
    assert!(answers[0] == "000000" && ["3200", "3400"].contains(&answers[1].as_str()), "{answers:?}");
    let logins = [PHONE, OTHER, phone].map(|phone| {
        let test = test.clone();
        async move { test.log_in(phone, PASSWORD).await.code() }
    });
    let mut logins = together(logins).await;
    logins.sort();
    assert_eq!(logins, ["1000", "1000", "3100"], "the winner's old number is free, the loser's is not");
}

#[tokio::test]
async fn a_code_wants_a_phone_beside_it() {
    let test = Test::start().await;
    let (_, token) = test.user(PHONE).await;
    let answer = test.json_as(&token, INFO, json!({"verifycode": "123456"})).await;
    answer.refused(400, 400);
    assert_eq!(answer.message(), "phone: is missing beside verifycode");
}

#[tokio::test]
async fn a_code_of_another_phone_changes_nothing() {
    let test = Test::start().await;
    let (_, token) = test.user(PHONE).await;
    let code = test.code(OTHER).await;
    test.json_as(&token, INFO, json!({"phone": "13800138003", "verifycode": code})).await.refused(200, 3200);
    assert_eq!(data(test.json_as(&token, INFO, json!({})).await)["phone"], PHONE);
}
