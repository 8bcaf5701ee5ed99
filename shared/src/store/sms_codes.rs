//! SMS codes: one a phone, and how many were sent.
use std::collections::BTreeSet;

use serde::Deserialize;

use super::{
    keys::{self, Key},
    table::{Action, Item, Outcome, Store, number, read, set, text},
    window::{ONE_MORE, Window, moment},
};
use crate::{
    domain::{DAY, HOUR, MINUTE, Millis, Phone, Refusal, SmsLimits},
    words,
};

/// How long a code is good for.
pub const LIFE: Millis = 5 * MINUTE;
/// Wrong codes that are borne, each try counted before it is looked at.
const TRIES: usize = 5;
/// Codes for one phone.
const A_DAY: Window = Window { most: 10, span: DAY };
const PAUSE: Millis = MINUTE;

/// What is known of a phone's codes. Of a source only `sent` is.
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

/// A code that is counted and kept, but not sent yet.
#[derive(Debug)]
pub struct NewCode {
    pub digits: String,
    phone: Phone,
    source: String,
    to_stranger: bool,
    sent_at: Millis,
    moment: String,
}

/// That somebody holds a phone: they knew its code. It is used up in the transaction that it was proved for.
#[derive(Clone, Debug)]
pub struct ProvedCode {
    pub phone: Phone,
    /// Tells this code from one sent later.
    sent_at: Millis,
}

impl Store {
    /// Makes a code, keeps it and counts it, all or nothing. 429 where a limit is reached; `source` is the pseudonym of
    /// where it is asked for. Two rounds: whether the phone has an account, then a transaction.
    pub async fn new_sms_code(&self, phone: &Phone, source: &str, limits: SmsLimits) -> Result<NewCode, Refusal> {
        let spent = &Refusal::TooMany(words!(
            "no more codes are sent today: try again tomorrow",
            "今天的验证码已发完，请明天再试"
        ));
        if limits.daily == 0 || limits.hourly == 0 {
            return Err(spent.clone());
        }
        let to_stranger = self.whose(keys::phone(phone)).await?.is_none();
        let (now, moment) = (self.system.now(), &moment(&self.system));
        let (an_hour, of_source) = (&Window { most: limits.hourly, span: HOUR }, &keys::sms_source(source));
        let (digits, of_phone) = (&self.system.six_digits(), &keys::sms(phone));
        let build = |full: Option<Item>| async move {
            match full.map(|item| Ok::<_, Refusal>((Key::of(&item), read::<Codes>(item)?))).transpose()? {
                Some((key, Codes { sent, .. })) if key.as_ref() == Some(of_source) => {
                    let full = |wait: Millis| {
                        words!(
                            "{most} codes an hour are sent for one address: try again in {minutes} min",
                            "同一网络地址每小时最多 {most} 条验证码，请 {minutes} 分钟后再试",
                            most = an_hour.most,
                            minutes = wait.div_ceil(MINUTE)
                        )
                    };
                    self.make_room(an_hour, of_source, &sent, now, full).await?;
                }
                Some((_, Codes { sent_at, sent, .. })) => {
                    let pause = (sent_at + PAUSE).saturating_sub(now).div_ceil(1000);
                    if pause > 0 {
                        return Err(Refusal::TooMany(words!(
                            "one code a minute: try again in {pause} s",
                            "每分钟只发一条验证码，请 {pause} 秒后再试",
                            pause = pause
                        )));
                    }
                    let full = |wait: Millis| {
                        words!(
                            "ten codes a day: try again in {minutes} min",
                            "每天最多十条验证码，请 {minutes} 分钟后再试",
                            minutes = wait.div_ceil(MINUTE)
                        )
                    };
                    self.make_room(&A_DAY, of_phone, &sent, now, full).await?;
                }
                None => {}
            }
            let code = "SET digits = :digits, sent_at = :now, good_until = :until, expires_at = :end \
                        ADD sent :moments REMOVE code_tries";
            let code = A_DAY
                .counted(of_phone, code, moment, now)
                .and("(attribute_not_exists(sent_at) OR sent_at <= :pause)")
                .with(":digits", text(digits))
                .with(":now", number(now))
                .with(":until", number(now + LIFE))
                .with(":pause", number(now.saturating_sub(PAUSE)))
                .or_look();
            let source = an_hour.counted(of_source, ONE_MORE, moment, now).or_look();
            let below = |count: &str, most: &str| format!("(attribute_not_exists({count}) OR {count} < {most})");
            let day = count_of_day(now, to_stranger, 1)
                .when(below("sent_in_all", ":most"))
                .with(":most", number(limits.daily))
                .or_refuse(spent.clone());
            let day = match to_stranger {
                true => day
                    .and(&below("sent_to_strangers", ":strangers"))
                    .with(":strangers", number(limits.for_strangers())),
                false => day,
            };
            Ok((vec![code, source, day], ()))
        };
        self.transact(build).await?;
        Ok(NewCode {
            digits: digits.clone(),
            phone: phone.clone(),
            source: source.to_owned(),
            to_stranger,
            sent_at: now,
            moment: moment.clone(),
        })
    }

    /// As if a code had never been asked for: it was certainly not sent. Nobody can know it. One transaction.
    pub async fn take_code_back(&self, code: NewCode) -> Result<(), Refusal> {
        let uncount = |key: Key, update: &str| Action::update(key, update).with(":moment", set(&code.moment));
        let kept = uncount(keys::sms(&code.phone), "DELETE sent :moment REMOVE digits, sent_at")
            .when("sent_at = :sent_at")
            .with(":sent_at", number(code.sent_at))
            .or_done();
        let source = uncount(keys::sms_source(&code.source), "DELETE sent :moment");
        let day = count_of_day(code.sent_at, code.to_stranger, -1);
        self.transact_once(vec![kept, source, day]).await
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

/// Adds to the codes of a day.
fn count_of_day(at: Millis, to_stranger: bool, much: i64) -> Action {
    let strangers = if to_stranger { ", sent_to_strangers :much" } else { "" };
    Action::update(keys::sms_day(at), format!("SET expires_at = :end ADD sent_in_all :much{strangers}"))
        .with(":much", number(much))
        .with(":end", number((at + 2 * DAY) / 1000))
}
