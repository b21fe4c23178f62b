//! Quantities as a program writes them, so that reading them again gives the same.

use std::fmt;

use serde::{Serialize, Serializer};

use super::{Count, Rate, Share};
use crate::kernel::sample::Distribution;
use crate::kernel::time::Span;

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.per_second)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0)
    }
}

impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Count::Limited(limit) => serializer.serialize_u32(*limit),
            Count::Unlimited => serializer.serialize_str("unlimited"),
        }
    }
}

impl Serialize for Distribution {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Distribution::Constant(span) => serializer.collect_str(span),
            Distribution::Uniform { low, high } => {
                serializer.collect_str(&format_args!("uniform {low}..{high}"))
            }
            Distribution::Exponential { mean } => {
                serializer.collect_str(&format_args!("exp {mean}"))
            }
            Distribution::Lognormal { median, sigma } => {
                serializer.collect_str(&format_args!("lognormal {median} sigma {sigma}"))
            }
            Distribution::Pareto { scale, shape } => {
                serializer.collect_str(&format_args!("pareto {scale} shape {shape}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{parse_distribution, parse_duration, parse_rate};
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let text = |value: serde_json::Value| value.as_str().map(str::to_owned).unwrap_or_default();
        for nanos in [0, 1, 1_500, 90_000_000_000, 36_525 * 86_400_000_000_000] {
            let written = text(serde_json::to_value(Span(nanos)).unwrap());
            assert_eq!(parse_duration(&written), Some(Span(nanos)), "{written}");
        }
        for per_second in [400.0, 1.0 / 60.0, 1e-9] {
            let written = text(serde_json::to_value(Rate { per_second }).unwrap());
            assert_eq!(parse_rate(&written), Some(Rate { per_second }), "{written}");
        }
        for like in ["5ms", "exp 5ms", "uniform 1ms..5ms", "lognormal 5ms sigma 0.5"] {
            let distribution = parse_distribution(like).unwrap();
            assert_eq!(text(serde_json::to_value(distribution).unwrap()), like);
        }
    }
}
