//! The desk tells what was done and what it cost, as the engines have it.
use http::{Request, StatusCode};
use serde_json::{Value, json};
use shared::store::keys::NOUNS;

use crate::{
    orders::stock,
    support::{Test, User, multipart, picture},
};

const PHONE: &str = "13800138001";

/// The newest entry of the desk.
async fn newest(test: &Test) -> Value {
    let entries = test.get("/_local/desk/requests").await.body;
    entries.as_array().unwrap().last().unwrap().clone()
}

#[tokio::test]
async fn a_request_is_noted_with_what_it_cost() {
    let test = Test::start().await;
    let (_, token) = test.user(PHONE).await;
    let publish = json!({"token": token, "content": "Snow."});
    for (path, body) in [
        ("/article_publish", publish),
        ("/article_list", json!({"token": token})),
        ("/my_user_info_update", json!({"token": token, "nickname": "Mia"})),
        ("/current_time", json!({})),
    ] {
        let (answer, cost) = test.line.meter(test.json(path, body)).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let entry = newest(&test).await;
        assert_eq!([&entry["operation"], &entry["what"]], [&json!(path[1..]), &json!(format!("POST {path}"))]);
        assert_eq!((&entry["status"], &entry["code"]), (&json!(200), &Value::Null));
        assert_eq!(entry["rounds"], cost.rounds(), "{entry}");
        assert_eq!(entry["calls"].as_array().unwrap().len(), cost.0.len(), "{entry}");
        assert_eq!(entry["read_units"], json!(cost.read_units() + 0.0), "{path}");
        assert_eq!(entry["write_units"], json!(cost.write_units() + 0.0), "{path}");
        let million = 1.2 + cost.read_units() * 0.125 + cost.write_units() * 0.625;
        assert!((entry["million"].as_f64().unwrap() - million).abs() < 1e-9, "{entry}");
    }
}

#[tokio::test]
async fn refusals_show_their_code_and_nothing_that_was_sent() {
    let test = Test::start().await;
    let secret = "a-secret-2026";
    test.json("/user_login", json!({"country": "86", "phone": PHONE, "password": secret})).await.refused(200, 3100);
    let entry = newest(&test).await;
    assert_eq!([&entry["status"], &entry["code"]], [&json!(200), &json!(3100)]);
    test.get(&format!("/nowhere?token={secret}")).await;
    let entry = newest(&test).await;
    assert_eq!(
        [&entry["status"], &entry["operation"], &entry["what"]],
        [&json!(404), &json!(""), &json!("GET /nowhere")]
    );
    let all = test.get("/_local/desk/requests").await.body.to_string();
    assert!(!all.contains(secret) && !all.contains(PHONE), "{all}");
}

#[tokio::test]
async fn what_runs_behind_the_api_is_noted_too() {
    let test = Test::start().await;
    let (_, token) = test.user(PHONE).await;
    let named = test.json("/get_media_id", json!({"token": token})).await.body;
    let put = Request::builder().method("PUT").header("content-type", "image/jpeg");
    test.call(put, named["upload_url"].as_str().unwrap(), picture(80, 80)).await;
    let told = newest(&test).await;
    assert_eq!([&told["operation"], &told["status"]], [&json!("media"), &Value::Null]);
    assert!(told["write_units"].as_f64().unwrap() > 0.0, "{told}");
    test.json("/article_publish", json!({"token": token, "content": "Snow."})).await;
    test.plaza.deliver().await.unwrap();
    assert_eq!(newest(&test).await["operation"], "fanout");
    test.json("/_local/catalog", json!({"records": []})).await;
    assert_eq!(newest(&test).await["operation"], "catalogue");
}

#[tokio::test]
async fn messages_come_as_they_were_sent() {
    let test = Test::start().await;
    let code = test.code(PHONE).await;
    let messages = test.get("/_local/desk/messages").await.body;
    assert_eq!(messages[0]["phone"], format!("+86{PHONE}"));
    assert!(messages[0]["text"].as_str().unwrap().contains(&code));
    assert_eq!(test.get("/_local/desk/messages?after=1").await.body, json!([]));
}

#[tokio::test]
async fn things_are_listed_by_noun_with_all_that_lies_with_them() {
    let test = Test::start().await;
    let (user, token) = test.user(PHONE).await;
    let first =
        test.json("/article_publish", json!({"token": token, "content": "Snow."})).await.body["article_id"].clone();
    test.wait(1);
    let second =
        test.json("/article_publish", json!({"token": token, "content": "Rain."})).await.body["article_id"].clone();
    let (kind, body) = multipart(&[], Some(("image", &picture(80, 80))));
    let avatar = Request::builder().method("POST").header("content-type", kind).header("authorization", &token);
    assert_eq!(test.send(avatar, "/user/update_avator", body).await.code(), "000000");
    let articles = test.get("/_local/desk/items?noun=articles").await.body;
    let ids: Vec<_> = articles["items"].as_array().unwrap().iter().map(|item| &item["id"]).collect();
    assert_eq!((ids, &articles["more"]), (vec![&second, &first], &json!(false)));
    let users = test.get("/_local/desk/items?noun=users").await.body;
    assert_eq!(users["items"][0]["id"], json!(user));
    assert!(users["items"][0]["avatar"].as_str().unwrap().ends_with(".jpeg"));
    let pk = users["items"][0]["pk"].as_str().unwrap().replace('#', "%23");
    let with_them = test.get(&format!("/_local/desk/items?pk={pk}")).await.body["items"].to_string();
    assert!(with_them.contains("PROFILE") && with_them.contains("ARTICLE#"), "{with_them}");
    for wrong in ["", "?noun=nothing", "?noun=users&pk=U"] {
        test.get(&format!("/_local/desk/items{wrong}")).await.refused(400, 400);
    }
    for noun in NOUNS {
        assert_eq!(test.get(&format!("/_local/desk/items?noun={}", noun.name)).await.status, StatusCode::OK);
    }
}

/// They have no partition of their own, but lie with whoever ordered.
#[tokio::test]
async fn orders_are_listed_whosever_they_are() {
    let test = Test::start().await;
    stock(&test, 3).await;
    let mut placed = vec![];
    for (phone, ticket) in [(PHONE, 1_000), ("13800138002", 1_001)] {
        let user = User::new(&test, phone).await;
        placed.push(json!([user.order(&test, &[ticket]).await, user.id]));
    }
    // A third one, of whoever has the smallest id.
    let token = test.token(PHONE).await;
    let third = test.json("/order_create", json!({"token": token, "ticket_id_list": [1_002]})).await.body;
    placed.push(json!([third["order_id"], placed[0][1]]));
    placed.reverse();
    let orders = test.get("/_local/desk/items?noun=orders").await.body;
    let shown: Vec<_> =
        orders["items"].as_array().unwrap().iter().map(|order| json!([order["id"], order["user"]])).collect();
    assert_eq!(shown, placed, "the newest first");
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere() {
    let test = Test::start().await;
    assert_eq!(test.get("/").await.headers["location"], "/desk");
    let page = test.get("/desk").await;
    let policy = page.headers["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"), "{policy}");
    for file in ["/desk/desk.css", "/desk/desk.js", "/docs/people.js", "/docs/reference.js", "/docs/reference.css"] {
        let text = test.get(file).await;
        assert_eq!(text.status, StatusCode::OK, "{file}");
        let text = text.body.as_str().unwrap();
        assert!(!text.contains("://") && !text.contains("innerHTML"), "{file}");
    }
}
