//! What the AWS clients have in common.
use std::time::Duration;

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_dynamodb::{
    config::{BehaviorVersion, Region, retry::RetryConfig, timeout::TimeoutConfig},
    error::{ProvideErrorMetadata, SdkError},
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::SdkConfig;

use crate::{config::Aws, domain::Refusal};

/// The roots that AWS's endpoints are signed by (amazontrust.com/repository, and the Starfield one before them).
/// Reading the system's 145 costs a cold start 1 to 2 ms.
const ROOTS: &[&str] = &[include_str!("amazon_roots.pem")];

/// Settings for every client. The SDK itself sets no limit on an operation, an attempt or a read: these fit a
/// function's 15 seconds, a picture's upload included.
pub fn settings(aws: &Aws, http: SharedHttpClient) -> SdkConfig {
    let keys = Credentials::new(&aws.access_key, &aws.secret_key, aws.session_token.clone(), None, "environment");
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .read_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(Duration::from_secs(4))
        .operation_timeout(Duration::from_secs(9));
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
    let roots = ROOTS.iter().fold(TrustStore::empty(), |store, root| store.with_pem_certificate(*root));
    let tls = TlsContext::builder().with_trust_store(roots).build().expect("the embedded roots are certificates");
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(tls).build_https()
}

/// What a service did not do: to the log without anybody's data, to the client without details.
pub fn refusal<E: ProvideErrorMetadata, R>(service: &str, error: &SdkError<E, R>) -> Refusal {
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
    let kind = match error {
        SdkError::ConstructionFailure(_) => "the request could not be made",
        SdkError::TimeoutError(_) => "no answer in time",
        SdkError::DispatchFailure(_) => "not reached",
        SdkError::ResponseError(_) => "an unreadable answer",
        _ => error.code().unwrap_or("an error without a code"),
    };
    let ours = match error {
        SdkError::ConstructionFailure(_) => true,
        SdkError::ServiceError(_) => !BUSY.contains(&kind),
        _ => false,
    };
    match ours {
        true => {
            tracing::error!(service, kind, message = error.message(), "refused by the service");
            Refusal::Internal
        }
        false => {
            tracing::warn!(service, kind, "the service is not available");
            Refusal::Unavailable
        }
    }
}
