//! Values as they travel. Each says once how it is read, written and documented, examples included.
use std::{borrow::Cow, fmt};

use bytes::Bytes;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    App,
    domain::{GalleryId, MediaId, PictureId, UserId},
};

/// Ids as integers in answers; in requests a number or a text holding one.
macro_rules! numbers {
    ($($(#[doc = $doc:literal])* $name:ident($id:ident))*) => {$(
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Serialize)]
        pub struct $name(pub $id);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                from.deserialize_any(NumberOrDigits).map(|number| Self($id(number)))
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                let description = concat!($($doc),*).trim();
                let number = json_schema!({"type": "integer", "minimum": 0, "maximum": LARGEST_ID});
                if generator.contract().is_serialize() {
                    let mut schema = number;
                    schema.insert("description".into(), description.into());
                    schema.insert("examples".into(), [EXAMPLE].as_slice().into());
                    schema
                } else {
                    let digits = json_schema!({"type": "string", "pattern": "^[0-9]+$"});
                    json_schema!({"description": description, "oneOf": [number, digits], "examples": [EXAMPLE]})
                }
            }
        }
    )*};
}

/// What a JSON number can hold exactly.
const LARGEST_ID: u64 = (1 << 53) - 1;
const EXAMPLE: u64 = 129_171_456_003_145;

numbers! {
    /// A user's id.
    UserNumber(UserId)
    /// A gallery's id.
    GalleryNumber(GalleryId)
    /// A picture's id.
    PictureNumber(PictureId)
}

struct NumberOrDigits;

impl de::Visitor<'_> for NumberOrDigits {
    type Value = u64;
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an id: a number or a text of digits")
    }
    fn visit_u64<E: de::Error>(self, id: u64) -> Result<u64, E> {
        match id {
            ..=LARGEST_ID => Ok(id),
            _ => Err(E::invalid_value(de::Unexpected::Unsigned(id), &self)),
        }
    }
    fn visit_str<E: de::Error>(self, id: &str) -> Result<u64, E> {
        // `parse` would take a sign.
        match id.parse() {
            Ok(number) if id.bytes().all(|byte| byte.is_ascii_digit()) => self.visit_u64(number),
            _ => Err(E::invalid_value(de::Unexpected::Str(id), &self)),
        }
    }
}

/// A user named in a request: their number, or its 32 hexadecimal digits as other documents show them.
#[derive(Clone, Copy, JsonSchema)]
#[schemars(inline, extend("examples" = ["129171456003145", "0000000000000000000075802e8b9449"]))]
pub struct NamedUser(#[schemars(with = "String", regex(pattern = "^([0-9]{1,16}|[0-9a-f]{32})$"))] pub UserId);

impl<'de> Deserialize<'de> for NamedUser {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct NumberOrHex;
        impl de::Visitor<'_> for NumberOrHex {
            type Value = NamedUser;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a user's id: a number, a text of digits, or 32 hexadecimal digits")
            }
            fn visit_u64<E: de::Error>(self, id: u64) -> Result<NamedUser, E> {
                NumberOrDigits.visit_u64(id).map(|id| NamedUser(UserId(id)))
            }
            fn visit_str<E: de::Error>(self, id: &str) -> Result<NamedUser, E> {
                match id.len() {
                    32 if id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) => {
                        // More than 64 bits name nobody, as does any number that was never given.
                        let id = u128::from_str_radix(id, 16).ok().and_then(|id| id.try_into().ok());
                        self.visit_u64(id.unwrap_or(0))
                    }
                    _ => NumberOrDigits.visit_str(id).map(|id| NamedUser(UserId(id))),
                }
            }
        }
        from.deserialize_any(NumberOrHex)
    }
}

/// A user's id as decimal digits in a text.
#[derive(JsonSchema)]
#[schemars(inline, extend("examples" = ["129171456003145"]))]
pub struct UserDigits(#[schemars(with = "String", regex(pattern = "^[0-9]+$"))] pub UserId);

impl Serialize for UserDigits {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0.0)
    }
}

/// Where a picture is served.
#[derive(Serialize, JsonSchema)]
#[schemars(inline, extend("format" = "uri", "examples" = ["https://media.example/e4cbdd56-855a-41ee-bcb6-5785abdd6148.jpeg"]))]
pub struct PictureUrl(String);

impl PictureUrl {
    pub fn of(app: &App, id: &MediaId) -> Self {
        Self(app.media().url(id))
    }
}

/// A text that people write digits into, so that some clients send a number: a phone, an account.
#[derive(Clone, Default, JsonSchema)]
#[schemars(inline)]
pub struct Digits(#[schemars(with = "String")] pub String);

impl<'de> Deserialize<'de> for Digits {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct TextOrNumber;
        impl de::Visitor<'_> for TextOrNumber {
            type Value = Digits;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("text")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Digits, E> {
                Ok(Digits(text.to_owned()))
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Digits, E> {
                Ok(Digits(number.to_string()))
            }
        }
        from.deserialize_any(TextOrNumber)
    }
}

/// A file in a multipart body.
pub struct Upload(pub Bytes);

impl<'de> Deserialize<'de> for Upload {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct File;
        impl de::Visitor<'_> for File {
            type Value = Upload;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a file in a multipart body")
            }
            fn visit_byte_buf<E: de::Error>(self, file: Vec<u8>) -> Result<Upload, E> {
                Ok(Upload(file.into()))
            }
        }
        from.deserialize_byte_buf(File)
    }
}

impl JsonSchema for Upload {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Upload".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"})
    }
}

/// For `#[garde(custom(…))]`: a name stands on one line and holds something to read.
pub fn is_one_line(name: &str, (): &()) -> garde::Result {
    match name {
        name if name.chars().any(char::is_control) => Err(garde::Error::new("must be one line of text")),
        name if name.trim().is_empty() => Err(garde::Error::new("must not be blank")),
        _ => Ok(()),
    }
}
