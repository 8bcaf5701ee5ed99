//! What the dearest request of each reading operation costs that a hostile caller can make: the fullest lists, the
//! longest texts, the deepest offset, a hundred others on one page. `docs/costs.md` shows it.
use std::{collections::HashMap, ops::Range};

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use futures_util::{StreamExt as _, stream};
use local::{events, sample};
use serde_json::{Value, json};
use shared::{
    domain::{ArticleId, MediaId, UserId},
    outside::aws,
    store::Mark,
};

use crate::{
    deeds,
    support::{Cost, Test, invoke, operations},
};

/// Read units that no request may cost which stands in no line of [`DEAREST`].
const MOST: f64 = 50.0;

/// The sample's, who calls; and what the events name.
const FELIX: u64 = 129_171_460_096_000;
const ANNA: u64 = 129_171_464_192_000;
const STORM: u64 = 129_171_574_784_000;
const HIS_MOUNTAINS: u64 = 129_171_468_288_000;
const HIS_PICTURE: u64 = 129_171_472_384_000;

/// A request, by what it sends in place of the sample event's fields (a text is the query), and the most read units that
/// it may cost: little more than it does.
struct Request {
    /// The operation's name, and in brackets which case of it.
    case: &'static str,
    sends: fn() -> Value,
    reads: f64,
}

#[rustfmt::skip]
const DEAREST: &[Request] = &[
    Request { case: "article_comment_list", sends: || json!({"article_id": STORM, "limit": 100, "offset": 10_000}), reads: 320.0 },
    Request { case: "article_comment_list (from the first)", sends: || json!({"article_id": STORM, "limit": 100}), reads: 220.0 },
    Request { case: "article_detail", sends: || json!({"article_id": STORM}), reads: 330.0 },
    Request { case: "article_list", sends: || json!({"limit": 100}), reads: 320.0 },
    Request { case: "following_article_list", sends: || json!({"limit": 100, "offset": 900}), reads: 510.0 },
    Request { case: "game_comment_list", sends: || json!({"limit": 100, "offset": 10_000}), reads: 330.0 },
    Request { case: "m_user_comments_get", sends: || format!("target_id={STORM}&target_type=post&cursor=9007199254740991-0&offset=10000&limit=100").into(), reads: 340.0 },
    Request { case: "my_article_collect_list", sends: || json!({"limit": 100, "offset": 10_000}), reads: 560.0 },
    Request { case: "my_article_list", sends: || json!({"limit": 100, "offset": 10_000}), reads: 520.0 },
    Request { case: "my_follower", sends: || json!({"limit": 100, "offset": 10_000}), reads: 210.0 },
    Request { case: "my_following_masters", sends: || json!({"limit": 100, "offset": 10_000}), reads: 270.0 },
    Request { case: "my_following_merchants", sends: || json!({"limit": 100, "offset": 10_000}), reads: 280.0 },
    Request { case: "my_following_users", sends: || json!({"limit": 100, "offset": 10_000}), reads: 250.0 },
    Request { case: "my_message", sends: || json!({"to_id": format!("{ANNA:032x}"), "type": "user", "limit": 100, "offset": 10_000}), reads: 1_900.0 },
    Request { case: "my_message_center", sends: || json!({"limit": 100, "offset": 10_000}), reads: 1_800.0 },
    Request { case: "my_order_list", sends: || json!({"limit": 100, "offset": 10_000}), reads: 360.0 },
    Request { case: "my_order_list (cancelled)", sends: || json!({"limit": 100, "offset": 10_000, "status": 2}), reads: 260.0 },
    Request { case: "my_order_list (paid)", sends: || json!({"limit": 100, "offset": 10_000, "status": 1}), reads: 560.0 },
    Request { case: "my_ticket_list", sends: || json!({"limit": 100, "offset": 10_000}), reads: 460.0 },
    Request { case: "ticket_comment_list", sends: || json!({"limit": 100, "offset": 10_000}), reads: 340.0 },
    Request { case: "ticket_list", sends: || json!({"limit": 100, "offset": 10_000}), reads: 270.0 },
    Request { case: "user_pic_detail", sends: || format!("pic_id={HIS_PICTURE}").into(), reads: 25.0 },
    Request { case: "user_pic_dir_heartbeat_list", sends: || format!("user_id={FELIX}").into(), reads: 20.0 },
    Request { case: "user_pic_dir_list", sends: || format!("user_id={FELIX}").into(), reads: 25.0 },
    Request { case: "user_pic_dir_pic_list", sends: || format!("pic_dir_id={HIS_MOUNTAINS}").into(), reads: 20.0 },
    Request { case: "user_pic_list", sends: || json!("limit=100"), reads: 5.0 },
];

type Item = HashMap<String, AttributeValue>;

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// The longest text of so many characters.
fn longest(characters: usize) -> String {
    "𝄞".repeat(characters)
}

/// Of the crowd.
fn user(at: usize) -> u64 {
    200_000_000_000_000 + at as u64
}

/// A table that is being filled, past the operations: most of a hostile state are thousands of entries that are alike.
struct Hostile<'a>(&'a Test);

impl Hostile<'_> {
    async fn put(&self, items: Vec<Item>) {
        let (client, table) = (self.0.table(), &self.0.plaza.app.config.table);
        let batches: Vec<_> = items.chunks(25).map(<[_]>::to_vec).collect();
        let put = |batch: Vec<Item>| {
            let put = |item| PutRequest::builder().set_item(Some(item)).build().unwrap();
            let writes = batch.into_iter().map(|item| WriteRequest::builder().put_request(put(item)).build()).collect();
            client.batch_write_item().request_items(table, writes).send()
        };
        let mut written = stream::iter(batches).map(put).buffered(4);
        while let Some(answer) = written.next().await {
            assert!(answer.unwrap().unprocessed_items.unwrap_or_default().is_empty());
        }
    }

    /// The newest item of a list: of a partition those whose keys begin so.
    async fn newest(&self, pk: &str, list: &str) -> Item {
        let query =
            self.0.table().query().table_name(&self.0.plaza.app.config.table).scan_index_forward(false).limit(1);
        let query = query.key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to");
        let values = [
            (":pk", pk.to_owned()),
            (":from", if list.is_empty() { "!".into() } else { list.to_owned() }),
            (":to", format!("{list}~")),
        ];
        let query =
            values.into_iter().fold(query, |query, (name, value)| query.expression_attribute_values(name, text(value)));
        let found = query.send().await.unwrap().items.unwrap_or_default().pop();
        found.unwrap_or_else(|| panic!("nothing of {pk} / {list}"))
    }

    /// Puts entries behind a list's newest, like it but for what `change` says; the higher, the newer. An entry's key
    /// ends in its number.
    async fn lengthen(&self, pk: &str, list: &str, numbers: Range<u64>, change: impl Fn(u64, &mut Item)) {
        let model = self.newest(pk, list).await;
        let entry = |at: u64| {
            let mut item = model.clone();
            let sk = item["sk"].as_s().unwrap();
            item.insert("sk".into(), text(format!("{}{at:016}", &sk[..sk.len() - 16])));
            change(at, &mut item);
            item
        };
        self.put(numbers.map(entry).collect()).await;
    }

    /// Ten thousand comments of the longest that lies with its list, and before and behind them a hundred of the longest
    /// of all, each of other people, answers to others'.
    async fn comments(&self, subject: &str) {
        let comment = self.newest(subject, "COMMENT#").await;
        let newest = comment["id"].as_n().unwrap().parse::<u64>().unwrap();
        let origin = self.newest(&format!("C#{newest:016}"), "").await;
        let is_long = |at: u64| !(100..10_000).contains(&(at - newest - 1));
        let numbers = newest + 1..newest + 10_101;
        let writer = |at: u64, which: u64| number(user(((at - newest) % 100 * 3 + which) as usize));
        self.lengthen(subject, "COMMENT#", numbers.clone(), |at, item| {
            let reply = |which| {
                AttributeValue::M([("comment".into(), number(at - 1)), ("user".into(), writer(at, which))].into())
            };
            item.extend([("id".into(), number(at)), ("user".into(), writer(at, 0))]);
            match is_long(at) {
                true => {
                    item.extend([("content".into(), text("")), ("is_long".into(), AttributeValue::Bool(true))]);
                    item.extend([("reply".into(), reply(1)), ("first_reply".into(), reply(2))]);
                }
                false => drop(item.insert("content".into(), text(longest(150)))),
            }
        })
        .await;
        self.lengthen(subject, "AT#", numbers.clone(), |_, _| ()).await;
        let origins = numbers.filter(|at| is_long(*at)).map(|at| {
            let mut item = origin.clone();
            item.extend([("pk".into(), text(format!("C#{at:016}"))), ("content".into(), text(longest(1_000)))]);
            item
        });
        self.put(origins.collect()).await;
    }
}

async fn hostile(test: &Test) {
    let hostile = Hostile(test);
    let (store, felix) = (&test.plaza.app.store, UserId(FELIX));
    let his = format!("U#{FELIX:016}");

    let mut profile = hostile.newest(&his, "PROFILE").await;
    profile.extend([("nickname".into(), text(longest(64))), ("intro".into(), text(longest(500)))]);
    let person = |at: usize| {
        let mut profile = profile.clone();
        profile.extend([("pk".into(), text(format!("U#{:016}", user(at)))), ("id".into(), number(user(at)))]);
        profile
    };
    hostile.put((0..500).map(person).collect()).await;

    // A hundred articles of his and a hundred of others', as long as they may be.
    let content = longest(5_000);
    let images = async |owner| {
        let images: Vec<_> = (0..9).map(|_| MediaId::fresh(&test.plaza.app.system, "jpeg")).collect();
        store.own_files(owner, &images).await.unwrap();
        images
    };
    let mut others = vec![];
    for at in 0..100 {
        test.wait(1);
        let author = UserId(user(at));
        others.push(store.publish_article(author, &content, images(author).await).await.unwrap());
    }
    for article in &others {
        test.wait(1);
        store.mark(Mark::Collect, felix, *article).await.unwrap();
    }
    // Whose marks lie far apart.
    let first = others[0].0;
    hostile.lengthen(&his, &format!("MARK#A#{first:016}"), first + 1..first + 1_101, |_, _| ()).await;
    for _ in 0..100 {
        test.wait(1);
        store.publish_article(felix, &content, images(felix).await).await.unwrap();
    }
    for at in 0..100 {
        test.wait(1);
        store.follow(felix, UserId(user(at))).await.unwrap();
        store.follow(UserId(user(at)), felix).await.unwrap();
    }
    test.plaza.deliver().await.unwrap();

    // Then all that is passed over.
    let later = test.plaza.app.system.now();
    let beyond = ArticleId::fresh(&test.plaza.app.system).0 + 1_000_000;
    let passed = beyond..beyond + 10_000;
    for list in ["ARTICLE#", "COLLECT#", "FOLLOWING#U#", "FOLLOWING#MASTER#", "FOLLOWING#MERCHANT#"] {
        hostile.lengthen(&his, list, passed.clone(), |_, _| ()).await;
    }
    hostile.lengthen(&format!("{his}#F"), "FOLLOWER#", passed.clone(), |_, _| ()).await;
    hostile.lengthen(&format!("F#{FELIX:016}"), "", beyond..beyond + 900, |_, _| ()).await;
    hostile.comments(&format!("A#{STORM:016}")).await;
    hostile.comments("GAME#0000000000000001").await;
    hostile.comments("TICKET#0000000000000101").await;
    let storm = format!("A#{STORM:016}");
    let (marked, collected) = (format!("{storm}#MARKED"), format!("A#{first:016}#MARKED"));
    for (of, list, first) in [(&marked, "LIKER#", 300), (&collected, "COLLECTOR#", 400)] {
        let entry = hostile.newest(of, list).await;
        let entries = (0..100).map(|at| {
            let (mut entry, sk) = (entry.clone(), format!("{list}{:016}", beyond + at as u64));
            entry.extend([
                ("pk".into(), text(&marked)),
                ("sk".into(), text(sk)),
                ("user".into(), number(user(first + at))),
            ]);
            entry
        });
        hostile.put(entries.collect()).await;
    }
    let gone = (0..1_000).map(|at: u64| {
        let sk = format!("GONE#{:013}#{at:016}", later + at);
        let (comment, expires_at) = (number(at), number(later / 1_000 + 86_400));
        [("pk", text(&storm)), ("sk", text(sk)), ("comment", comment), ("expires_at", expires_at)]
            .map(|(name, value)| (name.to_owned(), value))
            .into()
    });
    hostile.put(gone.collect()).await;

    // Orders, each of one ticket, and tickets that others hold.
    hostile
        .lengthen(&his, "ORDER#", beyond..beyond + 10_100, |at, item| drop(item.insert("id".into(), number(at))))
        .await;
    for list in ["UNPAID#", "PAID#"] {
        hostile
            .lengthen(&his, list, beyond..beyond + 10_100, |at, item| {
                item.insert("order".into(), number(at));
            })
            .await;
    }
    hostile
        .lengthen("OPEN#0000000000000001", "", beyond..beyond + 10_100, |_, item| {
            item.extend([("held_until".into(), number(u64::MAX >> 11)), ("held_by".into(), number(beyond))]);
        })
        .await;

    // Messages of the longest that lie with their lists, in one conversation and in as many as there are messages.
    let message = |at: u64, item: &mut Item| {
        item.extend([("message".into(), number(at)), ("content".into(), text(longest(150)))]);
    };
    hostile.lengthen(&his, &format!("CHAT#U#{ANNA:016}#"), beyond..beyond + 10_100, message).await;
    hostile
        .lengthen(&his, "LAST#", beyond..beyond + 10_100, |at, item| {
            message(at, item);
            let side = [("user".into(), number(user((at - beyond) as usize)))].into();
            item.insert("side".into(), AttributeValue::M(side));
        })
        .await;

    // Galleries, pictures, hearts.
    hostile
        .lengthen(&his, "G#", beyond..beyond + 198, |at, item| {
            item.extend([("id".into(), number(at)), ("title".into(), text(longest(64)))]);
        })
        .await;
    hostile
        .lengthen(&format!("G#{HIS_MOUNTAINS:016}"), "P#", beyond..beyond + 496, |at, item| {
            item.insert("id".into(), number(at));
        })
        .await;
    hostile.lengthen("WALL", "", beyond..beyond + 100, |at, item| drop(item.insert("id".into(), number(at)))).await;
    let heart = hostile.newest(&format!("U#{ANNA:016}"), "H#").await;
    let hearts = (0..1_000).map(|at| {
        let mut item = heart.clone();
        item.extend([("pk".into(), text(&his)), ("sk".into(), text(format!("H#{:016}", beyond + at)))]);
        item
    });
    hostile.put(hearts.collect()).await;
}

/// What it costs to send an operation's sample event with these fields; the error says that it was refused.
async fn cost(test: &Test, case: &str, sends: &Value) -> Result<Cost, String> {
    let operation = case.split(" (").next().unwrap_or(case);
    let (function, _) = operations().find(|(_, listed)| listed.name == operation).ok_or("is no operation's")?;
    let mut event = events::load(&events::path(function, operation))?;
    match sends {
        Value::String(query) => event["rawQueryString"] = query.as_str().into(),
        fields => {
            let body = event["body"].as_str().and_then(|body| serde_json::from_str::<Value>(body).ok());
            if let (Some(mut body), Some(fields)) = (body, fields.as_object()) {
                // A list that takes a limit takes the largest.
                let limit = body.get("limit").map(|_| ("limit".to_owned(), json!(100)));
                body.as_object_mut().unwrap().extend(limit.into_iter().chain(fields.clone()));
                event["body"] = body.to_string().into();
            }
        }
    }
    let (answer, cost) = test.line.meter(invoke(&test.plaza, &event)).await;
    match answer["statusCode"] == 200 {
        true => Ok(cost),
        false => Err(format!("was answered {answer:#}")),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_dearer_than_is_said() {
    let test = Test::start().await;
    sample::load(&test.plaza, aws::http_client()).await.unwrap();
    test.plaza.deliver().await.unwrap();
    hostile(&test).await;
    let (writing, mut wrong) = (deeds::writing(), vec![]);
    let rest = operations().map(|(_, listed)| listed.name).filter(|name| !writing.contains(name));
    let rest = rest.filter(|name| DEAREST.iter().all(|request| request.case.split(" (").next() != Some(name)));
    let rest: Vec<_> = rest.map(|name| (name, json!({}), None)).collect();
    let known = DEAREST.iter().map(|request| (request.case.to_owned(), (request.sends)(), Some(request.reads)));
    let shown = include_str!("../../../docs/costs.md");
    for (case, sends, held) in known.chain(rest) {
        let cost = match cost(&test, &case, &sends).await {
            Ok(cost) => cost,
            Err(why) => {
                wrong.push(format!("{case}: {why}"));
                continue;
            }
        };
        let reads = cost.read_units();
        println!("{case:40} {reads:8.1} in {} calls, {} rounds", cost.0.len(), cost.rounds());
        match held {
            Some(held) if (0.5 * held..=held).contains(&reads) => {
                let (operation, which) = case.split_once(" (").unwrap_or((&case, ")"));
                let which = which.trim_end_matches(')');
                let line = format!("| `{operation}` | {which} | {held} |");
                if !shown.contains(&line) {
                    wrong.push(format!("{case}: docs/costs.md does not say\n{line}"));
                }
            }
            Some(held) => wrong.push(format!("{case}: reads {reads:.1}, where {held:.1} are said:\n{:#?}", cost.0)),
            None if reads > MOST => wrong.push(format!("{case}: {reads} read units: add it to DEAREST")),
            None => {}
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
