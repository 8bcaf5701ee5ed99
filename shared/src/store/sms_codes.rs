//! SMS codes: one a phone, and how many were sent.
use std::collections::BTreeSet;

use serde::Deserialize;

use super::{
    keys,
    table::{Action, Item, Outcome, Store, number, read, set, text},
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
}

impl Store {
    /// Makes a code, keeps it and counts it, all or nothing. 429 where a limit is reached; `most_a_day` is for all
    /// phones together.
    pub async fn new_sms_code(&self, phone: &Phone, most_a_day: u64) -> Result<String, Refusal> {
        let (now, moment, digits) = (self.system.now(), &moment(&self.system), &self.system.six_digits());
        let key = &keys::sms(phone);
        let spent = Refusal::TooMany("no more codes are sent today: try again tomorrow".into());
        if most_a_day == 0 {
            return Err(spent);
        }
        let spent = &spent;
        let build = |codes: Option<Item>| async move {
            if let Some(codes) = codes.map(read::<Codes>).transpose()? {
                let pause = (codes.sent_at + PAUSE).saturating_sub(now).div_ceil(1000);
                if pause > 0 {
                    return Err(Refusal::TooMany(format!("one code a minute: try again in {pause} s")));
                }
                let outdated = A_DAY.outdated(&codes.sent, now);
                if outdated.is_empty() {
                    let minutes = A_DAY.wait(&codes.sent, now).div_ceil(MINUTE);
                    return Err(Refusal::TooMany(format!("ten codes a day: try again in {minutes} min")));
                }
                self.forget_moments(key, "sent", outdated).await?;
            }
            let code = "SET digits = :digits, sent_at = :now, good_until = :until, expires_at = :end \
                        ADD sent :moments REMOVE code_tries";
            let pause = "(attribute_not_exists(sent_at) OR sent_at <= :pause)";
            let code = Action::update(key.clone(), code)
                .when(format!("{pause} AND {}", Window::condition("sent")))
                .with(":digits", text(digits))
                .with(":now", number(now))
                .with(":until", number(now + LIFE))
                .with(":end", number((now + DAY + MINUTE) / 1000))
                .with(":moments", set(moment))
                .with(":moment", text(moment))
                .with(":most", number(A_DAY.most))
                .with(":pause", number(now.saturating_sub(PAUSE)))
                .or_look();
            let day = Action::update(keys::sms_day(now), "SET expires_at = :end ADD sent_in_all :one")
                .when("attribute_not_exists(sent_in_all) OR sent_in_all < :most")
                .with(":end", number((now + 2 * DAY) / 1000))
                .with(":one", number(1))
                .with(":most", number(most_a_day))
                .or_refuse(spent.clone());
            Ok((vec![code, day], digits.clone()))
        };
        self.transact(build).await
    }

    /// Whether `code` is the phone's, after counting the try: 3200 where it is not. One write.
    pub async fn prove_code(&self, phone: Phone, code: &str) -> Result<ProvedCode, Refusal> {
        let moment = moment(&self.system);
        let update = Action::update(keys::sms(&phone), "ADD code_tries :moments")
            .when(format!("attribute_exists(digits) AND good_until > :now AND {}", Window::condition("code_tries")))
            .with(":moments", set(&moment))
            .with(":moment", text(&moment))
            .with(":most", number(TRIES))
            .with(":now", number(self.system.now()));
        let Outcome::Done(item) = self.change(update).await? else {
            return Err(Refusal::SmsCode);
        };
        let Codes { digits, sent_at, .. } = read(item)?;
        match digits.as_deref() == Some(code) {
            true => Ok(ProvedCode { phone, sent_at }),
            false => Err(Refusal::SmsCode),
        }
    }

    /// Uses the code up; 3200 where it was used, or another sent, meanwhile.
    pub(super) fn use_code(&self, code: &ProvedCode) -> Action {
        Action::update(keys::sms(&code.phone), "REMOVE digits")
            .when("attribute_exists(digits) AND sent_at = :sent_at")
            .with(":sent_at", number(code.sent_at))
            .or_refuse(Refusal::SmsCode)
    }
}
