use aws_sdk_sns::{Client, config::Builder, operation::publish::PublishError, types::MessageAttributeValue};
use aws_types::SdkConfig;

use super::aws;
use crate::{
    domain::{Phone, PhoneFault, Refusal},
    meter::{Counted, Happened, happened},
};

/// Amazon SNS.
pub struct Sms(Client);

impl Sms {
    pub fn new(settings: &SdkConfig, endpoint: Option<&str>) -> Self {
        let mut config = Builder::from(settings).interceptor(Counted);
        config.set_endpoint_url(endpoint.map(str::to_owned));
        Self(Client::from_conf(config.build()))
    }

    /// # Errors
    /// [`Refusal::Phone`] where SNS knows that the number is nobody's.
    pub async fn send_code(&self, phone: &Phone, code: &str) -> Result<(), Refusal> {
        let kind = MessageAttributeValue::builder().data_type("String").string_value("Transactional").build();
        let sent = self
            .0
            .publish()
            .phone_number(phone.e164())
            .message(format!("{code} is your code. It is valid for 5 minutes. Give it to nobody."))
            // Delivered ahead of advertisements.
            .message_attributes("AWS.SNS.SMS.SMSType", kind.map_err(|_| Refusal::Internal)?)
            .send()
            .await;
        match sent {
            Ok(_) => {
                happened(Happened::CodesSent);
                Ok(())
            }
            // Its form is right, but no network dials it: a number too long with its country code, or not given out.
            Err(error) if error.as_service_error().is_some_and(PublishError::is_invalid_parameter_exception) => {
                Err(Refusal::Phone(PhoneFault::Nobodys))
            }
            Err(error) => Err(aws::refusal("SNS", &error)),
        }
    }
}
