use std::{error::Error, iter::successors, time::Duration};

use aws_sdk_sns::{
    Client,
    config::{Builder, retry::RetryConfig},
    error::SdkError,
    operation::publish::PublishError,
    types::MessageAttributeValue,
};
use aws_types::SdkConfig;
use hyper_util::client::legacy;

use super::aws;
use crate::{
    domain::{Phone, PhoneFault, Refusal},
    meter::{Counted, Happened, happened},
};

/// How often a message is sent in all, where it may be sent again; between two tries so long, and longer each time.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(50);

/// Amazon SNS.
pub struct Sms(Client);

/// Why a message is not known to be sent.
#[derive(Debug)]
pub enum NotSent {
    Certainly(Refusal),
    /// SNS may have taken it all the same.
    Perhaps(Refusal),
}

impl Sms {
    pub fn new(settings: &SdkConfig, endpoint: Option<&str>) -> Self {
        let mut config = Builder::from(settings).interceptor(Counted);
        config.set_endpoint_url(endpoint.map(str::to_owned));
        // Tries are ours: the SDK's own would forget whether one before the last was taken.
        config.set_retry_config(Some(RetryConfig::disabled()));
        Self(Client::from_conf(config.build()))
    }

    /// [`Refusal::Phone`] where SNS knows that the number is nobody's. What is not answered in time is not tried again:
    /// SNS knows no repeats and would send it twice.
    pub async fn send_code(&self, phone: &Phone, code: &str) -> Result<(), NotSent> {
        let (mut perhaps, mut tried) = (false, 0);
        loop {
            let Err(error) = self.send(phone, code).await else {
                happened(Happened::CodesSent);
                return Ok(());
            };
            let unsent = is_certainly_unsent(&error);
            let again = match &error {
                SdkError::ServiceError(_) => aws::is_busy(&error),
                SdkError::DispatchFailure(failure) => unsent || !failure.is_timeout(),
                _ => false,
            };
            (perhaps, tried) = (perhaps || !unsent, tried + 1);
            if again && tried < TRIES {
                tokio::time::sleep(PAUSE * tried).await;
                continue;
            }
            let why = match error.as_service_error().is_some_and(PublishError::is_invalid_parameter_exception) {
                // Its form is right, but no network dials it: too long with its country code, or not given out.
                true => Refusal::Phone(PhoneFault::Nobodys),
                false => aws::refusal("SNS", &error),
            };
            return Err(if perhaps { NotSent::Perhaps(why) } else { NotSent::Certainly(why) });
        }
    }

    async fn send(&self, phone: &Phone, code: &str) -> Result<(), SdkError<PublishError>> {
        let kind = MessageAttributeValue::builder().data_type("String").string_value("Transactional").build();
        let sent = self
            .0
            .publish()
            .phone_number(phone.e164())
            .message(format!("{code} is your code. It is valid for 5 minutes. Give it to nobody."))
            // Delivered ahead of advertisements.
            .message_attributes("AWS.SNS.SMS.SMSType", kind.map_err(SdkError::construction_failure)?)
            .send()
            .await;
        sent.map(drop)
    }
}

/// Whether SNS said so itself, or there was no connection.
fn is_certainly_unsent(error: &SdkError<PublishError>) -> bool {
    match error {
        SdkError::ConstructionFailure(_) => true,
        SdkError::ServiceError(said) => said.raw().status().is_client_error(),
        SdkError::DispatchFailure(failure) => {
            let cause = failure.as_connector_error().and_then(Error::source);
            successors(cause, |cause: &&(dyn Error + 'static)| (*cause).source())
                .filter_map(|cause| cause.downcast_ref::<legacy::Error>())
                .any(legacy::Error::is_connect)
        }
        _ => false,
    }
}
