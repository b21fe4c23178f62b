//! The seeds of an experiment.

use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Unexpected, Visitor};

/// Seeds `first..end`: the last one is `end - 1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeds(pub Range<u64>);

impl Seeds {
    /// The most seeds of a campaign.
    pub const MOST: u64 = 1_000_000;
    /// How seeds are written.
    pub const EXPECTED: &str = "A..B with A less than B, such as \"1..31\" for thirty seeds; at \
                                most 1000000";

    /// Reads `A..B`: from A up to, but without, B.
    #[must_use]
    pub fn parse(text: &str) -> Option<Seeds> {
        let (first, end) = text.split_once("..")?;
        let (first, end): (u64, u64) = (first.trim().parse().ok()?, end.trim().parse().ok()?);
        (first < end && end - first <= Seeds::MOST).then_some(Seeds(first..end))
    }
}

impl<'de> Deserialize<'de> for Seeds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Seeds, D::Error> {
        deserializer.deserialize_str(SeedsVisitor)
    }
}

struct SeedsVisitor;

impl Visitor<'_> for SeedsVisitor {
    type Value = Seeds;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a range of seeds: {}", Seeds::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Seeds, E> {
        Seeds::parse(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_seeds_as_are_said_are_taken_and_not_one_more() {
        assert_eq!(Seeds::parse("1..1000001"), Some(Seeds(1..1_000_001)));
        assert_eq!(Seeds::parse("1..1000002"), None);
        assert_eq!(Seeds::parse(" 5 .. 6 "), Some(Seeds(5..6)));
        assert_eq!((Seeds::parse("5..5"), Seeds::parse("5")), (None, None));
    }
}
