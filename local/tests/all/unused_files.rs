//! Files that nothing uses any more go by themselves, and none goes that something uses.
use serde_json::{Value, json};
use shared::domain::{DAY, MediaId, Refusal, UserId};

use crate::{
    deeds::whole,
    faults::raw,
    gallery_deeds,
    support::{Answer, Fault, Test, User, picture, together},
};

/// How long a file stays that nothing uses.
const WEEK: u64 = 7 * DAY;

/// What DynamoDB and the stream do in time.
async fn a_week_passes(test: &Test) {
    test.wait(WEEK + 1000);
    test.sweep().await;
    test.plaza.deliver().await.unwrap();
    let items = raw(test).await;
    whole(&items);
    gallery_deeds::whole(&items);
}

async fn is_served(test: &Test, id: &MediaId) -> bool {
    test.objects().await.0.contains(&format!("media/{id}"))
}

async fn publish(test: &Test, author: &User, images: &[&MediaId]) -> u64 {
    test.wait(1);
    let done = author.done(test, "article_publish", json!({"content": "the sea", "images": images})).await;
    done["article_id"].as_u64().unwrap()
}

async fn delete(test: &Test, author: &User, articles: &[u64]) {
    author.done(test, "article_del", json!({"article_id_list": articles})).await;
}

async fn avatar(test: &Test, user: &User) -> Answer {
    test.wait(1);
    test.upload(&user.token, "/user/update_avator", &[], ("image", &picture(96, 64))).await
}

#[tokio::test]
async fn an_upload_that_nobody_names_goes() {
    let test = Test::start().await;
    let anna = User::new(&test, "13800138001").await;
    let (unused, used) = (anna.uploaded(&test).await, anna.uploaded(&test).await);
    publish(&test, &anna, &[&used]).await;
    test.wait(WEEK - DAY);
    test.sweep().await;
    test.plaza.deliver().await.unwrap();
    assert!(is_served(&test, &unused).await, "not before its time");
    // Whoever tells of a record that is there tells of nothing.
    test.plaza.app.follow_up_files(&[(UserId(anna.id), used.clone())].into()).await.unwrap();
    assert!(is_served(&test, &used).await);
    // Over, though the table has not dropped it yet.
    test.wait(DAY + 1000);
    let late = test.plaza.app.store.publish_article(UserId(anna.id), "", vec![unused.clone()]).await;
    assert!(matches!(late, Err(Refusal::Conflict(_))), "{late:?}");
    a_week_passes(&test).await;
    assert_eq!((is_served(&test, &unused).await, is_served(&test, &used).await), (false, true));
    let again = anna.call(&test, "article_publish", json!({"content": "", "images": [unused]})).await;
    again.refused(400, 400);
    assert!(!test.items().await.keys().any(|key| key.contains(&unused.0)), "nothing tells of it");
}

/// However many, in whatever order their records went: by one request to the bucket, and again where that failed.
#[tokio::test]
async fn what_ends_together_goes_together() {
    let test = Test::start().await;
    let (anna, bo) = (User::new(&test, "13800138001").await, User::new(&test, "13800138002").await);
    let mut files = vec![];
    for owner in [&anna, &bo, &anna, &bo, &anna] {
        files.push(owner.uploaded(&test).await);
    }
    let kept = anna.uploaded(&test).await;
    publish(&test, &anna, &[&kept]).await;
    test.wait(WEEK + 1000);
    test.sweep().await;
    // Three tries, and the records come again.
    test.line.spoil("POST", [Fault::Broken; 3]);

    let (delivered, cost) = test.line.meter(test.plaza.deliver()).await;

    delivered.unwrap();
    let calls = |operation: &str| cost.0.iter().filter(|call| call.operation == operation).count();
    assert_eq!(["POST", "BatchWriteItem"].map(calls), [4, 2], "{cost:?}");
    assert_eq!(test.objects().await.0, [format!("media/{kept}")]);
    let items = test.items().await;
    assert!(files.iter().all(|id| !items.keys().any(|key| key.contains(&id.0))), "nothing tells of them");
}

#[tokio::test]
async fn images_of_deleted_articles_go_unless_others_show_them() {
    let test = Test::start().await;
    let anna = User::new(&test, "13800138001").await;
    let mut images = vec![];
    for _ in 0..9 {
        images.push(anna.uploaded(&test).await);
    }
    let all: Vec<_> = images.iter().collect();
    let mut articles = vec![];
    // More than one transaction takes.
    for _ in 0..20 {
        articles.push(publish(&test, &anna, &all).await);
    }
    let kept = publish(&test, &anna, &[&images[0], &images[1]]).await;
    delete(&test, &anna, &articles).await;
    // Within its time it may be used again.
    let again = publish(&test, &anna, &[&images[2]]).await;
    a_week_passes(&test).await;
    let served = async || {
        let objects = test.objects().await.0;
        images.iter().map(|image| objects.contains(&format!("media/{image}"))).collect::<Vec<_>>()
    };
    assert_eq!(served().await, [true, true, true, false, false, false, false, false, false]);
    delete(&test, &anna, &[kept, again]).await;
    a_week_passes(&test).await;
    assert_eq!(served().await, [false; 9]);
}

#[tokio::test]
async fn replaced_files_of_a_profile_go() {
    let test = Test::start().await;
    let anna = User::new(&test, "13800138001").await;
    assert_eq!(avatar(&test, &anna).await.code(), "000000");
    let first = test.objects().await.0;
    assert_eq!(avatar(&test, &anna).await.code(), "000000");
    a_week_passes(&test).await;
    let second = test.objects().await.0;
    assert_eq!(second.len(), 2, "both sizes");
    assert!(!second.iter().any(|object| first.contains(object)));

    // One upload in several places is used until it is in none.
    let (one, other) = (anna.uploaded(&test).await, anna.uploaded(&test).await);
    let patch = async |fields: Value| {
        let request = http::Request::builder().method("PATCH").header("authorization", &anna.token);
        let request = request.header("content-type", "application/json");
        let answer = test.send(request, &format!("/m_user/users/{}", anna.uid()), fields.to_string()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    };
    anna.done(&test, "my_user_info_update", json!({"avatar": one})).await;
    patch(json!({"background": one})).await;
    let article = publish(&test, &anna, &[&one]).await;
    a_week_passes(&test).await;
    assert_eq!(test.objects().await.0, [format!("media/{one}")]);
    let other = match is_served(&test, &other).await {
        true => other,
        false => anna.uploaded(&test).await,
    };
    patch(json!({"background": other, "icon": other})).await;
    a_week_passes(&test).await;
    assert!(is_served(&test, &one).await, "the article shows it");
    delete(&test, &anna, &[article]).await;
    a_week_passes(&test).await;
    assert_eq!(test.objects().await.0, [format!("media/{other}")]);
    // Somebody else's is nothing that they keep.
    let bo = User::new(&test, "13800138002").await;
    let request = http::Request::builder().method("PATCH").header("authorization", &bo.token);
    let request = request.header("content-type", "application/json");
    let answer = test.send(request, &format!("/m_user/users/{}", bo.uid()), json!({"icon": other}).to_string()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let last = anna.uploaded(&test).await;
    patch(json!({"background": last, "icon": last})).await;
    a_week_passes(&test).await;
    assert_eq!(test.objects().await.0, [format!("media/{last}")]);
}

#[tokio::test]
async fn a_picture_whose_upload_broke_off_goes() {
    let test = Test::start().await;
    let anna = User::new(&test, "13800138001").await;
    let gallery = test.plaza.app.store.create_gallery(UserId(anna.id), "sea").await.unwrap();
    let upload = async || {
        test.wait(1);
        let fields = [("pic_dir_id", &*gallery.0.to_string())];
        test.upload(&anna.token, "/user/pic/upload", &fields, ("image", &picture(96, 64))).await
    };
    assert_eq!(upload().await.code(), "0");
    test.line.spoil("TransactWriteItems", [Fault::Broken; 100]);
    upload().await.refused(503, 503);
    test.line.mend();
    assert_eq!(test.objects().await.0.len(), 2);
    a_week_passes(&test).await;
    assert_eq!(test.objects().await.0.len(), 1);
    // One that is taken out is gone at once, and its record with it.
    let shown = test.get(&format!("/user/pic_dir/pic/list?pic_dir_id={}", gallery.0)).await;
    let id = &shown.body["data"]["list"][0]["pic_id"];
    let deleted = test.json_as(&anna.token, "/user/pic/delete", json!({"pic_id": id})).await;
    assert_eq!(deleted.code(), "0", "{deleted:?}");
    assert!(!test.items().await.keys().any(|key| key.starts_with("M#")));
    a_week_passes(&test).await;
    assert!(test.objects().await.0.is_empty());
}

/// Wherever a publication stands when its image's time is over: it is refused, or shows the image.
#[tokio::test]
async fn an_image_that_comes_into_use_as_its_time_ends_stays_or_is_refused() {
    let (mut at, mut published) = (0, 0);
    loop {
        let test = Test::start().await;
        let anna = User::new(&test, "13800138001").await;
        let image = anna.uploaded(&test).await;
        let body = json!({"content": "", "images": [image]});
        let freeze = test.line.freeze_at(at);
        let week = async {
            freeze.reached().await;
            a_week_passes(&test).await;
            freeze.thaw();
        };
        let publishing = anna.call(&test, "article_publish", body);
        tokio::pin!(publishing, week);
        let (answer, was_frozen) = tokio::select! {
            biased;
            answer = &mut publishing => (answer, false),
            () = &mut week => (publishing.await, true),
        };
        let is_published = answer.code() == "0";
        assert!(is_published || ["400", "401", "409"].contains(&&*answer.code()), "{at}: {answer:?}");
        test.plaza.deliver().await.unwrap();
        assert_eq!(is_served(&test, &image).await, is_published, "{at}: {answer:?}");
        whole(&raw(&test).await);
        if !was_frozen {
            assert!(is_published);
            break;
        }
        published += usize::from(is_published);
        at += 1;
    }
    assert!(at >= 4 && published < at, "{published} of {at}");
}

/// Those that use an image come and go all at once: it stays as long as one is left.
#[tokio::test(flavor = "multi_thread")]
async fn articles_with_one_image_come_and_go_at_once() {
    let test = std::sync::Arc::new(Test::start().await);
    let anna = User::new(&test, "13800138001").await;
    let (image, owner) = (anna.uploaded(&test).await, UserId(anna.id));
    let mut left = vec![];
    for round in 0..10 {
        let going: Vec<_> = std::mem::take(&mut left);
        let goes = going.into_iter().map(|article| (Some(article), test.clone(), image.clone()));
        let comes = (0..4).map(|_| (None, test.clone(), image.clone()));
        let work = goes.chain(comes).map(|(going, test, image)| async move {
            let store = &test.plaza.app.store;
            match going {
                Some(article) => store.delete_articles(owner, &[article].into()).await.map(|()| None),
                None => store.publish_article(owner, "the sea", vec![image]).await.map(Some),
            }
        });
        left = together(work).await.into_iter().filter_map(Result::unwrap).collect();
        test.wait(1);
        whole(&raw(&test).await);
        assert_eq!(left.len(), 4, "{round}");
    }
    a_week_passes(&test).await;
    assert!(is_served(&test, &image).await);
    test.plaza.app.store.delete_articles(owner, &left.into_iter().collect()).await.unwrap();
    a_week_passes(&test).await;
    assert!(!is_served(&test, &image).await);
}

#[tokio::test]
async fn an_image_is_in_a_hundred_articles_at_most() {
    let test = Test::start().await;
    let anna = User::new(&test, "13800138001").await;
    let image = anna.uploaded(&test).await;
    let mut last = None;
    for _ in 0..100 {
        test.wait(1);
        let store = &test.plaza.app.store;
        last = Some(store.publish_article(UserId(anna.id), "the sea", vec![image.clone()]).await.unwrap());
    }
    let body = json!({"content": "", "images": [image]});
    let refused = anna.call(&test, "article_publish", body.clone()).await;
    refused.refused(409, 409);
    delete(&test, &anna, &[last.unwrap().0]).await;
    anna.done(&test, "article_publish", body).await;
}
