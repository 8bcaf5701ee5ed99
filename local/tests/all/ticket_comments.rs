//! Comments on tickets.
use serde_json::{Value, json};
use shared::{
    domain::UserId,
    store::{Banner, Place},
};

use crate::{
    masters::{batch, master, project},
    support::{Test, User},
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
