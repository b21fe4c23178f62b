//! A series of delays as it is written: a line, `"exponential 100ms x2 cap 5s"`, or a table of its
//! numbers. What has no other numbers is written as a line.

#[cfg(feature = "schema")]
use std::borrow::Cow;
use std::fmt;

#[cfg(feature = "schema")]
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::{Backoff, Cap, Growth, Jitter, Rounding};
use crate::kernel::quantity::{AsShare, Lasting, Whole, parse_duration};
use crate::kernel::time::Span;
use crate::policy::keys::{Wrong, keys, needed, within};

keys! {
    /// The numbers of a series of delays.
    pub struct BackoffKeys {
        /// How the delays grow, before jitter.
        growth: GrowthKey,
        /// The first delay, or the scale.
        base: Span,
        /// What each further delay adds under linear growth; the base by default.
        step: Span,
        /// What each further delay is multiplied by; 2 by default.
        factor: f64,
        /// The relative half-width of each step of a random walk; 0.2 by default (kafkajs).
        spread: f64 as "AsShare",
        /// Seconds of randomness that each retry adds under growth by the fourth power; 10 by
        /// default (Sidekiq).
        width: u32 as "Whole::<1, { u32::MAX }>",
        /// Whether that randomness is one number times the retry (Sidekiq 6); false by default.
        in_steps: bool,
        /// How delays are spread; none by default.
        jitter: Jitter,
        /// The longest delay; none by default.
        cap: Span,
        /// On which side of the jitter the cap is; before it by default.
        capped: Capped,
        /// No delay before jitter is shorter; 0s by default.
        min: Span,
        /// No delay after jitter is shorter; 0s by default.
        floor: Span,
        /// Whether the first retry does not wait at all; false by default.
        first_at_once: bool,
        /// Whether the first delay is not spread (connections of grpc-go); false by default.
        first_exact: bool,
        /// In which unit delays are counted; exact by default.
        unit: Span as "Lasting",
        /// How delays are brought to whole units; down by default.
        rounding: RoundingKey,
    }
}

/// How delays grow; [`Growth`] has the formulas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum GrowthKey {
    /// No delay.
    None,
    /// Always the base.
    Constant,
    /// The base, and a step more for each further retry.
    Linear,
    /// The base times a power of the factor.
    Exponential,
    /// The base times a power of the factor less one (Envoy as documented).
    ExponentialLessOne,
    /// A random walk from the base (AWS Architecture Blog).
    Decorrelated,
    /// Decorrelated jitter of the second kind (Polly, cockatiel).
    DecorrelatedV2,
    /// Each delay is drawn around the one before (kafkajs).
    RandomWalk,
    /// The fourth power of the retry, in seconds (Sidekiq).
    FourthPower,
}

/// On which side of the jitter a cap is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Capped {
    /// The delay is capped, then spread.
    BeforeJitter,
    /// The delay is spread, then capped.
    AfterJitter,
}

/// How delays are brought to whole units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RoundingKey {
    /// Truncated.
    Down,
    /// To the nearest, halves up.
    Nearest,
}

/// The largest factor of a growth.
const FACTOR_MAX: f64 = 1000.0;

/// The keys that any growth has beside its own.
const ANY: &[&str] = &[
    "growth",
    "jitter",
    "cap",
    "capped",
    "min",
    "floor",
    "first_at_once",
    "first_exact",
    "unit",
    "rounding",
];

/// What a line may hold.
const EXPECTED: &str = "\"none\", \"constant 1s\", \"linear 1s\" or \"exponential 100ms x2 cap 5s\" \
                        (from x1 to x1000)";

/// The growths that a line may name.
const OF_LINES: [GrowthKey; 7] = [
    GrowthKey::None,
    GrowthKey::Constant,
    GrowthKey::Linear,
    GrowthKey::Exponential,
    GrowthKey::ExponentialLessOne,
    GrowthKey::Decorrelated,
    GrowthKey::DecorrelatedV2,
];

/// The keys that a line may hold.
const IN_LINES: [&str; 6] = ["growth", "base", "step", "factor", "cap", "capped"];

impl GrowthKey {
    /// Its name and the keys that it has.
    const fn keys(self) -> (&'static str, &'static [&'static str]) {
        match self {
            GrowthKey::None => ("none", &[]),
            GrowthKey::Constant => ("constant", &["base"]),
            GrowthKey::Linear => ("linear", &["base", "step"]),
            GrowthKey::Exponential => ("exponential", &["base", "factor"]),
            GrowthKey::ExponentialLessOne => ("exponential_less_one", &["base", "factor"]),
            GrowthKey::Decorrelated => ("decorrelated", &["base"]),
            GrowthKey::DecorrelatedV2 => ("decorrelated_v2", &["base", "factor"]),
            GrowthKey::RandomWalk => ("random_walk", &["base", "factor", "spread"]),
            GrowthKey::FourthPower => ("fourth_power", &["width", "in_steps"]),
        }
    }
}

impl TryFrom<BackoffKeys> for Backoff {
    type Error = Wrong;

    fn try_from(keys: BackoffKeys) -> Result<Backoff, Wrong> {
        let growth = needed(keys.growth, "growth")?;
        let (name, own) = growth.keys();
        keys.only(&format!("growth `{name}`"), &[own, ANY])?;
        let backoff = Backoff {
            growth: keys.growth_of(growth)?,
            jitter: Jitter::None,
            cap: match (keys.cap, keys.capped) {
                (None, None) => Cap::None,
                (None, Some(_)) => return needed(None, "cap"),
                (Some(cap), Some(Capped::AfterJitter)) => Cap::AfterJitter(cap),
                (Some(cap), _) => Cap::BeforeJitter(cap),
            },
            min: keys.min.unwrap_or_default(),
            floor: keys.floor.unwrap_or_default(),
            first_at_once: keys.first_at_once.unwrap_or_default(),
            first_exact: keys.first_exact.unwrap_or_default(),
            rounding: match (keys.unit, keys.rounding) {
                (None, None) => Rounding::Exact,
                (None, Some(_)) => return needed(None, "unit"),
                (Some(unit), Some(RoundingKey::Nearest)) => Rounding::Nearest(unit),
                (Some(unit), _) => Rounding::Down(unit),
            },
        };
        backoff.spread_by(keys.jitter.unwrap_or(Jitter::None)).map_err(|wrong| wrong.at("jitter"))
    }
}

impl BackoffKeys {
    fn growth_of(&self, growth: GrowthKey) -> Result<Growth, Wrong> {
        let base = || needed(self.base, "base");
        let factor = || within("factor", self.factor.unwrap_or(2.0), 1.0, FACTOR_MAX);
        Ok(match growth {
            GrowthKey::None => Growth::None,
            GrowthKey::Constant => Growth::Constant { delay: base()? },
            GrowthKey::Linear => {
                Growth::Linear { base: base()?, step: self.step.map_or_else(base, Ok)? }
            }
            GrowthKey::Exponential => Growth::Exponential { base: base()?, factor: factor()? },
            GrowthKey::ExponentialLessOne => {
                Growth::ExponentialLessOne { base: base()?, factor: factor()? }
            }
            GrowthKey::Decorrelated => Growth::Decorrelated { base: base()? },
            GrowthKey::DecorrelatedV2 => {
                Growth::DecorrelatedV2 { base: base()?, factor: factor()? }
            }
            GrowthKey::RandomWalk => Growth::RandomWalk {
                base: base()?,
                factor: factor()?,
                spread: self.spread.unwrap_or(0.2),
            },
            GrowthKey::FourthPower => Growth::FourthPower {
                width: self.width.unwrap_or(10),
                in_steps: self.in_steps.unwrap_or_default(),
            },
        })
    }

    /// Reads a line; a length of time alone is constant.
    #[must_use]
    pub fn of_line(line: &str) -> Option<BackoffKeys> {
        let mut words = line.split_whitespace();
        let first = words.next()?;
        if let Some(delay) = parse_duration(first) {
            let growth = Some(GrowthKey::Constant);
            let keys = BackoffKeys { growth, base: Some(delay), ..BackoffKeys::default() };
            return words.next().is_none().then_some(keys);
        }
        let growth = OF_LINES.into_iter().find(|growth| growth.keys().0 == first)?;
        let own = growth.keys().1;
        let mut keys = BackoffKeys { growth: Some(growth), ..BackoffKeys::default() };
        if own.contains(&"base") {
            keys.base = Some(parse_duration(words.next()?)?);
        }
        while let Some(word) = words.next() {
            match word {
                "cap" if keys.cap.is_none() => keys.cap = Some(parse_duration(words.next()?)?),
                "after" if keys.cap.is_some() && words.next() == Some("jitter") => {
                    keys.capped = Some(Capped::AfterJitter);
                }
                "plus" if own.contains(&"step") => {
                    keys.step = Some(parse_duration(words.next()?)?);
                }
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

    /// The line of these numbers, if they have one.
    fn line(&self) -> Option<String> {
        let growth = self.growth.filter(|growth| OF_LINES.contains(growth))?;
        if self.written().iter().any(|key| !IN_LINES.contains(key)) {
            return None;
        }
        let mut words = vec![growth.keys().0.to_owned()];
        words.extend(self.base.map(|base| base.to_string()));
        words.extend(self.step.map(|step| format!("plus {step}")));
        words.extend(self.factor.map(|factor| format!("x{factor}")));
        words.extend(self.cap.map(|cap| format!("cap {cap}")));
        let after = self.capped == Some(Capped::AfterJitter);
        words.extend(after.then(|| "after jitter".to_owned()));
        Some(words.join(" "))
    }
}

/// Every number that the series has, and only those.
impl From<&Backoff> for BackoffKeys {
    fn from(backoff: &Backoff) -> BackoffKeys {
        let mut keys = BackoffKeys::default();
        let (growth, base, factor) = match backoff.growth {
            Growth::None => (GrowthKey::None, None, None),
            Growth::Constant { delay } => (GrowthKey::Constant, Some(delay), None),
            Growth::Linear { base, step } => {
                keys.step = (step != base).then_some(step);
                (GrowthKey::Linear, Some(base), None)
            }
            Growth::Exponential { base, factor } => {
                (GrowthKey::Exponential, Some(base), Some(factor))
            }
            Growth::ExponentialLessOne { base, factor } => {
                (GrowthKey::ExponentialLessOne, Some(base), Some(factor))
            }
            Growth::Decorrelated { base } => (GrowthKey::Decorrelated, Some(base), None),
            Growth::DecorrelatedV2 { base, factor } => {
                (GrowthKey::DecorrelatedV2, Some(base), Some(factor))
            }
            Growth::RandomWalk { base, factor, spread } => {
                keys.spread = Some(spread);
                (GrowthKey::RandomWalk, Some(base), Some(factor))
            }
            Growth::FourthPower { width, in_steps } => {
                keys.width = Some(width);
                keys.in_steps = Some(in_steps);
                (GrowthKey::FourthPower, None, None)
            }
        };
        (keys.growth, keys.base, keys.factor) = (Some(growth), base, factor);
        keys.jitter = (backoff.jitter != Jitter::None).then_some(backoff.jitter);
        (keys.cap, keys.capped) = match backoff.cap {
            Cap::None => (None, None),
            Cap::BeforeJitter(cap) => (Some(cap), None),
            Cap::AfterJitter(cap) => (Some(cap), Some(Capped::AfterJitter)),
        };
        keys.min = (backoff.min > Span::ZERO).then_some(backoff.min);
        keys.floor = (backoff.floor > Span::ZERO).then_some(backoff.floor);
        keys.first_at_once = backoff.first_at_once.then_some(true);
        keys.first_exact = backoff.first_exact.then_some(true);
        (keys.unit, keys.rounding) = match backoff.rounding {
            Rounding::Exact => (None, None),
            Rounding::Down(unit) => (Some(unit), None),
            Rounding::Nearest(unit) => (Some(unit), Some(RoundingKey::Nearest)),
        };
        keys
    }
}

struct LineOrTable;

impl<'de> Visitor<'de> for LineOrTable {
    type Value = BackoffKeys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a backoff: {EXPECTED}, or a table: {{ growth = …, base = … }}")
    }

    fn visit_str<E: Error>(self, line: &str) -> Result<BackoffKeys, E> {
        BackoffKeys::of_line(line).ok_or_else(|| E::invalid_value(Unexpected::Str(line), &self))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<BackoffKeys, A::Error> {
        BackoffKeys::deserialize(MapAccessDeserializer::new(map))
    }
}

impl<'de> Deserialize<'de> for Backoff {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Backoff, D::Error> {
        let keys = deserializer.deserialize_any(LineOrTable)?;
        Backoff::try_from(keys).map_err(Error::custom)
    }
}

impl Serialize for Backoff {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let keys = BackoffKeys::from(self);
        match keys.line() {
            Some(line) => serializer.serialize_str(&line),
            None => keys.serialize(serializer),
        }
    }
}

#[cfg(feature = "schema")]
impl JsonSchema for Backoff {
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
            assert_eq!(BackoffKeys::of_line(line).expect(line).line().as_deref(), Some(line));
        }
        for line in ["", "exponential", "constant 1s x2", "none 1s", "1s 2s", "linear 1s after x"] {
            assert_eq!(BackoffKeys::of_line(line), None, "{line}");
        }
    }
}
