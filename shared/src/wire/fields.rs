//! Parameters, however they travel (form, multipart, JSON), end as named fields of one serde type. A text parses into
//! whatever the type asks for; a complaint names the field and says what to send instead.
use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, header, request::Parts};
use serde::{
    Deserializer,
    de::{
        self, DeserializeOwned, DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
        Visitor,
        value::{MapAccessDeserializer, StrDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_json::{Map, Value};

use crate::domain::Refusal;

/// More fields than any operation has: what is beyond is no honest request.
const MOST_FIELDS: usize = 100;

/// A request's parameters.
#[derive(Default)]
pub struct Fields(Vec<(String, Field)>);

/// One parameter as it came.
enum Field {
    Text(String),
    Json(Value),
    File(Bytes),
}

impl Fields {
    /// The fields of a JSON object; of no body, none.
    pub fn json(body: &[u8]) -> Result<Self, Refusal> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        let value: Value = serde_json::from_slice(body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            Refusal::malformed(format!("body: not valid JSON at line {line}, column {column}"))
        })?;
        match value {
            // A field that is null is one not given, as one that is empty is in a form.
            Value::Object(object) => {
                let given = object.into_iter().filter(|(_, value)| !value.is_null());
                Self(given.map(|(name, value)| (name, Field::Json(value))).collect()).checked()
            }
            _ => Err(Refusal::malformed("body: send a JSON object")),
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
            "application/json" => Self::json(&body),
            "application/x-www-form-urlencoded" => Self::form(&body),
            "multipart/form-data" => Self::multipart(content_type, body).await,
            _ => Err(Refusal::UnsupportedMediaType(
                "application/x-www-form-urlencoded, multipart/form-data or application/json, and name it in Content-Type",
            )),
        }
    }

    /// A field left empty is one not given: a form cannot leave it out.
    fn form(body: &[u8]) -> Result<Self, Refusal> {
        let pairs = form_urlencoded::parse(body).filter(|(_, value)| !value.is_empty());
        Self(pairs.map(|(name, value)| (name.into_owned(), Field::Text(value.into_owned()))).collect()).checked()
    }

    async fn multipart(content_type: &str, body: Bytes) -> Result<Self, Refusal> {
        let broken = |_| Refusal::malformed("body: not well-formed multipart/form-data");
        let boundary = multer::parse_boundary(content_type).map_err(broken)?;
        let whole = futures_util::stream::once(async { Ok::<_, std::convert::Infallible>(body) });
        let mut parts = multer::Multipart::new(whole, boundary);
        let mut fields = vec![];
        while let Some(part) = parts.next_field().await.map_err(broken)? {
            let name = part.name().unwrap_or_default().to_owned();
            let is_text = part.content_type().is_none_or(|kind| kind.type_() == "text");
            let is_file = part.file_name().is_some() || !is_text;
            let bytes = part.bytes().await.map_err(broken)?;
            if is_file {
                fields.push((name, Field::File(bytes)));
            } else if !bytes.is_empty() {
                let text = String::from_utf8(bytes.into());
                let text = text.map_err(|_| Refusal::malformed(format!("{}: not valid UTF-8", shortened(&name))))?;
                fields.push((name, Field::Text(text)));
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
            return Err(Refusal::malformed(format!("body: more than {MOST_FIELDS} fields")));
        }
        for (name, field) in &self.0 {
            let complaint = match field {
                _ if name.contains('\0') => return Err(Refusal::malformed("body: a field's name holds a NUL")),
                Field::Text(text) if text.contains('\u{fffd}') => "not valid UTF-8",
                Field::Text(text) if text.contains('\0') => "must not hold NUL characters",
                Field::Json(value) if bad(value) => "must not hold NUL characters",
                _ => continue,
            };
            return Err(Refusal::malformed(format!("{}: {complaint}", shortened(name))));
        }
        Ok(self)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes a text field out, such as document D's token; one that is empty says nothing.
    pub fn take_text(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(field, _)| field == name)?;
        match self.0.swap_remove(at).1 {
            Field::Text(text) | Field::Json(Value::String(text)) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// What the path says of a field goes before what the body says.
    pub fn set_text(&mut self, name: &str, value: &str) {
        self.0.retain(|(field, _)| field != name);
        self.0.push((name.to_owned(), Field::Text(value.to_owned())));
    }

    pub fn parse<T: DeserializeOwned>(self) -> Result<T, Refusal> {
        let fields = Members { rest: self.0.into_iter(), value: None };
        T::deserialize(MapAccessDeserializer::new(fields))
            .map_err(|complaint| Refusal::Malformed(complaint.to_string()))
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
    message: String,
}

impl Complaint {
    fn within(mut self, name: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{}{dot}{}", shortened(name), self.path);
        self
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let path = if self.path.is_empty() { "body" } else { &self.path };
        write!(f, "{path}: {}", self.message)
    }
}

impl std::error::Error for Complaint {}

/// serde's words for a type, in ours.
fn wanted(expected: &dyn de::Expected) -> String {
    match expected.to_string().as_str() {
        "a string" | "a borrowed string" => "text".into(),
        "a boolean" => "true or false".into(),
        "f32" | "f64" => "a number".into(),
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0, and not too large".into(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number, and not too large".into(),
        "a sequence" => "a list".into(),
        text if text.starts_with("struct ") || text.starts_with("a map") => "an object".into(),
        text if text.starts_with("variant ") || text.starts_with("enum ") => "one of its documented values".into(),
        text => text.into(),
    }
}

impl de::Error for Complaint {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { path: String::new(), message: message.to_string() }
    }
    fn invalid_type(_: Unexpected, expected: &dyn de::Expected) -> Self {
        Self::custom(format_args!("must be {}", wanted(expected)))
    }
    fn invalid_value(_: Unexpected, expected: &dyn de::Expected) -> Self {
        Self::custom(format_args!("must be {}", wanted(expected)))
    }
    fn unknown_variant(_: &str, variants: &'static [&'static str]) -> Self {
        Self::custom(format_args!("must be one of {}", variants.join(", ")))
    }
    fn missing_field(field: &'static str) -> Self {
        Self { path: field.into(), message: "is missing".into() }
    }
    fn duplicate_field(field: &'static str) -> Self {
        Self { path: field.into(), message: "is given twice".into() }
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
        let (name, field) = self.value.take().ok_or_else(|| de::Error::custom("no value"))?;
        seed.deserialize(field).map_err(|complaint| complaint.within(&name))
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
struct Named(String);

impl<'de> EnumAccess<'de> for Named {
    type Error = Complaint;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Complaint> {
        let name: StrDeserializer<Complaint> = self.0.as_str().into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> de::VariantAccess<'de> for Named {
    type Error = Complaint;

    fn unit_variant(self) -> Result<(), Complaint> {
        Ok(())
    }
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, _: S) -> Result<S::Value, Complaint> {
        Err(de::Error::custom("must be one of its documented values"))
    }
    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Complaint> {
        self.unit_variant().and(Err(de::Error::custom("must be one of its documented values")))
    }
    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], _: V) -> Result<V::Value, Complaint> {
        self.unit_variant().and(Err(de::Error::custom("must be one of its documented values")))
    }
}

/// Text parses where a number or a truth value is asked for: a form has nothing else.
macro_rules! parsed {
    ($($method:ident $visit:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Complaint> {
            match self {
                Field::Text(text) => match text.parse() {
                    Ok(value) => visitor.$visit(value),
                    Err(_) => visitor.visit_string(text),
                },
                field => field.deserialize_any(visitor),
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
                _ => Err(de::Error::custom("a number too large")),
            },
            Self::Json(Value::Array(list)) => visitor.visit_seq(Elements { rest: list.into_iter(), at: 0 }),
            Self::Json(Value::Object(object)) => {
                let object: Map<String, Value> = object;
                let rest = object.into_iter().map(|(name, value)| (name, Field::Json(value)));
                visitor.visit_map(Members { rest, value: None })
            }
            Self::File(_) => Err(de::Error::invalid_type(Unexpected::Bytes(&[]), &visitor)),
        }
    }

    /// Only what asks for a file gets one: a text type would take its bytes as well.
    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Complaint> {
        match self {
            Self::File(bytes) => visitor.visit_byte_buf(bytes.into()),
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
        match self {
            Self::Text(text) | Self::Json(Value::String(text)) => visitor.visit_enum(Named(text)),
            Self::Json(Value::Number(number)) => visitor.visit_enum(Named(number.to_string())),
            _ => Err(de::Error::unknown_variant("", variants)),
        }
    }

    parsed! {
        deserialize_bool visit_bool deserialize_u8 visit_u8 deserialize_u16 visit_u16 deserialize_u32 visit_u32
        deserialize_u64 visit_u64 deserialize_i64 visit_i64 deserialize_f64 visit_f64
    }
    forward_to_deserialize_any! {
        i8 i16 i32 i128 u128 f32 char str string bytes unit unit_struct seq tuple tuple_struct map struct
        identifier
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
            (r#"{"name": "a", "age": "7"}"#, "age: must be a whole number from 0, and not too large"),
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
        let file = "--x\r\ncontent-disposition: form-data; name=\"name\"; filename=\"a\"\r\n\r\nab\r\n--x--\r\n";
        assert_eq!(any("multipart/form-data; boundary=x", file), Err("name: must be text".into()));
        assert_eq!(any(form, "a=1&".repeat(101)), Err("body: more than 100 fields".into()));
    }
}
