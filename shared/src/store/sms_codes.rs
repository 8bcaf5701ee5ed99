//! SMS codes: one a phone, and how many were sent.
use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::TransactWriteItem;
use serde::Deserialize;

use super::{
    Outcome, Refused, Store, keys, number, read, set, text, values,
    window::{Window, moment},
};
use crate::domain::{DAY, MINUTE, Millis, Phone, Refusal};

/// How long a code is good for.
pub const LIFE: Millis = 5 * MINUTE;
/// Wrong codes that are borne, each try counted before it is looked at.
const TRIES: usize = 5;
/// Codes for one phone.
const A_DAY: Window = Window { most: 10, span: DAY };
const PAUSE: Millis = MINUTE;

/// What is known of a phone's codes.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Codes {
    /// The code. (`code` and `number` are words that the table keeps for itself.)
    digits: Option<String>,
    sent_at: Millis,
    /// When codes were sent, as moments.
    #[serde(with = "serde_dynamo::string_set")]
    sent: BTreeSet<String>,
}

/// That somebody holds a phone: they knew its code. It is used up in the transaction that it was proved for.
#[derive(Clone, Debug)]
pub struct ProvedCode {
    pub phone: Phone,
    /// Tells this code from one sent later.
    sent_at: Millis,
    /// Its name in the request, for a refusal to blame.
    pub(super) field: &'static str,
}

impl Store {
    /// Makes a code, keeps it and counts it, all or nothing. 429 where a limit is reached; `most_a_day` is for all
    /// phones together.
    pub async fn new_sms_code(&self, phone: &Phone, most_a_day: u64) -> Result<String, Refusal> {
        let (now, moment, digits) = (self.world.now(), moment(&self.world), self.world.six_digits());
        let key = keys::sms(phone);
        let spent = || Refusal::TooMany("no more codes are sent today: try again tomorrow".into());
        if most_a_day == 0 {
            return Err(spent());
        }
        loop {
            let condition =
                format!("(attribute_not_exists(sent_at) OR sent_at <= :pause) AND {}", Window::condition("sent"));
            let code = self.update_action(
                key.clone(),
                "SET digits = :digits, sent_at = :now, good_until = :until, expires_at = :end ADD sent :moments \
                 REMOVE code_tries",
                condition,
                values([
                    (":digits", text(&digits)),
                    (":now", number(now)),
                    (":until", number(now + LIFE)),
                    (":end", number((now + DAY + MINUTE) / 1000)),
                    (":moments", set(&moment)),
                    (":moment", text(&moment)),
                    (":most", number(A_DAY.most)),
                    (":pause", number(now.saturating_sub(PAUSE))),
                ]),
            )?;
            let day = self.update_action(
                keys::sms_day(now),
                "SET expires_at = :end ADD sent_in_all :one",
                "attribute_not_exists(sent_in_all) OR sent_in_all < :most",
                values([(":end", number((now + 2 * DAY) / 1000)), (":one", number(1)), (":most", number(most_a_day))]),
            )?;
            let item = match self.transact(vec![code, day]).await? {
                Ok(()) => return Ok(digits),
                Err(Refused { at: 0, item }) => item,
                Err(_) => return Err(spent()),
            };
            let codes: Codes = read(item)?;
            let pause = (codes.sent_at + PAUSE).saturating_sub(now).div_ceil(1000);
            if pause > 0 {
                return Err(Refusal::TooMany(format!("phone: one code a minute: try again in {pause} s")));
            }
            let outdated = A_DAY.outdated(&codes.sent, now);
            if outdated.is_empty() {
                let minutes = A_DAY.wait(&codes.sent, now).div_ceil(MINUTE);
                return Err(Refusal::TooMany(format!("phone: ten codes a day: try again in {minutes} min")));
            }
            self.forget(&key, "sent", outdated).await?;
        }
    }

    /// Whether `code` is the phone's, after counting the try. `field` is the code's name in the request.
    pub async fn prove_code(&self, phone: Phone, code: &str, field: &'static str) -> Result<ProvedCode, Refusal> {
        let moment = moment(&self.world);
        let update = self
            .update(keys::sms(&phone), "ADD code_tries :moments")
            .condition_expression(format!(
                "attribute_exists(digits) AND good_until > :now AND {}",
                Window::condition("code_tries")
            ))
            .set_expression_attribute_values(values([
                (":moments", set(&moment)),
                (":moment", text(&moment)),
                (":most", number(TRIES)),
                (":now", number(self.world.now())),
            ]));
        let Outcome::Done(item) = self.change(update).await? else {
            return Err(Refusal::SmsCode(field));
        };
        let Codes { digits, sent_at, .. } = read(item)?;
        match digits.as_deref() == Some(code) {
            true => Ok(ProvedCode { phone, sent_at, field }),
            false => Err(Refusal::SmsCode(field)),
        }
    }

    /// Uses the code up; fails where it was used, or another sent, meanwhile.
    pub(super) fn use_code(&self, code: &ProvedCode) -> Result<TransactWriteItem, Refusal> {
        self.update_action(
            keys::sms(&code.phone),
            "REMOVE digits",
            "attribute_exists(digits) AND sent_at = :sent_at",
            values([(":sent_at", number(code.sent_at))]),
        )
    }
}
