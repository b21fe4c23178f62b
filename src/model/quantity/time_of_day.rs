//! A time of the day, and moments of an experiment that may be written as one.

#[cfg(feature = "schema")]
use std::borrow::Cow;
use std::fmt;

#[cfg(feature = "schema")]
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::written;
use crate::kernel::time::Span;

/// A time of the day, as seconds since midnight. Written `"12:00"` or `"12:00:30"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeOfDay(pub u32);

const TIME_OF_DAY: &str = "a time of the day: \"12:00\" or \"12:00:30\", from 00:00 to 23:59:59";
#[cfg(feature = "schema")]
const MOMENT: &str = "when: the time since the beginning, such as \"90s\", or with `starts_at` a \
                      time of the day, such as \"12:02\"";
const DAY_S: u32 = 24 * 60 * 60;

impl TimeOfDay {
    /// Reads a time of the day; `None` if it is none.
    pub fn parse(text: &str) -> Option<TimeOfDay> {
        let parts: Vec<&str> = text.trim().split(':').collect();
        let [hours, minutes, seconds] = match parts[..] {
            [hours, minutes] => [hours, minutes, "00"],
            [hours, minutes, seconds] => [hours, minutes, seconds],
            _ => return None,
        };
        let part = |text: &str, below: u32| {
            let is_plain =
                (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            text.parse::<u32>().ok().filter(|number| is_plain && *number < below)
        };
        Some(TimeOfDay(part(hours, 24)? * 3600 + part(minutes, 60)? * 60 + part(seconds, 60)?))
    }

    /// What time of the day it is so long after it, which may be on another day.
    pub fn after(self, since: Span) -> TimeOfDay {
        let seconds = (since.0 / 1_000_000_000 + u64::from(self.0)) % u64::from(DAY_S);
        TimeOfDay(seconds as u32)
    }

    /// How long after `start` it is this time of the day, which may be on the next day.
    pub fn since(self, start: TimeOfDay) -> Span {
        Span::from_secs(u64::from((self.0 + DAY_S - start.0) % DAY_S))
    }
}

impl fmt::Display for TimeOfDay {
    /// `12:00`, and with the seconds if there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hours, minutes, seconds) = (self.0 / 3600, self.0 / 60 % 60, self.0 % 60);
        write!(f, "{hours:02}:{minutes:02}")?;
        if seconds > 0 { write!(f, ":{seconds:02}") } else { Ok(()) }
    }
}

written!(TimeOfDay, "TimeOfDay", TIME_OF_DAY, TimeOfDay::parse, |_| None, {
    "type": "string",
    "description": TIME_OF_DAY,
    "pattern": r"^\s*([01]?[0-9]|2[0-3])(:[0-5]?[0-9]){1,2}\s*$",
});

/// What the schema says of a moment of an experiment: a [`Span`] since its beginning, or a
/// [`TimeOfDay`], which is read as one.
#[cfg(feature = "schema")]
#[derive(Clone, Copy, Debug)]
pub struct Moment;

#[cfg(feature = "schema")]
impl JsonSchema for Moment {
    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let span = generator.subschema_for::<Span>();
        let time_of_day = generator.subschema_for::<TimeOfDay>();
        json_schema!({ "description": MOMENT, "oneOf": [span, time_of_day] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_the_day_is_read_as_it_is_written() {
        for (text, seconds) in
            [("12:00", 43_200), ("00:00", 0), ("9:05", 32_700), ("23:59:59", DAY_S - 1)]
        {
            assert_eq!(TimeOfDay::parse(text), Some(TimeOfDay(seconds)), "{text}");
        }
        for wrong in ["24:00", "12:60", "12", "12:00:00:00", "-1:00", "12:+5", ":", "12:000", ""] {
            assert_eq!(TimeOfDay::parse(wrong), None, "{wrong}");
        }
        assert_eq!(TimeOfDay(32_700).to_string(), "09:05");
        assert_eq!(TimeOfDay(32_701).to_string(), "09:05:01");
    }

    #[test]
    fn after_midnight_is_the_next_day() {
        let since = |text, start| {
            let [text, start] = [text, start].map(|text| TimeOfDay::parse(text).unwrap());
            text.since(start)
        };
        assert_eq!(since("12:02", "12:00"), Span::from_secs(120));
        assert_eq!(since("00:05", "23:55"), Span::from_secs(600));
        assert_eq!(since("12:00", "12:00"), Span::ZERO);
    }
}
