//! What one user may do only so often.
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use http::{Method, Request};
use local::{events, sample};
use serde_json::json;
use shared::{
    domain::{DAY, HOUR, Limit, MINUTE, UserId},
    outside::aws,
    store::keys,
};

use crate::support::{START, Test, invoke, operations, together};

const PHONE: &str = "13800138001";

/// So many were done in the hour or the day of now.
async fn done(test: &Test, user: u64, limit: Limit, times: u64) {
    let (what, _, span) = limit.of();
    let key = keys::done(UserId(user), test.plaza.app.system.now(), span);
    let update = test.table().update_item().table_name(&test.plaza.app.config.table).set_key(Some(key.into()));
    let update =
        update.update_expression("SET #count = :times").expression_attribute_names("#count", format!("{what}_done"));
    let times = AttributeValue::N(times.to_string());
    update.expression_attribute_values(":times", times).send().await.unwrap();
}

async fn feedback(test: &Test, token: &str) -> String {
    let answer = test.json_as(token, "/m_user/feedbacks", json!({"content": "More tea."})).await;
    if answer.status == 200 { "done".into() } else { answer.code() }
}

/// By their sample events: at its limit each is refused and nothing happens, and the reference tells of it.
#[tokio::test(flavor = "multi_thread")]
async fn every_operation_with_a_limit_keeps_to_it() {
    let test = Test::start().await;
    sample::load(&test.plaza, aws::http_client()).await.unwrap();
    let felix = 129_171_460_096_000;
    for limit in Limit::ALL {
        done(&test, felix, limit, limit.of().1).await;
    }
    let (before, reference) = (test.items().await, local::openapi());
    let mut seen = vec![];
    for (function, listed) in operations() {
        let Some(limit) = listed.limit else { continue };
        seen.push(limit);
        let event = events::load(&events::path(function, &listed.name)).unwrap();
        let answer = invoke(&test.plaza, &event).await;
        // Document C has codes in words.
        let code = answer["body"]["code"].to_string();
        assert_eq!((&answer["statusCode"], code.trim_matches('"')), (&json!(429), "429"), "{}: {answer}", listed.name);
        let message = answer["body"]["msg"].as_str().unwrap();
        assert!(message.contains(&limit.words().to_string()) && message.ends_with(" min"), "{message}");
        let described = &reference["paths"][listed.path][listed.method.as_str().to_lowercase()]["responses"]["429"];
        assert!(
            described["description"].as_str().unwrap().contains(&limit.words().to_string()),
            "{}: {described}",
            listed.name
        );
    }
    assert_eq!(test.items().await, before, "what was refused was done");
    // A device is tied in passing, whatever is asked for.
    let unseen: Vec<_> = Limit::ALL.into_iter().filter(|limit| !seen.contains(limit)).collect();
    assert_eq!(unseen, [Limit::Devices]);
}

#[tokio::test]
async fn a_limit_is_for_its_hour_or_day_and_for_one_user() {
    let test = Test::start().await;
    let ((anna, hers), (_, his)) = (test.person(PHONE).await, test.person("13800138002").await);
    let (_, most, span) = Limit::Feedback.of();
    assert_eq!(span, DAY);
    done(&test, anna, Limit::Feedback, most - 1).await;
    assert_eq!(feedback(&test, &hers).await, "done");
    assert_eq!(feedback(&test, &hers).await, "429");
    assert_eq!(feedback(&test, &his).await, "done");
    // The day is UTC's.
    test.set_clock(START - START % DAY + DAY - 1);
    assert_eq!(feedback(&test, &hers).await, "429");
    test.wait(1);
    assert_eq!(feedback(&test, &hers).await, "done");
    let key = keys::done(UserId(anna), START, DAY);
    let item = test.table().get_item().table_name(&test.plaza.app.config.table).set_key(Some(key.into()));
    let ends = item.send().await.unwrap().item.unwrap()["expires_at"].as_n().unwrap().parse::<u64>().unwrap() * 1000;
    assert!((START + HOUR..=START + 3 * DAY).contains(&ends), "{ends}");
}

#[tokio::test]
async fn what_is_done_in_parallel_gains_no_more() {
    let test = Arc::new(Test::start().await);
    let (anna, token) = test.person(PHONE).await;
    done(&test, anna, Limit::Feedback, Limit::Feedback.of().1 - 5).await;
    let all = (0..20).map(|_| {
        let (test, token) = (test.clone(), token.clone());
        async move { feedback(&test, &token).await }
    });
    let answers = together(all).await;
    let count = |code: &str| answers.iter().filter(|answer| *answer == code).count();
    assert_eq!((count("done"), count("429")), (5, 15), "{answers:?}");
}

/// Who was logged out cannot use up what their user may do; nor do complaints about a request count.
#[tokio::test]
async fn only_what_the_user_sends_counts() {
    let test = Test::start().await;
    let (anna, ended) = test.person(PHONE).await;
    let token = test.token(PHONE).await;
    test.json("/user_logout", json!({"token": ended})).await;
    done(&test, anna, Limit::Feedback, Limit::Feedback.of().1 - 1).await;
    for _ in 0..3 {
        assert_eq!(feedback(&test, &ended).await, "401");
        test.json_as(&token, "/m_user/feedbacks", json!({"content": ""})).await.refused(400, 400);
    }
    assert_eq!(feedback(&test, &token).await, "done");
    assert_eq!(feedback(&test, &token).await, "429");
    assert_eq!(feedback(&test, &ended).await, "401");
}

#[tokio::test]
async fn a_user_ties_so_many_devices_a_day() {
    let test = Test::start().await;
    let (anna, token) = test.person(PHONE).await;
    let login = async |device: &str| {
        let request = Request::builder().method(Method::POST).header("authorization", &token);
        let answer = test.send(request.header("x-device-id", device), "/m_user/login", "").await;
        (answer.status.as_u16(), answer.message().to_owned())
    };
    done(&test, anna, Limit::Devices, Limit::Devices.of().1 - 1).await;
    assert_eq!(login("a-device-of-anna-1").await.0, 200);
    let (status, message) = login("a-device-of-anna-2").await;
    assert_eq!(status, 429);
    assert!(message.starts_with("X-Device-Id: at most "), "{message}");
    // One that is tied is not tied again.
    assert_eq!(login("a-device-of-anna-1").await.0, 200);
    test.wait(DAY);
    assert_eq!(login("a-device-of-anna-2").await.0, 200);
}

/// Guesses at what is nobody's account are forgotten by the table itself.
#[tokio::test]
async fn guesses_at_nobodys_account_end() {
    let test = Test::start().await;
    test.log_in("13800138009", "wrong1").await.refused(200, 3100);
    let items = test.items().await;
    let guesses: Vec<_> = items.iter().filter(|(key, _)| key.starts_with("GUESS#")).collect();
    let [(_, guess)] = guesses[..] else { panic!("{guesses:?}") };
    assert_eq!(guess["expires_at"].as_n().unwrap(), &((test.now() + 30 * MINUTE) / 1000).to_string());
}
