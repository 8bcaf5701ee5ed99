use std::{
    env,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use local::{
    Options, Plaza,
    containers::{self, Way},
    desk::Desk,
    sample, write_private,
};
use shared::{App, function, outside::aws};
use tokio::{net::TcpListener, signal, sync::oneshot};
use tracing_subscriber::filter::EnvFilter;

const HELP: &str = "\
Serves all of Plaza on this machine alone, with a DynamoDB and an S3 of its own.

  cargo run                     http://127.0.0.1:9000, data in ./data

  PORT=<port>                   another port; the four after it are DynamoDB's, S3's, SNS's and SQS's
  DATA_DIR=<folder>             another data folder; delete it to start afresh
  SAM=1                         lets `sam local invoke` reach the engines, through Docker's bridge
  QQ_APP_ID, WECHAT_APP_ID, WEIBO_APP_ID, QQ_BASE_URL, WECHAT_BASE_URL, WEIBO_BASE_URL
                                third parties' logins: our app's id there, and where they are
  SMS_PER_DAY, SMS_PER_SOURCE_HOUR, SMS_COUNTRIES
                                limits on codes, as in template.yaml
  UPLOADS_PER_DAY, UPLOAD_MIB_PER_DAY
                                what one user may upload, as in template.yaml
  PAYMENT_PROVIDER=http PAYMENT_URL=<url> PAYMENT_KEY=<key>
                                who charges for orders, by docs/payment.md; without, nobody does and all is paid";

/// Variables of a function that may be set from outside.
const PASSED_ON: &[&str] = &[
    "PAYMENT_KEY",
    "PAYMENT_PROVIDER",
    "PAYMENT_URL",
    "QQ_APP_ID",
    "QQ_BASE_URL",
    "SMS_COUNTRIES",
    "SMS_PER_DAY",
    "SMS_PER_SOURCE_HOUR",
    "UPLOADS_PER_DAY",
    "UPLOAD_MIB_PER_DAY",
    "WECHAT_APP_ID",
    "WECHAT_BASE_URL",
    "WEIBO_APP_ID",
    "WEIBO_BASE_URL",
];

/// Between two runs of what is scheduled.
const MINUTE: Duration = Duration::from_secs(60);

/// How long whoever is in the middle of a request may take to end it when the runner stops.
const PATIENCE: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() -> ExitCode {
    if env::args().len() > 1 {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("plaza: {error}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the runner's own settings")]
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let port = match variable("PORT") {
        None => 9000,
        Some(text) => text.parse::<u16>().ok().filter(|port| (1..=65531).contains(port)).ok_or("PORT: 1 to 65531")?,
    };
    let data = PathBuf::from(variable("DATA_DIR").unwrap_or("data".into()));
    let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => format!("port {port} is taken: stop what listens there, or set PORT"),
        _ => format!("cannot listen on port {port}: {error}"),
    })?;
    // The engines warn of every condition that a write of ours did not meet, which is an answer like any other.
    let filter = EnvFilter::new("warn,dynoxide=error,s3s=error,s3s_fs=error");
    tracing_subscriber::fmt().with_env_filter(filter).without_time().init();
    let http = aws::http_client();
    let options = Options {
        data: Some(data.clone()),
        engine_ports: Some(port + 1),
        system: function::system(),
        http: http.clone(),
        variables: PASSED_ON.iter().filter_map(|name| Some((*name, variable(name)?))).collect(),
    };
    let plaza = Plaza::start(options, |phone, message| println!("SMS to {phone}: {message}"))?;
    sample::load(&plaza, http).await?;
    let way = match variable("SAM") {
        Some(_) => Some(containers::open(&plaza).await?),
        None => None,
    };
    let environment = way.as_ref().map_or_else(|| plaza.sam_environment(), |way| way.environment.clone());
    write_private(&data.join("functions.json"), &format!("{environment:#}"))?;
    greet(port, &data, way.as_ref());

    let Plaza { app, engines, router, stream, desk, .. } = plaza;
    desk.tell(|entry| println!("{entry}"));
    let (stop, stopping) = oneshot::channel();
    let serving = axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(async {
            stopped().await;
            println!("Stopping.");
            let _ = stop.send(());
        });
    let patience = async {
        let _ = stopping.await;
        tokio::time::sleep(PATIENCE).await;
    };
    tokio::select! {
        served = serving.into_future() => served?,
        () = patience => {}
        () = stream.run() => {}
        () = every_minute(&app, &desk) => {}
    }
    // Open files of the engines' otherwise.
    drop(stream);
    engines.stop().await;
    Ok(())
}

/// What the template has scheduled: asks about charges whose outcome is not known, and erases who has left.
async fn every_minute(app: &App, desk: &Desk) {
    loop {
        tokio::time::sleep(MINUTE).await;
        desk.event("payments", "a minute is over".into(), payments::handle(app)).await;
        let deadline = app.system.now() + MINUTE.as_millis() as u64;
        desk.event("leaving", "a minute is over".into(), leaving::handle(app, deadline)).await;
    }
}

/// Ctrl-C, or what a supervisor sends.
async fn stopped() {
    let mut terminate = signal::unix::signal(signal::unix::SignalKind::terminate()).ok();
    tokio::select! {
        _ = signal::ctrl_c() => {}
        Some(()) = async { terminate.as_mut()?.recv().await } => {}
    }
}

fn greet(port: u16, data: &Path, way: Option<&Way>) {
    let (phone, password, data) = (sample::PHONE, sample::PASSWORD, data.display());
    let api = format!("http://127.0.0.1:{port}");
    let sam = match way {
        Some(way) => format!(
            "sam local invoke Account -e events/account/account_login.json --skip-pull-image --env-vars {data}/functions.json --add-host {}",
            way.add_host
        ),
        None => "`SAM=1 cargo run` lets `sam local invoke` reach this".into(),
    };
    println!(
        "\
Plaza is there: {api}

  the desk        {api}/desk        (what is asked, what it costs, what is stored)
  API reference   {api}/docs        (as a file: {api}/openapi.json)
  data            {data}        (delete the folder to start afresh)
  SAM             {sam}

First calls:
  curl {api}/user/login -d user_type=1 -d account={phone} -d password={password}
  curl '{api}/user/pic/list?limit=3'
  curl {api}/send_sms_code -d '{{\"country\": \"86\", \"phone\": \"13700137000\"}}'
  curl '{api}/_local/sms?country=86&phone=13700137000'

Ctrl-C stops it."
    );
}
