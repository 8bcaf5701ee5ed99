//! What operators bring in, through the runner's door to the function.
use std::{collections::BTreeMap, time::Instant};

use http::{Method, Request};
use local::events;
use serde_json::{Value, json};
use shared::{
    domain::{
        ArticleId, CommentId, GalleryId, GameId, Gender, MediaId, Page, PictureId, ProjectId, Refusal, Thing, TicketId,
        UserId,
    },
    store::{Changes, ClothList, Imported, MasterList, Place, ProjectList, SignUp, keys},
};

use crate::{
    faults::{items, raw, same},
    support::{Answer, Fault, START, Test},
};

const IMAGE: &str = "e4cbdd56-855a-41ee-bcb6-5785abdd6148.jpeg";
const MASTER: &str = "000000000000000000000000000000aB";
const MERCHANT: &str = "000000000000000000000000000000cd";
const MD5_OF_123456: &str = "e10adc3949ba59abbe56e057f20f883e";
const DEVICE: &str = "device-of-a-member-1";

/// Content and accounts, each after what it needs.
pub fn contents() -> Vec<Value> {
    vec![
        json!({"kind": "banner", "banner_id": 1, "place": "home", "image": IMAGE, "url": "https://example.com/"}),
        json!({"kind": "master", "master_id": MASTER, "name": "Lin", "avatar": IMAGE, "intro": "On the stage.",
            "address": "3 Lake Road", "birthday": "1980-02-29", "recommended": true}),
        json!({"kind": "merchant", "merchant_id": MERCHANT, "name": "Silk", "logo": IMAGE, "intro": "", "address": "",
            "phone": "0571-12345678", "email": "silk@example.com"}),
        json!({"kind": "game", "game_id": 2, "name": "Gates", "image": IMAGE, "intro": "Nine\nof them.",
            "recommended": false}),
        json!({"kind": "cloth", "cloth_id": 3, "merchant_id": MERCHANT, "name": "Robe", "image": IMAGE,
            "intro": "Raw silk.", "price": 299_900, "dynasty": 1, "designer_intro": "A cut.", "recommended": true}),
        json!({"kind": "project", "project_id": 4, "master_id": MASTER, "name": "Songs", "image": IMAGE,
            "intro": "Fridays.", "recommended": true}),
        json!({"kind": "ticket", "ticket_id": "500", "project_id": 4, "name": "Stalls", "image": IMAGE,
            "intro": "Row one.", "price": 19_900.0, "count": 50}),
        json!({"kind": "user", "username": "shen", "password_md5": MD5_OF_123456, "nickname": "Shen"}),
        json!({"kind": "review_account", "account": "apple", "password": "review2026"}),
        json!({"kind": "review_version", "version": "9.9.9"}),
    ]
}

/// What others do here: Ann has an article with a comment of Bo's, and a gallery with two pictures.
pub struct Scene {
    ann: u64,
    bo: u64,
    /// Who leaves.
    cleo: u64,
    token: String,
    article: ArticleId,
    comment: CommentId,
    gallery: GalleryId,
    pictures: [PictureId; 2],
    media: MediaId,
}

pub async fn scene(test: &Test) -> Scene {
    let store = &test.plaza.app.store;
    let (ann, _) = test.person("13800138001").await;
    test.wait(1);
    let (bo, token) = test.person("13800138002").await;
    test.wait(1);
    let article = store.publish_article(UserId(ann), "the sea", vec![]).await.unwrap();
    test.wait(1);
    let comment = store.publish_comment(UserId(bo), article, "where?", None).await.unwrap();
    test.wait(1);
    let gallery = store.create_gallery(UserId(ann), "sea").await.unwrap();
    let [media, other] = [(); 2].map(|()| MediaId::fresh(&test.plaza.app.system, "jpeg"));
    let mut pictures = [PictureId(0); 2];
    for (picture, media) in pictures.iter_mut().zip([&media, &other]) {
        test.wait(1);
        store.own_picture_file(UserId(ann), media).await.unwrap();
        let own = store.own_gallery(UserId(ann), gallery).await.unwrap();
        *picture = store.add_picture(UserId(ann), own, media.clone()).await.unwrap();
    }
    test.wait(1);
    let (cleo, _) = test.person("13800138003").await;
    test.wait(1);
    Scene { ann, bo, cleo, token, article, comment, gallery, pictures, media }
}

impl Scene {
    /// What operators do to users.
    pub fn deeds(&self) -> Vec<Value> {
        let Self { ann, bo, cleo, article, comment, gallery, pictures, .. } = self;
        vec![
            json!({"kind": "vip", "grant_id": "g-1", "user_id": ann, "days": 30}),
            json!({"kind": "gift", "gift_id": 77, "user_id": format!("{ann:032x}"), "from_user_id": bo,
                "code": "rose", "count": 2, "value": 200}),
            json!({"kind": "user_lock", "user_id": bo, "locked": true}),
            json!({"kind": "takedown", "article_id": article.0}),
            json!({"kind": "takedown", "comment_id": comment.0}),
            json!({"kind": "takedown", "pic_id": pictures[0].0}),
            json!({"kind": "takedown", "pic_dir_id": gallery.0}),
            json!({"kind": "user_erase", "user_id": cleo}),
            json!({"kind": "message", "record_id": "m-1", "from_id": MASTER, "from_type": "master", "to_user_id": bo,
                "content": "The gala is on."}),
        ]
    }
}

async fn import(test: &Test, records: impl IntoIterator<Item = Value>) -> Value {
    let records: Vec<_> = records.into_iter().collect();
    let answer = test.json("/_local/catalog", json!({"records": records})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

/// All go in.
pub async fn imported(test: &Test, records: impl IntoIterator<Item = Value>) {
    let records: Vec<_> = records.into_iter().collect();
    let all = records.len();
    assert_eq!(import(test, records).await, json!({"imported": all, "unchanged": 0, "refused": []}));
}

/// A record with another value in a field; null takes it out.
pub fn with(record: &Value, field: &str, value: Value) -> Value {
    let mut record = record.clone();
    record[field] = value;
    record
}

pub fn of_kind(kind: &str) -> Value {
    contents().into_iter().find(|record| record["kind"] == kind).unwrap()
}

async fn by_device(test: &Test, path: &str) -> Answer {
    let request = Request::builder().method(Method::POST).header("x-device-id", DEVICE);
    test.send(request, path, "").await
}

#[tokio::test]
async fn every_kind_is_imported_once() {
    let test = Test::start().await;
    let scene = scene(&test).await;
    let records = || contents().into_iter().chain(scene.deeds());
    imported(&test, records()).await;
    let all = records().count();
    let (again, cost) = test.line.meter(import(&test, records())).await;
    assert_eq!(again, json!({"imported": 0, "unchanged": all, "refused": []}));
    assert_eq!(cost.write_units(), 0.0, "{cost:?}");
    let writes = cost.0.iter().filter(|call| call.operation.contains("Write") || call.operation.contains("Update"));
    assert_eq!(writes.count(), 0, "{cost:?}");

    let store = &test.plaza.app.store;
    let ann = store.profile(UserId(scene.ann)).await.unwrap().unwrap();
    assert_eq!((ann.profit, ann.vip_left(test.plaza.app.system.now())), (200, 30));
    assert_eq!(store.unsold_tickets(ProjectId(4)).await.unwrap(), 50);
    assert!(store.is_under_review("9.9.9").await.unwrap());

    // What is changed is one write for each.
    imported(
        &test,
        [
            with(&of_kind("game"), "name", "Ten gates".into()),
            with(&of_kind("ticket"), "count", 51.into()),
            with(&of_kind("banner"), "place", "game".into()),
            with(&of_kind("user"), "nickname", "Shen Li".into()),
            with(&of_kind("review_account"), "password", "review2027".into()),
        ],
    )
    .await;
    assert_eq!(store.game(UserId(1), GameId(2)).await.unwrap().game.record.name, "Ten gates");
    assert_eq!(store.unsold_tickets(ProjectId(4)).await.unwrap(), 51);
    assert_eq!(store.banners(Place::Home, Page::first(9)).await.unwrap(), []);
    assert_eq!(store.banners(Place::Game, Page::first(9)).await.unwrap().len(), 1);

    // What was entered once cannot become something else under its id.
    let [vip, gift, ..] = &scene.deeds()[..] else { panic!() };
    let before = raw(&test).await;
    for (record, id, field, value) in [
        (vip, "grant_id", "days", json!(31)),
        (vip, "grant_id", "user_id", json!(scene.bo)),
        (gift, "gift_id", "count", json!(3)),
        (gift, "gift_id", "value", json!(0)),
        (gift, "gift_id", "code", json!("tulip")),
        (gift, "gift_id", "from_user_id", json!(scene.ann)),
        (gift, "gift_id", "user_id", json!(scene.bo)),
    ] {
        let answer = import(&test, [with(record, field, value)]).await;
        let says = format!("{id}: this id was entered with other values: choose another");
        assert_eq!(answer["refused"], json!([{"index": 0, "message": says}]), "{field}");
    }
    assert!(raw(&test).await == before, "something was stored");
}

#[tokio::test]
async fn every_field_is_checked() {
    let test = Test::start().await;
    let scene = scene(&test).await;
    let optional = ["recommended", "designer_intro", "count", "password_md5", "from_type"];
    let typed = json!({"kind": "user", "username": "mei", "password": "123456", "nickname": "Mei"});
    let right: Vec<_> = contents().into_iter().chain(scene.deeds()).chain([typed]).collect();
    // The sample event has all that there are.
    let sample = events::load(&events::path("catalogue", "import")).unwrap();
    for known in sample["records"].as_array().unwrap().iter().filter(|record| record["kind"] != "poem") {
        for field in known.as_object().unwrap().keys() {
            let is_tried = right.iter().any(|record| record["kind"] == known["kind"] && record.get(field).is_some());
            assert!(is_tried, "{}: try {field}", known["kind"]);
        }
    }
    let mut wrong = vec![];
    for record in right {
        for field in record.as_object().unwrap().keys().filter(|field| *field != "kind") {
            wrong.push((with(&record, field, json!({})), field.clone()));
            wrong.push((with(&record, field, json!([1])), field.clone()));
            let is_optional = match record["kind"].as_str().unwrap() {
                "takedown" => true,
                "cloth" if field == "merchant_id" => true,
                "gift" => false,
                _ => optional.contains(&field.as_str()),
            };
            if !is_optional {
                wrong.push((with(&record, field, Value::Null), field.clone()));
            }
        }
        if record["kind"] != "takedown" {
            wrong.push((with(&record, "withdrawn", "maybe".into()), "withdrawn".into()));
        }
    }
    let long = |letters: usize| Value::from("é".repeat(letters));
    for (kind, field, value) in [
        ("banner", "place", "moon".into()),
        ("banner", "url", "javascript:alert(1)".into()),
        ("banner", "banner_id", json!(1_u64 << 53)),
        ("banner", "image", "a.jpeg".into()),
        ("master", "name", "".into()),
        ("master", "name", long(65)),
        ("master", "name", "a\nb".into()),
        ("master", "intro", long(501)),
        ("master", "address", long(201)),
        ("master", "birthday", "1981-02-29".into()),
        ("master", "master_id", "ab".into()),
        ("merchant", "email", "silk".into()),
        ("merchant", "phone", "call us".into()),
        ("cloth", "price", json!(-1)),
        ("cloth", "price", json!(0.5)),
        ("cloth", "price", json!(10_000_000_001_u64)),
        ("cloth", "dynasty", json!(-1)),
        ("cloth", "merchant_id", "00000000000000000000000000000077".into()),
        ("game", "game_id", json!(-1)),
        ("game", "name", "\u{200b}".into()),
        ("game", "intro", "a\0".into()),
        ("project", "master_id", "00000000000000000000000000000077".into()),
        ("ticket", "count", json!(0)),
        ("ticket", "count", json!(100_001)),
        ("ticket", "project_id", json!(77)),
        ("user", "username", "13800138000".into()),
        ("user", "username", "a@b.com".into()),
        ("user", "nickname", "\u{202e}a".into()),
        ("user", "password_md5", "123456".into()),
        ("review_account", "password", "12345".into()),
    ] {
        wrong.push((with(&of_kind(kind), field, value), field.into()));
    }
    let user = with(&of_kind("user"), "password_md5", Value::Null);
    wrong.push((user.clone(), "password".into()));
    wrong.push((with(&user, "password", "12345".into()), "password".into()));
    wrong.push((with(&of_kind("user"), "password", "123456".into()), "password_md5".into()));
    wrong.push((
        with(&with(&of_kind("ticket"), "ticket_id", json!((1_u64 << 53) - 1)), "count", 2.into()),
        "count".into(),
    ));
    let [vip, gift, lock, takedown, ..] = &scene.deeds()[..] else { panic!() };
    for (record, field, value) in [
        (vip, "user_id", json!(77)),
        (vip, "days", json!(0)),
        (gift, "user_id", json!(77)),
        (gift, "from_user_id", json!(77)),
        (gift, "value", json!(-1)),
        (lock, "user_id", json!(77)),
        (lock, "withdrawn", true.into()),
    ] {
        wrong.push((with(record, field, value), field.into()));
    }
    wrong.push((with(takedown, "pic_id", 1.into()), "article_id".into()));
    wrong.push((json!({"kind": "takedown"}), "article_id".into()));
    for kind in [json!("poem"), json!(7), Value::Null] {
        wrong.push((json!({"kind": kind}), "kind".into()));
    }
    for record in [json!(null), json!("banner"), json!([]), json!(1)] {
        wrong.push((record, "record".into()));
    }

    let before = raw(&test).await;
    let answer = import(&test, wrong.iter().map(|(record, _)| record.clone())).await;
    let refused: BTreeMap<_, _> = answer["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|no| (no["index"].as_u64().unwrap() as usize, no["message"].as_str().unwrap()))
        .collect();
    for (index, (record, field)) in wrong.iter().enumerate() {
        let message = refused.get(&index).unwrap_or_else(|| panic!("{record} went in"));
        let of_field = message.split([':', '[', '.']).next() == Some(field);
        assert!(of_field && message.contains(": "), "{field}: {message}\n{record}");
    }
    assert_eq!((&answer["imported"], &answer["unchanged"]), (&json!(0), &json!(0)));
    assert!(raw(&test).await == before, "something was stored");
    imported(&test, contents().into_iter().chain(scene.deeds())).await;
}

#[tokio::test]
async fn a_bad_record_is_reported_and_the_others_go_in() {
    let test = Test::start().await;
    let answer = import(&test, [json!(1), of_kind("game"), json!({"kind": "poem"})]).await;
    assert_eq!((&answer["imported"], answer["refused"].as_array().unwrap().len()), (&json!(1), 2), "{answer}");
    assert_eq!((&answer["refused"][0]["index"], &answer["refused"][1]["index"]), (&json!(0), &json!(2)));
    assert_eq!(import(&test, []).await, json!({"imported": 0, "unchanged": 0, "refused": []}));
    for body in ["", "[]", "{}", "{\"records\": 1}"] {
        test.send(Request::builder().method(Method::POST), "/_local/catalog", body).await.refused(400, 400);
    }
    let foreign = Request::builder().method(Method::POST).header("origin", "http://evil.example");
    test.send(foreign, "/_local/catalog", "{\"records\": []}").await.refused(403, 403);
    let foreign = Request::builder().method(Method::POST).header("host", "evil.example");
    test.send(foreign, "/_local/catalog", "{\"records\": []}").await.refused(403, 403);
}

#[tokio::test]
async fn records_come_in_any_order() {
    for turn in 0..3 {
        let test = Test::start().await;
        let mut records = contents();
        records.reverse();
        records.rotate_left(3 * turn);
        imported(&test, records).await;
    }
    // Two of one thing: the last one stands.
    let test = Test::start().await;
    let names = ["a", "b", "c", "d"].map(|name| with(&of_kind("game"), "name", name.into()));
    imported(&test, names).await;
    assert_eq!(test.plaza.app.store.game(UserId(1), GameId(2)).await.unwrap().game.record.name, "d");
}

#[tokio::test]
async fn what_is_withdrawn_leaves_every_list() {
    let test = Test::start().await;
    let store = &test.plaza.app.store;
    let (me, all) = (UserId(1), Page::first(9));
    let shown = async || {
        [
            store.banners(Place::Home, all).await.unwrap().len(),
            store.games(me, all).await.unwrap().len(),
            store.masters(me, MasterList::All, all).await.unwrap().len(),
            store.projects(me, ProjectList::Recommended, all).await.unwrap().len(),
            store.cloths(me, ClothList::Merchants, all).await.unwrap().len(),
            usize::from(store.is_under_review("9.9.9").await.unwrap()),
        ]
    };
    imported(&test, contents()).await;
    assert_eq!(shown().await, [1; 6]);
    let withdrawn = || {
        let content =
            contents().into_iter().filter(|record| record["kind"] != "user" && record["kind"] != "review_account");
        content.map(|record| with(&record, "withdrawn", true.into())).collect::<Vec<_>>()
    };
    imported(&test, withdrawn()).await;
    assert_eq!(shown().await, [0; 6]);
    assert_eq!(import(&test, withdrawn()).await["unchanged"], withdrawn().len());
    let back = withdrawn().into_iter().map(|record| with(&record, "withdrawn", false.into()));
    imported(&test, back).await;
    assert_eq!(shown().await, [1; 6]);
    let gone =
        import(&test, [with(&of_kind("banner"), "banner_id", 8.into())].map(|r| with(&r, "withdrawn", true.into())))
            .await;
    assert_eq!(gone["unchanged"], 1, "it was never there");
    assert_eq!(import(&test, contents()).await["unchanged"], contents().len());
}

#[tokio::test]
async fn an_imported_user_logs_in_everywhere() {
    let test = Test::start().await;
    let typed = json!({"kind": "user", "username": "菲利克斯", "password": "123456", "nickname": "Felix"});
    imported(&test, [of_kind("user"), typed.clone()]).await;
    for name in ["shen", "菲利克斯"] {
        let c = test.log_in(name, "123456").await;
        assert_eq!(c.code(), "1000", "{c:?}");
        let e = test.json("/login", json!({"username": name, "password": MD5_OF_123456})).await;
        assert_eq!(e.body["result"]["username"], name, "{e:?}");
        test.log_in(name, "123457").await.refused(200, 3100);
    }
    let token = test.log_in("shen", "123456").await.body["data"]["user_info"]["token"].as_str().unwrap().to_owned();
    let store = &test.plaza.app.store;
    let e = test.json("/login", json!({"username": "shen", "password": MD5_OF_123456})).await;
    assert_eq!(e.body["result"]["nickname"], "Shen");

    // How they call themself since stays as it is, and so does their password.
    let renamed = test.json_as(&token, "/my_user_info_update", json!({"nickname": "Mine"})).await;
    assert_eq!(renamed.code(), "0", "{renamed:?}");
    let other = with(&of_kind("user"), "password_md5", "0".repeat(32).into());
    assert_eq!(import(&test, [of_kind("user"), other]).await["unchanged"], 2);
    let c = test.log_in("shen", "123456").await;
    assert_eq!(c.body["data"]["user_info"]["name"], "Mine");
    imported(&test, [with(&of_kind("user"), "nickname", "Theirs".into())]).await;
    assert_eq!(test.log_in("shen", "123456").await.body["data"]["user_info"]["name"], "Theirs");
    assert!(store.reviewer("shen").await.unwrap().is_none());

    imported(&test, [of_kind("review_account")]).await;
    let audit = async |password: &str| {
        test.json("/m_user/audit_login", json!({"account": "apple", "password": password})).await.status.as_u16()
    };
    assert_eq!((audit("review2026").await, audit("review2027").await), (200, 400));
    imported(&test, [with(&of_kind("review_account"), "password", "review2027".into())]).await;
    assert_eq!((audit("review2026").await, audit("review2027").await), (400, 200));
}

/// Between a lock's look and its write another one locks the user, or the user leaves.
#[tokio::test]
async fn a_lock_that_others_meet_says_what_became_of_it() {
    let test = Test::start().await;
    let store = &test.plaza.app.store;
    for leaves in [false, true] {
        let user = UserId(test.person(if leaves { "13800138001" } else { "13800138002" }).await.0);
        let freeze = test.line.freeze_at(1);
        let other = async {
            freeze.reached().await;
            match leaves {
                true => assert!(store.leave(user, None).await.unwrap()),
                false => assert_eq!(store.lock_user(user, true).await, Ok(Imported::Written)),
            }
            freeze.thaw();
        };
        let (locked, ()) = tokio::join!(store.lock_user(user, true), other);
        let wanted = if leaves { Err(Refusal::NoSuch(Thing::User)) } else { Ok(Imported::Unchanged) };
        assert_eq!(locked, wanted);
    }
}

#[tokio::test]
async fn a_lock_ends_all_sessions_and_lets_devices_in_again() {
    let test = Test::start().await;
    let store = &test.plaza.app.store;
    let (bo, token) = test.person("13800138002").await;
    let device = shared::domain::DeviceId::parse(DEVICE).unwrap();
    let first = Changes { gender: Some(Gender::Male), ..Changes::default() };
    let member = store.create_user(&SignUp::Device(device), None, first).await.unwrap().id.0;
    let members_token = by_device(&test, "/m_user/login").await.body["token"].as_str().unwrap().to_owned();
    let lock = |user: u64, locked: bool| json!({"kind": "user_lock", "user_id": user, "locked": locked});
    let reads = async |token: &str| {
        let get = |path: &'static str| test.send(Request::builder().header("authorization", token), path, "");
        let d = test.json("/my_user_info", json!({"token": token})).await.status.as_u16();
        let c = test.json_as(token, "/user/update_info", json!({})).await.status.as_u16();
        let a = test.json_as(token, "/user/pic_dir/heartbeat/remove", json!({"pic_dir_id": 1})).await.status.as_u16();
        let b = get("/m_user/im_token").await.status.as_u16();
        [d, c, a, b, get("/user/get_user_info").await.status.as_u16()]
    };
    let before = reads(&token).await;
    assert!(!before.contains(&401), "{before:?}");
    assert_eq!(import(&test, [lock(bo, false)]).await["unchanged"], 1);

    imported(&test, [lock(bo, true), lock(member, true)]).await;
    assert_eq!(reads(&token).await, [401; 5]);
    assert_eq!(reads(&members_token).await, [401; 5]);
    test.log_in("13800138002", "abcd1234").await.refused(200, 3101);
    by_device(&test, "/m_user/login").await.refused(400, 3101);
    by_device(&test, "/m_user/feedbacks").await.refused(401, 401);
    assert_eq!(import(&test, [lock(bo, true), lock(member, true)]).await["unchanged"], 2);

    imported(&test, [lock(bo, false), lock(member, false)]).await;
    // Tokens have ended for good; devices and passwords sign in again.
    assert_eq!(reads(&token).await, [401; 5]);
    assert_eq!(reads(&members_token).await, [401; 5]);
    let again = by_device(&test, "/m_user/login").await;
    assert_eq!(again.status, 200, "{again:?}");
    assert_eq!(reads(again.body["token"].as_str().unwrap()).await, before);
    let code = by_device(&test, "/m_user/feedbacks").await.status.as_u16();
    assert_eq!(code, 400, "it is let in, and complained about");
    assert_eq!(reads(&test.token("13800138002").await).await, before);

    // A new password ends devices for good, also such as a lock has let in again.
    let request = Request::builder().method(Method::POST).header("x-device-id", "device-of-bo-himself");
    let tied = test.send(request.header("authorization", test.token("13800138002").await), "/m_user/login", "").await;
    assert_eq!(tied.status, 200, "{tied:?}");
    imported(&test, [lock(bo, true)]).await;
    imported(&test, [lock(bo, false)]).await;
    let bos = async || {
        let request = Request::builder().method(Method::POST).header("x-device-id", "device-of-bo-himself");
        test.send(request, "/m_user/login", "").await
    };
    assert_eq!(bos().await.status, 200);
    // One code a minute.
    test.wait(60_000);
    let code = test.code("13800138002").await;
    let reset = json!({"country": "86", "phone": "13800138002", "password": "abcd12345", "code": code});
    assert_eq!(test.json("/user_password_update", reset).await.code(), "0");
    bos().await.refused(401, 401);
    assert_eq!(import(&test, [lock(77, true)]).await["refused"][0]["message"], "user_id: no such user");
}

#[tokio::test]
async fn what_is_taken_down_is_gone_as_if_its_author_had_deleted_it() {
    let test = Test::start().await;
    let scene = scene(&test).await;
    let store = &test.plaza.app.store;
    let detail =
        async || test.json("/article_detail", json!({"token": scene.token, "article_id": scene.article.0})).await;
    assert_eq!(detail().await.body["article_detail"]["comment_count"], 1);
    let takedown = |field: &str, id: u64| json!({"kind": "takedown", field: id});
    imported(&test, [takedown("comment_id", scene.comment.0)]).await;
    assert_eq!(detail().await.body["article_detail"]["comment_count"], 0);
    imported(&test, [takedown("article_id", scene.article.0)]).await;
    detail().await.refused(404, 404);

    imported(&test, [takedown("pic_id", scene.pictures[0].0)]).await;
    assert!(store.picture(scene.pictures[0]).await.unwrap().is_none());
    assert_eq!(store.galleries_of(UserId(scene.ann)).await.unwrap()[0].pictures, 1);
    imported(&test, [takedown("pic_dir_id", scene.gallery.0)]).await;
    assert!(store.galleries_of(UserId(scene.ann)).await.unwrap().is_empty());
    assert!(store.wall(None, 9).await.unwrap().is_empty());
    let url = test.plaza.app.media().url(&scene.media);
    assert_eq!(test.fetch(&url).await.0, 404);
    let gone = [
        takedown("comment_id", scene.comment.0),
        takedown("article_id", scene.article.0),
        takedown("pic_id", scene.pictures[1].0),
        takedown("pic_dir_id", scene.gallery.0),
        takedown("pic_dir_id", 77),
    ];
    assert_eq!(import(&test, gone).await["unchanged"], 5);
}

#[tokio::test]
async fn a_repeat_finishes_what_broke_off() {
    for operation in ["TransactWriteItems", "BatchGetItem", "BatchWriteItem", "PutItem", "UpdateItem"] {
        for fault in [Fault::Broken, Fault::AnswerLost] {
            for passing in [0, 5] {
                let test = Test::start().await;
                let scene = scene(&test).await;
                let records = || contents().into_iter().chain(scene.deeds());
                // The SDK itself tries three times.
                test.line.spoil(operation, vec![None; passing].into_iter().chain([Some(fault); 6]));
                let first = import(&test, records()).await;
                test.line.mend();
                let again = import(&test, records()).await;
                assert_eq!(again["refused"], json!([]), "{operation} {fault:?} {passing}: {first} {again}");
                let third = import(&test, records()).await;
                assert_eq!(third["unchanged"], records().count(), "{operation} {fault:?} {passing}");
                let store = &test.plaza.app.store;
                assert_eq!(store.unsold_tickets(ProjectId(4)).await.unwrap(), 50);
                assert_eq!(store.profile(UserId(scene.ann)).await.unwrap().unwrap().profit, 200);
            }
        }
    }
}

/// The function ends in the middle of its calls, as when it is killed: a repeat finishes, and nothing tells of it.
#[tokio::test]
async fn a_repeat_finishes_what_was_killed() {
    async fn prepared() -> (Test, impl Fn() -> Vec<Value>) {
        let test = Test::start().await;
        let scene = scene(&test).await;
        // One new id alone, a user's: of two in one millisecond chance says which is the higher one.
        let all = move || contents().into_iter().chain(scene.deeds());
        let has_new_id = |record: &Value| record["kind"] == "review_account" || record["kind"] == "message";
        let records = move || all().filter(|record| !has_new_id(record)).collect::<Vec<_>>();
        (test, records)
    }
    let run = async |test: &Test, records: Vec<Value>| {
        let event = serde_json::from_value(json!({"records": records})).unwrap();
        json!(catalogue::handle(&test.plaza.app, event, u64::MAX).await)
    };
    let (test, records) = prepared().await;
    let (_, cost) = test.line.meter(run(&test, records())).await;
    let (all, clean) = (cost.0.len(), items(&test).await);
    assert!(all > 30, "{all} calls");
    for at in (1..all).step_by(2) {
        let (test, records) = prepared().await;
        let killed = async {
            while test.line.calls() < at {
                tokio::task::yield_now().await;
            }
        };
        let killed = test.line.meter(async {
            tokio::select! {
                biased;
                () = killed => false,
                _ = run(&test, records()) => true,
            }
        });
        let (is_done, _) = killed.await;
        assert!(!is_done, "ended before call {at} of {all}");
        let answer = run(&test, records()).await;
        assert_eq!((&answer["refused"], &answer["left"]), (&json!([]), &Value::Null), "killed at call {at}: {answer}");
        same(&items(&test).await, &clean, &format!("killed at call {at}"));
        let again = run(&test, records()).await;
        assert_eq!(again["unchanged"], records().len(), "killed at call {at}: {again}");
    }
}

/// Tickets whose withdrawal breaks off are taken out by its repeat, and so they are put back.
#[tokio::test]
async fn tickets_that_broke_off_are_withdrawn_by_a_repeat() {
    let test = Test::start().await;
    imported(&test, contents()).await;
    let list = keys::open_ticket(ProjectId(4), START, TicketId(500)).pk;
    let open = async || raw(&test).await.into_keys().filter(|key| key.starts_with(&format!("{list} / "))).count();
    assert_eq!(open().await, 50);
    for (withdrawn, left) in [(true, 0), (false, 50)] {
        let record = || with(&of_kind("ticket"), "withdrawn", withdrawn.into());
        for passing in 0..2 {
            test.line.spoil("TransactWriteItems", vec![None; passing].into_iter().chain([Some(Fault::Broken); 6]));
            let broken = import(&test, [record()]).await;
            test.line.mend();
            assert_eq!(broken["refused"].as_array().unwrap().len(), 1, "{broken}");
        }
        imported(&test, [record()]).await;
        assert_eq!(open().await, left);
    }
}

/// So many records, and those that they need: a quarter each of projects, tickets, games and clothes.
fn many(records: u64) -> Vec<Value> {
    let of = |kind: &str| numbered(kind, records / 4);
    [of("ticket"), of("game"), of("cloth"), of("project"), contents()].concat()
}

/// So many records of a kind, with ids of their own; of tickets four each, in the projects of the same numbers.
fn numbered(kind: &str, records: u64) -> Vec<Value> {
    let record = of_kind(kind);
    let numbered = |n: u64| match kind {
        "ticket" => {
            let tickets = with(&with(&record, "count", 4.into()), "project_id", (1000 + n).into());
            with(&tickets, "ticket_id", (1_000_000 + 10 * n).into())
        }
        "master" | "merchant" => with(&record, &format!("{kind}_id"), format!("{:032x}", 1000 + n).into()),
        "user" => with(&record, "username", format!("user {n}").into()),
        _ => with(&record, &format!("{kind}_id"), (1000 + n).into()),
    };
    (0..records).map(numbered).collect()
}

/// What a hundred records of a kind cost, the first time and again: calls and read units, and what one writes.
#[tokio::test]
async fn a_record_costs_one_transaction_and_again_next_to_nothing() {
    let test = Test::start().await;
    imported(&test, contents()).await;
    let mut wrong = vec![];
    println!("{:10} {:>6} {:>6} {:>7} {:>6} {:>6}", "100 of", "calls", "reads", "writes", "calls", "reads");
    for (kind, calls, reads, writes, calls_again, reads_again) in [
        ("banner", 104, 400.0, 2.0, 4, 400.0),
        ("master", 101, 100.0, 6.0, 1, 100.0),
        ("merchant", 101, 100.0, 2.0, 1, 100.0),
        ("game", 101, 100.0, 4.0, 1, 100.0),
        ("cloth", 102, 101.0, 8.0, 1, 100.0),
        ("project", 102, 101.0, 8.0, 1, 100.0),
        ("ticket", 203, 300.0, 24.0, 2, 200.0),
    ] {
        let records = || numbered(kind, 100);
        let (answer, first) = test.line.meter(import(&test, records())).await;
        assert_eq!(answer, json!({"imported": 100, "unchanged": 0, "refused": []}));
        let (answer, again) = test.line.meter(import(&test, records())).await;
        assert_eq!(answer, json!({"imported": 0, "unchanged": 100, "refused": []}));
        let found = [first.0.len() as f64, first.read_units(), first.write_units() / 100.0];
        let found_again = [again.0.len() as f64, again.read_units(), again.write_units()];
        println!("{kind:10} {:6} {:6} {:7} {:6} {:6}", found[0], found[1], found[2], found_again[0], found_again[1]);
        let wanted = ([calls as f64, reads, writes], [calls_again as f64, reads_again, 0.0]);
        if (found, found_again) != wanted {
            wrong.push(format!("{kind}: {found:?} and again {found_again:?}, not as {wanted:?}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_there_is_no_time_for_is_left() {
    let test = Test::start().await;
    let event = |records: Vec<Value>| serde_json::from_value(json!({"records": records})).unwrap();
    let records = many(400);
    let app = &test.plaza.app;
    let none = json!(catalogue::handle(app, event(records.clone()), START).await);
    assert_eq!(none["left"].as_array().unwrap().len(), records.len(), "{none}");
    let mut left = records.len();
    let mut turns = 0;
    while left > 0 {
        let answer = json!(catalogue::handle(app, event(records.clone()), START + catalogue::RESERVE + 400).await);
        assert_eq!(answer["refused"], json!([]), "{answer}");
        left = answer["left"].as_array().map_or(0, Vec::len);
        let done = answer["imported"].as_u64().unwrap() + answer["unchanged"].as_u64().unwrap();
        assert_eq!(done as usize + left, records.len());
        turns += 1;
        assert!(turns < 100, "{answer}");
    }
    let last = json!(catalogue::handle(app, event(records.clone()), u64::MAX).await);
    assert_eq!(last, json!({"imported": 0, "unchanged": records.len(), "refused": []}));
    println!("{turns} turns of 400 ms for {} records", records.len());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "prints what 10,000 records take"]
#[expect(clippy::disallowed_methods, reason = "how long it takes is what it prints")]
async fn ten_thousand_records() {
    let test = Test::start().await;
    let records = many(10_000);
    for (turn, count) in [("first", "imported"), ("again", "unchanged")] {
        let from = Instant::now();
        let (answer, cost) = test.line.meter(import(&test, records.clone())).await;
        assert_eq!(answer[count], records.len(), "{answer}");
        let (calls, reads, writes) = (cost.0.len(), cost.read_units(), cost.write_units());
        println!(
            "{turn}: {:.1} s, {calls} calls, {reads} read units, {writes} write units, {answer}",
            from.elapsed().as_secs_f64()
        );
        assert!(turn == "first" || writes == 0.0);
    }
}
