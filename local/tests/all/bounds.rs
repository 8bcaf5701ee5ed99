//! What a request costs and shows, whatever others have stored, deleted or do meanwhile.
use std::{collections::BTreeSet, sync::Arc};

use http::Request;
use serde_json::{Value, json};
use shared::{
    domain::{ArticleId, CommentId, SubjectKind, UserId},
    store::Mark,
};

use crate::support::{Cost, Test, together};

/// Publishes so many articles, in the order of their ids.
async fn publish(test: &Test, author: UserId, many: usize) -> Vec<ArticleId> {
    let mut ids = vec![];
    for number in 0..many {
        ids.push(test.plaza.app.store.publish_article(author, &number.to_string(), vec![]).await.unwrap());
        test.wait(1);
    }
    ids
}

/// A page of one of document D's lists, by the ids of what it shows.
async fn page(test: &Test, token: &str, list: &str, mut body: Value) -> (Vec<u64>, Cost) {
    body["token"] = token.into();
    let (answer, cost) = test.line.meter(test.json(&format!("/{list}"), body)).await;
    let entries = answer.body[list].as_array().unwrap_or_else(|| panic!("{answer:?}"));
    let id = |entry: &Value| entry["article_id"].as_u64().or(entry["comment_id"].as_u64()).unwrap();
    (entries.iter().map(id).collect(), cost)
}

/// Hundreds of comments that were written and deleted cost a page nothing, pinned or not.
#[tokio::test]
async fn deleted_comments_cost_a_list_nothing() {
    let test = Test::start().await;
    let (anna, token) = test.person("13800138001").await;
    let (anna, store) = (UserId(anna), &test.plaza.app.store);
    let article = publish(&test, anna, 1).await[0];
    let mut stay = vec![];
    for _ in 0..5 {
        stay.push(store.publish_comment(anna, article, "stays", None).await.unwrap());
        test.wait(1);
    }
    let pages = async || {
        let listed = page(&test, &token, "article_comment_list", json!({"article_id": article.0, "limit": 1})).await;
        let path = format!("/m_user/comments?target_id={}&target_type=post&cursor=&offset=0&limit=1", article.0);
        let request = Request::builder().header("authorization", &token);
        let (pinned, pinned_cost) = test.line.meter(test.send(request, &path, "")).await;
        (listed.0, listed.1.read_units(), pinned.body["items"][0]["id"].clone(), pinned_cost.read_units())
    };
    let before = pages().await;
    for _ in 0..12 {
        let mut gone = BTreeSet::<CommentId>::new();
        for _ in 0..100 {
            gone.insert(store.publish_comment(anna, article, "goes", None).await.unwrap());
        }
        test.wait(1);
        store.delete_comments(anna, SubjectKind::Article, &gone).await.unwrap();
    }
    test.wait(1);
    assert_eq!(pages().await, before);
    assert_eq!(before.0, [stay[4].0]);
    // What keeps their places in lists that were pinned before ends by itself.
    let items = test.items().await;
    let mut gone = items.iter().filter(|(key, _)| key.contains(" / GONE#"));
    assert!(gone.clone().count() == 1_200 && gone.all(|(_, item)| item.contains_key("expires_at")));
}

/// A thousand articles that were published and deleted leave a list as it was, and cost it nothing once they are a few
/// minutes old.
#[tokio::test]
async fn deleted_articles_cost_a_list_nothing() {
    let test = Test::start().await;
    let (anna, token) = test.person("13800138001").await;
    let (anna, store) = (UserId(anna), &test.plaza.app.store);
    let mut wanted = publish(&test, anna, 30).await;
    let before = page(&test, &token, "article_list", json!({})).await.1;
    for _ in 0..8 {
        // One of each block stays, so that no block can be passed over.
        let ids = publish(&test, anna, 128).await;
        store.delete_articles(anna, &ids[1..].iter().copied().collect()).await.unwrap();
        wanted.push(ids[0]);
    }
    test.wait(61_000);
    wanted.extend(publish(&test, anna, 1).await);
    for _ in 0..3 {
        store.settle_articles().await.unwrap();
    }
    let ids: Vec<_> = wanted.iter().rev().map(|id| id.0).collect();
    let (shown, cost) = page(&test, &token, "article_list", json!({})).await;
    assert_eq!(shown, ids[..20]);
    // A query for each of the nine blocks that it comes from.
    assert!(cost.read_units() <= before.read_units() + 9.0 && cost.rounds() <= 3, "{cost:#?}");
    let holes = test.items().await.values().filter(|item| item.contains_key("hole")).count();
    assert_eq!(holes, 0);
    let (rest, _) = page(&test, &token, "article_list", json!({"offset": 20})).await;
    assert_eq!(rest, ids[20..]);
}

/// Readers beside somebody who deletes: every page is full, in order, and misses nothing that stays.
#[tokio::test(flavor = "multi_thread")]
async fn pages_are_full_while_articles_go() {
    let test = Arc::new(Test::start().await);
    let (anna, token) = test.person("13800138001").await;
    let (bo, bos_token) = test.person("13800138002").await;
    let (anna, bo) = (UserId(anna), UserId(bo));
    test.plaza.app.store.follow(bo, anna).await.unwrap();
    let ids = publish(&test, anna, 400).await;
    for id in &ids {
        test.plaza.app.store.mark(Mark::Collect, bo, *id).await.unwrap();
        test.wait(1);
    }
    test.plaza.deliver().await.unwrap();
    // Three of four go, sixteen at a time.
    let goes = |at: usize| at % 64 < 48;
    let stay: Vec<u64> = (0..400).filter(|at| !goes(*at)).map(|at| ids[at].0).collect();
    let gone: Vec<_> = (0..400).rev().filter(|at| goes(*at)).map(|at| ids[at]).collect();
    let deleting = tokio::spawn({
        let test = test.clone();
        async move {
            for some in gone.chunks(16) {
                test.plaza.app.store.delete_articles(anna, &some.iter().copied().collect()).await.unwrap();
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        }
    });
    let lists =
        [("article_list", token.clone()), ("my_article_list", token), ("following_article_list", bos_token.clone())];
    let readers = lists.into_iter().chain([("my_article_collect_list", bos_token)]).map(|(list, token)| {
        let (test, stay) = (test.clone(), stay.clone());
        let deleting = deleting.abort_handle();
        async move {
            let mut pages = 0;
            while !deleting.is_finished() || pages < 10 {
                let offset = [0, 7, 20, 40][pages % 4];
                let body = json!({"limit": 20, "offset": offset, "token": token});
                let answer = test.json(&format!("/{list}"), body).await;
                let shown: Vec<u64> = answer.body[list]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|one| one["article_id"].as_u64().unwrap())
                    .collect();
                assert_eq!(shown.len(), 20, "{list} at {offset} is not full");
                assert!(shown.is_sorted_by(|a, b| a > b), "{list}: {shown:?}");
                let (first, last) = (shown[0], shown[19]);
                let missed = stay.iter().find(|id| (last..first).contains(id) && !shown.contains(id));
                assert_eq!(missed, None, "{list} at {offset}: {shown:?}");
                pages += 1;
            }
            pages
        }
    });
    let pages = together(readers).await;
    println!("{pages:?} pages");
    deleting.await.unwrap();
}

/// Whoever has collected articles by the hundred that were deleted this moment gets a full page all the same.
#[tokio::test]
async fn a_collection_is_filled_past_what_went() {
    let test = Test::start().await;
    let (anna, _) = test.person("13800138001").await;
    let (bo, token) = test.person("13800138002").await;
    let (anna, bo, store) = (UserId(anna), UserId(bo), &test.plaza.app.store);
    let ids = publish(&test, anna, 330).await;
    for id in &ids {
        store.mark(Mark::Collect, bo, *id).await.unwrap();
        test.wait(1);
    }
    for some in ids[30..].chunks(100) {
        store.delete_articles(anna, &some.iter().copied().collect()).await.unwrap();
    }
    let (shown, cost) = page(&test, &token, "my_article_collect_list", json!({"limit": 20})).await;
    assert_eq!(shown, ids[10..30].iter().rev().map(|id| id.0).collect::<Vec<_>>());
    println!("{} rounds, {} units", cost.rounds(), cost.read_units());
}

/// Deep in a list of comments, where they are only counted: the same pages as if each were read, pinned or not, whatever
/// was deleted meanwhile.
#[tokio::test]
async fn deep_pages_of_comments_are_those_of_the_whole_list() {
    let test = Test::start().await;
    let (anna, token) = test.person("13800138001").await;
    let (anna, store) = (UserId(anna), &test.plaza.app.store);
    let article = publish(&test, anna, 1).await[0];
    let mut all = vec![];
    for number in 0..130 {
        let text = if number % 10 == 0 { "long ".repeat(150) } else { number.to_string() };
        all.push(store.publish_comment(anna, article, &text, None).await.unwrap());
        test.wait(1);
    }
    all.reverse();
    let listed = async |offset: usize| {
        let body = json!({"article_id": article.0, "limit": 20, "offset": offset});
        page(&test, &token, "article_comment_list", body).await.0
    };
    let pinned = async |cursor: &str, offset: usize| {
        let query = format!("target_id={}&target_type=post&cursor={cursor}&offset={offset}&limit=20", article.0);
        let request = Request::builder().header("authorization", &token);
        let body = test.send(request, &format!("/m_user/comments?{query}"), "").await.body;
        let ids = body["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().parse().unwrap());
        (ids.collect::<Vec<u64>>(), body["cursor"].as_str().unwrap().to_owned())
    };
    let cursor = pinned("", 0).await.1;
    let ids = |from: usize, of: &[CommentId]| of.iter().skip(from).take(20).map(|id| id.0).collect::<Vec<_>>();
    let offsets = [0, 1, 39, 40, 41, 60, 100, 111, 129, 130, 140];
    for offset in offsets {
        assert_eq!(listed(offset).await, ids(offset, &all), "{offset}");
        assert_eq!(pinned(&cursor, offset).await.0, ids(offset, &all), "{offset}");
        assert_eq!(pinned("", offset).await.0, ids(offset, &all), "{offset}");
    }
    let goes = |at: usize| at % 7 == 3 || (45..50).contains(&at);
    let gone: BTreeSet<_> = (0..130).filter(|at| goes(*at)).map(|at| all[at]).collect();
    test.wait(1);
    store.delete_comments(anna, SubjectKind::Article, &gone).await.unwrap();
    for _ in 0..30 {
        store.publish_comment(anna, article, "later", None).await.unwrap();
        test.wait(1);
    }
    let stay: Vec<_> = all.iter().copied().filter(|id| !gone.contains(id)).collect();
    for offset in offsets {
        // Each keeps its place in the list as it was.
        let wanted: Vec<_> = ids(offset, &all).into_iter().filter(|id| !gone.contains(&CommentId(*id))).collect();
        assert_eq!(pinned(&cursor, offset).await.0, wanted, "{offset}");
        assert_eq!(listed(30 + offset).await, ids(offset, &stay), "{offset}");
    }
    // With the article all goes.
    store.delete_articles(anna, &[article].into()).await.unwrap();
    test.plaza.deliver().await.unwrap();
    let left = test.items().await.into_keys().filter(|key| key.starts_with(&format!("A#{:016}", article.0))).count();
    assert_eq!(left, 0);
}
