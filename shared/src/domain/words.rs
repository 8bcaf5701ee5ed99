//! What people are told, in each language that is spoken here.
use std::{borrow::Cow, fmt};

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Language {
    English,
    Chinese,
}

impl Language {
    /// As `Content-Language` has it.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh",
        }
    }
}

/// The same said in English and in Chinese: [`words!`](crate::words) makes it, of both or not at all.
///
/// `{}` shows the English, `{:#}` the Chinese: so words pass through what takes any `Display`, such as serde's errors,
/// and come out in both languages.
#[derive(Clone, Debug, PartialEq)]
pub struct Words {
    english: Cow<'static, str>,
    chinese: Cow<'static, str>,
}

impl Words {
    /// For [`words!`](crate::words).
    #[doc(hidden)]
    pub const fn plain(english: &'static str, chinese: &'static str) -> Self {
        Self::check(english, chinese);
        // What would be filled in needs its name and value behind the texts.
        assert!(!has(english, b'{') && !has(chinese, b'{'), "`words!` takes arguments by name: `most = MOST`");
        Self { english: Cow::Borrowed(english), chinese: Cow::Borrowed(chinese) }
    }

    /// For [`words!`](crate::words).
    #[doc(hidden)]
    pub const fn filled(english: String, chinese: String) -> Self {
        Self { english: Cow::Owned(english), chinese: Cow::Owned(chinese) }
    }

    /// Stops the compiler where a text is not in its language.
    #[doc(hidden)]
    pub const fn check(english: &str, chinese: &str) {
        assert!(!is_chinese(english), "the English comes first");
        assert!(is_chinese(chinese), "the Chinese is missing");
    }

    /// What something says of itself by `{}` and by `{:#}`.
    pub fn said(what: impl fmt::Display) -> Self {
        let words = Self::filled(what.to_string(), format!("{what:#}"));
        debug_assert!(is_chinese(&words.chinese), "said in English alone: {words}");
        words
    }

    /// With the name of the field that they are about.
    pub fn about(&self, field: &str) -> Self {
        Self::filled(format!("{field}: {self}"), format!("{field}: {self:#}"))
    }

    pub fn said_in(&self, language: Language) -> &str {
        match language {
            Language::English => &self.english,
            Language::Chinese => &self.chinese,
        }
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.said_in(if f.alternate() { Language::Chinese } else { Language::English }))
    }
}

/// Whether some byte is the first one of a Chinese letter (U+4000 to U+9FFF).
const fn is_chinese(text: &str) -> bool {
    let mut at = 0;
    while at < text.len() {
        if matches!(text.as_bytes()[at], 0xe4..=0xe9) {
            return true;
        }
        at += 1;
    }
    false
}

const fn has(text: &str, byte: u8) -> bool {
    let mut at = 0;
    while at < text.len() {
        if text.as_bytes()[at] == byte {
            return true;
        }
        at += 1;
    }
    false
}

/// [`Words`]: the English, the Chinese, and by name what is to be filled into both. What is words itself is filled into
/// the Chinese by `{name:#}`. What lacks a language does not compile.
#[macro_export]
macro_rules! words {
    ($english:literal, $chinese:literal $(,)?) => {{
        const WORDS: $crate::domain::Words = $crate::domain::Words::plain($english, $chinese);
        WORDS
    }};
    ($english:literal, $chinese:literal, $($name:ident = $value:expr),+ $(,)?) => {{
        const _: () = $crate::domain::Words::check($english, $chinese);
        $(let $name = &$value;)+
        $crate::domain::Words::filled(format!($english, $($name = $name),+), format!($chinese, $($name = $name),+))
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_said_in_the_language_that_is_asked_for() {
        let plain = words!("a ticket", "一张票");
        assert_eq!((plain.said_in(Language::English), plain.said_in(Language::Chinese)), ("a ticket", "一张票"));
        let filled = words!("at most {most} of {what}", "{what:#}最多 {most} 张", most = 2 + 3, what = plain);
        assert_eq!(
            (format!("{filled}"), format!("{filled:#}")),
            ("at most 5 of a ticket".into(), "一张票最多 5 张".into())
        );
        assert_eq!(Words::said(&filled), filled);
        assert_eq!(format!("{:#}", filled.about("limit")), "limit: 一张票最多 5 张");
    }

    /// What the compiler meets in `words!`.
    #[test]
    fn both_languages_or_nothing() {
        let lacks = |english, chinese| std::panic::catch_unwind(|| Words::plain(english, chinese)).is_err();
        assert!(!lacks("a ticket", "票"));
        for (english, chinese) in [("a ticket", "a ticket"), ("a ticket", ""), ("票", "票"), ("{a}", "{a} 票")] {
            assert!(lacks(english, chinese), "{english} {chinese}");
        }
    }

    #[test]
    fn chinese_is_told_from_what_is_none() {
        for chinese in ["票", "a 票", "一", "龥"] {
            assert!(is_chinese(chinese), "{chinese}");
        }
        for other in ["", "a ticket", "é", "→", "：", "“", "ひ", "한", "👍"] {
            assert!(!is_chinese(other), "{other}");
        }
    }
}
