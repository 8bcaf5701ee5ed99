//! Values as they travel. Each says once how it is read, written and documented, examples included.
use std::{borrow::Cow, fmt};

use bytes::Bytes;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::domain::UserId;

/// A user's id as an integer.
#[derive(Serialize, JsonSchema)]
#[schemars(inline, extend("examples" = [776_540_160_001_234_u64]))]
pub struct UserNumber(#[schemars(with = "u64")] pub UserId);

/// A user's id as decimal digits in a text.
#[derive(JsonSchema)]
#[schemars(inline, extend("examples" = ["776540160001234"]))]
pub struct UserDigits(#[schemars(with = "String", regex(pattern = "^[0-9]+$"))] pub UserId);

impl Serialize for UserDigits {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0.0)
    }
}

/// Where a picture is served.
#[derive(Serialize, JsonSchema)]
#[schemars(inline, extend("format" = "uri", "examples" = ["https://media.example/e4cbdd56-855a-41ee-bcb6-5785abdd6148.jpeg"]))]
pub struct PictureUrl(pub String);

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
pub fn one_line(name: &Option<String>, (): &()) -> garde::Result {
    match name {
        Some(name) if name.chars().any(char::is_control) => Err(garde::Error::new("must be one line of text")),
        Some(name) if name.trim().is_empty() => Err(garde::Error::new("must not be blank")),
        _ => Ok(()),
    }
}
