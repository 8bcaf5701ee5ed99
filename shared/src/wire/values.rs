//! Values as they travel. Each says once how it is read, written and documented, examples included.
use std::{
    borrow::Cow,
    fmt::{self, Display as _},
    marker::PhantomData,
};

use bytes::Bytes;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, IntoDeserializer as _, value::SeqAccessDeserializer},
};

use super::fields::{complaint, whole_number};
use crate::{
    App,
    domain::{
        ArticleId, ClothId, CommentId, GalleryId, GameId, MasterId, MediaId, MerchantId, MessageId, OrderId, PictureId,
        ProjectId, TicketId, UserId, Words,
        text::{dialled, is_blank, turns_direction, typed},
    },
    words,
};

/// A whole number of a request, as clients write them: a JSON number, also as `20.0` or `2.4E14`, or a text that holds
/// one.
fn whole<'de, D: Deserializer<'de>>(from: D, least: i64, most: i64) -> Result<i64, D::Error> {
    struct Within(i64, i64);
    impl de::Visitor<'_> for Within {
        type Value = i64;
        fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
            words!(
                "a whole number from {least} to {most}",
                "从 {least} 到 {most} 的整数",
                least = self.0,
                most = self.1
            )
            .fmt(f)
        }
        fn visit_i64<E: de::Error>(self, number: i64) -> Result<i64, E> {
            match (self.0..=self.1).contains(&number) {
                true => Ok(number),
                false => Err(E::invalid_value(de::Unexpected::Signed(number), &self)),
            }
        }
        fn visit_u64<E: de::Error>(self, number: u64) -> Result<i64, E> {
            self.visit_str(&number.to_string())
        }
        fn visit_f64<E: de::Error>(self, number: f64) -> Result<i64, E> {
            self.visit_str(&number.to_string())
        }
        fn visit_str<E: de::Error>(self, text: &str) -> Result<i64, E> {
            match whole_number(text) {
                Some(number) => self.visit_i64(number),
                None => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
            }
        }
    }
    from.deserialize_i64(Within(least, most))
}

fn whole_schema(least: i64, most: i64) -> Schema {
    json_schema!({"anyOf": [
        {"type": "integer", "minimum": least, "maximum": most},
        {"type": "string", "pattern": r"^\s*-?[0-9]+([.][0-9]+)?([eE][-+]?[0-9]+)?\s*$"},
    ]})
}

/// A whole number of a request, from `LEAST` to `MOST`.
#[derive(Clone, Copy)]
pub struct Whole<T, const LEAST: i64, const MOST: i64>(pub T);

impl<'de, T: TryFrom<i64>, const LEAST: i64, const MOST: i64> Deserialize<'de> for Whole<T, LEAST, MOST> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = whole(from, LEAST, MOST)?.try_into();
        number.map(Self).map_err(|_| complaint(words!("is out of range", "超出范围")))
    }
}

impl<T, const LEAST: i64, const MOST: i64> JsonSchema for Whole<T, LEAST, MOST> {
    fn schema_name() -> Cow<'static, str> {
        "Whole".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        whole_schema(LEAST, MOST)
    }
}

/// Ids as integers in answers; in requests whole numbers.
macro_rules! numbers {
    ($($(#[doc = $doc:literal])* $name:ident($id:ident))*) => {$(
        $(#[doc = $doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        pub struct $name(pub $id);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                whole(from, 0, LARGEST_ID).map(|number| Self($id(number.unsigned_abs())))
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                let mut schema = match generator.contract().is_serialize() {
                    true => json_schema!({"type": "integer", "minimum": 0, "maximum": LARGEST_ID}),
                    false => whole_schema(0, LARGEST_ID),
                };
                schema.insert("description".into(), concat!($($doc),*).trim().into());
                schema.insert("examples".into(), [EXAMPLE].as_slice().into());
                schema
            }
        }
    )*};
}

/// What a JSON number can hold exactly.
const LARGEST_ID: i64 = (1 << 53) - 1;
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
    /// A game's id.
    GameNumber(GameId)
    /// A project's id.
    ProjectNumber(ProjectId)
    /// A ticket's id.
    TicketNumber(TicketId)
    /// An order's id.
    OrderNumber(OrderId)
    /// The id of a piece of clothing.
    ClothNumber(ClothId)
    /// A message's id.
    MessageNumber(MessageId)
}

/// A user named in a request: their number, or its 32 hexadecimal digits as other documents show them.
#[derive(Clone, Copy)]
pub struct NamedUser(pub UserId);

impl JsonSchema for NamedUser {
    fn schema_name() -> Cow<'static, str> {
        "NamedUser".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut schema = whole_schema(0, LARGEST_ID);
        let ways = schema.get_mut("anyOf").and_then(|ways| ways.as_array_mut());
        ways.into_iter().for_each(|ways| {
            ways.insert(0, serde_json::json!({"type": "string", "pattern": r"^\s*[0-9a-fA-F]{32}\s*$"}));
        });
        schema.insert("description".into(), "A user's id.".into());
        schema.insert("examples".into(), serde_json::json!(["0000000000000000000075802e8b9449", EXAMPLE]));
        schema
    }
}

impl<'de> Deserialize<'de> for NamedUser {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let wanted = TextOrNumber(words!(
            "a user's id: a whole number from 0 to 9007199254740991, or 32 hexadecimal digits",
            "用户 id，即从 0 到 9007199254740991 的整数，或 32 位十六进制数字"
        ));
        let text = from.deserialize_any(wanted.clone())?;
        if text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            // More than 64 bits name nobody, as does any number that was never given.
            let id = u128::from_str_radix(&text, 16).ok().and_then(|id| i64::try_from(id).ok());
            return Ok(Self(UserId(id.filter(|id| *id <= LARGEST_ID).unwrap_or(0).unsigned_abs())));
        }
        match whole_number(&text) {
            Some(id @ 0..=LARGEST_ID) => Ok(Self(UserId(id.unsigned_abs()))),
            _ => Err(de::Error::invalid_value(de::Unexpected::Str(&text), &wanted)),
        }
    }
}

/// Ids as decimal digits in a text.
macro_rules! digits {
    ($($(#[$doc:meta])* $name:ident($id:ident))*) => {$(
        $(#[$doc])*
        #[derive(JsonSchema)]
        #[schemars(extend("examples" = ["129171456003145"]))]
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
#[schemars(extend("examples" = ["0000000000000000000075802e8b9449"]))]
pub struct UserHex(#[schemars(with = "String", regex(pattern = "^[0-9a-f]{32}$"))] pub UserId);

impl Serialize for UserHex {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{:032x}", self.0.0))
    }
}

/// Ids of operators' choosing: 32 hexadecimal digits, small in answers; requests take either case.
macro_rules! hexes {
    ($($(#[doc = $doc:literal])* $name:ident($id:ident))*) => {$(
        $(#[doc = $doc])*
        #[derive(Clone, Copy)]
        pub struct $name(pub $id);

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(&format_args!("{:032x}", self.0.0))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                let digits = typed(&text);
                let is_id = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
                let id = u128::from_str_radix(digits, 16).ok().filter(|_| is_id);
                let wrong = || de::Error::invalid_value(de::Unexpected::Str(&text), &words!("32 hexadecimal digits", "32 位十六进制数字"));
                id.map(|id| Self($id(id))).ok_or_else(wrong)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                let pattern = match generator.contract().is_serialize() {
                    true => "^[0-9a-f]{32}$",
                    false => r"^\s*[0-9a-fA-F]{32}\s*$",
                };
                json_schema!({
                    "type": "string",
                    "pattern": pattern,
                    "description": concat!($($doc),*).trim(),
                    "examples": ["ef1b95c82f4b47c2841d9c0c095a558b"],
                })
            }
        }
    )*};
}

hexes! {
    /// A master's id.
    MasterHex(MasterId)
    /// A merchant's id.
    MerchantHex(MerchantId)
}

/// The id of an image, audio or video.
#[derive(Clone, Serialize, JsonSchema)]
#[schemars(extend("examples" = ["e4cbdd56-855a-41ee-bcb6-5785abdd6148.jpeg"]))]
pub struct MediaKey(#[schemars(with = "String")] pub MediaId);

impl<'de> Deserialize<'de> for MediaKey {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let id = String::deserialize(from)?;
        MediaId::parse(&id).map(Self).ok_or_else(|| {
            complaint(words!("must be a media id, as get_media_id gives them", "应为 get_media_id 给出的 id"))
        })
    }
}

/// How many entries a page has at most, `DEFAULT` where the client does not say, and how many it passes over, `DEEPEST` at
/// most: what is passed over is paid for, except where a list is read at flat cost. A request has it as its field `page`;
/// the client sends `limit` and `offset`.
#[derive(Deserialize, JsonSchema)]
pub struct Page<const DEFAULT: usize = 20, const DEEPEST: i64 = 10_000> {
    /// How many at most.
    #[schemars(extend("default" = DEFAULT))]
    limit: Option<Whole<usize, 1, 100>>,
    /// How many to pass over, the newest first.
    #[schemars(extend("default" = 0))]
    offset: Option<Whole<usize, 0, DEEPEST>>,
}

impl<const DEFAULT: usize, const DEEPEST: i64> Page<DEFAULT, DEEPEST> {
    /// What the store takes.
    pub fn of(&self) -> crate::domain::Page {
        let limit = self.limit.map_or(DEFAULT, |limit| limit.0);
        crate::domain::Page { offset: self.offset.map_or(0, |offset| offset.0), limit }
    }
}

/// Where a picture is served.
#[derive(Serialize, JsonSchema)]
#[schemars(extend("format" = "uri", "examples" = ["https://media.example/e4cbdd56-855a-41ee-bcb6-5785abdd6148.jpeg"]))]
pub struct PictureUrl(String);

impl PictureUrl {
    pub fn of(app: &App, id: &MediaId) -> Self {
        Self(app.media().url(id))
    }
}

/// What people type (an account, a phone, an e-mail address): the spaces around it are no part of it. Of digits alone
/// some clients make a number.
#[derive(Clone)]
pub struct Typed(pub String);

impl<'de> Deserialize<'de> for Typed {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(TextOrNumber(words!("text", "文本"))).map(Self)
    }
}

/// Reads a text that was typed; its words are for whoever sends something else.
#[derive(Clone)]
struct TextOrNumber(Words);

impl de::Visitor<'_> for TextOrNumber {
    type Value = String;
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.0.fmt(f)
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        Ok(typed(text).to_owned())
    }
    fn visit_u64<E: de::Error>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }
    /// 1.3800138E10, as some make of a phone.
    fn visit_f64<E: de::Error>(self, number: f64) -> Result<String, E> {
        match whole_number(&number.to_string()) {
            Some(whole @ 0..) => Ok(whole.to_string()),
            _ => Err(E::invalid_type(de::Unexpected::Float(number), &self)),
        }
    }
}

impl JsonSchema for Typed {
    fn schema_name() -> Cow<'static, str> {
        "Typed".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["string", "number"]})
    }
}

/// A code from an SMS. As a number it has lost the zeros that it began with.
#[derive(Clone, JsonSchema)]
pub struct Code(#[schemars(with = "Typed")] pub String);

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let digits = dialled(&Typed::deserialize(from)?.0);
        match digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.is_empty() {
            true => Ok(Self(format!("{digits:0>6}"))),
            false => Ok(Self(digits)),
        }
    }
}

/// A file in a multipart body.
#[derive(Debug)]
pub struct UploadedFile(pub Bytes);

impl<'de> Deserialize<'de> for UploadedFile {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct File;
        impl de::Visitor<'_> for File {
            type Value = UploadedFile;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                words!("a file in a multipart body", "multipart 请求体中的文件").fmt(f)
            }
            fn visit_byte_buf<E: de::Error>(self, file: Vec<u8>) -> Result<UploadedFile, E> {
                Ok(UploadedFile(file.into()))
            }
        }
        from.deserialize_byte_buf(File)
    }
}

impl JsonSchema for UploadedFile {
    fn schema_name() -> Cow<'static, str> {
        "UploadedFile".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"})
    }
}

/// Texts of a request, each with what it may not hold. How long it is counts its characters; bounds stand in the type, are
/// checked when it is read, and are documented.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident $complaint:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default)]
        pub struct $name<const LEAST: usize, const MOST: usize>(pub String);

        impl<'de, const LEAST: usize, const MOST: usize> Deserialize<'de> for $name<LEAST, MOST> {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                let length = text.chars().count();
                if !(LEAST..=MOST).contains(&length) {
                    return Err(complaint(words!(
                        "must have {least} to {most} characters",
                        "应有 {least} 至 {most} 个字符",
                        least = LEAST,
                        most = MOST
                    )));
                }
                match $complaint(&text) {
                    Some(words) => Err(complaint(words)),
                    None => Ok(Self(text)),
                }
            }
        }

        impl<const LEAST: usize, const MOST: usize> JsonSchema for $name<LEAST, MOST> {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "string", "minLength": LEAST, "maxLength": MOST})
            }
        }
    )*};
}

texts! {
    /// A text of any number of lines, of which something can be seen; or none, where it may be empty.
    Prose prose_complaint
    /// The same on one line.
    Line line_complaint
    /// What a user is called: one line, which must not write what stands beside it backwards.
    NameLine nickname_complaint
}

/// A nickname.
pub type Nickname = NameLine<1, 64>;

fn prose_complaint(text: &str) -> Option<Words> {
    (is_blank(text) && !text.is_empty()).then_some(words!("must not be blank", "不能是空白"))
}

fn line_complaint(text: &str) -> Option<Words> {
    let breaks = |letter: char| letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}');
    text.chars()
        .any(breaks)
        .then_some(words!("must be one line of text", "应为一行文本"))
        .or_else(|| prose_complaint(text))
}

fn nickname_complaint(text: &str) -> Option<Words> {
    let turns = text.chars().any(turns_direction);
    turns
        .then_some(words!("must not turn the direction of writing", "不能含有改变书写方向的字符"))
        .or_else(|| line_complaint(text))
}

fn entries(least: usize, most: usize) -> Words {
    words!("must have {least} to {most} entries", "应有 {least} 至 {most} 项", least = least, most = most)
}

/// A list of so many.
#[derive(Clone, Debug)]
pub struct List<T, const LEAST: usize, const MOST: usize>(pub Vec<T>);

impl<T, const LEAST: usize, const MOST: usize> Default for List<T, LEAST, MOST> {
    fn default() -> Self {
        Self(vec![])
    }
}

impl<'de, T: Deserialize<'de>, const LEAST: usize, const MOST: usize> Deserialize<'de> for List<T, LEAST, MOST> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let list = Vec::deserialize(from)?;
        match (LEAST..=MOST).contains(&list.len()) {
            true => Ok(Self(list)),
            false => Err(complaint(entries(LEAST, MOST))),
        }
    }
}

impl<T: JsonSchema, const LEAST: usize, const MOST: usize> JsonSchema for List<T, LEAST, MOST> {
    fn schema_name() -> Cow<'static, str> {
        "List".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let entry = generator.subschema_for::<T>();
        json_schema!({"type": "array", "items": entry, "minItems": LEAST, "maxItems": MOST})
    }
}

/// One, or a list of so many.
#[derive(Clone, Debug)]
pub struct OneOrMore<T, const MOST: usize>(pub Vec<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for OneOrMore<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Ways<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> de::Visitor<'de> for Ways<T> {
            type Value = Vec<T>;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                words!("one or a list of them", "一个值或它们的列表").fmt(f)
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Vec<T>, E> {
                T::deserialize(number.into_deserializer()).map(|one| vec![one])
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Vec<T>, E> {
                T::deserialize(number.into_deserializer()).map(|one| vec![one])
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Vec<T>, E> {
                T::deserialize(number.into_deserializer()).map(|one| vec![one])
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<T>, E> {
                T::deserialize(text.into_deserializer()).map(|one| vec![one])
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, list: A) -> Result<Vec<T>, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list))
            }
        }
        let list = from.deserialize_any(Ways(PhantomData))?;
        match (1..=MOST).contains(&list.len()) {
            true => Ok(Self(list)),
            false => Err(complaint(entries(1, MOST))),
        }
    }
}

impl<T: JsonSchema, const MOST: usize> JsonSchema for OneOrMore<T, MOST> {
    fn schema_name() -> Cow<'static, str> {
        "OneOrMore".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({"anyOf": [one, {"type": "array", "items": one, "minItems": 1, "maxItems": MOST}]})
    }
}
