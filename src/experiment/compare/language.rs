//! `[compare]` of an experiment: what arms are compared by, declared before anything runs.

use std::fmt;

use indexmap::IndexMap;
#[cfg(test)]
use schemars::JsonSchema;
use serde::de::{Deserializer, Error, Unexpected, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::model::quantity::Share;
use crate::statistics::verdict::Direction;

/// `[compare]`. A metric is a column of `runs.csv`, `never_recovered`, `metastable`, or of an
/// invariant `NAME_violated` or `NAME_per_10000`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct CompareText {
    /// The arm that the others are compared with; the first one without it.
    pub baseline: Option<String>,
    /// The metrics that answer the question; without it success, amplification, whether the run
    /// came back, and how often each promise is broken. All others are exploratory.
    pub primary: Option<Vec<String>>,
    /// Which comparisons are corrected together for their number.
    pub family: Family,
    /// By metric, what tables and sentences call it.
    pub label: IndexMap<String, String>,
    /// Which way a metric is good, where it is not the usual one.
    pub better: IndexMap<String, Direction>,
    /// By metric, the differences that make no difference in practice: `"1%"` of the baseline's
    /// mean, or a number in the metric's own unit.
    pub equivalent: IndexMap<String, Margin>,
    /// Seeds are added until every primary metric is this precise; without it, they are not.
    pub precision: Option<PrecisionText>,
    /// The metrics of the Pareto front, two or more.
    pub pareto: Vec<String>,
}

/// Which comparisons are corrected together for their number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Every arm, point and primary metric.
    #[default]
    Campaign,
    /// Every arm and primary metric of one point: each point is a question of its own.
    Point,
}

impl Family {
    /// The word for files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Family::Campaign => "campaign",
            Family::Point => "point",
        }
    }
}

/// `precision`: the widest half of a 95% interval.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct PrecisionText {
    /// Of an amount, as a share of its mean.
    pub amounts: Share,
    /// Of a share or a probability, as it is.
    pub shares: Share,
}

impl Default for PrecisionText {
    /// Ground truth 3.2: 5% of the mean, 0.02 of a probability.
    fn default() -> PrecisionText {
        PrecisionText { amounts: Share(0.05), shares: Share(0.02) }
    }
}

/// How large a difference may be that makes no difference in practice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Margin {
    /// This share of the baseline's mean.
    Relative(f64),
    /// This much, in the unit of the metric.
    Absolute(f64),
}

const MARGIN: &str = "a margin: a percentage of the baseline's mean such as \"1%\", or a number of at least \
                      0 in the unit of the metric";

impl Serialize for Margin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Margin::Relative(share) => serializer.serialize_str(&format!("{}%", share * 100.0)),
            Margin::Absolute(margin) => serializer.serialize_f64(*margin),
        }
    }
}

impl<'de> Deserialize<'de> for Margin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Margin, D::Error> {
        deserializer.deserialize_any(MarginVisitor)
    }
}

struct MarginVisitor;

impl Visitor<'_> for MarginVisitor {
    type Value = Margin;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MARGIN)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Margin, E> {
        let percent = text.trim().strip_suffix('%').and_then(|number| number.trim().parse().ok());
        percent
            .filter(|percent: &f64| percent.is_finite() && *percent >= 0.0)
            .map(|percent| Margin::Relative(percent / 100.0))
            .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Margin, E> {
        match number.is_finite() && number >= 0.0 {
            true => Ok(Margin::Absolute(number)),
            false => Err(E::invalid_value(Unexpected::Float(number), &self)),
        }
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Margin, E> {
        self.visit_f64(number as f64)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Margin, E> {
        self.visit_f64(number as f64)
    }
}

#[cfg(test)]
impl JsonSchema for Margin {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Margin".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": MARGIN,
            "anyOf": [
                { "type": "string", "pattern": r"^\s*[0-9.]+\s*%\s*$" },
                { "type": "number", "minimum": 0 },
            ],
        })
    }
}
