//! A series of delays as a line of text, `"exponential 100ms x2 cap 5s"`: what is read as a line
//! and has no other numbers is written as one.

#[cfg(test)]
use std::borrow::Cow;
use std::fmt;

#[cfg(test)]
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::backoff::{BackoffKeys, BackoffText, CappedText, FACTOR_MAX, GrowthText};
use super::keys::Table;
use crate::model::quantity::parse_duration;

/// What a line may hold.
const EXPECTED: &str = "\"none\", \"constant 1s\", \"linear 1s\" or \"exponential 100ms x2 cap 5s\" \
                        (from x1 to x1000)";

/// The growths that a line may name.
const GROWTHS: [GrowthText; 7] = [
    GrowthText::None,
    GrowthText::Constant,
    GrowthText::Linear,
    GrowthText::Exponential,
    GrowthText::ExponentialLessOne,
    GrowthText::Decorrelated,
    GrowthText::DecorrelatedV2,
];

/// The keys that a line may hold.
const KEYS: [&str; 6] = ["growth", "base", "step", "factor", "cap", "capped"];

/// Reads a line; a length of time alone is constant.
fn parse(line: &str) -> Option<BackoffKeys> {
    let mut words = line.split_whitespace();
    let first = words.next()?;
    if let Some(delay) = parse_duration(first) {
        let keys = BackoffKeys {
            growth: Some(GrowthText::Constant),
            base: Some(delay),
            ..BackoffKeys::default()
        };
        return words.next().is_none().then_some(keys);
    }
    let growth = GROWTHS.into_iter().find(|growth| growth.keys().0 == first)?;
    let own = growth.keys().1;
    let mut keys = BackoffKeys { growth: Some(growth), ..BackoffKeys::default() };
    if own.contains(&"base") {
        keys.base = Some(parse_duration(words.next()?)?);
    }
    while let Some(word) = words.next() {
        match word {
            "cap" if keys.cap.is_none() => keys.cap = Some(parse_duration(words.next()?)?),
            "after" if keys.cap.is_some() && words.next() == Some("jitter") => {
                keys.capped = Some(CappedText::AfterJitter);
            }
            "plus" if own.contains(&"step") => keys.step = Some(parse_duration(words.next()?)?),
            _ if own.contains(&"factor") => {
                let factor: f64 = word.strip_prefix('x')?.parse().ok()?;
                keys.factor = Some(factor).filter(|factor| (1.0..=FACTOR_MAX).contains(factor));
                keys.factor?;
            }
            _ => return None,
        }
    }
    Some(keys)
}

impl BackoffText {
    /// The line of this text, if it has one.
    #[must_use]
    pub fn line(&self) -> Option<String> {
        let BackoffText(keys) = self;
        let growth = keys.growth.filter(|growth| GROWTHS.contains(growth))?;
        if keys.written().iter().any(|key| !KEYS.contains(key)) {
            return None;
        }
        let mut words = vec![growth.keys().0.to_owned()];
        words.extend(keys.base.map(|base| base.to_string()));
        words.extend(keys.step.map(|step| format!("plus {step}")));
        words.extend(keys.factor.map(|factor| format!("x{factor}")));
        words.extend(keys.cap.map(|cap| format!("cap {cap}")));
        words.extend(keys.capped.and_then(|capped| match capped {
            CappedText::BeforeJitter => None,
            CappedText::AfterJitter => Some("after jitter".to_owned()),
        }));
        Some(words.join(" "))
    }
}

struct LineOrTable;

impl<'de> Visitor<'de> for LineOrTable {
    type Value = BackoffText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a backoff: {EXPECTED}, or a table: {{ growth = …, base = … }}")
    }

    fn visit_str<E: Error>(self, line: &str) -> Result<BackoffText, E> {
        let wrong = || E::invalid_value(Unexpected::Str(line), &self);
        parse(line).map(BackoffText).ok_or_else(wrong)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<BackoffText, A::Error> {
        BackoffKeys::deserialize(MapAccessDeserializer::new(map)).map(BackoffText)
    }
}

impl<'de> Deserialize<'de> for BackoffText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<BackoffText, D::Error> {
        deserializer.deserialize_any(LineOrTable)
    }
}

impl Serialize for BackoffText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.line() {
            Some(line) => serializer.serialize_str(&line),
            None => self.0.serialize(serializer),
        }
    }
}

#[cfg(test)]
impl JsonSchema for BackoffText {
    fn schema_name() -> Cow<'static, str> {
        "Backoff".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A series of delays, as a line of text or as a table of its numbers.",
            "oneOf": [
                { "type": "string", "description": EXPECTED },
                generator.subschema_for::<BackoffKeys>(),
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_written_as_it_was_read() {
        for line in [
            "none",
            "constant 1s",
            "linear 1s",
            "linear 1s plus 500ms",
            "exponential 100ms x2 cap 5s",
            "exponential 100ms x1.5 cap 5s after jitter",
            "decorrelated 100ms cap 5s",
        ] {
            let keys = parse(line).expect(line);
            assert_eq!(BackoffText(keys).line().as_deref(), Some(line));
        }
        for line in ["", "exponential", "constant 1s x2", "none 1s", "1s 2s", "linear 1s after x"] {
            assert_eq!(parse(line), None, "{line}");
        }
    }
}
