//! What the AWS clients have in common.
use std::{sync::OnceLock, time::Duration};

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_dynamodb::{
    config::{
        BehaviorVersion, Region,
        endpoint::{Endpoint, EndpointFuture, Params, ResolveEndpoint},
        retry::RetryConfig,
        timeout::TimeoutConfig,
    },
    error::{ProvideErrorMetadata, SdkError},
};
use aws_smithy_http_client::{
    Connector,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_types::SdkConfig;

use crate::{config::Aws, domain::Refusal};

/// The roots that AWS's endpoints are signed by (amazontrust.com/repository, and the Starfield one before them).
/// Reading the system's 145 costs a cold start 1 to 2 ms.
const ROOTS: &[&str] = &[include_str!("amazon_roots.pem")];

const CONNECT_LIMIT: Duration = Duration::from_secs(1);
/// For each of three tries, a picture's upload included: with the pauses between them they fit a function's 15 seconds.
/// (A limit of its own for all of them, or for the wait for an answer, would be a timer more in every call.)
const TRY_LIMIT: Duration = Duration::from_secs(3);

/// Settings for every client. The SDK itself sets no limit.
pub fn settings(aws: &Aws, http: SharedHttpClient) -> SdkConfig {
    let keys = Credentials::new(&aws.access_key, &aws.secret_key, aws.session_token.clone(), None, "environment");
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_LIMIT).operation_attempt_timeout(TRY_LIMIT);
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(aws.region.clone()))
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .http_client(http)
        .timeout_config(timeouts.build())
        .retry_config(RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(50)))
        .build()
}

/// One pool of connections for all clients; it speaks TLS and, to stand-ins on this machine, plain HTTP.
pub fn http_client() -> SharedHttpClient {
    // Made once: the SDK asks for a connector per set of limits, and each would read the roots again.
    let made = OnceLock::new();
    http_client_fn(move |_, components| {
        let make = || {
            let roots = ROOTS.iter().fold(TrustStore::empty(), |store, root| store.with_pem_certificate(*root));
            let tls =
                TlsContext::builder().with_trust_store(roots).build().expect("the embedded roots are certificates");
            let limits = HttpConnectorSettings::builder().connect_timeout(CONNECT_LIMIT);
            let mut connector = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(tls);
            connector.set_connector_settings(Some(limits.build())).set_sleep_impl(components.sleep_impl());
            SharedHttpConnector::new(connector.build())
        };
        made.get_or_init(make).clone()
    })
}

/// Where the table is, without the SDK's rules. (Its list of all regions is read in every cold start nevertheless: a
/// client makes the resolver that it does not use.)
#[derive(Debug)]
pub struct TableEndpoint(String);

impl TableEndpoint {
    pub fn new(aws: &Aws) -> Self {
        let china = if aws.region.starts_with("cn-") { ".cn" } else { "" };
        Self(aws.dynamodb.clone().unwrap_or_else(|| format!("https://dynamodb.{}.amazonaws.com{china}", aws.region)))
    }
}

impl ResolveEndpoint for TableEndpoint {
    fn resolve_endpoint<'a>(&'a self, _: &'a Params) -> EndpointFuture<'a> {
        EndpointFuture::ready(Ok(Endpoint::builder().url(self.0.clone()).build()))
    }
}

/// What AWS's services say when there is too much to do, or something broke there.
const BUSY: &[&str] = &[
    "InternalServerError",
    "InternalError",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TransactionInProgressException",
];

/// Whether a service said that it cannot now.
pub fn is_busy<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    error.code().is_some_and(|code| BUSY.contains(&code))
}

/// What a service did not do: to the log without anybody's data, to the client without details.
pub fn refusal<E: ProvideErrorMetadata, R>(service: &str, error: &SdkError<E, R>) -> Refusal {
    let kind = match error {
        SdkError::ConstructionFailure(_) => "the request could not be made",
        SdkError::TimeoutError(_) => "no answer in time",
        SdkError::DispatchFailure(_) => "not reached",
        SdkError::ResponseError(_) => "an unreadable answer",
        _ => error.code().unwrap_or("an error without a code"),
    };
    let ours = match error {
        SdkError::ConstructionFailure(_) => true,
        SdkError::ServiceError(_) => !is_busy(error),
        _ => false,
    };
    match ours {
        true => {
            // SNS's messages name the phone.
            let message = error.message().filter(|_| service != "SNS");
            tracing::error!(service, kind, message, "refused by the service");
            Refusal::Internal
        }
        false => {
            tracing::warn!(service, kind, "the service is not available");
            Refusal::Unavailable
        }
    }
}
