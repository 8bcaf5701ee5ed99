//! Values as they travel. Each says once how it is read, written and documented, examples included.
use std::{borrow::Cow, fmt};

use bytes::Bytes;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    App,
    domain::{ArticleId, CommentId, GalleryId, MediaId, PictureId, UserId},
};

/// Ids as integers in answers; in requests a number or a text holding one.
macro_rules! numbers {
    ($($(#[doc = $doc:literal])* $name:ident($id:ident))*) => {$(
        $(#[doc = $doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
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
    /// An article's id; document B calls it a post.
    ArticleNumber(ArticleId)
    /// A comment's id.
    CommentNumber(CommentId)
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
#[derive(Clone, Copy)]
pub struct NamedUser(pub UserId);

impl JsonSchema for NamedUser {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "NamedUser".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A user's id.",
            "oneOf": [
                {"type": "string", "pattern": "^([0-9]{1,16}|[0-9a-f]{32})$"},
                {"type": "integer", "minimum": 0, "maximum": LARGEST_ID},
            ],
            "examples": ["0000000000000000000075802e8b9449", EXAMPLE],
        })
    }
}

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
                        self.visit_u64(id.filter(|id| *id <= LARGEST_ID).unwrap_or(0))
                    }
                    _ => match NumberOrDigits.visit_str::<E>(id) {
                        Ok(id) => Ok(NamedUser(UserId(id))),
                        Err(_) => Err(E::invalid_value(de::Unexpected::Str(id), &self)),
                    },
                }
            }
        }
        from.deserialize_any(NumberOrHex)
    }
}

/// Ids as decimal digits in a text.
macro_rules! digits {
    ($($(#[$doc:meta])* $name:ident($id:ident))*) => {$(
        $(#[$doc])*
        #[derive(JsonSchema)]
        #[schemars(inline, extend("examples" = ["129171456003145"]))]
        pub struct $name(#[schemars(with = "String", regex(pattern = "^[0-9]+$"))] pub $id);

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(&self.0.0)
            }
        }
    )*};
}

digits! {
    /// A user's id as decimal digits in a text.
    UserDigits(UserId)
    /// A post's id as decimal digits in a text: the number of document D's article.
    PostDigits(ArticleId)
    /// A comment's id as decimal digits in a text.
    CommentDigits(CommentId)
}

/// A user's id as documents B and D show it: 32 hexadecimal digits.
#[derive(JsonSchema)]
#[schemars(inline, extend("examples" = ["0000000000000000000075802e8b9449"]))]
pub struct UserHex(#[schemars(with = "String", regex(pattern = "^[0-9a-f]{32}$"))] pub UserId);

impl Serialize for UserHex {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{:032x}", self.0.0))
    }
}

/// The id of an image, audio or video.
#[derive(Clone, Serialize, JsonSchema)]
#[schemars(inline, extend("examples" = ["e4cbdd56-855a-41ee-bcb6-5785abdd6148.jpeg"]))]
pub struct Key(#[schemars(with = "String")] pub MediaId);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let id = String::deserialize(from)?;
        MediaId::parse(&id).map(Self).ok_or(de::Error::custom("must be a media id, as get_media_id gives them"))
    }
}

/// How many entries a page has at most; `DEFAULT` where the client does not say.
#[derive(Clone, Copy)]
pub struct Limit<const DEFAULT: u8 = 20>(pub usize);

impl<const DEFAULT: u8> Default for Limit<DEFAULT> {
    fn default() -> Self {
        Self(DEFAULT.into())
    }
}

impl<'de, const DEFAULT: u8> Deserialize<'de> for Limit<DEFAULT> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match u64::deserialize(from) {
            Ok(limit @ 1..=100) => Ok(Self(limit as usize)),
            _ => Err(de::Error::custom("must be a whole number from 1 to 100")),
        }
    }
}

impl<const DEFAULT: u8> JsonSchema for Limit<DEFAULT> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Limit".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"description": "How many at most.", "type": "integer", "minimum": 1, "maximum": 100, "default": DEFAULT})
    }
}

/// How many entries a page passes over.
#[derive(Clone, Copy, Default)]
pub struct Offset(pub usize);

impl<'de> Deserialize<'de> for Offset {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match u64::deserialize(from) {
            // No list is as long; the rest is so that nothing overflows.
            Ok(offset @ ..=LARGEST_OFFSET) => Ok(Self(offset as usize)),
            _ => Err(de::Error::custom("must be a whole number from 0 to 1000000000")),
        }
    }
}

const LARGEST_OFFSET: u64 = 1_000_000_000;

impl JsonSchema for Offset {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Offset".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "How many to pass over, the newest first.",
            "type": "integer", "minimum": 0, "maximum": LARGEST_OFFSET, "default": 0,
        })
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
        // That it is empty, its length says.
        "" => Ok(()),
        name if name.chars().any(|letter| letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}')) => {
            Err(garde::Error::new("must be one line of text"))
        }
        _ => is_not_blank(name, &()),
    }
}

/// For `#[garde(custom(…))]`: a text holds something to read.
pub fn is_not_blank(text: &str, (): &()) -> garde::Result {
    // What takes no room, or only says which way to write.
    let unseen = |letter| matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    match text.chars().all(|letter| letter.is_whitespace() || letter.is_control() || unseen(letter)) && !text.is_empty()
    {
        true => Err(garde::Error::new("must not be blank")),
        false => Ok(()),
    }
}
