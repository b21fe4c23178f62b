//! Lengths of time that vary, as they are written.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Unexpected, Visitor};

use super::{parse_duration, parse_number, parse_share};
use crate::kernel::sample::Distribution;
use crate::kernel::time::Span;

/// What is expected, and after the colon how it is written.
pub(super) const DISTRIBUTION: &str = "a length of time: a duration such as \"5ms\", or \"exp 5ms\" \
    (mean), \"uniform 1ms..5ms\" (shortest first), \"normal 10ms sigma 2ms\" (mean), \
    \"lognormal 5ms sigma 0.5\" (median), \
    \"pareto 1ms shape 2.5\" (shape more than 0), \"weibull 5ms shape 0.7\", \"erlang 3 10ms\" \
    (1 to 100 stages, mean), \"mix 90% exp 2ms, 10% exp 50ms\" (100% in all)";

/// The most recorded lengths: they are kept in memory.
pub(in crate::model) const RECORDED_MAX: usize = 100_000;

/// The most stages: each costs time whenever a length is drawn.
const STAGES_MAX: u32 = 100;

/// Shares are written in decimals, which do not add up to 1 exactly.
const SHARES_TOLERANCE: f64 = 1e-9;

pub(super) fn parse_distribution(text: &str) -> Option<Distribution> {
    match text.trim_start().strip_prefix("mix ") {
        Some(parts) => parse_mixture(parts),
        None => parse_simple(text),
    }
}

fn parse_mixture(text: &str) -> Option<Distribution> {
    let part = |part: &str| {
        let (share, distribution) = part.trim().split_once(char::is_whitespace)?;
        let share = match parse_share(share) {
            Some(share) => share.0,
            None => parse_number(share)?,
        };
        (share > 0.0).then_some((share, parse_simple(distribution)?))
    };
    let parts: Vec<(f64, Distribution)> = text.split(',').map(part).collect::<Option<_>>()?;
    let total: f64 = parts.iter().map(|(share, _)| share).sum();
    ((total - 1.0).abs() <= SHARES_TOLERANCE).then(|| Distribution::mixture(parts))
}

fn parse_simple(text: &str) -> Option<Distribution> {
    let words: Vec<&str> = text.split_whitespace().collect();
    match *words.as_slice() {
        [span] => parse_duration(span).map(Distribution::Constant),
        ["exp", mean] => Some(Distribution::Exponential { mean: parse_duration(mean)? }),
        ["uniform", range] => {
            let (low, high) = range.split_once("..")?;
            let (low, high) = (parse_duration(low)?, parse_duration(high)?);
            (low <= high).then_some(Distribution::Uniform { low, high })
        }
        ["normal", mean, "sigma", sigma] => Some(Distribution::Normal {
            mean: parse_duration(mean)?,
            sigma: parse_duration(sigma)?,
        }),
        ["lognormal", median, "sigma", sigma] => Some(Distribution::Lognormal {
            median: parse_duration(median)?,
            sigma: parse_number(sigma)?,
        }),
        ["pareto", scale, "shape", shape] => {
            let (scale, shape) = (parse_duration(scale)?, parse_shape(shape)?);
            Some(Distribution::Pareto { scale, shape })
        }
        ["weibull", scale, "shape", shape] => {
            let (scale, shape) = (parse_duration(scale)?, parse_shape(shape)?);
            Some(Distribution::Weibull { scale, shape })
        }
        ["erlang", stages, mean] => {
            let stages = stages.parse().ok().filter(|count| (1..=STAGES_MAX).contains(count))?;
            Some(Distribution::Erlang { stages, mean: parse_duration(mean)? })
        }
        _ => None,
    }
}

fn parse_shape(text: &str) -> Option<f64> {
    parse_number(text).filter(|&shape| shape > 0.0)
}

/// Recorded lengths, each as likely as any other.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Recorded {
    empirical: Vec<Span>,
}

struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = Distribution;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(DISTRIBUTION)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Distribution, E> {
        let wrong = || E::invalid_value(Unexpected::Str(text), &self);
        parse_distribution(text).ok_or_else(wrong)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Distribution, A::Error> {
        let mut spans = Recorded::deserialize(MapAccessDeserializer::new(map))?.empirical;
        if spans.is_empty() || spans.len() > RECORDED_MAX {
            let expected = format!("recorded lengths: from 1 to {RECORDED_MAX} of them");
            return Err(A::Error::invalid_value(Unexpected::Seq, &expected.as_str()));
        }
        spans.sort_unstable();
        Ok(Distribution::Empirical(spans.into()))
    }
}

impl<'de> Deserialize<'de> for Distribution {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Distribution, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distributions_are_read() {
        let ms = Span::from_millis;
        let exponential = |mean| Distribution::Exponential { mean: ms(mean) };
        let cases = [
            ("5ms", Some(Distribution::Constant(ms(5)))),
            ("exp 5ms", Some(exponential(5))),
            ("uniform 1ms..5ms", Some(Distribution::Uniform { low: ms(1), high: ms(5) })),
            ("uniform 5ms..1ms", None),
            (
                "lognormal 5ms sigma 0.5",
                Some(Distribution::Lognormal { median: ms(5), sigma: 0.5 }),
            ),
            ("normal 10ms sigma 2ms", Some(Distribution::Normal { mean: ms(10), sigma: ms(2) })),
            ("normal 10ms sigma 2", None),
            ("pareto 1ms shape 2.5", Some(Distribution::Pareto { scale: ms(1), shape: 2.5 })),
            ("weibull 1ms shape 0.5", Some(Distribution::Weibull { scale: ms(1), shape: 0.5 })),
            ("weibull 1ms shape 0", None),
            ("erlang 3 10ms", Some(Distribution::Erlang { stages: 3, mean: ms(10) })),
            ("erlang 0 10ms", None),
            ("erlang 101 10ms", None),
            (
                "mix 90% exp 2ms, 0.1 exp 50ms",
                Some(Distribution::mixture(vec![(0.9, exponential(2)), (0.1, exponential(50))])),
            ),
            ("mix 90% exp 2ms, 20% exp 50ms", None),
            ("mix 100% exp 2ms, 0% exp 50ms", None),
            ("mix 100%", None),
            ("mix 50% mix 100% 1ms, 50% 2ms", None),
            ("gauss 5ms", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_distribution(text), expected, "{text}");
        }
    }
}
