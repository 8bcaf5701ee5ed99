//! What people type, and what can be seen of it.

/// Whether nothing can be seen of a text.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(is_unseen)
}

/// Unicode's White_Space, controls, its Default_Ignorable_Code_Point, and letters that look like a space.
fn is_unseen(letter: char) -> bool {
    let ignorable = matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}');
    // Braille without dots, a note without a head, marks of annotations, fillers of old scripts.
    let empty = matches!(letter,
        '\u{2800}' | '\u{1d159}' | '\u{fff9}'..='\u{fffb}' | '\u{16fe4}' | '\u{13441}'..='\u{13442}');
    letter.is_whitespace() || letter.is_control() || ignorable || empty
}

/// Embeddings, overrides and isolates: what follows them is written in a direction that its letters do not have.
pub fn turns_direction(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What stands around a text that was typed or pasted: spaces, and what messengers and address books put there to
/// steer how it is written.
fn is_around(letter: char) -> bool {
    let steers = matches!(letter,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    letter.is_whitespace() || letter.is_control() || turns_direction(letter) || steers
}

/// What was typed, without what is around it.
pub fn typed(text: &str) -> &str {
    text.trim_matches(is_around)
}

/// The digits of a phone or a code without what stands between them: spaces, hyphens, dots, parentheses. Full-width
/// digits, as Chinese keyboards have them, are digits. Anything else stays.
pub fn dialled(text: &str) -> String {
    let narrow = |letter| match letter {
        '０'..='９' => char::from(b'0' + (u32::from(letter) - u32::from('０')) as u8),
        '＋' => '+',
        '（' => '(',
        '）' => ')',
        '．' => '.',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}' | '－' => '-',
        _ => letter,
    };
    let narrow: String = text.chars().filter(|letter| !is_around(*letter)).map(narrow).collect();
    // A number that was written as a fraction; and the zero that is dialled inside the country alone.
    let narrow = narrow.strip_suffix(".0").unwrap_or(&narrow).replace("(0)", "");
    narrow.replace(['-', '.', '(', ')'], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_blank_when_nothing_of_it_can_be_seen() {
        let unseen = [
            0x09, 0x0a, 0x20, 0x7f, 0x85, 0xa0, 0xad, 0x34f, 0x61c, 0x115f, 0x1160, 0x1680, 0x17b4, 0x17b5, 0x180b,
            0x180e, 0x180f, 0x2000, 0x200a, 0x200b, 0x200c, 0x200d, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202e,
            0x202f, 0x205f, 0x2060, 0x2064, 0x2065, 0x2066, 0x2069, 0x206a, 0x206f, 0x2800, 0x3000, 0x3164, 0xfe00,
            0xfe0f, 0xfeff, 0xffa0, 0xfff0, 0xfff9, 0x1bca0, 0x1d159, 0x1d173, 0x1d17a, 0xe0001, 0xe0020, 0xe007f,
            0xe0100, 0xe01ef, 0xe0fff, 0x16fe4, 0x13441,
        ];
        for letter in unseen.map(|code| char::from_u32(code).unwrap()) {
            for text in [format!("{letter}"), format!(" {letter}{letter}"), format!("\u{200b}{letter}\u{3164}")] {
                assert!(is_blank(&text), "{text:?}");
            }
            assert!(!is_blank(&format!("{letter}a")), "{letter:?}");
        }
        for seen in [
            "a",
            ".",
            "_",
            "\u{301}a",
            "中",
            "한국",
            "ㅎ",
            "👨‍👩‍👧",
            "❤\u{fe0f}",
            "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
            "محمد",
            "שלום",
            "فارسی‌زبان",
            "é",
            "हिन्दी",
            "\u{1100}\u{1160}",
            "⠁",
            "ᠮᠣᠩᠭᠣᠯ",
            "ខ្មែរ",
            "\u{fffd}",
            "\u{1d158}",
            "0",
            "\u{e000}",
        ] {
            assert!(!is_blank(seen), "{seen:?}");
        }
    }

    #[test]
    fn what_is_around_a_typed_text_is_no_part_of_it() {
        for around in [
            " ", "\t", "\r\n", "\u{a0}", "\u{3000}", "\u{200b}", "\u{feff}", "\u{202a}", "\u{2068}", "\u{200e}",
            "\u{2028}",
        ] {
            assert_eq!(typed(&format!("{around}a b{around}{around}")), "a b", "{around:?}");
        }
        assert_eq!(typed(" \u{feff} "), "");
        assert_eq!(typed("❤\u{fe0f}"), "❤\u{fe0f}", "it says which heart");
    }

    #[test]
    fn digits_are_told_from_what_stands_between_them() {
        for (text, digits) in [
            ("138 0013 8000", "13800138000"),
            ("138-0013-8000", "13800138000"),
            ("138\u{2011}0013\u{2013}8000", "13800138000"),
            ("138.0013.8000", "13800138000"),
            ("(138)00138000", "13800138000"),
            ("\u{202d}+86\u{a0}138\u{2009}0013\u{a0}8000\u{202c}", "+8613800138000"),
            ("＋８６（１３８）００１３－８０００", "+8613800138000"),
            ("+44 (0)20 7946 0958", "+442079460958"),
            ("13800138000.0", "13800138000"),
            ("1380013800a", "1380013800a"),
            ("138/0013", "138/0013"),
            ("١٣٨", "١٣٨"),
            ("", ""),
        ] {
            assert_eq!(dialled(text), digits, "{text:?}");
        }
    }
}
