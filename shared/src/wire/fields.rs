//! Parameters, however they travel (form, multipart, JSON), end as named fields of one serde type. A text parses into
//! whatever the type asks for; a complaint names the field and says what to send instead.
use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, header, request::Parts};
use serde::{
    Deserializer,
    de::{
        self, DeserializeOwned, DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
        Visitor, value::StrDeserializer,
    },
    forward_to_deserialize_any,
};
use serde_json::{Map, Value};

use crate::{
    domain::{IS_MISSING, Refusal, Words, text::typed},
    words,
};

/// More fields than any operation has: what is beyond is no honest request.
const MOST_FIELDS: usize = 100;

/// What a complaint is about that is about no field.
const BODY: &str = "body";
const NOT_UTF_8: Words = words!("not valid UTF-8", "不是有效的 UTF-8");
const HOLDS_NUL: Words = words!("must not hold NUL characters", "不能含有 NUL 字符");
const NOT_DOCUMENTED: Words = words!("must be one of its documented values", "应为文档所列的值之一");

/// A request's parameters.
#[derive(Default)]
pub struct Fields(Vec<(String, Field)>);

/// One parameter as it came.
enum Field {
    Text(String),
    Json(Value),
    Part(Part),
    /// Those that a request's type has together in one field of its own.
    Fields(Vec<(String, Field)>),
}

/// A part of a multipart body: text or a file, as the field's type asks for. Its headers do not tell: some clients name
/// a type, or a file, where they send text, and neither where they send a file.
struct Part {
    bytes: Bytes,
    is_json: bool,
    charset: Charset,
    /// In a way that the standard has given up.
    is_encoded: bool,
}

#[derive(Clone, Copy)]
enum Charset {
    Utf8,
    Latin1,
    Other,
}

impl Part {
    /// Without its bytes.
    fn head(part: &multer::Field) -> Self {
        let (mut is_json, mut charset) = (false, Charset::Utf8);
        if let Some(kind) = part.content_type() {
            is_json = self::is_json(kind.essence_str());
            charset = match kind.get_param("charset").map(|charset| charset.as_str().to_ascii_lowercase()).as_deref() {
                None | Some("utf-8" | "utf8" | "us-ascii" | "ascii") => Charset::Utf8,
                Some("iso-8859-1" | "latin1") => Charset::Latin1,
                Some(_) => Charset::Other,
            };
        }
        let encoding = part.headers().get("content-transfer-encoding").map(|encoding| encoding.as_bytes());
        let is_encoded = encoding.is_some_and(|encoding| {
            !["binary", "8bit", "7bit"].iter().any(|plain| encoding.eq_ignore_ascii_case(plain.as_bytes()))
        });
        Self { bytes: Bytes::new(), is_json, charset, is_encoded }
    }

    /// A form cannot leave a field out; one in JSON cannot always, either.
    fn is_none(&self) -> bool {
        self.bytes.is_empty() || self.is_json && [b"null".as_slice(), b"\"\""].contains(&self.bytes.trim_ascii())
    }

    fn into_file(self) -> Result<Bytes, Complaint> {
        match self.is_encoded {
            true => Err(complaint(words!(
                "send it as it is, without a Content-Transfer-Encoding",
                "请原样发送，不要使用 Content-Transfer-Encoding"
            ))),
            false => Ok(self.bytes),
        }
    }

    fn into_text(self) -> Result<String, Complaint> {
        if self.is_none() {
            return Err(complaint(IS_MISSING));
        }
        let (is_json, charset) = (self.is_json, self.charset);
        let bytes = self.into_file()?;
        let text = match charset {
            Charset::Utf8 => String::from_utf8(without_mark(&bytes).into()).ok(),
            Charset::Latin1 => Some(bytes.iter().copied().map(char::from).collect()),
            Charset::Other => None,
        };
        let text = text.ok_or_else(|| complaint(NOT_UTF_8))?;
        let text = match is_json.then(|| serde_json::from_str(&text)) {
            Some(Ok(quoted)) => quoted,
            _ => text,
        };
        match text.contains('\0') {
            true => Err(complaint(HOLDS_NUL)),
            false => Ok(text),
        }
    }
}

/// A text without the byte order mark that some editors and libraries write in front.
fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// Whether a content type is one of JSON's names.
fn is_json(kind: &str) -> bool {
    matches!(kind, "application/json" | "text/json") || kind.starts_with("application/") && kind.ends_with("+json")
}

/// The whole number that a text holds, as JSON writes numbers: digits, perhaps with a minus, a fraction that is none and
/// an exponent.
pub(super) fn whole_number(text: &str) -> Option<i64> {
    let text = typed(text);
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => ("-", text),
        None => ("", text),
    };
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) || !is_number(exponent.trim_start_matches(['-', '+'])) {
        return None;
    }
    let all = format!("{whole}{fraction}");
    let digits = all.trim_matches('0');
    if digits.is_empty() {
        return Some(0);
    }
    // How many zeros follow the digits; fewer than none, and they hold a fraction.
    let left_out = all.len() - all.trim_end_matches('0').len();
    let zeros = exponent.parse::<i32>().ok()?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let zeros = zeros.checked_add(i32::try_from(left_out).ok()?)?;
    match zeros {
        0..20 => format!("{sign}{digits}{}", "0".repeat(zeros.unsigned_abs() as usize)).parse().ok(),
        _ => None,
    }
}

impl Fields {
    /// The fields of a JSON object; of no body, none.
    pub fn json(body: &[u8]) -> Result<Self, Refusal> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        let body = without_mark(body);
        if body.starts_with(b"\xff\xfe") || body.starts_with(b"\xfe\xff") || body.iter().take(2).any(|byte| *byte == 0)
        {
            return Err(Refusal::malformed(
                BODY,
                words!("not valid JSON: it must be UTF-8, not UTF-16", "不是有效的 JSON：应为 UTF-8，而非 UTF-16"),
            ));
        }
        let value: Value = serde_json::from_slice(body).map_err(|error| {
            let words = words!(
                "not valid JSON at line {line}, column {column}",
                "不是有效的 JSON，出错于第 {line} 行第 {column} 列",
                line = error.line(),
                column = error.column()
            );
            Refusal::malformed(BODY, words)
        })?;
        match value {
            // A field that is null is one not given, as one that is empty is in a form.
            Value::Object(object) => {
                let given = object.into_iter().filter(|(_, value)| !value.is_null());
                Self(given.map(|(name, value)| (name, Field::Json(value))).collect()).checked()
            }
            _ => Err(Refusal::malformed(BODY, words!("send a JSON object", "请发送一个 JSON 对象"))),
        }
    }

    /// The query of a URL.
    pub fn query(head: &Parts) -> Result<Self, Refusal> {
        Self::form(head.uri.query().unwrap_or_default().as_bytes())
    }

    /// A form, multipart or JSON body, as its content type says.
    pub async fn any(headers: &HeaderMap, body: Bytes) -> Result<Self, Refusal> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        match content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            kind if is_json(kind) => Self::json(&body),
            "application/x-www-form-urlencoded" => Self::form(&body),
            "multipart/form-data" => Self::multipart(content_type, body).await,
            _ => Err(Refusal::UnsupportedMediaType(words!(
                "send the body as application/x-www-form-urlencoded, multipart/form-data or application/json, and name it \
                    in Content-Type",
                "请以 application/x-www-form-urlencoded、multipart/form-data 或 application/json 发送请求体，并在 \
                    Content-Type 中注明"
            ))),
        }
    }

    /// A field left empty is one not given: a form cannot leave it out.
    fn form(body: &[u8]) -> Result<Self, Refusal> {
        let pairs = form_urlencoded::parse(body).filter(|(_, value)| !value.is_empty());
        // The byte order mark in front would be part of the first name.
        let named = |name: &str| name.trim_start_matches('\u{feff}').to_owned();
        Self(pairs.map(|(name, value)| (named(&name), Field::Text(value.into_owned()))).collect()).checked()
    }

    async fn multipart(content_type: &str, body: Bytes) -> Result<Self, Refusal> {
        let broken = |_| {
            let words = words!("not well-formed multipart/form-data", "不是格式正确的 multipart/form-data");
            Refusal::malformed(BODY, words)
        };
        let boundary = multer::parse_boundary(content_type).map_err(broken)?;
        let whole = futures_util::stream::once(async { Ok::<_, std::convert::Infallible>(body) });
        let mut parts = multer::Multipart::new(whole, boundary);
        let mut fields = vec![];
        while let Some(part) = parts.next_field().await.map_err(broken)? {
            let name = part.name().unwrap_or_default().to_owned();
            // What browsers send of a file that nobody chose is called nothing.
            let is_named = part.file_name().is_some_and(|name| !name.is_empty());
            let head = Part::head(&part);
            let part = Part { bytes: part.bytes().await.map_err(broken)?, ..head };
            if is_named || !part.is_none() {
                fields.push((name, Field::Part(part)));
            }
            if fields.len() > MOST_FIELDS {
                break;
            }
        }
        Self(fields).checked()
    }

    /// What no operation wants, wherever it stands: NUL, which some client or log would end a text at, and what was
    /// not UTF-8.
    fn checked(self) -> Result<Self, Refusal> {
        fn bad(value: &Value) -> bool {
            match value {
                Value::String(text) => text.contains('\0'),
                Value::Array(list) => list.iter().any(bad),
                Value::Object(object) => object.iter().any(|(name, value)| name.contains('\0') || bad(value)),
                _ => false,
            }
        }
        if self.0.len() > MOST_FIELDS {
            let words = words!("more than {most} fields", "字段超过 {most} 个", most = MOST_FIELDS);
            return Err(Refusal::malformed(BODY, words));
        }
        for (name, field) in &self.0 {
            let complaint = match field {
                _ if name.contains('\0') => {
                    return Err(Refusal::malformed(BODY, words!("a field's name holds a NUL", "有字段名含 NUL 字符")));
                }
                Field::Text(text) if text.contains('\u{fffd}') => NOT_UTF_8,
                Field::Text(text) if text.contains('\0') => HOLDS_NUL,
                Field::Json(value) if bad(value) => HOLDS_NUL,
                _ => continue,
            };
            return Err(Refusal::malformed(&shortened(name), complaint));
        }
        Ok(self)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes a text field out, such as document D's token.
    pub fn take_text(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(field, _)| field == name)?;
        match self.0.swap_remove(at).1.plain() {
            Ok(Field::Text(text) | Field::Json(Value::String(text))) => Some(text),
            _ => None,
        }
    }

    /// What the path says of a field goes before what the body says.
    pub fn set_text(&mut self, name: &str, value: &str) {
        self.0.retain(|(field, _)| field != name);
        self.0.push((name.to_owned(), Field::Text(value.to_owned())));
    }

    pub fn parse<T: DeserializeOwned>(self) -> Result<T, Refusal> {
        T::deserialize(Request(self.0)).map_err(|complaint| Refusal::Malformed(complaint.whole()))
    }
}

/// A whole request. Where its type has a field `page`, that one is read from what clients send apart. (serde's `flatten`
/// would forget how a field's text is read, and its name in complaints.)
struct Request(Vec<(String, Field)>);

const PAGE: &str = "page";
const OF_PAGE: [&str; 2] = ["limit", "offset"];

impl<'de> Deserializer<'de> for Request {
    type Error = Complaint;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Complaint> {
        let mut request = self.0;
        if fields.contains(&PAGE) {
            let (of_page, mut rest): (Vec<_>, Vec<_>) =
                request.into_iter().filter(|(name, _)| name != PAGE).partition(|(name, _)| OF_PAGE.contains(&&**name));
            rest.push((PAGE.to_owned(), Field::Fields(of_page)));
            request = rest;
        }
        visitor.visit_map(Members { rest: request.into_iter(), value: None })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &str, visitor: V) -> Result<V::Value, Complaint> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Complaint> {
        visitor.visit_map(Members { rest: self.0.into_iter(), value: None })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// A client's own words are repeated to it only so far.
fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

/// What is wrong with which field.
#[derive(Debug)]
struct Complaint {
    path: String,
    words: Words,
}

impl Complaint {
    fn within(mut self, name: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{}{dot}{}", shortened(name), self.path);
        self
    }

    fn whole(&self) -> Words {
        self.words.about(if self.path.is_empty() { BODY } else { &self.path })
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.whole().fmt(f)
    }
}

impl std::error::Error for Complaint {}

/// serde's words for a type, in ours.
fn wanted(expected: &dyn de::Expected) -> Words {
    match expected.to_string().as_str() {
        "a string" | "a borrowed string" => words!("text", "文本"),
        "a boolean" => words!("true or false", "true 或 false"),
        "f32" | "f64" => words!("a number", "数字"),
        "u8" | "u16" | "u32" | "u64" | "usize" => {
            words!("a whole number from 0, and not too large", "从 0 开始、不太大的整数")
        }
        "i8" | "i16" | "i32" | "i64" | "isize" => words!("a whole number, and not too large", "不太大的整数"),
        "a sequence" => words!("a list", "列表"),
        text if text.starts_with("struct ") || text.starts_with("a map") => words!("an object", "对象"),
        text if text.starts_with("variant ") || text.starts_with("enum ") => {
            words!("one of its documented values", "文档所列的值之一")
        }
        _ => Words::said(expected),
    }
}

/// What a value's reader says of one that it does not take: serde's `custom`, in both languages.
pub fn complaint<E: de::Error>(words: Words) -> E {
    E::custom(words)
}

impl de::Expected for Words {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn not_wanted(expected: &dyn de::Expected) -> Complaint {
    complaint(words!("must be {what}", "应为：{what:#}", what = wanted(expected)))
}

impl de::Error for Complaint {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { path: String::new(), words: Words::said(message) }
    }
    fn invalid_type(_: Unexpected, expected: &dyn de::Expected) -> Self {
        not_wanted(expected)
    }
    fn invalid_value(_: Unexpected, expected: &dyn de::Expected) -> Self {
        not_wanted(expected)
    }
    fn invalid_length(_: usize, expected: &dyn de::Expected) -> Self {
        not_wanted(expected)
    }
    fn unknown_variant(_: &str, variants: &'static [&'static str]) -> Self {
        complaint(words!("must be one of {all}", "应为 {all} 之一", all = variants.join(", ")))
    }
    fn missing_field(field: &'static str) -> Self {
        Self { path: field.into(), words: IS_MISSING }
    }
    fn duplicate_field(field: &'static str) -> Self {
        Self { path: field.into(), words: words!("is given twice", "出现了两次") }
    }
}

/// An object's members, or a request's fields.
struct Members<I> {
    rest: I,
    value: Option<(String, Field)>,
}

impl<'de, I: Iterator<Item = (String, Field)>> MapAccess<'de> for Members<I> {
    type Error = Complaint;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Complaint> {
        let Some((name, field)) = self.rest.next() else {
            return Ok(None);
        };
        let key: StrDeserializer<Complaint> = name.as_str().into_deserializer();
        let key = seed.deserialize(key)?;
        self.value = Some((name, field));
        Ok(Some(key))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Complaint> {
        let (name, field) = self.value.take().ok_or_else(|| complaint(IS_MISSING))?;
        let is_of_request = matches!(field, Field::Fields(_));
        seed.deserialize(field).map_err(|complaint| if is_of_request { complaint } else { complaint.within(&name) })
    }
}

struct Elements {
    rest: std::vec::IntoIter<Value>,
    at: usize,
}

impl<'de> SeqAccess<'de> for Elements {
    type Error = Complaint;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Complaint> {
        let Some(value) = self.rest.next() else {
            return Ok(None);
        };
        let at = format!("[{}]", self.at);
        self.at += 1;
        seed.deserialize(Field::Json(value)).map(Some).map_err(|complaint| complaint.within(&at))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// A value that a unit variant is named by.
struct VariantName(String);

impl<'de> EnumAccess<'de> for VariantName {
    type Error = Complaint;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Complaint> {
        let name: StrDeserializer<Complaint> = self.0.as_str().into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> de::VariantAccess<'de> for VariantName {
    type Error = Complaint;

    fn unit_variant(self) -> Result<(), Complaint> {
        Ok(())
    }
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, _: S) -> Result<S::Value, Complaint> {
        Err(complaint(NOT_DOCUMENTED))
    }
    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Complaint> {
        self.unit_variant().and(Err(complaint(NOT_DOCUMENTED)))
    }
    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Complaint> {
        self.unit_variant().and(Err(complaint(NOT_DOCUMENTED)))
    }
}

impl Field {
    /// A part that is asked for as anything but a file is a text.
    fn plain(self) -> Result<Self, Complaint> {
        match self {
            Self::Part(part) => part.into_text().map(Self::Text),
            field => Ok(field),
        }
    }

    fn whole_number(&self) -> Option<i64> {
        match self {
            Self::Text(text) | Self::Json(Value::String(text)) => whole_number(text),
            Self::Json(Value::Number(number)) => whole_number(&number.to_string()),
            _ => None,
        }
    }
}

/// Whole numbers as clients write them: as a text, too, for a form has nothing else, and with a fraction that is none.
macro_rules! whole {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Complaint> {
            let field = self.plain()?;
            match field.whole_number() {
                Some(number) => visitor.visit_i64(number),
                None => field.deserialize_any(visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Field {
    type Error = Complaint;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Complaint> {
        match self {
            Self::Text(text) | Self::Json(Value::String(text)) => visitor.visit_string(text),
            Self::Json(Value::Null) => visitor.visit_unit(),
            Self::Json(Value::Bool(value)) => visitor.visit_bool(value),
            Self::Json(Value::Number(number)) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), _, _) => visitor.visit_u64(number),
                (_, Some(number), _) => visitor.visit_i64(number),
                (_, _, Some(number)) => visitor.visit_f64(number),
                _ => Err(complaint(words!("a number too large", "数字太大"))),
            },
            Self::Fields(fields) => visitor.visit_map(Members { rest: fields.into_iter(), value: None }),
            Self::Json(Value::Array(list)) => visitor.visit_seq(Elements { rest: list.into_iter(), at: 0 }),
            Self::Json(Value::Object(object)) => {
                let object: Map<String, Value> = object;
                let rest = object.into_iter().map(|(name, value)| (name, Field::Json(value)));
                visitor.visit_map(Members { rest, value: None })
            }
            Self::Part(part) => visitor.visit_string(part.into_text()?),
        }
    }

    /// What a file asks for; a text type asks for a string.
    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Complaint> {
        match self {
            Self::Part(part) => visitor.visit_byte_buf(part.into_file()?.into()),
            field => field.deserialize_any(visitor),
        }
    }

    /// What no field of the request is called after may be anything.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Complaint> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Complaint> {
        match self {
            Self::Json(Value::Null) => visitor.visit_none(),
            field => visitor.visit_some(field),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &str, visitor: V) -> Result<V::Value, Complaint> {
        visitor.visit_newtype_struct(self)
    }

    /// Enums are closed sets of words; one whose words are digits may come as a number.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Complaint> {
        let field = self.plain()?;
        let number = field.whole_number().map(|number| number.to_string());
        match (number, field) {
            (Some(number), _) if variants.contains(&number.as_str()) => visitor.visit_enum(VariantName(number)),
            (_, Self::Text(text) | Self::Json(Value::String(text))) => visitor.visit_enum(VariantName(text)),
            _ => Err(de::Error::unknown_variant("", variants)),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Complaint> {
        match self.plain()? {
            Self::Text(text) | Self::Json(Value::String(text)) => match text.parse() {
                Ok(value) => visitor.visit_bool(value),
                Err(_) => visitor.visit_string(text),
            },
            field => field.deserialize_any(visitor),
        }
    }

    whole! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }
    forward_to_deserialize_any! {
        i128 u128 f32 f64 char str string bytes unit unit_struct seq tuple tuple_struct map struct identifier
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Request {
        name: String,
        kind: Option<Kind>,
        age: Option<u8>,
        #[serde(default)]
        list: Vec<u64>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    enum Kind {
        #[serde(rename = "1")]
        One,
        #[serde(rename = "2")]
        Two,
    }

    fn json(body: &str) -> Result<Request, String> {
        Fields::json(body.as_bytes()).and_then(Fields::parse).map_err(|no| no.to_string())
    }

    fn any(content_type: &str, body: impl Into<Bytes>) -> Result<Request, String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, content_type.parse().unwrap());
        // A body in memory is there at once: nothing is waited for.
        let fields = futures_util::FutureExt::now_or_never(Fields::any(&headers, body.into())).unwrap();
        fields.and_then(Fields::parse).map_err(|no| no.to_string())
    }

    #[test]
    fn the_same_request_by_three_ways() {
        let request = Request { name: "ab".into(), kind: Some(Kind::Two), age: Some(7), list: vec![] };
        assert_eq!(json(r#"{"name": "ab", "kind": 2, "age": 7, "more": {}}"#).as_ref(), Ok(&request));
        assert_eq!(json(r#"{"name": "ab", "kind": "2", "age": 7}"#).as_ref(), Ok(&request));
        assert_eq!(
            any("application/x-www-form-urlencoded; charset=utf-8", "name=ab&kind=2&age=7").as_ref(),
            Ok(&request)
        );
        let multipart = "--x\r\ncontent-disposition: form-data; name=\"name\"\r\n\r\nab\r\n--x\r\n\
            content-disposition: form-data; name=\"kind\"\r\n\r\n2\r\n--x\r\n\
            content-disposition: form-data; name=\"age\"\r\n\r\n7\r\n--x--\r\n";
        assert_eq!(any("multipart/form-data; boundary=x", multipart).as_ref(), Ok(&request));
    }

    #[test]
    fn complaints_name_the_field_and_say_what_to_send() {
        for (body, complaint) in [
            ("{}", "name: is missing"),
            ("[]", "body: send a JSON object"),
            ("{\"name\": \"a\",}", "body: not valid JSON at line 1, column 14"),
            (r#"{"name": 1}"#, "name: must be text"),
            (r#"{"name": null}"#, "name: is missing"),
            (r#"{"name": {"a": 1}}"#, "name: must be text"),
            (r#"{"name": "a", "kind": 3}"#, "kind: must be one of 1, 2"),
            (r#"{"name": "a", "kind": []}"#, "kind: must be one of 1, 2"),
            (r#"{"name": "a", "age": 300}"#, "age: must be a whole number from 0, and not too large"),
            (r#"{"name": "a", "age": -1}"#, "age: must be a whole number from 0, and not too large"),
            (r#"{"name": "a", "age": "seven"}"#, "age: must be a whole number from 0, and not too large"),
            (r#"{"name": "a", "age": 7.5}"#, "age: must be a whole number from 0, and not too large"),
            (r#"{"name": "a", "age": true}"#, "age: must be a whole number from 0, and not too large"),
            (r#"{"name": "a", "age": ""}"#, "age: must be a whole number from 0, and not too large"),
            (r#"{"name": "a", "list": [1, "b"]}"#, "list[1]: must be a whole number from 0, and not too large"),
            (r#"{"name": "a", "list": 1}"#, "list: must be a list"),
            (r#"{"name": "a\u0000"}"#, "name: must not hold NUL characters"),
            (r#"{"name": "a", "more": [{"b": "\u0000"}]}"#, "more: must not hold NUL characters"),
        ] {
            assert_eq!(json(body), Err(complaint.into()), "{body}");
        }
        let form = "application/x-www-form-urlencoded";
        for (body, complaint) in [
            ("name=", "name: is missing"),
            ("name=a&name=b", "name: is given twice"),
            ("name=%ff", "name: not valid UTF-8"),
            ("name=%00", "name: must not hold NUL characters"),
            ("name=a&age=x", "age: must be a whole number from 0, and not too large"),
        ] {
            assert_eq!(any(form, body), Err(complaint.into()), "{body}");
        }
        let broken = Err("body: not well-formed multipart/form-data".into());
        assert_eq!(any("multipart/form-data", "x"), broken);
        assert_eq!(any("multipart/form-data; boundary=x", "--x\r\ncontent-dis"), broken);
        assert!(any("text/plain", "name=a").unwrap_err().starts_with("send the body as"));
        assert_eq!(any(form, "a=1&".repeat(101)), Err("body: more than 100 fields".into()));
    }

    #[test]
    fn whole_numbers_are_read_as_clients_write_them() {
        for (text, number) in [
            ("0", 0),
            ("-0", 0),
            ("0.0", 0),
            ("0e400", 0),
            ("00", 0),
            ("5", 5),
            (" 5 ", 5),
            ("\u{3000}5\u{feff}", 5),
            ("-5", -5),
            ("007", 7),
            ("20.0", 20),
            ("20.000", 20),
            ("1e1", 10),
            ("1E1", 10),
            ("1E+1", 10),
            ("1.0e1", 10),
            ("1.5e1", 15),
            ("100e-2", 1),
            ("2.4E14", 240_000_000_000_000),
            ("9007199254740991", 9_007_199_254_740_991),
            ("9007199254740991.0", 9_007_199_254_740_991),
            ("9007199254740993", 9_007_199_254_740_993),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
        ] {
            assert_eq!(whole_number(text), Some(number), "{text:?}");
        }
        for text in [
            "",
            " ",
            "+",
            "-",
            "--5",
            "+5",
            "+-5",
            "5-",
            "5 5",
            "five",
            "0x10",
            "NaN",
            "Infinity",
            "inf",
            "1e",
            "e1",
            "1e1.5",
            "1e+-1",
            ".5",
            "5.",
            "5.5",
            "0.1",
            "1e-1",
            "15e-2",
            "1,000",
            "1_000",
            "5a",
            "５",
            "9223372036854775808",
            "1e19",
            "1e308",
            "1e400",
            "1e99999999999",
            "4503599627370497.5",
            "20.00000000000000000001",
            "true",
            "null",
            "1/1",
        ] {
            assert_eq!(whole_number(text), None, "{text:?}");
        }
        for age in ["7", "7.0", "\"7\"", "\" 7 \"", "\"7.0\"", "0.7e1", "\"70e-1\""] {
            assert_eq!(
                json(&format!(r#"{{"name": "a", "age": {age}}}"#)).map(|request| request.age),
                Ok(Some(7)),
                "{age}"
            );
        }
        for kind in ["1", "1.0", "\"1\"", "\"1.0\"", "\" 1\"", "1e0"] {
            let read = json(&format!(r#"{{"name": "a", "kind": {kind}}}"#));
            assert_eq!(read.map(|request| request.kind), Ok(Some(Kind::One)), "{kind}");
        }
        let list = json(r#"{"name": "a", "list": [1, "2", 3.0, "4e0"]}"#);
        assert_eq!(list.map(|request| request.list), Ok(vec![1, 2, 3, 4]));
        let form = any("application/x-www-form-urlencoded", "name=a&age=+7.0+&kind=2.0");
        assert_eq!(form.map(|request| (request.age, request.kind)), Ok((Some(7), Some(Kind::Two))));
    }

    #[derive(Debug, Deserialize)]
    struct Upload {
        text: Option<String>,
        age: Option<u8>,
        file: Option<crate::wire::values::UploadedFile>,
    }

    /// One part of a multipart body, with these headers.
    fn part(headers: &str, body: &[u8]) -> Result<Upload, String> {
        let disposition = "--x\r\ncontent-disposition: form-data; ";
        let whole = [disposition.as_bytes(), headers.as_bytes(), b"\r\n\r\n", body, b"\r\n--x--\r\n"].concat();
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, "multipart/form-data; boundary=x".parse().unwrap());
        let fields = futures_util::FutureExt::now_or_never(Fields::any(&headers, whole.into())).unwrap();
        fields.and_then(Fields::parse).map_err(|no| no.to_string())
    }

    #[test]
    fn a_part_is_what_its_field_asks_for() {
        for headers in [
            "",
            "\r\ncontent-type: text/plain",
            "\r\ncontent-type: text/plain; charset=UTF-8",
            "\r\ncontent-type: text/plain;charset=us-ascii",
            "\r\nContent-Type: application/octet-stream",
            "\r\nContent-Type: application/json",
            "\r\nContent-Type: application/json; charset=UTF-8",
            "\r\nContent-Type: image/jpeg",
            "\r\nContent-Type: nonsense",
            "; filename=\"a.txt\"",
            "; filename=\"a.txt\"\r\nContent-Type: image/jpeg",
            "; filename*=UTF-8''%e4%b8%ad.jpg",
            "\r\nContent-Transfer-Encoding: binary",
            "\r\nContent-Transfer-Encoding: 8bit\r\nContent-Length: 3",
        ] {
            for body in ["123", "Mia", "中文", "a \"b\"", "{\"a\": 1}", "[1]", "true", "\u{feff}Mia"] {
                let text = part(&format!("name=\"text\"{headers}"), body.as_bytes()).unwrap().text;
                assert_eq!(text.as_deref(), Some(body.trim_start_matches('\u{feff}')), "{headers:?}");
            }
            for body in ["7", "7.0", " 7"] {
                let age = part(&format!("name=\"age\"{headers}"), body.as_bytes()).unwrap().age;
                assert_eq!(age, Some(7), "{headers:?} {body}");
            }
            for body in [b"\xff\xd8\xff\0".as_slice(), b"Mia", b"\xef\xbb\xbf", b"\"a\""] {
                let file = part(&format!("name=\"file\"{headers}"), body).unwrap().file;
                assert_eq!(file.map(|file| file.0).as_deref(), Some(body), "{headers:?}");
            }
            let no = part(&format!("name=\"text\"{headers}"), b"\xff\xd8\xff").err();
            assert_eq!(no.as_deref(), Some("text: not valid UTF-8"), "{headers:?}");
            let no = part(&format!("name=\"text\"{headers}"), b"a\0").err();
            assert_eq!(no.as_deref(), Some("text: must not hold NUL characters"), "{headers:?}");
        }
        for json in ["application/json", "application/json; charset=UTF-8", "text/json", "application/vnd.api+json"] {
            let json = format!("name=\"text\"\r\ncontent-type: {json}");
            for (body, text) in [
                (r#""Mia""#, Some("Mia")),
                (r#" "Mia" "#, Some("Mia")),
                (r#""a\"b\u4e2d""#, Some("a\"b中")),
                (r#""123""#, Some("123")),
                ("\u{feff}\"Mia\"", Some("Mia")),
                (r#""Mia"#, Some(r#""Mia"#)),
                ("null", None),
                (r#""""#, None),
            ] {
                assert_eq!(part(&json, body.as_bytes()).unwrap().text.as_deref(), text, "{json:?} {body}");
            }
        }
        let age = part("name=\"age\"\r\ncontent-type: application/json", b"\"7\"").unwrap().age;
        assert_eq!(age, Some(7));
        let latin = part("name=\"text\"\r\ncontent-type: text/plain; charset=ISO-8859-1", b"caf\xe9").unwrap().text;
        assert_eq!(latin.as_deref(), Some("café"));
        assert_eq!(
            part("name=\"text\"\r\ncontent-type: text/plain; charset=gbk", b"a").err().as_deref(),
            Some("text: not valid UTF-8")
        );
        for name in ["text", "file"] {
            for encoding in ["base64", "quoted-printable"] {
                let no = part(&format!("name=\"{name}\"\r\nContent-Transfer-Encoding: {encoding}"), b"TWlh").err();
                let complaint = format!("{name}: send it as it is, without a Content-Transfer-Encoding");
                assert_eq!(no, Some(complaint), "{encoding}");
            }
        }
    }

    #[test]
    fn an_empty_part_is_a_field_not_given_but_for_a_file_with_a_name() {
        for headers in ["", "; filename=\"\"", "; filename=\"\"\r\ncontent-type: application/octet-stream"] {
            let empty = part(&format!("name=\"file\"{headers}"), b"").unwrap();
            assert!(empty.file.is_none(), "{headers}");
            assert!(part(&format!("name=\"text\"{headers}"), b"").unwrap().text.is_none(), "{headers}");
        }
        let named = part("name=\"file\"; filename=\"a.jpg\"", b"").unwrap().file.unwrap();
        assert!(named.0.is_empty());
    }

    #[test]
    fn a_byte_order_mark_may_stand_in_front() {
        let request = |body: &str| json(body).map(|request| request.name);
        assert_eq!(request("\u{feff}{\"name\": \"a\"}"), Ok("a".into()));
        assert_eq!(request("\u{feff} \r\n{\"name\": \"\u{feff}a\"}"), Ok("\u{feff}a".into()));
        assert!(request("\u{feff}\u{feff}{\"name\": \"a\"}").unwrap_err().contains("not valid JSON"));
        assert!(request("\u{feff}").unwrap_err().contains("not valid JSON"));
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        assert_eq!(any(form, "\u{feff}name=a").map(|request| request.name), Ok("a".into()));
        assert_eq!(any(form, "%ef%bb%bfname=a").map(|request| request.name), Ok("a".into()));
        let utf16 = "{\"name\": \"a\"}".encode_utf16();
        let (little, big): (Vec<_>, Vec<_>) = utf16.map(|unit| (unit.to_le_bytes(), unit.to_be_bytes())).unzip();
        for body in [
            [b"\xff\xfe".as_slice(), &little.concat()].concat(),
            [b"\xfe\xff".as_slice(), &big.concat()].concat(),
            little.concat(),
            big.concat(),
        ] {
            let no = Fields::json(&body).err().map(|no| no.to_string());
            assert_eq!(no.as_deref(), Some("body: not valid JSON: it must be UTF-8, not UTF-16"));
        }
    }

    #[test]
    fn a_multipart_body_may_begin_with_anything() {
        for front in ["\u{feff}", "\r\n", "a preamble\r\n", "\u{feff}\r\n"] {
            let body = format!("{front}--x\r\ncontent-disposition: form-data; name=\"name\"\r\n\r\na\r\n--x--\r\n");
            for kind in ["multipart/form-data; boundary=x", "Multipart/Form-Data; charset=utf-8; boundary=\"x\""] {
                let read = any(kind, body.clone()).map(|request| request.name);
                assert_eq!(read, Ok("a".into()), "{front:?} {kind}");
            }
        }
    }

    #[test]
    fn json_has_several_names() {
        for kind in [
            "application/json",
            "Application/JSON",
            "application/json;charset=UTF-8",
            "application/json; charset=utf-8; profile=x",
            "text/json",
            "application/vnd.api+json",
            "application/problem+json; charset=utf-8",
        ] {
            assert_eq!(any(kind, r#"{"name": "a"}"#).map(|request| request.name), Ok("a".into()), "{kind}");
        }
        for kind in ["application/jsonp", "json", "text/plain", "text/html", "application/xml", "x+json", ""] {
            assert!(any(kind, r#"{"name": "a"}"#).unwrap_err().starts_with("send the body as"), "{kind}");
        }
    }
}
