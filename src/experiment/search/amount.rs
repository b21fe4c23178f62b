//! Amounts: numbers with the unit in which a model writes them.

use std::fmt;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::time::Span;
use crate::model::document::Data;
use crate::model::quantity::{Rate, Share};

/// A number that can be varied, as it is written: `"500ms"`, `"5/s"`, `"2%"`, `3`, `0.5`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(untagged)]
pub enum Amount {
    /// A length of time.
    Time(Span),
    /// A rate.
    Rate(Rate),
    /// A percentage.
    Share(Share),
    /// A whole number.
    Whole(i64),
    /// Any other number.
    Number(f64),
}

impl Amount {
    /// The number: seconds of a length of time, times a second of a rate.
    #[must_use]
    pub fn number(self) -> f64 {
        match self {
            Amount::Time(span) => span.seconds(),
            Amount::Rate(rate) => rate.per_second,
            Amount::Share(share) => share.0,
            Amount::Whole(number) => number as f64,
            Amount::Number(number) => number,
        }
    }

    /// The amount of the same kind with this number, rounded to four digits or to a whole.
    #[must_use]
    pub fn with(self, number: f64) -> Amount {
        let rounded = four_digits(number);
        match self {
            Amount::Time(_) => Amount::Time(Span((rounded * 1e9 + 0.5) as u64)),
            Amount::Rate(_) => Amount::Rate(Rate { per_second: rounded }),
            Amount::Share(_) => Amount::Share(Share(rounded)),
            Amount::Whole(_) => Amount::Whole((number + 0.5) as i64),
            Amount::Number(_) => Amount::Number(rounded),
        }
    }

    /// Whether both are of one kind. A whole number is a number too.
    #[must_use]
    pub fn is_like(self, other: Amount) -> bool {
        let kind = |amount| match amount {
            Amount::Time(_) => 0,
            Amount::Rate(_) => 1,
            Amount::Share(_) => 2,
            Amount::Whole(_) | Amount::Number(_) => 3,
        };
        kind(self) == kind(other)
    }

    /// The value for a document.
    #[must_use]
    pub fn data(self) -> Data {
        match self {
            Amount::Whole(number) => Data::Integer(number),
            Amount::Number(number) => Data::Float(number),
            written => Data::Text(written.to_string()),
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Amount::Time(span) => write!(f, "{span}"),
            Amount::Rate(rate) => write!(f, "{rate}"),
            Amount::Share(Share(share)) => write!(f, "{}%", four_digits(share * 100.0)),
            Amount::Whole(number) => write!(f, "{number}"),
            Amount::Number(number) => write!(f, "{number}"),
        }
    }
}

/// The number with four digits that count.
fn four_digits(number: f64) -> f64 {
    format!("{number:.3e}").parse().unwrap_or(number)
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Amount, D::Error> {
        deserializer.deserialize_any(AmountVisitor)
    }
}

struct AmountVisitor;

impl serde::de::Visitor<'_> for AmountVisitor {
    type Value = Amount;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a number of at least 0, with its unit if it has one: \"500ms\", \"5/s\", \"2%\", 3",
        )
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Amount, E> {
        use serde::de::IntoDeserializer;
        use serde::de::value::{Error, StrDeserializer};
        let reader = || -> StrDeserializer<'_, Error> { text.into_deserializer() };
        let time = Span::deserialize(reader()).map(Amount::Time);
        let rate = || Rate::deserialize(reader()).map(Amount::Rate);
        let share = || Share::deserialize(reader()).map(Amount::Share);
        let wrong = |_| E::invalid_value(serde::de::Unexpected::Str(text), &self);
        time.or_else(|_| rate()).or_else(|_| share()).map_err(wrong)
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Amount, E> {
        match number {
            0.. => Ok(Amount::Whole(number)),
            _ => Err(E::invalid_value(serde::de::Unexpected::Signed(number), &self)),
        }
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Amount, E> {
        let wrong = |_| E::invalid_value(serde::de::Unexpected::Unsigned(number), &self);
        i64::try_from(number).map(Amount::Whole).map_err(wrong)
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Amount, E> {
        match number.is_finite() && number >= 0.0 {
            true => Ok(Amount::Number(number)),
            false => Err(E::invalid_value(serde::de::Unexpected::Float(number), &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_keep_their_kind_and_four_digits() {
        let read = |text: &str| serde_json::from_str::<Amount>(text).unwrap();
        for (like, number, written) in [
            ("\"500ms\"", 5.388_123, "5388ms"),
            ("\"1s\"", 2.0, "2s"),
            ("\"5/s\"", 7.123_45, "7.123/s"),
            ("\"2%\"", 0.012_34, "1.234%"),
            ("3", 4.6, "5"),
            ("0.5", 0.000_123_456, "0.0001235"),
        ] {
            let amount = read(like).with(number);
            assert_eq!(amount.to_string(), written);
            let again: Amount = match amount.data() {
                Data::Text(text) => read(&format!("\"{text}\"")),
                _ => amount,
            };
            assert_eq!(again.to_string(), written);
        }
        for wrong in ["-1", "\"fast\"", "true", "\"-2s\""] {
            assert!(serde_json::from_str::<Amount>(wrong).is_err(), "{wrong}");
        }
    }
}
