//! A refusal speaks the caller's language, in every document; everything else of it, and every success, is the same for
//! all. That each message holds letters of its language alone, `Test::call` sees at every answer of every test.
use http::{Method, Request, header};
use serde_json::{Value, json};

use crate::support::{Answer, Test, multipart, picture};

const PHONE: &str = "13800138001";
const CHINESE: &str = "zh-CN,zh;q=0.9,en;q=0.8";

async fn ask(test: &Test, language: &str, request: http::request::Builder, path: &str, body: &Value) -> Answer {
    let request = request.header(header::ACCEPT_LANGUAGE, language).header(header::CONTENT_TYPE, "application/json");
    let body = if body.is_null() { String::new() } else { body.to_string() };
    test.send(request, path, body).await
}

/// The answer without its words, which must be what is expected.
#[track_caller]
fn says(mut answer: Answer, tag: &str, words: &str) -> (u16, Value) {
    assert_eq!(answer.headers["content-language"], tag, "{answer:?}");
    assert_eq!(answer.message(), words, "{answer:?}");
    let body = answer.body.as_object_mut().unwrap();
    body.remove("msg");
    if let Some(shown) = body.remove("format_msg") {
        assert_eq!(shown, words);
    }
    (answer.status.as_u16(), answer.body)
}

#[tokio::test]
async fn every_document_refuses_in_two_languages() {
    let test = Test::start().await;
    let (_, token) = test.person(PHONE).await;
    let nobody: &[(&str, &str)] = &[];
    let device: &[_] = &[("x-device-id", "a-device-of-nobody-1")];
    let hers: &[_] = &[("authorization", token.as_str())];
    let zipped: &[_] = &[("authorization", token.as_str()), ("content-encoding", "gzip")];
    let login = json!({"user_type": 1, "account": PHONE, "password": "wrong123"});
    let register =
        |password: &str, code: &str| json!({"phone": "13800138002", "password": password, "verifycode": code});
    let taken = json!({"phone": "1380013800", "password": "abcd1234", "verifycode": "123456"});
    let asked = [
        // A
        (Method::GET, nobody, "/user/pic/detail?pic_id=1", Value::Null, "no such picture", "该图片不存在"),
        (
            Method::GET,
            nobody,
            "/user/pic_dir/list?user_id=felix",
            Value::Null,
            "user_id: must be a user's id: a whole number from 0 to 9007199254740991, or 32 hexadecimal digits",
            "user_id: 应为：用户 id，即从 0 到 9007199254740991 的整数，或 32 位十六进制数字",
        ),
        (
            Method::POST,
            nobody,
            "/user/pic_dir/create",
            json!({"name": "Sea"}),
            "sign in first: the token is missing, wrong or ended",
            "请先登录：token 缺失、错误或已失效",
        ),
        // B
        (Method::POST, device, "/m_user/login", Value::Null, "no such registered user", "该用户尚未注册"),
        (Method::POST, nobody, "/m_user/login", Value::Null, "X-Device-Id: is missing", "X-Device-Id: 必填"),
        (Method::GET, hers, "/m_user/users/1", Value::Null, "no such user", "该用户不存在"),
        (
            Method::POST,
            hers,
            "/m_user/user_tracks",
            json!({"lat": 91}),
            "lat: must be a number from -90 to 90, or empty",
            "lat: 应为：从 -90 到 90 的数字，或为空",
        ),
        // C
        (Method::POST, nobody, "/user/login", login, "wrong account or password", "账号或密码错误"),
        (
            Method::POST,
            nobody,
            "/user/register",
            register("abcd1234", "123456"),
            "verifycode: wrong, expired or used up: ask for a new code",
            "verifycode: 验证码错误、过期或已失效，请重新获取",
        ),
        (
            Method::POST,
            nobody,
            "/user/register",
            register("abcdefgh", "123456"),
            "password: 8 to 16 letters and digits, at least one of each",
            "password: 应为 8 至 16 位字母和数字，两者都要有",
        ),
        (
            Method::POST,
            nobody,
            "/user/register",
            taken,
            "phone: 11 digits that begin with 13 to 19; a number of another country needs its code: in country, or as + \
                before it",
            "phone: 应为 13 至 19 开头的 11 位数字；其他国家或地区的号码须带区号：写在 country 里，或在号码前加 + 和区号",
        ),
        // D
        (Method::POST, hers, "/article_detail", json!({"article_id": 1}), "no such article", "该文章不存在"),
        (
            Method::POST,
            hers,
            "/article_publish",
            json!({}),
            "content: write something, or send images",
            "content: 请写点内容，或发送图片",
        ),
        (
            Method::POST,
            hers,
            "/article_list",
            json!({"limit": 0}),
            "limit: must be a whole number from 1 to 100",
            "limit: 应为：从 1 到 100 的整数",
        ),
        (Method::POST, hers, "/article_del", json!({}), "article_id_list: is missing", "article_id_list: 必填"),
        (Method::POST, hers, "/order_detail", json!({"order_id": 1}), "no such order", "该订单不存在"),
        (
            Method::POST,
            hers,
            "/order_create_by_shopping_cart",
            json!({"ticket_id_list": [7]}),
            "ticket_id_list: ticket 7 is not in the shopping cart",
            "ticket_id_list: 票 7 不在购物车里",
        ),
        (
            Method::POST,
            zipped,
            "/article_list",
            json!({}),
            "send the body as it is, without a Content-Encoding",
            "请原样发送请求体，不要使用 Content-Encoding",
        ),
        // E
        (
            Method::POST,
            nobody,
            "/login",
            json!({"username": PHONE, "password": "wrong"}),
            "password: send its MD5 as 32 hexadecimal digits",
            "password: 请发送密码的 MD5：32 位十六进制数字",
        ),
        (
            Method::PUT,
            hers,
            "/user/update_user_info",
            json!({"nickname": " "}),
            "nickname: must not be blank",
            "nickname: 不能是空白",
        ),
        // None of them
        (Method::GET, nobody, "/nowhere", Value::Null, "no such path or method", "没有这个路径或方法"),
    ];
    for (method, headers, path, body, english, chinese) in asked {
        let request = || {
            let request = Request::builder().method(method.clone());
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
        };
        let in_chinese = says(ask(&test, CHINESE, request(), path, &body).await, "zh", chinese);
        for language in ["en", "fr, *;q=0.5", "zh;q=0"] {
            let in_english = says(ask(&test, language, request(), path, &body).await, "en", english);
            assert_eq!(in_english, in_chinese, "{path}");
        }
    }
}

#[tokio::test]
async fn pictures_are_refused_in_two_languages() {
    let test = Test::start().await;
    let (_, token) = test.person(PHONE).await;
    let small = picture(63, 64);
    for (bytes, language, words) in [
        (&b"no picture"[..], "en", "image: send a JPEG, PNG, WebP or GIF picture that browsers show"),
        (b"no picture", "zh", "image: 请发送浏览器能显示的 JPEG、PNG、WebP 或 GIF 图片"),
        (&small, "en", "image: each side needs at least 64 pixels"),
        (&small, "zh", "image: 图片的宽和高都至少要 64 像素"),
    ] {
        let (content_type, body) = multipart(&[], Some(("image", bytes)));
        let request = Request::builder().method(Method::POST).header("authorization", &token);
        let request = request.header("content-type", content_type).header("accept-language", language);
        says(test.send(request, "/user/update_avator", body).await, language, words);
    }
}

/// What the documents show of a success is no sentence, and stays.
#[tokio::test]
async fn a_success_is_the_same_for_all() {
    let test = Test::start().await;
    let (_, token) = test.person(PHONE).await;
    for (method, path, body) in [
        (Method::POST, "/user/update_info", json!({})),
        (Method::POST, "/article_list", json!({})),
        (Method::GET, "/user/get_user_info", Value::Null),
        (Method::GET, "/m_user/im_token", Value::Null),
        (Method::POST, "/user/pic_dir/heartbeat/remove", json!({"pic_dir_id": 1})),
    ] {
        let request = || Request::builder().method(method.clone()).header("authorization", &token);
        let english = ask(&test, "en", request(), path, &body).await;
        let chinese = ask(&test, CHINESE, request(), path, &body).await;
        assert_eq!(english.status, 200, "{english:?}");
        assert_eq!((&english.body, english.headers.len()), (&chinese.body, chinese.headers.len()), "{path}");
        assert!(!chinese.headers.contains_key("content-language"), "{path}");
    }
    let login = json!({"user_type": 1, "account": PHONE, "password": "abcd1234"});
    let login = ask(&test, CHINESE, Request::builder().method(Method::POST), "/user/login", &login).await;
    assert_eq!((login.code().as_str(), login.message()), ("1000", "succ"));
}
