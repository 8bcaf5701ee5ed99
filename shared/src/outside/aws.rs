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

#[cfg(test)]
mod tests {
    use std::{
        future,
        sync::{Arc, Mutex},
    };

    use aws_sdk_dynamodb::{
        Client,
        config::{AsyncSleep, Builder, Sleep},
        types::AttributeValue,
    };
    use aws_smithy_runtime_api::client::{
        http::{HttpConnector, HttpConnectorFuture},
        orchestrator::HttpRequest,
    };

    use super::*;
    use crate::meter::Counted;

    /// Waits for nothing, and knows how long it should have.
    #[derive(Clone, Debug, Default)]
    struct Slept(Arc<Mutex<Vec<Duration>>>);

    impl AsyncSleep for Slept {
        fn sleep(&self, duration: Duration) -> Sleep {
            self.0.lock().unwrap().push(duration);
            Sleep::new(future::ready(()))
        }
    }

    /// A service that answers nothing: the names of the headers that each try had.
    #[derive(Clone, Debug, Default)]
    struct Silent(Arc<Mutex<Vec<Vec<String>>>>);

    impl HttpConnector for Silent {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            let mut names: Vec<_> = request.headers().iter().map(|(name, _)| name.to_owned()).collect();
            names.sort();
            self.0.lock().unwrap().push(names);
            HttpConnectorFuture::new(future::pending())
        }
    }

    #[tokio::test]
    async fn a_service_that_hangs_is_given_up_in_time_and_told_no_more_than_it_needs() {
        let [access_key, secret_key, region] = ["key", "secret", "eu-central-1"].map(String::from);
        let (session_token, dynamodb, s3, sns, sqs) = Default::default();
        let aws = Aws { region, access_key, secret_key, session_token, dynamodb, s3, sns, sqs };
        let (silent, slept) = (Silent::default(), Slept::default());
        let http = {
            let connector = SharedHttpConnector::new(silent.clone());
            http_client_fn(move |_, _| connector.clone())
        };
        let config = Builder::from(&settings(&aws, http)).sleep_impl(slept.clone());
        let client = Client::from_conf(config.endpoint_resolver(TableEndpoint::new(&aws)).interceptor(Counted).build());

        let error =
            client.get_item().table_name("t").key("pk", AttributeValue::S("1".into())).send().await.unwrap_err();

        assert_eq!(refusal("DynamoDB", &error), Refusal::Unavailable);
        // A request is given up after 13 seconds, and this is one call of it: three tries, and short pauses. (The SDK has
        // limits for other things, which are not met.)
        let slept = slept.0.lock().unwrap();
        assert_eq!(slept.iter().filter(|limit| **limit == TRY_LIMIT).count(), 3, "{slept:?}");
        let pauses: Duration = slept.iter().filter(|pause| **pause < CONNECT_LIMIT).sum();
        assert!(pauses < CONNECT_LIMIT, "{slept:?}");
        let needed = ["authorization", "content-length", "content-type", "x-amz-date", "x-amz-target"];
        assert_eq!(*silent.0.lock().unwrap(), [needed, needed, needed]);
    }
}
