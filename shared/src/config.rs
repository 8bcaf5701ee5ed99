//! What the environment says, read once at the start. A gap is named there and then, not at the first request.
use std::str::FromStr;

use crate::domain::{Phone, SmsLimits, UploadQuota, token};

/// Everything that may differ between two places where a function runs.
pub struct Config {
    pub aws: Aws,
    /// The table's name.
    pub table: String,
    pub media_bucket: String,
    /// Where what lies under `media/` in the bucket is served.
    pub media_base_url: String,
    /// What signs tokens; none where nobody calls over HTTP.
    pub jwt_key: Option<String>,
    /// Others that verify them, with commas between.
    pub jwt_keys_accepted: Option<String>,
    /// What signs tokens for the messaging service; none but in the function that does.
    pub im_key: Option<String>,
    /// The stack's name, under which metrics are found.
    pub stack: String,
    /// Country codes that codes are sent to; none means all.
    pub sms_countries: Vec<String>,
    pub sms_limits: SmsLimits,
    pub uploads: UploadQuota,
    /// How orders are paid; none in a function that charges nobody.
    pub payment: Option<Payment>,
}

/// Who charges for orders.
pub enum Payment {
    /// Nobody: every charge is approved.
    Sandbox,
    /// Whoever answers at `url`; `key` signs what is asked.
    Http { url: String, key: String },
}

/// The AWS SDK's own variables.
pub struct Aws {
    pub region: String,
    pub access_key: String,
    pub secret_key: String,
    pub session_token: Option<String>,
    /// Where the services are, if not where they always are.
    pub dynamodb: Option<String>,
    pub s3: Option<String>,
    pub sns: Option<String>,
    pub sqs: Option<String>,
}

impl Config {
    /// `variable` looks one up. The error names all that is wrong with one.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let given = |name: &str| variable(name).filter(|value| !value.is_empty());
        let needed = |name: &str| given(name).ok_or(format!("the environment variable {name} is missing"));
        let payment = match given("PAYMENT_PROVIDER").as_deref() {
            None => None,
            // A stage that says nothing of itself may be anything.
            Some("sandbox") if needed("STAGE")? == "prod" => {
                return Err("PAYMENT_PROVIDER: the sandbox charges nobody; a STAGE of prod needs http".into());
            }
            Some("sandbox") => Some(Payment::Sandbox),
            Some("http") => Some(Payment::http(needed("PAYMENT_URL")?, needed("PAYMENT_KEY")?)?),
            Some(_) => return Err("PAYMENT_PROVIDER is neither sandbox nor http".into()),
        };
        fn whole<N: FromStr>(name: &str, text: String) -> Result<N, String> {
            text.parse().map_err(|_| format!("{name} is not a whole number"))
        }
        let config = Self {
            aws: Aws {
                region: needed("AWS_REGION")?,
                access_key: needed("AWS_ACCESS_KEY_ID")?,
                secret_key: needed("AWS_SECRET_ACCESS_KEY")?,
                session_token: given("AWS_SESSION_TOKEN"),
                dynamodb: given("AWS_ENDPOINT_URL_DYNAMODB"),
                s3: given("AWS_ENDPOINT_URL_S3"),
                sns: given("AWS_ENDPOINT_URL_SNS"),
                sqs: given("AWS_ENDPOINT_URL_SQS"),
            },
            table: needed("TABLE")?,
            media_bucket: needed("MEDIA_BUCKET")?,
            media_base_url: needed("MEDIA_BASE_URL")?,
            jwt_key: given("JWT_KEY"),
            // The template's word for no key.
            jwt_keys_accepted: given("JWT_KEYS_ACCEPTED").filter(|keys| keys != "none"),
            im_key: given("IM_KEY"),
            stack: given("STACK").unwrap_or("plaza".into()),
            sms_countries: match needed("SMS_COUNTRIES")?.as_str() {
                "*" => vec![],
                list => list.split(',').map(|country| country.trim().to_owned()).collect(),
            },
            sms_limits: SmsLimits {
                hourly: whole("SMS_PER_SOURCE_HOUR", needed("SMS_PER_SOURCE_HOUR")?)?,
                daily: whole("SMS_PER_DAY", needed("SMS_PER_DAY")?)?,
            },
            uploads: UploadQuota {
                files: whole("UPLOADS_PER_DAY", needed("UPLOADS_PER_DAY")?)?,
                bytes: u64::from(whole::<u32>("UPLOAD_MIB_PER_DAY", needed("UPLOAD_MIB_PER_DAY")?)?) << 20,
            },
            payment,
        };
        let keys = [&config.jwt_key, &config.jwt_keys_accepted, &config.im_key].into_iter().flatten();
        if keys.flat_map(|keys| keys.split(',')).any(|key| key.trim() == token::DEVELOPMENT_KEY)
            && !config.aws.is_this_machine()
        {
            return Err("JWT_KEY: everybody knows the development key; it is for tables on this machine alone".into());
        }
        Ok(config)
    }
}

impl Config {
    /// Whether SMS codes are sent to the phone's country.
    pub fn serves(&self, phone: &Phone) -> bool {
        self.sms_countries.is_empty() || self.sms_countries.iter().any(|country| country == phone.country())
    }
}

impl Payment {
    fn http(url: String, key: String) -> Result<Self, String> {
        // TLS is what says that the answers are the provider's.
        if !url.starts_with("https://") && !is_this_machine(&url) {
            return Err("PAYMENT_URL does not begin with https://".into());
        }
        match key.len() < 32 {
            true => Err("PAYMENT_KEY needs at least 32 characters".into()),
            false => Ok(Self::Http { url, key }),
        }
    }
}

impl Aws {
    fn is_this_machine(&self) -> bool {
        self.dynamodb.as_deref().is_some_and(is_this_machine)
    }
}

fn is_this_machine(url: &str) -> bool {
    ["http://127.0.0.1:", "http://localhost:"].iter().any(|here| url.starts_with(here))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(change: &[(&str, &str)]) -> Result<Config, String> {
        let usual = [
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "a"),
            ("AWS_SECRET_ACCESS_KEY", "b"),
            ("TABLE", "t"),
            ("MEDIA_BUCKET", "m"),
            ("MEDIA_BASE_URL", "https://m.example"),
            ("JWT_KEY", "0123456789abcdef0123456789abcdef"),
            ("JWT_KEYS_ACCEPTED", "none"),
            ("SMS_COUNTRIES", "86, 852"),
            ("SMS_PER_DAY", "1000"),
            ("SMS_PER_SOURCE_HOUR", "30"),
            ("UPLOADS_PER_DAY", "500"),
            ("UPLOAD_MIB_PER_DAY", "2048"),
        ];
        let all: Vec<_> = usual.iter().chain(change).collect();
        Config::read(|name| all.iter().rev().find(|(key, _)| *key == name).map(|(_, value)| value.to_string()))
    }

    #[test]
    fn what_the_template_sets_is_enough() {
        let config = read(&[("AWS_ENDPOINT_URL_S3", "")]).unwrap();
        assert_eq!(config.sms_countries, ["86", "852"]);
        assert_eq!(config.uploads, UploadQuota { files: 500, bytes: 2 << 30 });
        assert_eq!((config.jwt_keys_accepted, config.aws.s3), (None, None));
        assert!(read(&[("SMS_COUNTRIES", "*")]).unwrap().sms_countries.is_empty());
    }

    #[test]
    fn a_gap_is_named() {
        assert_eq!(read(&[("TABLE", "")]).err().unwrap(), "the environment variable TABLE is missing");
        assert_eq!(read(&[("SMS_PER_DAY", "many")]).err().unwrap(), "SMS_PER_DAY is not a whole number");
    }

    #[test]
    fn the_sandbox_is_for_stages_that_say_that_they_are_none_of_production() {
        let sandbox = ("PAYMENT_PROVIDER", "sandbox");
        assert!(matches!(read(&[sandbox, ("STAGE", "dev")]).unwrap().payment, Some(Payment::Sandbox)));
        for stage in ["", "prod"] {
            let complaint = read(&[sandbox, ("STAGE", stage)]).err().unwrap();
            assert!(complaint.contains("STAGE"), "{complaint}");
        }
        assert!(read(&[("STAGE", "prod")]).unwrap().payment.is_none());
    }

    #[test]
    fn a_payment_provider_has_a_url_with_tls_and_a_long_key() {
        let http = |url, key| {
            read(&[("PAYMENT_PROVIDER", "http"), ("STAGE", "prod"), ("PAYMENT_URL", url), ("PAYMENT_KEY", key)])
        };
        let (key, short) = ("0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcde");
        for url in ["https://pay.example/charges", "http://127.0.0.1:4000", "http://localhost:4000/pay"] {
            let config = http(url, key).unwrap();
            assert!(matches!(config.payment, Some(Payment::Http { url: read, .. }) if read == url));
        }
        for (url, key, names) in [
            ("http://pay.example", key, "PAYMENT_URL"),
            ("http://127.0.0.1.pay.example", key, "PAYMENT_URL"),
            ("pay.example", key, "PAYMENT_URL"),
            ("", key, "PAYMENT_URL"),
            ("https://pay.example", "", "PAYMENT_KEY"),
            ("https://pay.example", short, "PAYMENT_KEY"),
        ] {
            let complaint = http(url, key).err().unwrap();
            assert!(complaint.contains(names) && !complaint.contains(key.get(..9).unwrap_or("none")), "{complaint}");
        }
        assert!(read(&[("PAYMENT_PROVIDER", "cash")]).is_err());
    }

    #[test]
    fn the_development_key_is_for_this_machine_alone() {
        for name in ["JWT_KEY", "JWT_KEYS_ACCEPTED", "IM_KEY"] {
            let key = (name, token::DEVELOPMENT_KEY);
            assert!(read(&[key]).is_err());
            assert!(read(&[key, ("AWS_ENDPOINT_URL_DYNAMODB", "https://dynamodb.eu-west-1.amazonaws.com")]).is_err());
            assert!(read(&[key, ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9001")]).is_ok());
        }
    }
}
