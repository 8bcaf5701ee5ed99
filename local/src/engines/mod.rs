//! Local stand-ins for what the functions use of AWS: DynamoDB, S3, SNS and SQS, all on 127.0.0.1.
//!
//! They run on threads of their own, so that a test's single-threaded runtime still has its requests in flight
//! side by side, and a blocking engine never blocks the code under test.

mod dynamodb;
mod s3;
mod sns;
mod sqs;
mod stream;
#[cfg(test)]
mod tests;

use std::fs::{File, TryLockError};
use std::io;
use std::net::{Ipv4Addr, TcpListener as StdListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::s3::S3Event;
use serde::de::DeserializeOwned;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::{self, Runtime};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

pub use self::dynamodb::{Found, Items};
pub use self::s3::{Uploads, created};
pub use self::sns::SmsInbox;
pub use self::sqs::{Queue, Taken};
pub use self::stream::Stream;
use crate::template::Template;

/// The access key id and the secret key that the local S3 knows; the other engines take any.
pub const ACCESS_KEY: &str = "local";
pub const SECRET_KEY: &str = "local";

/// How often expired items are removed. DynamoDB itself may take days.
const SWEEP: Duration = Duration::from_secs(60);
/// How long requests in flight may take to end when the engines stop.
const PATIENCE: Duration = Duration::from_secs(2);

/// What to start.
pub struct Config<'a> {
    /// The folder that keeps the data; none, and all is gone with the engines.
    pub data: Option<PathBuf>,
    /// The first of four ports in a row (DynamoDB, S3, SNS, SQS); none, and free ones are taken.
    pub ports: Option<u16>,
    /// Brings the table's definition.
    pub template: &'a Template,
    /// The bucket's name. What lies under `media/` in it can be read by anybody, nothing else.
    pub bucket: &'a str,
    /// The table's name.
    pub table: &'a str,
}

/// The running engines. Dropped, they end at once; [`Engines::stop`] lets requests in flight end first.
pub struct Engines {
    /// The endpoint of DynamoDB and its streams.
    pub dynamodb: String,
    /// The endpoint of S3, to be used with path-style addresses.
    pub s3: String,
    /// The endpoint of SNS.
    pub sns: String,
    /// The endpoint of SQS.
    pub sqs: String,
    /// The messages that were sent to phones.
    pub sms: SmsInbox,
    /// The events of what was uploaded.
    pub uploads: Uploads,
    /// What came and went in the table.
    pub stream: Arc<Stream>,
    /// What `fanout` has left to be done.
    pub tasks: Queue,
    /// What lies in the table.
    pub items: Items,
    running: Option<Running>,
}

/// Why the engines did not start; the message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error("port {port} ({engine}) is taken: stop what listens there, or choose another with PORT=<port>")]
    PortTaken { port: u16, engine: &'static str },
    #[error("cannot listen on port {port} ({engine}): {source}; choose another with PORT=<port>")]
    Listen { port: u16, engine: &'static str, source: io::Error },
    #[error("there are no four ports from {0} on: choose a lower one with PORT=<port>")]
    PortTooHigh(u16),
    #[error("cannot write to {path}: {source}; choose another data folder with DATA_DIR=<folder>")]
    Folder { path: PathBuf, source: io::Error },
    #[error("{path} is in use by another instance: stop it, or choose another data folder with DATA_DIR=<folder>")]
    Locked { path: PathBuf },
    #[error("cannot open the database {path}: {problem}")]
    Database { path: PathBuf, problem: String },
    #[error("template.yaml: resource Table: the engine refuses it: {0}")]
    Table(String),
    #[error("template.yaml: resource Table changed since {path} was made: delete that folder to start afresh")]
    TableChanged { path: PathBuf },
    #[error("cannot start the engines: {0}")]
    Start(io::Error),
    #[error("cannot start the object store: {0}")]
    ObjectStore(String),
}

impl Engines {
    /// Starts all engines; they answer when this returns. `on_message` is told every phone number and message sent.
    ///
    /// Blocks for as long as it takes to open the files: some milliseconds.
    pub fn start(
        config: Config<'_>,
        on_message: impl Fn(&str, &str) + Send + Sync + 'static,
    ) -> Result<Self, EngineError> {
        let folder = Folder::open(config.data)?;
        let [dynamodb, s3, sns, sqs] = listen(config.ports)?;
        let hidden = dynamodb::hidden().map_err(EngineError::Start)?;
        let table = dynamodb::guarded(hidden.local_addr().map_err(EngineError::Start)?);
        let endpoint = |listener: &StdListener| {
            listener.local_addr().map(|address| format!("http://{address}")).map_err(EngineError::Start)
        };
        let endpoints = [endpoint(&dynamodb)?, endpoint(&s3)?, endpoint(&sns)?, endpoint(&sqs)?];

        let (database, stream) = dynamodb::open(&folder, config.template.table(), config.table)?;
        let uploads = Uploads::default();
        let bucket = s3::router(&folder.join("s3"), config.bucket, uploads.clone())?;
        let left = s3::left(&folder.join("s3"), config.bucket);
        let sms = SmsInbox::default();
        let phones = sns::router(sms.clone(), on_message);
        let tasks = Queue::open(folder.is_kept().then(|| folder.join("sqs.sqlite")).as_deref())?;
        let queue = sqs::router(tasks.clone());

        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("engines")
            .enable_all()
            .build()
            .map_err(EngineError::Start)?;
        let (stop, stopped) = watch::channel(());
        // A sender that is gone is a signal as good as any.
        let until_stopped = || {
            let mut stopped = stopped.clone();
            async move { drop(stopped.changed().await) }
        };
        let mut servers = JoinSet::new();
        {
            let _context = runtime.enter();
            let listeners = [hidden, dynamodb, s3, sns, sqs].map(TcpListener::from_std);
            let [hidden, dynamodb, s3, sns, sqs] = listeners.map(|listener| listener.map_err(EngineError::Start));
            // Until nobody passes anything on to it.
            let (passing, passed) = oneshot::channel::<()>();
            let serving =
                dynoxide::server::serve_with_shutdown(hidden?, database.clone(), async { drop(passed.await) });
            servers.spawn(async move { drop(serving.await) });
            for (listener, router, passing) in
                [(dynamodb?, table, Some(passing)), (s3?, bucket, None), (sns?, phones, None), (sqs?, queue, None)]
            {
                let serving = axum::serve(listener, router).with_graceful_shutdown(until_stopped());
                servers.spawn(async move {
                    drop(serving.await);
                    drop(passing);
                });
            }
            // A set in memory belongs to a test, whose time is its own: only that test says when to sweep.
            if folder.is_kept() {
                servers.spawn(dynamodb::sweep_on(database.clone(), SWEEP, until_stopped()));
            }
        }
        let [dynamodb, s3, sns, sqs] = endpoints;
        let running = Running { stop, servers, runtime, left, _folder: folder };
        let stream = Arc::new(stream);
        let items = Items { database, table: config.table.into() };
        Ok(Self { dynamodb, s3, sns, sqs, sms, uploads, stream, tasks, items, running: Some(running) })
    }

    /// Brings the events of uploads to `handler` from now on, and those of the uploads that are still unchecked.
    pub fn deliver_uploads<F: Future<Output = Result<(), String>> + Send + 'static>(
        &self,
        handler: impl Fn(S3Event) -> F + Send + Sync + 'static,
    ) {
        self.uploads.deliver_to(handler);
        let Some(running) = &self.running else { return };
        let (uploads, left) = (self.uploads.clone(), running.left.clone());
        running.runtime.spawn(async move {
            for event in left {
                uploads.tell(event).await;
            }
        });
    }

    /// Removes the items that have expired by now, as DynamoDB does in its own time, and says how many.
    pub fn sweep(&self) -> usize {
        self.items.database.sweep_ttl().unwrap_or_default()
    }

    /// Ends all engines: requests in flight are answered (for two seconds at most), then the files are closed.
    pub async fn stop(mut self) {
        let running = self.running.take();
        drop(self);
        // A runtime may neither be waited for nor dropped on a thread that runs another one's tasks.
        drop(tokio::task::spawn_blocking(|| running.map(Running::stop)).await);
    }
}

impl Drop for Engines {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.runtime.shutdown_background();
        }
    }
}

struct Running {
    stop: watch::Sender<()>,
    servers: JoinSet<()>,
    runtime: Runtime,
    /// Of uploads that were there at the start.
    left: Vec<S3Event>,
    // Last: unlocked, or removed, when nothing uses it any more.
    _folder: Folder,
}

impl Running {
    fn stop(mut self) {
        drop(self.stop);
        self.runtime.block_on(async {
            // Whoever is still talking then is cut off.
            let _ = tokio::time::timeout(PATIENCE, async { while self.servers.join_next().await.is_some() {} }).await;
        });
        // The connections' tasks hold the database: they are gone when this returns.
        self.runtime.shutdown_timeout(PATIENCE);
    }
}

/// Where the engines keep their files, for this process alone.
enum Folder {
    Kept { path: PathBuf, _lock: File },
    Temporary(TempDir),
}

impl Folder {
    fn open(path: Option<PathBuf>) -> Result<Self, EngineError> {
        let Some(path) = path else {
            return TempDir::new().map(Self::Temporary).map_err(EngineError::Start);
        };
        let problem = |source| EngineError::Folder { path: path.clone(), source };
        std::fs::create_dir_all(&path).map_err(problem)?;
        let lock = File::create(path.join("lock")).map_err(problem)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self::Kept { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(EngineError::Locked { path }),
            Err(TryLockError::Error(source)) => Err(EngineError::Folder { path, source }),
        }
    }

    fn is_kept(&self) -> bool {
        matches!(self, Self::Kept { .. })
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept { path, .. } => path,
            Self::Temporary(folder) => folder.path(),
        }
    }

    fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }
}

fn listen(first: Option<u16>) -> Result<[StdListener; 4], EngineError> {
    let listen = |offset: u16, engine| {
        let port = match first {
            Some(first) => first.checked_add(offset).ok_or(EngineError::PortTooHigh(first))?,
            None => 0,
        };
        let bind = StdListener::bind((Ipv4Addr::LOCALHOST, port));
        let listener = bind.and_then(|listener| listener.set_nonblocking(true).map(|()| listener));
        listener.map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => EngineError::PortTaken { port, engine },
            _ => EngineError::Listen { port, engine, source },
        })
    };
    Ok([listen(0, "DynamoDB")?, listen(1, "S3")?, listen(2, "SNS")?, listen(3, "SQS")?])
}

/// A request to the database, as its API has it.
fn typed<T: DeserializeOwned>(request: serde_json::Value) -> Result<T, EngineError> {
    serde_json::from_value(request).map_err(refused)
}

fn refused(error: impl ToString) -> EngineError {
    EngineError::Table(error.to_string())
}
