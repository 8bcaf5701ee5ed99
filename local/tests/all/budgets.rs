//! What each operation costs: rounds in sequence, and capacity units as DynamoDB reports them, held exactly.
use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use http::{Method, Request};
use serde_json::{Value, json};
use shared::{
    domain::{ArticleId, DeviceId, MediaKind, Password, StoredPassword, UserId},
    store::{CameBy, Changes, Mark},
};

use crate::support::{Answer, Cost, PAUSE, Test, multipart, picture};

/// Round trips in sequence that an operation may take without saying why.
const ROUNDS: usize = 3;

/// One operation in a typical state. A transaction's writes cost double; the object store and SNS
/// are calls, not units; the table does not say what a transaction took whose condition failed.
struct Budget {
    /// The operation's name, and in brackets which case of it.
    case: &'static str,
    rounds: usize,
    calls: usize,
    reads: f64,
    writes: f64,
}

/// Why an operation takes more rounds than it should.
const LONG_ONES: &[(&str, &str)] = &[
    (
        "user_update_info (phone)",
        "the session, the try at the code, the names held so far, their change: no two may be one, and it is rare",
    ),
    ("user_pic_delete", "the object goes between finding the picture and forgetting it, so that a repeat can finish"),
    ("user_pic_delete (the cover)", "and another picture takes its place"),
    (
        "user_pic_upload",
        "whose gallery it is comes before a picture is decoded and kept, the picture before what leads to it",
    ),
    (
        "article_publish (images)",
        "the images are looked at before a number is drawn, or whoever sends bad ones would fill the list with holes",
    ),
    (
        "article_comment_del (under one's own)",
        "whose article it is, is asked only where the comment is somebody else's",
    ),
    ("m_user_audit_login", "a password login's three, and the new device's record once the password was right"),
    ("m_user_likes_delete", "whose device it is, the session, the like, its removal; by a token it is three"),
    ("user_pic_dir_delete", "step by step, so that a repeat can finish; 500 pictures are too many for a transaction"),
];

#[rustfmt::skip]
const BUDGETS: &[Budget] = &[
    Budget { case: "account_login", rounds: 3, calls: 4, reads: 2.0, writes: 2.0 },
    Budget { case: "article_collect", rounds: 2, calls: 2, reads: 1.0, writes: 8.0 },
    Budget { case: "article_comment_del", rounds: 3, calls: 3, reads: 2.0, writes: 8.0 },
    Budget { case: "article_comment_del (under one's own)", rounds: 4, calls: 4, reads: 3.0, writes: 8.0 },
    Budget { case: "article_comment_list", rounds: 2, calls: 4, reads: 6.5, writes: 0.0 },
    Budget { case: "article_comment_publish", rounds: 2, calls: 2, reads: 1.0, writes: 6.0 },
    Budget { case: "article_comment_reply", rounds: 3, calls: 3, reads: 2.0, writes: 8.0 },
    Budget { case: "article_comment_up", rounds: 3, calls: 3, reads: 2.0, writes: 4.0 },
    Budget { case: "article_del", rounds: 3, calls: 3, reads: 3.0, writes: 10.0 },
    Budget { case: "article_detail", rounds: 2, calls: 6, reads: 10.5, writes: 0.0 },
    Budget { case: "article_like", rounds: 2, calls: 2, reads: 1.0, writes: 6.0 },
    Budget { case: "article_list", rounds: 3, calls: 6, reads: 7.5, writes: 0.0 },
    Budget { case: "article_publish", rounds: 3, calls: 3, reads: 1.0, writes: 9.0 },
    Budget { case: "article_publish (images)", rounds: 4, calls: 4, reads: 2.0, writes: 11.0 },
    Budget { case: "article_uncollect", rounds: 3, calls: 3, reads: 2.0, writes: 8.0 },
    Budget { case: "article_unlike", rounds: 3, calls: 3, reads: 2.0, writes: 6.0 },
    Budget { case: "current_time", rounds: 0, calls: 0, reads: 0.0, writes: 0.0 },
    Budget { case: "entry_logout", rounds: 2, calls: 2, reads: 1.0, writes: 1.0 },
    Budget { case: "following_article_list", rounds: 2, calls: 5, reads: 6.5, writes: 0.0 },
    Budget { case: "get_media_id", rounds: 2, calls: 2, reads: 1.0, writes: 1.0 },
    Budget { case: "home_banner", rounds: 1, calls: 2, reads: 2.0, writes: 0.0 },
    Budget { case: "login", rounds: 3, calls: 4, reads: 2.0, writes: 2.0 },
    Budget { case: "m_user_audit_login", rounds: 4, calls: 5, reads: 2.0, writes: 3.0 },
    Budget { case: "m_user_comments_get", rounds: 3, calls: 5, reads: 5.5, writes: 0.0 },
    Budget { case: "m_user_comments_get (by token)", rounds: 2, calls: 4, reads: 4.5, writes: 0.0 },
    Budget { case: "m_user_comments_post", rounds: 3, calls: 3, reads: 2.0, writes: 6.0 },
    Budget { case: "m_user_comments_post (by token)", rounds: 2, calls: 2, reads: 1.0, writes: 6.0 },
    Budget { case: "m_user_feedbacks", rounds: 3, calls: 3, reads: 2.0, writes: 1.0 },
    Budget { case: "m_user_im_token", rounds: 2, calls: 2, reads: 2.0, writes: 0.0 },
    Budget { case: "m_user_likes_delete", rounds: 4, calls: 4, reads: 3.0, writes: 6.0 },
    Budget { case: "m_user_likes_post", rounds: 3, calls: 3, reads: 2.0, writes: 6.0 },
    Budget { case: "m_user_login", rounds: 2, calls: 2, reads: 3.0, writes: 0.0 },
    Budget { case: "m_user_user_chat_media", rounds: 2, calls: 2, reads: 3.0, writes: 0.0 },
    Budget { case: "m_user_user_tracks", rounds: 3, calls: 3, reads: 2.0, writes: 1.0 },
    Budget { case: "m_user_users_get", rounds: 2, calls: 2, reads: 3.0, writes: 0.0 },
    Budget { case: "m_user_users_homepage", rounds: 3, calls: 5, reads: 6.5, writes: 0.0 },
    Budget { case: "m_user_users_homepage (by token)", rounds: 2, calls: 4, reads: 5.5, writes: 0.0 },
    Budget { case: "m_user_users_patch", rounds: 3, calls: 3, reads: 2.0, writes: 1.0 },
    Budget { case: "m_user_users_post", rounds: 1, calls: 1, reads: 0.0, writes: 6.0 },
    Budget { case: "m_user_users_put", rounds: 3, calls: 3, reads: 2.0, writes: 1.0 },
    Budget { case: "my_article_collect_list", rounds: 2, calls: 3, reads: 2.5, writes: 0.0 },
    Budget { case: "my_article_list", rounds: 2, calls: 4, reads: 6.0, writes: 0.0 },
    Budget { case: "my_follower", rounds: 2, calls: 3, reads: 2.5, writes: 0.0 },
    Budget { case: "my_following_users", rounds: 2, calls: 3, reads: 2.5, writes: 0.0 },
    Budget { case: "my_user_info", rounds: 1, calls: 1, reads: 3.0, writes: 0.0 },
    Budget { case: "my_user_info_update", rounds: 2, calls: 2, reads: 1.0, writes: 1.0 },
    Budget { case: "my_user_info_update (avatar)", rounds: 3, calls: 3, reads: 2.0, writes: 1.0 },
    Budget { case: "send_sms_code", rounds: 2, calls: 2, reads: 0.0, writes: 4.0 },
    Budget { case: "user_follow", rounds: 2, calls: 2, reads: 1.0, writes: 14.0 },
    Budget { case: "user_get_user_info", rounds: 1, calls: 1, reads: 2.0, writes: 0.0 },
    Budget { case: "user_info", rounds: 1, calls: 1, reads: 4.0, writes: 0.0 },
    Budget { case: "user_info (phone)", rounds: 2, calls: 2, reads: 5.0, writes: 0.0 },
    Budget { case: "user_login", rounds: 3, calls: 4, reads: 2.0, writes: 2.0 },
    Budget { case: "user_login (code)", rounds: 3, calls: 4, reads: 3.0, writes: 3.0 },
    Budget { case: "user_logout", rounds: 2, calls: 2, reads: 1.0, writes: 1.0 },
    Budget { case: "user_password_update", rounds: 3, calls: 3, reads: 1.0, writes: 5.0 },
    Budget { case: "user_pic_delete", rounds: 4, calls: 4, reads: 2.0, writes: 6.0 },
    Budget { case: "user_pic_delete (the cover)", rounds: 6, calls: 6, reads: 3.0, writes: 8.0 },
    Budget { case: "user_pic_detail", rounds: 2, calls: 4, reads: 4.0, writes: 0.0 },
    Budget { case: "user_pic_dir_create", rounds: 2, calls: 2, reads: 1.0, writes: 6.0 },
    Budget { case: "user_pic_dir_delete", rounds: 8, calls: 8, reads: 3.0, writes: 13.0 },
    Budget { case: "user_pic_dir_heartbeat_add", rounds: 3, calls: 3, reads: 2.0, writes: 1.0 },
    Budget { case: "user_pic_dir_heartbeat_list", rounds: 2, calls: 3, reads: 3.0, writes: 0.0 },
    Budget { case: "user_pic_dir_heartbeat_remove", rounds: 2, calls: 2, reads: 1.0, writes: 1.0 },
    Budget { case: "user_pic_dir_list", rounds: 1, calls: 2, reads: 2.0, writes: 0.0 },
    Budget { case: "user_pic_dir_pic_list", rounds: 1, calls: 1, reads: 1.0, writes: 0.0 },
    Budget { case: "user_pic_list", rounds: 1, calls: 1, reads: 1.0, writes: 0.0 },
    Budget { case: "user_pic_upload", rounds: 4, calls: 4, reads: 2.0, writes: 6.0 },
    Budget { case: "user_register", rounds: 2, calls: 2, reads: 0.0, writes: 9.0 },
    Budget { case: "user_signup", rounds: 2, calls: 2, reads: 0.0, writes: 9.0 },
    Budget { case: "user_unfollow", rounds: 3, calls: 3, reads: 2.0, writes: 12.0 },
    Budget { case: "user_update_avator", rounds: 3, calls: 4, reads: 1.0, writes: 1.0 },
    Budget { case: "user_update_info", rounds: 2, calls: 2, reads: 1.0, writes: 1.0 },
    Budget { case: "user_update_info (e-mail)", rounds: 3, calls: 3, reads: 2.0, writes: 6.0 },
    Budget { case: "user_update_info (phone)", rounds: 4, calls: 4, reads: 2.0, writes: 9.0 },
    Budget { case: "user_update_user_info", rounds: 2, calls: 2, reads: 1.0, writes: 1.0 },
    Budget { case: "user_update_user_profile_picture", rounds: 3, calls: 4, reads: 1.0, writes: 1.0 },
];

/// Runs an operation once, after what makes its state a typical one; only the last call is measured. Each `number`
/// brings its own people, so that a Plaza can be used for several.
async fn typical(case: &str, test: &Test, number: u64) -> Option<(Answer, Cost)> {
    let [phone, new_phone] = &[0, 1].map(|one| (13_800_138_000 + 2 * number + one).to_string());
    let update = async |change| {
        let (_, token) = test.person(phone).await;
        let email = json!({"email": format!("{phone}@example.com")});
        test.json_as(&token, "/user/update_info", email).await;
        test.line.meter(test.json_as(&token, "/user/update_info", change)).await
    };
    Some(match case {
        "send_sms_code" => test.line.meter(test.json("/send_sms_code", json!({"phone": phone}))).await,
        "account_login" => {
            test.person(phone).await;
            test.line.meter(test.log_in(phone, "abcd1234")).await
        }
        "user_register" => {
            let code = test.code(phone).await;
            let body = json!({"phone": phone, "password": "abcd1234", "verifycode": code});
            test.line.meter(test.json("/user/register", body)).await
        }
        "user_update_avator" => {
            let (_, token) = test.person(phone).await;
            let file = picture(96, 64);
            test.line.meter(test.upload(&token, "/user/update_avator", &[], ("image", &file))).await
        }
        "user_update_info" => update(json!({"name": "felix", "gender": "1"})).await,
        "user_update_info (e-mail)" => update(json!({"email": format!("{new_phone}@example.com")})).await,
        "user_update_info (phone)" => {
            let code = test.code(new_phone).await;
            update(json!({"phone": new_phone, "verifycode": code})).await
        }
        "login" => {
            test.person(phone).await;
            // MD5 of `abcd1234`.
            let body = json!({"username": phone, "password": "e19d5cd5af0378da05f63f891c7467af"});
            test.line.meter(test.json("/login", body)).await
        }
        "user_get_user_info" | "entry_logout" | "user_update_user_info" | "user_update_user_profile_picture" => {
            let (_, token) = test.person(phone).await;
            let with = |method| Request::builder().method(method).header("authorization", &token);
            match case {
                "user_get_user_info" => test.line.meter(test.send(with(Method::GET), "/user/get_user_info", "")).await,
                "entry_logout" => test.line.meter(test.send(with(Method::POST), "/user/logout", "")).await,
                "user_update_user_info" => {
                    let request = with(Method::PUT).header("content-type", "application/json");
                    let body = json!({"nickname": "felix"}).to_string();
                    test.line.meter(test.send(request, "/user/update_user_info", body)).await
                }
                _ => {
                    let (content_type, body) = multipart(&[], Some(("file", &picture(96, 64))));
                    let request = with(Method::PUT).header("content-type", content_type);
                    test.line.meter(test.send(request, "/user/update_user_profile_picture", body)).await
                }
            }
        }
        "user_pic_dir_create" => {
            let (_, token) = test.person(phone).await;
            test.line.meter(test.json_as(&token, "/user/pic_dir/create", json!({"name": "sea"}))).await
        }
        _ if case.starts_with("user_pic") => return gallery(case, test, phone).await,
        "user_signup" => {
            let code = test.code(phone).await;
            let body = json!({"country": "86", "phone": phone, "password": "abcd1234", "code": code});
            test.line.meter(test.json("/user_signup", body)).await
        }
        "user_password_update" | "user_login (code)" => {
            test.person(phone).await;
            test.wait(PAUSE);
            let code = test.code(phone).await;
            let body = json!({"country": "86", "phone": phone, "password": "abcd4321", "code": code});
            match case {
                "user_password_update" => test.line.meter(test.json("/user_password_update", body)).await,
                _ => {
                    let body = json!({"country": "86", "phone": phone, "code": code});
                    test.line.meter(test.json("/user_login", body)).await
                }
            }
        }
        "m_user_users_post" => {
            let device = format!("new-device-of-{phone}");
            let body = json!({"nickname": "mia", "gender": "female", "age": 24});
            test.line.meter(test.send(member("POST", &device), "/m_user/users", body.to_string())).await
        }
        "m_user_audit_login" => {
            let app = &test.plaza.app;
            let password = StoredPassword::hash(&Password::typed("review2026"), [7; 16]).unwrap();
            let by = CameBy::Review(phone.clone());
            app.store.create_user(&by, Some(password), Changes::default()).await.unwrap();
            let body = json!({"account": phone, "password": "review2026"});
            test.line.meter(test.json("/m_user/audit_login", body)).await
        }
        _ => return community(case, test, phone, new_phone).await,
    })
}

/// Document B's requests are made by a device.
fn member(method: &str, device: &str) -> http::request::Builder {
    let request = Request::builder().method(method).header("content-type", "application/json");
    request.header("x-device-id", device)
}

/// The same for what a community does: two users, the second followed by the first and liked and commented on, articles
/// of both with an image and without. Document B's operations are called by a device.
async fn community(case: &str, test: &Test, phone: &str, new_phone: &str) -> Option<(Answer, Cost)> {
    let (me, token) = test.person(phone).await;
    let (other, _) = test.person(new_phone).await;
    let (me, other) = (UserId(me), UserId(other));
    let device = format!("device-of-{phone}");
    let app = &test.plaza.app;
    let store = &app.store;
    store.tie_device(&DeviceId::parse(&device)?, &store.log_in_vouched(me).await.unwrap().session()).await.unwrap();
    let image = store.new_media(me, MediaKind::Jpeg).await.unwrap();
    store.media_checked(&image, None).await.unwrap();
    let mut articles = vec![];
    for author in [me, other] {
        for images in [vec![], vec![image.clone()]] {
            test.wait(1);
            articles.push(store.publish_article(author, "the sea at five", images).await.unwrap());
        }
    }
    let (mine, theirs, more) = (articles[0].0, articles[2].0, articles[3].0);
    store.follow(me, other).await.unwrap();
    store.follow(other, me).await.unwrap();
    let mut comments = vec![];
    for user in [me, other] {
        test.wait(1);
        for mark in [Mark::Like, Mark::Collect] {
            store.mark(mark, user, ArticleId(theirs)).await.unwrap();
        }
        comments.push(store.publish_comment(user, ArticleId(theirs), "where?", None).await.unwrap().0);
    }
    test.wait(1);
    let under_mine = store.publish_comment(other, ArticleId(mine), "there", None).await.unwrap().0;
    test.plaza.deliver().await.unwrap();
    test.wait(1);
    let (third, _) = test.person(&(phone.parse::<u64>().ok()? + 50_000_000).to_string()).await;

    let post = json!({"target_id": more, "target_type": "post"});
    let by_device = case.strip_suffix(" (by token)").is_none();
    let request = |method: &str| match by_device {
        true => member(method, &device),
        false => {
            let request = Request::builder().method(method).header("content-type", "application/json");
            request.header("authorization", &token)
        }
    };
    let by_member = async |method: &str, path: &str, body: Value| {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        Some(test.line.meter(test.send(request(method), path, body)).await)
    };
    let comments_path = format!("/m_user/comments?target_id={theirs}&target_type=post&cursor=&offset=0&limit=20");
    let chat_path = format!("/m_user/user_chat_media?chat_type=video_chat&user_id={}", other.0);
    let path = |rest: &str| format!("/m_user/users/{:032x}{rest}", if rest.is_empty() { me.0 } else { other.0 });
    match case.split(" (").next()? {
        "m_user_login" => return by_member("POST", "/m_user/login", Value::Null).await,
        "m_user_users_get" => return by_member("GET", &path(""), Value::Null).await,
        "m_user_users_homepage" => return by_member("GET", &path("/homepage"), Value::Null).await,
        "m_user_users_put" => {
            return by_member("PUT", &path(""), json!({"nickname": "mia", "gender": "female"})).await;
        }
        "m_user_users_patch" => return by_member("PATCH", &path(""), json!({"age": 30})).await,
        "m_user_likes_post" => return by_member("POST", "/m_user/likes", post).await,
        "m_user_likes_delete" => {
            return by_member("DELETE", "/m_user/likes", json!({"target_id": theirs, "target_type": "post"})).await;
        }
        "m_user_feedbacks" => return by_member("POST", "/m_user/feedbacks", json!({"content": "good"})).await,
        "m_user_user_tracks" => {
            return by_member("POST", "/m_user/user_tracks", json!({"lng": 8.5, "lat": 47.4})).await;
        }
        "m_user_im_token" => return by_member("GET", "/m_user/im_token", Value::Null).await,
        "m_user_comments_get" => return by_member("GET", &comments_path, Value::Null).await,
        "m_user_comments_post" => {
            let body = json!({"target_id": theirs, "target_type": "post", "content": "here"});
            return by_member("POST", "/m_user/comments", body).await;
        }
        "m_user_user_chat_media" => return by_member("GET", &chat_path, Value::Null).await,
        _ => {}
    }
    let mut body = match case {
        "article_list" | "following_article_list" | "my_article_list" | "my_article_collect_list" => json!({}),
        "my_follower" | "my_following_users" | "my_user_info" | "user_logout" => json!({}),
        "current_time" | "home_banner" | "get_media_id" => json!({}),
        "article_detail" | "article_comment_list" | "article_unlike" | "article_uncollect" => {
            json!({"article_id": theirs})
        }
        "article_like" | "article_collect" => json!({"article_id": more}),
        "article_publish" => json!({"content": "the sea"}),
        "article_publish (images)" => json!({"content": "the sea", "images": [image.0]}),
        "article_del" => json!({"article_id_list": [mine]}),
        "article_comment_publish" => json!({"article_id": theirs, "content": "there"}),
        "article_comment_reply" => json!({"article_id": theirs, "reply_id": comments[1], "content": "there"}),
        "article_comment_up" => json!({"article_comment_id": comments[1]}),
        "article_comment_del" => json!({"article_comment_id_list": [comments[0]]}),
        "article_comment_del (under one's own)" => json!({"article_comment_id_list": [under_mine]}),
        "user_follow" => json!({"to_uid": third}),
        "user_unfollow" => json!({"to_uid": other.0}),
        "user_info" => json!({"to_uid": other.0}),
        "user_info (phone)" => json!({"phone": new_phone}),
        "my_user_info_update" => json!({"intro": "hello", "gender": 2}),
        "my_user_info_update (avatar)" => json!({"avatar": image.0}),
        "user_login" => json!({"country": "86", "phone": phone, "password": "abcd1234"}),
        _ => return None,
    };
    if !matches!(case, "user_login" | "current_time") {
        body["token"] = token.into();
    }
    Some(test.line.meter(test.json(&format!("/{}", case.split(" (").next()?), body)).await)
}

/// The same for what needs a gallery: two, of three pictures each, and a heart for the first.
async fn gallery(case: &str, test: &Test, phone: &str) -> Option<(Answer, Cost)> {
    let (user, token) = test.person(phone).await;
    let (mut galleries, mut pictures) = (vec![], vec![]);
    for name in ["sea", "mountains"] {
        let made = test.json_as(&token, "/user/pic_dir/create", json!({ "name": name })).await;
        let gallery = made.body["data"]["pic_dir_id"].to_string();
        for _ in 0..3 {
            let file = picture(96, 64);
            let added = test.upload(&token, "/user/pic/upload", &[("pic_dir_id", &gallery)], ("image", &file)).await;
            pictures.push(added.body["data"]["pic_id"].to_string());
            // Ids of another millisecond: drawing one that is taken costs another try.
            test.wait(1);
        }
        galleries.push(gallery);
    }
    let gallery = json!({"pic_dir_id": galleries[0]});
    test.json_as(&token, "/user/pic_dir/heartbeat/add", gallery.clone()).await;
    let (gallery_id, file) = (&galleries[0], picture(96, 64));
    Some(match case {
        "user_pic_upload" => {
            let fields = [("pic_dir_id", &**gallery_id)];
            test.line.meter(test.upload(&token, "/user/pic/upload", &fields, ("image", &file))).await
        }
        "user_pic_delete" => {
            test.line.meter(test.json_as(&token, "/user/pic/delete", json!({"pic_id": pictures[1]}))).await
        }
        "user_pic_delete (the cover)" => {
            test.line.meter(test.json_as(&token, "/user/pic/delete", json!({"pic_id": pictures[0]}))).await
        }
        "user_pic_dir_delete" => test.line.meter(test.json_as(&token, "/user/pic_dir/delete", gallery)).await,
        "user_pic_dir_heartbeat_add" => {
            let other = json!({"pic_dir_id": galleries[1]});
            test.line.meter(test.json_as(&token, "/user/pic_dir/heartbeat/add", other)).await
        }
        "user_pic_dir_heartbeat_remove" => {
            test.line.meter(test.json_as(&token, "/user/pic_dir/heartbeat/remove", gallery)).await
        }
        _ => {
            let path = match case {
                "user_pic_detail" => format!("/user/pic/detail?pic_id={}", pictures[0]),
                "user_pic_dir_heartbeat_list" => format!("/user/pic_dir/heartbeat/list?user_id={user}"),
                "user_pic_dir_list" => format!("/user/pic_dir/list?user_id={user}"),
                "user_pic_dir_pic_list" => format!("/user/pic_dir/pic/list?pic_dir_id={gallery_id}"),
                "user_pic_list" => "/user/pic/list".to_owned(),
                _ => return None,
            };
            test.line.meter(test.get(&path)).await
        }
    })
}

#[tokio::test]
async fn every_operation_keeps_to_its_budget() {
    let mut wrong = vec![];
    let operations = local::functions().into_iter().flat_map(|(_, operations)| operations);
    let more = BUDGETS.iter().map(|budget| budget.case.to_owned());
    let mut cases: Vec<_> = operations.map(|operation| operation.name).chain(more).collect();
    cases.sort();
    cases.dedup();
    println!("{:34} {:>6} {:>6} {:>6} {:>6}", "operation", "rounds", "calls", "reads", "writes");
    for case in &cases {
        let test = Test::start().await;
        let Some((answer, cost)) = typical(case, &test, 0).await else {
            wrong.push(format!("{case}: has no state yet: add an arm to `typical`, then a line to BUDGETS"));
            continue;
        };
        assert_eq!(answer.status, 200, "{case}: {answer:?}");
        // Document B has no code where all is well.
        assert!(["0", "1000", "000000", "null"].contains(&&*answer.code()), "{case}: {answer:?}");
        let (rounds, calls) = (cost.rounds(), cost.0.len());
        let (reads, writes) = (cost.read_units(), cost.write_units());
        println!("{case:34} {rounds:6} {calls:6} {reads:6.1} {writes:6.1}");
        let line = format!(
            "    Budget {{ case: {case:?}, rounds: {rounds}, calls: {calls}, reads: {reads:.1}, writes: {writes:.1} }},"
        );
        match BUDGETS.iter().find(|budget| budget.case == *case) {
            None => wrong.push(format!("{case}: add to BUDGETS\n{line}")),
            Some(budget) => {
                let held = [budget.rounds as f64, budget.calls as f64, budget.reads, budget.writes];
                let found = [rounds as f64, calls as f64, reads, writes];
                let changed =
                    if found.iter().zip(held).all(|(found, held)| *found <= held) { "cheaper" } else { "dearer" };
                if found != held {
                    wrong.push(format!("{case}: got {changed}; if that is meant, its line is\n{line}\n{:#?}", cost.0));
                }
            }
        }
        let reason = LONG_ONES.iter().any(|(long, _)| long == case);
        if (rounds > ROUNDS) != reason {
            wrong.push(format!(
                "{case}: {rounds} rounds, at most {ROUNDS} without a reason in LONG_ONES, which has no others"
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[tokio::test]
async fn cost_does_not_grow_with_the_table() {
    let cost = async |others: usize| {
        let test = Test::start().await;
        test.person("13900139000").await;
        crowd(&test, others).await;
        // Ids of another millisecond: drawing one that is taken costs another try.
        test.wait(PAUSE);
        let mut costs = vec![];
        // Galleries take long to fill, and have a test of their own.
        let cases = BUDGETS.iter().filter(|budget| !budget.case.starts_with("user_pic"));
        for (number, budget) in cases.enumerate() {
            let (_, cost) = typical(budget.case, &test, number as u64).await.unwrap();
            costs.push((budget.case, cost.rounds(), cost.0.len(), cost.read_units(), cost.write_units()));
        }
        costs
    };
    assert_eq!(cost(2).await, cost(500).await);
}

/// So many other users, like the one who is there but for their names.
async fn crowd(test: &Test, others: usize) {
    let model = test.items().await;
    let copies = (0..others).flat_map(|number| {
        let copy = move |item: &HashMap<String, AttributeValue>| {
            let mut item = item.clone();
            let pk = item["pk"].as_s().unwrap();
            let pk = format!("{}{number:04}", &pk[..pk.len() - 4]);
            item.insert("pk".into(), AttributeValue::S(pk));
            let put = PutRequest::builder().set_item(Some(item)).build().unwrap();
            WriteRequest::builder().put_request(put).build()
        };
        let theirs = |key: &str| key.starts_with("U#") || key.starts_with("PHONE#");
        model.iter().filter(move |(key, _)| theirs(key)).map(move |(_, item)| copy(item))
    });
    let table = test.table();
    for batch in copies.collect::<Vec<_>>().chunks(25) {
        let written = table.batch_write_item().request_items("plaza", batch.to_vec()).send().await.unwrap();
        assert!(written.unprocessed_items.is_none_or(|left| left.is_empty()));
    }
    assert!(test.items().await.len() >= 3 * others);
}
