//! Comments on tickets, and the circle of those who are talked about.
use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use shared::{
    domain::{CommentId, SubjectKind, TicketId, UserId},
    store::{Banner, Place},
};

use crate::{
    deeds,
    faults::raw,
    masters::{batch, master, project},
    support::{Test, User, together},
};

/// A project's tickets from 1 to `count`.
async fn tickets(test: &Test, count: u64) {
    let store = &test.plaza.app.store;
    store.import(&master(1), false).await.unwrap();
    store.import(&project(1, 1), false).await.unwrap();
    store.import_tickets(&batch(1, count, 1), false).await.unwrap();
}

impl User {
    async fn comment_on_ticket(&self, test: &Test, ticket: u64, content: &str) -> u64 {
        let comment = json!({"ticket_id": ticket, "content": content});
        self.done(test, "ticket_comment_publish", comment).await["comment_id"].as_u64().unwrap()
    }

    /// Tickets and their last comments, as the circle shows them.
    async fn circle(&self, test: &Test, body: Value) -> Vec<(u64, String)> {
        let circle = self.done(test, "ticket_circle", body).await["ticket_circle"].take();
        let told = |talk: &Value| {
            let content = talk["last_comment"]["content"].as_str().unwrap().to_owned();
            (talk["ticket"]["ticket_id"].as_u64().unwrap(), content)
        };
        circle.as_array().unwrap().iter().map(told).collect()
    }

    async fn unsay(&self, test: &Test, comments: &[u64]) {
        self.done(test, "ticket_comment_del", json!({"ticket_comment_id_list": comments})).await;
    }

    async fn ticket_comments(&self, test: &Test, body: Value) -> Vec<Value> {
        self.list(test, "ticket_comment_list", body, "ticket_comment_id").await
    }
}

#[tokio::test]
async fn a_ticket_is_talked_about() {
    let test = Test::start().await;
    let (anna, bo) = (User::new(&test, "13800138001").await, User::new(&test, "13800138002").await);
    tickets(&test, 2).await;
    let first = anna.comment_on_ticket(&test, 1, "who comes?").await;
    let second = bo.comment_on_ticket(&test, 1, &"me ".repeat(300)).await;
    let elsewhere = bo.comment_on_ticket(&test, 2, "or here?").await;
    let list = bo.done(&test, "ticket_comment_list", json!({"ticket_id": 1, "offset": 1})).await;
    let seen = &list["ticket_comment_list"][0];
    let wanted = json!([{
        "ticket_comment_id": first, "uid": anna.uid(), "content": "who comes?", "created_at": seen["created_at"],
        "author": {"uid": anna.uid(), "nickname": seen["author"]["nickname"], "avatar": null},
    }]);
    assert_eq!(list["ticket_comment_list"], wanted);
    assert_eq!(anna.ticket_comments(&test, json!({"ticket_id": 1})).await, [second, first]);
    assert_eq!(
        anna.list(&test, "ticket_comment_list", json!({"ticket_id": "1"}), "content").await[0],
        "me ".repeat(300)
    );

    // Another's keeps all; what is gone, or stands elsewhere than under a ticket, is fine.
    let delete = |ids: Value| json!({"ticket_comment_id_list": ids});
    bo.call(&test, "ticket_comment_del", delete(json!([second, first]))).await.refused(403, 403);
    assert_eq!(anna.ticket_comments(&test, json!({"ticket_id": 1})).await, [second, first]);
    let article = test.plaza.app.store.publish_article(UserId(bo.id), "the sea", vec![]).await.unwrap();
    let of_article = test.plaza.app.store.publish_comment(UserId(bo.id), article, "where?", None).await.unwrap();
    for _ in 0..2 {
        bo.done(&test, "ticket_comment_del", delete(json!([second, of_article, elsewhere.to_string()]))).await;
    }
    assert_eq!(anna.ticket_comments(&test, json!({"ticket_id": 1})).await, [first]);
    assert_eq!(anna.ticket_comments(&test, json!({"ticket_id": 2})).await, [Value::Null; 0]);
    let of_article = bo.list(&test, "article_comment_list", json!({"article_id": article}), "content").await;
    assert_eq!(of_article, ["where?"]);

    for operation in ["ticket_comment_list", "ticket_comment_publish"] {
        anna.call(&test, operation, json!({"ticket_id": 3, "content": "hello"})).await.refused(404, 404);
    }
    for content in [json!(""), json!("\u{200b}"), json!("x".repeat(1_001)), Value::Null] {
        let comment = json!({"ticket_id": 1, "content": content});
        anna.call(&test, "ticket_comment_publish", comment).await.refused(400, 400);
    }
}

#[tokio::test]
async fn tickets_have_banners() {
    let test = Test::start().await;
    let anna = User::new(&test, "13800138001").await;
    for (place, banner_id) in [(Place::Ticket, 1), (Place::Ticket, 2), (Place::Home, 3)] {
        let banner = Banner { banner_id, image: master(1).avatar, url: "https://example.com/".into() };
        test.plaza.app.store.import_banner(place, &banner, false).await.unwrap();
    }
    let shown = |id: u64| json!({"banner_id": id, "image": master(1).avatar, "url": "https://example.com/"});
    let answer = anna.done(&test, "ticket_banner", json!({})).await;
    assert_eq!(answer, json!({"code": 0, "ticket_banner": [shown(2), shown(1)]}));
}

fn told(wanted: &[(u64, &str)]) -> Vec<(u64, String)> {
    wanted.iter().map(|(ticket, content)| (*ticket, (*content).to_owned())).collect()
}

#[tokio::test]
async fn the_circle_shows_who_spoke_last() {
    let test = Test::start().await;
    let (anna, bo) = (User::new(&test, "13800138001").await, User::new(&test, "13800138002").await);
    tickets(&test, 4).await;
    assert_eq!(anna.circle(&test, json!({})).await, []);
    let first = anna.comment_on_ticket(&test, 1, "who comes?").await;
    let other = anna.comment_on_ticket(&test, 2, "and here?").await;
    assert_eq!(bo.circle(&test, json!({})).await, told(&[(2, "and here?"), (1, "who comes?")]));
    let long = "me ".repeat(300);
    let second = bo.comment_on_ticket(&test, 1, &long).await;
    assert_eq!(bo.circle(&test, json!({})).await, told(&[(1, &long), (2, "and here?")]));
    assert_eq!(bo.circle(&test, json!({"limit": 1, "offset": 1})).await, told(&[(2, "and here?")]));
    assert_eq!(bo.circle(&test, json!({"offset": 2})).await, []);

    // One before the last makes no difference, the last one does.
    let third = bo.comment_on_ticket(&test, 1, "tonight").await;
    bo.unsay(&test, &[second]).await;
    assert_eq!(anna.circle(&test, json!({})).await, told(&[(1, "tonight"), (2, "and here?")]));
    bo.unsay(&test, &[third]).await;
    assert_eq!(anna.circle(&test, json!({})).await, told(&[(2, "and here?"), (1, "who comes?")]));
    // With its last comment a ticket leaves, and with another it is back.
    anna.unsay(&test, &[first, other]).await;
    assert_eq!(anna.circle(&test, json!({})).await, []);
    let again = anna.comment_on_ticket(&test, 1, "again").await;
    let circle = bo.done(&test, "ticket_circle", json!({})).await["ticket_circle"].take();
    let (ticket, comment) = (&circle[0]["ticket"], &circle[0]["last_comment"]);
    let author = &comment["author"];
    let wanted = json!([{
        "ticket": {"ticket_id": 1, "name": "Stalls 1", "image": master(1).avatar, "intro": "Rows one to five.",
            "price": 19_900, "created_at": ticket["created_at"]},
        "last_comment": {"comment_id": again, "content": "again", "created_at": comment["created_at"], "author": {
            "uid": anna.uid(), "nickname": author["nickname"], "avatar": null, "gender": 0, "country": "86",
            "province": null, "city": null, "birthday": null, "score": 0, "level": 0, "exp": 0, "intro": null,
            "created_at": author["created_at"],
        }},
    }]);
    assert_eq!(circle, wanted);
    deeds::whole(&raw(&test).await);
}

#[tokio::test]
async fn withdrawn_tickets_leave_the_circle_until_they_come_back() {
    let test = Test::start().await;
    let (anna, bo) = (User::new(&test, "13800138001").await, User::new(&test, "13800138002").await);
    tickets(&test, 40).await;
    let store = &test.plaza.app.store;
    store.import_tickets(&batch(101, 1, 1), false).await.unwrap();
    let mut comments = vec![];
    for ticket in [1, 40, 101] {
        comments.push(anna.comment_on_ticket(&test, ticket, "anna was here").await);
        comments.push(bo.comment_on_ticket(&test, ticket, "and bo").await);
    }
    for _ in 0..2 {
        store.import_tickets(&batch(1, 40, 1), true).await.unwrap();
        assert_eq!(anna.circle(&test, json!({})).await, told(&[(101, "and bo")]));
    }
    // One's own words can be taken back all the same.
    bo.unsay(&test, &[comments[3]]).await;
    let refused = async |ticket: u64| {
        for operation in ["ticket_comment_list", "ticket_comment_publish"] {
            anna.call(&test, operation, json!({"ticket_id": ticket, "content": "hello"})).await.refused(404, 404);
        }
    };
    refused(1).await;
    deeds::whole(&raw(&test).await);
    store.import_tickets(&batch(1, 40, 1), false).await.unwrap();
    let all = told(&[(101, "and bo"), (40, "anna was here"), (1, "and bo")]);
    assert_eq!(anna.circle(&test, json!({})).await, all);
    // With the master all goes.
    store.import(&master(1), true).await.unwrap();
    assert_eq!(anna.circle(&test, json!({})).await, []);
    refused(101).await;
    store.import(&master(1), false).await.unwrap();
    anna.comment_on_ticket(&test, 101, "at last").await;
    assert_eq!(anna.circle(&test, json!({"limit": 1})).await, told(&[(101, "at last")]));
}

/// Many at one ticket, some of whom take back what they said.
#[tokio::test(flavor = "multi_thread")]
async fn all_speak_at_once() {
    let test = Arc::new(Test::start().await);
    let (anna, bo) = (User::new(&test, "13800138001").await, User::new(&test, "13800138002").await);
    tickets(&test, 1).await;
    let speak = |number: usize| {
        let (test, user) = (test.clone(), UserId(if number.is_multiple_of(2) { anna.id } else { bo.id }));
        async move {
            let store = &test.plaza.app.store;
            let id = store.publish_comment(user, TicketId(1), &format!("comment {number}"), None).await.unwrap();
            if number.is_multiple_of(3) {
                store.delete_comments(user, SubjectKind::Ticket, &[id].into()).await.unwrap();
            }
        }
    };
    let time = async {
        loop {
            tokio::time::sleep(Duration::from_millis(1)).await;
            test.wait(1);
        }
    };
    tokio::select! {
        _ = together((0..40).map(speak)) => {}
        () = time => {}
    }
    let items = raw(&test).await;
    deeds::whole(&items);
    let comments = anna.list(&test, "ticket_comment_list", json!({"ticket_id": 1, "limit": 100}), "content").await;
    assert_eq!(comments.len(), 26);
    assert_eq!(anna.circle(&test, json!({})).await, told(&[(1, comments[0].as_str().unwrap())]));
    assert_eq!(anna.circle(&test, json!({"offset": 1})).await, []);
    // Whoever comes next tidies up behind all of them.
    anna.comment_on_ticket(&test, 1, "well").await;
    let items = raw(&test).await;
    deeds::whole(&items);
    assert_eq!(items.keys().filter(|key| key.starts_with("CIRCLE / ")).count(), 1);
    // All is taken back at once, the last ones as well.
    let comments = anna.done(&test, "ticket_comment_list", json!({"ticket_id": 1, "limit": 100})).await;
    let unsay = |comment: &Value| {
        let user = UserId(if comment["uid"] == anna.uid() { anna.id } else { bo.id });
        let (test, id) = (test.clone(), CommentId(comment["ticket_comment_id"].as_u64().unwrap()));
        async move {
            let store = &test.plaza.app.store;
            while let Err(no) = store.delete_comments(user, SubjectKind::Ticket, &[id].into()).await {
                assert_eq!(no.code(), 503, "{no}");
            }
        }
    };
    together(comments["ticket_comment_list"].as_array().unwrap().iter().map(unsay)).await;
    let items = raw(&test).await;
    deeds::whole(&items);
    assert!(!items.keys().any(|key| key.starts_with("CIRCLE / ")));
    assert_eq!(anna.circle(&test, json!({})).await, []);
}

/// What was said and taken back costs the circle nothing, and does not make its pages short.
#[tokio::test]
async fn the_circle_costs_its_page() {
    let test = Test::start().await;
    let anna = User::new(&test, "13800138001").await;
    tickets(&test, 120).await;
    let store = &test.plaza.app.store;
    let say = async |ticket: u64| {
        test.wait(1);
        store.publish_comment(UserId(anna.id), TicketId(ticket), "hello", None).await.unwrap()
    };
    for ticket in 1..=20 {
        say(ticket).await;
    }
    let page = async || {
        test.wait(60_000);
        let (circle, cost) = test.line.meter(anna.circle(&test, json!({"limit": 20}))).await;
        assert_eq!(
            circle.into_iter().map(|(ticket, _)| ticket).collect::<Vec<_>>(),
            (1..=20).rev().collect::<Vec<_>>()
        );
        (cost.rounds(), cost.read_units())
    };
    let cost = page().await;
    for ticket in 21..=120 {
        let said = [say(ticket).await, say(ticket).await];
        store.delete_comments(UserId(anna.id), SubjectKind::Ticket, &said.into()).await.unwrap();
    }
    assert_eq!(page().await, cost);
    assert_eq!(cost.0, 2);
}

/// Pages are full though nothing of the newest can be shown.
#[tokio::test]
async fn the_circle_is_read_below_what_is_withdrawn() {
    let test = Test::start().await;
    let anna = User::new(&test, "13800138001").await;
    tickets(&test, 30).await;
    let store = &test.plaza.app.store;
    store.import_tickets(&batch(1001, 300, 1), false).await.unwrap();
    for ticket in (1..=30).chain(1001..=1300) {
        test.wait(1);
        store.publish_comment(UserId(anna.id), TicketId(ticket), "hello", None).await.unwrap();
    }
    store.import_tickets(&batch(1001, 300, 1), true).await.unwrap();
    for (offset, limit, shown) in [(0, 20, 20), (5, 10, 10), (25, 20, 5), (30, 20, 0)] {
        let (circle, cost) = test.line.meter(anna.circle(&test, json!({"limit": limit, "offset": offset}))).await;
        let found: Vec<_> = circle.into_iter().map(|(ticket, _)| ticket).collect();
        assert_eq!(found, (1..=30 - offset).rev().take(shown).collect::<Vec<_>>(), "{offset}");
        assert!(cost.rounds() <= 10, "{offset}: {}", cost.rounds());
    }
}
