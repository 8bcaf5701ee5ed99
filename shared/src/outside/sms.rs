use aws_sdk_sns::{Client, config::Builder, types::MessageAttributeValue};
use aws_types::SdkConfig;

use super::aws;
use crate::domain::{Phone, Refusal};

/// Amazon SNS.
pub struct Sms(Client);

impl Sms {
    pub fn new(settings: &SdkConfig, endpoint: Option<&str>) -> Self {
        let mut config = Builder::from(settings);
        config.set_endpoint_url(endpoint.map(str::to_owned));
        Self(Client::from_conf(config.build()))
    }

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
        sent.map(drop).map_err(|error| aws::refusal("SNS", &error))
    }
}
