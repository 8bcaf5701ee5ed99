//! Document D's `send_sms_code`, over HTTP against the engines.
use std::{net::IpAddr, sync::Arc};

use http::StatusCode;
use local::events;
use serde_json::{Value, json};
use shared::domain::{DAY, HOUR, MINUTE, Phone, Source};

use crate::support::{Answer, Fault, PAUSE, Test, invoke, together};

const SEND: &str = "/send_sms_code";
const PHONE: &str = "13800138001";
const OTHER: &str = "13800138002";
const THIRD: &str = "13800138003";

/// The answer, and how many messages went out.
async fn send(test: &Test, request: Value) -> (Answer, usize) {
    let (answer, cost) = test.line.meter(test.json(SEND, request)).await;
    // Of all engines only SNS is asked with a bare POST.
    let sent = cost.0.iter().filter(|call| call.operation == "POST").count();
    (answer, sent)
}

#[tokio::test]
async fn a_code_is_sent_and_never_told() {
    let test = Test::start().await;
    let (answer, sent) = send(&test, json!({"country": "86", "phone": PHONE})).await;
    assert_eq!((answer.status, &answer.body, sent), (StatusCode::OK, &json!({"code": 0}), 1));
    let code = test.last_code(PHONE);
    assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
    let (again, _) = send(&test, json!({"country": "86", "phone": PHONE})).await;
    for answer in [answer, again] {
        assert!(!format!("{answer:?}").contains(&code), "{answer:?}");
    }
}

#[tokio::test]
async fn country_and_phone_may_be_numbers_and_the_country_is_china_by_default() {
    let test = Test::start().await;
    for (phone, request) in [
        ("13800138001", json!({"phone": "13800138001"})),
        ("13800138002", json!({"phone": 13_800_138_002_u64})),
        ("13800138003", json!({"country": 86, "phone": "13800138003"})),
        ("13800138004", json!({"country": "+86", "phone": "13800138004"})),
        ("+85212345678", json!({"country": "852", "phone": "12345678"})),
        ("+12025550123", json!({"country": 1, "phone": 2_025_550_123_u64})),
    ] {
        let (answer, sent) = send(&test, request).await;
        assert_eq!((answer.body, sent), (json!({"code": 0}), 1), "{phone}");
        test.last_code(phone);
    }
}

#[tokio::test]
async fn one_code_a_minute_goes_to_a_phone() {
    let test = Test::start().await;
    test.code(PHONE).await;
    let code = test.last_code(PHONE);
    for (wait, seconds) in [(0, 60), (30_000, 30), (29_001, 1), (998, 1)] {
        test.wait(wait);
        let (answer, sent) = send(&test, json!({"phone": PHONE})).await;
        answer.refused(429, 429);
        assert!(answer.message().contains(&format!(" {seconds} s")), "{answer:?}");
        assert_eq!((sent, test.last_code(PHONE)), (0, code.clone()));
    }
    // Others are not kept waiting.
    test.code(OTHER).await;
    test.wait(1);
    test.code(PHONE).await;
}

#[tokio::test]
async fn ten_codes_in_24_hours_go_to_a_phone() {
    let test = Test::start().await;
    for _ in 0..10 {
        test.code(PHONE).await;
        test.wait(PAUSE);
    }
    let code = test.last_code(PHONE);
    let (answer, sent) = send(&test, json!({"phone": PHONE})).await;
    answer.refused(429, 429);
    assert!(answer.message().contains("ten codes a day"), "{answer:?}");
    assert_eq!((sent, test.last_code(PHONE)), (0, code));
    test.code(OTHER).await;
    // The first of them leaves the window, and with it one more may be sent.
    test.wait(DAY - 10 * MINUTE - 1);
    send(&test, json!({"phone": PHONE})).await.0.refused(429, 429);
    test.wait(1);
    test.code(PHONE).await;
    send(&test, json!({"phone": PHONE})).await.0.refused(429, 429);
}

#[tokio::test]
async fn a_days_codes_are_limited_for_all_phones_together() {
    let test = Test::with(&[("SMS_PER_DAY", "4")]).await;
    test.code(PHONE).await;
    test.code(OTHER).await;
    let before = test.items().await;
    let counts: Vec<_> = before.iter().filter(|(key, _)| key.starts_with("SMSDAY#")).map(|(_, count)| count).collect();
    let end = counts[0]["expires_at"].as_n().unwrap().parse::<u64>().unwrap() * 1000;
    assert!((test.now() + DAY..=test.now() + 2 * DAY).contains(&end), "the table forgets it");
    for phone in ["13800138003", "13800138004"] {
        let (answer, sent) = send(&test, json!({"phone": phone})).await;
        answer.refused(429, 429);
        assert_eq!(sent, 0);
        assert_eq!(test.plaza.engines.sms.last_code(&format!("+86{phone}")), None);
    }
    assert_eq!(test.items().await, before, "nothing is kept of a code that was not sent");
    test.wait(DAY);
    test.code("13800138003").await;
}

#[tokio::test]
async fn half_of_a_days_codes_are_kept_for_phones_that_have_an_account() {
    let test = Test::with(&[("SMS_PER_DAY", "4")]).await;
    for phone in [PHONE, OTHER, THIRD] {
        test.person(phone).await;
    }
    test.wait(DAY);
    test.code("13800138011").await;
    test.code("13800138012").await;
    send(&test, json!({"phone": "13800138013"})).await.0.refused(429, 429);
    test.code(PHONE).await;
    test.code(OTHER).await;
    send(&test, json!({"phone": THIRD})).await.0.refused(429, 429);
    // Those who have an account may have all.
    test.wait(DAY);
    for phone in [PHONE, OTHER, THIRD, "13800138011"] {
        test.code(phone).await;
    }
    send(&test, json!({"phone": "13800138012"})).await.0.refused(429, 429);
}

/// Through `lambda_http`, from an address as API Gateway tells it.
async fn send_from(test: &Test, source: &str, phone: &str) -> Value {
    let mut event = events::load(&events::path("user", "send_sms_code")).unwrap();
    event["requestContext"]["http"]["sourceIp"] = source.into();
    event["headers"]["x-forwarded-for"] = format!("{phone}, 198.51.100.7").into();
    event["body"] = json!({"phone": phone}).to_string().into();
    invoke(&test.plaza, &event).await["body"]["code"].clone()
}

#[tokio::test]
async fn one_address_asks_for_so_many_codes_an_hour() {
    let test = Test::with(&[("SMS_PER_SOURCE_HOUR", "3")]).await;
    for phone in [PHONE, OTHER, THIRD] {
        assert_eq!(send_from(&test, "192.0.2.1", phone).await, 0);
        test.wait(MINUTE);
    }
    let before = test.items().await;
    assert!(!format!("{before:?}").contains("192.0.2."), "only a hash is kept");
    assert_eq!(send_from(&test, "192.0.2.1", "13800138004").await, 429);
    assert_eq!(send_from(&test, "::ffff:192.0.2.1", "13800138004").await, 429);
    assert_eq!(test.items().await, before, "nothing is kept of a code that was not sent");
    assert_eq!(test.plaza.engines.sms.last_code("+8613800138004"), None);
    assert_eq!(send_from(&test, "192.0.2.2", "13800138004").await, 0);
    // The first of them leaves the window.
    test.wait(HOUR - 3 * MINUTE - 1);
    assert_eq!(send_from(&test, "192.0.2.1", "13800138005").await, 429);
    test.wait(1);
    assert_eq!(send_from(&test, "192.0.2.1", "13800138005").await, 0);
    assert_eq!(send_from(&test, "192.0.2.1", "13800138006").await, 429);
    for (key, item) in test.items().await.iter().filter(|(key, _)| key.starts_with("SMSSOURCE#")) {
        let ends: u64 = item["expires_at"].as_n().unwrap().parse().unwrap();
        assert!(ends * 1000 <= test.plaza.app.system.now() + DAY, "{key} is gone after a day");
    }
}

#[tokio::test]
async fn whoever_has_one_address_of_ipv6_has_64_bits_of_them() {
    let test = Test::with(&[("SMS_PER_SOURCE_HOUR", "1")]).await;
    assert_eq!(send_from(&test, "2001:db8:1:2::1", PHONE).await, 0);
    assert_eq!(send_from(&test, "2001:db8:1:2:3:4:5:6", OTHER).await, 429);
    assert_eq!(send_from(&test, "2001:db8:1:3::1", OTHER).await, 0);
    // The runner's clients: all on this machine.
    assert_eq!(send(&test, json!({"phone": THIRD})).await.1, 1);
    send(&test, json!({"phone": "13800138004"})).await.0.refused(429, 429);
    let local = test.plaza.app.keys().unwrap().pseudonym(Source::from(IpAddr::from([127, 0, 0, 1])));
    assert!(test.items().await.contains_key(&format!("SMSSOURCE#{local} / -")));
}

#[tokio::test]
async fn parallel_requests_of_one_address_do_not_exceed_its_limit() {
    let test = Arc::new(Test::with(&[("SMS_PER_SOURCE_HOUR", "5")]).await);
    let requests = (0..20).map(|number| {
        let test = test.clone();
        async move { send_from(&test, "192.0.2.1", &format!("138001380{number:02}")).await }
    });
    let answers = together(requests).await;
    assert_eq!(answers.iter().filter(|code| **code == 0).count(), 5, "{answers:?}");
    assert_eq!(answers.iter().filter(|code| **code == 429).count(), 15, "{answers:?}");
}

#[tokio::test]
async fn what_sns_did_not_take_does_not_count() {
    let test = Test::with(&[("SMS_PER_DAY", "2"), ("SMS_PER_SOURCE_HOUR", "1")]).await;
    for _ in 0..12 {
        test.line.spoil("POST", [Fault::Throttle; 3]);
        send(&test, json!({"phone": PHONE})).await.0.refused(503, 503);
    }
    send(&test, json!({"country": "852", "phone": "123456789012345"})).await.0.refused(200, 3201);
    test.code(PHONE).await;
    send(&test, json!({"phone": OTHER})).await.0.refused(429, 429);
}

#[tokio::test]
async fn nor_does_what_no_connection_was_made_for() {
    let test = Test::with(&[("AWS_ENDPOINT_URL_SNS", "http://127.0.0.1:1"), ("SMS_PER_SOURCE_HOUR", "1")]).await;
    for _ in 0..3 {
        send(&test, json!({"phone": PHONE})).await.0.refused(503, 503);
    }
}

#[tokio::test]
async fn what_sns_may_have_taken_is_not_sent_twice() {
    let test = Test::start().await;
    test.line.spoil("POST", [Fault::AnswerLost]);
    let (answer, sent) = send(&test, json!({"phone": PHONE})).await;
    answer.refused(503, 503);
    assert_eq!(sent, 1);
    let code = test.last_code(PHONE);
    let (again, sent) = send(&test, json!({"phone": PHONE})).await;
    again.refused(429, 429);
    assert_eq!((sent, test.last_code(PHONE)), (0, code.clone()));
    // It arrived, and is as good as any other.
    test.plaza.app.store.prove_code(Phone::parse(PHONE).unwrap(), &code).await.unwrap();
}

/// An attacker without the phone has its codes killed and its password locked.
#[tokio::test]
async fn whoever_holds_the_phone_is_in_again_within_a_minute() {
    let test = Test::start().await;
    test.person(PHONE).await;
    test.wait(MINUTE);
    let code = test.code(PHONE).await;
    let wrong = if code == "000000" { "111111" } else { "000000" };
    for _ in 0..5 {
        test.json("/user_login", json!({"phone": PHONE, "code": wrong})).await.refused(200, 3200);
        test.log_in(PHONE, "wrong-1").await.refused(200, 3100);
    }
    test.json("/user_login", json!({"phone": PHONE, "code": code})).await.refused(200, 3200);
    test.log_in(PHONE, "abcd1234").await.refused(200, 3101);
    test.wait(MINUTE);
    let code = test.code(PHONE).await;
    assert_eq!(test.json("/user_login", json!({"phone": PHONE, "code": code})).await.code(), "0");
}

#[tokio::test]
async fn parallel_phones_do_not_exceed_a_days_limit() {
    let test = Arc::new(Test::with(&[("SMS_PER_DAY", "5")]).await);
    let requests = (0..20).map(|number| {
        let test = test.clone();
        async move { test.json(SEND, json!({"phone": format!("138001380{number:02}")})).await.code() }
    });
    let answers = together(requests).await;
    assert_eq!(answers.iter().filter(|code| *code == "0").count(), 3, "{answers:?}");
    assert!(answers.iter().all(|code| ["0", "429"].contains(&code.as_str())), "{answers:?}");
}

#[tokio::test]
async fn no_code_at_all_where_the_limit_is_none() {
    let test = Test::with(&[("SMS_PER_DAY", "0")]).await;
    let (answer, sent) = send(&test, json!({"phone": PHONE})).await;
    answer.refused(429, 429);
    assert_eq!(sent, 0);
}

#[tokio::test]
async fn codes_go_to_the_listed_countries_only() {
    let test = Test::with(&[("SMS_COUNTRIES", "86, 852")]).await;
    for request in [json!({"phone": PHONE}), json!({"country": "852", "phone": "12345678"})] {
        assert_eq!(send(&test, request).await.1, 1);
    }
    let (answer, sent) = send(&test, json!({"country": "44", "phone": "20794609"})).await;
    answer.refused(400, 400);
    assert!(answer.message().starts_with("country: "), "{answer:?}");
    assert_eq!(sent, 0);
}

#[tokio::test]
async fn phones_that_are_none_are_3201() {
    let test = Test::start().await;
    for request in [
        json!({"phone": "12800138001"}),
        json!({"phone": "1380013800"}),
        json!({"phone": "138001380011"}),
        json!({"phone": "1380013800a"}),
        json!({"phone": "8613800138001"}),
        json!({"country": "852", "phone": "+8613800138001"}),
        json!({"phone": ""}),
        json!({"phone": 1}),
        json!({"country": "0", "phone": PHONE}),
        json!({"country": "", "phone": PHONE}),
        json!({"country": "8a", "phone": PHONE}),
        json!({"country": "86852", "phone": PHONE}),
        json!({"country": "44", "phone": "1234"}),
        json!({"country": "44", "phone": "1234567890123456"}),
        json!({"country": "44", "phone": "1234/5678"}),
        // Of 5 to 15 digits, but with its country code more than any network dials.
        json!({"country": "852", "phone": "123456789012345"}),
    ] {
        let (answer, _) = send(&test, request).await;
        answer.refused(200, 3201);
        assert_eq!(answer.body.as_object().unwrap().keys().collect::<Vec<_>>(), ["code", "msg"]);
        assert_eq!(answer.body["code"], 3201);
    }
    let answer = test.json(SEND, json!({"country": "86"})).await;
    assert_eq!(
        (answer.status, answer.body),
        (StatusCode::BAD_REQUEST, json!({"code": 400, "msg": "phone: is missing"}))
    );
}

#[tokio::test]
async fn parallel_requests_send_one_code() {
    let test = Arc::new(Test::start().await);
    let requests = (0..20).map(|_| {
        let test = test.clone();
        async move { test.json(SEND, json!({"phone": PHONE})).await.code() }
    });
    let (answers, cost) = test.line.meter(together(requests)).await;
    assert_eq!(answers.iter().filter(|code| *code == "0").count(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|code| *code == "429").count(), 19, "{answers:?}");
    assert_eq!(cost.0.iter().filter(|call| call.operation == "POST").count(), 1);
}

#[tokio::test]
async fn a_message_that_cannot_be_sent_is_503() {
    let test = Test::start().await;
    test.line.spoil("POST", [Fault::Broken; 3]);
    let (answer, _) = send(&test, json!({"phone": PHONE})).await;
    answer.refused(503, 503);
    assert_eq!(test.plaza.engines.sms.last_code(&format!("+86{PHONE}")), None);
    test.wait(PAUSE);
    test.code(PHONE).await;
}

#[tokio::test]
async fn the_body_is_json_whatever_the_content_type_says() {
    let test = Test::start().await;
    for (number, content_type) in
        ["", "text/plain", "application/x-www-form-urlencoded", "application/json"].iter().enumerate()
    {
        let body = json!({"phone": format!("1380013800{number}")}).to_string();
        assert_eq!(test.post(SEND, content_type, body).await.body, json!({"code": 0}), "{content_type}");
    }
}
