//! Tickets, carts and orders, as buyers live with them.
use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, WriteRequest};
use http::{Method, Request};
use serde_json::{Value, json};
use shared::{
    domain::{MINUTE, OrderId, ProjectId, TicketId, UserId},
    store::{Changes, Due, Settled, SignUp, TicketBatch, keys},
};

use crate::{
    masters::{batch, master, project},
    support::{Answer, Fault, Test, User, together},
};

/// How long an order is held.
const HOLD: u64 = 30 * MINUTE;

/// A master's project with so many tickets from id 1,000 on, for 199 fen each.
pub async fn stock(test: &Test, count: u64) -> TicketBatch {
    let store = &test.plaza.app.store;
    store.import(&master(1), false).await.unwrap();
    store.import(&project(1, 1), false).await.unwrap();
    let batch = TicketBatch { price: 199, ..batch(1_000, count, 1) };
    store.import_tickets(&batch, false).await.unwrap();
    batch
}

impl User {
    pub async fn order(&self, test: &Test, tickets: &[u64]) -> u64 {
        test.wait(1);
        let answer = self.done(test, "order_create", json!({"ticket_id_list": tickets})).await;
        answer["order_id"].as_u64().unwrap()
    }

    async fn orders(&self, test: &Test, body: Value) -> Vec<(u64, u64)> {
        let answer = self.done(test, "my_order_list", body).await;
        let order = |order: &Value| (order["order_id"].as_u64().unwrap(), order["status"].as_u64().unwrap());
        answer["my_order_list"].as_array().unwrap().iter().map(order).collect()
    }

    async fn open(&self, test: &Test) -> Vec<Value> {
        self.list(test, "ticket_list", json!({"project_id": 1, "limit": 100}), "ticket_id").await
    }

    async fn refused(&self, test: &Test, operation: &str, body: Value, code: u16) -> String {
        let answer = self.call(test, operation, body).await;
        assert_eq!(answer.code(), code.to_string(), "{answer:?}");
        answer.message().to_owned()
    }

    async fn with_key(&self, test: &Test, key: &str, body: &Value) -> Answer {
        let request = Request::builder().method(Method::POST).header("idempotency-key", key);
        let request = request.header("authorization", &self.token).header("content-type", "application/json");
        test.send(request, "/order_create", body.to_string()).await
    }
}

#[tokio::test]
async fn a_shopping_trip() {
    let test = Test::start().await;
    let (anna, bo) = (User::new(&test, "13800138001").await, User::new(&test, "13800138002").await);
    stock(&test, 5).await;
    assert_eq!(anna.open(&test).await, [1_004, 1_003, 1_002, 1_001, 1_000]);
    for ticket in [1_000, 1_001, 1_001, 1_002] {
        anna.done(&test, "shopping_cart_add", json!({"ticket_id": ticket})).await;
    }
    anna.done(&test, "shopping_cart_del", json!({"ticket_id": "1002"})).await;
    let cart = anna.done(&test, "shopping_cart_info", json!({})).await;
    assert_eq!(cart["shopping_cart_info"].as_array().unwrap().len(), 2);
    assert_eq!(cart["shopping_cart_info"][0]["ticket_price"], 199);

    let said =
        anna.refused(&test, "order_create_by_shopping_cart", json!({"ticket_id_list": [1_000, 1_004]}), 409).await;
    assert_eq!(said, "ticket_id_list: ticket 1004 is not in the shopping cart");
    let ordered = anna.done(&test, "order_create_by_shopping_cart", json!({"ticket_id_list": [1_000, 1_001]})).await;
    let order = ordered["order_id"].as_u64().unwrap();
    assert_eq!(anna.done(&test, "shopping_cart_info", json!({})).await["shopping_cart_info"], json!([]));
    // Held for nobody else to buy, and not sold.
    assert_eq!(bo.open(&test).await, [1_004, 1_003, 1_002]);
    let said = bo.refused(&test, "order_create", json!({"ticket_id_list": [1_002, 1_001]}), 409).await;
    assert_eq!(said, "ticket_id_list: ticket 1001 is sold, or another order holds it");
    assert_eq!(bo.open(&test).await, [1_004, 1_003, 1_002]);
    let detail = bo.done(&test, "ticket_detail", json!({"ticket_id": 1_000})).await;
    assert_eq!(detail["project_ticket_count"], 5);

    // It is nobody else's to see, pay or cancel.
    for operation in ["order_detail", "order_pay", "order_cancel"] {
        bo.refused(&test, operation, json!({"order_id": order}), 404).await;
    }
    for _ in 0..2 {
        anna.done(&test, "order_pay", json!({"order_id": order})).await;
    }
    anna.refused(&test, "order_cancel", json!({"order_id": order}), 409).await;
    let detail = anna.done(&test, "order_detail", json!({"order_id": order})).await;
    assert_eq!((&detail["order_detail"]["price"], &detail["order_detail"]["status"]), (&json!(398), &json!(1)));
    assert_eq!(detail["order_detail"]["order_item_list"].as_array().unwrap().len(), 2);
    assert_eq!(anna.list(&test, "my_ticket_list", json!({}), "ticket_id").await, [1_000, 1_001]);
    assert_eq!(anna.list(&test, "my_ticket_list", json!({"offset": 1}), "ticket_id").await, [1_001]);
    let detail = bo.done(&test, "ticket_detail", json!({"ticket_id": 1_000})).await;
    assert_eq!(detail["project_ticket_count"], 3);
    bo.refused(&test, "order_create", json!({"ticket_id_list": [1_000]}), 409).await;
    bo.refused(&test, "shopping_cart_add", json!({"ticket_id": 1_000}), 409).await;
    bo.refused(&test, "shopping_cart_add", json!({"ticket_id": 7}), 404).await;
    bo.refused(&test, "order_create", json!({"ticket_id_list": [1_002, 7]}), 404).await;
    bo.refused(&test, "order_create", json!({"ticket_id_list": [1_002, 1_002]}), 400).await;
    bo.refused(&test, "order_create", json!({"ticket_id_list": []}), 400).await;
    bo.refused(&test, "order_create", json!({"ticket_id_list": (1..=51).collect::<Vec<_>>()}), 400).await;
    bo.refused(&test, "ticket_list", json!({"project_id": 9}), 404).await;
}

#[tokio::test]
async fn a_pending_order_holds_for_half_an_hour() {
    let test = Test::start().await;
    let (anna, bo) = (User::new(&test, "13800138001").await, User::new(&test, "13800138002").await);
    stock(&test, 3).await;
    let updated = async |order: u64| {
        let detail = anna.done(&test, "order_detail", json!({"order_id": order})).await;
        detail["order_detail"]["updated_at"].as_u64().unwrap()
    };
    let cancelled = anna.order(&test, &[1_000]).await;
    test.wait(5);
    let at = test.now();
    for _ in 0..2 {
        anna.done(&test, "order_cancel", json!({"order_id": cancelled})).await;
        test.wait(5);
    }
    assert_eq!(updated(cancelled).await, at);
    anna.refused(&test, "order_pay", json!({"order_id": cancelled}), 409).await;
    assert_eq!(anna.open(&test).await.len(), 3);
    let paid = anna.order(&test, &[1_000]).await;
    test.wait(5);
    let at = test.now();
    anna.done(&test, "order_pay", json!({"order_id": paid})).await;
    assert!((at..=test.now()).contains(&updated(paid).await));
    let late = anna.order(&test, &[1_001, 1_002]).await;
    assert_eq!(anna.orders(&test, json!({})).await, [(late, 0), (paid, 1), (cancelled, 2)]);
    assert_eq!(anna.orders(&test, json!({"status": 0})).await, [(late, 0)]);
    let detail = anna.done(&test, "order_detail", json!({"order_id": late})).await;
    let ends = detail["order_detail"]["created_at"].as_u64().unwrap() + HOLD;
    assert_eq!(updated(late).await, ends - HOLD);
    test.set_clock(ends - 1);
    bo.refused(&test, "order_create", json!({"ticket_id_list": [1_001]}), 409).await;
    test.set_clock(ends);
    // Nothing ran, and it counts as cancelled everywhere.
    assert_eq!(updated(late).await, ends);
    assert_eq!(anna.orders(&test, json!({"status": 0})).await, []);
    assert_eq!(anna.orders(&test, json!({"status": 1})).await, [(paid, 1)]);
    assert_eq!(anna.orders(&test, json!({"status": 2})).await, [(late, 2), (cancelled, 2)]);
    assert_eq!(anna.orders(&test, json!({"status": 2, "offset": 1})).await, [(cancelled, 2)]);
    assert_eq!(bo.open(&test).await, [1_002, 1_001]);
    anna.refused(&test, "order_pay", json!({"order_id": late}), 409).await;
    let his = bo.order(&test, &[1_001]).await;
    // Cancelling what has ended takes nothing from its new holder.
    anna.done(&test, "order_cancel", json!({"order_id": late})).await;
    bo.done(&test, "order_pay", json!({"order_id": his})).await;
    assert_eq!(bo.list(&test, "my_ticket_list", json!({}), "ticket_id").await, [1_001]);
}

#[tokio::test]
async fn one_user_holds_100_tickets() {
    let test = Test::start().await;
    let anna = User::new(&test, "13800138001").await;
    stock(&test, 120).await;
    let first: Vec<u64> = (1_000..1_050).collect();
    let order = anna.order(&test, &first).await;
    anna.order(&test, &(1_050..1_100).collect::<Vec<_>>()).await;
    anna.refused(&test, "order_create", json!({"ticket_id_list": [1_100]}), 409).await;
    anna.done(&test, "order_cancel", json!({"order_id": order})).await;
    anna.order(&test, &[1_100]).await;
    test.wait(HOLD);
    for tickets in [1_000..1_050, 1_050..1_100] {
        anna.order(&test, &tickets.collect::<Vec<_>>()).await;
    }
}

#[tokio::test]
async fn a_key_makes_a_repeat_the_same_order() {
    let test = std::sync::Arc::new(Test::start().await);
    let anna = User::new(&test, "13800138001").await;
    stock(&test, 5).await;
    let body = json!({"ticket_id_list": [1_000]});
    let at = test.now();
    let (shared, token) = (test.clone(), anna.token.clone());
    let both = together((0..8).map(|_| {
        let (test, token, body) = (shared.clone(), token.clone(), body.clone());
        async move {
            let request = Request::builder().method(Method::POST).header("idempotency-key", "first");
            let request = request.header("authorization", &token).header("content-type", "application/json");
            let answer = test.send(request, "/order_create", body.to_string()).await;
            assert_eq!(answer.code(), "0", "{answer:?}");
            answer.body["order_id"].as_u64().unwrap()
        }
    }));
    let ids: BTreeSet<_> = both.await.into_iter().collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(anna.orders(&test, json!({})).await.len(), 1);
    let other = anna.with_key(&test, "first", &json!({"ticket_id_list": [1_001]})).await;
    other.refused(409, 409);
    assert_eq!(other.message(), "Idempotency-Key: was used for another order");
    for bad in ["", "two words", &"x".repeat(256)] {
        anna.with_key(&test, bad, &body).await.refused(400, 400);
    }
    // Another user's key is another key.
    let bo = User::new(&test, "13800138002").await;
    assert_eq!(bo.with_key(&test, "first", &json!({"ticket_id_list": [1_001]})).await.code(), "0");
    // A day later, to the second, it is a new one, and what it wants is sold.
    let [first] = anna.orders(&test, json!({})).await[..] else { panic!() };
    anna.done(&test, "order_pay", json!({"order_id": first.0})).await;
    test.set_clock((at + 24 * 60 * MINUTE) / 1000 * 1000);
    for _ in 0..2 {
        anna.with_key(&test, "first", &body).await.refused(409, 409);
        test.wait(1_000);
    }
    test.set_clock((at + 24 * 60 * MINUTE) / 1000 * 1000);
    assert_eq!(anna.with_key(&test, "first", &json!({"ticket_id_list": [1_002]})).await.code(), "0");
}

/// Whatever one user orders at once is pending and counts.
#[tokio::test(flavor = "multi_thread")]
async fn orders_of_one_moment_are_all_pending() {
    let test = std::sync::Arc::new(Test::start().await);
    let anna = User::new(&test, "13800138001").await;
    stock(&test, 8).await;
    let orders = (1_000..1_008).map(|ticket| {
        let (test, user) = (test.clone(), UserId(anna.id));
        async move { test.plaza.app.store.place_order(user, &[TicketId(ticket)], false, None).await.unwrap().0 }
    });
    let placed: BTreeSet<_> = together(orders).await.into_iter().collect();
    let pending = anna.orders(&test, json!({"status": 0})).await;
    assert_eq!(pending.into_iter().map(|(order, _)| order).collect::<BTreeSet<_>>(), placed);
}

/// What comes late of a charge that is no longer the order's changes nothing, and money for it is paid back.
#[tokio::test]
async fn each_charge_is_a_try_of_its_own() {
    let test = Test::start().await;
    let anna = UserId(test.person("13800138001").await.0);
    stock(&test, 3).await;
    let store = &test.plaza.app.store;
    let asked_at = async |order: OrderId| {
        let order = test.items().await.remove(&format!("U#{:016} / ORDER#{:016}", anna.0, order.0)).unwrap();
        order.get("ask_at").map(|at| at.as_n().unwrap().parse::<u64>().unwrap())
    };
    let id = store.place_order(anna, &[TicketId(1_000)], false, None).await.unwrap();
    let first = store.begin_charge(anna, id).await.unwrap().unwrap();
    // Nobody says what became of it: it is asked for a minute later.
    test.wait(MINUTE + 10);
    assert_eq!(store.charges_under_way(9).await.unwrap().len(), 1);
    let at = test.now();
    store.ask_later(&first).await.unwrap();
    assert!(store.charges_under_way(9).await.unwrap().is_empty());
    let asked = asked_at(id).await.unwrap();
    assert!((at + MINUTE..=at + MINUTE + 10).contains(&asked), "{asked} after {at}");
    test.wait(MINUTE + 10);
    assert_eq!(store.charges_under_way(9).await.unwrap().len(), 1);

    store.charge_declined(&first).await.unwrap();
    assert!(matches!(store.due(anna, id).await.unwrap(), Due::Nothing));
    assert_eq!(asked_at(id).await, None);
    assert!(store.charges_under_way(9).await.unwrap().is_empty());
    let second = store.begin_charge(anna, id).await.unwrap().unwrap();
    assert_eq!((first.attempt, second.attempt), (1, 2));
    // The first is told of again.
    store.charge_declined(&first).await.unwrap();
    assert!(matches!(store.due(anna, id).await.unwrap(), Due::Charge(order) if order.attempt == 2));
    assert!(matches!(store.charge_approved(&first).await.unwrap(), Settled::Gone(refund) if refund.attempt == 1));
    for _ in 0..2 {
        assert_eq!(store.charge_approved(&second).await.unwrap(), Settled::Done);
        assert!(matches!(store.charge_approved(&first).await.unwrap(), Settled::Gone(_)));
    }
    assert_eq!(store.begin_charge(anna, id).await.unwrap().map(|order| order.attempt), None);
}

#[tokio::test]
async fn no_two_orders_have_one_id() {
    // The provider knows a charge by the order's id alone: whoever had another's would be given tickets for their money.
    let test = Test::start().await;
    let buyers = buyers(&test, 300).await;
    stock(&test, 300).await;
    // All in one millisecond, of which there are 4,096 ids.
    let mut ids = BTreeSet::new();
    for (at, buyer) in buyers.iter().enumerate() {
        let order =
            test.plaza.app.store.place_order(*buyer, &[TicketId(1_000 + at as u64)], false, None).await.unwrap();
        assert!(ids.insert(order), "{order:?} is two users'");
    }
}

#[tokio::test]
async fn fifty_tickets_of_fifty_projects() {
    let test = Test::start().await;
    let anna = User::new(&test, "13800138001").await;
    let store = &test.plaza.app.store;
    store.import(&master(1), false).await.unwrap();
    for at in 1..=50 {
        store.import(&project(at, 1), false).await.unwrap();
        store.import_tickets(&batch(at * 100, 2, at), false).await.unwrap();
    }
    let tickets: Vec<u64> = (1..=50).map(|at| at * 100).collect();
    let order = anna.order(&test, &tickets).await;
    anna.done(&test, "order_cancel", json!({"order_id": order})).await;
    let order = anna.order(&test, &tickets).await;
    let (_, cost) = test.line.meter(anna.done(&test, "order_pay", json!({"order_id": order}))).await;
    println!("50 tickets of 50 projects, paid: {} calls, {} write units", cost.0.len(), cost.write_units());
    for at in 1..=50 {
        assert_eq!(store.unsold_tickets(ProjectId(at)).await.unwrap(), 1, "{at}");
    }
    assert_eq!(anna.list(&test, "my_ticket_list", json!({"limit": 100}), "ticket_id").await.len(), 50);
    assert!(!test.items().await.keys().any(|key| key.starts_with("CHARGES#")));

    // The last ten are counted in a transaction of their own: where that does not come through, it is still due.
    let others: Vec<u64> = tickets.iter().map(|ticket| ticket + 1).collect();
    let (buyer, id) = (UserId(anna.id), OrderId(anna.order(&test, &others).await));
    let charged = store.begin_charge(buyer, id).await.unwrap().unwrap();
    test.line.spoil("TransactWriteItems", [None].into_iter().chain([Some(Fault::Broken); 100]).collect::<Vec<_>>());
    store.charge_approved(&charged).await.unwrap_err();
    test.line.mend();
    let Due::Count(left) = store.due(buyer, id).await.unwrap() else { panic!("it is not due") };
    store.count_sold(&left).await.unwrap();
    assert!(matches!(store.due(buyer, id).await.unwrap(), Due::Nothing));
    for at in 1..=50 {
        assert_eq!(store.unsold_tickets(ProjectId(at)).await.unwrap(), 0, "{at}");
    }
}

#[tokio::test]
async fn withdrawn_tickets_are_bought_by_those_alone_who_hold_them() {
    let test = Test::start().await;
    let (anna, bo) = (User::new(&test, "13800138001").await, User::new(&test, "13800138002").await);
    let batch = stock(&test, 3).await;
    let sold = anna.order(&test, &[1_000]).await;
    anna.done(&test, "order_pay", json!({"order_id": sold})).await;
    let held = anna.order(&test, &[1_001]).await;
    test.plaza.app.store.import_tickets(&batch, true).await.unwrap();
    assert_eq!(bo.open(&test).await, Vec::<Value>::new());
    bo.refused(&test, "order_create", json!({"ticket_id_list": [1_002]}), 404).await;
    anna.done(&test, "order_pay", json!({"order_id": held})).await;
    test.plaza.app.store.import_tickets(&batch, false).await.unwrap();
    assert_eq!(bo.open(&test).await, [1_002]);
    assert_eq!(anna.list(&test, "my_ticket_list", json!({}), "ticket_id").await, [1_001, 1_000]);
}

/// What is withdrawn with its project or its master, and not by its own record.
#[tokio::test]
async fn tickets_of_withdrawn_projects_are_nobodys_to_have() {
    let test = Test::start().await;
    let (anna, bo) = (User::new(&test, "13800138001").await, User::new(&test, "13800138002").await);
    stock(&test, 5).await;
    let store = &test.plaza.app.store;
    let sold = anna.order(&test, &[1_000]).await;
    anna.done(&test, "order_pay", json!({"order_id": sold})).await;
    let held = anna.order(&test, &[1_001]).await;
    anna.done(&test, "shopping_cart_add", json!({"ticket_id": 1_002})).await;
    anna.done(&test, "ticket_comment_publish", json!({"ticket_id": 1_000, "content": "Who comes along?"})).await;
    let cart = async || anna.list(&test, "shopping_cart_info", json!({}), "ticket_id").await;
    let circle = async || anna.done(&test, "ticket_circle", json!({})).await["ticket_circle"].take();
    for with_master in [false, true] {
        let withdraw = async |withdrawn: bool| match with_master {
            true => store.import(&master(1), withdrawn).await.unwrap(),
            false => store.import(&project(1, 1), withdrawn).await.unwrap(),
        };
        withdraw(true).await;
        for (operation, body) in [
            ("ticket_list", json!({"project_id": 1})),
            ("ticket_detail", json!({"ticket_id": 1_003})),
            ("ticket_comment_list", json!({"ticket_id": 1_000})),
            ("ticket_comment_publish", json!({"ticket_id": 1_000, "content": "Nobody?"})),
            ("shopping_cart_add", json!({"ticket_id": 1_003})),
            ("order_create", json!({"ticket_id_list": [1_003]})),
            ("order_create_by_shopping_cart", json!({"ticket_id_list": [1_002]})),
        ] {
            bo.refused(&test, operation, body.clone(), if operation.ends_with("cart") { 409 } else { 404 }).await;
            if operation.ends_with("cart") {
                anna.refused(&test, operation, body, 404).await;
            }
        }
        assert_eq!(cart().await, Vec::<Value>::new());
        assert_eq!(circle().await, json!([]));
        // What is somebody's is theirs.
        assert_eq!(anna.list(&test, "my_ticket_list", json!({}), "ticket_id").await, [1_000]);
        for order in [sold, held] {
            anna.done(&test, "order_detail", json!({"order_id": order})).await;
        }
        withdraw(false).await;
        assert_eq!(cart().await, [1_002]);
        assert_eq!(circle().await.as_array().unwrap().len(), 1);
        bo.done(&test, "ticket_detail", json!({"ticket_id": 1_003})).await;
    }
    anna.done(&test, "order_pay", json!({"order_id": held})).await;
}

/// A project's tickets, most of which are sold: as an import makes them and buyers leave them.
async fn a_page_costs_its_page_of(count: u64) {
    const LEFT: u64 = 150;
    let test = Test::start().await;
    let anna = User::new(&test, "13800138001").await;
    stock(&test, LEFT).await;
    let store = &test.plaza.app.store;
    store.import(&project(2, 1), false).await.unwrap();
    let first = 1_000_000;
    store.import_tickets(&batch(first, count, 2), false).await.unwrap();
    let created_at = store.ticket(TicketId(first)).await.unwrap().0.batch.created_at;
    let is_left = |at: &u64| at.is_multiple_of(count / LEFT);
    let sold = (0..count).filter(|at| !is_left(at)).map(|at| TicketId(first + at)).collect::<Vec<_>>();
    for some in sold.chunks(25) {
        let gone = some.iter().map(|ticket| {
            let key = keys::open_ticket(ProjectId(2), created_at, *ticket).into();
            WriteRequest::builder().delete_request(DeleteRequest::builder().set_key(Some(key)).build().unwrap()).build()
        });
        test.table().batch_write_item().request_items("plaza", gone.collect()).send().await.unwrap();
    }
    let counted = test.table().update_item().table_name("plaza");
    let counted = counted.set_key(Some(keys::sold(ProjectId(2), OrderId(1)).into()));
    let counted = counted.update_expression("ADD sold :sold");
    let number = AttributeValue::N(sold.len().to_string());
    counted.expression_attribute_values(":sold", number).send().await.unwrap();

    for (offset, limit) in [(0, 20), (0, 100), (100, 100)] {
        let page = async |project: u64| {
            let body = json!({"project_id": project, "offset": offset, "limit": limit});
            let (list, cost) = test.line.meter(anna.list(&test, "ticket_list", body, "ticket_id")).await;
            let queries = cost.0.iter().filter(|call| call.operation == "Query").count();
            (list, (queries, cost.0.len(), cost.rounds(), cost.read_units()))
        };
        let ((_, alone), (list, beside)) = (page(1).await, page(2).await);
        println!("{count} tickets, {offset} and {limit}: {beside:?} (queries, calls, rounds, read units)");
        assert_eq!((beside, beside.0), (alone, 1));
        let left = (0..count).filter(is_left).map(|at| json!(first + at)).rev();
        assert_eq!(list, left.skip(offset).take(limit).collect::<Vec<_>>());
    }
    let detail = anna.done(&test, "ticket_detail", json!({"ticket_id": first})).await;
    assert_eq!(detail["project_ticket_count"], (0..count).filter(is_left).count());
}

#[tokio::test]
async fn a_page_costs_its_page_beside_what_is_sold() {
    a_page_costs_its_page_of(3_000).await;
}

#[tokio::test]
#[ignore = "makes 100,000 tickets: cargo test -p local --test all orders -- --ignored"]
async fn a_page_costs_its_page_beside_100_000_that_are_sold() {
    a_page_costs_its_page_of(100_000).await;
}

/// Of hundreds of orders, a page of those of one status costs what is on it.
#[tokio::test]
async fn a_page_of_orders_costs_its_page() {
    let test = Test::start().await;
    let anna = User::new(&test, "13800138001").await;
    stock(&test, 240).await;
    let (store, id) = (&test.plaza.app.store, UserId(anna.id));
    let mut costs = vec![];
    for at in 0..240 {
        test.wait(1);
        let order = store.place_order(id, &[TicketId(1_000 + at)], false, None).await.unwrap();
        match at % 3 {
            0 => test.plaza.app.pay_order(id, order).await.unwrap(),
            1 => store.cancel_order(id, order).await.unwrap(),
            _ => {}
        }
        if at == 30 || at == 239 {
            for status in [json!({}), json!({"status": 0}), json!({"status": 1}), json!({"status": 2})] {
                let mut body = status.clone();
                body["limit"] = 10.into();
                let (orders, cost) = test.line.meter(anna.orders(&test, body)).await;
                assert_eq!(orders.len(), 10, "{status}");
                assert!(orders.iter().all(|(_, found)| status["status"].is_null() || *found == status["status"]));
                costs.push((status, cost.0.len(), cost.rounds(), cost.read_units()));
            }
        }
    }
    let (few, many) = costs.split_at(4);
    for (few, many) in few.iter().zip(many) {
        println!("{few:?}, among 240 {many:?}");
        assert_eq!((few.1, few.2), (many.1, many.2));
        // The list of those that are pending is one item of 100 entries at most.
        assert!(many.3 <= few.3 + 2.0, "{few:?} {many:?}");
    }
}

/// Users whom no phone made: a code a head would take an hour.
async fn buyers(test: &Test, count: usize) -> Vec<UserId> {
    let mut buyers = vec![];
    for at in 0..count {
        test.wait(1);
        let by = SignUp::ThirdParty("qq", format!("buyer-{at}"));
        buyers.push(test.plaza.app.store.create_user(&by, None, Changes::default()).await.unwrap().id);
    }
    buyers
}

async fn rush(stock_of: u64, buyers_count: usize) {
    let test = Test::start().await;
    let buyers = buyers(&test, buyers_count).await;
    stock(&test, stock_of).await;
    for round in 0..3 {
        let faults = [Fault::Conflict, Fault::AnswerLost, Fault::Throttle];
        test.line.spoil("TransactWriteItems", (0..120).map(|at| (at % 3 != 2).then(|| faults[at % 2])));
        let app = &test.plaza.app;
        let orders = together(buyers.iter().enumerate().map(|(at, buyer)| {
            let (app, buyer, first) = (app.clone(), *buyer, 1_000 + at as u64 % stock_of);
            async move {
                // Whoever is refused takes the next ticket, as the list shows it then; a few times.
                for again in 0..stock_of.min(8) {
                    let ticket = TicketId(1_000 + (first - 1_000 + again) % stock_of);
                    let key = format!("{round} {ticket:?}");
                    // Whoever is told 503 does not know whether it was done, and asks again.
                    for _ in 0..20 {
                        match app.store.place_order(buyer, &[ticket], false, Some(&key)).await {
                            Ok(order) => return Some((buyer, ticket, order)),
                            Err(no) if no.code() == 409 => break,
                            Err(no) => assert_eq!(no.code(), 503, "{no}"),
                        }
                    }
                }
                None
            }
        }));
        let held: Vec<(UserId, TicketId, OrderId)> = orders.await.into_iter().flatten().collect();
        test.line.mend();
        let tickets: BTreeSet<_> = held.iter().map(|(_, ticket, _)| *ticket).collect();
        assert_eq!(tickets.len(), held.len(), "a ticket was given to two");
        for (buyer, ticket, order) in &held {
            let (_, items) = app.store.order(*buyer, *order).await.unwrap();
            assert_eq!(items.iter().map(|item| item.ticket).collect::<Vec<_>>(), [*ticket]);
        }
        // Who still wants one takes what is left, one after the other: all that there is gets an order.
        let holders: BTreeSet<_> = held.iter().map(|(buyer, ..)| *buyer).collect();
        let mut all = tickets;
        for buyer in buyers.iter().filter(|buyer| !holders.contains(buyer)) {
            let open = app.store.open_tickets(ProjectId(1), shared::domain::Page::first(1)).await.unwrap();
            let Some(open) = open.first() else { break };
            app.store.place_order(*buyer, &[open.ticket_id], false, None).await.unwrap();
            assert!(all.insert(open.ticket_id));
        }
        assert_eq!(all.len(), buyers_count.min(stock_of as usize), "round {round}");
        // Then the holds end, and the same stock sells again.
        test.wait(HOLD);
    }
}

#[tokio::test]
async fn a_rush_for_one_ticket() {
    rush(1, 300).await;
}

#[tokio::test]
async fn a_rush_for_50() {
    rush(50, 300).await;
}

#[tokio::test]
async fn a_rush_for_1_000() {
    rush(1_000, 300).await;
}

/// 1,500 of 3,000 tickets are sold, the newest 1,400 of the others held: the list's first page is full all the same.
#[tokio::test]
async fn what_is_sold_costs_a_list_nothing_and_what_is_held_little() {
    let test = Test::start().await;
    let store = &test.plaza.app.store;
    let buyers = buyers(&test, 29).await;
    stock(&test, 3_000).await;
    let mut tickets = (1_000..4_000).map(TicketId).rev().collect::<Vec<_>>().into_iter();
    let mut order = async |buyer: UserId| {
        test.wait(1);
        let fifty: Vec<_> = tickets.by_ref().take(50).collect();
        store.place_order(buyer, &fifty, false, None).await.unwrap()
    };
    for buyer in buyers[..15].iter().flat_map(|buyer| [buyer; 2]) {
        let order = order(*buyer).await;
        test.plaza.app.pay_order(*buyer, order).await.unwrap();
    }
    let page = shared::domain::Page::first(20);
    let (open, cost) = test.line.meter(store.open_tickets(ProjectId(1), page)).await;
    println!("1,500 sold: {} calls, {} read units", cost.0.len(), cost.read_units());
    assert_eq!(open.unwrap().first().unwrap().ticket_id, TicketId(2_499));
    // The project, one query, what the page's batch says.
    assert!(cost.0.len() <= 3 && cost.read_units() <= 4.0, "{cost:?}");
    for buyer in buyers[15..].iter().flat_map(|buyer| [buyer; 2]) {
        order(*buyer).await;
    }
    let (open, cost) = test.line.meter(store.open_tickets(ProjectId(1), page)).await;
    println!("and 1,400 held: {} calls, {} read units", cost.0.len(), cost.read_units());
    let open: Vec<_> = open.unwrap().iter().map(|ticket| ticket.ticket_id).collect();
    assert_eq!(open, (1_080..1_100).map(TicketId).rev().collect::<Vec<_>>());
    assert!(cost.0.len() <= 5 && cost.read_units() <= 60.0, "{cost:?}");
    assert_eq!(store.unsold_tickets(ProjectId(1)).await.unwrap(), 1_500);
}

#[tokio::test]
async fn lists_cost_their_page() {
    let test = Test::start().await;
    let anna = User::new(&test, "13800138001").await;
    stock(&test, 400).await;
    let mut orders = vec![];
    for at in 0..60 {
        orders.push(anna.order(&test, &[1_000 + at * 5, 1_001 + at * 5]).await);
        let operation = if at % 2 == 0 { "order_pay" } else { "order_cancel" };
        anna.done(&test, operation, json!({"order_id": orders.last().unwrap()})).await;
    }
    for (operation, body, calls, units) in [
        ("my_order_list", json!({"limit": 2, "offset": 28, "status": 2}), 3, 5.0),
        ("my_order_list", json!({"limit": 20}), 2, 3.0),
        ("my_order_list", json!({"limit": 20, "status": 0}), 1, 2.0),
        ("my_order_list", json!({"limit": 20, "status": 1}), 3, 23.0),
        ("my_order_list", json!({"limit": 20, "status": 2}), 3, 23.0),
        ("my_ticket_list", json!({"limit": 20}), 3, 4.0),
        ("ticket_list", json!({"limit": 20, "project_id": 1}), 3, 4.0),
    ] {
        let (_, cost) = test.line.meter(anna.done(&test, operation, body.clone())).await;
        println!("{operation} {body}: {} calls, {} units", cost.0.len(), cost.read_units());
        assert!(cost.0.len() <= calls && cost.read_units() <= units, "{operation} {body}: {cost:?}");
    }
}
