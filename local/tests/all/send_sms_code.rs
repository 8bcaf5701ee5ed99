//! Document D's `send_sms_code`, over HTTP against the engines.
use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};
use shared::domain::{DAY, MINUTE};

use crate::support::{Answer, Fault, PAUSE, Test, together};

const SEND: &str = "/send_sms_code";
const PHONE: &str = "13800138001";
const OTHER: &str = "13800138002";

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
    let test = Test::with(&[("SMS_PER_DAY", "2")]).await;
    test.code(PHONE).await;
    test.code(OTHER).await;
    let before = test.items().await;
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
async fn parallel_phones_do_not_exceed_a_days_limit() {
    let test = Arc::new(Test::with(&[("SMS_PER_DAY", "5")]).await);
    let requests = (0..20).map(|number| {
        let test = test.clone();
        async move { test.json(SEND, json!({"phone": format!("138001380{number:02}")})).await.code() }
    });
    let answers = together(requests).await;
    assert_eq!(answers.iter().filter(|code| *code == "0").count(), 5, "{answers:?}");
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
