//! What a server tells a caller that it refuses: when to come back.

#[cfg(feature = "schema")]
use std::borrow::Cow;

#[cfg(feature = "schema")]
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Text, parse_duration};
use crate::kernel::time::Span;

/// When a refused caller is told to come back, written `"exact"` or as a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// After as long as it would have had to wait just now.
    Exact,
    /// After the same time always.
    Fixed(Span),
}

const RETRY_AFTER: &str = "what a refused caller is told: a duration such as \"1s\", or \"exact\" \
                           for the time until there is room";

fn parse(text: &str) -> Option<RetryAfter> {
    match text {
        "exact" => Some(RetryAfter::Exact),
        _ => parse_duration(text).map(RetryAfter::Fixed),
    }
}

impl<'de> Deserialize<'de> for RetryAfter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RetryAfter, D::Error> {
        deserializer.deserialize_any(Text { expected: RETRY_AFTER, parse, number: |_| None })
    }
}

impl Serialize for RetryAfter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            RetryAfter::Exact => serializer.serialize_str("exact"),
            RetryAfter::Fixed(span) => serializer.collect_str(span),
        }
    }
}

#[cfg(feature = "schema")]
impl JsonSchema for RetryAfter {
    fn schema_name() -> Cow<'static, str> {
        "RetryAfter".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": RETRY_AFTER })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_duration_or_exact() {
        assert_eq!(parse("exact"), Some(RetryAfter::Exact));
        assert_eq!(parse("1s"), Some(RetryAfter::Fixed(Span::from_secs(1))));
        assert_eq!(parse("soon"), None);
    }
}
