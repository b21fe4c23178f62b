//! A length of time that has a direction: how far a clock is ahead or behind.

use serde::{Serialize, Serializer};

use super::{parse_duration, written};
use crate::kernel::time::Span;

/// By how many nanoseconds something is shifted: later, or, if it is negative, earlier. Written
/// `"5s"` or `"-5s"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shift(pub i64);

const SHIFT: &str = "a shift: a duration with or without a minus, such as \"5s\" or \"-200ms\" \
                     (ns, us, ms, s, min, h, d), of at most a century";

fn parse_shift(text: &str) -> Option<Shift> {
    let (text, sign) = match text.strip_prefix('-') {
        Some(rest) => (rest, -1),
        None => (text, 1),
    };
    // A century of nanoseconds has 62 bits.
    parse_duration(text).map(|Span(nanos)| Shift(sign * nanos as i64))
}

written!(Shift, "Shift", SHIFT, parse_shift, |_| None, {
    "type": "string",
    "description": SHIFT,
    "pattern": r"^\s*-?[0-9][0-9._]*\s*(ns|us|µs|ms|s|min|h|d)\s*$",
});

impl Serialize for Shift {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let sign = if self.0 < 0 { "-" } else { "" };
        serializer.collect_str(&format_args!("{sign}{}", Span(self.0.unsigned_abs())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_goes_both_ways_and_is_read_as_it_is_written() {
        assert_eq!(parse_shift("5s"), Some(Shift(5_000_000_000)));
        assert_eq!(parse_shift("-200ms"), Some(Shift(-200_000_000)));
        for wrong in ["--5s", "5", "-", "s"] {
            assert_eq!(parse_shift(wrong), None, "{wrong}");
        }
        let written = serde_json::to_string(&Shift(-1_500_000_000)).unwrap();
        assert_eq!(serde_json::from_str::<Shift>(&written).unwrap(), Shift(-1_500_000_000));
    }
}
