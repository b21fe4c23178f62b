//! Fields that are plain numbers, but written as quantities or held to bounds where they are read:
//! `#[serde(with = "AsShare")]`. A field may be optional too, with `#[serde(default)]`.

#[cfg(feature = "schema")]
use std::borrow::Cow;
use std::fmt;

#[cfg(feature = "schema")]
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
use serde::{Serialize, Serializer};

use super::{Count, Rate, Share, parse_duration, written};
use crate::kernel::time::Span;

/// Declares a way to read and write a field: what it is in text, and what it is as a number.
macro_rules! field {
    ($(#[$about:meta])* $name:ident: $plain:ty as $text:ty, $read:expr, $write:expr) => {
        $(#[$about])*
        #[derive(Debug)]
        pub struct $name;

        impl $name {
            /// Reads the number of a field.
            ///
            /// # Errors
            /// If it is not written as it should be.
            pub fn deserialize<'de, D: Deserializer<'de>, T: From<$plain>>(
                deserializer: D,
            ) -> Result<T, D::Error> {
                let read: fn($text) -> Result<$plain, D::Error> = $read;
                read(<$text>::deserialize(deserializer)?).map(T::from)
            }

            /// Writes the number of a field.
            ///
            /// # Errors
            /// If it cannot be written.
            pub fn serialize<S: Serializer, T: Copy + Into<Option<$plain>>>(
                number: &T,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                let write: fn($plain) -> $text = $write;
                let number: Option<$plain> = (*number).into();
                number.map(write).serialize(serializer)
            }
        }

        #[cfg(feature = "schema")]
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                <$text>::schema_name()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                <$text>::json_schema(generator)
            }
        }
    };
}

field! {
    /// A share, `0.02` or `"2%"`.
    AsShare: f64 as Share, |share| Ok(share.0), Share
}

field! {
    /// A rate in things a second, `"400/s"`.
    AsRate: f64 as Rate, |rate| Ok(rate.per_second), |per_second| Rate { per_second }
}

field! {
    /// A rate in things a second at which something happens at all, and finitely often.
    PositiveRate: f64 as Rate,
    |rate| if (1e-4..=1e9).contains(&rate.per_second) {
        Ok(rate.per_second)
    } else {
        let expected = "a rate from \"0.0001/s\" to \"1000000000/s\"";
        Err(Error::invalid_value(Unexpected::Float(rate.per_second), &expected))
    },
    |per_second| Rate { per_second }
}

field! {
    /// A count, of which `"unlimited"` is the largest.
    AsCount: u32 as Count, |count| Ok(count.limit()), Count::of
}

field! {
    /// A count of at least 1.
    OneOrMore: u32 as Count,
    |count| match count.limit() {
        0 => Err(Error::invalid_value(Unexpected::Unsigned(0), &"at least 1")),
        limit => Ok(limit),
    },
    Count::of
}

field! {
    /// A length of time that is not zero.
    Lasting: Span as Span,
    |span| if span > Span::ZERO {
        Ok(span)
    } else {
        Err(Error::invalid_value(Unexpected::Str("0s"), &"more than 0s"))
    },
    |span| span
}

field! {
    /// A length of time that is not zero and at most a day, so that arithmetic on thousands of them
    /// stays exact.
    WithinDay: Span as Span,
    |span| if (Span(1)..=Span::from_secs(86_400)).contains(&span) {
        Ok(span)
    } else {
        let found = span.to_string();
        Err(Error::invalid_value(Unexpected::Str(&found), &"more than 0s and at most a day"))
    },
    |span| span
}

field! {
    /// A length of time, or `"unlimited"`.
    Unending: Span as SpanOrUnlimited, |span| Ok(span.0), SpanOrUnlimited
}

/// A length of time as [`Unending`] reads it.
#[derive(Clone, Copy)]
struct SpanOrUnlimited(Span);

const UNENDING: &str = "a duration such as \"5s\", or \"unlimited\"";

fn parse_span_or_unlimited(text: &str) -> Option<SpanOrUnlimited> {
    match text {
        "unlimited" => Some(SpanOrUnlimited(Span::MAX)),
        text => parse_duration(text).map(SpanOrUnlimited),
    }
}

written!(SpanOrUnlimited, "Patience", UNENDING, parse_span_or_unlimited, |_| None, {
    "type": "string",
    "description": UNENDING,
});

impl Serialize for SpanOrUnlimited {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Span::MAX => serializer.serialize_str("unlimited"),
            span => span.serialize(serializer),
        }
    }
}

/// A whole number from one to another, both included.
#[derive(Debug)]
pub struct Whole<const FROM: u32, const TO: u32>;

/// A number from one to another, both included.
#[derive(Debug)]
pub struct Number<const FROM: u32, const TO: u32>;

/// Reads a number within bounds.
struct Bounded {
    from: u32,
    to: u32,
    is_whole: bool,
}

impl Visitor<'_> for Bounded {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.is_whole { "a whole number" } else { "a number" };
        match (self.from, self.to) {
            (from, u32::MAX) => write!(f, "{what} of at least {from}"),
            (from, to) => write!(f, "{what} from {from} to {to}"),
        }
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<f64, E> {
        let is_right = (f64::from(self.from)..=f64::from(self.to)).contains(&number)
            && (!self.is_whole || libm::floor(number) == number);
        if is_right {
            return Ok(number);
        }
        Err(E::invalid_value(Unexpected::Float(number), &self))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<f64, E> {
        self.visit_f64(number as f64)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<f64, E> {
        self.visit_f64(number as f64)
    }
}

/// Reads and writes a bounded number as `$plain`.
macro_rules! bounded {
    ($name:ident: $plain:ty, $is_whole:literal, $type:literal) => {
        impl<const FROM: u32, const TO: u32> $name<FROM, TO> {
            /// Reads the number of a field.
            ///
            /// # Errors
            /// If it is out of bounds.
            pub fn deserialize<'de, D: Deserializer<'de>, T: From<$plain>>(
                deserializer: D,
            ) -> Result<T, D::Error> {
                let bounds = Bounded { from: FROM, to: TO, is_whole: $is_whole };
                deserializer.deserialize_any(bounds).map(|number| T::from(number as $plain))
            }

            /// Writes the number of a field.
            ///
            /// # Errors
            /// If it cannot be written.
            pub fn serialize<S: Serializer, T: Copy + Into<Option<$plain>>>(
                number: &T,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                let number: Option<$plain> = (*number).into();
                number.serialize(serializer)
            }
        }

        #[cfg(feature = "schema")]
        impl<const FROM: u32, const TO: u32> JsonSchema for $name<FROM, TO> {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                format!("{}_{FROM}_{TO}", stringify!($name)).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": $type, "minimum": FROM, "maximum": TO })
            }
        }
    };
}

bounded!(Whole: u32, true, "integer");
bounded!(Number: f64, false, "number");
