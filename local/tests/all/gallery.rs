//! Document A, over HTTP against the engines.
use std::{collections::HashSet, sync::Arc};

use futures_util::{
    StreamExt as _,
    future::{BoxFuture, join_all},
    stream,
};
use serde_json::{Value, json};
use shared::domain::{DAY, GalleryId, UserId, picture::Picture};

use crate::support::{Answer, Fault, Test, picture, together};

async fn create(test: &Test, token: &str, name: &str) -> u64 {
    // Ids are ordered by the millisecond.
    test.wait(1);
    let created = test.json_as(token, "/user/pic_dir/create", json!({ "name": name })).await;
    created.body["data"]["pic_dir_id"].as_u64().unwrap_or_else(|| panic!("{created:?}"))
}

async fn upload(test: &Test, token: &str, gallery: u64) -> Answer {
    test.wait(1);
    test.upload(token, "/user/pic/upload", &[("pic_dir_id", &gallery.to_string())], ("image", &picture(64, 64))).await
}

fn id(answer: &Answer) -> u64 {
    answer.body["data"]["pic_id"].as_u64().unwrap_or_else(|| panic!("{answer:?}"))
}

/// Fills a gallery without the cost of decoding so many pictures.
async fn fill(test: &Test, owner: u64, gallery: u64, count: usize) {
    let app = &test.plaza.app;
    let (owner, gallery) = (UserId(owner), GalleryId(gallery));
    let [small] = Picture::open(&picture(64, 64), "image").unwrap().fit([64]);
    let add = || async {
        test.wait(1);
        let media = app.new_picture(owner, small.clone()).await.unwrap();
        app.store.add_picture(owner, app.store.own_gallery(owner, gallery).await.unwrap(), media).await.unwrap();
    };
    stream::iter(0..count).for_each_concurrent(8, |_| add()).await;
}

async fn list(test: &Test, gallery: u64) -> Vec<Value> {
    let answer = test.get(&format!("/user/pic_dir/pic/list?pic_dir_id={gallery}")).await;
    answer.body["data"]["list"].as_array().unwrap_or_else(|| panic!("{answer:?}")).clone()
}

async fn objects(test: &Test) -> usize {
    test.objects().await.0.len()
}

async fn galleries(test: &Test, owner: u64) -> Vec<Value> {
    test.get(&format!("/user/pic_dir/list?user_id={owner}")).await.body["data"]["list"].as_array().unwrap().clone()
}

/// That what is stored of a gallery agrees: count, cover and list.
async fn agrees(test: &Test, owner: u64, gallery: u64) -> usize {
    let pictures = list(test, gallery).await;
    let galleries = galleries(test, owner).await;
    let shown = galleries.iter().find(|shown| shown["pic_dir_id"] == gallery).unwrap();
    assert_eq!(shown["count"], pictures.len(), "the count is the list's length");
    let first = pictures.first().map_or(Value::Null, |first| first["pic_url"].clone());
    assert_eq!(shown["pic_url"], first, "the cover is the first picture");
    pictures.len()
}

#[tokio::test]
async fn every_answer_has_the_whole_envelope() {
    let test = Test::start().await;
    let (user, token) = test.user("13800138001").await;
    let gallery = create(&test, &token, "Holiday").await;
    let uploaded = upload(&test, &token, gallery).await;
    let (pic, url) = (id(&uploaded), uploaded.body["data"]["url"].clone());
    assert_eq!(test.fetch(url.as_str().unwrap()).await.1, "image/jpeg");
    let envelope = |data: Value| json!({"code": 0, "msg": "", "format_msg": "", "data": data});
    let in_list = json!({"pic_url": url, "pic_id": pic});
    for (path, data) in [
        ("pic/list".into(), json!({"list": [{"url": url, "pic_id": pic}], "next_cursor": null})),
        (format!("pic_dir/pic/list?pic_dir_id={gallery}"), json!({"list": [in_list]})),
        (
            format!("pic_dir/list?user_id={user}"),
            json!({"list": [{"pic_url": url, "name": "Holiday", "count": 1, "pic_dir_id": gallery}]}),
        ),
        (
            format!("pic_dir/list?user_id={user:032x}"),
            json!({"list": [{"pic_url": url, "name": "Holiday", "count": 1, "pic_dir_id": gallery}]}),
        ),
        (format!("pic_dir/heartbeat/list?user_id={user}"), json!({"list": []})),
        (
            format!("pic/detail?pic_id={pic}"),
            json!({
                "user_id": user, "username": test.nickname("13800138001").await, "desc": null, "job_status": 0,
                "pic_url": url, "pic_dir_name": "Holiday", "pic_dir_id": gallery,
                "pic_dir_pic_list": {"count": 1, "list": [in_list]}, "pic_dir_other_list": {"count": 0, "list": []},
            }),
        ),
    ] {
        assert_eq!(test.get(&format!("/user/{path}")).await.body, envelope(data), "{path}");
    }
    let refused = test.get("/user/pic/detail?pic_id=1").await;
    refused.refused(404, 404);
    let message = "no such picture";
    assert_eq!(refused.body, json!({"code": 404, "msg": message, "format_msg": message, "data": {}}));
}

#[tokio::test]
async fn the_detail_page_is_right_for_every_size() {
    let test = Test::start().await;
    let (user, token) = test.user("13800138001").await;
    let (nine, ten, empty) =
        (create(&test, &token, "9").await, create(&test, &token, "10").await, create(&test, &token, "0").await);
    fill(&test, user, nine, 9).await;
    fill(&test, user, ten, 10).await;
    for (gallery, count) in [(nine, 9), (ten, 10)] {
        let pictures = list(&test, gallery).await;
        for picture in [&pictures[0], &pictures[count - 1]] {
            let detail = test.get(&format!("/user/pic/detail?pic_id={}", picture["pic_id"])).await.body["data"].clone();
            assert_eq!(detail["pic_url"], picture["pic_url"]);
            assert_eq!(detail["pic_dir_pic_list"], json!({"count": count, "list": pictures[..9]}));
            let other = if gallery == nine { ten } else { nine };
            let cover = list(&test, other).await[0]["pic_url"].clone();
            let others = json!([
                {"pic_dir_id": other, "pic_dir_url": cover},
                {"pic_dir_id": empty, "pic_dir_url": null},
            ]);
            assert_eq!(detail["pic_dir_other_list"], json!({"count": 2, "list": others}));
        }
    }
}

#[tokio::test]
async fn a_gallery_of_500_is_listed_whole_and_deleted_whole() {
    let test = Test::start().await;
    let (user, token) = test.user("13800138001").await;
    let (full, other) = (create(&test, &token, "full").await, create(&test, &token, "other").await);
    fill(&test, user, full, 500).await;
    fill(&test, user, other, 1).await;
    assert_eq!(agrees(&test, user, full).await, 500);
    upload(&test, &token, full).await.refused(409, 409);
    test.plaza.deliver().await.unwrap();
    assert_eq!(objects(&test).await, 501, "what was refused left no object");
    let pic = list(&test, full).await[499]["pic_id"].clone();
    let detail = test.get(&format!("/user/pic/detail?pic_id={pic}")).await.body["data"].clone();
    assert_eq!(detail["pic_dir_pic_list"]["count"], 500);
    assert_eq!(detail["pic_dir_pic_list"]["list"].as_array().unwrap().len(), 9);

    // The object store fails half way, for good: the gallery is gone for everybody, and a repeat finishes.
    test.line.spoil("POST", [Fault::Broken; 3]);
    let delete = json!({ "pic_dir_id": full });
    test.json_as(&token, "/user/pic_dir/delete", delete.clone()).await.refused(503, 503);
    test.get(&format!("/user/pic_dir/pic/list?pic_dir_id={full}")).await.refused(404, 404);
    test.get(&format!("/user/pic/detail?pic_id={pic}")).await.refused(404, 404);
    assert_eq!(galleries(&test, user).await.len(), 1);
    upload(&test, &token, full).await.refused(404, 404);
    for _ in 0..2 {
        let deleted = test.json_as(&token, "/user/pic_dir/delete", delete.clone()).await;
        assert_eq!(deleted.body, json!({"code": 0, "msg": "", "format_msg": "", "data": {}}));
        assert_eq!(objects(&test).await, 1);
    }
    let wall = test.get("/user/pic/list?limit=100").await;
    assert_eq!(wall.body["data"]["list"].as_array().unwrap().len(), 1);
    assert_eq!(agrees(&test, user, other).await, 1);
}

#[tokio::test]
async fn half_done_batches_are_finished() {
    let test = Test::start().await;
    let (user, token) = test.user("13800138001").await;
    let gallery = create(&test, &token, "x").await;
    fill(&test, user, gallery, 60).await;
    test.line.spoil("BatchWriteItem", [Fault::Unprocessed, Fault::Throttle, Fault::Unprocessed, Fault::AnswerLost]);
    let deleted = test.json_as(&token, "/user/pic_dir/delete", json!({ "pic_dir_id": gallery })).await;
    assert_eq!(deleted.status, 200, "{deleted:?}");
    assert_eq!((test.line.unstruck(), objects(&test).await), (0, 0));
    assert_eq!(test.get("/user/pic/list").await.body["data"]["list"], json!([]));
}

#[tokio::test]
async fn counts_and_covers_stay_true_while_uploads_and_deletions_run_in_parallel() {
    let test = Test::start().await;
    let (user, token) = test.user("13800138001").await;
    let gallery = create(&test, &token, "x").await;
    let first: Vec<_> = join_all((0..8).map(|_| upload(&test, &token, gallery))).await.iter().map(id).collect();
    assert_eq!(agrees(&test, user, gallery).await, 8);
    test.line.spoil("TransactWriteItems", [Fault::Conflict, Fault::AnswerLost, Fault::Conflict, Fault::Throttle]);
    // The first picture of all goes, twice at once, while others come and go.
    let delete = async |pic: &u64| test.json_as(&token, "/user/pic/delete", json!({ "pic_id": pic })).await.status;
    let (came, went, again) = tokio::join!(
        join_all((0..8).map(|_| upload(&test, &token, gallery))),
        join_all(first.iter().map(delete)),
        join_all(first.iter().map(delete))
    );
    // Whoever met too many others was told so, and nothing of it happened by half.
    let came = came.iter().filter(|answer| answer.status == 200).count();
    assert!(went.iter().chain(&again).all(|status| [200, 503].contains(&status.as_u16())), "{went:?} {again:?}");
    let left = agrees(&test, user, gallery).await;
    assert!((came..=came + 8).contains(&left), "{left} of {came} and 8");
    for pic in &first {
        assert_eq!(test.json_as(&token, "/user/pic/delete", json!({ "pic_id": pic })).await.status, 200);
    }
    assert_eq!(agrees(&test, user, gallery).await, came);
    assert_eq!(objects(&test).await, came);
    while let Some(picture) = list(&test, gallery).await.first() {
        test.json_as(&token, "/user/pic/delete", json!({ "pic_id": picture["pic_id"] })).await;
        agrees(&test, user, gallery).await;
    }
}

#[tokio::test]
async fn nobody_writes_to_other_peoples_galleries() {
    let test = Test::start().await;
    let (user, token) = test.user("13800138001").await;
    let (_, stranger) = test.user("13800138002").await;
    let gallery = create(&test, &token, "mine").await;
    let pic = id(&upload(&test, &token, gallery).await);
    for (caller, status) in [(stranger.as_str(), 403), ("", 401)] {
        upload(&test, caller, gallery).await.refused(status, status);
        test.json_as(caller, "/user/pic/delete", json!({ "pic_id": pic })).await.refused(status, status);
        test.json_as(caller, "/user/pic_dir/delete", json!({ "pic_dir_id": gallery })).await.refused(status, status);
    }
    assert_eq!(agrees(&test, user, gallery).await, 1);
    assert_eq!(objects(&test).await, 1, "what was refused left no object");
    upload(&test, &token, 1).await.refused(404, 404);
    assert_eq!(objects(&test).await, 1);
}

#[tokio::test]
async fn the_wall_pages_at_flat_cost_and_shifts_nothing() {
    let test = Test::start().await;
    let (user, token) = test.user("13800138001").await;
    let gallery = create(&test, &token, "x").await;
    fill(&test, user, gallery, 45).await;
    let all: Vec<_> = list(&test, gallery).await.iter().rev().map(|picture| picture["pic_id"].clone()).collect();
    let (mut seen, mut cursor, mut costs) = (vec![], Value::Null, vec![]);
    loop {
        let from = if cursor.is_null() { String::new() } else { format!("&cursor={cursor}") };
        let (page, cost) = test.line.meter(test.get(&format!("/user/pic/list?limit=9{from}"))).await;
        costs.push((cost.rounds(), cost.read_units()));
        let page = &page.body["data"];
        seen.extend(page["list"].as_array().unwrap().iter().map(|picture| picture["pic_id"].clone()));
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
        upload(&test, &token, gallery).await;
    }
    assert_eq!(seen, all);
    assert_eq!(costs.len(), 5);
    assert_eq!(costs.iter().map(|cost| format!("{cost:?}")).collect::<HashSet<_>>().len(), 1, "{costs:?}");
    assert_eq!(test.get("/user/pic/list").await.body["data"]["list"].as_array().unwrap().len(), 20);
}

#[tokio::test]
async fn hearts_are_given_once_and_show_what_is_there() {
    let test = Test::start().await;
    let (user, token) = test.user("13800138001").await;
    let (_, other) = test.user("13800138002").await;
    let (a, b) = (create(&test, &other, "a").await, create(&test, &other, "b").await);
    let heart = async |verb: &str, gallery: u64| {
        let path = format!("/user/pic_dir/heartbeat/{verb}");
        test.json_as(&token, &path, json!({ "pic_dir_id": gallery.to_string() })).await
    };
    let hearts = async || {
        let path = format!("/user/pic_dir/heartbeat/list?user_id={user}");
        test.get(&path).await.body["data"]["list"].clone()
    };
    for gallery in [a, b, a] {
        assert_eq!(heart("add", gallery).await.body["data"], json!({}));
    }
    assert_eq!(hearts().await, json!([b, a]));
    test.json_as(&other, "/user/pic_dir/delete", json!({ "pic_dir_id": b })).await;
    test.plaza.deliver().await.unwrap();
    assert_eq!(hearts().await, json!([a]));
    heart("add", b).await.refused(404, 404);
    heart("add", 7).await.refused(404, 404);
    for _ in 0..2 {
        assert_eq!(heart("remove", a).await.status, 200);
    }
    assert_eq!(hearts().await, json!([]));
}

/// However many gave it one, and though the cleaning up is broken off and done twice; others' hearts stay.
#[tokio::test]
async fn a_deleted_gallery_takes_its_hearts_along() {
    let test = Test::start().await;
    let (owner, token) = test.user("13800138001").await;
    let (gone, stays) = (create(&test, &token, "gone").await, create(&test, &token, "stays").await);
    let app = &test.plaza.app;
    for giver in 1..=250 {
        for gallery in [gone, stays] {
            app.store.give_heart(UserId(giver), GalleryId(gallery)).await.unwrap();
        }
    }
    app.store.take_heart(UserId(7), GalleryId(gone)).await.unwrap();
    app.store.take_heart(UserId(7), GalleryId(stays)).await.unwrap();
    let hearts = async |of: &str| test.items().await.into_keys().filter(|key| key.contains(of)).count();
    assert_eq!((hearts(" / H#").await, hearts("HEARTS#").await), (498, 498));
    test.json_as(&token, "/user/pic_dir/delete", json!({ "pic_dir_id": gone })).await;
    // The last part leaves the deletion of the second batch to a repeat.
    test.line.spoil("BatchWriteItem", [Fault::Unprocessed, Fault::Throttle]);
    test.plaza.deliver().await.unwrap();
    assert_eq!(test.line.unstruck(), 0);
    assert_eq!((hearts(" / H#").await, hearts("HEARTS#").await), (249, 249));
    assert!(app.store.follow_up_gallery(GalleryId(gone)).await.unwrap().is_empty());
    assert!(app.store.follow_up_gallery(GalleryId(stays)).await.unwrap().is_empty());
    assert_eq!(hearts("HEARTS#").await, 249);
    assert_eq!(app.store.hearts_of(UserId(8)).await.unwrap(), [GalleryId(stays)]);
    assert_eq!(app.store.galleries_of(UserId(owner)).await.unwrap().len(), 1);
}

/// A heart that is given in the moment in which the gallery is closed is refused, or taken away with the others.
#[tokio::test(flavor = "multi_thread")]
async fn no_heart_is_left_of_a_gallery_that_went_meanwhile() {
    let test = Arc::new(Test::start().await);
    let (owner, token) = test.user("13800138001").await;
    for _ in 0..10 {
        let gallery = GalleryId(create(&test, &token, "goes").await);
        let give = |giver: u64| {
            let test = test.clone();
            async move { drop(test.plaza.app.store.give_heart(UserId(giver), gallery).await) }
        };
        let close = {
            let test = test.clone();
            async move { drop(test.plaza.app.store.close_gallery(UserId(owner), gallery).await.unwrap()) }
        };
        let givers = (1..=8).map(|giver| Box::pin(give(giver)) as BoxFuture<'static, ()>);
        together(givers.chain([Box::pin(close) as BoxFuture<'static, ()>])).await;
        test.plaza.deliver().await.unwrap();
        let left: Vec<_> = test.items().await.into_keys().filter(|key| key.contains(" / H#")).collect();
        assert_eq!(left, Vec::<String>::new());
    }
}

async fn create_as(test: &Test, token: &str, number: usize) -> u64 {
    create(test, token, &format!("gallery {number}")).await
}

#[tokio::test]
async fn a_user_has_up_to_200_galleries() {
    let test = Test::start().await;
    let (user, token) = test.user("13800138001").await;
    let first = create(&test, &token, "first").await;
    for number in 1..200 {
        create_as(&test, &token, number).await;
    }
    // A user may make no more than that on one day, either.
    test.wait(DAY);
    test.json_as(&token, "/user/pic_dir/create", json!({"name": "one more"})).await.refused(409, 409);
    let pic = id(&upload(&test, &token, first).await);
    let detail = test.get(&format!("/user/pic/detail?pic_id={pic}")).await.body["data"].clone();
    assert_eq!(detail["pic_dir_other_list"]["count"], 199);
    assert_eq!(detail["pic_dir_other_list"]["list"].as_array().unwrap().len(), 199);
    assert_eq!(galleries(&test, user).await.len(), 200);
    test.json_as(&token, "/user/pic_dir/delete", json!({ "pic_dir_id": first })).await;
    create(&test, &token, "one more").await;
}

#[tokio::test]
async fn bad_input_gets_a_clear_refusal() {
    let test = Test::start().await;
    let (_, token) = test.user("13800138001").await;
    for (path, field) in [
        ("pic/list?limit=0", "limit"),
        ("pic/list?limit=101", "limit"),
        ("pic/list?limit=many", "limit"),
        ("pic/list?limit=-1", "limit"),
        ("pic/list?cursor=x", "cursor"),
        ("pic/list?cursor=99999999999999999999", "cursor"),
        ("pic/detail", "pic_id"),
        ("pic/detail?pic_id=1&pic_id=2", "pic_id"),
        ("pic/detail?pic_id=%2B1", "pic_id"),
        ("pic/detail?pic_id=9007199254740992", "pic_id"),
        ("pic_dir/pic/list?pic_dir_id=", "pic_dir_id"),
        ("pic_dir/list?user_id=felix", "user_id"),
        ("pic_dir/heartbeat/list?user_id=%00", "user_id"),
    ] {
        let refused = test.get(&format!("/user/{path}")).await;
        refused.refused(400, 400);
        assert!(refused.message().starts_with(field), "{path}: {}", refused.message());
    }
    for path in ["pic_dir/list?user_id=7", "pic_dir/heartbeat/list?user_id=ffffffffffffffffffffffffffffffff"] {
        test.get(&format!("/user/{path}")).await.refused(404, 404);
    }
    for name in [json!(""), json!(" "), json!("a\tb"), json!("x".repeat(65)), json!([])] {
        test.json_as(&token, "/user/pic_dir/create", json!({ "name": name })).await.refused(400, 400);
    }
    let gallery = create(&test, &token, "x").await;
    let fields = [("pic_dir_id", &*gallery.to_string())];
    test.upload(&token, "/user/pic/upload", &fields, ("image", b"GIF89a")).await.refused(200, 3300);
    test.upload(&token, "/user/pic/upload", &fields, ("image", &picture(64, 63))).await.refused(200, 3302);
    test.upload(&token, "/user/pic/upload", &fields, ("image", &[0xff; (4 << 20) + 1])).await.refused(200, 3301);
    test.upload(&token, "/user/pic/upload", &fields, ("picture", &picture(64, 64))).await.refused(400, 400);
    assert_eq!(objects(&test).await, 0);
}
