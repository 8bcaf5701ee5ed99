use std::{
    borrow::Cow,
    fmt::{self, Display as _},
};

use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserializer, de};
use shared::{
    domain::text::typed,
    store::Track,
    wire::{dialect::B, operation::*},
};

/// Tell where the device is and whether it may be sent messages (document B).
///
/// What is not known may be missing, null or empty. Kept for 90 days.
#[derive(Deserialize, JsonSchema)]
pub struct MUserUserTracks {
    #[serde(default)]
    push_status: Switch,
    /// Degrees east, -180 to 180: a number, or one as text.
    #[serde(default)]
    lng: Degrees<180>,
    /// Degrees north, -90 to 90: a number, or one as text.
    #[serde(default)]
    lat: Degrees<90>,
}

impl Operation for MUserUserTracks {
    type Dialect = B;
    type Caller = SignedIn;
    type Response = Done;
    const ROUTE: Route = Route::post("/m_user/user_tracks");
    const LIMIT: Option<Limit> = Some(Limit::Tracks);

    async fn handle(self, SignedIn(caller): SignedIn, app: &App) -> Result<Done, Refusal> {
        let track = Track { push_status: self.push_status.0, lng: self.lng.0, lat: self.lat.0 };
        // What tells nothing is not worth an item.
        if track != Track::default() {
            app.store.keep_track(caller, &track).await?;
        }
        Ok(Done {})
    }
}

/// Whether messages may be pushed: true or false, also as text or as 1 and 0.
#[derive(Default)]
struct Switch(Option<bool>);

impl<'de> Deserialize<'de> for Switch {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct TruthValue;
        impl de::Visitor<'_> for TruthValue {
            type Value = Switch;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                words!("true or false", "true 或 false").fmt(f)
            }
            fn visit_bool<E: de::Error>(self, is_on: bool) -> Result<Switch, E> {
                Ok(Switch(Some(is_on)))
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Switch, E> {
                self.visit_str(&number.to_string())
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Switch, E> {
                self.visit_str(&number.to_string())
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Switch, E> {
                match typed(text).to_ascii_lowercase().as_str() {
                    "" => Ok(Switch(None)),
                    "true" | "1" | "1.0" => Ok(Switch(Some(true))),
                    "false" | "0" | "0.0" => Ok(Switch(Some(false))),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
            fn visit_unit<E: de::Error>(self) -> Result<Switch, E> {
                Ok(Switch(None))
            }
        }
        from.deserialize_any(TruthValue)
    }
}

impl JsonSchema for Switch {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Switch".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Whether messages may be pushed: true or false, also as text or as 1 and 0.",
            "anyOf": [
                {"type": ["boolean", "null"]},
                {"type": "integer", "minimum": 0, "maximum": 1},
                {"type": "string", "pattern": r"^\s*(1([.]0)?|0([.]0)?|[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])?\s*$"},
            ],
        })
    }
}

/// An angle up to `MOST` either way, or none.
#[derive(Default)]
struct Degrees<const MOST: u8>(Option<f64>);

impl<'de, const MOST: u8> Deserialize<'de> for Degrees<MOST> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Angle<const MOST: u8>;
        impl<const MOST: u8> de::Visitor<'_> for Angle<MOST> {
            type Value = Degrees<MOST>;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                words!("a number from -{most} to {most}, or empty", "从 -{most} 到 {most} 的数字，或为空", most = MOST)
                    .fmt(f)
            }
            fn visit_f64<E: de::Error>(self, angle: f64) -> Result<Self::Value, E> {
                match angle.abs() <= f64::from(MOST) {
                    // To the centimetre: the table takes no numbers as fine as a float's.
                    true => Ok(Degrees(Some((angle * 1e7).round() / 1e7))),
                    false => Err(E::invalid_value(de::Unexpected::Float(angle), &self)),
                }
            }
            fn visit_u64<E: de::Error>(self, angle: u64) -> Result<Self::Value, E> {
                self.visit_f64(angle as f64)
            }
            fn visit_i64<E: de::Error>(self, angle: i64) -> Result<Self::Value, E> {
                self.visit_f64(angle as f64)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                match typed(text).parse() {
                    Ok(angle) => self.visit_f64(angle),
                    Err(_) if typed(text).is_empty() => Ok(Degrees(None)),
                    Err(_) => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
            fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
                Ok(Degrees(None))
            }
        }
        from.deserialize_any(Angle::<MOST>)
    }
}

impl<const MOST: u8> JsonSchema for Degrees<MOST> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Degrees".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let most = i16::from(MOST);
        json_schema!({"oneOf": [
            {"type": "number", "minimum": -most, "maximum": most},
            {"type": "string", "pattern": r"^\s*([-+]?[0-9]+([.][0-9]+)?([eE][-+]?[0-9]+)?)?\s*$"},
            {"type": "null"},
        ]})
    }
}
