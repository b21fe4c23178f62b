//! Lengths of time that vary as a program writes them, so that reading them again gives the same.

use std::fmt;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::kernel::sample::Distribution;

impl Serialize for Distribution {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Distribution::Empirical(spans) = self {
            let mut table = serializer.serialize_map(Some(1))?;
            table.serialize_entry("empirical", &**spans)?;
            return table.end();
        }
        serializer.collect_str(&Words(self))
    }
}

/// A distribution as one text. One of recorded lengths has none, and stands in no other.
struct Words<'a>(&'a Distribution);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Distribution::Constant(span) => write!(f, "{span}"),
            Distribution::Uniform { low, high } => write!(f, "uniform {low}..{high}"),
            Distribution::Exponential { mean } => write!(f, "exp {mean}"),
            Distribution::Normal { mean, sigma } => write!(f, "normal {mean} sigma {sigma}"),
            Distribution::Lognormal { median, sigma } => {
                write!(f, "lognormal {median} sigma {sigma}")
            }
            Distribution::Pareto { scale, shape } => write!(f, "pareto {scale} shape {shape}"),
            Distribution::Weibull { scale, shape } => write!(f, "weibull {scale} shape {shape}"),
            Distribution::Erlang { stages, mean } => write!(f, "erlang {stages} {mean}"),
            Distribution::Mixture(parts) => {
                for (index, part) in parts.iter().enumerate() {
                    let before = if index == 0 { "mix" } else { "," };
                    write!(f, "{before} {} {}", part.share, Words(&part.distribution))?;
                }
                Ok(())
            }
            Distribution::Empirical(spans) => write!(f, "empirical of {}", spans.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::distribution::parse_distribution;
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let text = |value: serde_json::Value| value.as_str().map(str::to_owned).unwrap_or_default();
        for like in [
            "5ms",
            "exp 5ms",
            "uniform 1ms..5ms",
            "normal 10ms sigma 2ms",
            "lognormal 5ms sigma 0.5",
            "pareto 1ms shape 2.5",
            "weibull 5ms shape 0.7",
            "erlang 3 10ms",
            "mix 0.93 exp 2ms, 0.07 lognormal 50ms sigma 1",
        ] {
            let distribution = parse_distribution(like).unwrap();
            assert_eq!(text(serde_json::to_value(distribution).unwrap()), like);
        }
        let recorded = serde_json::json!({ "empirical": ["1ms", "5ms", "7us"] });
        let read: Distribution = serde_json::from_value(recorded).unwrap();
        let written = serde_json::json!({ "empirical": ["7us", "1ms", "5ms"] });
        assert_eq!(serde_json::to_value(&read).unwrap(), written);
        assert_eq!(serde_json::from_value::<Distribution>(written).unwrap(), read);
    }
}
