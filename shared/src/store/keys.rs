//! The key design: the only place where a key is spelt.
//!
//! | what | pk | sk | read and written by |
//! |---|---|---|---|
//! | a user | `U#<id>` | `PROFILE` | all that shows or changes a user |
//! | their password, epoch, ended tokens, wrong guesses | `U#<id>` | `AUTH` | the session check, logins |
//! | whose phone, proved by SMS | `PHONE#<country>-<number>` | `-` | logins, registration |
//! | whose e-mail | `EMAIL#<address>` | `-` | logins, changes of it |
//! | whose user name | `NAME#<name>` | `-` | logins |
//! | whose identity at QQ, WeChat, Weibo | `OPENID#<provider>#<openid>` | `-` | logins through them |
//! | wrong guesses at an account that does not exist | `GUESS#<hash of the account>` | `AUTH` | logins |
//! | the SMS code of a phone, and how many were sent | `SMS#<country>-<number>` | `-` | the five operations with a code |
//! | a user's gallery: name, count, cover | `U#<user>` | `G#<gallery>` | lists of galleries, uploads |
//! | how many galleries a user has | `U#<user>` | `GALLERIES` | making and deleting one |
//! | a gallery to which a user gave a heart | `U#<user>` | `H#<gallery>` | heartbeats |
//! | whose gallery it is | `G#<gallery>` | `HEAD` | all that is told a gallery's id alone |
//! | a gallery's pictures, the first one first | `G#<gallery>` | `P#<picture>` | its list |
//! | all pictures, and each one's gallery | `WALL` | `<picture>` | the public wall, the detail page |
//! | how many SMS were sent on a day | `SMSDAY#<day>` | `-` | `send_sms_code` |
//!
//! An id is written with 16 digits, so that keys sort as ids do. What ends by itself carries `expires_at`, in seconds.
use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use ring::digest;

use crate::domain::{Account, DAY, Email, GalleryId, Millis, Phone, PictureId, UserId, hex};

/// An item's whole key.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    pub pk: String,
    pub sk: String,
}

impl From<Key> for HashMap<String, AttributeValue> {
    fn from(key: Key) -> Self {
        [("pk".into(), AttributeValue::S(key.pk)), ("sk".into(), AttributeValue::S(key.sk))].into()
    }
}

fn key(pk: String, sk: &str) -> Key {
    Key { pk, sk: sk.into() }
}

/// Of an item that is alone in its partition.
const ALONE: &str = "-";

pub fn profile(of: UserId) -> Key {
    key(user(of), "PROFILE")
}

pub fn auth(of: UserId) -> Key {
    key(user(of), "AUTH")
}

pub fn phone(phone: &Phone) -> Key {
    key(format!("PHONE#{}-{}", phone.country(), phone.number()), ALONE)
}

pub fn email(email: &Email) -> Key {
    key(format!("EMAIL#{}", email.as_str()), ALONE)
}

/// A user name may be as long as a client cares to send; a key may not.
pub fn name(name: &str) -> Key {
    match name.len() {
        ..=512 => key(format!("NAME#{name}"), ALONE),
        _ => key(format!("NAME##{}", hash(name)), ALONE),
    }
}

/// `provider` is `qq`, `wechat` or `weibo`; the openid was proved, so it is the provider's and short.
pub fn third_party(provider: &str, openid: &str) -> Key {
    key(format!("OPENID#{provider}#{openid}"), ALONE)
}

/// Whose account it is.
pub fn account(account: &Account) -> Key {
    match account {
        Account::Phone(text) => phone(text),
        Account::Email(text) => email(text),
        Account::Name(text) => name(text),
    }
}

/// Where guesses at an unknown account are counted. Hashed: people type passwords into the wrong field.
pub fn guesses_at(text: &Account) -> Key {
    key(format!("GUESS#{}", hash(&account(text).pk)), "AUTH")
}

pub fn sms(phone: &Phone) -> Key {
    key(format!("SMS#{}-{}", phone.country(), phone.number()), ALONE)
}

fn id(id: u64) -> String {
    format!("{id:016}")
}

/// The galleries and hearts of a user lie in the user's partition.
pub fn user(user: UserId) -> String {
    format!("U#{}", id(user.0))
}

pub const GALLERY: &str = "G#";
pub const HEART: &str = "H#";

pub fn user_gallery(owner: UserId, gallery: GalleryId) -> Key {
    Key { pk: user(owner), sk: format!("{GALLERY}{}", id(gallery.0)) }
}

pub fn gallery_count(owner: UserId) -> Key {
    key(user(owner), "GALLERIES")
}

pub fn heart(of: UserId, gallery: GalleryId) -> Key {
    Key { pk: user(of), sk: format!("{HEART}{}", id(gallery.0)) }
}

pub fn gallery(gallery: GalleryId) -> String {
    format!("G#{}", id(gallery.0))
}

/// It sorts before the pictures, so that one query brings both.
pub fn gallery_head(of: GalleryId) -> Key {
    key(gallery(of), "HEAD")
}

pub fn gallery_picture(of: GalleryId, picture: PictureId) -> Key {
    Key { pk: gallery(of), sk: format!("P#{}", id(picture.0)) }
}

/// One partition takes 1,000 units of writing a second: some 500 uploads, each a transaction.
pub const WALL: &str = "WALL";

pub fn wall(picture: PictureId) -> Key {
    Key { pk: WALL.into(), sk: id(picture.0) }
}

/// Nobody's: read to open the connection.
pub fn warm() -> Key {
    key("WARM".into(), ALONE)
}

/// A day is UTC's.
pub fn sms_day(at: Millis) -> Key {
    key(format!("SMSDAY#{}", at / DAY), ALONE)
}

fn hash(text: &str) -> String {
    hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_spelt_so() {
        let spelt = |key: Key| format!("{} / {}", key.pk, key.sk);
        let hong_kong = Phone::parse("+85212345678").unwrap();
        assert_eq!(spelt(profile(UserId(6))), "U#0000000000000006 / PROFILE");
        assert_eq!(spelt(auth(UserId((1 << 53) - 1))), "U#9007199254740991 / AUTH");
        assert_eq!(spelt(phone(&hong_kong)), "PHONE#852-12345678 / -");
        assert_eq!(spelt(email(&Email::parse("A@b.com").unwrap())), "EMAIL#a@b.com / -");
        assert_eq!(spelt(name("felix")), "NAME#felix / -");
        assert_eq!(spelt(third_party("qq", "ABC")), "OPENID#qq#ABC / -");
        assert_eq!(spelt(account(&Account::parse("13800138000"))), "PHONE#86-13800138000 / -");
        assert_eq!(
            spelt(guesses_at(&Account::parse("felix"))),
            "GUESS#19f06aa8364dba46ad47b8860e6077abeee20978534c3b2a080976a20b8f6b4b / AUTH"
        );
        assert_eq!(spelt(sms(&hong_kong)), "SMS#852-12345678 / -");
        assert_eq!(spelt(user_gallery(UserId(6), GalleryId(7))), "U#0000000000000006 / G#0000000000000007");
        assert_eq!(spelt(gallery_count(UserId(6))), "U#0000000000000006 / GALLERIES");
        assert_eq!(spelt(heart(UserId(6), GalleryId(7))), "U#0000000000000006 / H#0000000000000007");
        assert_eq!(spelt(gallery_head(GalleryId(7))), "G#0000000000000007 / HEAD");
        assert_eq!(spelt(gallery_picture(GalleryId(7), PictureId(8))), "G#0000000000000007 / P#0000000000000008");
        assert_eq!(spelt(wall(PictureId(8))), "WALL / 0000000000000008");
        assert_eq!(spelt(sms_day(1_700_000_000_000)), "SMSDAY#19675 / -");
    }

    #[test]
    fn no_name_is_too_long_for_a_key() {
        let long = "é".repeat(100_000);
        assert!(name(&long).pk.len() < 1024);
        assert_ne!(name(&long), name(&format!("{long}x")));
        assert_eq!(name(&"x".repeat(512)).pk.len(), 517);
    }
}
