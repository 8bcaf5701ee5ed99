//! What operators bring in, under the faults of [`crate::faults`].
use std::{collections::BTreeMap, marker::PhantomData};

use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    catalogue::{contents, imported, of_kind, scene, with},
    faults::{Deed, Items, deeds},
    support::{Answer, Test},
};

deeds! {
    banner: New<0>;
    banner_moved: Changed<Moved>;
    master: New<1>;
    master_withdrawn: Changed<WithdrawnMaster>;
    merchant: New<2>;
    merchant_withdrawn: Changed<WithdrawnMerchant>;
    game: New<3>;
    game_changed: Changed<Renamed>;
    cloth: New<4>;
    project: New<5>;
    ticket: New<6>;
    ticket_withdrawn: Changed<WithdrawnTickets>;
    user: New<7>;
    review_account: New<8>;
    review_version: New<9>;
    vip: ToUsers<0>;
    gift: ToUsers<1>;
    user_lock: ToUsers<2>;
    takedown_article: ToUsers<3>;
    takedown_comment: ToUsers<4>;
    takedown_picture: ToUsers<5>;
    takedown_gallery: ToUsers<6>;
    user_erase: ToUsers<7>;
    message: ToUsers<8>;
}

#[test]
fn every_kind_is_brought_under_faults() {
    for kind in catalogue::KINDS.split(", ") {
        assert!(DEEDS.iter().any(|deed| deed.starts_with(kind)), "{kind}: add it to `deeds!`");
    }
}

/// One record; the answer is reduced to whether it went in.
async fn bring(test: &Test, record: &Value) -> Answer {
    let mut answer = test.json("/_local/catalog", json!({"records": [record]})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    (answer.status, answer.body) = match answer.body["refused"].get(0) {
        None => (StatusCode::OK, json!({"code": 0})),
        Some(no) if no["message"].as_str().unwrap().starts_with("too busy") => {
            (StatusCode::SERVICE_UNAVAILABLE, json!({"code": 503, "msg": no["message"]}))
        }
        // Another import of the same.
        Some(no) if no["message"].as_str().unwrap().ends_with("somebody has just come that way") => {
            (StatusCode::CONFLICT, json!({"code": 409, "msg": no["message"]}))
        }
        Some(no) => panic!("{no}"),
    };
    answer
}

async fn is_so(test: &Test, record: &Value) {
    let answer = test.json("/_local/catalog", json!({"records": [record]})).await;
    assert_eq!(answer.body, json!({"imported": 0, "unchanged": 1, "refused": []}));
}

/// Of [`contents`], after those before it.
struct New<const AT: usize>;

impl<const AT: usize> Deed for New<AT> {
    /// Tickets come in several transactions.
    const IN_PARTS: bool = AT == 6;

    async fn prepare(test: &Test) -> Self {
        // Of two users in one millisecond chance says whose id is the higher one.
        imported(test, contents().into_iter().take(AT).filter(|record| kind(record) != "user")).await;
        test.wait(1);
        Self
    }
    async fn act(&self, test: &Test) -> Answer {
        bring(test, &contents()[AT]).await
    }
    async fn shows(&self, test: &Test) {
        is_so(test, &contents()[AT]).await;
    }
}

/// What operators do to users, in the scene.
struct ToUsers<const AT: usize>(Value);

impl<const AT: usize> Deed for ToUsers<AT> {
    /// A gallery's pictures go after the gallery.
    const IN_PARTS: bool = matches!(AT, 5 | 6);

    async fn prepare(test: &Test) -> Self {
        let record = scene(test).await.deeds()[AT].clone();
        if kind(&record) == "message" {
            imported(test, [of_kind("master")]).await;
        }
        test.wait(1);
        Self(record)
    }
    async fn act(&self, test: &Test) -> Answer {
        bring(test, &self.0).await
    }
    async fn shows(&self, test: &Test) {
        is_so(test, &self.0).await;
    }
}

/// A change of what is there.
trait Change: 'static {
    const IN_PARTS: bool = false;
    fn record() -> Value;
}

struct Changed<C>(PhantomData<C>);

impl<C: Change> Deed for Changed<C> {
    const IN_PARTS: bool = C::IN_PARTS;

    async fn prepare(test: &Test) -> Self {
        let content = contents().into_iter().filter(|record| !["user", "review_account"].contains(&kind(record)));
        imported(test, content).await;
        test.wait(1);
        Self(PhantomData)
    }
    async fn act(&self, test: &Test) -> Answer {
        bring(test, &C::record()).await
    }
    async fn shows(&self, test: &Test) {
        is_so(test, &C::record()).await;
    }
}

fn kind(record: &Value) -> &str {
    record["kind"].as_str().unwrap()
}

struct Moved;

impl Change for Moved {
    fn record() -> Value {
        with(&of_kind("banner"), "place", "game".into())
    }
}

struct Renamed;

impl Change for Renamed {
    fn record() -> Value {
        with(&with(&of_kind("game"), "name", "Ten gates".into()), "recommended", true.into())
    }
}

struct WithdrawnMaster;

impl Change for WithdrawnMaster {
    const IN_PARTS: bool = true;
    fn record() -> Value {
        with(&of_kind("master"), "withdrawn", true.into())
    }
}

struct WithdrawnMerchant;

impl Change for WithdrawnMerchant {
    const IN_PARTS: bool = true;
    fn record() -> Value {
        with(&of_kind("merchant"), "withdrawn", true.into())
    }
}

struct WithdrawnTickets;

impl Change for WithdrawnTickets {
    const IN_PARTS: bool = true;
    fn record() -> Value {
        with(&of_kind("ticket"), "withdrawn", true.into())
    }
}

/// What stands in a list is content as it is now, and is not withdrawn; an owner's list names what they have; a project
/// counts its tickets.
pub fn whole(items: &Items) {
    let there = |key: &str| items.get(key).unwrap_or_else(|| panic!("{key} is missing"));
    let is_withdrawn = |fields: &BTreeMap<String, Value>| fields.get("withdrawn") == Some(&json!(true));
    for (key, fields) in items {
        let (pk, sk) = key.split_once(" / ").unwrap();
        match pk.split_once('#').unwrap_or((pk, "")) {
            ("LIST", _) => {
                let content = &fields["content"];
                let of = |name: &str| content[name].as_str().unwrap();
                let number = |kind: &str, name: &str| format!("{kind}#{:0>16} / HEAD", of(name));
                let head = match content {
                    _ if content["game_id"].is_string() => number("GAME", "game_id"),
                    _ if content["cloth_id"].is_string() => number("CLOTH", "cloth_id"),
                    _ if content["project_id"].is_string() => number("PROJECT", "project_id"),
                    _ => format!("MASTER#{} / HEAD", of("master_id")),
                };
                let head = there(&head);
                assert_eq!(&head["content"], content, "{key}");
                assert!(!is_withdrawn(head), "{key}");
            }
            ("PROJECT", of) if sk == "HEAD" => {
                let of = Value::from(of.trim_start_matches('0'));
                let tickets = items.iter().filter(|(key, _)| key.starts_with("TICKET#") && key.ends_with(" / HEAD"));
                let tickets = tickets.filter(|(_, ticket)| ticket["project"] == of).count();
                let made = fields.get("made").map_or("0", |made| made.as_str().unwrap());
                assert_eq!(made, tickets.to_string(), "{key}");
            }
            ("CLOTH", of) if sk == "HEAD" => {
                let is_withdrawn_itself = is_withdrawn(fields) && fields.get("with_owner").is_none();
                if let Some(merchant) = fields["content"]["merchant_id"].as_str().filter(|_| !is_withdrawn_itself) {
                    there(&format!("MERCHANT#{merchant} / CLOTH#{of}"));
                }
            }
            ("OPEN", _) => drop(there(&format!("TICKET#{} / HEAD", sk.rsplit('#').next().unwrap()))),
            _ => {}
        }
    }
}
