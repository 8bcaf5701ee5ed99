//! One question to a server that is neither ours nor AWS's, within limits of time and size.
use std::{sync::OnceLock, time::Duration};

use aws_smithy_http_client::{
    Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorSettings},
    orchestrator::HttpRequest,
};
use aws_smithy_types::byte_stream::ByteStream;
use tokio::time::timeout;

/// Name look-up, TCP and TLS together; from far away they take four round trips of a quarter of a second.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// The longest answer that is read, in bytes.
pub const SIZE_LIMIT: usize = 64 * 1024;

/// Why there is no clear answer.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum Failure {
    #[error("the URL is not one")]
    Url,
    #[error("no connection")]
    Unreachable,
    #[error("no answer in time")]
    TooSlow,
    #[error("the answer broke off")]
    BrokenOff,
    #[error("the answer is too large")]
    TooLarge,
    #[error("the answer is unreadable")]
    Unreadable,
    #[error("HTTP status {0}")]
    Status(u16),
    #[error("error code {0}")]
    ErrorCode(i64),
    #[error("the answer is about something else")]
    Elsewhere,
}

/// Asks once, over a connection of its own: nothing is sent twice, no redirect is followed.
pub struct Exchange {
    /// The whole exchange, to the last byte of the answer.
    pub time_limit: Duration,
    /// Made by the first question: reading the system's trust roots has no place in a cold start.
    connector: OnceLock<Connector>,
}

impl Exchange {
    pub fn within(time_limit: Duration) -> Self {
        Self { time_limit, connector: OnceLock::new() }
    }

    /// The answer's status and body.
    pub async fn ask(&self, request: HttpRequest) -> Result<(u16, Vec<u8>), Failure> {
        timeout(self.time_limit, self.answer(request)).await.unwrap_or(Err(Failure::TooSlow))
    }

    async fn answer(&self, request: HttpRequest) -> Result<(u16, Vec<u8>), Failure> {
        let connector = self.connector.get_or_init(connector);
        let response = connector.call(request).await.map_err(|error| match error {
            error if error.is_timeout() => Failure::TooSlow,
            _ => Failure::Unreachable,
        })?;
        let status = response.status().as_u16();
        let mut stream = ByteStream::new(response.into_body());
        let mut body = Vec::new();
        while let Some(chunk) = stream.try_next().await.map_err(|_| Failure::BrokenOff)? {
            if body.len() + chunk.len() > SIZE_LIMIT {
                return Err(Failure::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok((status, body))
    }
}

fn connector() -> Connector {
    Connector::builder()
        .connector_settings(HttpConnectorSettings::builder().connect_timeout(CONNECT_LIMIT).build())
        // A function may sleep for minutes between two questions: a kept connection would be a dead one.
        .pool_max_idle_per_host(0)
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build()
}
