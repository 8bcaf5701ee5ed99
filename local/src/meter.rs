//! What a piece of work costs: its calls to the engines, with the capacity units that the table itself counts.
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::client::{
    http::{
        HttpClient as _, HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::{body::SdkBody, byte_stream::ByteStream};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One request to an engine.
#[derive(Clone, Debug, Serialize)]
pub struct Call {
    /// DynamoDB's or SQS's operation, `PUT` and the like of the object store, or `POST` to SNS.
    pub operation: String,
    /// The longest chain of calls that had ended before this one began, itself included.
    pub round: usize,
    pub read_units: f64,
    pub write_units: f64,
    #[serde(skip)]
    ended: bool,
}

/// The calls that a piece of work made.
#[derive(Clone, Debug, Default)]
pub struct Cost(pub Vec<Call>);

impl Cost {
    /// Notes a call that begins now, and gives its number.
    pub fn began(&mut self, operation: String) -> usize {
        let round = 1 + self.0.iter().filter(|call| call.ended).map(|call| call.round).max().unwrap_or(0);
        self.0.push(Call { operation, round, read_units: 0.0, write_units: 0.0, ended: false });
        self.0.len() - 1
    }

    /// Notes that a call has ended, and the units that its answer names.
    pub fn ended(&mut self, number: usize, units: f64) {
        let Some(call) = self.0.get_mut(number) else { return };
        call.ended = true;
        match call.operation.as_str() {
            "BatchGetItem" | "GetItem" | "Query" => call.read_units = units,
            _ => call.write_units = units,
        }
    }

    /// Round trips in sequence.
    pub fn rounds(&self) -> usize {
        self.0.iter().map(|call| call.round).max().unwrap_or(0)
    }

    pub fn read_units(&self) -> f64 {
        // No units at all would add up to -0.
        self.0.iter().map(|call| call.read_units).sum::<f64>() + 0.0
    }

    pub fn write_units(&self) -> f64 {
        self.0.iter().map(|call| call.write_units).sum::<f64>() + 0.0
    }
}

/// The units that an answer of the table names.
pub fn units(answer: &[u8]) -> f64 {
    #[derive(Default, Deserialize)]
    struct Consumed {
        #[serde(default, rename = "ConsumedCapacity")]
        by: Value,
    }
    let of = |table: &Value| table["CapacityUnits"].as_f64().unwrap_or(0.0);
    match serde_json::from_slice::<Consumed>(answer).unwrap_or_default().by {
        Value::Array(tables) => tables.iter().map(of).sum(),
        table => of(&table),
    }
}

tokio::task_local! {
    static COST: Arc<Mutex<Cost>>;
}

/// Does the work and says what its calls through a [`client`] cost.
pub async fn metered<T>(work: impl Future<Output = T>) -> (T, Cost) {
    let cost = Arc::default();
    let done = COST.scope(Arc::clone(&cost), work).await;
    let cost = lock(&cost).clone();
    (done, cost)
}

/// A client whose calls are counted where the work that makes them is [`metered`].
pub fn client(to: SharedHttpClient) -> SharedHttpClient {
    http_client_fn(move |settings, components| {
        SharedHttpConnector::new(Meter { to: to.http_connector(settings, components) })
    })
}

#[derive(Debug)]
struct Meter {
    to: SharedHttpConnector,
}

impl HttpConnector for Meter {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let Ok(cost) = COST.try_with(Arc::clone) else { return self.to.call(request) };
        let target = request.headers().get("x-amz-target").and_then(|target| target.split_once('.'));
        let of_table = target.is_some_and(|(service, _)| service.starts_with("DynamoDB"));
        let operation = target.map_or(request.method(), |(_, operation)| operation).to_owned();
        let number = lock(&cost).began(operation);
        if of_table {
            ask_for_units(&mut request);
        }
        let answer = self.to.call(request);
        HttpConnectorFuture::new(async move {
            let answer = match answer.await {
                Ok(answer) if of_table => read(answer).await,
                answer => answer.map(|answer| (answer, 0.0)),
            };
            lock(&cost).ended(number, answer.as_ref().map_or(0.0, |(_, units)| *units));
            answer.map(|(answer, _)| answer)
        })
    }
}

fn ask_for_units(request: &mut HttpRequest) {
    const ASKS: &[u8] = br#""ReturnConsumedCapacity":"#;
    let Some(rest) = request.body().bytes().and_then(|body| body.strip_prefix(b"{")) else { return };
    if rest.windows(ASKS.len()).any(|part| part == ASKS) {
        return;
    }
    let body = [b"{", ASKS, br#""TOTAL","#, rest].concat();
    request.headers_mut().insert("content-length", body.len().to_string());
    *request.body_mut() = SdkBody::from(body);
}

async fn read(mut answer: HttpResponse) -> Result<(HttpResponse, f64), ConnectorError> {
    let body = ByteStream::new(answer.take_body()).collect().await;
    let body = body.map_err(|error| ConnectorError::io(error.into()))?.into_bytes();
    let units = units(&body);
    *answer.body_mut() = SdkBody::from(body);
    Ok((answer, units))
}

fn lock(cost: &Mutex<Cost>) -> MutexGuard<'_, Cost> {
    cost.lock().unwrap_or_else(PoisonError::into_inner)
}
