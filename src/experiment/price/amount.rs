//! An amount of money, exactly as it is written.

use std::fmt;

#[cfg(test)]
use schemars::JsonSchema;
use serde::de::{Deserializer, Error, Unexpected, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// An amount in whole millionths of a unit that the experiment names; at least 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(u64);

/// The millionths of a unit.
const MILLION: u64 = 1_000_000;
/// How many decimals an amount has at the most.
const DECIMALS: usize = 6;
/// The largest amount, in units: times the time of all instances it still is a number of 128 bits.
const UNITS_MAX: u64 = 1_000_000_000;
const AMOUNT: &str =
    "an amount: a number from 0 to 1000000000 with up to six decimals, such as \"0.04\" or 120";

impl Amount {
    /// Reads a decimal number; `None` if it is none, or has more decimals.
    #[must_use]
    pub fn parse(text: &str) -> Option<Amount> {
        let text = text.trim().replace('_', "");
        let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || rest.len() > DECIMALS || !is_digits(whole) || !is_digits(rest) {
            return None;
        }
        let units: u64 = whole.parse().ok().filter(|units| *units <= UNITS_MAX)?;
        let millionths: u64 = format!("{rest:0<DECIMALS$}").parse().ok()?;
        Some(Amount(units * MILLION + millionths))
    }

    /// The price of so many, if this is the price of `per`, in millionths, rounded half up.
    #[must_use]
    pub fn times(self, count: u128, per: u64) -> i128 {
        let per = u128::from(per.max(1));
        let whole = u128::from(self.0).saturating_mul(count);
        i128::try_from(whole.saturating_add(per / 2) / per).unwrap_or(i128::MAX)
    }

    /// Millionths as a number of units.
    #[must_use]
    pub fn in_units(millionths: i128) -> f64 {
        millionths as f64 / MILLION as f64
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (units, rest) = (self.0 / MILLION, self.0 % MILLION);
        match rest {
            0 => write!(f, "{units}"),
            _ => write!(f, "{units}.{}", format!("{rest:06}").trim_end_matches('0')),
        }
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Amount, D::Error> {
        deserializer.deserialize_any(AmountVisitor)
    }
}

struct AmountVisitor;

impl Visitor<'_> for AmountVisitor {
    type Value = Amount;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(AMOUNT)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Amount, E> {
        Amount::parse(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }

    /// A float is what its shortest decimal says: that is what stands in the file.
    fn visit_f64<E: Error>(self, number: f64) -> Result<Amount, E> {
        let text = number.to_string();
        Amount::parse(&text).ok_or_else(|| E::invalid_value(Unexpected::Float(number), &self))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Amount, E> {
        let text = number.to_string();
        Amount::parse(&text).ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Amount, E> {
        let text = number.to_string();
        Amount::parse(&text).ok_or_else(|| E::invalid_value(Unexpected::Signed(number), &self))
    }
}

#[cfg(test)]
impl JsonSchema for Amount {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": AMOUNT,
            "anyOf": [
                { "type": "string", "pattern": r"^[0-9_]+(\.[0-9_]{1,6})?$" },
                { "type": "number", "minimum": 0, "maximum": UNITS_MAX },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_what_is_written_and_no_float() {
        for (text, shown) in
            [("0.04", "0.04"), ("120", "120"), ("1_000.5", "1000.5"), ("0.000001", "0.000001")]
        {
            assert_eq!(Amount::parse(text).map(|it| it.to_string()).as_deref(), Some(shown));
        }
        for text in ["", "-1", ".5", "1e3", "0.0000001", "1000000001", "1.2.3", "one"] {
            assert_eq!(Amount::parse(text), None, "{text}");
        }
    }

    /// 0.1 an hour for a tenth of an hour, ten times, is 0.1 exactly; half a millionth rounds up.
    #[test]
    fn a_price_is_exact_to_the_millionth() {
        let tenth = Amount::parse("0.1").expect("an amount");
        assert_eq!(tenth.times(360_000_000_000, 3_600_000_000_000) * 10, 100_000);
        let smallest = Amount::parse("0.000001").expect("an amount");
        assert_eq!([1, 2, 3].map(|count| smallest.times(count, 4)), [0, 1, 1]);
        assert_eq!(Amount::in_units(tenth.times(3, 1)), 0.3);
    }
}
