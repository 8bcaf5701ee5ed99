//! All functions in one process, on stand-ins for what they use of AWS. Only this crate knows them all.
pub mod containers;
pub mod desk;
pub mod docs;
pub mod engines;
pub mod events;
mod guard;
pub mod meter;
pub mod model;
pub mod sample;
pub mod stream;
pub mod template;

use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use axum::{
    Json, Router,
    extract::{ConnectInfo, DefaultBodyLimit, Query, Request, State},
    http::{Method, StatusCode},
    middleware::{Next, from_fn},
    response::{IntoResponse as _, Response},
    routing::{get, on, post},
};
use bytes::Bytes;
use lambda_http::Service as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::{
    App,
    domain::{Millis, Phone, Source, System, hex},
    wire::{
        operation::{self, Listed},
        reference::Reference,
    },
};

use tower_http::cors::{AllowHeaders, Any, CorsLayer};

use desk::{Desk, Shown};
use engines::{EngineError, Engines, SmsInbox};
use stream::Delivery;
use template::Template;

/// The functions that serve HTTP: all that must be said here of a new one.
macro_rules! functions {
    ($($name:ident)*) => {
        /// What each function serves.
        pub fn functions() -> Vec<(&'static str, Vec<Listed>)> {
            vec![$((stringify!($name), $name::operations(vec![]))),*]
        }

        fn every(reference: Reference) -> Reference {
            $(let reference = $name::operations(reference.of_function(stringify!($name)));)*
            reference
        }

        fn routers(app: &Arc<App>) -> BTreeMap<&'static str, Router> {
            [$((stringify!($name), acting(stringify!($name), operation::router($name::operations, app.clone())))),*].into()
        }
    };
}

functions! { account article common design_circle entry gallery game master member merchant message order ticket user }

/// The functions that nobody calls over HTTP, each with the name of a sample event.
pub const BY_EVENT: [(&str, &str); 7] = [
    ("fanout", "article_published"),
    ("fanout", "tasks"),
    ("media", "object_created"),
    ("catalogue", "import"),
    ("catalogue", "sample"),
    ("payments", "every_minute"),
    ("leaving", "every_minute"),
];

tokio::task_local! {
    /// The function that is at work in this task: what it may do, its policies in the template say.
    pub static ACTING: &'static str;
}

/// A function's operations, at work under its name.
fn acting(function: &'static str, operations: Router) -> Router {
    operations.layer(from_fn(move |request: Request, next: Next| ACTING.scope(function, next.run(request))))
}

const TEMPLATE: &str = include_str!("../../template.yaml");
const TABLE: &str = "plaza";
const BUCKET: &str = "plaza-media";
/// What Lambda takes of who waits for the answer.
const LARGEST_EVENT: usize = 6 << 20;
const CORS_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// What to start.
pub struct Options {
    /// The folder that keeps the data; none, and all is gone in the end.
    pub data: Option<PathBuf>,
    /// The first of four ports in a row for DynamoDB, S3, SNS and SQS; none, and free ones are taken.
    pub engine_ports: Option<u16>,
    pub system: System,
    pub http: SharedHttpClient,
    /// Variables in place of the usual ones.
    pub variables: Vec<(&'static str, String)>,
}

/// Everything, running.
pub struct Plaza {
    pub app: Arc<App>,
    pub engines: Engines,
    /// Where the routes of `template.yaml` lead, and the reference.
    pub router: Router,
    /// Brings the table's stream and the queue to `fanout`, when somebody runs it.
    pub stream: Arc<Delivery>,
    /// What has happened so far.
    pub desk: Arc<Desk>,
    /// What a function finds in its environment here.
    pub environment: BTreeMap<&'static str, String>,
}

/// Why it did not start; the message says what to mend.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Template(#[from] template::TemplateError),
    #[error("{0}")]
    Environment(String),
    #[error("cannot write to {path}: {source}; choose another data folder with DATA_DIR=<folder>")]
    Folder { path: PathBuf, source: io::Error },
    #[error("template.yaml: no function with `Binary: fanout`, a DynamoDB event and an SQS event")]
    NoFanout,
    #[error("template.yaml routes {0}, which no function here serves")]
    NotServed(String),
    #[error("the sample data: {0}")]
    Sample(String),
}

impl Plaza {
    /// Starts the engines and mounts the functions. Codes that are sent by SMS are told to `on_message`.
    pub fn start(
        options: Options,
        on_message: impl Fn(&str, &str) + Send + Sync + 'static,
    ) -> Result<Self, StartError> {
        let template = Template::parse(TEMPLATE)?;
        let data = options.data.clone();
        let config = engines::Config {
            data: options.data,
            ports: options.engine_ports,
            template: &template,
            bucket: BUCKET,
            table: TABLE,
        };
        let engines = Engines::start(config, on_message)?;
        // The engines have locked the folder.
        let token_key = data.map(|data| token_key(&data, &options.system)).transpose()?;
        let text = |text: &str| text.to_owned();
        let mut environment = BTreeMap::from([
            ("AWS_REGION", text("eu-west-1")),
            ("AWS_ACCESS_KEY_ID", text(engines::ACCESS_KEY)),
            ("AWS_SECRET_ACCESS_KEY", text(engines::SECRET_KEY)),
            ("AWS_ENDPOINT_URL_DYNAMODB", engines.dynamodb.clone()),
            ("AWS_ENDPOINT_URL_S3", engines.s3.clone()),
            ("AWS_ENDPOINT_URL_SNS", engines.sns.clone()),
            ("AWS_ENDPOINT_URL_SQS", engines.sqs.clone()),
            ("TASKS", format!("{}/000000000000/tasks", engines.sqs)),
            ("TABLE", text(TABLE)),
            ("MEDIA_BUCKET", text(BUCKET)),
            ("MEDIA_BASE_URL", format!("{}/{BUCKET}/media", engines.s3)),
            ("JWT_KEY", token_key.unwrap_or(text("a key that lives as long as one test does"))),
            // Signs the tokens of the sample events.
            ("IM_KEY", text("a key that the messaging service would know as well")),
            ("JWT_KEYS_ACCEPTED", text(shared::domain::token::DEVELOPMENT_KEY)),
            ("SMS_COUNTRIES", text("*")),
            ("SMS_PER_DAY", text("100000")),
            ("STAGE", text("local")),
            ("PAYMENT_PROVIDER", text("sandbox")),
            ("SMS_PER_SOURCE_HOUR", text("1000")),
            ("UPLOADS_PER_DAY", text("500")),
            ("UPLOAD_MIB_PER_DAY", text("2048")),
        ]);
        environment.extend(options.variables);
        let desk = Arc::new(Desk::new(options.system.clone()));
        let app = app(&environment, options.system, meter::client(options.http))?;
        let (sms, items) = (engines.sms.clone(), engines.items.clone());
        let shown = Shown { desk: desk.clone(), sms, items, media: environment["MEDIA_BASE_URL"].clone() };
        let router = router(&template, &app, shown)?;
        let sources = (template.stream_of("fanout"), template.queue_of("fanout"));
        let (Some(stream), Some(queue)) = sources else { return Err(StartError::NoFanout) };
        let stream = Arc::new(Delivery::new(app.clone(), desk.clone(), &engines, stream.clone(), queue.clone()));
        let checking = (app.clone(), desk.clone());
        engines.deliver_uploads(move |event| {
            let (app, desk) = checking.clone();
            async move {
                let checked = desk.event("media", "an upload".into(), media::handle(&app, event)).await;
                checked.map_err(|failed| failed.to_string())
            }
        });
        Ok(Self { app, engines, router, stream, desk, environment })
    }

    /// Delivers all that the table's stream and the queue hold; the error tells of what goes on failing.
    pub async fn deliver(&self) -> Result<(), String> {
        self.stream.finish().await
    }

    /// The environment as `sam local invoke --env-vars` reads it.
    pub fn sam_environment(&self) -> Value {
        json!({ "Parameters": self.environment })
    }
}

/// What the functions use, in this environment.
fn app(
    environment: &BTreeMap<&'static str, String>,
    system: System,
    http: SharedHttpClient,
) -> Result<Arc<App>, StartError> {
    let environment = environment.clone();
    let variable = Box::new(move |name: &str| environment.get(name).cloned());
    App::new(variable, system, http).map_err(StartError::Environment)
}

/// The key that signs this folder's tokens: made once, so that they outlive a restart.
fn token_key(data: &Path, system: &System) -> Result<String, StartError> {
    let path = data.join("token.key");
    let folder = |source| StartError::Folder { path: path.clone(), source };
    match fs::read_to_string(&path) {
        Ok(key) => Ok(key),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let (key, new) = (hex(&system.random::<32>()), path.with_extension("new"));
            // Whole or not at all.
            write_private(&new, &key).and_then(|()| fs::rename(new, &path)).map_err(folder)?;
            Ok(key)
        }
        Err(error) => Err(folder(error)),
    }
}

/// Writes a file that only its owner can read.
pub fn write_private(path: &Path, text: &str) -> io::Result<()> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?.write_all(text.as_bytes())
}

/// The OpenAPI 3.1 document of all operations.
pub fn openapi() -> Value {
    let examples = functions().into_iter().flat_map(|(function, operations)| {
        operations.into_iter().filter_map(move |Listed { name, .. }| {
            let event = events::load(&events::path(function, &name)).ok()?;
            Some((name, events::example(&event)))
        })
    });
    every(Reference::new(examples.collect())).document()
}

/// The functions' own routers, by the template's routes; beside them what API Gateway adds, the reference and the desk.
fn router(template: &Template, app: &Arc<App>, shown: Shown) -> Result<Router, StartError> {
    let functions = routers(app);
    let listed = self::functions().into_iter().flat_map(|(_, listed)| listed);
    let names: HashMap<_, _> = listed.map(|listed| ((listed.method, listed.path), listed.name)).collect();
    let desk = shown.desk.clone();
    let mut router = Router::new();
    for (function, route) in template.routes() {
        let not_served = || StartError::NotServed(format!("{} {} to {}", route.method, route.path, function.binary));
        let serving = functions.get(function.binary.as_str()).ok_or_else(not_served)?.clone();
        let method = Method::from_bytes(route.method.as_bytes()).map_err(|_| not_served())?;
        let name: Arc<str> = names.get(&(method.clone(), &*route.path)).ok_or_else(not_served)?.as_str().into();
        let desk = desk.clone();
        let noted = move |request: Request| {
            let (desk, name, mut serving) = (desk.clone(), name.clone(), serving.clone());
            async move {
                let what = desk::what(&request);
                let served = async { serving.call(request).await.into_response() };
                desk.request(&name, what, served).await
            }
        };
        router = router.route(&route.path, on(method.try_into().map_err(|_| not_served())?, noted));
    }
    let unknown = move |request: Request| {
        let desk = desk.clone();
        async move {
            let what = desk::what(&request);
            desk.request("", what, operation::unknown(request.into_parts().0.headers)).await
        }
    };
    // As `CorsConfiguration` has it.
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods(Any)
        .allow_headers(AllowHeaders::mirror_request())
        .max_age(CORS_AGE);
    // What tells of everybody, as no deployed stage does.
    let local = Router::new()
        .route("/sms", get(last_code).with_state(shown.sms.clone()))
        .route(
            "/catalog",
            post(import).with_state((app.clone(), shown.desk.clone())).layer(DefaultBodyLimit::max(LARGEST_EVENT)),
        )
        .nest("/desk", desk::calls(shown.clone()))
        .fallback(operation::unknown)
        .method_not_allowed_fallback(operation::unknown)
        .layer(from_fn(guard::own_host_and_origin));
    Ok(router
        .merge(docs::routes(openapi))
        .merge(desk::page(&shown.media))
        .fallback(unknown.clone())
        .method_not_allowed_fallback(unknown)
        .layer(cors)
        .layer(from_fn(guard::own_host))
        .layer(from_fn(peer))
        .nest("/_local", local))
}

/// Tells where a request came from, as API Gateway does: from whoever listens with `ConnectInfo`.
async fn peer(mut request: Request, next: Next) -> Response {
    if let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() {
        let source = Source::from(peer.ip());
        request.extensions_mut().insert(source);
    }
    next.run(request).await
}

/// `POST /_local/catalog`: runs the catalogue function on the JSON that it is sent.
async fn import(
    State((app, desk)): State<(Arc<App>, Arc<Desk>)>,
    event: Bytes,
) -> Result<Json<catalogue::Answer>, (StatusCode, Json<Value>)> {
    match serde_json::from_slice(&event) {
        Ok(event) => {
            let imported = catalogue::handle(&app, event, Millis::MAX);
            Ok(Json(desk.event("catalogue", "an import".into(), imported).await))
        }
        Err(error) => {
            let msg = format!("body: send {{\"records\": [{{\"kind\": …}}, …]}} as JSON: {error}");
            Err((StatusCode::BAD_REQUEST, Json(json!({"code": 400, "msg": msg}))))
        }
    }
}

#[derive(Deserialize)]
struct WhosePhone {
    #[serde(default)]
    country: Option<String>,
    phone: String,
}

#[derive(Serialize)]
struct LastCode {
    code: String,
}

/// `GET /_local/sms?country=86&phone=…`: the last code that was sent there.
async fn last_code(
    State(sms): State<SmsInbox>,
    Query(whose): Query<WhosePhone>,
) -> Result<Json<LastCode>, (StatusCode, Json<Value>)> {
    let no = |status: StatusCode, msg: String| (status, Json(json!({"code": status.as_u16(), "msg": msg})));
    let phone = Phone::of(whose.country.as_deref(), &whose.phone)
        .map_err(|refusal| no(StatusCode::BAD_REQUEST, refusal.to_string()))?;
    match sms.last_code(&phone.e164()) {
        Some(code) => Ok(Json(LastCode { code })),
        None => Err(no(StatusCode::NOT_FOUND, "no code was sent to this phone since the start".into())),
    }
}
