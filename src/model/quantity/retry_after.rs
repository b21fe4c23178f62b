//! What a server tells a caller that it refuses: when to come back.

use serde::{Serialize, Serializer};

use super::{parse_duration, written};
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

written!(RetryAfter, "RetryAfter", RETRY_AFTER, parse, |_| None, {
    "type": "string",
    "description": RETRY_AFTER,
});

impl Serialize for RetryAfter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            RetryAfter::Exact => serializer.serialize_str("exact"),
            RetryAfter::Fixed(span) => serializer.collect_str(span),
        }
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
