//! Messages, as their two sides live with them.
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Value, json};
use shared::{
    domain::{MINUTE, MasterId, MerchantId, MessageId, Side, UserId},
    store::keys,
};

use crate::{
    catalogue::imported,
    faults::{Items, items, raw},
    masters::{master, merchant},
    support::{START, Test, User, together},
};

const SERVICE: &str = "customer_service";

impl User {
    async fn writes(&self, test: &Test, to: &User, content: &str) -> u64 {
        let body = json!({"to_uid": to.uid(), "content": content});
        let sent = self.done(test, "send_message_to_user", body).await;
        assert_eq!(sent["created_at"], MessageId(sent["message_id"].as_u64().unwrap()).made_at());
        sent["message_id"].as_u64().unwrap()
    }

    async fn deletes(&self, test: &Test, messages: &[u64]) {
        self.done(test, "message_del", json!({"message_id_list": messages})).await;
    }

    /// The texts of a conversation, the newest first.
    async fn reads(&self, test: &Test, to_id: &str) -> Vec<String> {
        let read = self.done(test, "my_message", json!({"to_id": to_id, "limit": 100})).await;
        texts(read["my_message"].as_array().unwrap().iter())
    }

    /// The last messages' texts of all conversations, the newest first.
    async fn center(&self, test: &Test) -> Vec<String> {
        texts(self.list(test, "my_message_center", json!({}), "last_message").await.iter())
    }

    async fn says_no(&self, test: &Test, operation: &str, body: Value, code: u16) -> String {
        let answer = self.call(test, operation, body).await;
        answer.refused(code, code);
        answer.message().to_owned()
    }
}

fn texts<'a>(messages: impl Iterator<Item = &'a Value>) -> Vec<String> {
    messages.map(|message| message["content"].as_str().unwrap().to_owned()).collect()
}

async fn two(test: &Test) -> (User, User) {
    (User::new(test, "13800138001").await, User::new(test, "13800138002").await)
}

/// Whose message it is, its id alone says; each of its users has it unless they deleted it; and a conversation stands in
/// its user's center exactly once, by its newest message.
pub fn whole(items: &Items) {
    let side = |side: &Value| match side {
        Value::String(service) if service == SERVICE => "SERVICE".to_owned(),
        Value::Object(one) => {
            let (kind, id) = one.iter().next().unwrap();
            let id = id.as_str().unwrap();
            if kind == "user" { format!("U#{id:0>16}") } else { format!("{}#{id}", kind.to_uppercase()) }
        }
        other => panic!("{other} is no side"),
    };
    let (mut newest, mut last, mut talks) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
    let mut copies = BTreeSet::new();
    for (key, fields) in items {
        let (pk, sk) = key.split_once(" / ").unwrap();
        if let Some(chat) = sk.strip_prefix("CHAT#") {
            let (with, id) = chat.rsplit_once('#').unwrap();
            assert_eq!(
                (side(&fields["side"]), format!("{:0>16}", fields["message"].as_str().unwrap())),
                (with.into(), id.into())
            );
            newest.insert((pk, with), (id, fields));
            copies.insert((pk.to_owned(), id));
            let envelope = items.get(&format!("MESSAGE#{id} / -")).unwrap_or_else(|| panic!("{key} has no envelope"));
            let ends = if fields["is_own"] == true { ["from", "to"] } else { ["to", "from"] };
            assert_eq!(ends.map(|end| side(&envelope[end])), [pk.to_owned(), with.to_owned()], "{key}");
            assert!(fields.contains_key("content") != envelope.contains_key("content"), "{key}");
        } else if let Some(id) = sk.strip_prefix("LAST#") {
            assert_eq!(last.insert((pk, side(&fields["side"])), (id, fields)), None, "{key}: twice in the center");
        } else if let Some(with) = sk.strip_prefix("TALK#") {
            talks.insert((pk, with));
        }
    }
    assert_eq!(newest.keys().copied().collect::<BTreeSet<_>>(), talks);
    let newest: BTreeMap<_, _> =
        newest.into_iter().map(|((pk, with), newest)| ((pk, with.to_owned()), newest)).collect();
    assert_eq!(last, newest, "the center shows other messages than the newest");
    for (key, fields) in items {
        let Some(id) = key.strip_prefix("MESSAGE#").and_then(|key| key.strip_suffix(" / -")) else { continue };
        let deleted_by = fields.get("deleted_by").map(|user| format!("U#{:0>16}", user.as_str().unwrap()));
        let users = [side(&fields["from"]), side(&fields["to"])];
        let users: Vec<_> = users.into_iter().filter(|user| user.starts_with("U#")).collect();
        let have: Vec<_> = users.iter().filter(|user| copies.contains(&((*user).clone(), id))).collect();
        let should: Vec<_> = users.iter().filter(|user| Some(*user) != deleted_by.as_ref()).collect();
        assert_eq!(have, should, "{key}");
        assert!(!have.is_empty(), "{key}: nobody has it");
    }
}

#[tokio::test]
async fn two_users_write_to_each_other() {
    let test = Test::start().await;
    let (anna, bo) = two(&test).await;
    let first = anna.writes(&test, &bo, "hello?").await;
    let second = bo.writes(&test, &anna, "hello!").await;
    assert!(first < second);
    for (me, other) in [(&anna, &bo), (&bo, &anna)] {
        let read = me.done(&test, "my_message", json!({"to_id": other.uid()})).await;
        let name = if other.id == anna.id { "13800138001" } else { "13800138002" };
        let nickname = test.nickname(name).await;
        assert_eq!(
            read,
            json!({"code": 0, "my_message": [
                {"message_id": second, "from_id": bo.uid(), "to_id": anna.uid(), "content": "hello!",
                    "created_at": MessageId(second).made_at()},
                {"message_id": first, "from_id": anna.uid(), "to_id": bo.uid(), "content": "hello?",
                    "created_at": MessageId(first).made_at()},
            ], "other_side": {"type": "user", "uid": other.uid(), "nickname": nickname, "avatar": null}})
        );
        let center = me.done(&test, "my_message_center", json!({})).await;
        assert_eq!(
            center,
            json!({"code": 0, "my_message_center": [{"type": "user", "uid": other.uid(),
                "user": {"uid": other.uid(), "nickname": nickname, "avatar": null},
                "last_message": read["my_message"][0]}]})
        );
        // By the number as well.
        assert_eq!(me.reads(&test, &other.id.to_string()).await, ["hello!", "hello?"]);
        for page in [json!({"limit": 1, "offset": 1}), json!({"limit": "1", "offset": 1.0})] {
            let mut body = page;
            body["to_id"] = other.uid().to_uppercase().into();
            assert_eq!(me.done(&test, "my_message", body).await["my_message"], json!([read["my_message"][1]]));
        }
    }
    items(&test).await;
}

/// Out of sight of the one who deleted it; the center then shows the newest that is left.
#[tokio::test]
async fn what_is_deleted_is_hidden_from_oneself_alone() {
    let test = Test::start().await;
    let (anna, bo) = two(&test).await;
    let carl = User::new(&test, "13800138003").await;
    let before = raw(&test).await;
    let long = "长".repeat(2_000);
    let mut ids = vec![];
    for text in ["one", "two", &long] {
        ids.push(anna.writes(&test, &bo, text).await);
    }
    let other = carl.writes(&test, &anna, "psst").await;

    // What is between others can neither be read nor deleted, nor does what is named beside it go.
    carl.says_no(&test, "message_del", json!({"message_id_list": [other, ids[0]]}), 404).await;
    assert_eq!(carl.reads(&test, &anna.uid()).await, ["psst"]);
    assert_eq!(carl.reads(&test, &bo.uid()).await, [""; 0]);

    for _ in 0..2 {
        bo.deletes(&test, &[ids[2], ids[2], 7]).await;
        assert_eq!(bo.reads(&test, &anna.uid()).await, ["two", "one"]);
        assert_eq!(bo.center(&test).await, ["two"]);
        assert_eq!(anna.reads(&test, &bo.uid()).await, [&*long, "two", "one"]);
        assert_eq!(anna.center(&test).await, ["psst", &long]);
        items(&test).await;
    }
    // From the middle, and with the other conversation's only one.
    anna.deletes(&test, &[ids[1], other]).await;
    assert_eq!(anna.center(&test).await, [&*long]);
    assert_eq!(anna.reads(&test, &bo.uid()).await, [&*long, "one"]);
    assert_eq!(bo.reads(&test, &anna.uid()).await, ["two", "one"]);
    assert_eq!(carl.center(&test).await, ["psst"]);
    items(&test).await;

    // What nobody has any more leaves nothing behind.
    for user in [&anna, &bo] {
        user.deletes(&test, &ids).await;
        assert_eq!(user.center(&test).await, [""; 0]);
    }
    carl.deletes(&test, &[other]).await;
    assert!(raw(&test).await == before, "something is left");
    // Whoever begins anew has one conversation again.
    anna.writes(&test, &bo, "again").await;
    assert_eq!(bo.center(&test).await, ["again"]);
    items(&test).await;
}

#[tokio::test]
async fn masters_merchants_and_customer_service_are_sides() {
    let test = Test::start().await;
    let (anna, bo) = two(&test).await;
    let store = &test.plaza.app.store;
    // Operators gave both the same id.
    store.import(&master(1), false).await.unwrap();
    store.import(&merchant(1), false).await.unwrap();
    let one = json!(MasterId(1));
    anna.done(&test, "send_message_to_master", json!({"master_id": one, "content": "a seat?"})).await;
    anna.done(&test, "send_message_to_merchant", json!({"merchant_id": one, "content": "a robe?"})).await;
    let id =
        anna.done(&test, "send_message_to_customer_service", json!({"content": "help!"})).await["message_id"].clone();
    let center = anna.done(&test, "my_message_center", json!({})).await["my_message_center"].clone();
    let types = ["customer_service", "merchant", "master"];
    assert_eq!(center.as_array().unwrap().iter().map(|talk| &talk["type"]).collect::<Vec<_>>(), types);
    assert_eq!(
        center[0],
        json!({"type": SERVICE, "last_message": {"message_id": id, "from_id": anna.uid(), "to_id": SERVICE,
            "content": "help!", "created_at": MessageId(id.as_u64().unwrap()).made_at()}})
    );
    assert_eq!((&center[1]["merchant_id"], &center[1]["merchant"]["name"]), (&one, &json!("Silk house")));
    assert_eq!((&center[2]["master_id"], &center[2]["master"]["name"]), (&one, &json!("Master 1")));

    let read = async |body: Value| {
        let read = anna.done(&test, "my_message", body).await;
        (texts(read["my_message"].as_array().unwrap().iter()), read["other_side"]["type"].clone())
    };
    assert_eq!(read(json!({"to_id": one})).await, (vec!["a seat?".into()], json!("master")));
    assert_eq!(read(json!({"to_id": one, "type": "merchant"})).await, (vec!["a robe?".into()], json!("merchant")));
    assert_eq!(read(json!({"to_id": SERVICE})).await, (vec!["help!".into()], json!(SERVICE)));
    let answer = bo.done(&test, "my_message", json!({"to_id": one})).await;
    assert_eq!((&answer["my_message"], &answer["other_side"]["type"]), (&json!([]), &json!("master")));

    // Withdrawn, nobody can write to them; what was written stays.
    store.import(&master(1), true).await.unwrap();
    anna.says_no(&test, "send_message_to_master", json!({"master_id": one, "content": "still?"}), 404).await;
    anna.says_no(&test, "send_message_to_master", json!({"master_id": MasterId(2), "content": "who?"}), 404).await;
    anna.says_no(&test, "send_message_to_merchant", json!({"merchant_id": MerchantId(2), "content": "who?"}), 404)
        .await;
    assert_eq!(anna.center(&test).await, ["help!", "a robe?", "a seat?"]);
    assert_eq!(read(json!({"to_id": one})).await, (vec!["a seat?".into()], json!("master")));

    // What the operators read, the same when a user deletes theirs.
    anna.deletes(&test, &[id.as_u64().unwrap()]).await;
    let table = items(&test).await;
    let inbox: Vec<_> =
        table.iter().filter(|(key, _)| key.starts_with("INBOX#")).map(|(_, written)| &written["content"]).collect();
    assert_eq!(inbox, ["a seat?", "a robe?", "help!"]);
    let key = keys::inbox(MessageId(id.as_u64().unwrap()), UserId(anna.id));
    let written = &raw(&test).await[&format!("{} / {}", key.pk, key.sk)];
    assert_eq!((&written["from"], &written["to"]), (&json!(anna.id.to_string()), &json!(SERVICE)));
}

#[tokio::test]
async fn operators_answer() {
    let test = Test::start().await;
    let (anna, bo) = two(&test).await;
    test.plaza.app.store.import(&master(1), false).await.unwrap();
    test.plaza.app.store.import(&merchant(1), false).await.unwrap();
    let one = json!(MasterId(1));
    anna.done(&test, "send_message_to_master", json!({"master_id": one, "content": "a seat?"})).await;
    let reply = |id: &str, content: &str| json!({"kind": "message", "record_id": id, "from_id": one, "to_user_id": anna.id, "content": content});
    let catalog = async |records: Value| test.json("/_local/catalog", json!({ "records": records })).await.body;
    // In the order in which they were said, in one event.
    let replies: Vec<_> = (1..=9).map(|number| reply(&format!("r-{number}"), &format!("reply {number}"))).collect();
    imported(&test, replies.clone()).await;
    test.wait(1);
    let read = anna.reads(&test, one.as_str().unwrap()).await;
    assert_eq!(read[..2], ["reply 9", "reply 8"]);
    assert_eq!(read[8..], ["reply 1", "a seat?"]);
    assert_eq!(anna.center(&test).await, ["reply 9"]);
    let center = anna.done(&test, "my_message_center", json!({})).await;
    let last = &center["my_message_center"][0]["last_message"];
    assert_eq!((&last["from_id"], &last["to_id"]), (&one, &json!(anna.uid())));

    // Once each, told by one read.
    let before = raw(&test).await;
    let (again, cost) = test.line.meter(catalog(json!(replies))).await;
    assert_eq!(again, json!({"imported": 0, "unchanged": 9, "refused": []}));
    assert_eq!((cost.0.len(), cost.write_units()), (1, 0.0), "{cost:?}");

    let with = |field: &str, value: Value| {
        let mut record = replies[0].clone();
        record[field] = value;
        record
    };
    let other = "record_id: another message was sent under this id: what was said stays as it is; choose another id";
    let nobody = "no such master or merchant";
    for (record, message) in [
        (with("content", json!("something else")), other.to_owned()),
        (with("to_user_id", json!(bo.id)), other.to_owned()),
        (with("from_id", json!(SERVICE)), other.to_owned()),
        (with("from_type", json!("merchant")), other.to_owned()),
        (
            json!({"kind": "message", "record_id": "n", "from_id": one, "to_user_id": 7, "content": "x"}),
            "to_user_id: no such user".into(),
        ),
        (
            json!({"kind": "message", "record_id": "n", "from_id": MasterId(9), "to_user_id": anna.id, "content": "x"}),
            format!("from_id: {nobody}"),
        ),
        (
            json!({"kind": "message", "record_id": "n", "from_id": "service", "to_user_id": anna.id, "content": "x"}),
            "from_id: must be the 32 hexadecimal digits of a master or a merchant, or customer_service".into(),
        ),
        (
            json!({"kind": "message", "record_id": "n", "from_id": one, "to_user_id": anna.id, "content": "\u{200b}"}),
            "content: must not be blank".into(),
        ),
    ] {
        let answer = catalog(json!([record])).await;
        assert_eq!(answer["refused"], json!([{"index": 0, "message": message}]), "{record}");
    }
    assert!(raw(&test).await == before, "something was stored");

    // Customer service and a merchant begin a conversation themselves.
    test.wait(1);
    let welcome =
        json!({"kind": "message", "record_id": "w", "from_id": SERVICE, "to_user_id": bo.id, "content": "Welcome!"});
    let mut offer = reply("o", "Silk, half price.");
    offer["from_type"] = "merchant".into();
    imported(&test, [welcome.clone(), offer]).await;
    assert_eq!(bo.reads(&test, SERVICE).await, ["Welcome!"]);
    assert_eq!(anna.center(&test).await, ["Silk, half price.", "reply 9"]);

    // Taken back: gone for the user, once, and for good.
    let mut withdrawn = replies[8].clone();
    withdrawn["withdrawn"] = true.into();
    imported(&test, [withdrawn.clone()]).await;
    assert_eq!(catalog(json!([withdrawn])).await["unchanged"], 1);
    assert_eq!(anna.center(&test).await, ["Silk, half price.", "reply 8"]);
    let answer = catalog(json!([replies[8]])).await;
    let says = "record_id: this message was taken back: send it under another id";
    assert_eq!(answer["refused"], json!([{"index": 0, "message": says}]));
    let mut never = reply("never", "sent");
    never["withdrawn"] = true.into();
    assert_eq!(catalog(json!([never])).await["unchanged"], 1);
    items(&test).await;

    // A withdrawn master does not answer.
    test.plaza.app.store.import(&master(1), true).await.unwrap();
    let mut late = reply("late", "late");
    late["from_type"] = "master".into();
    let answer = catalog(json!([late])).await;
    assert_eq!(answer["refused"][0]["message"], format!("from_id: {nobody}"));
}

/// 60 within any minute, to whomever and however many at once; nobody else's.
#[tokio::test]
async fn nobody_floods() {
    let test = Arc::new(Test::start().await);
    let (anna, bo) = two(&test).await;
    let carl = User::new(&test, "13800138003").await;
    let send = async |by: &User, many: usize| {
        let sends = (0..many).map(|number| {
            let (test, token) = (test.clone(), by.token.clone());
            let to = if number % 2 == 0 { bo.uid() } else { carl.uid() };
            async move {
                let body = json!({"token": token, "to_uid": to, "content": number.to_string()});
                test.json("/send_message_to_user", body).await.code()
            }
        });
        let codes = together(sends).await;
        (codes.iter().filter(|code| *code == "0").count(), codes.iter().filter(|code| *code == "429").count())
    };
    // Half of them half a minute before.
    for _ in 0..3 {
        assert_eq!(send(&anna, 10).await, (10, 0));
        test.wait(1);
    }
    test.wait(MINUTE / 2);
    for _ in 0..3 {
        assert_eq!(send(&anna, 9).await, (9, 0));
        test.wait(1);
    }
    assert_eq!(send(&anna, 20).await, (3, 17));
    let said = anna.says_no(&test, "send_message_to_customer_service", json!({"content": "help"}), 429).await;
    assert!(said.starts_with("at most 60 messages a minute: try again in 30 s"), "{said}");
    // A receiver may write, of course.
    bo.writes(&test, &anna, "stop").await;
    test.wait(MINUTE / 2);
    assert_eq!(send(&anna, 40).await, (30, 10));
    let read = bo.done(&test, "my_message", json!({"to_id": anna.uid(), "limit": 100})).await;
    let all = read["my_message"].as_array().unwrap().len();
    let read = carl.done(&test, "my_message", json!({"to_id": anna.uid(), "limit": 100})).await;
    assert_eq!(all + read["my_message"].as_array().unwrap().len(), 90 + 1);
    items(&test).await;
}

/// Both write and delete in one conversation, all at once, until each has what is left in the same order.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_conversation_stays_of_one_piece_whatever_happens_at_once() {
    let test = Arc::new(Test::start().await);
    let (anna, bo) = two(&test).await;
    let (mut sent, mut deleted) = (BTreeSet::new(), BTreeSet::new());
    for round in 0..12 {
        test.wait(MINUTE);
        let victims: Vec<u64> = sent.iter().rev().take(3).copied().collect();
        let work = (0..8).map(|number| {
            let by = if number % 2 == 0 { &anna } else { &bo };
            let to = if number % 2 == 0 { bo.uid() } else { anna.uid() };
            let (test, token, victims) = (test.clone(), by.token.clone(), victims.clone());
            async move {
                let deletes = round > 0 && number >= 4;
                let answer = match deletes {
                    true => {
                        let list = if number < 6 { victims.clone() } else { victims[..1].to_vec() };
                        test.json("/message_del", json!({"token": token, "message_id_list": list})).await
                    }
                    false => {
                        let content = format!("{round}-{number}");
                        test.json("/send_message_to_user", json!({"token": token, "to_uid": to, "content": content}))
                            .await
                    }
                };
                assert!(["0", "503"].contains(&&*answer.code()), "{answer:?}");
                (answer.body["message_id"].as_u64(), answer.code() == "0")
            }
        });
        for (at, (id, done)) in together(work).await.into_iter().enumerate() {
            assert!(done, "gave up: {at} of round {round}");
            sent.extend(id);
        }
        if round > 0 {
            deleted.extend(victims);
        }
        let left: Vec<u64> = sent.iter().rev().filter(|id| !deleted.contains(*id)).copied().collect();
        for (me, other) in [(&anna, &bo), (&bo, &anna)] {
            let read = me.done(&test, "my_message", json!({"to_id": other.uid(), "limit": 100})).await;
            let ids: Vec<u64> =
                read["my_message"].as_array().unwrap().iter().map(|one| one["message_id"].as_u64().unwrap()).collect();
            assert_eq!(ids, left, "round {round}");
            let center = me.done(&test, "my_message_center", json!({})).await;
            assert_eq!(center["my_message_center"].as_array().unwrap().len(), 1);
            assert_eq!(center["my_message_center"][0]["last_message"]["message_id"], left[0]);
        }
        whole(&raw(&test).await);
    }
}

/// The first message of a conversation from both sides at once, and its last deleted while another comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_conversation_begins_once_and_ends_once() {
    let test = Arc::new(Test::start().await);
    let (anna, bo) = two(&test).await;
    for round in 0..15 {
        test.wait(MINUTE);
        let sends = (0..6).map(|number| {
            let (by, to) = if number % 2 == 0 { (&anna, &bo) } else { (&bo, &anna) };
            let (test, body) = (test.clone(), json!({"token": by.token, "to_uid": to.uid(), "content": "first"}));
            async move { test.json("/send_message_to_user", body).await.body["message_id"].as_u64().unwrap() }
        });
        let ids = together(sends).await;
        assert_eq!((anna.center(&test).await.len(), bo.center(&test).await.len()), (1, 1), "round {round}");
        whole(&raw(&test).await);
        let late = (0..2).map(|number| {
            let (test, ids) = (test.clone(), ids.clone());
            let bodies = [
                ("/message_del", json!({"token": anna.token, "message_id_list": ids})),
                ("/send_message_to_user", json!({"token": bo.token, "to_uid": anna.uid(), "content": "late"})),
            ];
            async move {
                let (path, body) = bodies[number].clone();
                test.json(path, body).await.body["message_id"].as_u64()
            }
        });
        let late = together(late).await[1].unwrap();
        assert_eq!(anna.center(&test).await, ["late"]);
        whole(&raw(&test).await);
        for (user, ids) in [(&anna, vec![late]), (&bo, [ids, vec![late]].concat())] {
            user.deletes(&test, &ids).await;
        }
        let table = raw(&test).await;
        assert!(!table.keys().any(|key| key.starts_with("MESSAGE#") || key.contains("CHAT#")), "round {round}");
    }
}

/// A conversation is in the order in which it was written, though the clock of who answers is behind.
#[tokio::test]
async fn an_answer_stands_behind_what_it_answers() {
    let test = Test::start().await;
    let (anna, bo) = two(&test).await;
    test.set_clock(START + 10_000);
    let question = anna.writes(&test, &bo, "when?").await;
    test.set_clock(START + 5_000);
    let answer = bo.writes(&test, &anna, "now").await;
    assert!(answer > question && answer < question + 4096, "{question} {answer}");
    assert_eq!(anna.reads(&test, &bo.uid()).await, ["now", "when?"]);
    assert_eq!(bo.center(&test).await, ["now"]);
    items(&test).await;
}

/// Whoever is gone is shown as nobody; what they wrote stays with its reader.
#[tokio::test]
async fn the_other_side_may_be_gone() {
    let test = Test::start().await;
    let (anna, bo) = two(&test).await;
    anna.writes(&test, &bo, "hello?").await;
    bo.writes(&test, &anna, "hello!").await;
    let profile = keys::profile(UserId(bo.id));
    let gone = test.table().delete_item().table_name(&test.plaza.app.config.table).set_key(Some(profile.into()));
    gone.send().await.unwrap();
    let read = anna.done(&test, "my_message", json!({"to_id": bo.uid()})).await;
    let ends = |at: usize| [&read["my_message"][at]["from_id"], &read["my_message"][at]["to_id"]];
    assert_eq!(ends(0), [&Value::Null, &json!(anna.uid())]);
    assert_eq!(ends(1), [&json!(anna.uid()), &json!(bo.uid())]);
    assert_eq!(read["other_side"], Value::Null);
    let center = anna.done(&test, "my_message_center", json!({})).await;
    let talk = &center["my_message_center"][0];
    assert_eq!((&talk["uid"], &talk["user"]), (&json!(bo.uid()), &Value::Null));
    assert_eq!((&talk["last_message"]["content"], &talk["last_message"]["from_id"]), (&json!("hello!"), &Value::Null));
    let past = anna.done(&test, "my_message", json!({"to_id": bo.uid(), "offset": 2})).await;
    assert_eq!(past["my_message"], json!([]));
    anna.says_no(&test, "send_message_to_user", json!({"to_uid": bo.uid(), "content": "still there?"}), 404).await;
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused() {
    let test = Test::start().await;
    let (anna, bo) = two(&test).await;
    let before = raw(&test).await;
    for content in [json!(""), json!(" \u{200b}\n"), json!("x".repeat(2_001)), json!(7.5), json!(null), json!(["x"])] {
        let said =
            anna.says_no(&test, "send_message_to_user", json!({"to_uid": bo.uid(), "content": content}), 400).await;
        assert!(said.starts_with("content: "), "{said}");
    }
    for to in [anna.uid(), anna.id.to_string()] {
        let said = anna.says_no(&test, "send_message_to_user", json!({"to_uid": to, "content": "me"}), 400).await;
        assert_eq!(said, "to_uid: nobody writes to themself");
    }
    anna.says_no(&test, "send_message_to_user", json!({"to_uid": 7, "content": "x"}), 404).await;
    anna.says_no(&test, "send_message_to_user", json!({"to_uid": "x", "content": "x"}), 400).await;
    for to_id in [json!("x"), json!(-1), json!(""), json!("customer service"), json!([]), json!(null)] {
        let said = anna.says_no(&test, "my_message", json!({"to_id": to_id}), 400).await;
        assert!(said.starts_with("to_id: "), "{said}");
    }
    for (to_id, kind) in [
        (json!(7), None),
        (json!(MasterId(7)), None),
        (json!("f".repeat(32)), None),
        (json!(bo.uid()), Some("master")),
        (json!(SERVICE), Some("user")),
    ] {
        let mut body = json!({"to_id": to_id});
        if let Some(kind) = kind {
            body["type"] = kind.into();
        }
        anna.says_no(&test, "my_message", body, 404).await;
    }
    for list in [json!([]), json!((0..101).collect::<Vec<_>>()), json!(["x"]), json!([-1]), json!({})] {
        anna.says_no(&test, "message_del", json!({"message_id_list": list}), 400).await;
    }
    for operation in ["my_message_center", "my_message"] {
        for (field, value) in [("offset", 10_001), ("limit", 101), ("limit", 0), ("offset", -1)] {
            let mut body = json!({"to_id": bo.uid()});
            body[field] = value.into();
            let said = anna.says_no(&test, operation, body, 400).await;
            assert!(said.starts_with(field), "{said}");
        }
    }
    assert!(raw(&test).await == before, "something was stored");
}

/// Full pages without a gap, which cost what is on them.
#[tokio::test]
async fn pages_are_full_and_cost_what_is_on_them() {
    let test = Test::start().await;
    let (anna, bo) = two(&test).await;
    let store = &test.plaza.app.store;
    let mut sides = vec![];
    for number in 0..130_u128 {
        store.import(&master(number + 1), false).await.unwrap();
        sides.push(Side::Master(MasterId(number + 1)));
    }
    for (number, side) in sides.iter().enumerate() {
        test.wait(MINUTE);
        let text = if number % 10 == 0 { "长".repeat(2_000) } else { number.to_string() };
        store.send_message(UserId(anna.id), *side, &text).await.unwrap();
    }
    let mut ids = vec![];
    for number in 0..130 {
        test.wait(MINUTE);
        ids.push(store.send_message(UserId(anna.id), UserId(bo.id).into(), &number.to_string()).await.unwrap().0);
    }
    let mut seen = vec![];
    for offset in [0, 50, 100] {
        let body = json!({"limit": 50, "offset": offset});
        let (page, cost) = test.line.meter(anna.list(&test, "my_message_center", body, "last_message")).await;
        seen.extend(texts(page.iter()));
        assert!(cost.rounds() <= 2, "{cost:#?}");
        assert!(cost.read_units() < 60.0, "{cost:#?}");
    }
    assert_eq!((seen.len(), &*seen[0], &*seen[1]), (131, "129", "129"));
    assert_eq!(seen.iter().filter(|text| text.len() == 6_000).count(), 13);
    // The oldest hundred go; what is left is a page.
    anna.deletes(&test, &ids[..100]).await;
    let (page, cost) =
        test.line.meter(anna.done(&test, "my_message", json!({"to_id": bo.uid(), "limit": 30, "offset": 0}))).await;
    let shown = page["my_message"].as_array().unwrap();
    assert_eq!((shown.len(), &shown[0]["content"], &shown[29]["content"]), (30, &json!("129"), &json!("100")));
    assert_eq!((cost.rounds(), cost.0.len()), (1, 4), "{cost:#?}");
    assert!(cost.read_units() <= 7.0, "{cost:#?}");
    assert_eq!(bo.reads(&test, &anna.uid()).await.len(), 100);
    anna.deletes(&test, &ids[100..]).await;
    assert_eq!(anna.center(&test).await.len(), 100);
    items(&test).await;
}
