//! Masters whom one follows, their projects and tickets; and merchants with their clothes.
use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use futures_util::future::join_all;
use serde_json::{Value, json};
use shared::{
    domain::{ClothId, MasterId, MediaId, MerchantId, ProjectId, TicketId, UserId},
    store::{
        Cloth, Imported, Master, Merchant, Project, TicketBatch,
        keys::{self, Feed},
    },
};

use crate::support::{Answer, Test};

fn image() -> MediaId {
    MediaId("e4cbdd56-855a-41ee-bcb6-5785abdd6148.jpeg".to_owned())
}

pub fn master(id: u128) -> Master {
    Master {
        master_id: MasterId(id),
        name: format!("Master {id:x}"),
        avatar: image(),
        intro: "Thirty years on the stage.".to_owned(),
        address: "3 Lake Road".to_owned(),
        birthday: "1970-05-01".to_owned(),
        recommended: false,
    }
}

pub fn project(id: u64, master: u128) -> Project {
    Project {
        project_id: ProjectId(id),
        master_id: MasterId(master),
        name: format!("Project {id}"),
        image: image(),
        intro: "Every Friday.".to_owned(),
        recommended: false,
    }
}

/// Tickets of a project with the ids from `first` on.
pub fn batch(first: u64, count: u64, project: u64) -> TicketBatch {
    TicketBatch {
        ticket_id: TicketId(first),
        count,
        project_id: ProjectId(project),
        // The project says whose.
        master_id: MasterId(0),
        name: format!("Stalls {first}"),
        image: image(),
        intro: "Rows one to five.".to_owned(),
        price: 19_900,
    }
}

pub fn merchant(id: u128) -> Merchant {
    Merchant {
        merchant_id: MerchantId(id),
        name: "Silk house".to_owned(),
        logo: image(),
        intro: "Woven by hand.".to_owned(),
        address: "5 Lake Road".to_owned(),
        phone: "057112345678".to_owned(),
        email: "silk@example.com".to_owned(),
    }
}

pub fn cloth(id: u64, merchant: Option<u128>) -> Cloth {
    Cloth {
        cloth_id: ClothId(id),
        merchant_id: merchant.map(MerchantId),
        name: format!("Robe {id}"),
        image: image(),
        intro: "Of raw silk.".to_owned(),
        price: 299_900,
        dynasty: 1,
        designer_intro: String::new(),
        recommended: false,
    }
}

/// A test with somebody signed in.
struct Signed {
    test: Test,
    id: UserId,
    token: String,
}

impl Signed {
    async fn new() -> Self {
        let test = Test::start().await;
        let (id, token) = test.person("13800138001").await;
        Self { test, id: UserId(id), token }
    }

    async fn call(&self, operation: &str, body: Value) -> Answer {
        self.test.json_as(&self.token, &format!("/{operation}"), body).await
    }

    async fn done(&self, operation: &str, body: Value) {
        assert_eq!(self.call(operation, body).await.body, json!({"code": 0}), "{operation}");
    }

    /// What is answered under this name, beside the code alone.
    async fn read(&self, operation: &str, under: &str, body: Value) -> Value {
        let mut answer = self.call(operation, body).await;
        assert_eq!(answer.code(), "0", "{operation}: {answer:?}");
        assert_eq!(answer.body.as_object().unwrap().len(), 2, "{operation}: {answer:?}");
        answer.body[under].take()
    }

    async fn list(&self, operation: &str, under: &str, id: &str, body: Value) -> Vec<Value> {
        let list = self.read(operation, under, body).await;
        list.as_array().unwrap().iter().map(|entry| entry[id].clone()).collect()
    }

    async fn followed_projects(&self, body: Value) -> Vec<Value> {
        self.list("my_following_masters_project_list", "project_recommend_list", "project_id", body).await
    }

    async fn followed_tickets(&self, body: Value) -> Vec<Value> {
        let name = "my_following_masters_ticket_list";
        self.list(name, name, "ticket_id", body).await
    }

    /// Whom the user follows.
    async fn masters(&self) -> Vec<Value> {
        self.list("my_following_masters", "my_following_masters", "master_id", json!({})).await
    }

    async fn project(&self, id: u64, master: u128, withdrawn: bool) {
        self.test.wait(1);
        self.test.plaza.app.store.import(&project(id, master), withdrawn).await.unwrap();
    }

    async fn batch(&self, first: u64, count: u64, project: u64, withdrawn: bool) {
        self.test.wait(1);
        self.test.plaza.app.store.import_tickets(&batch(first, count, project), withdrawn).await.unwrap();
    }

    async fn deliver(&self) {
        self.test.plaza.deliver().await.unwrap();
    }
}

const LIN: u128 = 0xef1b_95c8_2f4b_47c2_841d_9c0c_095a_558b;
const QIAO: u128 = 2;

/// Both masters: Lin has projects 1 and 2, Qiao 3, the later ones with the higher numbers, each with tickets.
async fn stage() -> Signed {
    let bo = Signed::new().await;
    let store = &bo.test.plaza.app.store;
    for id in [LIN, QIAO] {
        bo.test.wait(1);
        store.import(&master(id), false).await.unwrap();
    }
    for (id, of, tickets) in [(1, LIN, 3), (2, LIN, 2), (3, QIAO, 5)] {
        bo.project(id, of, false).await;
        bo.batch(id * 100 + 1, tickets, id, false).await;
    }
    bo
}

#[tokio::test]
async fn followed_masters_bring_their_projects_and_tickets() {
    life_of_a_follower(0).await;
}

/// Of masters whom many follow nothing is written to their followers.
#[tokio::test]
async fn so_do_masters_whom_many_follow() {
    life_of_a_follower(10_000).await;
}

async fn life_of_a_follower(others: u64) {
    let bo = stage().await;
    for master in [LIN, QIAO] {
        let update = bo.test.table().update_item().table_name("plaza").update_expression("ADD followers :others");
        let update = update.set_key(Some(keys::counts(MasterId(master)).into()));
        let others = AttributeValue::N(others.to_string());
        update.expression_attribute_values(":others", others).send().await.unwrap();
    }
    assert_eq!(bo.followed_projects(json!({})).await, [0; 0]);
    // Either case, and more than once.
    for id in ["EF1B95C82F4B47C2841D9C0C095A558B", "ef1b95c82f4b47c2841d9c0c095a558b"] {
        bo.test.wait(1);
        bo.done("master_follow", json!({"master_id": id})).await;
    }
    bo.test.wait(1);
    bo.done("master_follow", json!({"master_id": MasterId(QIAO)})).await;
    assert_eq!(bo.masters().await, [json!(MasterId(QIAO)), json!(MasterId(LIN))]);
    // At once, and when the stream has told of it.
    for _ in 0..2 {
        assert_eq!(bo.followed_projects(json!({})).await, [3, 2, 1]);
        assert_eq!(bo.followed_tickets(json!({})).await, [305, 304, 303, 302, 301, 202, 201, 103, 102, 101]);
        bo.deliver().await;
    }
    let items = bo.test.items().await;
    assert_eq!(items.keys().any(|key| key.starts_with("FP#")), others == 0);

    // What comes now is there after the stream as well.
    bo.project(4, LIN, false).await;
    bo.batch(401, 1, 4, false).await;
    bo.deliver().await;
    assert_eq!(bo.followed_projects(json!({})).await, [4, 3, 2, 1]);
    for (page, projects, tickets) in [
        (json!({"limit": 2}), vec![4, 3], vec![401, 305]),
        (json!({"limit": 2, "offset": 1}), vec![3, 2], vec![305, 304]),
        (json!({"limit": 3, "offset": 3}), vec![1], vec![303, 302, 301]),
        (json!({"limit": 4, "offset": 5}), vec![], vec![301, 202, 201, 103]),
        (json!({"offset": 11}), vec![], vec![]),
    ] {
        assert_eq!(bo.followed_projects(page.clone()).await, projects, "{page}");
        assert_eq!(bo.followed_tickets(page.clone()).await, tickets, "{page}");
    }

    // The rest is seen at once, whatever the feeds still hold.
    bo.batch(301, 5, 3, true).await;
    assert_eq!(bo.followed_tickets(json!({"limit": 3})).await, [401, 202, 201]);
    bo.project(2, LIN, true).await;
    assert_eq!(bo.followed_projects(json!({"limit": 3})).await, [4, 3, 1]);
    bo.batch(301, 5, 3, false).await;
    for _ in 0..2 {
        bo.done("master_unfollow", json!({"master_id": MasterId(LIN)})).await;
    }
    for _ in 0..2 {
        assert_eq!(bo.followed_projects(json!({})).await, [3]);
        assert_eq!(bo.followed_tickets(json!({})).await, [305, 304, 303, 302, 301]);
        assert_eq!(bo.masters().await, [json!(MasterId(QIAO))]);
        bo.deliver().await;
    }
    bo.test.plaza.app.store.import(&master(QIAO), true).await.unwrap();
    assert_eq!(bo.followed_projects(json!({})).await, [0; 0]);
    assert_eq!(bo.followed_tickets(json!({})).await, [0; 0]);
    assert_eq!(bo.masters().await, [0; 0]);
    bo.call("master_detail", json!({"master_id": MasterId(QIAO)})).await.refused(404, 404);
    bo.done("master_unfollow", json!({"master_id": MasterId(QIAO)})).await;
    bo.call("master_follow", json!({"master_id": MasterId(QIAO)})).await.refused(404, 404);
    bo.done("master_unfollow", json!({"master_id": MasterId(9)})).await;
}

#[tokio::test]
async fn masters_and_projects_are_shown() {
    let bo = stage().await;
    let store = &bo.test.plaza.app.store;
    store.import(&Master { recommended: true, ..master(LIN) }, false).await.unwrap();
    store.import(&Project { recommended: true, ..project(1, LIN) }, false).await.unwrap();
    bo.done("master_follow", json!({"master_id": MasterId(LIN)})).await;
    let (lin, qiao) = (json!(MasterId(LIN)), json!(MasterId(QIAO)));
    assert_eq!(bo.list("master_list", "master_list", "uid", json!({})).await, [qiao.clone(), lin.clone()]);
    assert_eq!(bo.list("master_recommend_list", "master_list", "uid", json!({})).await, [lin.clone(), qiao.clone()]);
    let listed = &bo.read("master_list", "master_list", json!({"offset": 1})).await[0];
    assert_eq!((&listed["nickname"], &listed["is_follow"]), (&master(LIN).name.into(), &json!(true)));

    let detail = bo.read("master_detail", "master_detail", json!({"master_id": lin})).await;
    let counts = ["is_follow", "follower_count", "follow_count", "article_count"].map(|name| detail[name].clone());
    assert_eq!(counts, [json!(true), json!(1), json!(0), json!(0)]);

    let projects = async |body| bo.list("project_list", "project_list", "project_id", body).await;
    assert_eq!(projects(json!({})).await, [3, 2, 1]);
    assert_eq!(projects(json!({"master_id": null, "limit": 1, "offset": 1})).await, [2]);
    assert_eq!(projects(json!({"master_id": lin})).await, [2, 1]);
    assert_eq!(projects(json!({"master_id": MasterId(9)})).await, [0; 0]);
    let recommended = bo.list("project_recommend_list", "project_recommend_list", "project_id", json!({})).await;
    assert_eq!(recommended, [1, 3, 2]);
    let detail = bo.read("project_detail", "project_detail", json!({"project_id": "1"})).await;
    assert_eq!((&detail["ticket_count"], &detail["master"]["is_follow"]), (&json!(3), &json!(true)));
    bo.project(1, LIN, true).await;
    assert_eq!(projects(json!({})).await, [3, 2]);
    for id in [1, 9] {
        bo.call("project_detail", json!({"project_id": id})).await.refused(404, 404);
    }
    for id in [json!("1"), json!("g".repeat(32)), json!("+".to_owned() + &"1".repeat(31)), json!(7)] {
        let answer = bo.call("master_detail", json!({"master_id": id})).await;
        answer.refused(400, 400);
        assert!(answer.message().starts_with("master_id: "), "{answer:?}");
    }
}

#[tokio::test]
async fn merchants_and_their_clothes_are_shown() {
    let bo = Signed::new().await;
    let store = &bo.test.plaza.app.store;
    for id in [1, 2] {
        bo.test.wait(1);
        store.import(&merchant(id), false).await.unwrap();
    }
    for (id, of) in [(1, None), (2, Some(1)), (3, Some(2)), (4, Some(1))] {
        bo.test.wait(1);
        store.import(&Cloth { recommended: id == 3, ..cloth(id, of) }, false).await.unwrap();
    }
    let cloths = async |operation: &str| bo.list(operation, "merchant_cloth_list", "cloth_id", json!({})).await;
    assert_eq!(cloths("merchant_cloth_list").await, [4, 3, 2]);
    assert_eq!(cloths("merchant_cloth_recommend_list").await, [3, 4, 2]);

    // The design circle's is no merchant's.
    for id in [1, 9] {
        for operation in ["merchant_cloth_detail", "merchant_cloth_collect"] {
            bo.call(operation, json!({"cloth_id": id})).await.refused(404, 404);
        }
        bo.done("merchant_cloth_uncollect", json!({"cloth_id": id})).await;
    }
    let collected = async || bo.list("merchant_cloth_list", "merchant_cloth_list", "is_collect", json!({})).await;
    for _ in 0..2 {
        bo.done("merchant_cloth_collect", json!({"cloth_id": 3})).await;
        assert_eq!(collected().await, [false, true, false]);
    }
    for id in [1, 2, 2] {
        bo.test.wait(1);
        bo.done("merchant_follow", json!({"merchant_id": MerchantId(id)})).await;
    }
    let following = async || {
        let name = "my_following_merchants";
        bo.list(name, name, "merchant_id", json!({})).await
    };
    assert_eq!(following().await, [json!(MerchantId(2)), json!(MerchantId(1))]);
    let detail = bo.read("merchant_cloth_detail", "merchant_cloth_detail", json!({"cloth_id": 3})).await;
    let merchant_shown = &detail["merchant"];
    assert_eq!((&detail["is_collect"], &merchant_shown["follow_count"]), (&json!(true), &json!(1)));
    assert_eq!((&merchant_shown["is_follow"], &merchant_shown["merchant_id"]), (&json!(true), &json!(MerchantId(2))));
    for _ in 0..2 {
        bo.done("merchant_cloth_uncollect", json!({"cloth_id": 3})).await;
        bo.done("merchant_unfollow", json!({"merchant_id": MerchantId(2)})).await;
    }
    assert_eq!(collected().await, [false, false, false]);
    assert_eq!(following().await, [json!(MerchantId(1))]);
    store.import(&merchant(1), true).await.unwrap();
    assert_eq!(following().await, [0; 0]);
    bo.done("merchant_unfollow", json!({"merchant_id": MerchantId(1)})).await;
    bo.call("merchant_follow", json!({"merchant_id": MerchantId(1)})).await.refused(404, 404);
    store.import(&cloth(2, Some(1)), true).await.unwrap();
    assert_eq!(cloths("merchant_cloth_list").await, [3]);
    bo.call("merchant_cloth_detail", json!({"cloth_id": 2})).await.refused(404, 404);
}

/// What a master or a merchant has goes and comes back with them, but for what was withdrawn itself.
#[tokio::test]
async fn what_a_withdrawn_one_has_is_in_no_list() {
    let bo = stage().await;
    let store = &bo.test.plaza.app.store;
    bo.done("master_follow", json!({"master_id": MasterId(LIN)})).await;
    bo.deliver().await;
    let projects = async |of: Value| bo.list("project_list", "project_list", "project_id", of).await;
    let seen = async || {
        let recommended = bo.list("project_recommend_list", "project_recommend_list", "project_id", json!({})).await;
        assert_eq!(recommended, projects(json!({})).await);
        let feeds = [bo.followed_projects(json!({})).await, bo.followed_tickets(json!({})).await];
        let [mine, tickets] = feeds;
        (recommended, projects(json!({"master_id": MasterId(LIN)})).await, mine, tickets.len())
    };
    let ids = |ids: &[u64]| ids.iter().map(|id| json!(id)).collect::<Vec<_>>();
    assert_eq!(seen().await, (ids(&[3, 2, 1]), ids(&[2, 1]), ids(&[2, 1]), 5));
    bo.project(2, LIN, true).await;
    assert_eq!(seen().await, (ids(&[3, 1]), ids(&[1]), ids(&[1]), 3));

    assert_eq!(store.import(&master(LIN), true).await, Ok(Imported::Written));
    assert_eq!(seen().await, (ids(&[3]), vec![], vec![], 0));
    bo.call("project_detail", json!({"project_id": 1})).await.refused(404, 404);
    // What comes or is changed meanwhile waits as well.
    bo.project(4, LIN, false).await;
    store.import(&Project { recommended: true, ..project(1, LIN) }, false).await.unwrap();
    assert_eq!(store.import(&master(LIN), true).await, Ok(Imported::Unchanged));
    assert_eq!(seen().await, (ids(&[3]), vec![], vec![], 0));
    store.import(&project(1, LIN), false).await.unwrap();
    assert_eq!(store.import(&project(1, LIN), false).await, Ok(Imported::Unchanged));

    store.import(&master(LIN), false).await.unwrap();
    bo.deliver().await;
    assert_eq!(seen().await, (ids(&[4, 3, 1]), ids(&[4, 1]), ids(&[4, 1]), 3));
    bo.project(2, LIN, false).await;
    assert_eq!(seen().await.0, ids(&[4, 3, 2, 1]));

    store.import(&merchant(1), false).await.unwrap();
    for id in [1, 2] {
        bo.test.wait(1);
        store.import(&cloth(id, Some(1)), false).await.unwrap();
    }
    store.import(&cloth(1, Some(1)), true).await.unwrap();
    let cloths = async || bo.list("merchant_cloth_list", "merchant_cloth_list", "cloth_id", json!({})).await;
    assert_eq!(cloths().await, [2]);
    store.import(&merchant(1), true).await.unwrap();
    assert_eq!(cloths().await, [0; 0]);
    bo.call("merchant_cloth_collect", json!({"cloth_id": 2})).await.refused(404, 404);
    store.import(&merchant(1), false).await.unwrap();
    assert_eq!(cloths().await, [2]);
    bo.done("merchant_cloth_collect", json!({"cloth_id": 2})).await;
}

/// An entry of a feed: whose, of which id, with these numbers, the moment first.
type Entry = (MasterId, u64, Vec<(&'static str, u64)>);

/// Puts entries into a user's feed: as the stream brings them, in a fraction of the time.
async fn put_entries(test: &Test, feed: Feed, of: UserId, entries: impl Iterator<Item = Entry>) {
    let puts = entries.map(|(by, id, numbers)| {
        let mut item = HashMap::from(keys::feed_entry(feed, of, &keys::content_place(numbers[0].1, id)));
        item.insert("master".to_owned(), AttributeValue::S(by.into()));
        let numbers = numbers.into_iter();
        item.extend(numbers.map(|(name, number)| (name.to_owned(), AttributeValue::N(number.to_string()))));
        let put = PutRequest::builder().set_item(Some(item)).build().unwrap();
        WriteRequest::builder().put_request(put).build()
    });
    for some in puts.collect::<Vec<_>>().chunks(25) {
        let batch = test.table().batch_write_item().request_items("plaza", some.to_vec());
        assert!(batch.send().await.unwrap().unprocessed_items.is_none_or(|left| left.is_empty()));
    }
}

/// Whether one follows 20 masters or 1,000, a page costs what is on it; and what a master brings costs one write for
/// each follower and feed, however many others these follow.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_a_feed_costs_the_same_however_many_are_followed() {
    const MASTERS: u64 = 1_000;
    const FEW: u64 = 20;
    let many = Signed::new().await;
    let test = &many.test;
    test.wait(1);
    let (few, few_token) = test.person("13800138002").await;
    let few = UserId(few);
    let store = &test.plaza.app.store;
    // Spread as operators' ids are.
    let id = |number: u64| u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    // Small batches are read by their keys, larger ones by a query.
    let count = |number: u64| if number.is_multiple_of(2) { 2 } else { 10 };
    test.wait(1);
    let now = test.plaza.app.system.now();
    let numbers: Vec<u64> = (1..=MASTERS).collect();
    for some in numbers.chunks(100) {
        let all = some.iter().map(|number| async move {
            store.import(&master(id(*number)), false).await.unwrap();
            store.import(&project(*number, id(*number)), false).await.unwrap();
            store.import_tickets(&batch(number * 100, count(*number), *number), false).await.unwrap();
        });
        join_all(all).await;
    }
    for (user, first) in [(many.id, 1), (few, MASTERS - FEW + 1)] {
        for number in first..=MASTERS {
            test.wait(1);
            store.follow(user, MasterId(id(number))).await.unwrap();
            // As when it was followed up, in a fraction of the time.
            let lately = keys::lately_beside(user, MasterId(id(number)).into());
            test.table().delete_item().table_name("plaza").set_key(Some(lately.into())).send().await.unwrap();
        }
        let projects = (first..=MASTERS)
            .map(|number| (MasterId(id(number)), number, vec![("created_at", now), ("project", number)]));
        put_entries(test, Feed::Projects, user, projects).await;
        let batches = (first..=MASTERS).map(|number| {
            let batch = ("batch", number * 100);
            let numbers = vec![("created_at", now), ("project", number), batch, ("count", count(number))];
            (MasterId(id(number)), number * 100, numbers)
        });
        put_entries(test, Feed::Tickets, user, batches).await;
    }
    test.wait(60_000);

    let projects = "my_following_masters_project_list";
    let tickets = "my_following_masters_ticket_list";
    println!("{:34} {:>7} {:>5} {:>6} {:>6} {:>6}", "operation", "follows", "limit", "rounds", "calls", "reads");
    let mut dear = vec![];
    // The most calls and read units of who follows 1,000.
    for (operation, limit, calls, reads) in
        [(projects, 20, 4, 24.0), (projects, 100, 5, 110.0), (tickets, 20, 7, 18.0), (tickets, 100, 14, 62.0)]
    {
        let mut costs = vec![];
        for (follows, token) in [(FEW, &few_token), (MASTERS, &many.token)] {
            let body = json!({"limit": limit});
            let (answer, cost) = test.line.meter(test.json_as(token, &format!("/{operation}"), body)).await;
            assert_eq!(answer.code(), "0", "{answer:?}");
            let under = if operation == projects { "project_recommend_list" } else { operation };
            let entries = answer.body[under].as_array().unwrap().len();
            assert_eq!(entries, if operation == projects { limit.min(follows as usize) } else { limit });
            let found = (cost.rounds(), cost.0.len(), cost.read_units());
            println!("{operation:34} {follows:7} {limit:5} {:6} {:6} {:6.1}", found.0, found.1, found.2);
            costs.push((found, cost));
        }
        let [(of_few, _), (of_many, cost)] = &costs[..] else { unreachable!() };
        // Of the same page, but for what of the feed's entries is read at once.
        if limit == 20 && (of_many.1 != of_few.1 || of_many.2 > of_few.2 + 4.0)
            || of_many.1 > calls
            || of_many.2 > reads
        {
            dear.push(format!("{operation} {limit}: at most {calls} calls, {reads} units: {:#?}", cost.0));
        }
        assert!(of_many.0 <= 2, "{operation} {limit}: {} rounds", of_many.0);
    }
    assert!(dear.is_empty(), "{}", dear.join("\n"));

    let lin = MasterId(id(MASTERS));
    for user in [many.id, few] {
        assert!(store.follow_up_follow(user, lin.into()).await.unwrap().is_empty());
    }
    many.project(MASTERS + 1, lin.0, false).await;
    let place = keys::content_place(test.plaza.app.system.now(), MASTERS + 1);
    let (done, cost) = test.line.meter(store.follow_up_entry(Feed::Projects, lin.into(), &place)).await;
    done.unwrap();
    println!(
        "a project for two followers: {} calls, {} read and {} write units",
        cost.0.len(),
        cost.read_units(),
        cost.write_units()
    );
    assert_eq!(cost.write_units(), 2.0, "{cost:?}");
    assert_eq!(many.followed_projects(json!({"limit": 1})).await, [MASTERS + 1]);
}
