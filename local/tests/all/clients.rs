//! What honest clients send that no document foresaw: every spelling of one value is that value, in every document.
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, Test, picture};

const PHONE: &str = "13800138001";
const PASSWORD: &str = "abcd1234";

/// One Chinese mobile as keyboards, messengers and address books have it.
const PHONES: [&str; 16] = [
    " 13800138001",
    "13800138001\n",
    "\u{feff}13800138001",
    "\u{200b}13800138001\u{a0}",
    "138 0013 8001",
    "138-0013-8001",
    "138\u{2011}0013\u{2011}8001",
    "138.0013.8001",
    "+8613800138001",
    "+86 13800138001",
    "+86 138 0013 8001",
    "+86\u{a0}(138)\u{a0}0013-8001",
    "\u{202d}+86 138 0013 8001\u{202c}",
    "008613800138001",
    "１３８００１３８００１",
    "＋８６ １３８００１３８００１",
];

async fn send(test: &Test, method: Method, token: &str, path: &str, body: impl ToString) -> Answer {
    let request = Request::builder().method(method).header("content-type", "application/json");
    let request = match token {
        "" => request,
        token => request.header("authorization", token),
    };
    test.send(request, path, body.to_string()).await
}

/// A multipart body of one part with these headers after its name.
async fn send_part(
    test: &Test,
    method: Method,
    token: &str,
    path: &str,
    name: &str,
    headers: &str,
    part: &[u8],
) -> Answer {
    let head = format!("--frontier\r\ncontent-disposition: form-data; name=\"{name}\"{headers}\r\n\r\n");
    let body = [head.as_bytes(), part, b"\r\n--frontier--\r\n"].concat();
    let request = Request::builder().method(method).header("authorization", token);
    test.send(request.header("content-type", "multipart/form-data; boundary=frontier"), path, body).await
}

#[tokio::test]
async fn a_phone_is_one_in_every_document_however_it_is_written() {
    let test = Test::start().await;
    let (id, token) = test.person(PHONE).await;
    let uid = format!("{id:032x}");
    let md5 = "e19d5cd5af0378da05f63f891c7467af";
    for phone in PHONES {
        let c = test.log_in(phone, PASSWORD).await;
        assert_eq!(c.body["data"]["user_info"]["uid"], id, "{phone:?} {c:?}");
        let e = test.json("/login", json!({"username": phone, "password": md5})).await;
        assert_eq!(e.code(), "0", "{phone:?} {e:?}");
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("user_type", "1"), ("account", phone), ("password", PASSWORD)])
            .finish();
        let form = test.post("/user/login", "application/x-www-form-urlencoded", form).await;
        assert_eq!(form.code(), "1000", "{phone:?} {form:?}");
        for country in
            [None, Some(json!("86")), Some(json!("+86")), Some(json!(86)), Some(json!(" 0086 ")), Some(json!("８６"))]
        {
            let mut body = json!({"phone": phone, "token": token});
            if let Some(country) = &country {
                body["country"] = country.clone();
            }
            let d = test.json("/user_info", body).await;
            assert_eq!(d.body["user_info"]["uid"], uid, "{country:?} {phone:?} {d:?}");
        }
    }
    let d = test.json("/user_login", json!({"phone": "+86 138 0013 8001", "password": PASSWORD})).await;
    assert_eq!(d.body["uid"], uid);
    for phone in [json!(13_800_138_001_u64), json!(13_800_138_001.0), json!(1.3800138001e10)] {
        assert_eq!(
            test.json("/user_login", json!({"phone": phone, "password": PASSWORD})).await.body["uid"],
            uid,
            "{phone}"
        );
    }
}

#[tokio::test]
async fn a_country_that_contradicts_the_phone_is_told_of() {
    let test = Test::start().await;
    let (_, token) = test.person("+85212345678").await;
    for body in [
        json!({"phone": "+852 1234 5678"}),
        json!({"country": 852, "phone": "12345678"}),
        json!({"country": "+852", "phone": "+85212345678"}),
    ] {
        let mut body = body;
        body["token"] = token.clone().into();
        assert_eq!(test.json("/user_info", body.clone()).await.code(), "0", "{body}");
    }
    for country in ["86", "+1", "44"] {
        let answer =
            test.json("/user_login", json!({"country": country, "phone": "+85212345678", "password": "x"})).await;
        answer.refused(200, 3201);
        assert!(answer.message().starts_with("phone: begins with another country code"), "{answer:?}");
    }
    for phone in [
        "8613800138001",
        "138/0013/8001",
        "138+00138001",
        "++8613800138001",
        "1380013800",
        "138001380011",
        "١٣٨٠٠١٣٨٠٠١",
        "phone",
        "",
    ] {
        test.json("/send_sms_code", json!({"phone": phone})).await.refused(200, 3201);
    }
}

#[tokio::test]
async fn names_and_addresses_are_taken_without_the_spaces_around_them() {
    let test = Test::start().await;
    let (_, token) = test.person(PHONE).await;
    for (number, email) in
        ["mia@example.com ", " Mia@Example.com", "\u{feff}mia@example.com\r\n", "\u{3000}mia@example.com\u{200b}"]
            .iter()
            .enumerate()
    {
        let changed = match number % 2 {
            0 => test.json_as(&token, "/user/update_info", json!({"email": email})).await,
            _ => test.json("/my_user_info_update", json!({"token": token, "email": email})).await,
        };
        assert_eq!(changed.status, StatusCode::OK, "{email:?} {changed:?}");
        let logged_in = test.log_in(email, PASSWORD).await;
        assert_eq!(logged_in.body["data"]["user_info"]["email"], "mia@example.com", "{email:?} {logged_in:?}");
        assert_eq!(
            logged_in.body["data"]["user_info"]["account"].as_str().map(str::trim),
            logged_in.body["data"]["user_info"]["account"].as_str()
        );
    }
    for email in ["mia @example.com", "mia@exa mple.com", " ", "@"] {
        test.json_as(&token, "/user/update_info", json!({"email": email})).await.refused(400, 400);
    }
}

#[tokio::test]
async fn a_code_is_one_however_it_is_written() {
    let test = Test::start().await;
    let spelt: [fn(&str) -> Value; 9] = [
        |code| format!(" {code} ").into(),
        |code| format!("{code}\n").into(),
        |code| format!("\u{feff}{code}\u{200b}").into(),
        |code| format!("{} {}", &code[..3], &code[3..]).into(),
        |code| format!("{}-{}", &code[..3], &code[3..]).into(),
        |code| {
            code.chars().map(|digit| char::from_u32(digit as u32 - 0x30 + 0xff10).unwrap()).collect::<String>().into()
        },
        |code| code.parse::<u64>().unwrap().into(),
        |code| code.parse::<f64>().unwrap().into(),
        |code| code.trim_start_matches('0').into(),
    ];
    for (number, spelt) in spelt.into_iter().enumerate() {
        // One that begins with a zero, which a number has lost.
        let (phone, code) = 'found: {
            for suffix in 0..1000 {
                let phone = format!("139{number:02}{suffix:06}");
                let code = test.new_code(&phone).await.unwrap();
                if code.starts_with('0') && code != "000000" {
                    break 'found (phone, code);
                }
            }
            panic!("no code begins with a zero");
        };
        let sent = spelt(&code);
        let answer = match number % 2 {
            0 => test.json("/user/register", json!({"phone": phone, "password": PASSWORD, "verifycode": sent})).await,
            _ => test.json("/user_signup", json!({"phone": phone, "password": PASSWORD, "code": sent})).await,
        };
        assert!(["000000", "0"].contains(&answer.code().as_str()), "{sent} {answer:?}");
    }
    let code = test.code(PHONE).await;
    for wrong in [json!("abcdef"), json!(""), json!(format!("{code}0")), json!(format!("a{code}"))] {
        let answer =
            test.json("/user/register", json!({"phone": PHONE, "password": PASSWORD, "verifycode": wrong})).await;
        answer.refused(200, 3200);
    }
}

#[tokio::test]
async fn whole_numbers_are_taken_as_clients_write_them() {
    let test = Test::start().await;
    let (id, token) = test.person(PHONE).await;
    let article = test.json("/article_publish", json!({"token": token, "content": "hi"})).await.body["article_id"]
        .as_u64()
        .unwrap();
    for one in ["1", "1.0", "1e0", "10e-1", "\"1\"", "\" 1 \"", "\"1.0\"", "\"1e0\"", "\"\\u00a01\\ufeff\""] {
        let body = format!(r#"{{"token": "{token}", "limit": {one}, "offset": 0.0}}"#);
        let answer = test.post("/article_list", "application/json", body).await;
        assert_eq!(answer.body["article_list"].as_array().map(Vec::len), Some(1), "{one} {answer:?}");
        let gender = test
            .post("/my_user_info_update", "application/json", format!(r#"{{"token": "{token}", "gender": {one}}}"#))
            .await;
        assert_eq!(gender.code(), "0", "{one} {gender:?}");
        let body = format!(r#"{{"user_type": {one}, "account": "{PHONE}", "password": "{PASSWORD}"}}"#);
        assert_eq!(test.post("/user/login", "application/json", body).await.code(), "1000", "{one}");
        let status = send(
            &test,
            Method::POST,
            &token,
            "/user/update_info",
            format!(r#"{{"job_status": {one}, "gender": {one}}}"#),
        )
        .await;
        assert_eq!(status.code(), "000000", "{one} {status:?}");
    }
    for number in [
        format!("{article}.0"),
        format!("\"{article}\""),
        format!("\" {article} \""),
        format!("\"{article}.0\""),
        format!("{:e}", article as f64),
        format!("\"{:E}\"", article as f64),
    ] {
        let answer = test
            .post("/article_detail", "application/json", format!(r#"{{"token": "{token}", "article_id": {number}}}"#))
            .await;
        assert_eq!(answer.body["article_detail"]["article_id"], article, "{number} {answer:?}");
    }
    for user in [
        id.to_string(),
        format!("{id}.0"),
        format!("{id:032x}"),
        format!("{id:032X}"),
        format!("%20{id}%20"),
        format!("{:e}", id as f64),
    ] {
        let answer = test.get(&format!("/user/pic_dir/list?user_id={user}")).await;
        assert_eq!(answer.code(), "0", "{user} {answer:?}");
        let request = Request::builder().header("authorization", &token);
        let answer = test.send(request, &format!("/m_user/users/{user}"), "").await;
        assert_eq!(answer.body["id"], format!("{id:032x}"), "{user} {answer:?}");
        let answer = test.json("/user_info", json!({"token": token, "to_uid": user.replace("%20", " ")})).await;
        assert_eq!(answer.code(), "0", "{user} {answer:?}");
    }
    for limit in ["5", "5.0", "5e0", "%205", "0.5e1", "%EF%BB%BF5"] {
        assert_eq!(test.get(&format!("/user/pic/list?limit={limit}")).await.code(), "0", "{limit}");
    }
    for (field, value) in [("age", "30.0"), ("age", "\" 30 \""), ("video_price", "2.5E2"), ("audio_price", "\"250\"")] {
        let answer =
            send(&test, Method::PATCH, &token, &format!("/m_user/users/{id}"), format!(r#"{{"{field}": {value}}}"#))
                .await;
        assert_eq!(answer.status, StatusCode::OK, "{field} {value} {answer:?}");
    }
    for birthday in ["946684800000", "946684800000.0", "9.466848E11", "\"946684800000\"", "-1.0", "-2208988800000"] {
        let answer = test
            .post(
                "/my_user_info_update",
                "application/json",
                format!(r#"{{"token": "{token}", "birthday": {birthday}}}"#),
            )
            .await;
        assert_eq!(answer.code(), "0", "{birthday} {answer:?}");
    }
}

#[tokio::test]
async fn what_is_no_whole_number_is_refused_with_the_range() {
    let test = Test::start().await;
    let (id, token) = test.person(PHONE).await;
    for value in [
        "0",
        "101",
        "-1",
        "1.5",
        "0.1",
        "1e2.5",
        "1e308",
        "\"\"",
        "\" \"",
        "\"five\"",
        "\"0x10\"",
        "\"NaN\"",
        "\"1,0\"",
        "\"1 0\"",
        "\"1e\"",
        "\"5.\"",
        "\".5\"",
        "\"1e400\"",
        "true",
        "[]",
        "[5]",
        "{}",
        "\"５\"",
        "9007199254740993",
        "18446744073709551616",
    ] {
        let answer = test
            .post("/article_list", "application/json", format!(r#"{{"token": "{token}", "limit": {value}}}"#))
            .await;
        answer.refused(400, 400);
        if value != "1e2.5" {
            assert_eq!(answer.message(), "limit: must be a whole number from 1 to 100", "{value}");
        }
    }
    for value in [
        "9007199254740993",
        "9007199254740993.0",
        "9007199254740992",
        "1e16",
        "-1",
        "1.5",
        "\"9007199254740993\"",
        "\"4503599627370497.5\"",
    ] {
        let answer = test
            .post("/article_detail", "application/json", format!(r#"{{"token": "{token}", "article_id": {value}}}"#))
            .await;
        answer.refused(400, 400);
        assert_eq!(answer.message(), "article_id: must be a whole number from 0 to 9007199254740991", "{value}");
    }
    for (path, field, range) in [
        ("/my_user_info_update", "gender", "0 to 2"),
        ("/my_user_info_update", "birthday", "-2208988800000 to 253402300800000"),
        ("/article_list", "offset", "0 to 1000000000"),
        ("/my_article_list", "offset", "0 to 10000"),
        ("/my_follower", "offset", "0 to 10000"),
        ("/following_article_list", "offset", "0 to 10000"),
    ] {
        for value in [json!(1e17), json!(0.5), json!("x")] {
            let answer = test.json(path, json!({"token": token, field: value})).await;
            answer.refused(400, 400);
            assert_eq!(answer.message(), format!("{field}: must be a whole number from {range}"));
        }
    }
    for (offset, status) in [(10_000, 200), (10_001, 400)] {
        for path in
            ["/my_article_list", "/my_follower", "/my_following_users", "/my_article_collect_list", "/home_banner"]
        {
            assert_eq!(
                test.json(path, json!({"token": token, "offset": offset})).await.status.as_u16(),
                status,
                "{path} {offset}"
            );
        }
    }
    assert_eq!(test.json("/article_list", json!({"token": token, "offset": 10_001})).await.code(), "0");
    for (field, value, range) in [
        ("age", json!(151), "0 to 150"),
        ("video_price", json!(1_000_001), "0 to 1000000"),
        ("age", json!(1.5), "0 to 150"),
    ] {
        let answer = send(&test, Method::PATCH, &token, &format!("/m_user/users/{id}"), json!({field: value})).await;
        answer.refused(400, 400);
        assert_eq!(answer.message(), format!("{field}: must be a whole number from {range}"));
    }
}

/// Nothing of them can be seen.
const UNSEEN: [&str; 22] = [
    " ",
    "\t",
    "\u{a0}",
    "\u{3000}",
    "\u{200b}",
    "\u{200d}",
    "\u{2060}",
    "\u{feff}",
    "\u{ad}",
    "\u{3164}",
    "\u{ffa0}",
    "\u{115f}",
    "\u{1160}",
    "\u{2800}",
    "\u{180e}",
    "\u{34f}",
    "\u{fe0f}",
    "\u{17b4}",
    "\u{17b5}",
    "\u{e0020}\u{e007f}",
    "\u{e0100}",
    "\u{200b} \u{3164}\u{2064}",
];

/// Names and texts of people.
const SEEN: [&str; 12] = [
    "Mia",
    "米娅",
    "미아",
    "محمد",
    "שלום",
    "فارسی\u{200c}زبان",
    "👨\u{200d}👩\u{200d}👧",
    "❤\u{fe0f}",
    "e\u{301}",
    "हिन्दी",
    "🏴\u{e0067}\u{e0062}\u{e007f}",
    " Mia ",
];

/// Every way to set what a user is called.
async fn call_oneself(test: &Test, token: &str, id: u64, name: &str) -> Vec<Answer> {
    vec![
        test.json_as(token, "/user/update_info", json!({"name": name})).await,
        test.json("/my_user_info_update", json!({"token": token, "nickname": name})).await,
        send(test, Method::PUT, token, "/user/update_user_info", json!({"nickname": name})).await,
        send(test, Method::PATCH, token, &format!("/m_user/users/{id}"), json!({"nickname": name})).await,
        send(test, Method::PUT, token, &format!("/m_user/users/{id}"), json!({"nickname": name, "gender": "male"}))
            .await,
    ]
}

#[tokio::test]
async fn a_text_of_which_nothing_can_be_seen_is_blank_everywhere() {
    let test = Test::start().await;
    let (id, token) = test.person(PHONE).await;
    let article =
        test.json("/article_publish", json!({"token": token, "content": "hi"})).await.body["article_id"].clone();
    for text in UNSEEN {
        let mut answers = call_oneself(&test, &token, id, text).await;
        answers.extend([
            test.json("/article_publish", json!({"token": token, "content": text})).await,
            test.json("/article_comment_publish", json!({"token": token, "article_id": article, "content": text}))
                .await,
            test.json_as(
                &token,
                "/m_user/comments",
                json!({"target_id": article, "target_type": "post", "content": text}),
            )
            .await,
            test.json_as(&token, "/m_user/feedbacks", json!({"content": text})).await,
            test.json_as(&token, "/user/pic_dir/create", json!({"name": text})).await,
            test.json_as(&token, "/user/update_info", json!({"desc": text})).await,
            test.json("/my_user_info_update", json!({"token": token, "intro": text})).await,
            test.json("/my_user_info_update", json!({"token": token, "city": text})).await,
            send(&test, Method::PATCH, &token, &format!("/m_user/users/{id}"), json!({"signature": text})).await,
        ]);
        let code = test.new_code("13900000000").await;
        let code = code.unwrap_or_else(|_| "000000".into());
        let signup = json!({"phone": "13900000000", "code": code, "password": PASSWORD, "nickname": text});
        answers.push(test.json("/user_signup", signup).await);
        for answer in answers {
            answer.refused(400, 400);
        }
    }
    for text in SEEN {
        for answer in call_oneself(&test, &token, id, text).await {
            assert_eq!(answer.status, StatusCode::OK, "{text:?} {answer:?}");
        }
        let published = test.json("/article_publish", json!({"token": token, "content": text})).await;
        assert_eq!(published.code(), "0", "{text:?} {published:?}");
    }
    for none in [json!({"desc": ""}), json!({"desc": "I am."})] {
        assert_eq!(test.json_as(&token, "/user/update_info", none).await.code(), "000000");
    }
}

#[tokio::test]
async fn a_nickname_turns_no_direction_of_writing() {
    let test = Test::start().await;
    let (id, token) = test.person(PHONE).await;
    for turn in
        ["\u{202a}", "\u{202b}", "\u{202c}", "\u{202d}", "\u{202e}", "\u{2066}", "\u{2067}", "\u{2068}", "\u{2069}"]
    {
        for name in [format!("Mia{turn}nimda"), format!("{turn}Mia"), format!("Mia{turn}")] {
            for answer in call_oneself(&test, &token, id, &name).await {
                answer.refused(400, 400);
                assert!(answer.message().contains("direction"), "{name:?} {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_part_is_text_or_a_file_as_its_field_asks() {
    let test = Test::start().await;
    let (_, token) = test.person(PHONE).await;
    let created = test.json_as(&token, "/user/pic_dir/create", json!({"name": "a"})).await;
    let gallery = created.body["data"]["pic_dir_id"].to_string();
    for headers in [
        "",
        "\r\nContent-Type: text/plain; charset=UTF-8",
        "\r\nContent-Type: application/json; charset=UTF-8",
        "\r\nContent-Type: application/octet-stream",
        "; filename=\"blob\"\r\nContent-Type: application/octet-stream",
        "; filename*=UTF-8''a.jpg\r\nContent-Type: image/jpeg\r\nContent-Transfer-Encoding: binary",
    ] {
        for name in ["Mia", "123", "米娅"] {
            let answer =
                send_part(&test, Method::POST, &token, "/user/update_info", "name", headers, name.as_bytes()).await;
            assert_eq!(answer.body["data"]["name"], name, "{headers:?} {answer:?}");
            let answer =
                send_part(&test, Method::PUT, &token, "/user/update_user_info", "nickname", headers, name.as_bytes())
                    .await;
            assert_eq!(answer.code(), "0", "{headers:?} {answer:?}");
            let answer =
                send_part(&test, Method::POST, &token, "/m_user/feedbacks", "content", headers, name.as_bytes()).await;
            assert_eq!(answer.status, StatusCode::OK, "{headers:?} {answer:?}");
        }
        let answer = send_part(&test, Method::POST, &token, "/user/update_info", "gender", headers, b"1").await;
        assert_eq!(answer.body["data"]["gender"], "1", "{headers:?} {answer:?}");
        let answer = send_part(
            &test,
            Method::POST,
            &token,
            "/user/pic_dir/heartbeat/add",
            "pic_dir_id",
            headers,
            gallery.as_bytes(),
        )
        .await;
        assert_eq!(answer.code(), "0", "{headers:?} {answer:?}");
        for (method, path, field) in
            [(Method::POST, "/user/update_avator", "image"), (Method::PUT, "/user/update_user_profile_picture", "file")]
        {
            let answer = send_part(&test, method.clone(), &token, path, field, headers, &picture(64, 64)).await;
            assert!(["0", "000000"].contains(&answer.code().as_str()), "{headers:?} {answer:?}");
            send_part(&test, method, &token, path, field, headers, b"no picture").await.refused(200, 3300);
        }
    }
    let json = "\r\nContent-Type: application/json; charset=UTF-8";
    for (sent, name) in
        [("\"Mia\"", "Mia"), ("\"米\\u5a05\"", "米娅"), ("\"a \\\"b\\\"\"", "a \"b\""), ("\"123\"", "123")]
    {
        let answer = send_part(&test, Method::POST, &token, "/user/update_info", "name", json, sent.as_bytes()).await;
        assert_eq!(answer.body["data"]["name"], name, "{sent} {answer:?}");
    }
    for (headers, part) in [
        ("\r\nContent-Transfer-Encoding: base64", b"AAAA".as_slice()),
        ("", b"\xff\xfe"),
        ("; filename=\"a\"", b"a\0b"),
    ] {
        let answer = send_part(&test, Method::POST, &token, "/user/update_info", "name", headers, part).await;
        answer.refused(400, 400);
        assert!(answer.message().starts_with("name: "), "{answer:?}");
    }
    send_part(&test, Method::POST, &token, "/user/update_avator", "image", "; filename=\"a.jpg\"", b"")
        .await
        .refused(200, 3300);
    for headers in ["", "; filename=\"\"\r\nContent-Type: application/octet-stream"] {
        let answer = send_part(&test, Method::POST, &token, "/user/update_avator", "image", headers, b"").await;
        assert_eq!((answer.code().as_str(), answer.message()), ("400", "image: is missing"));
    }
    let answer = test.json_as(&token, "/user/update_avator", json!({"image": "/9j/4AAQSkZJRg=="})).await;
    assert_eq!((answer.code().as_str(), answer.message()), ("400", "image: must be a file in a multipart body"));
}

#[tokio::test]
async fn a_switch_and_a_place_are_taken_as_form_libraries_write_them() {
    let test = Test::start().await;
    let (_, token) = test.person(PHONE).await;
    for push in [
        "true",
        "\"true\"",
        "\"True\"",
        "\"TRUE\"",
        "\" true \"",
        "1",
        "1.0",
        "\"1\"",
        "false",
        "0",
        "\"0\"",
        "\"\"",
        "null",
    ] {
        let answer = send(
            &test,
            Method::POST,
            &token,
            "/m_user/user_tracks",
            format!(r#"{{"push_status": {push}, "lng": 1, "lat": "2"}}"#),
        )
        .await;
        assert_eq!(answer.body, json!({}), "{push}");
    }
    for push in ["2", "\"maybe\"", "[]", "1.5"] {
        send(&test, Method::POST, &token, "/m_user/user_tracks", format!(r#"{{"push_status": {push}}}"#))
            .await
            .refused(400, 400);
    }
    for place in [
        json!(121.4737),
        json!("121.4737"),
        json!(" 121.4737 "),
        json!("-1.2e1"),
        json!(""),
        json!(" "),
        Value::Null,
        json!(0),
        json!("-0"),
    ] {
        let answer = test.json_as(&token, "/m_user/user_tracks", json!({"push_status": true, "lng": place})).await;
        assert_eq!(answer.body, json!({}), "{place}");
    }
    for place in [json!(180.1), json!("181"), json!("NaN"), json!("inf"), json!("east"), json!(true), json!(1e300)] {
        test.json_as(&token, "/m_user/user_tracks", json!({"lng": place})).await.refused(400, 400);
    }
}

#[tokio::test]
async fn document_ds_token_is_read_as_the_header_is() {
    let test = Test::start().await;
    let (_, token) = test.person(PHONE).await;
    for text in [token.clone(), format!(" {token}\n"), format!("Bearer {token}"), format!("bearer  {token} ")] {
        assert_eq!(test.json("/my_user_info", json!({"token": text})).await.code(), "0", "{text:?}");
    }
    for none in [json!(" "), json!(""), Value::Null, json!(1)] {
        test.json("/my_user_info", json!({"token": none})).await.refused(401, 401);
        assert_eq!(test.json_as(&token, "/my_user_info", json!({"token": none})).await.code(), "0", "{none}");
    }
}
