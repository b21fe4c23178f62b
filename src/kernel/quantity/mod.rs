//! Numbers and lengths of time as they are written: a number and its unit.

mod field;

use std::fmt;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Serialize, Serializer};

use super::time::Span;

pub use field::{
    AsCount, AsRate, AsShare, Lasting, Number, OneOrMore, PositiveRate, Unending, Whole, WithinDay,
};

/// How many things happen in a second.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Rate {
    /// The number a second, at least 0.
    pub per_second: f64,
}

/// A number from 0 to 1, written `0.02` or `"2%"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Share(pub f64);

/// A count that may be unbounded, written as a number or `"unlimited"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// At most so many.
    Limited(u32),
    /// Any number.
    Unlimited,
}

impl Count {
    /// The count of this number; the largest is unlimited.
    #[must_use]
    pub fn of(limit: u32) -> Count {
        if limit == u32::MAX { Count::Unlimited } else { Count::Limited(limit) }
    }

    /// The count as a number; unlimited is the largest.
    #[must_use]
    pub fn limit(self) -> u32 {
        match self {
            Count::Limited(limit) => limit,
            Count::Unlimited => u32::MAX,
        }
    }
}

// What is expected, and after the colon how it is written.
const DURATION: &str = "a duration: a number and its unit, such as \"200ms\" (ns, us, ms, s, min, \
                        h, d), of at most a century";
const RATE: &str = "a rate: a number and its unit, such as \"400/s\" (/s, /min, /h)";
const SHARE: &str = "a share: a number from 0 to 1, or a percentage such as \"2%\"";
const COUNT: &str = "a count: a whole number below 4000000000, or \"unlimited\"";

/// Reads a duration such as `1.5s`; `None` if it is none.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Span> {
    let split = text.find(|c: char| c.is_alphabetic() || c == 'µ')?;
    let (number, unit) = text.split_at(split);
    let nanos: f64 = match unit {
        "ns" => 1.0,
        "us" | "µs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "min" => 60e9,
        "h" => 3600e9,
        "d" => 86400e9,
        _ => return None,
    };
    let value = parse_number(number.trim_end())? * nanos;
    // Rounded, because 0.3 ms is not exactly 300,000 ns in binary; at most a century.
    (value <= 36_525.0 * 86_400e9).then_some(Span((value + 0.5) as u64))
}

/// Reads a plain number of at least 0.
pub(crate) fn parse_number(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'_');
    let number: f64 = text.replace('_', "").parse().ok()?;
    (plain && number.is_finite()).then_some(number)
}

pub(crate) fn parse_rate(text: &str) -> Option<Rate> {
    let (number, unit) = text.split_once('/')?;
    let seconds = match unit.trim() {
        "s" => 1.0,
        "min" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Some(Rate { per_second: parse_number(number.trim_end())? / seconds })
}

pub(crate) fn parse_share(text: &str) -> Option<Share> {
    let share = parse_number(text.strip_suffix('%')?.trim_end())? / 100.0;
    (share <= 1.0).then_some(Share(share))
}

/// Reads text by `parse`, or says what was expected.
pub(crate) struct Text<T> {
    pub(crate) expected: &'static str,
    pub(crate) parse: fn(&str) -> Option<T>,
    /// For quantities that may be plain numbers.
    pub(crate) number: fn(f64) -> Option<T>,
}

impl<T> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        let wrong = || E::invalid_value(Unexpected::Str(text), &self);
        (self.parse)(text.trim()).ok_or_else(wrong)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        let wrong = || E::invalid_value(Unexpected::Float(number), &self);
        (self.number)(number).ok_or_else(wrong)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        self.visit_f64(number as f64)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        self.visit_f64(number as f64)
    }
}

/// Lets a type be read from its text, and from a number if it has one, and says to editors how it
/// is written; a schema has the words that an error has.
macro_rules! written {
    ($type:ty, $name:literal, $expected:ident, $parse:expr, $number:expr, $schema:tt) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(reader: D) -> Result<$type, D::Error> {
                reader.deserialize_any($crate::kernel::quantity::Text {
                    expected: $expected,
                    parse: $parse,
                    number: $number,
                })
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}
pub(crate) use written;

written!(Span, "Duration", DURATION, parse_duration, |_| None, {
    "type": "string",
    "description": DURATION,
    "pattern": r"^\s*[0-9][0-9._]*\s*(ns|us|µs|ms|s|min|h|d)\s*$",
});

written!(Rate, "Rate", RATE, parse_rate, |_| None, {
    "type": "string",
    "description": RATE,
    "pattern": r"^\s*[0-9][0-9._]*\s*/\s*(s|min|h)\s*$",
});

written!(
    Share,
    "Share",
    SHARE,
    parse_share,
    |number| (0.0..=1.0).contains(&number).then_some(Share(number)),
    {
        "description": SHARE,
        "oneOf": [
            { "type": "number", "minimum": 0, "maximum": 1 },
            { "type": "string", "pattern": r"^\s*[0-9][0-9._]*\s*%\s*$" },
        ],
    }
);

written!(
    Count,
    "Count",
    COUNT,
    |text| (text == "unlimited").then_some(Count::Unlimited),
    |number| {
        let whole = libm::floor(number) == number && (0.0..4e9).contains(&number);
        whole.then_some(Count::Limited(number as u32))
    },
    {
        "description": COUNT,
        "oneOf": [
            { "type": "integer", "minimum": 0, "maximum": 3_999_999_999_u32 },
            { "const": "unlimited" },
        ],
    }
);

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.per_second)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0)
    }
}

impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Count::Limited(limit) => serializer.serialize_u32(*limit),
            Count::Unlimited => serializer.serialize_str("unlimited"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_their_unit() {
        let cases = [
            ("200ms", Some(200_000_000)),
            ("1.5s", Some(1_500_000_000)),
            ("0.3ms", Some(300_000)),
            ("2 min", Some(120_000_000_000)),
            ("1_000us", Some(1_000_000)),
            ("0s", Some(0)),
            ("200", None),
            ("-5ms", None),
            ("5 parsecs", None),
            ("1e400s", None),
            ("nan s", None),
            ("", None),
        ];
        for (text, nanos) in cases {
            assert_eq!(parse_duration(text), nanos.map(Span), "{text}");
        }
    }

    #[test]
    fn rates_and_shares_are_read() {
        assert_eq!(parse_rate("400/s"), Some(Rate { per_second: 400.0 }));
        assert_eq!(parse_rate("120 /min"), Some(Rate { per_second: 2.0 }));
        assert_eq!(parse_rate("400"), None);
        assert_eq!(parse_share("2%"), Some(Share(0.02)));
        assert_eq!(parse_share("200%"), None);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = |value: serde_json::Value| value.as_str().map(str::to_owned).unwrap_or_default();
        for nanos in [0, 1, 1_500, 90_000_000_000, 36_525 * 86_400_000_000_000] {
            let written = text(serde_json::to_value(Span(nanos)).unwrap());
            assert_eq!(parse_duration(&written), Some(Span(nanos)), "{written}");
        }
        for per_second in [400.0, 1.0 / 60.0, 1e-9] {
            let written = text(serde_json::to_value(Rate { per_second }).unwrap());
            assert_eq!(parse_rate(&written), Some(Rate { per_second }), "{written}");
        }
    }
}
