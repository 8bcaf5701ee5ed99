//! What goes wrong between us and the engines: once, and the client does not notice; for long, and they are told so.
//! Either way nothing is lost, doubled or half-stored.
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    panic,
    rc::Rc,
};

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, PutRequest, WriteRequest};
use axum::{Json, Router, routing::get};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use shared::domain::{DAY, MINUTE};
use tokio::task::{JoinError, JoinSet, LocalSet};

use crate::{
    catalogue_deeds::whole as whole_catalogue,
    deeds::whole as whole_community,
    gallery_deeds::whole as whole_galleries,
    messages::whole as whole_conversations,
    support::{Answer, Fault, PAUSE, START, Test, multipart, picture},
};

const PHONE: &str = "13800138001";
const NEW_PHONE: &str = "13800138002";
/// More than anybody tries again.
pub const MANY: usize = 100;

/// What time may be the reason of, or others who were faster: an old code, a token that has ended, what is over or there
/// by now, too many within a time, no time left.
const TIMELY: [&str; 5] = ["3200", "401", "409", "429", "503"];

/// Something that writes.
pub trait Deed: Sized + 'static {
    /// The code of a true answer to whoever repeats it, because it was done when they were told that we are busy.
    const DONE_BEFORE: Option<&str> = None;
    /// Calls in the beginning that are no different in other deeds and are spoilt there: the session's check.
    const PASSED_OVER: usize = 0;
    /// A fault that is not tried again, because it would be done twice.
    const ONCE_ONLY: Option<(&str, Fault)> = None;
    /// Whether it is done to what ends by itself, so that another clock may find that over, or to begin anew.
    const ENDS: bool = false;
    /// Whether it is done to several things one by one, each whole: a repeat finishes what broke off.
    const IN_PARTS: bool = false;

    /// What has to be there before.
    async fn prepare(test: &Test) -> Self;
    async fn act(&self, test: &Test) -> Answer;
    /// That it was done, as a client sees it. Panics where it was not.
    async fn shows(&self, test: &Test);
}

/// How a deed goes and what it leaves when nothing is in its way.
pub struct Clean {
    before: Items,
    answer: (StatusCode, Value),
    code: String,
    after: Items,
    /// The calls it makes to the engines.
    calls: Vec<&'static str>,
}

async fn clean<D: Deed>() -> Clean {
    let test = test().await;
    let deed = D::prepare(&test).await;
    let before = items(&test).await;
    let (answer, cost) = test.line.meter(deed.act(&test)).await;
    let after = items(&test).await;
    deed.shows(&test).await;
    let calls = cost.0.into_iter().map(|call| &*call.operation.leak()).collect();
    Clean { before, code: answer.code(), answer: plain(answer), after, calls }
}

impl Clean {
    /// Every fault at each call: the call, how many of its operation come before it, the fault.
    fn faults(&self, passed_over: usize) -> impl Iterator<Item = (&'static str, usize, Fault)> {
        let calls = self.calls.iter().enumerate().skip(passed_over);
        calls.flat_map(|(at, call)| {
            let before = self.calls[..at].iter().filter(|other| *other == call).count();
            // Whatever is put alone has a key of its own that no transaction knows.
            let conflicts = matches!(*call, "UpdateItem" | "DeleteItem" | "TransactWriteItems");
            let conflict = conflicts.then_some(Fault::Conflict);
            let faults = conflict.into_iter().chain([Fault::Throttle, Fault::AnswerLost, Fault::Broken]);
            faults.map(move |fault| (*call, before, fault))
        })
    }
}

/// Does it with every fault at each call, some at a time: most of it is waiting.
pub async fn each<D: Deed>(
    case: impl AsyncFn(&Clean, &str, Test, &'static str, Vec<Option<Fault>>) + Copy + 'static,
    often: usize,
) {
    let clean = Rc::new(clean::<D>().await);
    assert!(clean.calls.len() > D::PASSED_OVER);
    let cases = async {
        let mut running = JoinSet::new();
        for (call, before, fault) in clean.faults(D::PASSED_OVER) {
            if running.len() == 4 {
                ended(running.join_next().await);
            }
            let clean = clean.clone();
            running.spawn_local(async move {
                let what = format!("{fault:?} at {call} number {before} of {:?}", clean.calls);
                let faults = vec![None; before].into_iter().chain(vec![Some(fault); often]);
                case(&clean, &what, test().await, call, faults.collect()).await;
            });
        }
        while !running.is_empty() {
            ended(running.join_next().await);
        }
    };
    LocalSet::new().run_until(cases).await;
}

fn ended(case: Option<Result<(), JoinError>>) {
    if let Some(Err(error)) = case {
        panic::resume_unwind(error.into_panic());
    }
}

pub async fn once<D: Deed>(clean: &Clean, what: &str, test: Test, call: &'static str, faults: Vec<Option<Fault>>) {
    let deed = D::prepare(&test).await;
    let (tries, fault) = (faults.len() + 1, faults.last().copied().flatten());
    test.line.spoil(call, faults);
    let (answer, cost) = test.line.meter(deed.act(&test)).await;
    assert_eq!(test.line.unstruck(), 0, "{what}");
    if fault.is_some_and(|fault| D::ONCE_ONLY == Some((call, fault))) {
        return answer.refused(503, 503);
    }
    assert!(cost.0.iter().filter(|made| made.operation == call).count() >= tries, "{what}: not tried again");
    assert_eq!(plain(answer), clean.answer, "{what}");
    same(&items(&test).await, &clean.after, what);
    deed.shows(&test).await;
}

pub async fn for_long<D: Deed>(clean: &Clean, what: &str, test: Test, call: &'static str, faults: Vec<Option<Fault>>) {
    let deed = D::prepare(&test).await;
    test.line.spoil(call, faults);
    let answer = deed.act(&test).await;
    assert!(test.line.unstruck() > MANY / 2, "{what}: gave up late");
    test.line.mend();
    assert_eq!(answer.code(), "503", "{what}");
    answer.refused(503, 503);
    let left = items(&test).await;
    let (lasting, before, after) = (lasting(&left), lasting(&clean.before), lasting(&clean.after));
    if !D::IN_PARTS && lasting != before {
        same(&lasting, &after, what);
    }
    if call == "PUT" {
        same(&lasting, &before, what);
    }

    let answer = deed.act(&test).await;
    assert!(plain(answer.clone()) == clean.answer || Some(&*answer.code()) == D::DONE_BEFORE, "{what}: {answer:?}");
    deed.shows(&test).await;
    items(&test).await;
}

/// Whoever does it is frozen before each of its calls in turn, as Lambda does with a function that has been answered for;
/// meanwhile time passes, and whoever asked repeats it elsewhere. What thaws finds that done.
pub async fn frozen<D: Deed>() {
    let clean = clean::<D>().await;
    for at in D::PASSED_OVER..clean.calls.len() {
        let what = format!("frozen before call {at} of {:?}", clean.calls);
        let test = test().await;
        let deed = D::prepare(&test).await;
        let freeze = test.line.freeze_at(at);
        let repeat = async {
            freeze.reached().await;
            test.wait(10 * MINUTE);
            let answer = deed.act(&test).await;
            freeze.thaw();
            answer
        };
        let (thawed, repeated) = tokio::join!(deed.act(&test), repeat);
        right::<D>(&clean, &test, &deed, &[thawed, repeated], &what).await;
    }
}

/// It is done by a function whose clock is a day behind or ahead.
pub async fn by_another_clock<D: Deed>() {
    let clean = clean::<D>().await;
    for (what, moment) in [("behind", START - DAY), ("ahead", START + DAY)] {
        let test = test().await;
        let deed = D::prepare(&test).await;
        let now = test.now();
        test.set_clock(moment);
        let answer = deed.act(&test).await;
        // What ended by that clock was not ended by whom it answered.
        test.set_clock(if D::ENDS { moment } else { now });
        right::<D>(&clean, &test, &deed, &[answer], what).await;
    }
}

/// The table is of one piece; what somebody was told is done shows, and nobody was told anything else than what time or
/// the others can be the reason of.
async fn right<D: Deed>(clean: &Clean, test: &Test, deed: &D, answers: &[Answer], what: &str) {
    items(test).await;
    let is_done = |answer: &&Answer| answer.code() == clean.code;
    if answers.iter().any(|answer| is_done(&answer)) {
        deed.shows(test).await;
    }
    for answer in answers.iter().filter(|answer| !is_done(answer)) {
        assert!(TIMELY.contains(&&*answer.code()), "{what}: {answer:?}");
    }
}

/// The same table. Shows what is not.
pub fn same(found: &Items, wanted: &Items, what: &str) {
    let differ = |key: &&String| found.get(*key) != wanted.get(*key);
    let keys: BTreeSet<_> = found.keys().chain(wanted.keys()).filter(differ).collect();
    let odd: Vec<_> = keys.into_iter().map(|key| (key, found.get(key), wanted.get(key))).collect();
    assert!(odd.is_empty(), "{what}: found and wanted: {odd:#?}");
}

async fn test() -> Test {
    // Vouches for everybody.
    let yes = Router::new().route("/sns/auth", get(async || Json(json!({"errcode": 0, "errmsg": "ok"}))));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, yes).await });
    Test::with(&[("WECHAT_APP_ID", "wx1"), ("WECHAT_BASE_URL", &address)]).await
}

/// A token of a user.
async fn user(test: &Test) -> String {
    test.person(PHONE).await.1
}

/// An answer without what chance brought into it.
fn plain(answer: Answer) -> (StatusCode, Value) {
    fn forget(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match (&**name, &*value) {
                        ("uid" | "id" | "article_id" | "comment_id" | "order_id" | "message_id", _) => {
                            *value = "drawn".into()
                        }
                        // An id's moment, a little later where the same was drawn before.
                        ("created_at", _) => *value = "drawn".into(),
                        ("token" | "im_token" | "device_id", _) => *value = "drawn".into(),
                        ("media_id" | "upload_url", _) => *value = "drawn".into(),
                        ("pic_dir_id" | "pic_id" | "url", _) => *value = "drawn".into(),
                        ("avator" | "large_avator" | "avatar", Value::String(_)) => *value = "drawn".into(),
                        ("name" | "nickname", Value::String(name)) if name.starts_with("nick-") => {
                            *value = "drawn".into();
                        }
                        _ => forget(value),
                    }
                }
            }
            Value::Array(values) => values.iter_mut().for_each(forget),
            _ => {}
        }
    }
    let mut body = answer.body;
    forget(&mut body);
    (answer.status, body)
}

/// The table by its keys.
pub type Items = BTreeMap<String, BTreeMap<String, Value>>;

/// All items, as JSON.
pub async fn raw(test: &Test) -> Items {
    let fields = |item: HashMap<String, AttributeValue>| {
        let fields = item.into_iter().filter(|(name, _)| name != "pk" && name != "sk");
        fields.map(|(name, value)| (name, json(&value))).collect()
    };
    test.items().await.into_iter().map(|(key, item)| (key, fields(item))).collect()
}

/// The whole table, found to be of one piece, without what chance brought into it: ids and the places in the list of
/// all articles are numbered in their order, moments have no tail.
pub async fn items(test: &Test) -> Items {
    let items = raw(test).await;
    whole(&items);
    whole_community(&items);
    whole_galleries(&items);
    whole_catalogue(&items);
    whole_conversations(&items);

    let mut chance = Chance::default();
    for (key, fields) in &items {
        pieces(key).for_each(|piece| chance.note(piece));
        fields.values().for_each(|value| chance.note_all(value));
        chance.places.extend(place_of(key));
    }
    let mut plain = Items::new();
    for (key, mut fields) in items {
        for (name, value) in &mut fields {
            match (&**name, &*value) {
                ("nickname", Value::String(name)) if name.starts_with("nick-") => *value = "drawn".into(),
                ("password" | "digits" | "object_name" | "avatar" | "large_avatar" | "background" | "images", _) => {
                    *value = "drawn".into()
                }
                ("cover" | "media", _) => *value = "drawn".into(),
                // A number may be drawn twice where the first one's answer is lost.
                ("drawn", _) => *value = "drawn".into(),
                ("number", Value::String(place)) => *value = chance.place(place.parse().unwrap()).into(),
                ("used_in", Value::Array(uses)) => {
                    let kind = |by: &Value| by.as_str().unwrap().split('#').next().unwrap().to_owned();
                    *value = uses.iter().map(kind).collect();
                }
                (_, Value::Array(moments)) if moments.iter().all(Value::is_string) => {
                    *value = moments.iter().map(|moment| moment.as_str().unwrap()[..13].to_owned()).collect();
                }
                _ => chance.forget(value),
            }
        }
        let mut name = pieces(&key).fold(key.clone(), |name, piece| match chance.id(piece) {
            Some(id) => name.replace(piece, &id),
            None => name,
        });
        if let Some(place) = place_of(&key) {
            name = format!("L#articles / {}", chance.place(place));
        }
        // In which part of a list or a count it is, an order's id says.
        for part in ["SOLD#", "CHARGES#"] {
            if let Some(at) = name.find(part).map(|at| at + part.len()) {
                name.replace_range(at..=at, "part");
            }
        }
        // A user's files and devices are named by chance alone: here, by their number.
        for kind in [" / MEDIA#", " / DEVICE#"] {
            if let Some((user, _)) = name.clone().split_once(kind) {
                fields.remove("media");
                let of = |number: usize| format!("{user}{kind}{number}");
                name = (1..).map(of).find(|name| !plain.contains_key(name)).unwrap();
            }
        }
        // These as well: here, by whose they are.
        for (kind, owner) in [("M#", "owner"), ("DEVICE#", "holder")] {
            if key.starts_with(kind) {
                fields.remove("id");
                let what = ["standing", "used_in"].map(|name| fields.get(name));
                let of = |number: usize| format!("{kind} {number} of {} {what:?}", fields[owner]);
                name = (1..).map(of).find(|name| !plain.contains_key(name)).unwrap();
            }
        }
        plain.insert(name, fields);
    }
    plain
}

/// Where an item stands in the list of all articles.
pub fn place_of(key: &str) -> Option<u64> {
    key.strip_prefix("L#articles#")?.split_once(" / ")?.1.parse().ok()
}

/// A key's parts.
fn pieces(key: &str) -> impl Iterator<Item = &str> {
    key.split(['#', ' '])
}

/// What time and chance have made: ids, and places in the list of all articles.
#[derive(Default)]
struct Chance {
    ids: BTreeSet<u64>,
    places: BTreeSet<u64>,
}

impl Chance {
    /// Every id since 2025 is larger than any other number.
    fn read(text: &str) -> Option<u64> {
        text.parse().ok().filter(|id| *id > 100_000_000_000_000)
    }

    fn note(&mut self, text: &str) {
        self.ids.extend(Self::read(text));
    }

    fn note_all(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.note(text),
            Value::Object(fields) => fields.values().for_each(|value| self.note_all(value)),
            Value::Array(list) => list.iter().for_each(|value| self.note_all(value)),
            _ => {}
        }
    }

    fn id(&self, text: &str) -> Option<String> {
        let id = Self::read(text)?;
        Some(format!("id {}", self.ids.range(..=id).count()))
    }

    fn place(&self, place: u64) -> String {
        format!("place {}", self.places.range(..=place).count())
    }

    fn forget(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.id(text).unwrap_or_else(|| text.clone()),
            Value::Object(fields) => {
                let forgotten = std::mem::take(fields).into_iter().map(|(name, mut value)| {
                    self.forget(&mut value);
                    (self.id(&name).unwrap_or(name), value)
                });
                *fields = forgotten.collect();
            }
            Value::Array(list) => list.iter_mut().for_each(|value| self.forget(value)),
            _ => {}
        }
    }
}

/// Whoever a name leads to bears it, and whatever name somebody bears leads to them; nobody is without their secrets.
fn whole(items: &Items) {
    let user = |id: &str, part: &str| items.get(&format!("U#{id:0>16} / {part}"));
    for (key, fields) in items {
        if let Some(holder) = fields.get("holder") {
            let profile = user(holder.as_str().unwrap(), "PROFILE").unwrap_or_else(|| panic!("{key} leads nowhere"));
            let (kind, name) = key.strip_suffix(" / -").unwrap().split_once('#').unwrap();
            match kind {
                "PHONE" => assert_eq!(borne(profile, "phone").as_deref(), Some(name), "{key}"),
                "EMAIL" => assert_eq!(borne(profile, "email").as_deref(), Some(name), "{key}"),
                "NAME" => assert_eq!(borne(profile, "username").as_deref(), Some(name), "{key}"),
                "OPENID" | "DEVICE" | "REVIEW" => {}
                _ => panic!("{key} is no name that is known here"),
            }
        }
        if let Some(id) = key.strip_prefix("U#").and_then(|key| key.strip_suffix(" / PROFILE")) {
            assert!(user(id, "AUTH").is_some(), "{key} has no secrets");
            for (kind, field) in [("PHONE", "phone"), ("EMAIL", "email")] {
                if let Some(name) = borne(fields, field) {
                    let holder = items.get(&format!("{kind}#{name} / -")).map(|found| &found["holder"]);
                    assert_eq!(holder, Some(&fields["id"]), "{key}: {name} leads elsewhere");
                }
            }
        }
    }
}

/// A name as keys spell it.
fn borne(profile: &BTreeMap<String, Value>, field: &str) -> Option<String> {
    let name = profile.get(field)?;
    Some(match name {
        Value::Object(phone) => ["country", "number"].map(|part| phone[part].as_str().unwrap()).join("-"),
        name => name.as_str().unwrap().to_owned(),
    })
}

/// What must not be half there: all but what is counted before a thing is done, codes and guesses and numbers drawn,
/// what only says that files and devices may be a user's, and files that nothing uses, which end by themselves.
fn lasting(items: &Items) -> Items {
    const COUNTED: [&str; 5] = ["SMS#", "SMSSOURCE#", "SMSDAY#", "GUESS#", "L#articles / TOP"];
    let mut items = items.clone();
    items.retain(|key, _| !COUNTED.iter().any(|kind| key.starts_with(kind)));
    items.retain(|key, _| !["MEDIA", "DEVICE"].iter().any(|kind| key.contains(&format!(" / {kind}#"))));
    items.retain(|key, fields| !(key.starts_with("M#") && fields.contains_key("expires_at")));
    items.values_mut().for_each(|fields| fields.retain(|name, _| !["guesses", "wrong"].contains(&name.as_str())));
    items
}

fn json(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.clone().into(),
        AttributeValue::Ss(texts) => {
            let mut texts = texts.clone();
            texts.sort();
            texts.into()
        }
        AttributeValue::Bool(truth) => (*truth).into(),
        AttributeValue::L(list) => list.iter().map(json).collect(),
        AttributeValue::M(map) => map.iter().map(|(name, value)| (name.clone(), json(value))).collect(),
        other => format!("{other:?}").into(),
    }
}

/// Each is named by its operation, whose special cases have more words.
macro_rules! deeds {
    ($($name:ident: $deed:ty;)*) => {
        pub const DEEDS: &[&str] = &[$(stringify!($name)),*];

        $(mod $name {
            use super::*;
            use crate::faults;

            #[tokio::test]
            async fn once() {
                faults::each::<$deed>(faults::once::<$deed>, 1).await;
            }

            #[tokio::test]
            async fn for_long() {
                faults::each::<$deed>(faults::for_long::<$deed>, faults::MANY).await;
            }

            #[tokio::test]
            async fn frozen() {
                faults::frozen::<$deed>().await;
            }

            #[tokio::test]
            async fn by_another_clock() {
                faults::by_another_clock::<$deed>().await;
            }
        })*
    };
}
pub(crate) use deeds;

deeds! {
    send_sms_code: SendCode;
    user_register: Register;
    account_login: LogIn;
    account_login_with_a_wrong_password: Guess;
    account_login_by_a_third_party: ThirdParty;
    user_update_info: Update;
    user_update_info_e_mail: Email;
    user_update_info_phone: ProvedPhone;
    user_update_info_claimed_phone: ClaimedPhone;
    user_update_avator: Avatar;
    login: Enter;
    entry_logout: Leave;
    user_update_user_info: Rename;
    user_update_user_profile_picture: ProfilePicture;
}

struct SendCode;

impl Deed for SendCode {
    /// One code a minute, whether it arrived or not.
    const DONE_BEFORE: Option<&str> = Some("429");
    const ENDS: bool = true;
    const ONCE_ONLY: Option<(&str, Fault)> = Some(("POST", Fault::AnswerLost));

    async fn prepare(_: &Test) -> Self {
        Self
    }
    async fn act(&self, test: &Test) -> Answer {
        test.json("/send_sms_code", json!({"phone": PHONE})).await
    }
    async fn shows(&self, test: &Test) {
        test.wait(PAUSE);
        test.user(PHONE).await;
    }
}

struct Register {
    code: String,
}

impl Deed for Register {
    /// The code was used up.
    const DONE_BEFORE: Option<&str> = Some("3200");

    async fn prepare(test: &Test) -> Self {
        Self { code: test.code(PHONE).await }
    }
    async fn act(&self, test: &Test) -> Answer {
        let body = json!({"phone": PHONE, "password": "abcd1234", "verifycode": self.code});
        test.json("/user/register", body).await
    }
    async fn shows(&self, test: &Test) {
        test.token(PHONE).await;
    }
}

struct LogIn;

impl Deed for LogIn {
    async fn prepare(test: &Test) -> Self {
        user(test).await;
        test.log_in(PHONE, "wrong1").await.refused(200, 3100);
        Self
    }
    async fn act(&self, test: &Test) -> Answer {
        test.log_in(PHONE, "abcd1234").await
    }
    async fn shows(&self, test: &Test) {
        assert_eq!(guesses(test).await, 0, "whoever knows the password made no guess");
    }
}

/// At an account that nobody has: counted like any other.
struct Guess;

impl Deed for Guess {
    async fn prepare(_: &Test) -> Self {
        Self
    }
    async fn act(&self, test: &Test) -> Answer {
        test.log_in("nobody", "abcd1234").await
    }
    async fn shows(&self, test: &Test) {
        assert!((1..=2).contains(&guesses(test).await), "one for each time that it was done");
    }
}

async fn guesses(test: &Test) -> usize {
    let items = items(test).await;
    items.values().filter_map(|fields| fields.get("guesses")?.as_array()).map(Vec::len).sum()
}

struct ThirdParty;

impl Deed for ThirdParty {
    /// Let in, but no longer as a new user.
    const DONE_BEFORE: Option<&str> = Some("1000");

    async fn prepare(_: &Test) -> Self {
        Self
    }
    async fn act(&self, test: &Test) -> Answer {
        test.json("/user/login", json!({"user_type": "3", "openid": "o6_bmjrPTlm6_2sgVt7hMZOPfL2M", "token": "t"}))
            .await
    }
    async fn shows(&self, test: &Test) {
        let again = self.act(test).await;
        assert_eq!(again.body["data"]["user_info"]["is_new_user"], 0, "{again:?}");
    }
}

/// Plain attributes.
struct Update {
    token: String,
}

impl Deed for Update {
    async fn prepare(test: &Test) -> Self {
        Self { token: user(test).await }
    }
    async fn act(&self, test: &Test) -> Answer {
        let body = json!({"name": "felix", "gender": "1", "desc": "hi", "job_status": 1});
        test.json_as(&self.token, "/user/update_info", body).await
    }
    async fn shows(&self, test: &Test) {
        let answer = test.json_as(&self.token, "/user/update_info", json!({})).await;
        assert_eq!(answer.body["data"]["name"], "felix");
    }
}

/// In place of another.
struct Email {
    token: String,
}

impl Deed for Email {
    async fn prepare(test: &Test) -> Self {
        let token = user(test).await;
        let answer = test.json_as(&token, "/user/update_info", json!({"email": "old@example.com"})).await;
        assert_eq!(answer.code(), "000000", "{answer:?}");
        Self { token }
    }
    async fn act(&self, test: &Test) -> Answer {
        let body = json!({"email": "new@example.com", "name": "felix"});
        test.json_as(&self.token, "/user/update_info", body).await
    }
    async fn shows(&self, test: &Test) {
        test.token("new@example.com").await;
    }
}

/// In place of another.
struct ProvedPhone {
    token: String,
    code: String,
}

impl Deed for ProvedPhone {
    /// The code was used up.
    const DONE_BEFORE: Option<&str> = Some("3200");

    async fn prepare(test: &Test) -> Self {
        Self { token: user(test).await, code: test.code(NEW_PHONE).await }
    }
    async fn act(&self, test: &Test) -> Answer {
        let body = json!({"phone": NEW_PHONE, "verifycode": self.code, "name": "felix"});
        test.json_as(&self.token, "/user/update_info", body).await
    }
    async fn shows(&self, test: &Test) {
        test.token(NEW_PHONE).await;
    }
}

struct ClaimedPhone {
    token: String,
}

impl Deed for ClaimedPhone {
    async fn prepare(test: &Test) -> Self {
        Self { token: user(test).await }
    }
    async fn act(&self, test: &Test) -> Answer {
        test.json_as(&self.token, "/user/update_info", json!({"phone": NEW_PHONE})).await
    }
    async fn shows(&self, test: &Test) {
        let answer = test.json_as(&self.token, "/user/update_info", json!({})).await;
        assert_eq!(answer.body["data"]["phone"], NEW_PHONE);
        test.token(PHONE).await;
    }
}

/// In place of another.
struct Avatar {
    token: String,
}

impl Deed for Avatar {
    async fn prepare(test: &Test) -> Self {
        let avatar = Self { token: user(test).await };
        assert_eq!(avatar.act(test).await.code(), "000000");
        avatar
    }
    async fn act(&self, test: &Test) -> Answer {
        test.upload(&self.token, "/user/update_avator", &[], ("image", &picture(96, 64))).await
    }
    async fn shows(&self, test: &Test) {
        let answer = test.json_as(&self.token, "/user/update_info", json!({})).await;
        for size in ["avator", "large_avator"] {
            let (status, _, bytes) = test.fetch(answer.body["data"][size].as_str().unwrap()).await;
            assert_eq!(status, 200);
            image::load_from_memory(&bytes).unwrap();
        }
    }
}

/// By document E, as [`LogIn`] is.
struct Enter;

impl Deed for Enter {
    async fn prepare(test: &Test) -> Self {
        LogIn::prepare(test).await;
        Self
    }
    async fn act(&self, test: &Test) -> Answer {
        // MD5 of `abcd1234`.
        test.json("/login", json!({"username": PHONE, "password": "e19d5cd5af0378da05f63f891c7467af"})).await
    }
    async fn shows(&self, test: &Test) {
        LogIn.shows(test).await;
    }
}

/// As the holder of a token, by document E.
async fn as_entered(test: &Test, token: &str, method: Method, path: &str, body: Value) -> Answer {
    let request = Request::builder().method(method).header("authorization", token);
    test.send(request.header("content-type", "application/json"), path, body.to_string()).await
}

struct Leave {
    token: String,
}

impl Deed for Leave {
    /// The token has ended.
    const DONE_BEFORE: Option<&str> = Some("401");
    const PASSED_OVER: usize = 1;

    async fn prepare(test: &Test) -> Self {
        Self { token: user(test).await }
    }
    async fn act(&self, test: &Test) -> Answer {
        as_entered(test, &self.token, Method::POST, "/user/logout", json!({})).await
    }
    async fn shows(&self, test: &Test) {
        test.json_as(&self.token, "/user/update_info", json!({})).await.refused(401, 401);
    }
}

struct Rename {
    token: String,
}

impl Deed for Rename {
    const PASSED_OVER: usize = 1;

    async fn prepare(test: &Test) -> Self {
        Self { token: user(test).await }
    }
    async fn act(&self, test: &Test) -> Answer {
        as_entered(test, &self.token, Method::PUT, "/user/update_user_info", json!({"nickname": "felix"})).await
    }
    async fn shows(&self, test: &Test) {
        let shown = as_entered(test, &self.token, Method::GET, "/user/get_user_info", json!({})).await;
        assert_eq!(shown.body["result"]["nickname"], "felix");
    }
}

/// In place of another.
struct ProfilePicture {
    token: String,
}

impl Deed for ProfilePicture {
    const PASSED_OVER: usize = 1;

    async fn prepare(test: &Test) -> Self {
        let Avatar { token } = Avatar::prepare(test).await;
        Self { token }
    }
    async fn act(&self, test: &Test) -> Answer {
        let (content_type, body) = multipart(&[], Some(("file", &picture(96, 64))));
        let request = Request::builder().method(Method::PUT).header("authorization", &self.token);
        test.send(request.header("content-type", content_type), "/user/update_user_profile_picture", body).await
    }
    async fn shows(&self, test: &Test) {
        let shown = as_entered(test, &self.token, Method::GET, "/user/get_user_info", json!({})).await;
        let (status, _, bytes) = test.fetch(shown.body["result"]["profile_picture"].as_str().unwrap()).await;
        assert_eq!(status, 200);
        image::load_from_memory(&bytes).unwrap();
    }
}

/// What becomes of a session during an outage: that somebody is signed in, or not, is never made up.
#[tokio::test]
async fn a_session_that_cannot_be_checked_is_neither_good_nor_bad() {
    let test = test().await;
    let token = user(&test).await;
    test.line.spoil("BatchGetItem", [Fault::Broken; MANY]);
    test.json_as(&token, "/user/update_info", json!({"name": "felix"})).await.refused(503, 503);
    test.line.mend();
    let answer = test.json_as(&token, "/user/update_info", json!({})).await;
    assert_ne!(answer.body["data"]["name"], "felix");
}

/// The fault itself, as the SDK sees it: what is given back is not done, the rest is.
#[tokio::test]
async fn half_of_a_batch_is_given_back() {
    let test = test().await;
    let through =
        aws_sdk_dynamodb::Client::from_conf(test.table().config().to_builder().http_client(test.line.clone()).build());
    let key = |number: usize| {
        HashMap::from(
            [("pk", "BATCH".to_owned()), ("sk", number.to_string())]
                .map(|(name, value)| (name.to_owned(), AttributeValue::S(value))),
        )
    };
    let mut left: Vec<_> = (0..5)
        .map(|number| {
            let put = PutRequest::builder().set_item(Some(key(number))).build().unwrap();
            WriteRequest::builder().put_request(put).build()
        })
        .collect();
    test.line.spoil("BatchWriteItem", [Fault::Unprocessed; 3]);
    for (given_back, there) in [(3, 2), (2, 3), (1, 4), (0, 5)] {
        let written = through.batch_write_item().request_items("plaza", left).send().await.unwrap();
        left = written.unprocessed_items.unwrap_or_default().remove("plaza").unwrap_or_default();
        assert_eq!((left.len(), test.items().await.len()), (given_back, there));
    }

    let mut left: Vec<_> = (0..5).map(key).collect();
    test.line.spoil("BatchGetItem", [Fault::Unprocessed; 3]);
    for (given_back, found) in [(3, 2), (2, 1), (1, 1), (0, 1)] {
        let keys = KeysAndAttributes::builder().set_keys(Some(left)).consistent_read(true).build().unwrap();
        let read = through.batch_get_item().request_items("plaza", keys).send().await.unwrap();
        assert_eq!(read.responses.unwrap_or_default().remove("plaza").unwrap_or_default().len(), found);
        let rest = read.unprocessed_keys.unwrap_or_default().remove("plaza");
        assert!(rest.as_ref().is_none_or(|rest| rest.consistent_read == Some(true)));
        left = rest.map(|rest| rest.keys).unwrap_or_default();
        assert_eq!(left.len(), given_back);
    }
}
