//! How much passes over a link in a second, and how large a message is.

use serde::{Serialize, Serializer};

use super::{parse_number, parse_rate, written};
use crate::kernel::time::Span;

/// How much passes in a second; more than 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bandwidth {
    /// So many messages, whatever their size.
    Messages(f64),
    /// So many bytes.
    Bytes(f64),
}

/// The size of a message in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size(pub f64);

const BANDWIDTH: &str = "a bandwidth of more than 0: messages such as \"1000/s\", or bytes or \
                         bits such as \"10MB/s\" or \"100Mbit/s\" (B, kB, MB, GB, kbit, Mbit, \
                         Gbit)";
const SIZE: &str =
    "a size: a number and its unit, such as \"2kB\" (B, kB, MB, GB, kbit, Mbit, Gbit)";

impl Bandwidth {
    /// How long a message of this size is on the wire.
    pub fn transmission(self, message: Size) -> Span {
        match self {
            Bandwidth::Messages(per_second) => Span::from_secs_f64(1.0 / per_second),
            Bandwidth::Bytes(per_second) => Span::from_secs_f64(message.0 / per_second),
        }
    }
}

/// Reads a number of bytes such as `2kB`; prefixes are powers of 1000.
fn parse_bytes(text: &str) -> Option<f64> {
    let split = text.find(char::is_alphabetic)?;
    let (number, unit) = text.split_at(split);
    let bytes = match unit {
        "B" => 1.0,
        "kB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "kbit" => 1e3 / 8.0,
        "Mbit" => 1e6 / 8.0,
        "Gbit" => 1e9 / 8.0,
        _ => return None,
    };
    Some(parse_number(number.trim_end())? * bytes)
}

fn parse_bandwidth(text: &str) -> Option<Bandwidth> {
    let (number, unit) = text.split_once('/')?;
    let (bandwidth, per_second) = match parse_bytes(number.trim_end()) {
        Some(bytes) if unit.trim() == "s" => (Bandwidth::Bytes(bytes), bytes),
        Some(_) => return None,
        None => {
            let messages = parse_rate(text)?.per_second;
            (Bandwidth::Messages(messages), messages)
        }
    };
    (per_second > 0.0).then_some(bandwidth)
}

written!(Bandwidth, "Bandwidth", BANDWIDTH, parse_bandwidth, |_| None, {
    "type": "string",
    "description": BANDWIDTH,
    "pattern": r"^\s*[0-9][0-9._]*\s*([kMG]?B|[kMG]bit)?\s*/\s*(s|min|h)\s*$",
});

written!(Size, "Size", SIZE, |text| parse_bytes(text).map(Size), |_| None, {
    "type": "string",
    "description": SIZE,
    "pattern": r"^\s*[0-9][0-9._]*\s*([kMG]?B|[kMG]bit)\s*$",
});

impl Serialize for Bandwidth {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Bandwidth::Messages(number) => serializer.collect_str(&format_args!("{number}/s")),
            Bandwidth::Bytes(number) => serializer.collect_str(&format_args!("{number}B/s")),
        }
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}B", self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bandwidth_is_of_messages_or_of_bytes() {
        let cases = [
            ("1000/s", Some(Bandwidth::Messages(1000.0))),
            ("60/min", Some(Bandwidth::Messages(1.0))),
            ("10MB/s", Some(Bandwidth::Bytes(1e7))),
            ("8 Mbit/s", Some(Bandwidth::Bytes(1e6))),
            ("10MB/min", None),
            ("10MB", None),
            ("0/s", None),
            ("0B/s", None),
            ("fast", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_bandwidth(text), expected, "{text}");
        }
        let megabyte = Bandwidth::Bytes(1e6);
        assert_eq!(megabyte.transmission(Size(2e3)), Span::from_millis(2));
        assert_eq!(Bandwidth::Messages(500.0).transmission(Size(9.0)), Span::from_millis(2));
    }
}
