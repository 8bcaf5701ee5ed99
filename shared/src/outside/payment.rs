//! Charging for orders and paying back. What a provider has to do is written for it in `docs/payment.md`.
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use http::{Request, header::CONTENT_TYPE};
use ring::hmac;
use serde::{Deserialize, Serialize};

use super::exchange::{Exchange, Failure};
use crate::{
    config::Payment,
    domain::{Millis, OrderId, System, hex},
};

/// The whole exchange with the provider; a function has 15 seconds, and something to store before and after it.
const TIME_LIMIT: Duration = Duration::from_secs(8);

/// The header that says who asks and when: `t=<time>,v1=<signature>`.
pub const SIGNATURE: &str = "plaza-signature";
/// The header with what a question has the same answer under for good.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

const CURRENCY: &str = "CNY";

/// What became of a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charge {
    /// The buyer has paid.
    Approved,
    /// Nothing was paid, and nothing that was ever sent for this try will be.
    Declined,
    /// There is no telling yet: the same question again finds out.
    Unknown,
}

/// Who moves the money.
pub enum Payments {
    /// Approves everything and charges nobody: no stage of production starts with it.
    Sandbox,
    /// A server that is asked by `docs/payment.md`.
    Http(Box<Provider>),
}

/// The configured server.
pub struct Provider {
    url: String,
    key: hmac::Key,
    system: System,
    exchange: Exchange,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Charge,
    Refund,
}

/// The body of a question, and what an answer has to repeat.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Question {
    kind: Kind,
    order_id: OrderId,
    /// Which try to charge for this order it is: one more after each decline.
    attempt: u32,
    /// In fen.
    amount: u64,
    currency: String,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(flatten)]
    question: Question,
    outcome: Outcome,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Approved,
    Declined,
}

impl Payments {
    pub fn new(payment: &Payment, system: System) -> Self {
        match payment {
            Payment::Sandbox => Self::Sandbox,
            Payment::Http { url, key } => Self::Http(Box::new(Provider {
                url: url.clone(),
                key: hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()),
                system,
                exchange: Exchange::within(TIME_LIMIT),
            })),
        }
    }

    /// Charges `amount` fen for an order. The same `attempt` is charged once, however often it is asked for; after a
    /// decline it takes another one to ask anew. Whatever is not clear is [`Charge::Unknown`], a connection that
    /// could not be made as well: an earlier question of the same attempt may have got through.
    pub async fn charge(&self, order: OrderId, attempt: u32, amount: u64) -> Charge {
        match self.ask(Kind::Charge, order, attempt, amount).await {
            Ok(Outcome::Approved) => Charge::Approved,
            Ok(Outcome::Declined) => Charge::Declined,
            Err(failure) => {
                tracing::warn!(order = order.0, %failure, "no telling what became of a charge");
                Charge::Unknown
            }
        }
    }

    /// Pays back what was charged for an order, once, however often it is asked for. Whether it is sure that it was.
    pub async fn refund(&self, order: OrderId, attempt: u32, amount: u64) -> bool {
        match self.ask(Kind::Refund, order, attempt, amount).await {
            Ok(Outcome::Approved) => true,
            Ok(Outcome::Declined) => {
                tracing::error!(order = order.0, "the provider declines to pay back");
                false
            }
            Err(failure) => {
                tracing::warn!(order = order.0, %failure, "no telling what became of a refund");
                false
            }
        }
    }

    async fn ask(&self, kind: Kind, order_id: OrderId, attempt: u32, amount: u64) -> Result<Outcome, Failure> {
        let question = Question { kind, order_id, attempt, amount, currency: CURRENCY.to_owned() };
        match self {
            // Of what costs nothing, nobody is asked.
            _ if amount == 0 => Ok(Outcome::Approved),
            Self::Sandbox => Ok(Outcome::Approved),
            Self::Http(provider) => provider.ask(question).await,
        }
    }
}

impl Question {
    /// What it has the same answer under for good: one for each attempt to charge, and one for paying it back.
    fn idempotency_key(&self) -> String {
        let Self { order_id: OrderId(order), attempt, kind, .. } = self;
        let again = if *attempt == 1 { String::new() } else { format!("-{attempt}") };
        let refund = if *kind == Kind::Refund { "-refund" } else { "" };
        format!("{order}{again}{refund}")
    }
}

impl Provider {
    async fn ask(&self, question: Question) -> Result<Outcome, Failure> {
        let (status, body) = self.exchange.ask(self.request(&question).ok_or(Failure::Url)?).await?;
        if status != 200 {
            return Err(Failure::Status(status));
        }
        let answer: Answer = serde_json::from_slice(&body).map_err(|_| Failure::Unreadable)?;
        match answer.question == question {
            true => Ok(answer.outcome),
            false => Err(Failure::Elsewhere),
        }
    }

    /// `None` where the URL is not one.
    fn request(&self, question: &Question) -> Option<HttpRequest> {
        let body = serde_json::to_string(question).ok()?;
        let request = Request::post(&self.url)
            .header(CONTENT_TYPE, "application/json")
            .header(IDEMPOTENCY_KEY, question.idempotency_key())
            .header(SIGNATURE, signature(&self.key, self.system.now(), &body));
        request.body(SdkBody::from(body)).ok()?.try_into().ok()
    }
}

/// HMAC-SHA256 of the time in milliseconds since 1970, a full stop and the body, in hexadecimal digits behind the time.
fn signature(key: &hmac::Key, time: Millis, body: &str) -> String {
    format!("t={time},v1={}", hex(hmac::sign(key, format!("{time}.{body}").as_bytes()).as_ref()))
}
