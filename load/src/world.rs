//! Everything that a trial runs in: the engines, the model before them, functions as Lambda runs them, and people.
use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use axum::{Router, body::Body};
use fanout::Queued;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use local::{
    Options, Plaza,
    model::{Limits, Model},
};
use serde_json::{Value, json};
use shared::{
    App,
    domain::{EntryId, Followee, Millis, UserId},
    function,
    outside::aws,
    store::{
        LoggedIn, Profile,
        keys::{self, Key, StreamChange},
    },
    wire::operation,
};
use tokio::{
    sync::mpsc,
    task::{JoinSet, spawn_blocking},
};
use tower_service::Service as _;

use crate::Args;

pub type Result<T> = std::result::Result<T, String>;

/// How often Lambda looks at a stream's shard.
const LOOKS: Duration = Duration::from_millis(250);
/// Shards of a new table's stream, one for each of its partitions, and functions a shard, as in template.yaml.
const LANES: usize = 4 * 10;
/// Records, and messages, that a function is sent at a time, and functions at the queue: as in template.yaml.
const RECORDS: usize = 100;
const AT_QUEUE: usize = 10;
const HIDDEN: Millis = 180_000;

/// One instance of the functions, which does one thing at a time and remembers what it has met.
struct Instance {
    user: Router,
    article: Router,
}

pub struct World {
    plaza: Plaza,
    pub model: Model,
    instances: Arc<Instances>,
    slow: u32,
    delivering: Mutex<JoinSet<()>>,
}

/// Those that have nothing to do, and what makes more.
struct Instances {
    idle: Mutex<Vec<Instance>>,
    made: Mutex<usize>,
    environment: HashMap<&'static str, String>,
    http: SharedHttpClient,
}

/// A signed-in user.
#[derive(Clone)]
pub struct Person {
    pub id: UserId,
    token: String,
}

/// How a request went.
pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
    pub took: Duration,
}

impl World {
    pub fn new(args: &Args) -> Self {
        let limits = Limits { table_writes: args.writes.into(), ..Limits::NEW_TABLE };
        let model = Model::new(limits.slowed(args.slow));
        let options = Options {
            data: None,
            engine_ports: None,
            system: function::system(),
            // What the trials look at, they look at past the model.
            http: aws::http_client(),
            variables: vec![],
        };
        let plaza = Plaza::start(options, |_, _| ()).unwrap_or_else(|error| panic!("{error}"));
        let environment = plaza.environment.clone().into_iter().collect();
        let http = model.client(aws::http_client());
        let (idle, made) = (Mutex::default(), Mutex::default());
        let instances = Arc::new(Instances { idle, made, environment, http });
        Self { plaza, model, instances, slow: args.slow, delivering: Mutex::default() }
    }

    pub async fn stop(self) {
        lock(&self.delivering).abort_all();
        self.plaza.engines.stop().await;
    }

    /// The store, past the model.
    pub fn app(&self) -> &Arc<App> {
        &self.plaza.app
    }

    /// So much of the model's time is so much of the machine's.
    pub fn real(&self, time: Duration) -> Duration {
        time * self.slow
    }

    /// And the other way.
    pub fn modelled(&self, time: Duration) -> Duration {
        time / self.slow
    }

    /// Instances that it took so far.
    pub fn instances(&self) -> usize {
        *lock(&self.instances.made)
    }

    /// A request to a function, past API Gateway.
    pub async fn call(&self, path: &str, by: &Person, mut body: Value) -> Answer {
        body["token"] = by.token.clone().into();
        let request = Request::post(path).header("content-type", "application/json").body(Body::from(body.to_string()));
        let asked = Instant::now();
        let mut instance = self.instances.take();
        let router = if path.starts_with("/user") { &mut instance.user } else { &mut instance.article };
        let Ok(response) = router.call(request.expect("a request")).await;
        let status = response.status();
        let body = response.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        lock(&self.instances.idle).push(instance);
        let body = serde_json::from_slice(&body).unwrap_or_default();
        Answer { status, body, took: self.modelled(asked.elapsed()) }
    }

    /// New users, with the ids from `first` on.
    pub async fn people(&self, first: u64, count: u64) -> Result<Vec<Person>> {
        let people: Vec<_> = (first..first + count).map(UserId).collect();
        let items = people.iter().flat_map(|id| {
            let nickname = format!("person {}", id.0);
            let profile = json!({"id": id, "created_at": 1_800_000_000_000_u64, "nickname": nickname, "job_status": 0, "profit": 0});
            [(keys::profile(*id), profile), (keys::auth(*id), json!({"epoch": 0, "locked": false}))]
        });
        self.put(items).await?;
        let person = |id: UserId| {
            let profile = json!({"id": id, "created_at": 0, "nickname": "", "job_status": 0, "profit": 0});
            let profile: Profile = serde_json::from_value(profile).map_err(|error| error.to_string())?;
            let token = self.app().new_token(&LoggedIn::for_the_first_time(profile));
            Ok(Person { id, token: token.map_err(|refusal| refusal.to_string())?.0 })
        };
        people.into_iter().map(person).collect()
    }

    /// What is there when people have followed somebody and that was followed up. `beside`: they read the list of whom
    /// many follow; `whole`: with what stands on the follower's side.
    pub async fn followers(&self, of: UserId, followers: impl Iterator<Item = (UserId, bool, bool)>) -> Result<u64> {
        let (followee, mut count) = (Followee::User(of), 0);
        let items = followers.inspect(|_| count += 1).flat_map(|(user, beside, whole)| {
            let place = EntryId(user.0);
            let named = json!({"followee": followee});
            let mut items = vec![(keys::follower(followee, place), json!({"user": user}))];
            if whole {
                items.push((keys::follows(user, followee), json!({"followee": followee, "place": place})));
                items.push((keys::following(user, followee, place), named.clone()));
            }
            match beside {
                true if whole => items.push((keys::always_beside(user, followee), named)),
                true => {}
                false => items.push((keys::ahead(followee, user), json!({"user": user, "for_good": true}))),
            }
            items
        });
        self.put(items).await?;
        self.put([(keys::counts(of), json!({"followers": count}))].into_iter()).await?;
        Ok(count)
    }

    async fn put(&self, items: impl Iterator<Item = (Key, Value)>) -> Result<()> {
        const AT_ONCE: usize = 2_000;
        let write = |(key, value): (Key, Value)| {
            let item: HashMap<_, _> = serde_dynamo::to_item(value).map_err(|error| error.to_string())?;
            let item = item.into_iter().chain(HashMap::from(key)).collect();
            let put = PutRequest::builder().set_item(Some(item)).build().map_err(|error| error.to_string())?;
            Ok(WriteRequest::builder().put_request(put).build())
        };
        let mut items = items.map(write).peekable();
        while items.peek().is_some() {
            let some = items.by_ref().take(AT_ONCE).collect::<Result<_>>()?;
            self.app().store.write_all(some).await.map_err(|refusal| refusal.to_string())?;
        }
        Ok(())
    }

    /// From now on `fanout` is told what happens. What was put before is not told.
    pub async fn deliver(&self) -> Result<()> {
        let stream = self.plaza.engines.stream.clone();
        spawn_blocking(move || stream.trim(i64::MAX as usize)).await.map_err(|error| error.to_string())??;
        let mut delivering = lock(&self.delivering);
        let mut lanes = vec![];
        for _ in 0..LANES {
            let (lane, records) = mpsc::unbounded_channel();
            lanes.push(lane);
            delivering.spawn(follow_up(self.instances.app(), records));
        }
        let (stream, looks) = (self.plaza.engines.stream.clone(), self.real(LOOKS));
        delivering.spawn(async move {
            let hash = RandomState::new();
            loop {
                tokio::time::sleep(looks).await;
                let stream = stream.clone();
                let read = move || {
                    let records = stream.oldest()?;
                    stream.trim(records.len()).map(|()| records)
                };
                let Ok(Ok(records)) = spawn_blocking(read).await else { continue };
                for record in records {
                    let Some(key) = told(&record) else { continue };
                    // In their order, what comes and goes as one item.
                    let _ = lanes[hash.hash_one(&key) as usize % LANES].send(record);
                }
            }
        });
        for _ in 0..AT_QUEUE {
            delivering.spawn(do_tasks(self.instances.app(), self.plaza.engines.tasks.clone()));
        }
        Ok(())
    }

    /// When all of these are in the table; `None` where they are not in time. It looks on past the model.
    pub async fn appear(&self, keys: impl IntoIterator<Item = Key>, patience: Duration) -> Option<Instant> {
        const EACH: Duration = Duration::from_millis(20);
        let (mut missing, begun): (HashSet<_>, _) = (keys.into_iter().collect(), Instant::now());
        loop {
            let found = self.app().store.get_each::<_, Value>(0..missing.len(), {
                let keys: Vec<_> = missing.iter().cloned().collect();
                move |at| keys[at].clone()
            });
            let now = Instant::now();
            let found: Vec<_> = found.await.unwrap_or_default().into_values().filter_map(|item| named(&item)).collect();
            missing.retain(|key| !found.contains(key));
            if missing.is_empty() {
                return Some(now);
            }
            if begun.elapsed() > self.real(patience) {
                return None;
            }
            tokio::time::sleep(EACH).await;
        }
    }
}

fn named(item: &Value) -> Option<Key> {
    Some(Key { pk: item["pk"].as_str()?.into(), sk: item["sk"].as_str()?.into() })
}

/// The key of a record that `fanout` wants to know of: as template.yaml's filter.
fn told(record: &Value) -> Option<Key> {
    let text = |name| Some(record["dynamodb"]["Keys"][name]["S"].as_str()?.to_owned());
    let key = Key { pk: text("pk")?, sk: text("sk")? };
    (record["eventName"] != "MODIFY" && StreamChange::of(&key).is_some()).then_some(key)
}

async fn follow_up(app: Arc<App>, mut records: mpsc::UnboundedReceiver<Value>) {
    let mut waiting = vec![];
    while waiting.len() + records.recv_many(&mut waiting, RECORDS).await > 0 {
        let event = serde_json::from_value(json!({ "Records": waiting })).unwrap_or_default();
        let failures = fanout::handle_changes(&app, event, Millis::MAX).await.batch_item_failures;
        let failed = failures.first().and_then(|failure| failure.item_identifier.clone());
        let at = failed.and_then(|number| {
            waiting.iter().position(|record| record["dynamodb"]["SequenceNumber"] == number.as_str())
        });
        waiting.drain(..at.unwrap_or(waiting.len()));
        if at.is_some() {
            tokio::time::sleep(LOOKS).await;
        }
    }
}

async fn do_tasks(app: Arc<App>, queue: local::engines::Queue) {
    loop {
        let now = app.system.now();
        let taken = queue.take(1, now, now + HIDDEN).unwrap_or_default();
        let Some(message) = taken.into_iter().next() else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let queued = Queued { message_id: message.id.to_string(), body: message.body };
        if fanout::handle_tasks(&app, vec![queued]).await.batch_item_failures.is_empty() {
            let _ = queue.done(message.id);
        }
    }
}

impl Instances {
    fn app(&self) -> Arc<App> {
        let environment = self.environment.clone();
        let variable = Box::new(move |name: &str| environment.get(name).cloned());
        App::new(variable, function::system(), self.http.clone()).unwrap_or_else(|error| panic!("{error}"))
    }

    /// One that is idle, the last one that was at work first; or else a new one.
    fn take(&self) -> Instance {
        if let Some(instance) = lock(&self.idle).pop() {
            return instance;
        }
        *lock(&self.made) += 1;
        let app = self.app();
        Instance {
            user: operation::router(user::operations, app.clone()),
            article: operation::router(article::operations, app),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
