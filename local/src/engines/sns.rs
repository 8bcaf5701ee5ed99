//! Text messages: the one call of SNS's API that sends them, and an inbox that keeps them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::post;

use crate::guard;

/// Messages kept; older ones are forgotten.
const KEPT: usize = 10_000;
/// The longest message that SNS takes, in bytes.
const LONGEST: usize = 1_600;

/// The messages that were sent to phones, the newest 10,000.
#[derive(Clone, Default)]
pub struct SmsInbox(Arc<Mutex<Messages>>);

#[derive(Default)]
struct Messages {
    sent: u64,
    kept: VecDeque<Message>,
}

struct Message {
    number: u64,
    phone: String,
    text: String,
}

impl SmsInbox {
    /// The first run of exactly six digits in the last message to `phone` (`+8613800138000`).
    pub fn last_code(&self, phone: &str) -> Option<String> {
        let messages = self.lock();
        let last = messages.kept.iter().rev().find(|message| message.phone == phone)?;
        let mut runs = last.text.split(|c: char| !c.is_ascii_digit());
        runs.find(|run| run.len() == 6).map(str::to_owned)
    }

    /// The messages after this number, oldest first: number, phone, text.
    pub fn since(&self, number: u64) -> Vec<(u64, String, String)> {
        let messages = self.lock();
        let later = messages.kept.iter().filter(|message| message.number > number);
        later.map(|Message { number, phone, text }| (*number, phone.clone(), text.clone())).collect()
    }

    /// Keeps a message and says the how manieth it was.
    fn keep(&self, phone: &str, text: &str) -> u64 {
        let mut messages = self.lock();
        if messages.kept.len() == KEPT {
            messages.kept.pop_front();
        }
        messages.sent += 1;
        let number = messages.sent;
        messages.kept.push_back(Message { number, phone: phone.into(), text: text.into() });
        number
    }

    fn lock(&self) -> MutexGuard<'_, Messages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// SNS's query API, as far as `Publish` to a phone number goes.
pub(super) fn router(inbox: SmsInbox, on_message: impl Fn(&str, &str) + Send + Sync + 'static) -> Router {
    let on_message = Arc::new(on_message);
    let publish = move |body: String| async move {
        let parameter = |name: &str| {
            let mut parameters = form_urlencoded::parse(body.as_bytes());
            parameters.find(|(key, _)| key == name).map(|(_, value)| value).unwrap_or_default()
        };
        let (phone, text) = (parameter("PhoneNumber"), parameter("Message"));
        if parameter("Action") != "Publish" {
            return refusal("InvalidAction", "only Publish is known here");
        }
        if !is_e164(&phone) {
            return refusal("InvalidParameter", "Invalid parameter: PhoneNumber");
        }
        if text.is_empty() || text.len() > LONGEST {
            return refusal("InvalidParameter", "Invalid parameter: Message");
        }
        let number = inbox.keep(&phone, &text);
        on_message(&phone, &text);
        let id = format!("00000000-0000-4000-8000-{number:012x}");
        xml(
            StatusCode::OK,
            format!(
                r#"<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>{id}</MessageId></PublishResult><ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></PublishResponse>"#
            ),
        )
    };
    Router::new().route("/", post(publish)).layer(from_fn(guard::own_host_and_origin))
}

fn refusal(code: &str, message: &str) -> Response {
    xml(
        StatusCode::BAD_REQUEST,
        format!(
            r#"<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"#
        ),
    )
}

fn xml(status: StatusCode, body: String) -> Response {
    (status, [(CONTENT_TYPE, "text/xml")], body).into_response()
}

/// `+`, then 2 to 15 digits, the first of them not 0.
fn is_e164(phone: &str) -> bool {
    let digits = phone.strip_prefix('+').unwrap_or_default();
    (2..=15).contains(&digits.len()) && digits.bytes().all(|c| c.is_ascii_digit()) && !digits.starts_with('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_the_first_run_of_six_digits_in_the_last_message() {
        let inbox = SmsInbox::default();
        assert_eq!(inbox.last_code("+8613800138000"), None);
        inbox.keep("+8613800138000", "111111");
        inbox.keep("+8613800138000", "On 2026 order 1234567: 048213, not 222222");
        inbox.keep("+8613800138001", "333333");
        assert_eq!(inbox.last_code("+8613800138000").as_deref(), Some("048213"));
        inbox.keep("+8613800138000", "no code in it");
        assert_eq!(inbox.last_code("+8613800138000"), None);
    }

    #[test]
    fn the_inbox_is_bounded() {
        let inbox = SmsInbox::default();
        inbox.keep("+86100", "000001");
        inbox.keep("+86101", "000002");
        for _ in 2..=KEPT {
            inbox.keep("+86102", "000003");
        }
        assert_eq!(inbox.lock().kept.len(), KEPT);
        assert_eq!(inbox.last_code("+86100"), None);
        assert_eq!(inbox.last_code("+86101").as_deref(), Some("000002"));
    }

    #[test]
    fn phones_are_in_e164_form() {
        for good in ["+8613800138000", "+12", "+123456789012345"] {
            assert!(is_e164(good), "{good}");
        }
        for bad in ["", "+", "+1", "13800138000", "+0123456", "+86 138", "+1234567890123456", "+８６"] {
            assert!(!is_e164(bad), "{bad}");
        }
    }
}
