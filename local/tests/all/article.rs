//! Document D's articles, as a client lives with them.
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use shared::{
    domain::{ArticleId, CommentId, DAY, Page, SubjectKind, UserId},
    store::{Mark, Vote},
};

use crate::support::{Fault, Test, User, picture, together};

impl User {
    async fn publish(&self, test: &Test, content: &str) -> u64 {
        self.done(test, "article_publish", json!({ "content": content })).await["article_id"].as_u64().unwrap()
    }
}

/// Uploads a picture, as document D has it.
async fn upload(test: &Test, user: &User) -> String {
    let given = user.done(test, "get_media_id", json!({})).await;
    let url = given["upload_url"].as_str().unwrap();
    let request = http::Request::builder().method("PUT").uri(url).header("content-type", "image/jpeg");
    assert_eq!(test.raw(request, picture(96, 64)).await, 200);
    given["media_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_story_of_two() {
    let test = Test::start().await;
    let (anna, bo) = (User::new(&test, "13800138001").await, User::new(&test, "13800138002").await);
    let image = upload(&test, &anna).await;
    let article = anna.done(&test, "article_publish", json!({"content": "the sea", "images": [image]})).await;
    let article = article["article_id"].as_u64().unwrap();

    bo.done(&test, "user_follow", json!({"to_uid": anna.uid()})).await;
    test.plaza.deliver().await.unwrap();
    let feed = bo.done(&test, "following_article_list", json!({})).await["following_article_list"].clone();
    assert_eq!(feed[0]["article_id"], article);
    assert_eq!(feed[0]["images"], json!([image]));
    assert_eq!(feed[0]["author"]["uid"], anna.uid());
    assert_eq!(feed[0]["is_like"], false);

    bo.done(&test, "article_like", json!({"article_id": article})).await;
    bo.done(&test, "article_collect", json!({"article_id": article.to_string()})).await;
    let comment = bo.done(&test, "article_comment_publish", json!({"article_id": article, "content": "where?"})).await;
    let comment = comment["comment_id"].as_u64().unwrap();
    let reply = json!({"article_id": article, "reply_id": comment, "content": "north", "first_reply_id": comment});
    let reply = anna.done(&test, "article_comment_reply", reply).await["comment_id"].as_u64().unwrap();
    let thanks = json!({"article_id": article, "reply_id": reply, "content": "thanks", "first_reply_id": comment});
    let thanks = bo.done(&test, "article_comment_reply", thanks).await["comment_id"].as_u64().unwrap();
    anna.done(&test, "article_comment_up", json!({"article_comment_id": comment})).await;

    let list = anna.done(&test, "article_list", json!({})).await["article_list"].clone();
    let wanted = json!({
        "article_id": article, "uid": anna.uid(), "content": "the sea", "images": [image],
        "created_at": list[0]["created_at"], "like_count": 1, "collect_count": 1, "comment_count": 3,
        "is_like": false, "is_collect": false,
        "author": {"uid": anna.uid(), "nickname": list[0]["author"]["nickname"], "avatar": null},
    });
    assert_eq!(list, json!([wanted]));
    let seen = bo.done(&test, "article_list", json!({})).await["article_list"][0].clone();
    assert_eq!((&seen["is_like"], &seen["is_collect"]), (&json!(true), &json!(true)));

    let detail = anna.done(&test, "article_detail", json!({"article_id": article})).await["article_detail"].clone();
    let ids: Vec<_> = detail["comment_list"].as_array().unwrap().iter().map(|c| c["comment_id"].clone()).collect();
    assert_eq!(ids, [thanks, reply, comment]);
    assert_eq!(detail["like_user_list"][0]["uid"], bo.uid());
    assert_eq!(detail["collect_user_list"][0]["uid"], bo.uid());
    assert_eq!((&detail["author"]["uid"], &detail["author"]["country"]), (&json!(anna.uid()), &json!("86")));
    assert_eq!((&detail["author"]["is_follow"], &detail["is_like"]), (&json!(false), &json!(false)));
    let by_bo = bo.done(&test, "article_detail", json!({"article_id": article})).await["article_detail"].clone();
    assert_eq!((&by_bo["author"]["is_follow"], &by_bo["is_like"]), (&json!(true), &json!(true)));

    let comments = anna.done(&test, "article_comment_list", json!({"article_id": article, "limit": 2})).await;
    let comments = &comments["article_comment_list"];
    assert_eq!(comments.as_array().unwrap().len(), 2);
    assert_eq!(comments[0]["reply_id"], reply);
    assert_eq!(comments[0]["reply_uid"], anna.uid());
    assert_eq!(comments[0]["first_reply_id"], comment);
    assert_eq!(comments[0]["first_reply_author"]["uid"], bo.uid());
    let first = anna.done(&test, "article_comment_list", json!({"article_id": article, "limit": 2, "offset": 2})).await
        ["article_comment_list"][0]
        .clone();
    assert_eq!((&first["up_count"], &first["is_up"]), (&json!(1), &json!(true)));
    assert_eq!((&first["reply_id"], &first["reply_author"]), (&Value::Null, &Value::Null));

    // A comment that was deleted leaves its replies standing, and whoever is answered keeps their name.
    bo.done(&test, "article_comment_del", json!({"article_comment_id_list": [comment]})).await;
    let left = anna.done(&test, "article_comment_list", json!({"article_id": article})).await;
    assert_eq!(left["article_comment_list"].as_array().unwrap().len(), 2);
    assert_eq!(left["article_comment_list"][1]["reply_id"], comment);
    assert_eq!(left["article_comment_list"][1]["reply_author"]["uid"], bo.uid());

    bo.done(&test, "article_unlike", json!({"article_id": article})).await;
    let now = bo.done(&test, "article_detail", json!({"article_id": article})).await["article_detail"].clone();
    assert_eq!((&now["like_count"], &now["is_like"], &now["comment_count"]), (&json!(0), &json!(false), &json!(2)));
    assert_eq!(now["like_user_list"], json!([]));
    assert_eq!(bo.list(&test, "my_article_collect_list", json!({}), "article_id").await, [article]);

    anna.done(&test, "article_del", json!({"article_id_list": [article]})).await;
    for (user, list) in [
        (&anna, "article_list"),
        (&anna, "my_article_list"),
        (&bo, "following_article_list"),
        (&bo, "my_article_collect_list"),
    ] {
        assert_eq!(user.done(&test, list, json!({})).await[list], json!([]), "{list}");
    }
    bo.call(&test, "article_detail", json!({"article_id": article})).await.refused(404, 404);
    bo.call(&test, "article_comment_list", json!({"article_id": article})).await.refused(404, 404);
    // Behind it nothing is left.
    test.plaza.deliver().await.unwrap();
    let rest = test.items().await;
    let hanging = |key: &&String| {
        ["A#", "C#", "F#"].iter().any(|of| key.starts_with(of))
            || ["MARK#", "COLLECT#"].iter().any(|part| key.contains(part))
    };
    assert!(!rest.keys().any(|key| hanging(&key)), "{rest:?}");
}

#[tokio::test]
async fn what_must_not_be() {
    let test = Test::start().await;
    let (anna, bo) = (User::new(&test, "13800138001").await, User::new(&test, "13800138002").await);
    let (image, article) = (upload(&test, &anna).await, anna.publish(&test, "hers").await);
    let others = bo.publish(&test, "his").await;

    for (body, field) in [
        (json!({}), "content"),
        (json!({"content": "  \n"}), "content"),
        (json!({"content": "x".repeat(5001)}), "content"),
        (json!({"content": "x", "images": vec![&image; 10]}), "images"),
        (json!({"content": "x", "images": [image, image]}), "images"),
        (json!({"content": "x", "images": ["../../etc/passwd"]}), "images[0]"),
        (json!({"content": "x", "images": ["00000000-0000-4000-8000-000000000000.jpeg"]}), "images"),
    ] {
        let answer = anna.call(&test, "article_publish", body).await;
        answer.refused(400, 400);
        assert!(answer.message().starts_with(field), "{answer:?}");
    }
    // Somebody else's image is answered like none.
    bo.call(&test, "article_publish", json!({"images": [image]})).await.refused(400, 400);

    // All or none.
    anna.call(&test, "article_del", json!({"article_id_list": [article, others]})).await.refused(403, 403);
    assert_eq!(anna.list(&test, "my_article_list", json!({}), "article_id").await, [article]);
    anna.call(&test, "article_del", json!({"article_id_list": []})).await.refused(400, 400);
    anna.call(&test, "article_del", json!({"article_id_list": vec![1; 101]})).await.refused(400, 400);
    anna.done(&test, "article_del", json!({"article_id_list": [1, "2"]})).await;

    // A comment goes with its author's or the article author's wish, with nobody else's.
    let comment = |user: &User, article: u64| {
        let (token, body) = (user.token.clone(), json!({"article_id": article, "content": "hi"}));
        let test = &test;
        async move {
            let mut body = body;
            body["token"] = token.into();
            test.wait(1);
            test.json("/article_comment_publish", body).await.body["comment_id"].as_u64().unwrap()
        }
    };
    let (his, hers) = (comment(&bo, others).await, comment(&anna, others).await);
    anna.call(&test, "article_comment_del", json!({"article_comment_id_list": [hers, his]})).await.refused(403, 403);
    assert_eq!(
        anna.list(&test, "article_comment_list", json!({"article_id": others}), "comment_id").await,
        [hers, his]
    );
    bo.done(&test, "article_comment_del", json!({"article_comment_id_list": [hers, 5]})).await;
    assert_eq!(anna.list(&test, "article_comment_list", json!({"article_id": others}), "comment_id").await, [his]);

    // Answers belong under the article, and threads begin where they begin.
    let reply = |article: u64, to: u64, thread: Option<u64>| json!({"article_id": article, "reply_id": to, "content": "x", "first_reply_id": thread});
    anna.call(&test, "article_comment_reply", reply(article, his, None)).await.refused(404, 404);
    anna.call(&test, "article_comment_reply", reply(others, hers, None)).await.refused(404, 404);
    anna.call(&test, "article_comment_reply", reply(others, his, Some(hers))).await.refused(400, 400);
    anna.done(&test, "article_comment_reply", reply(others, his, None)).await;

    for operation in ["article_like", "article_collect", "article_detail", "article_comment_list"] {
        anna.call(&test, operation, json!({"article_id": 7})).await.refused(404, 404);
        anna.call(&test, operation, json!({"article_id": -7})).await.refused(400, 400);
        test.json(&format!("/{operation}"), json!({"article_id": article})).await.refused(401, 401);
    }
    for operation in ["article_unlike", "article_uncollect"] {
        anna.done(&test, operation, json!({"article_id": 7})).await;
    }
    anna.call(&test, "article_comment_up", json!({"article_comment_id": 7})).await.refused(404, 404);
    for (content, status) in [(" ", 400), (&*"x".repeat(1001), 400), (&*"é".repeat(1000), 200)] {
        let answer =
            anna.call(&test, "article_comment_publish", json!({"article_id": article, "content": content})).await;
        assert_eq!(answer.status, status);
    }
    for (limit, offset) in [(0, 0), (101, 0), (-1, 0), (20, -1)] {
        anna.call(&test, "article_list", json!({"limit": limit, "offset": offset})).await.refused(400, 400);
    }
    assert_eq!(anna.list(&test, "article_list", json!({"limit": 100, "offset": 1_000_000}), "uid").await, [""; 0]);
}

#[tokio::test]
async fn pages_are_full_and_in_order() {
    let test = Test::start().await;
    let anna = User::new(&test, "13800138001").await;
    let store = &test.plaza.app.store;
    let mut there = vec![];
    for number in 0..300 {
        there.push(store.publish_article(UserId(anna.id), &number.to_string(), vec![]).await.unwrap());
        test.wait(1);
    }
    // A third of them goes, in places all of a block.
    let gone: BTreeSet<_> =
        there.iter().enumerate().filter(|(at, _)| at % 7 == 0 || (130..180).contains(at)).map(|(_, id)| *id).collect();
    for some in gone.iter().copied().collect::<Vec<_>>().chunks(50) {
        store.delete_articles(UserId(anna.id), &some.iter().copied().collect()).await.unwrap();
    }
    let wanted: Vec<_> = there.iter().rev().filter(|id| !gone.contains(id)).map(|id| json!(id.0)).collect();
    for list in ["article_list", "my_article_list"] {
        for limit in [1, 20, 33, 100] {
            let mut found = vec![];
            loop {
                let page = anna.list(&test, list, json!({"limit": limit, "offset": found.len()}), "article_id").await;
                assert!(page.len() == limit || found.len() + page.len() == wanted.len(), "{list}: not full");
                found.extend(page.iter().cloned());
                if page.len() < limit || limit == 1 && found.len() > 30 {
                    break;
                }
            }
            assert!(found == wanted[..found.len()], "{list} by {limit}");
            assert!(limit == 1 || found.len() == wanted.len());
        }
    }
    assert_eq!(store.counts(UserId(anna.id)).await.unwrap().articles, wanted.len() as u64);
}

/// Whoever draws a number and dies leaves a gap: offsets are exact again when it is a minute old.
#[tokio::test]
async fn a_number_that_was_never_used_becomes_a_hole() {
    let test = Test::start().await;
    let anna = User::new(&test, "13800138001").await;
    let mut wanted = vec![];
    for number in 0..200 {
        if [0, 3, 4, 150].contains(&number) {
            // The transaction after the draw does not come through.
            test.line.spoil("TransactWriteItems", [Fault::Broken; 100]);
            anna.call(&test, "article_publish", json!({"content": "lost"})).await.refused(503, 503);
            test.line.mend();
        }
        wanted.insert(0, json!(anna.publish(&test, &number.to_string()).await));
    }
    let pages = async || {
        let mut found = vec![];
        for offset in (0..200).step_by(20) {
            found.extend(anna.list(&test, "article_list", json!({"offset": offset}), "article_id").await);
        }
        found
    };
    test.plaza.app.store.settle_articles().await.unwrap();
    test.wait(61_000);
    anna.publish(&test, "later").await;
    for _ in 0..2 {
        test.plaza.app.store.settle_articles().await.unwrap();
        let items = test.items().await;
        let holes: u64 = items["L#articles / HOLES#0000000000"]
            .iter()
            .filter(|(name, _)| name.starts_with('h'))
            .map(|(_, holes)| holes.as_n().unwrap().parse::<u64>().unwrap())
            .sum();
        assert_eq!(holes, 4, "each once");
    }
    let found = pages().await;
    assert_eq!(found[1..], wanted[..199]);
}

/// An article that is deleted while no number is settled is one hole, though days pass before the next comes.
#[tokio::test]
async fn what_was_deleted_before_days_without_news_is_counted_once() {
    let test = Test::start().await;
    let anna = User::new(&test, "13800138001").await;
    let mut articles = vec![];
    for text in ["first", "second", "third", "fourth"] {
        articles.push(anna.publish(&test, text).await);
    }
    anna.done(&test, "article_del", json!({"article_id_list": [articles.remove(1)]})).await;
    for _ in 0..2 {
        test.wait(3 * DAY);
        test.sweep().await;
        articles.push(anna.publish(&test, "later").await);
        test.plaza.app.store.settle_articles().await.unwrap();
        let newest: Vec<_> = articles.iter().rev().map(|id| json!(id)).collect();
        for offset in 0..newest.len() {
            let page = json!({"offset": offset});
            assert_eq!(anna.list(&test, "article_list", page, "article_id").await, newest[offset..]);
        }
    }
}

/// What a client does that is told to try again.
macro_rules! again {
    ($work:expr) => {
        while let Err(no) = $work.await.map(drop) {
            assert_eq!(no, shared::domain::Refusal::Unavailable);
        }
    };
}

/// Everything that counts, done at once by many, and again, and taken back: in the end stored counts are what a recount
/// of the records finds, and each did it once.
#[tokio::test(flavor = "multi_thread")]
async fn counts_are_exact_under_parallel_repeats() {
    let test = std::sync::Arc::new(Test::start().await);
    let anna = User::new(&test, "13800138001").await;
    let article = ArticleId(anna.publish(&test, "popular").await);
    let comment = test.plaza.app.store.publish_comment(UserId(anna.id), article, "first", None).await.unwrap();
    // Users who never log in: only their ids are needed.
    let users: Vec<_> = (1..=32).map(UserId).collect();
    test.line.spoil("TransactWriteItems", (0..200).map(|at| (at % 3 == 0).then_some(Fault::Conflict)));
    let likers = users.iter().map(|user| {
        let (test, user) = (test.clone(), *user);
        async move {
            let store = &test.plaza.app.store;
            for round in 0..3 {
                for mark in [Mark::Like, Mark::Collect] {
                    again!(store.mark(mark, user, article));
                    again!(store.mark(mark, user, article));
                    // Every third takes it back in the end.
                    if round < 2 || user.0 % 3 == 0 {
                        again!(store.unmark(mark, user, article));
                        again!(store.unmark(mark, user, article));
                    }
                }
                again!(store.vote_on_comment(user, SubjectKind::Article, comment, Vote::Up));
                again!(store.publish_comment(user, article, "me too", None));
            }
        }
    });
    together(likers).await;
    let found = test.plaza.app.store.article(article).await.unwrap();
    let stayed = users.iter().filter(|user| user.0 % 3 != 0).count() as u64;
    assert_eq!((found.like_count, found.collect_count), (stayed as i64, stayed as i64));
    let items = test.items().await;
    let count = |part: &str| items.keys().filter(|key| key.contains(part)).count() as u64;
    let marks = |name: &str| items.iter().filter(|(k, item)| k.contains("MARK#") && item.contains_key(name)).count();
    assert_eq!((count("LIKER#"), marks("liked") as u64), (stayed, stayed));
    assert_eq!((count("COLLECTOR#"), count(" / COLLECT#"), marks("collected") as u64), (stayed, stayed, stayed));
    let comments = items.keys().filter(|key| key.starts_with("C#")).count() as u64;
    // Once under the article, and once with their author.
    assert_eq!((2 * found.comment_count, 2 * comments), (count(" / COMMENT#"), count(" / COMMENT#")));
    assert!(found.comment_count > 32 * 3, "nothing that was answered as done is lost");
    let ups = items[&format!("A#{:016} / COMMENT#{:016}", article.0, comment.0)]["up_count"].as_n().unwrap().clone();
    assert_eq!((ups, count("VOTE#")), ("32".to_owned(), 32));
}

/// Ids grow as comments come to be there, even where a clock is behind.
#[tokio::test]
async fn comments_are_in_the_order_of_their_coming() {
    let test = Test::start().await;
    let anna = User::new(&test, "13800138001").await;
    let article = ArticleId(anna.publish(&test, "x").await);
    let store = &test.plaza.app.store;
    let mut ids = vec![];
    for _ in 0..20 {
        // The clock stands still: chance alone would not put them in order.
        ids.push(store.publish_comment(UserId(anna.id), article, "y", None).await.unwrap());
    }
    assert!(ids.is_sorted_by(|a: &CommentId, b| a < b));
    let found = anna.list(&test, "article_comment_list", json!({"article_id": article.0}), "comment_id").await;
    assert_eq!(found, ids.iter().rev().map(|id| json!(id.0)).collect::<Vec<_>>());
}

/// With 20,000 articles: a page deep down costs what the first page costs, in units and in rounds.
#[tokio::test]
async fn a_deep_page_costs_what_the_first_costs() {
    let test = Test::start().await;
    let anna = User::new(&test, "13800138001").await;
    many(&test, UserId(anna.id), 20_000).await;
    let mut costs = BTreeMap::new();
    for (limit, offset) in [(20, 0), (20, 10_000), (20, 19_970), (100, 0), (100, 10_000)] {
        let body = json!({"token": anna.token, "limit": limit, "offset": offset});
        let (answer, cost) = test.line.meter(test.json("/article_list", body)).await;
        let list = answer.body["article_list"].as_array().unwrap();
        assert_eq!(list.len(), limit);
        assert_eq!(list[0]["content"], format!("{}", 19_999 - offset));
        assert!(cost.rounds() <= 3, "{limit} at {offset}: {} rounds", cost.rounds());
        println!("limit {limit}, offset {offset}: {} rounds, {} units", cost.rounds(), cost.read_units());
        costs.insert((limit, offset), cost.read_units());
    }
    for limit in [20, 100] {
        assert!(costs[&(limit, 10_000)] <= 1.5 * costs[&(limit, 0)], "{costs:?}");
    }
}

/// Where all of the newest are deleted, a page is found below them: groups of blocks that are nothing but holes.
#[tokio::test]
async fn a_page_is_found_below_forty_thousand_holes() {
    use aws_sdk_dynamodb::types::AttributeValue;
    let test = Test::start().await;
    let anna = User::new(&test, "13800138001").await;
    many(&test, UserId(anna.id), 16_400).await;
    let number = |n: u64| AttributeValue::N(n.to_string());
    let mut top = std::collections::HashMap::from([("drawn".to_owned(), number(57_344))]);
    top.extend([("pk", "L#articles"), ("sk", "TOP")].map(|(name, key)| (name.into(), AttributeValue::S(key.into()))));
    let group = |group: u64| {
        let mut item: std::collections::HashMap<_, _> = (0..128).map(|at| (format!("h{at}"), number(128))).collect();
        item.insert("pk".into(), AttributeValue::S("L#articles".into()));
        item.insert("sk".into(), AttributeValue::S(format!("HOLES#{group:010}")));
        item
    };
    let mut lowest = group(1);
    // Of group 1 the first block is half there: 16 numbers were used.
    lowest.insert("h0".into(), number(112));
    for item in [top, group(3), group(2), lowest] {
        test.table().put_item().table_name("plaza").set_item(Some(item)).send().await.unwrap();
    }
    let page =
        async |offset: u64| anna.list(&test, "article_list", json!({"limit": 10, "offset": offset}), "content").await;
    let wanted = |from: u64| (0..10).map(|at| json!((from - at).to_string())).collect::<Vec<_>>();
    assert_eq!(page(0).await, wanted(16_399));
    assert_eq!(page(10).await, wanted(16_389));
    assert_eq!(page(1000).await, wanted(15_399));
}

/// So many articles, the oldest called 0: written past the functions, as they would have written them.
async fn many(test: &Test, author: UserId, many: u64) {
    use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
    let model = test.plaza.app.store.publish_article(author, "0", vec![]).await.unwrap();
    let items = test.items().await;
    let (article, entry) =
        (&items[&format!("A#{:016} / HEAD", model.0)], &items["L#articles#0000000000 / 0000000000000000"]);
    let (text, number) = (|s: String| AttributeValue::S(s), |n: u64| AttributeValue::N(n.to_string()));
    let mut puts = vec![];
    for at in 1..many {
        let id = model.0 + at;
        let (mut article, mut entry) = (article.clone(), entry.clone());
        article.insert("pk".into(), text(format!("A#{id:016}")));
        article.insert("id".into(), number(id));
        article.insert("content".into(), text(at.to_string()));
        article.insert("number".into(), number(at));
        entry.insert("pk".into(), text(format!("L#articles#{:010}", at / 128)));
        entry.insert("sk".into(), text(format!("{at:016}")));
        entry.insert("article".into(), number(id));
        puts.extend([article, entry]);
    }
    let mut top = items["L#articles / TOP"].clone();
    top.insert("drawn".into(), number(many));
    puts.push(top);
    let table = test.table();
    for batch in puts.chunks(25) {
        let put = |item: &_| PutRequest::builder().set_item(Some(std::clone::Clone::clone(item))).build().unwrap();
        let writes =
            batch.iter().map(|item| WriteRequest::builder().put_request(put(item)).build()).collect::<Vec<_>>();
        table.batch_write_item().request_items("plaza", writes).send().await.unwrap();
    }
}

/// A page of 100 with a hundred authors and all of the viewer's marks: three rounds.
#[tokio::test]
async fn a_page_of_a_hundred_takes_three_rounds() {
    let test = Test::start().await;
    let anna = User::new(&test, "13800138001").await;
    let store = &test.plaza.app.store;
    let model = store.profile(UserId(anna.id)).await.unwrap().unwrap();
    for author in 1..=100 {
        let author = UserId(author);
        let id = store.publish_article(author, "x", vec![]).await.unwrap();
        store.mark(Mark::Like, UserId(anna.id), id).await.unwrap();
        test.wait(1);
        let items = test.items().await;
        let mut profile = items[&format!("U#{:016} / PROFILE", model.id.0)].clone();
        let pk = aws_sdk_dynamodb::types::AttributeValue::S(format!("U#{:016}", author.0));
        profile.insert("pk".into(), pk);
        profile.insert("id".into(), aws_sdk_dynamodb::types::AttributeValue::N(author.0.to_string()));
        test.table().put_item().table_name("plaza").set_item(Some(profile)).send().await.unwrap();
        store.follow(UserId(anna.id), author).await.unwrap();
    }
    test.plaza.deliver().await.unwrap();
    for list in ["article_list", "following_article_list"] {
        let body = json!({"token": anna.token, "limit": 100});
        let (answer, cost) = test.line.meter(test.json(&format!("/{list}"), body)).await;
        let listed = answer.body[list].as_array().unwrap();
        assert_eq!(listed.len(), 100, "{list}");
        assert!(listed.iter().all(|article| article["is_like"] == true && article["author"]["uid"].is_string()));
        println!("{list}: {} rounds, {} calls, {} units", cost.rounds(), cost.0.len(), cost.read_units());
        assert!(cost.rounds() <= 3, "{list}: {:?}", cost.0);
    }
}

/// Document B's pages of comments: what is written or deleted between two of them shifts nothing, and document D's list
/// shows what is there now.
#[tokio::test]
async fn a_pinned_list_stays_as_it_was() {
    let test = Test::start().await;
    let anna = User::new(&test, "13800138001").await;
    let article = anna.publish(&test, "x").await;
    let mut ids = vec![];
    let write = async |ids: &mut Vec<u64>| {
        let body = json!({"article_id": article, "content": "y"});
        ids.push(anna.done(&test, "article_comment_publish", body).await["comment_id"].as_u64().unwrap());
    };
    for _ in 0..12 {
        write(&mut ids).await;
    }
    let delete = async |id: u64| {
        anna.done(&test, "article_comment_del", json!({"article_comment_id_list": [id]})).await;
    };
    // Gone before: no part of it.
    delete(ids.remove(5)).await;
    let page = async |cursor: &str, offset: usize| {
        let path =
            format!("/m_user/comments?target_id={article}&target_type=post&cursor={cursor}&offset={offset}&limit=4");
        test.send(http::Request::builder().header("authorization", &anna.token), &path, "").await.body
    };
    let shown = |page: &Value| {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|item| item["id"].as_str().unwrap().parse::<u64>().unwrap()).collect::<Vec<_>>()
    };
    let then: Vec<_> = ids.iter().rev().copied().collect();
    let first = page("", 0).await;
    let cursor = first["cursor"].as_str().unwrap();
    assert_eq!(shown(&first), then[..4]);

    write(&mut ids).await;
    delete(then[1]).await;
    delete(then[5]).await;
    let (second, third) = (page(cursor, 4).await, page(cursor, 8).await);
    assert_eq!(shown(&second), [then[4], then[6], then[7]]);
    assert_eq!(shown(&third), then[8..]);
    assert_eq!(second["total"], 10);
    for bad in ["x", "1", "1-", "-1", "99999999999999999-1", "1-x"] {
        assert_eq!(page(bad, 0).await["code"], 400, "{bad}");
    }
    let now: Vec<_> = ids.iter().rev().filter(|id| ![then[1], then[5]].contains(id)).map(|id| json!(id)).collect();
    let listed = async |offset: usize, limit: usize| {
        let body = json!({"article_id": article, "offset": offset, "limit": limit});
        anna.list(&test, "article_comment_list", body, "comment_id").await
    };
    assert_eq!(listed(0, 100).await, now);
    // Pages of what is there now are full.
    assert_eq!([listed(0, 4).await, listed(4, 4).await, listed(8, 4).await].concat(), now);
}

/// A feed whose newest entries are all of somebody who was unfollowed this moment, read one by one.
#[tokio::test]
async fn a_page_fills_up_in_few_rounds() {
    let test = Test::start().await;
    let (anna, bo) = (User::new(&test, "13800138001").await, User::new(&test, "13800138002").await);
    let mia = User::new(&test, "13800138003").await;
    for author in [&anna, &bo] {
        mia.done(&test, "user_follow", json!({"to_uid": author.id})).await;
    }
    let wanted = anna.publish(&test, "still there").await;
    for _ in 0..150 {
        let theirs = bo.publish(&test, "gone").await;
        mia.done(&test, "article_collect", json!({"article_id": theirs})).await;
    }
    test.plaza.deliver().await.unwrap();
    let kept = bo.publish(&test, "kept").await;
    // Not delivered: the feed and the collection still hold what is to be left out.
    mia.done(&test, "user_unfollow", json!({"to_uid": bo.id})).await;
    let body = json!({"token": mia.token, "limit": 1});
    let (answer, cost) = test.line.meter(test.json("/following_article_list", body)).await;
    assert_eq!(answer.body["following_article_list"][0]["article_id"], wanted);
    assert!(cost.rounds() <= 6, "{} rounds", cost.rounds());
    assert_eq!(bo.list(&test, "my_article_list", json!({"limit": 1}), "article_id").await, [kept]);
    let collected = mia.list(&test, "my_article_collect_list", json!({}), "article_id").await;
    assert_eq!(collected.len(), 100);
}

/// Articles come and go in parallel, each deleted by several calls at once, with conflicts: what is left is of one piece.
#[tokio::test(flavor = "multi_thread")]
async fn articles_come_and_go_in_parallel() {
    let test = std::sync::Arc::new(Test::start().await);
    let mut authors = vec![];
    for number in 1..=4 {
        authors.push(UserId(test.person(&format!("1380013800{number}")).await.0));
    }
    test.line.spoil("TransactWriteItems", (0..120).map(|at| (at % 4 == 0).then_some(Fault::Conflict)));
    let publishers = authors.iter().flat_map(|author| (0..6).map(|_| *author)).map(|author| {
        let test = test.clone();
        async move {
            let store = &test.plaza.app.store;
            loop {
                match store.publish_article(author, "x", vec![]).await {
                    Ok(id) => return (author, id),
                    Err(no) => assert_eq!(no, shared::domain::Refusal::Unavailable),
                }
            }
        }
    });
    let there = together(publishers).await;
    let ids = |author: UserId| there.iter().filter(move |(by, _)| *by == author).map(|(_, id)| *id);
    // Of each author's six, four go: three calls name overlapping threes and fours of them.
    let deleters = authors.iter().flat_map(|author| {
        let six: Vec<_> = ids(*author).collect();
        [six[..3].to_vec(), six[1..4].to_vec(), six[..4].to_vec()].map(|some| (*author, some))
    });
    let deleters = deleters.map(|(author, some)| {
        let test = test.clone();
        async move {
            let some = some.into_iter().collect();
            again!(test.plaza.app.store.delete_articles(author, &some));
        }
    });
    together(deleters).await;
    for author in &authors {
        assert_eq!(test.plaza.app.store.counts(*author).await.unwrap().articles, 2);
    }
    crate::deeds::whole(&crate::faults::raw(&test).await);
    let left = test.plaza.app.store.articles(authors[0], Page::first(100)).await.unwrap();
    let left: BTreeSet<_> = left.into_iter().map(|seen| seen.article.id).collect();
    assert_eq!(left, authors.iter().flat_map(|author| ids(*author).skip(4)).collect());
}
