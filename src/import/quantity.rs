//! Values as other systems write them: durations in five dialects, counts, shares, switches.

use crate::kernel::time::Span;
use crate::model::document::{Data, Value};
use crate::model::problem::{Problem, shortened};

/// Units of Go: `1h3m0.5s`.
const GO: &[(&str, f64)] =
    &[("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)];
/// The one unit of protobuf's JSON.
const PROTOBUF: &[(&str, f64)] = &[("s", 1e9)];
/// Units of Spring: those of Go and days.
const SPRING: &[(&str, f64)] = &[
    ("ns", 1.0),
    ("us", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3600e9),
    ("d", 86400e9),
];
/// Units of ISO 8601 after the `T`.
const ISO: &[(&str, f64)] = &[("S", 1e9), ("M", 60e9), ("H", 3600e9)];
/// The longest duration of the language: a century.
const LONGEST: f64 = 36_525.0 * 86_400e9;

/// A duration as Go and Kubernetes write it.
pub(super) fn go_duration(value: &Value) -> Result<Span, Problem> {
    let how = "a duration such as \"900ms\" or \"1h3m0.5s\"";
    duration(value, how, |text| if text == "0" { Some(0.0) } else { amounts(text, GO) })
}

/// Units of Linkerd's annotations.
const LINKERD: &[(&str, f64)] =
    &[("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9), ("d", 86400e9)];

/// A duration of an annotation of Linkerd: a whole number and one unit (`outbound/index.rs`,
/// `parse_duration`).
pub(super) fn linkerd_duration(value: &Value) -> Result<Span, Problem> {
    duration(value, "a whole number and a unit, such as \"900ms\"", |text| {
        if text == "0" { Some(0.0) } else { single(text, LINKERD).filter(|_| !text.contains('.')) }
    })
}

/// A duration as protobuf writes it in JSON and YAML: whole and decimal seconds.
pub(super) fn protobuf_duration(value: &Value) -> Result<Span, Problem> {
    duration(value, "seconds such as \"1.5s\"", |text| single(text, PROTOBUF))
}

/// A duration as Spring binds it: `500ms`, ISO 8601, or a plain number of milliseconds.
pub(super) fn spring_duration(value: &Value) -> Result<Span, Problem> {
    let how = "a duration such as \"500ms\", \"PT1.5S\" or 500, which are milliseconds";
    duration(value, how, |text| {
        let iso = text.to_uppercase();
        match iso.strip_prefix('P') {
            Some(iso) => {
                let (days, rest) = iso.split_once('T').unwrap_or((iso, ""));
                let days = match days {
                    "" => 0.0,
                    days => plain(days.strip_suffix('D')?)? * 86400e9,
                };
                let rest = if rest.is_empty() { 0.0 } else { amounts(rest, ISO)? };
                (!matches!(iso, "" | "T")).then_some(days + rest)
            }
            None => plain(text).map(|millis| millis * 1e6).or_else(|| single(text, SPRING)),
        }
    })
}

/// A duration as .NET writes it: `[d.]hh:mm[:ss[.fffffff]]`, or whole days.
pub(super) fn timespan(value: &Value) -> Result<Span, Problem> {
    duration(value, "\"hh:mm:ss\", such as \"00:00:01.5\"", |text| {
        let parts: Vec<&str> = text.split(':').collect();
        let below = |text: &str, most: f64| plain(text).filter(|&number| number < most);
        let hours = |text: &str| match text.split_once('.') {
            Some((days, hours)) => Some(plain(days)? * 24.0 + below(hours, 24.0)?),
            None => below(text, 24.0),
        };
        match *parts.as_slice() {
            [days] if !days.contains('.') => Some(plain(days)? * 86400e9),
            [first, minutes] => Some(hours(first)? * 3600e9 + below(minutes, 60.0)? * 60e9),
            [first, minutes, seconds] => Some(
                hours(first)? * 3600e9 + below(minutes, 60.0)? * 60e9 + below(seconds, 60.0)? * 1e9,
            ),
            _ => None,
        }
    })
}

fn duration(
    value: &Value,
    how: &str,
    nanos: impl Fn(&str) -> Option<f64>,
) -> Result<Span, Problem> {
    let text = scalar(value).ok_or_else(|| wrong(value, how))?;
    let text = text.trim();
    if text.starts_with('-') {
        let message = format!("`{}` is less than no time", shortened(text));
        return Err(Problem::new(message).at(value.at).expected("0s or more"));
    }
    let nanos = nanos(text).ok_or_else(|| wrong(value, how))?;
    if nanos > LONGEST {
        let message = format!("`{}` is longer than anything that can be run", shortened(text));
        return Err(Problem::new(message).at(value.at).expected("at most a century"));
    }
    // Rounded: 0.3 ms is not exactly 300,000 ns in binary.
    Ok(Span((nanos + 0.5) as u64))
}

/// The sum of one or more numbers with units, in nanoseconds.
fn amounts(mut text: &str, units: &[(&str, f64)]) -> Option<f64> {
    let mut nanos = 0.0;
    loop {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number = plain(&text[..end])?;
        let rest = &text[end..];
        let unit = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let (_, size) = units.iter().find(|(name, _)| *name == &rest[..unit])?;
        nanos += number * size;
        text = &rest[unit..];
        if text.is_empty() {
            return Some(nanos);
        }
    }
}

/// One number with its unit, in nanoseconds.
fn single(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (_, size) = units.iter().find(|(name, _)| *name == text[end..].trim())?;
    Some(plain(&text[..end])? * size)
}

/// A number of digits and at most one point.
fn plain(text: &str) -> Option<f64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse().ok().filter(|number: &f64| is_plain && number.is_finite())
}

/// A whole number of at least 0, also as text.
pub(super) fn count(value: &Value) -> Result<u32, Problem> {
    let how = "a whole number from 0 to 4294967295";
    let count = match &value.data {
        Data::Integer(integer) => u32::try_from(*integer).ok(),
        Data::Text(text) => text.trim().parse().ok(),
        _ => None,
    };
    count.ok_or_else(|| wrong(value, how))
}

/// A number of at least 0, also as text.
pub(super) fn number(value: &Value) -> Result<f64, Problem> {
    let number = match &value.data {
        Data::Integer(integer) => Some(*integer as f64),
        Data::Float(number) => Some(*number),
        Data::Text(text) => plain(text.trim()),
        _ => None,
    };
    number
        .filter(|number| number.is_finite() && *number >= 0.0)
        .ok_or_else(|| wrong(value, "a number of at least 0"))
}

/// A share from 0 to 1, also as text.
pub(super) fn share(value: &Value) -> Result<f64, Problem> {
    let share = number(value).ok().filter(|&share| share <= 1.0);
    share.ok_or_else(|| wrong(value, "a number from 0 to 1"))
}

/// A percentage from 0 to 100, plain or as Envoy's `{ value: 15.0 }`, which is 0 without a value.
pub(super) fn percent(value: &Value) -> Result<f64, Problem> {
    let inner = match &value.data {
        Data::Table(fields) if fields.is_empty() => return Ok(0.0),
        Data::Table(fields) if fields.len() == 1 => fields.get("value").map(|field| &field.value),
        _ => None,
    };
    let percent = number(inner.unwrap_or(value)).ok().filter(|&percent| percent <= 100.0);
    percent.ok_or_else(|| wrong(value, "a percentage from 0 to 100"))
}

/// A share of 100 as the Gateway API's `{ numerator: 25, denominator: 100 }`, in percent.
pub(super) fn fraction(value: &Value) -> Result<f64, Problem> {
    let how = "a fraction such as { numerator: 25, denominator: 100 }";
    let Data::Table(fields) = &value.data else { return Err(wrong(value, how)) };
    let known = ["numerator", "denominator"];
    if let Some((key, field)) = fields.iter().find(|(key, _)| !known.contains(&key.as_str())) {
        return Err(Problem::unknown("field", key, &known).at(field.key_at));
    }
    let part = |key: &str| fields.get(key).map(|field| count(&field.value)).transpose();
    let numerator = part("numerator")?.ok_or_else(|| wrong(value, how))?;
    let denominator = part("denominator")?.unwrap_or(100);
    if denominator == 0 || numerator > denominator {
        return Err(wrong(value, "a fraction from 0 to 1"));
    }
    Ok(f64::from(numerator) * 100.0 / f64::from(denominator))
}

/// True or false, also as text, and as YAML before 1.2 had it.
pub(super) fn flag(value: &Value) -> Result<bool, Problem> {
    match &value.data {
        Data::Boolean(flag) => Some(*flag),
        Data::Text(text) => match text.trim().to_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => None,
        },
        _ => None,
    }
    .ok_or_else(|| wrong(value, "true or false"))
}

pub(super) fn find_text(value: &Value, key: &str) -> Option<String> {
    value.find(&[key.to_owned()]).and_then(|value| text(value).ok())
}

/// Text; numbers and switches are taken as they are written.
pub(super) fn text(value: &Value) -> Result<String, Problem> {
    scalar(value).ok_or_else(|| wrong(value, "text"))
}

/// A list of texts.
pub(super) fn texts(value: &Value) -> Result<Vec<String>, Problem> {
    match &value.data {
        Data::List(values) => values.iter().map(text).collect(),
        _ => text(value).map(|text| text.split(',').map(|part| part.trim().to_owned()).collect()),
    }
}

fn scalar(value: &Value) -> Option<String> {
    match &value.data {
        Data::Text(text) => Some(text.clone()),
        Data::Integer(integer) => Some(integer.to_string()),
        Data::Float(number) => Some(number.to_string()),
        Data::Boolean(flag) => Some(flag.to_string()),
        Data::Table(_) | Data::List(_) => None,
    }
}

/// A value of the wrong kind.
pub(super) fn wrong(value: &Value, how: &str) -> Problem {
    let text = scalar(value);
    let found = match &text {
        Some(text) => format!("`{}`", shortened(text)),
        None => value.data.describe().to_owned(),
    };
    let how = match text {
        Some(text) if text.contains("{{") || text.contains("{%") => {
            format!("{how}; render a template first, for example with `helm template`")
        }
        Some(text) if text.contains("${") => {
            let name = text.split("${").nth(1).unwrap_or_default();
            let name = name.split(['}', ':']).next().unwrap_or_default();
            format!("{how}; the variable `{}` has no value in this file", shortened(name))
        }
        _ => how.to_owned(),
    };
    Problem::new(format!("cannot read {found} here")).at(value.at).expected(how)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::document::Location;

    fn read(text: &str, parse: fn(&Value) -> Result<Span, Problem>) -> Option<u64> {
        let at = Location { source: 0, start: 0, end: 0 };
        parse(&Value { data: Data::Text(text.to_owned()), at }).ok().map(|span| span.0 / 1_000)
    }

    #[test]
    fn durations_are_read_in_their_dialect_and_in_no_other() {
        type Read = fn(&Value) -> Result<Span, Problem>;
        let cases: [(Read, &str, Option<u64>); 24] = [
            (go_duration, "1h3m0.5s", Some(3_780_500_000)),
            (go_duration, "900ms", Some(900_000)),
            (go_duration, "0", Some(0)),
            (go_duration, "900", None),
            (go_duration, "-1s", None),
            (go_duration, "1s x", None),
            (go_duration, "", None),
            (go_duration, "1e9h", None),
            (go_duration, "999999999h", None),
            (protobuf_duration, "1.5s", Some(1_500_000)),
            (protobuf_duration, "250ms", None),
            (protobuf_duration, "s", None),
            (spring_duration, "PT1.5S", Some(1_500_000)),
            (spring_duration, "P1DT2H", Some(93_600_000_000)),
            (spring_duration, "PT", None),
            (spring_duration, "500", Some(500_000)),
            (spring_duration, "2m", Some(120_000_000)),
            (spring_duration, "500 ms", Some(500_000)),
            (timespan, "00:00:10", Some(10_000_000)),
            (timespan, "00:00:00.4000000", Some(400_000)),
            (timespan, "1.02:00:00", Some(93_600_000_000)),
            (timespan, "00:61:00", None),
            (timespan, "10s", None),
            (timespan, "1:2:3:4", None),
        ];
        for (parse, text, micros) in cases {
            assert_eq!(read(text, parse), micros, "{text}");
        }
    }
}
