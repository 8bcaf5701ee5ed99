//! What pages of a usual size cost, beside what their bytes would cost read once: 30 authors, 120 articles of 189 Chinese
//! characters, 120 comments under one of them, all by the same 30, whom the reader follows.
use serde_json::{Value, json};
use shared::{
    domain::{ArticleId, SubjectKind, UserId},
    store::Mark,
};

use crate::support::{Call, Chance, Cost, Test};

/// An operation, its body, and the most calls, read units and write units that it may take.
type Page<'a> = (&'a str, Value, usize, f64, f64);

#[tokio::test]
async fn pages_cost_what_their_bytes_cost() {
    let test = Test::start().await;
    let store = &test.plaza.app.store;
    let (reader, token) = test.person("13900139000").await;
    let reader = UserId(reader);
    let mut authors = vec![];
    for number in 0..30 {
        test.wait(1);
        let author = UserId(test.person(&format!("138001380{number:02}")).await.0);
        store.follow(reader, author).await.unwrap();
        authors.push(author);
    }
    let (text, mut chance, mut articles) = ("湖上的风很轻水面像一面镜子".repeat(15), Chance(7), vec![]);
    let text: String = text.chars().take(189).collect();
    for _ in 0..120 {
        test.wait(1);
        let author = authors[chance.below(30)];
        articles.push(store.publish_article(author, &text, vec![]).await.unwrap());
    }
    // Every third is the reader's favourite.
    for article in articles.iter().step_by(3) {
        test.wait(1);
        store.mark(Mark::Like, reader, *article).await.unwrap();
    }
    let popular = articles[60];
    for number in 0..120 {
        test.wait(1);
        let user = authors[chance.below(30)];
        let comment = store.publish_comment(user, popular, "北边的那座山我也去过", None).await.unwrap();
        if number % 4 == 0 {
            store.vote_on_comment(reader, SubjectKind::Article, comment, shared::store::Vote::Up).await.unwrap();
        }
    }
    for user in &authors {
        test.wait(1);
        store.mark(Mark::Like, *user, popular).await.unwrap();
    }
    let long = store.publish_article(authors[0], &"长".repeat(5_000), vec![]).await.unwrap();
    test.plaza.deliver().await.unwrap();
    test.wait(60_000);

    let of = |article: ArticleId| json!({"article_id": article.0});
    let wanted: &[Page] = &[
        ("article_list", json!({"limit": 20, "offset": 1}), 5, 22.0, 0.0),
        ("article_list", json!({"limit": 100, "offset": 1}), 6, 80.0, 0.0),
        ("following_article_list", json!({"limit": 20, "offset": 1}), 5, 25.0, 0.0),
        ("following_article_list", json!({"limit": 100, "offset": 1}), 6, 85.0, 0.0),
        ("article_detail", of(popular), 8, 50.0, 0.0),
        ("article_comment_list", json!({"article_id": popular.0, "limit": 100}), 5, 45.0, 0.0),
        ("my_following_users", json!({}), 3, 17.0, 0.0),
        ("my_user_info", json!({}), 1, 3.0, 0.0),
        ("user_info", json!({"to_uid": authors[0].0}), 1, 4.0, 0.0),
        ("article_like", of(long), 2, 1.0, 6.0),
        ("article_unlike", of(long), 3, 2.0, 6.0),
        ("article_publish", json!({"content": text}), 3, 1.0, 11.0),
        ("article_comment_publish", json!({"article_id": popular.0, "content": "谢谢"}), 2, 1.0, 10.0),
        ("user_unfollow", json!({"to_uid": authors[1].0}), 3, 2.0, 12.0),
        ("user_follow", json!({"to_uid": authors[1].0}), 2, 1.0, 14.0),
    ];
    let mut dear = vec![];
    println!(
        "{:24} {:>5} {:>6} {:>6} {:>6} {:>6} {:>6}",
        "operation", "limit", "bytes", "rounds", "calls", "reads", "writes"
    );
    for (operation, body, calls, reads, writes) in wanted {
        let mut body = body.clone();
        let limit = body["limit"].to_string().replace("null", "");
        body["token"] = token.clone().into();
        let (answer, cost) = test.line.meter(test.json(&format!("/{operation}"), body)).await;
        assert_eq!(answer.code(), "0", "{operation}: {answer:?}");
        let bytes = answer.body.to_string().len();
        let rounds = cost.rounds();
        // For a limit it is counted beside the session's check: a call and a unit, of those alone that have one.
        let (counts, cost): (Vec<_>, Vec<_>) = cost.0.into_iter().partition(Call::is_count);
        let (counts, cost) = (Cost(counts), Cost(cost));
        assert!(counts.0.len() <= 1 && counts.write_units() <= 1.0, "{operation}: {counts:?}");
        let found = (cost.0.len(), cost.read_units(), cost.write_units());
        println!("{operation:24} {limit:>5} {bytes:6} {rounds:6} {:6} {:6.1} {:6.1}", found.0, found.1, found.2);
        if found.0 > *calls || found.1 > *reads || found.2 > *writes {
            dear.push(format!("{operation} {limit}: at most {calls} calls, {reads} and {writes} units: {:#?}", cost.0));
        }
    }
    assert!(dear.is_empty(), "{}", dear.join("\n"));
}
