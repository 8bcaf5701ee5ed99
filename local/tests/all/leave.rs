//! A user leaves: at once for everybody, then without a trace, whoever does what meanwhile and whatever breaks off.
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use futures_util::{StreamExt as _, stream};
use http::{Method, Request};
use local::{
    ACTING,
    model::{Limits, Model},
};
use serde_json::{Value, json};
use shared::{
    App,
    domain::{
        ArticleId, ClothId, CommentId, DAY, Followee, GalleryId, GameId, MINUTE, MasterId, MerchantId, Password,
        Refusal, Side, Subject, SubjectKind, TicketId, UserId,
    },
    outside::aws,
    store::{Changes, Game, Gift, Mark, SignUp, Trace, Vote, keys},
};

use crate::{
    deeds::{self, image},
    faults::{self, Items, raw},
    gallery_deeds,
    masters::{batch, cloth, master, merchant, project},
    support::{Answer, Chance, Fault, Gate, Test, User, picture, together},
};

const ANNAS_PHONE: &str = "13800138001";
const BOS_PHONE: &str = "13800138002";
const CLEOS_PHONE: &str = "13800138003";
const DEVICE: &str = "device-of-a-member-1";
/// Before what is left behind goes.
const SETTLED: u64 = 2 * MINUTE;
const SHORT: &str = "where?";

/// Bo, who has done everything, with Anna and Cleo.
struct Scene {
    test: Test,
    anna: User,
    bo: User,
    cleo: User,
    annas_article: ArticleId,
    bos_article: ArticleId,
    bos_gallery: GalleryId,
    /// Of Anna's, under her article.
    annas_comment: CommentId,
    /// Anna's answers to Bo.
    answers: Vec<CommentId>,
    /// The bucket's objects that are Bo's.
    his_objects: BTreeSet<String>,
    paid: u64,
}

fn user(user: &User) -> UserId {
    UserId(user.id)
}

impl Scene {
    async fn new() -> Self {
        let test = Test::start().await;
        let (app, store) = (&test.plaza.app, &test.plaza.app.store);
        store.import(&master(1), false).await.unwrap();
        store.import(&merchant(1), false).await.unwrap();
        store.import(&project(1, 1), false).await.unwrap();
        store.import_tickets(&batch(101, 10, 1), false).await.unwrap();
        store.import(&cloth(8, None), false).await.unwrap();
        store.import(&cloth(9, Some(1)), false).await.unwrap();
        let anyones = shared::domain::MediaId("e4cbdd56-855a-41ee-bcb6-5785abdd6148.jpeg".into());
        let game =
            Game { game_id: GameId(7), name: "Gates".into(), image: anyones, intro: "".into(), recommended: false };
        store.import(&game, false).await.unwrap();
        let anna = User::new(&test, ANNAS_PHONE).await;
        let cleo = User::new(&test, CLEOS_PHONE).await;

        // What is Anna's.
        let annas_image = image(&test, user(&anna)).await;
        let article = async |author: &User, text: &str, images| {
            test.wait(1);
            store.publish_article(user(author), text, images).await.unwrap()
        };
        let annas_article = article(&anna, "the sea", vec![annas_image]).await;
        let annas_gallery = gallery(&test, &anna, 1).await;
        let before = objects(&test).await;

        // Bo comes, by phone, and says who he is.
        let bo = User::new(&test, BOS_PHONE).await;
        let his_image = bo.uploaded(&test).await;
        let me = json!({"nickname": "Boris", "email": "bo@example.com", "intro": "hi", "avatar": his_image});
        bo.done(&test, "my_user_info_update", me).await;
        for _ in 0..2 {
            let avatar = test.upload(&bo.token, "/user/update_avator", &[], ("image", &picture(96, 64))).await;
            assert_eq!(avatar.code(), "000000", "{avatar:?}");
        }
        test.log_in(BOS_PHONE, "wrong1").await.refused(200, 3100);
        let token = test.token(BOS_PHONE).await;
        test.json("/user_logout", json!({"token": token})).await;
        let tied = by_device(&test, Some(&bo.token)).await;
        assert_eq!(tied.status, 200, "{tied:?}");

        let long = "long ".repeat(200);
        let bos_article = article(&bo, "the hills", vec![his_image]).await;
        article(&bo, &long, vec![]).await;
        article(&bo, "gone before", vec![]).await;
        let bos_gallery = gallery(&test, &bo, 2).await;
        gallery(&test, &bo, 0).await;

        // Everybody to everybody.
        let both = [(&bo, annas_article, annas_gallery), (&anna, bos_article, bos_gallery)];
        for (who, theirs, gallery) in both {
            for mark in [Mark::Like, Mark::Collect] {
                test.wait(1);
                store.mark(mark, user(who), theirs).await.unwrap();
            }
            store.give_heart(user(who), gallery).await.unwrap();
        }
        let comment = async |who: &User, on: Subject, text: &str, to: Option<CommentId>| {
            test.wait(1);
            store.publish_comment(user(who), on, text, to.map(|to| (to, None))).await.unwrap()
        };
        let (hers, his) = (Subject::from(annas_article), Subject::from(bos_article));
        let annas_comment = comment(&anna, hers, SHORT, None).await;
        let bos_comment = comment(&bo, hers, "there", None).await;
        comment(&bo, hers, &long, Some(annas_comment)).await;
        let mut answers = vec![comment(&anna, hers, "ah", Some(bos_comment)).await];
        // Both what it answers and the thread's beginning are Bo's; Bo has deleted what it answers.
        let deleted = comment(&bo, hers, "no", Some(answers[0])).await;
        answers.push(comment(&cleo, hers, "why?", Some(deleted)).await);
        store.delete_comments(user(&bo), SubjectKind::Article, &[deleted].into()).await.unwrap();
        comment(&anna, his, "and here?", None).await;
        comment(&bo, his, "here", None).await;
        for on in [Subject::Game(GameId(7)), Subject::Ticket(TicketId(101))] {
            comment(&anna, on, SHORT, None).await;
            comment(&bo, on, "there", None).await;
        }
        store.vote_on_comment(user(&bo), SubjectKind::Article, annas_comment, Vote::Up).await.unwrap();
        store.vote_on_comment(user(&cleo), SubjectKind::Article, annas_comment, Vote::Down).await.unwrap();
        store.vote_on_comment(user(&anna), SubjectKind::Article, bos_comment, Vote::Up).await.unwrap();
        let going = comment(&anna, hers, "going", None).await;
        store.vote_on_comment(user(&bo), SubjectKind::Article, going, Vote::Up).await.unwrap();
        store.delete_comments(user(&anna), SubjectKind::Article, &[going].into()).await.unwrap();
        for (mark, on) in [
            (Mark::Like, Subject::Game(GameId(7))),
            (Mark::Collect, Subject::Game(GameId(7))),
            (Mark::Collect, Subject::Cloth(ClothId(8))),
            (Mark::Collect, Subject::Cloth(ClothId(9))),
        ] {
            for who in [&anna, &bo] {
                test.wait(1);
                store.mark(mark, user(who), on).await.unwrap();
            }
        }
        let (master, merchant) = (Followee::from(MasterId(1)), Followee::from(MerchantId(1)));
        for (who, whom) in [
            (&bo, user(&anna).into()),
            (&bo, user(&cleo).into()),
            (&bo, master),
            (&bo, merchant),
            (&anna, user(&bo).into()),
            (&cleo, user(&bo).into()),
            (&anna, user(&cleo).into()),
            (&anna, master),
        ] {
            test.wait(1);
            store.follow(user(who), whom).await.unwrap();
        }
        for (id, to, from) in [("1", &anna, &bo), ("2", &bo, &anna)] {
            let gift = Gift { id, to: user(to), from: user(from), code: "rose", count: 2, value: 200 };
            assert!(store.give_gift(&gift).await.unwrap());
        }
        assert!(store.grant_vip("1", user(&bo), 30).await.unwrap());
        let as_bo = async |path: &str, body: Value| {
            let answer = test.json_as(&bo.token, path, body).await;
            assert_eq!(answer.status, 200, "{answer:?}");
        };
        as_bo("/m_user/feedbacks", json!({"content": "More tea."})).await;
        as_bo("/m_user/user_tracks", json!({"lng": 116.4, "lat": 39.9})).await;

        // Letters, one of which Bo has deleted.
        let write = async |from: &User, to: Side, text: &str| {
            test.wait(1);
            store.send_message(user(from), to, text).await.unwrap()
        };
        let (to_anna, to_bo) = (Side::User(user(&anna)), Side::User(user(&bo)));
        write(&bo, to_anna, "are you there?").await;
        write(&anna, to_bo, "yes").await;
        let deleted = write(&bo, to_anna, "good").await;
        store.delete_messages(user(&bo), &[deleted].into()).await.unwrap();
        write(&bo, to_anna, &long).await;
        write(&bo, Side::Master(MasterId(1)), "a seat?").await;

        // An order that is paid, one that is cancelled, one that waits, and a cart.
        let order = async |ticket: u64, key: Option<&str>| {
            test.wait(1);
            store.place_order(user(&bo), &[TicketId(ticket)], false, key).await.unwrap()
        };
        let paid = order(102, None).await;
        app.pay_order(user(&bo), paid).await.unwrap();
        store.cancel_order(user(&bo), order(103, None).await).await.unwrap();
        order(104, Some("key")).await;
        store.add_to_cart(user(&bo), TicketId(105)).await.unwrap();
        test.plaza.deliver().await.unwrap();
        // A feed that was trimmed.
        trimmed(&test, user(&bo)).await;
        let his_objects = objects(&test).await.difference(&before).cloned().collect();
        let scene = Self {
            anna,
            bo,
            cleo,
            annas_article,
            bos_article,
            bos_gallery,
            annas_comment,
            answers,
            his_objects,
            paid: paid.0,
            test,
        };
        scene.is_whole().await;
        scene
    }

    fn app(&self) -> &Arc<App> {
        &self.test.plaza.app
    }

    async fn is_whole(&self) {
        let items = raw(&self.test).await;
        deeds::whole(&items);
        gallery_deeds::whole(&items);
    }

    async fn bo_leaves(&self) -> Answer {
        self.test.wait(MINUTE);
        let code = self.test.code(BOS_PHONE).await;
        self.bo.call(&self.test, "user_erase", json!({"code": code})).await
    }

    /// A minute later, and until nothing is left to do.
    async fn everything_goes(&self) {
        self.test.wait(SETTLED);
        erase_all(&self.test).await;
        self.test.plaza.deliver().await.unwrap();
    }

    /// Nothing tells of Bo any more, but the books: neither the table nor the bucket. Everybody else has what is theirs,
    /// and every count is a recount.
    async fn is_without_a_trace(&self) {
        self.test.wait(DAY);
        erase_all(&self.test).await;
        self.test.plaza.deliver().await.unwrap();
        self.is_whole().await;
        // What ends by itself.
        self.test.wait(2 * DAY);
        let items = unexpired(&self.test).await;
        let (decimal, hex) = (self.bo.id.to_string(), self.bo.uid());
        let names = [&*decimal, &*hex, "Boris", "bo@example.com", BOS_PHONE];
        assert_eq!(traces(&self.test, &names).await, [""; 0]);
        let books = items.keys().filter(|key| key.starts_with(&format!("U#{:016}", self.bo.id))).count();
        // Three orders with their tickets, and what became of them.
        assert_eq!(books, 9, "{:#?}", items.keys());
        assert!(items[&format!("U#{:016} / ORDER#{:016}", self.bo.id, self.paid)]["standing"] == "paid");
        let left = objects(&self.test).await;
        assert!(left.is_disjoint(&self.his_objects), "{left:?}");
        assert!(!left.is_empty(), "Anna's pictures are hers");
        self.others_have_theirs().await;
    }

    /// Nowhere a name, a hole or a 500, however much of Bo is still there.
    async fn nobody_sees_bo(&self) {
        let Self { test, anna, .. } = self;
        let lists = [
            ("article_list", json!({})),
            ("article_comment_list", json!({"article_id": self.annas_article.0})),
            ("article_comment_list", json!({"article_id": self.bos_article.0})),
            ("article_detail", json!({"article_id": self.annas_article.0})),
            ("my_follower", json!({})),
            ("my_following_users", json!({})),
            ("my_article_collect_list", json!({})),
            ("following_article_list", json!({})),
            ("my_message_center", json!({})),
            ("game_comment_list", json!({"game_id": 7})),
            ("ticket_comment_list", json!({"ticket_id": 101})),
        ];
        for (list, body) in lists {
            // His article is there until it is his turn to be nowhere.
            let may_be_gone = body["article_id"] == self.bos_article.0;
            let answer = anna.call(test, list, body).await;
            let code = answer.code();
            assert!(code == "0" || may_be_gone && code == "404", "{list}: {answer:?}");
            let shown = answer.body.to_string();
            assert!(!shown.contains("Boris") && !shown.contains("the hills"), "{list}: {shown}");
            for entry in answer.body[list].as_array().into_iter().flatten() {
                assert_ne!((entry.is_null(), entry.get("author")), (false, Some(&Value::Null)), "{list}: {shown}");
            }
        }
    }

    async fn others_have_theirs(&self) {
        let Self { test, anna, cleo, .. } = self;
        let detail = anna.done(test, "article_detail", json!({"article_id": self.annas_article.0})).await;
        let detail = &detail["article_detail"];
        let comments = detail["comment_list"].as_array().unwrap();
        let texts: Vec<_> = comments.iter().map(|comment| comment["content"].as_str().unwrap()).collect();
        assert_eq!(texts, ["why?", "ah", SHORT]);
        // Nobody is answered, by whichever name.
        for comment in &comments[..2] {
            assert_eq!(comment["reply_author"], Value::Null, "{comment:#}");
            assert_eq!((&comment["reply_uid"], &comment["first_reply_uid"]), (&Value::Null, &Value::Null));
        }
        assert_eq!((&comments[2]["up_count"], &comments[2]["down_count"]), (&json!(0), &json!(1)));
        for count in ["like_count", "collect_count"] {
            assert_eq!(detail[count], 0, "{detail:#}");
        }
        let me = &anna.done(test, "my_user_info", json!({})).await["my_user_info"];
        assert_eq!((&me["follow_count"], &me["follower_count"]), (&json!(1), &json!(0)), "{me:#}");
        assert_eq!(anna.list(test, "my_following_users", json!({}), "uid").await, [json!(cleo.uid())]);
        assert_eq!(cleo.list(test, "following_article_list", json!({}), "content").await, [""; 0]);
        assert_eq!(cleo.list(test, "article_list", json!({}), "content").await, ["the sea"]);
        // Whom Bo wrote to keeps what they got, from nobody.
        let center = anna.done(test, "my_message_center", json!({})).await;
        let conversation = &center["my_message_center"][0];
        assert_eq!((&conversation["type"], &conversation["user"]), (&json!("user"), &Value::Null), "{conversation:#}");
        assert_eq!(conversation["last_message"]["from_id"], Value::Null);
        let messages = anna.list(test, "my_message", json!({"to_id": self.bo.uid()}), "content").await;
        assert_eq!(messages, [&*"long ".repeat(200), "good", "yes", "are you there?"]);
        let ticket = anna.done(test, "ticket_list", json!({"project_id": 1})).await;
        // All but what was paid for.
        assert_eq!(ticket["ticket_list"].as_array().unwrap().len(), 9);
    }
}

/// The table without what has ended by itself.
async fn unexpired(test: &Test) -> faults::Items {
    let mut items = raw(test).await;
    let ends = |value: &Value| value.as_str().unwrap().parse::<u64>().unwrap() * 1000;
    items.retain(|_, fields| fields.get("expires_at").is_none_or(|end| ends(end) > test.now()));
    items
}

/// What tells of somebody by one of these names, but for the books and what others keep of conversations.
async fn traces(test: &Test, names: &[&str]) -> Vec<String> {
    let items = unexpired(test).await.into_iter();
    let is_book = |key: &str| {
        ["ORDER#", "GIVEN#", "GRANTED#", "MESSAGE#", "INBOX#"].iter().any(|kind| key.starts_with(kind))
            || keys::BOOKS.iter().any(|book| key.contains(&format!(" / {book}")))
            || [keys::CHAT, keys::LAST_MESSAGE, "TALK#"].iter().any(|of| key.contains(&format!(" / {of}")))
    };
    let told = items.filter(|(key, _)| !is_book(key)).map(|(key, fields)| format!("{key} {}", json!(fields)));
    told.filter(|text| names.iter().any(|name| text.contains(name))).collect()
}

/// A user's gallery with so many pictures.
async fn gallery(test: &Test, owner: &User, pictures: usize) -> GalleryId {
    test.wait(1);
    let id = test.plaza.app.store.create_gallery(user(owner), "sea").await.unwrap();
    let fields = [("pic_dir_id", &*id.0.to_string())];
    for _ in 0..pictures {
        test.wait(1);
        let uploaded = test.upload(&owner.token, "/user/pic/upload", &fields, ("image", &picture(96, 64))).await;
        assert_eq!(uploaded.code(), "0", "{uploaded:?}");
    }
    id
}

async fn objects(test: &Test) -> BTreeSet<String> {
    test.objects().await.0.into_iter().collect()
}

/// That a feed of a user's was trimmed.
async fn trimmed(test: &Test, of: UserId) {
    let key = keys::feed_head(keys::Feed::Articles, of);
    let floor = AttributeValue::S("0000000000000001".into());
    let update = test.table().update_item().table_name("plaza").set_key(Some(key.into()));
    update.update_expression("SET floor = :floor").expression_attribute_values(":floor", floor).send().await.unwrap();
}

async fn by_device(test: &Test, token: Option<&str>) -> Answer {
    let request = Request::builder().method(Method::POST).header("x-device-id", DEVICE);
    let request = token.into_iter().fold(request, |request, token| request.header("authorization", token));
    test.send(request, "/m_user/login", "").await
}

/// Runs the schedule's function as often as it takes, as a minute later each time.
async fn erase_all(test: &Test) {
    for _ in 0..50 {
        let answer = run(test).await;
        assert_eq!(answer.failed, 0, "{answer:?}");
        if answer == leaving::Answer::default() {
            return;
        }
        test.wait(MINUTE);
    }
    panic!("it never ends");
}

async fn run(test: &Test) -> leaving::Answer {
    ACTING.scope("leaving", leaving::handle(&test.plaza.app, u64::MAX)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_is_gone_at_once_and_leaves_no_trace() {
    let scene = Scene::new().await;
    let Scene { test, anna, bo, .. } = &scene;
    bo.call(test, "user_erase", json!({})).await.refused(400, 400);
    test.wait(MINUTE);
    test.code(BOS_PHONE).await;
    bo.call(test, "user_erase", json!({"code": "000000"})).await.refused(200, 3200);
    let done = scene.bo_leaves().await;
    assert_eq!(done.body, json!({"code": 0}));

    // In every document.
    for (path, method) in
        [("/my_user_info", Method::POST), ("/user_erase", Method::POST), ("/user/get_user_info", Method::GET)]
    {
        let request = Request::builder().method(method).header("authorization", &bo.token);
        test.send(request, path, "{}").await.refused(401, 401);
    }
    by_device(test, None).await.refused(400, 1001);
    by_device(test, Some(&bo.token)).await.refused(401, 401);
    for account in [BOS_PHONE, "bo@example.com"] {
        test.log_in(account, "abcd1234").await.refused(200, 3100);
    }
    anna.call(test, "user_info", json!({"to_uid": bo.uid()})).await.refused(404, 404);
    anna.call(test, "user_info", json!({"phone": BOS_PHONE})).await.refused(404, 404);
    let dora = User::new(test, "13800138004").await;
    dora.call(test, "user_follow", json!({"to_uid": bo.uid()})).await.refused(404, 404);
    anna.call(test, "article_detail", json!({"article_id": scene.bos_article.0})).await.refused(404, 404);
    for path in ["users/ID", "users/ID/homepage", "user_chat_media?chat_type=video_chat&user_id=ID"] {
        let request = Request::builder().header("authorization", &anna.token);
        let path = format!("/m_user/{}", path.replace("ID", &bo.uid()));
        test.send(request, &path, "").await.refused(404, 404);
    }
    for list in ["pic_dir/list", "pic_dir/heartbeat/list"] {
        test.get(&format!("/user/{list}?user_id={}", bo.id)).await.refused(404, 404);
    }
    scene.nobody_sees_bo().await;
    let homepage = Request::builder().header("authorization", &anna.token);
    let homepage = test.send(homepage, &format!("/m_user/users/{}/homepage", anna.uid()), "").await;
    assert_eq!((homepage.status.as_u16(), &homepage.body["her_gifts"]), (200, &json!([])));

    // The phone is a new user's, who has nothing of Bo's, and keeps what is theirs.
    test.wait(MINUTE);
    let (again, token) = test.user(BOS_PHONE).await;
    assert_ne!(again, bo.id);
    assert_eq!(by_device(test, Some(&token)).await.status, 200);
    let new = User { id: again, token };
    new.done(test, "my_user_info_update", json!({"email": "bo@example.com"})).await;
    scene.everything_goes().await;
    assert_eq!(by_device(test, None).await.body["id"], new.uid());
    assert_eq!(test.log_in("bo@example.com", "abcd1234").await.code(), "1000");
    // Who comes by the same phone is found by it: to look for traces, they leave as well.
    test.wait(MINUTE);
    let code = test.code(BOS_PHONE).await;
    new.done(test, "user_erase", json!({"code": code})).await;
    scene.everything_goes().await;
    scene.is_without_a_trace().await;
}

/// By which way they came: what led to them is free.
#[tokio::test]
async fn every_name_is_free_again() {
    let test = Test::start().await;
    let store = &test.plaza.app.store;
    let password = || shared::domain::StoredPassword::hash(&Password::typed("abcd1234"), [7; 16]).unwrap();
    let third = || SignUp::ThirdParty("qq", "openid".into());
    let device = || SignUp::Device(shared::domain::DeviceId::parse(DEVICE).unwrap());
    for (by, with_password) in [
        (third as fn() -> SignUp, false),
        (device, false),
        (|| SignUp::Name("boris".into()), true),
        (|| SignUp::Review("boris".into()), true),
    ] {
        let password = || with_password.then(password);
        test.wait(1);
        let first = store.create_user(&by(), password(), Changes::default()).await.unwrap().id;
        let again = store.create_user(&by(), password(), Changes::default()).await;
        assert!(matches!(again, Err(Refusal::Conflict(_))), "{again:?}");
        let app = &test.plaza.app;
        let token = app.new_token(&store.log_in_vouched(first).await.unwrap()).unwrap().0;
        let bo = User { id: first.0, token };
        if with_password {
            bo.call(&test, "user_erase", json!({})).await.refused(400, 400);
            bo.call(&test, "user_erase", json!({"password": "abcd1235"})).await.refused(200, 3100);
        }
        bo.done(&test, "user_erase", json!({"password": "abcd1234"})).await;
        test.wait(1);
        store.create_user(&by(), password(), Changes::default()).await.unwrap();
        test.wait(SETTLED);
        erase_all(&test).await;
        // It is the new one's.
        assert!(store.create_user(&by(), password(), Changes::default()).await.is_err());
    }
    let five = store.create_user(&SignUp::Name("five".into()), Some(password()), Changes::default()).await.unwrap().id;
    let token = test.plaza.app.new_token(&store.log_in_vouched(five).await.unwrap()).unwrap().0;
    for _ in 0..5 {
        test.json_as(&token, "/user_erase", json!({"password": "wrong1"})).await.refused(200, 3100);
    }
    test.json_as(&token, "/user_erase", json!({"password": "abcd1234"})).await.refused(200, 3101);
}

/// An operator erases; a repeat changes nothing.
#[tokio::test]
async fn an_operator_erases_a_user() {
    let scene = Scene::new().await;
    let record = json!({"records": [{"kind": "user_erase", "user_id": scene.bo.uid()}]});
    for (imported, unchanged) in [(1, 0), (0, 1)] {
        let answer = scene.test.json("/_local/catalog", record.clone()).await;
        assert_eq!(answer.body, json!({"imported": imported, "unchanged": unchanged, "refused": []}));
    }
    scene.bo.call(&scene.test, "my_user_info", json!({})).await.refused(401, 401);
    scene.everything_goes().await;
    scene.is_without_a_trace().await;
}

/// Nothing brings back what ends all tokens, or there would be one again that ends none.
#[tokio::test]
async fn what_was_on_its_way_brings_nothing_back() {
    let test = Test::start().await;
    let (app, gate) = (test.plaza.app.clone(), Gate::default());
    let password = shared::domain::StoredPassword::hash(&Password::typed("abcd1234"), [7; 16]).unwrap();
    type Way = fn(Arc<App>, String) -> futures_util::future::BoxFuture<'static, ()>;
    let ways: [Way; 3] = [
        |app, _| {
            Box::pin(async move {
                let account = shared::domain::Account::Name("boris".into());
                let in_vain = app.store.log_in_by_password(&account, Password::typed("abcd1234")).await;
                assert!(matches!(in_vain, Ok(_) | Err(Refusal::WrongPassword)), "{:?}", in_vain.err());
            })
        },
        |app, _| {
            Box::pin(async move {
                let account = shared::domain::Account::Name("boris".into());
                let in_vain = app.store.log_in_by_password(&account, Password::typed("abcd1235")).await;
                assert_eq!(in_vain.err(), Some(Refusal::WrongPassword));
            })
        },
        |app, token| {
            Box::pin(async move {
                let token = app.keys().unwrap().verify(&token, app.system.now()).unwrap();
                app.store.end_session(&token).await.unwrap();
            })
        },
    ];
    for way in ways {
        for calls in 0..4 {
            test.wait(MINUTE);
            let by = SignUp::Name("boris".into());
            let id = app.store.create_user(&by, Some(password.clone()), Changes::default()).await.unwrap().id;
            let token = app.new_token(&app.store.log_in_vouched(id).await.unwrap()).unwrap().0;
            let bo = User { id: id.0, token };
            test.line.hold_at(Some(gate.clone()));
            let mut work = gate.work(way(app.clone(), bo.token.clone()));
            let mut is_over = false;
            for _ in 0..calls {
                is_over = is_over || work.step().await.is_some();
            }
            test.line.hold_at(None);
            app.store.leave(user(&bo), None).await.unwrap();
            while !is_over {
                is_over = work.step().await.is_some();
            }
            let key = format!("U#{:016} / AUTH", bo.id);
            assert!(!test.items().await.contains_key(&key), "after {calls} calls");
            bo.call(&test, "my_user_info", json!({})).await.refused(401, 401);
        }
    }
}

/// Others like, collect, follow and comment while a user leaves and is erased.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_others_do_meanwhile_their_counts_are_exact() {
    let scene = Arc::new(Scene::new().await);
    let others = (0..6_u64).map(|number| {
        let scene = scene.clone();
        async move {
            let store = &scene.app().store;
            let someone = SignUp::ThirdParty("qq", format!("openid-{number}"));
            let someone = store.create_user(&someone, None, Changes::default()).await.unwrap().id;
            for round in 0..12 {
                let done = [
                    store.follow(someone, user(&scene.bo)).await,
                    store.mark(Mark::Like, someone, scene.bos_article).await,
                    store.mark(Mark::Collect, someone, scene.bos_article).await,
                    store.publish_comment(someone, scene.bos_article, "oh", None).await.map(drop),
                    store.publish_comment(someone, scene.annas_article, "oh", None).await.map(drop),
                    store
                        .publish_comment(someone, scene.annas_article, "oh", Some((scene.answers[0], None)))
                        .await
                        .map(drop),
                    store.mark(Mark::Like, someone, scene.annas_article).await,
                    store.unmark(Mark::Like, someone, scene.annas_article).await,
                    store.give_heart(someone, scene.bos_gallery).await,
                    store.vote_on_comment(someone, SubjectKind::Article, scene.annas_comment, Vote::Up).await,
                    if round % 2 == 0 { Ok(()) } else { store.unfollow(someone, user(&scene.bo)).await },
                ];
                for outcome in done {
                    assert!(matches!(outcome, Ok(()) | Err(Refusal::NoSuch(_) | Refusal::Unavailable)), "{outcome:?}");
                }
            }
        }
    });
    let leaving = async {
        tokio::time::sleep(std::time::Duration::from_millis(30)).await;
        assert!(scene.app().store.leave(user(&scene.bo), None).await.unwrap());
        assert!(!scene.app().store.leave(user(&scene.bo), None).await.unwrap());
        scene.test.wait(SETTLED);
        loop {
            if run(&scene.test).await.erased > 0 {
                break;
            }
            scene.test.wait(MINUTE);
        }
    };
    tokio::join!(together(others), leaving);
    scene.test.plaza.deliver().await.unwrap();
    scene.test.wait(DAY + 2 * MINUTE);
    erase_all(&scene.test).await;
    scene.test.plaza.deliver().await.unwrap();
    scene.is_whole().await;
    scene.test.wait(2 * DAY);
    assert_eq!(traces(&scene.test, &[&scene.bo.id.to_string()]).await, [""; 0]);
}

/// A comment that named them before they left, and is there only when all others that do are gone.
#[tokio::test]
async fn what_comes_late_is_found_by_the_last_look() {
    let scene = Scene::new().await;
    let store = &scene.app().store;
    let answer = Some((scene.answers[0], None));
    // It has read what it answers, and is about to be written.
    let freeze = scene.test.line.freeze_at(1);
    let late = store.publish_comment(user(&scene.anna), scene.annas_article, "oh", answer);
    let erasing = async {
        freeze.reached().await;
        assert!(store.leave(user(&scene.bo), None).await.unwrap());
        scene.test.wait(SETTLED);
        let is_of_bucket = |trace: &Trace| matches!(trace, Trace::Galleries | Trace::Files | Trace::Export);
        for trace in Trace::ALL.into_iter().filter(|trace| !is_of_bucket(trace) && *trace != Trace::Rest) {
            while store.erase_some(user(&scene.bo), trace).await.unwrap() {}
        }
        freeze.thaw();
    };
    let (late, ()) = tokio::join!(late, erasing);
    let late = late.unwrap().0;
    let answer = format!("U#{:016} / ANSWER#{late:016}", scene.bo.id);
    let comment = format!("A#{:016} / COMMENT#{late:016}", scene.annas_article.0);
    let names_bo = |items: &Items| format!("{:?}", items[&comment]).contains(&scene.bo.id.to_string());

    while store.erase_some(user(&scene.bo), Trace::Rest).await.unwrap() {}

    let items = raw(&scene.test).await;
    assert!(names_bo(&items) && items.contains_key(&answer), "what leads to the comment");
    scene.everything_goes().await;
    let items = raw(&scene.test).await;
    assert!(!names_bo(&items) && !items.contains_key(&answer));
}

/// Dies at any call, before it was done or after, again and again: what is left is done in the end, and done once.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_breaks_off_is_gone_on_with() {
    for seed in 0..6 {
        let mut chance = Chance(seed);
        let scene = Scene::new().await;
        assert!(scene.app().store.leave(user(&scene.bo), None).await.unwrap());
        scene.test.wait(SETTLED);
        let gate = Gate::default();
        scene.test.line.hold_at(Some(gate.clone()));
        let mut lives = 0;
        loop {
            lives += 1;
            let app = scene.app().clone();
            let mut work = gate.work(async move { ACTING.scope("leaving", leaving::handle(&app, u64::MAX)).await });
            let mut answer = None;
            // Long enough to find what is left; the longer the more often it died.
            for _ in 0..24 + chance.below(20) {
                answer = work.step().await;
                if answer.is_some() {
                    break;
                }
            }
            match answer {
                Some(answer) => {
                    // None where it died when all was done.
                    assert!(answer.erased <= 1 && answer.begun + answer.failed == 0, "{answer:?}");
                    break;
                }
                None if chance.below(2) == 0 => work.die().await,
                None => work.die_after_step().await,
            }
            scene.test.line.hold_at(None);
            scene.nobody_sees_bo().await;
            scene.test.plaza.deliver().await.unwrap();
            scene.test.line.hold_at(Some(gate.clone()));
        }
        scene.test.line.hold_at(None);
        println!("seed {seed}: {lives} lives");
        assert!(lives > 2);
        scene.test.plaza.deliver().await.unwrap();
        scene.is_without_a_trace().await;
    }
}

/// Calls meet others, are throttled, lost, or done by half, one of three: nothing is left behind, and nothing done twice.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_fails_on_the_way_is_done_once() {
    use Fault::{AnswerLost, Broken, Conflict, Throttle, Unprocessed};
    let scene = Scene::new().await;
    assert!(scene.app().store.leave(user(&scene.bo), None).await.unwrap());
    scene.test.wait(SETTLED);
    let line = &scene.test.line;
    let mut chance = Chance(1);
    for (operation, kinds) in [
        ("TransactWriteItems", [Conflict, Throttle, AnswerLost, Broken]),
        ("BatchWriteItem", [Unprocessed, Throttle, AnswerLost, Broken]),
    ] {
        let faults: Vec<_> = (0..60).map(|_| kinds.get(chance.below(12)).copied()).collect();
        line.spoil(operation, faults);
    }
    let mut failed = 0;
    for _ in 0..50 {
        let answer = run(&scene.test).await;
        failed += answer.failed;
        if answer == leaving::Answer::default() {
            break;
        }
        // What failed is due a minute after all others.
        scene.test.wait(2 * MINUTE);
    }
    println!("{failed} turns failed, {} faults have not struck", line.unstruck());
    line.mend();
    scene.test.plaza.deliver().await.unwrap();
    scene.is_without_a_trace().await;
}

/// A charge whose outcome is not known is settled first.
#[tokio::test]
async fn a_payment_under_way_keeps_its_order() {
    let scene = Scene::new().await;
    let store = &scene.app().store;
    scene.test.wait(1);
    let order = store.place_order(user(&scene.bo), &[TicketId(106)], false, None).await.unwrap();
    let charged = store.begin_charge(user(&scene.bo), order).await.unwrap().unwrap();
    assert!(store.leave(user(&scene.bo), None).await.unwrap());
    scene.test.wait(SETTLED);
    let answer = run(&scene.test).await;
    assert_eq!((answer.erased, answer.begun), (0, 1));
    store.charge_approved(&charged).await.unwrap();
    scene.test.wait(MINUTE);
    assert_eq!(run(&scene.test).await.erased, 1);
    let items = raw(&scene.test).await;
    let order = &items[&format!("U#{:016} / ORDER#{:016}", scene.bo.id, order.0)];
    assert_eq!(order["standing"], "paid");
    assert!(!items.contains_key(&format!("U#{:016} / PENDING", scene.bo.id)));
}

/// The file that a user gets, fetched by the link that they are answered.
async fn told(scene: &Scene) -> Value {
    let Scene { test, bo, .. } = scene;
    test.wait(MINUTE);
    let code = json!({"code": test.code(BOS_PHONE).await});
    let ready = bo.done(test, "user_export", code.clone()).await;
    assert_eq!(ready["status"], "ready", "{ready:?}");
    bo.call(test, "user_export", code).await.refused(200, 3200);
    let url = ready["url"].as_str().unwrap();
    let (status, _, file) = test.fetch(url).await;
    assert_eq!(status, 200);
    // The link is what lets anybody in.
    assert_eq!(test.fetch(url.split('?').next().unwrap()).await.0, 403);
    serde_json::from_slice(&file).unwrap()
}

#[tokio::test]
async fn a_user_is_told_all_that_is_theirs() {
    let scene = Scene::new().await;
    let Scene { test, bo, anna, .. } = &scene;
    bo.call(test, "user_export", json!({})).await.refused(400, 400);
    test.wait(MINUTE);
    let code = json!({"code": test.code(BOS_PHONE).await});
    assert_eq!(bo.done(test, "user_export", code.clone()).await["status"], "pending");
    // That it is on its way costs no code; the first call has used up its own.
    bo.call(test, "user_export", code).await.refused(200, 3200);
    test.wait(MINUTE);
    let code = json!({"code": test.code(BOS_PHONE).await});
    for _ in 0..2 {
        assert_eq!(bo.done(test, "user_export", code.clone()).await["status"], "pending");
    }
    let answer = run(test).await;
    assert_eq!((answer.exported, answer.failed), (1, 0), "{answer:?}");
    assert_eq!(run(test).await, leaving::Answer::default());

    let file = told(&scene).await;
    let count = |list: &str| file[list].as_array().unwrap_or_else(|| panic!("{list}: {file:#}")).len();
    let lists = [
        ("profile", 1),
        ("articles", 3),
        ("comments", 5),
        ("votes", 2),
        ("marks", 4),
        ("follows", 4),
        ("followers", 2),
        ("galleries", 2),
        ("hearts", 1),
        ("files", 5),
        ("gifts_got", 1),
        ("gifts_given", 1),
        ("feedback", 1),
        ("messages", 4),
        ("tracks", 1),
        ("orders", 3),
        ("cart", 1),
        ("devices", 1),
    ];
    let found: Vec<_> = lists.iter().map(|(list, _)| (*list, count(list))).collect();
    assert_eq!(found, lists, "{file:#}");
    // And nothing else.
    assert_eq!(file.as_object().unwrap().len(), lists.len() + 2);
    assert_eq!(file["profile"][0]["email"], "bo@example.com");
    let texts: Vec<_> = file["comments"].as_array().unwrap().iter().map(|comment| &comment["content"]).collect();
    assert!(texts.contains(&&json!("long ".repeat(200))) && !texts.contains(&&json!("no")), "{texts:?}");
    let standing: Vec<_> = file["orders"].as_array().unwrap().iter().map(|order| &order["status"]).collect();
    assert_eq!(json!(standing), json!(["paid", "cancelled", "pending"]));
    assert_eq!(file["gifts_got"][0], json!({"from_uid": anna.uid(), "gifts": {"rose": 2}, "value": 200}));
    // Of others nothing that they did not send: neither who they are nor what they said of the user; and no secret.
    let text = file.to_string();
    for others in [ANNAS_PHONE, CLEOS_PHONE, "and here?", "\"ah\"", "why?", "the sea", "good", "password", "salt"] {
        assert!(!text.contains(others), "{others}: {text}");
    }
    // Each link leads to a picture.
    let pictures = &file["galleries"].as_array().unwrap()[0]["pictures"].as_array().unwrap()[..];
    let links = file["files"].as_array().unwrap().iter().chain(pictures).map(|file| &file["url"]);
    for link in links.chain(file["articles"][0]["images"].as_array().unwrap()) {
        assert_eq!(test.fetch(link.as_str().unwrap()).await.0, 200, "{link}");
    }

    // One a day; and it goes with the user.
    test.wait(DAY);
    let code = json!({"code": test.code(BOS_PHONE).await});
    assert_eq!(bo.done(test, "user_export", code).await["status"], "pending");
    assert_eq!(run(test).await.exported, 1);
    let exports = async || objects(test).await.into_iter().filter(|key| key.starts_with("export/")).count();
    assert_eq!(exports().await, 2);
    assert_eq!(scene.bo_leaves().await.code(), "0");
    scene.everything_goes().await;
    // The bucket's rules know of yesterday's.
    assert_eq!(exports().await, 1);
    scene.is_without_a_trace().await;
}

/// A day has one export, whatever becomes of it: who asks twice, who dies while it is written, and a file that is lost begin
/// no second.
#[tokio::test]
async fn a_day_has_one_export() {
    let (test, bo) = bo_by_third_party().await;
    let ask = async || bo.done(&test, "user_export", json!({})).await;
    let name = async || {
        let items = raw(&test).await;
        assert!(items.keys().filter(|key| key.starts_with("EXPORTING / ")).count() <= 1, "{:?}", items.keys());
        items[&format!("U#{:016} / EXPORT", bo.id)]["object_name"].as_str().unwrap().to_owned()
    };
    let begun_at = test.now();
    let (one, other) = tokio::join!(ask(), ask());
    assert_eq!((&one["status"], &other["status"]), (&json!("pending"), &json!("pending")));
    let first = name().await;

    // Dies at each of its calls.
    let gate = Gate::default();
    for calls in 1.. {
        test.line.hold_at(Some(gate.clone()));
        let app = test.plaza.app.clone();
        let mut work = gate.work(async move { ACTING.scope("leaving", leaving::handle(&app, u64::MAX)).await });
        let mut answer = None;
        for _ in 0..calls {
            answer = work.step().await;
            if answer.is_some() {
                break;
            }
        }
        if answer.is_none() {
            match calls % 2 {
                0 => work.die().await,
                _ => work.die_after_step().await,
            }
        }
        test.line.hold_at(None);
        ask().await;
        assert_eq!(name().await, first, "after {calls} calls");
        if answer.is_some() {
            break;
        }
    }
    let same = async || {
        let ready = ask().await;
        assert_eq!(ready["status"], "ready");
        assert!(ready["url"].as_str().unwrap().contains(&first), "{ready}");
        assert_eq!(run(&test).await, leaving::Answer::default());
    };
    same().await;
    test.plaza.app.media().drop_export(&first).await.unwrap();
    same().await;
    // `done` waits as well.
    test.wait(begun_at + DAY - 2 - test.now());
    same().await;
    test.wait(begun_at + DAY - test.now());
    assert_eq!(ask().await["status"], "pending");
    assert_ne!(name().await, first);
    assert_eq!(run(&test).await.exported, 1);
}

/// However slow it is: a turn that ends before a piece is there is not begun in vain again and again, nor does who waits
/// for an export keep waiting who leaves.
#[tokio::test]
async fn a_slow_export_ends_and_keeps_nobody_waiting() {
    let (test, bo) = bo_by_third_party().await;
    let store = &test.plaza.app.store;
    let by = SignUp::ThirdParty("qq", "cleo".into());
    let cleo = store.create_user(&by, None, Changes::default()).await.unwrap().id;
    assert!(store.leave(cleo, None).await.unwrap());
    test.wait(SETTLED);
    assert_eq!(bo.done(&test, "user_export", json!({})).await["status"], "pending");
    // At 600 ms a round a turn of ten seconds is over before all chapters are read.
    let gate = Gate::default();
    test.line.hold_at(Some(gate.clone()));
    let app = test.plaza.app.clone();
    let until = test.now() + 10 * MINUTE;
    let mut work = gate.work(async move { ACTING.scope("leaving", leaving::handle(&app, until)).await });
    let answer = loop {
        match work.step().await {
            Some(answer) => break answer,
            None => test.wait(600),
        }
    };
    test.line.hold_at(None);
    assert_eq!((answer.exported, answer.failed), (1, 0), "{answer:?}");
    assert_eq!(answer.erased, 1, "{answer:?}");
}

/// Somebody who came without a phone, so that no code is asked for.
async fn bo_by_third_party() -> (Test, User) {
    let test = Test::start().await;
    let app = &test.plaza.app;
    let by = SignUp::ThirdParty("qq", "bo".into());
    let id = app.store.create_user(&by, None, Changes::default()).await.unwrap().id;
    let token = app.new_token(&app.store.log_in_vouched(id).await.unwrap()).unwrap().0;
    (test, User { id: id.0, token })
}

/// A file of many pieces, none of which is lost or there twice, though writing it breaks off; and one that is in the making
/// when its user leaves.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_export_goes_on_where_it_broke_off() {
    const ARTICLES: usize = 900;
    let (test, bo) = bo_by_third_party().await;
    let (store, id) = (&test.plaza.app.store, user(&bo));
    for number in 0..ARTICLES {
        test.wait(1);
        let text = format!("{number} {}", "海".repeat(4_990));
        store.publish_article(id, &text, vec![]).await.unwrap();
    }
    assert_eq!(bo.done(&test, "user_export", json!({})).await["status"], "pending");
    // Two pieces are kept, then nothing is.
    test.line.spoil("PUT", [None, None].into_iter().chain([Some(Fault::Broken); faults::MANY]));
    let answer = run(&test).await;
    assert_eq!((answer.exported, answer.failed), (0, 1), "{answer:?}");
    test.line.mend();
    test.wait(MINUTE);
    let (answer, cost) = test.line.meter(run(&test)).await;
    assert_eq!((answer.exported, answer.failed), (1, 0), "{answer:?}");
    // Not from the beginning: of some 13 MB only the rest.
    assert_eq!(cost.0.iter().filter(|call| call.operation == "PUT").count(), 1);
    let ready = bo.done(&test, "user_export", json!({})).await;
    let (_, _, file) = test.fetch(ready["url"].as_str().unwrap()).await;
    let file: Value = serde_json::from_slice(&file).unwrap();
    let articles = file["articles"].as_array().unwrap();
    let numbers = articles.iter().map(|article| article["content"].as_str().unwrap().split(' ').next().unwrap());
    assert_eq!(numbers.map(|number| number.parse().unwrap()).collect::<Vec<usize>>(), Vec::from_iter(0..ARTICLES));

    test.wait(DAY);
    assert_eq!(bo.done(&test, "user_export", json!({})).await["status"], "pending");
    assert_eq!(bo.call(&test, "user_erase", json!({})).await.code(), "0");
    assert_eq!(run(&test).await.exported, 1, "it is no longer wanted");
    let exports = objects(&test).await.into_iter().filter(|key| key.starts_with("export/")).count();
    assert_eq!(exports, 1, "yesterday's");
}

/// Who has done much, exported and erased in a model of DynamoDB's limits: time, calls, units, money. Run alone:
/// `cargo test --release -p local --test all a_user_with_much -- --ignored --nocapture`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes a quarter of an hour"]
async fn a_user_with_much() {
    /// So many times less of all, for a trial.
    const LESS: usize = 1;
    const ARTICLES: usize = 10_000 / LESS;
    const LIKES: usize = 50_000 / LESS;
    const COMMENTS: usize = 5_000 / LESS;
    const PICTURES: usize = 500 / LESS;
    const FOLLOWERS: usize = 2_000 / LESS;
    const ORDERS: usize = 20;
    const AUTHORS: usize = 50;

    let test = Test::start().await;
    let store = &test.plaza.app.store;
    let model = Model::new(Limits::NEW_TABLE);
    let environment: HashMap<_, _> = test.plaza.environment.clone().into_iter().collect();
    let variable = Box::new(move |name: &str| environment.get(name).cloned());
    let limited = App::new(variable, test.plaza.app.system.clone(), model.client(aws::http_client())).unwrap();
    // What the functions of the schedule do until nothing is left, in the model's time.
    let goes_on = async |what: &str| {
        model.seen();
        let (begun, mut failed) = (tokio::time::Instant::now(), 0);
        loop {
            let answer = ACTING.scope("leaving", leaving::handle(&limited, u64::MAX)).await;
            failed += answer.failed;
            if answer == leaving::Answer::default() {
                break;
            }
            // What failed is due a minute after all others.
            test.wait(2 * MINUTE);
        }
        let (took, seen) = (begun.elapsed(), model.seen());
        let money = dollars(seen.read_units, seen.write_units);
        println!("{what}: {:.0} s, {failed} turns gone on with later, {seen:?}: ${money:.2}", took.as_secs_f64());
    };
    let delivered = async |what: &str| {
        let begun = tokio::time::Instant::now();
        let ((), cost) = test.line.meter(async { test.plaza.deliver().await.unwrap() }).await;
        let (calls, reads, writes) = (cost.0.len(), cost.read_units().abs(), cost.write_units().abs());
        let (took, money) = (begun.elapsed().as_secs_f64(), dollars(reads, writes));
        println!(
            "{what}: {took:.0} s past the model, {calls} calls, {reads} read and {writes} write units: ${money:.2}"
        );
    };
    let begun = tokio::time::Instant::now();
    let done = |what: &str| println!("{:4.0} s: {what}", begun.elapsed().as_secs_f64());

    let person = async |name: String| {
        store.create_user(&SignUp::ThirdParty("qq", name), None, Changes::default()).await.unwrap().id
    };
    let people = stream::iter(0..AUTHORS + FOLLOWERS).map(|at| {
        test.wait(1);
        person(format!("o{at}"))
    });
    let mut others: Vec<_> = people.buffered(8).collect().await;
    let followers = others.split_off(AUTHORS);
    let before = objects(&test).await;
    let bo = User::new(&test, BOS_PHONE).await;
    let me = user(&bo);
    let article = |author: UserId| {
        test.wait(1);
        async move { store.publish_article(author, "the sea", vec![]).await.unwrap() }
    };
    let theirs: Vec<_> = stream::iter(0..LIKES).map(|at| article(others[at % AUTHORS])).buffered(8).collect().await;
    // One after the other, or his counts would be taken for a crowd's, and he be read beside all feeds.
    let his: Vec<_> = stream::iter(0..ARTICLES).then(|_| article(me)).collect().await;
    done("articles");
    let marks = theirs.iter().map(|article| (me, *article));
    let marks = marks.chain(his.iter().enumerate().map(|(at, article)| (others[at % AUTHORS], *article)));
    let like = |(who, article)| {
        test.wait(1);
        async move { store.mark(Mark::Like, who, article).await.unwrap() }
    };
    stream::iter(marks).map(like).buffered(8).collect::<()>().await;
    done("likes");
    let comment = |(at, article): (usize, &ArticleId)| {
        test.wait(1);
        let (article, answers) = (*article, others[at % AUTHORS]);
        async move {
            let comment = store.publish_comment(me, article, SHORT, None).await.unwrap();
            if at.is_multiple_of(5) {
                store.publish_comment(answers, article, "here", Some((comment, None))).await.unwrap();
            }
        }
    };
    stream::iter(theirs.iter().take(COMMENTS).enumerate()).map(comment).buffered(8).collect::<()>().await;
    done("comments");
    for _ in 0..PICTURES.div_ceil(250) {
        gallery(&test, &bo, PICTURES.min(250)).await;
        test.wait(DAY);
    }
    store.import(&master(1), false).await.unwrap();
    store.import(&project(1, 1), false).await.unwrap();
    store.import_tickets(&batch(101, 2 * ORDERS as u64, 1), false).await.unwrap();
    for at in 0..ORDERS as u64 {
        test.wait(MINUTE);
        let order = store.place_order(me, &[TicketId(101 + at)], false, None).await.unwrap();
        test.plaza.app.pay_order(me, order).await.unwrap();
    }
    // Nobody follows those who wrote, so far: nothing is to be done for all their articles.
    let forget_stream = async || {
        let stream = test.plaza.engines.stream.clone();
        tokio::task::spawn_blocking(move || stream.trim(i64::MAX as usize)).await.unwrap().unwrap();
    };
    forget_stream().await;
    // With each of these some thousand numbers of the list of all articles are settled.
    const LATE: usize = 100;
    stream::iter(0..LATE).map(|_| article(others[0])).buffered(8).collect::<Vec<_>>().await;
    test.plaza.deliver().await.unwrap();
    // One follower is followed up: the newest 200 articles. The others' feeds are made like that one.
    store.follow(followers[0], me).await.unwrap();
    test.plaza.deliver().await.unwrap();
    let whose = [keys::feed(keys::Feed::Articles, followers[0]), keys::ahead(me.into(), followers[0]).pk];
    let items = test.items().await.into_values();
    let models: Vec<_> = items.filter(|item| whose.contains(item["pk"].as_s().unwrap())).collect();
    assert_eq!(models.len(), 201.min(ARTICLES + 1));
    for follower in &followers[1..] {
        test.wait(1);
        store.follow(*follower, me).await.unwrap();
        let copy = |model: &HashMap<String, AttributeValue>| {
            let mut item = model.clone();
            let feed = keys::feed(keys::Feed::Articles, *follower);
            match item.contains_key("article") {
                true => drop(item.insert("pk".into(), AttributeValue::S(feed))),
                false => item.extend(HashMap::from(keys::ahead(me.into(), *follower))),
            }
            if item.contains_key("user") {
                item.insert("user".into(), AttributeValue::N(follower.0.to_string()));
            }
            let put = PutRequest::builder().set_item(Some(item)).build().unwrap();
            WriteRequest::builder().put_request(put).build()
        };
        store.write_all(models.iter().map(copy).collect()).await.unwrap();
    }
    forget_stream().await;
    done("pictures, orders, followers and their feeds");
    let his_objects: BTreeSet<_> = objects(&test).await.difference(&before).cloned().collect();

    test.wait(MINUTE);
    let code = json!({"code": test.code(BOS_PHONE).await});
    assert_eq!(bo.done(&test, "user_export", code).await["status"], "pending");
    goes_on("exported").await;
    test.wait(MINUTE);
    let code = json!({"code": test.code(BOS_PHONE).await});
    let ready = bo.done(&test, "user_export", code).await;
    let (_, _, file) = test.fetch(ready["url"].as_str().unwrap()).await;
    println!("a file of {:.1} MB", file.len() as f64 / 1e6);
    let file: Value = serde_json::from_slice(&file).unwrap();
    let told = |list: &str| file[list].as_array().unwrap().len();
    let lists = ["articles", "marks", "comments", "followers", "orders"].map(told);
    assert_eq!(lists, [ARTICLES, LIKES, COMMENTS, FOLLOWERS, ORDERS]);
    let pictures = file["galleries"].as_array().unwrap().iter().map(|of| of["pictures"].as_array().unwrap().len());
    assert_eq!(pictures.sum::<usize>(), PICTURES);

    test.wait(MINUTE);
    let code = json!({"code": test.code(BOS_PHONE).await});
    assert_eq!(bo.call(&test, "user_erase", code).await.code(), "0");
    test.wait(SETTLED);
    goes_on("erased").await;
    delivered("and from others' feeds").await;
    test.wait(DAY);
    goes_on("looked again").await;
    delivered("and then").await;
    test.wait(2 * DAY);
    done("nothing is left");
    let items = unexpired(&test).await;
    done("and is looked through");
    deeds::whole(&items);
    gallery_deeds::whole(&items);
    assert_eq!(traces(&test, &[&bo.id.to_string(), &bo.uid(), BOS_PHONE]).await, [""; 0]);
    let books = items.keys().filter(|key| key.starts_with(&format!("U#{:016}", bo.id))).count();
    assert_eq!(books, 3 * ORDERS, "each order, its tickets, and that it is paid");
    assert!(objects(&test).await.is_disjoint(&his_objects));
    let heads = items.iter().filter(|(key, _)| key.starts_with("A#") && key.ends_with(" / HEAD"));
    assert_eq!(heads.count(), LIKES + LATE, "all others' articles are there");
    done("no trace, and every count is a recount");
}

/// At the list price of DynamoDB on demand in us-east-1.
fn dollars(reads: f64, writes: f64) -> f64 {
    (reads * 0.125 + writes * 0.625) / 1e6
}
