//! In which language a refusal is said. Nobody reads the header of a request that is answered.
use http::{HeaderMap, header::ACCEPT_LANGUAGE};

use crate::domain::Language;

/// What `Accept-Language` (RFC 9110, 12.5.4) likes better, English where it says nothing of either; of two that it likes
/// as much, the one that it names first. Any Chinese (`zh-CN`, `zh-Hant-HK`) is Chinese.
pub fn wanted(headers: &HeaderMap) -> Language {
    let (mut english, mut chinese, mut others) = (None, None, None);
    let ranges = headers.get_all(ACCEPT_LANGUAGE).iter().filter_map(|line| line.to_str().ok());
    for (place, range) in ranges.flat_map(|line| line.split(',')).enumerate() {
        let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
        let Some(quality) = quality(parameters) else { continue };
        // Some clients write `zh_CN`.
        let language = tag.trim().split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        let of = match language.as_str() {
            "en" => &mut english,
            "zh" => &mut chinese,
            "*" => &mut others,
            _ => continue,
        };
        // The best of several regions; what is named first counts as more.
        *of = (*of).max(Some((quality, std::cmp::Reverse(place))));
    }
    let (english, chinese) = (english.or(others), chinese.or(others));
    match chinese {
        Some((1.., _)) if chinese > english => Language::Chinese,
        _ => Language::English,
    }
}

/// `q=0.8`, in thousandths; all of them where it is not said. `None` where it cannot be read.
fn quality(parameters: &str) -> Option<u16> {
    let parameters = parameters.trim();
    if parameters.is_empty() {
        return Some(1000);
    }
    let (name, value) = parameters.split_once('=')?;
    let value: f32 = value.trim().parse().ok().filter(|value| (0.0..=1.0).contains(value))?;
    name.trim().eq_ignore_ascii_case("q").then_some((value * 1000.0).round() as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&str]) -> Language {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(ACCEPT_LANGUAGE, line.parse().unwrap());
        }
        wanted(&headers)
    }

    #[test]
    fn chinese_is_for_whoever_prefers_it() {
        for line in [
            "zh",
            "zh-CN",
            "ZH-cn",
            "zh-Hans",
            "zh-Hans-CN",
            "zh-Hant-HK",
            "zh_CN",
            "zh-CN,zh;q=0.9,en;q=0.8",
            "zh-CN,zh;q=0.9,en-US;q=0.8,en;q=0.7",
            "en;q=0.8, zh;q=0.9",
            "en ; q=0.5 , zh ; q = 0.501",
            "zh, en",
            "zh;q=0.1",
            "zh-CN;q=0.001",
            "zh;q=1.000, en;q=0.999",
            "en;q=0, zh;q=0.1",
            "en;q=0.1, *;q=0.5",
            "en;q=0, *",
            "de, zh;q=0.3",
            "de;q=0.9, zh;q=0.5, en;q=0.4",
            "*;q=0.5, zh",
            "en;q=nonsense, zh;q=0.1",
            ",,zh,",
            "zh-TW;q=0.2, zh-CN;q=0.9, en;q=0.5",
        ] {
            assert_eq!(of(&[line]), Language::Chinese, "{line}");
        }
        assert_eq!(of(&["de", "zh"]), Language::Chinese);
        assert_eq!(of(&["en;q=0.3", "zh;q=0.4"]), Language::Chinese);
    }

    #[test]
    fn english_is_for_everybody_else() {
        for line in [
            "",
            " ",
            "en",
            "en-GB,en;q=0.9,zh;q=0.8",
            "en, zh",
            "de",
            "de-DE, fr;q=0.5",
            "*",
            "*;q=0",
            "zh;q=0",
            "zh;q=0, *",
            "zh;q=0.0",
            "en;q=0, zh;q=0",
            "zh;q=0.3, *",
            "zh;q=0.5, en;q=0.9",
            "zh;q=1.5",
            "zh;q=-1",
            "zh;q=nan",
            "zh;q",
            "zh;level=1",
            "zhuang",
            "zho",
            "q=1",
            ";q=1",
            "英文",
        ] {
            assert_eq!(of(&[line]), Language::English, "{line}");
        }
        assert_eq!(of(&[]), Language::English);
    }
}
