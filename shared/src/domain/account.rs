use std::fmt;

use email_address::{EmailAddress, Options};
use serde::{Deserialize, Serialize};

use super::{
    PhoneFault, Refusal,
    text::{dialled, typed},
};
use crate::words;

/// A phone number: country code and national number, digits only.
///
/// Country codes are prefix-free, so that `+85212345678` and country 852 with 12345678 are one phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phone {
    country: String,
    number: String,
}

const CHINA: &str = "86";

impl Phone {
    /// Country code and number apart, as document D has them. A number that brings a country code as well must bring
    /// the same; without `country`, it is read as the other documents read theirs.
    pub fn of(country: Option<&str>, number: &str) -> Result<Self, Refusal> {
        let Some(country) = country else {
            return Self::parse(number);
        };
        let (country, number) = (dialled(country), dialled(number));
        let country = international(&country).unwrap_or(&country);
        match international(&number) {
            None => Self::new(country, &number),
            Some(whole) => match Self::of_international(whole)? {
                phone if phone.country == country => Ok(phone),
                _ if country_code(country) != Some(country) => Err(Refusal::Phone(PhoneFault::Country)),
                _ => Err(Refusal::Phone(PhoneFault::Contradiction)),
            },
        }
    }

    fn new(country: &str, number: &str) -> Result<Self, Refusal> {
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(country) || country_code(country) != Some(country) {
            return Err(Refusal::Phone(PhoneFault::Country));
        }
        let fault = match country {
            CHINA if !is_chinese_mobile(number) => Some(PhoneFault::China),
            CHINA => None,
            _ if !digits(number) || !(5..=15).contains(&number.len()) => Some(PhoneFault::Elsewhere),
            _ => None,
        };
        match fault {
            Some(fault) => Err(Refusal::Phone(fault)),
            None => Ok(Self { country: country.into(), number: number.into() }),
        }
    }

    /// One text: a bare number of country 86, or `+` and country code, as in the other documents. Spaces, hyphens, dots
    /// and parentheses in it are none of it.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let number = dialled(text);
        match international(&number) {
            None => Self::new(CHINA, &number),
            Some(whole) => Self::of_international(whole),
        }
    }

    /// Of a number that begins with its country code.
    fn of_international(whole: &str) -> Result<Self, Refusal> {
        let country = country_code(whole).ok_or(Refusal::Phone(PhoneFault::Country))?;
        Self::new(country, &whole[country.len()..])
    }

    /// 1 to 3 digits.
    pub fn country(&self) -> &str {
        &self.country
    }

    /// The number without its country code: at most 15 digits, so that it is exact in a JSON number.
    pub fn number(&self) -> &str {
        &self.number
    }

    /// `+8613800138000`: what an SMS is sent to.
    pub fn e164(&self) -> String {
        format!("+{}{}", self.country, self.number)
    }
}

/// As one text: what [`Phone::parse`] reads.
impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.country.as_str() {
            CHINA => f.write_str(&self.number),
            country => write!(f, "+{country}{}", self.number),
        }
    }
}

/// What follows `+`, or the `00` that is dialled in its place; no country's own numbers begin with that.
fn international(number: &str) -> Option<&str> {
    number.strip_prefix('+').or_else(|| number.strip_prefix("00"))
}

fn is_chinese_mobile(number: &str) -> bool {
    matches!(number.as_bytes(), [b'1', b'3'..=b'9', rest @ ..] if rest.len() == 9 && rest.iter().all(u8::is_ascii_digit))
}

/// The country code that a number begins with (ITU-T E.164): zones 1 and 7 are one country each, of the others some
/// codes have two digits and all the rest three.
fn country_code(digits: &str) -> Option<&str> {
    const TWO: &[&str] = &[
        "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49",
        "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84",
        "86", "90", "91", "92", "93", "94", "95", "98",
    ];
    let length = match digits.as_bytes().first()? {
        b'1' | b'7' => 1,
        b'2'..=b'9' if digits.get(..2).is_some_and(|two| TWO.contains(&two)) => 2,
        b'2'..=b'9' => 3,
        _ => return None,
    };
    digits.get(..length)
}

/// An e-mail address, in lower case: two that differ in case only are one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Email(String);

impl Email {
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let options = Options::default().with_required_tld().without_display_text().without_domain_literal();
        match EmailAddress::parse_with_options(typed(text), options) {
            Ok(email) => Ok(Self(email.as_str().to_lowercase())),
            Err(_) => Err(Refusal::malformed("email", words!("not an e-mail address", "不是有效的邮箱地址"))),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What somebody logs in with, told apart by its form.
#[derive(Clone, Debug, PartialEq)]
pub enum Account {
    Phone(Phone),
    Email(Email),
    /// Anything else, so that a slip of the pen is answered like any unknown name.
    Name(String),
    /// One for those who review the app; never told by its form.
    Review(String),
}

impl Account {
    pub fn parse(text: &str) -> Self {
        let text = typed(text);
        if let Ok(phone) = Phone::parse(text) {
            return Self::Phone(phone);
        }
        match text.contains('@').then(|| Email::parse(text)) {
            Some(Ok(email)) => Self::Email(email),
            _ => Self::Name(text.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_mobiles_are_thirteen_to_nineteen_and_nine_digits() {
        for good in ["13800138000", "19999999999"] {
            assert_eq!(Phone::parse(good).unwrap().e164(), format!("+86{good}"));
            assert_eq!(Phone::of(Some("86"), good), Phone::parse(&format!("+86{good}")));
            assert_eq!(Phone::of(Some("+86"), good).unwrap().to_string(), good);
        }
        for bad in [
            "",
            "1380013800",
            "138001380000",
            "12800138000",
            "23800138000",
            "1380013800a",
            "8613800138000",
            "138/0013/8000",
            "138+00138000",
            "1.3800138E10",
            "١٣٨٠٠١٣٨٠٠٠",
        ] {
            assert_eq!(Phone::parse(bad), Err(Refusal::Phone(PhoneFault::China)), "{bad}");
        }
    }

    #[test]
    fn elsewhere_five_to_fifteen_digits() {
        let hong_kong = Phone::parse("+85212345678").unwrap();
        assert_eq!((hong_kong.country(), hong_kong.number()), ("852", "12345678"));
        assert_eq!(hong_kong.to_string(), "+85212345678");
        assert_eq!(Phone::of(Some("852"), "12345678"), Ok(hong_kong));
        for (country, number) in [("1", "2025550123"), ("44", "20794609"), ("7", "12345"), ("421", "123456789012345")] {
            assert!(Phone::of(Some(country), number).is_ok(), "{country} {number}");
        }
        for number in ["1234", "1234567890123456", "12 34", "12a345", ""] {
            assert_eq!(Phone::of(Some("44"), number), Err(Refusal::Phone(PhoneFault::Elsewhere)), "{number}");
        }
    }

    #[test]
    fn one_phone_has_one_country() {
        for country in ["", "0", "85", "8", "12", "4420", "8a", "99999", "+", "é", "00", "++86"] {
            for number in ["212345678", "+44212345678"] {
                let phone = Phone::of(Some(country), number);
                assert_eq!(phone, Err(Refusal::Phone(PhoneFault::Country)), "{country} {number}");
            }
        }
        for text in ["+", "+0123456", "+é12345", "+8", "++8613800138000", "00", "000138"] {
            assert!(Phone::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_phone_is_one_however_it_is_written() {
        for text in [
            "13800138000",
            " 13800138000",
            "13800138000\n",
            "138 0013 8000",
            "138-0013-8000",
            "+8613800138000",
            "+86 13800138000",
            "+86 138 0013 8000",
            "+86-138-0013-8000",
            "+86 (138) 0013-8000",
            "\u{202d}+86\u{a0}138\u{a0}0013\u{a0}8000\u{202c}",
            "\u{feff}+86138\u{200b}00138000",
            "008613800138000",
            "00 86 138 0013 8000",
            "１３８００１３８０００",
            "＋８６ １３８００１３８０００",
        ] {
            for country in [None, Some("86"), Some("+86"), Some(" 86 "), Some("0086"), Some("＋８６"), Some("+ 86")]
            {
                let phone = Phone::of(country, text).map(|phone| phone.e164());
                assert_eq!(phone.as_deref(), Ok("+8613800138000"), "{country:?} {text:?}");
            }
            assert!(matches!(Account::parse(text), Account::Phone(_)), "{text:?}");
        }
        for text in ["+85212345678", "+852 1234 5678", "0085212345678", "+852-1234.5678"] {
            assert_eq!(Phone::of(None, text), Phone::of(Some("852"), "12345678"), "{text}");
            assert_eq!(Phone::of(Some("852"), text), Phone::of(Some("852"), "12345678"), "{text}");
            assert_eq!(Phone::of(Some("86"), text), Err(Refusal::Phone(PhoneFault::Contradiction)), "{text}");
        }
    }

    #[test]
    fn accounts_are_told_apart_by_their_form() {
        assert!(matches!(Account::parse("13800138000"), Account::Phone(_)));
        assert!(matches!(Account::parse("+4420794609"), Account::Phone(_)));
        assert_eq!(Account::parse("Abc@QQ.com"), Account::Email(Email("abc@qq.com".into())));
        assert_eq!(Account::parse("\u{a0}Abc@QQ.com \u{200b}"), Account::Email(Email("abc@qq.com".into())));
        for name in ["felix", "10340", "+", "a@", "@", "", "fe-lix.2 (x)", "１２", "❤\u{fe0f}"] {
            assert_eq!(Account::parse(name), Account::Name(name.into()));
            assert_eq!(Account::parse(&format!("\t{name}\u{3000}")), Account::Name(name.into()));
        }
    }

    #[test]
    fn emails_are_checked_and_lowered() {
        for text in ["1234567@QQ.com", " 1234567@qq.com", "1234567@qq.com\r\n", "\u{feff}1234567@qq.com\u{3000}"] {
            assert_eq!(Email::parse(text).unwrap().as_str(), "1234567@qq.com", "{text:?}");
        }
        for bad in ["", "a", "a@b", "a b@c.com", "A <a@c.com>", "a@[127.0.0.1]", &format!("{}@c.com", "a".repeat(300))]
        {
            assert!(Email::parse(bad).is_err(), "{bad}");
        }
    }
}
