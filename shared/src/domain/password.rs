use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _, password_hash::phc::PasswordHash};
use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};

use super::{PasswordRule, Refusal, hex};
use crate::words;

/// A password as all documents can bring it: the lower-case hexadecimal MD5 of what the user typed. Document E's
/// clients send nothing else, so it is what is hashed and stored for everybody.
pub struct Password(String);

impl Password {
    /// The password itself, to be compared with the stored one. Rules are for new passwords.
    pub fn typed(password: &str) -> Self {
        Self(hex(&Md5::digest(password.as_bytes())))
    }

    /// What document E's clients send: the MD5 of the password, 32 hexadecimal digits.
    pub fn md5(digits: &str) -> Result<Self, Refusal> {
        match digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            true => Ok(Self(digits.to_ascii_lowercase())),
            false => Err(Refusal::malformed(
                "password",
                words!("send its MD5 as 32 hexadecimal digits", "请发送密码的 MD5：32 位十六进制数字"),
            )),
        }
    }

    /// Document C's rule for a new one: 8 to 16 characters, letters and digits, at least one of each.
    pub fn new_letters_and_digits(password: &str) -> Result<Self, Refusal> {
        let has = |kind: fn(&u8) -> bool| password.as_bytes().iter().any(kind);
        let fits = (8..=16).contains(&password.len()) && password.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match fits && has(u8::is_ascii_alphabetic) && has(u8::is_ascii_digit) {
            true => Ok(Self::typed(password)),
            false => Err(Refusal::PasswordRules(PasswordRule::EightToSixteen)),
        }
    }

    /// The other documents' rule for a new one: 6 to 64 characters, whichever.
    pub fn new_six_to_sixty_four(password: &str) -> Result<Self, Refusal> {
        match (6..=64).contains(&password.chars().count()) {
            true => Ok(Self::typed(password)),
            false => Err(Refusal::PasswordRules(PasswordRule::SixToSixtyFour)),
        }
    }
}

/// Argon2id in PHC form, over [`Password`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredPassword(String);

impl StoredPassword {
    /// Some 20 ms of CPU and 19 MiB, by OWASP's first choice of parameters, which are the crate's default.
    pub fn hash(password: &Password, salt: [u8; 16]) -> Result<Self, Refusal> {
        match Argon2::default().hash_password_with_salt(password.0.as_bytes(), &salt) {
            Ok(hash) => Ok(Self(hash.to_string())),
            Err(_) => Err(Refusal::Internal),
        }
    }

    /// Whether it is the password. Where there is none to compare with, the answer is no after the same time, so that
    /// an unknown account cannot be told from a wrong password.
    pub fn verify(stored: Option<&Self>, password: &Password) -> bool {
        const NOBODYS: &str =
            "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let Ok(hash) = PasswordHash::new(stored.map_or(NOBODYS, |stored| &stored.0)) else {
            return false;
        };
        let same = Argon2::default().verify_password(password.0.as_bytes(), &hash).is_ok();
        same && stored.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hashed_is_the_md5() {
        let md5 = "e10adc3949ba59abbe56e057f20f883e";
        assert_eq!(Password::typed("123456").0, md5);
        assert_eq!(Password::md5(&md5.to_uppercase()).unwrap().0, md5);
        assert!(Password::md5("123456").is_err() && Password::md5(&md5.replace('e', "g")).is_err());
    }

    #[test]
    fn only_the_password_is_the_password() {
        let stored = StoredPassword::hash(&Password::typed("secret12"), [7; 16]).unwrap();
        assert!(stored.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", stored.0);
        assert!(StoredPassword::verify(Some(&stored), &Password::typed("secret12")));
        assert!(!StoredPassword::verify(Some(&stored), &Password::typed("secret13")));
        assert!(!StoredPassword::verify(None, &Password::typed("secret12")));
    }

    #[test]
    fn nobodys_password_costs_what_any_other_does() {
        // The stand-in must be well-formed, or the comparison would end at once and tell unknown accounts apart.
        let cost = |stored: &str| stored.split('$').nth(3).map(str::to_owned);
        let stored = StoredPassword::hash(&Password::typed("x"), [0; 16]).unwrap();
        assert_eq!(cost(&stored.0).as_deref(), Some("m=19456,t=2,p=1"));
    }

    #[test]
    fn document_c_wants_letters_and_digits() {
        for good in ["abcdefg1", "1234567a", "ABCDEFGH12345678"] {
            assert!(Password::new_letters_and_digits(good).is_ok(), "{good}");
        }
        for bad in ["", "abcdef1", "abcdefgh", "12345678", "abcdefgh123456789", "abcdefg 1", "abcdefg_1", "пароль12"]
        {
            assert!(Password::new_letters_and_digits(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_others_want_six_to_sixty_four_characters() {
        for good in ["123456", "пароль", "      ", &"密".repeat(64)] {
            assert!(Password::new_six_to_sixty_four(good).is_ok(), "{good}");
        }
        for bad in ["", "12345", "密码密码密", &"x".repeat(65), &"密".repeat(65)] {
            let no = Password::new_six_to_sixty_four(bad).err();
            assert_eq!(no, Some(Refusal::PasswordRules(PasswordRule::SixToSixtyFour)), "{bad}");
        }
    }
}
