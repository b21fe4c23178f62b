//! `[measure]` of an experiment.

#[cfg(test)]
use std::borrow::Cow;
use std::fmt;

#[cfg(test)]
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error, Unexpected, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::kernel::time::Span;
use crate::metric::RecoveryRule;
use crate::model::quantity::parse_duration;

/// `[measure]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct MeasureText {
    /// The requests that count, `NODE.OPERATION`; without it, all.
    pub operation: Option<String>,
    /// The operation whose attempts are the load, `NODE.OPERATION`; without it, the users' calls.
    pub load: Option<String>,
    /// The milestone that takes the place of replies, by its name.
    pub milestone: Option<String>,
    /// The width of a window of the time series.
    pub window: Span,
    /// Requests asked before do not count: a length of time, or `"auto"`, which is the default: as
    /// long as a run without faults takes to fill. With a search, a ramp, a theory or published
    /// figures it is 0s without it.
    pub warm_up: Option<WarmUp>,
    /// What counts as recovered.
    pub recovery: RecoveryRule,
}

impl Default for MeasureText {
    fn default() -> MeasureText {
        MeasureText {
            operation: None,
            load: None,
            milestone: None,
            window: Span::from_secs(1),
            warm_up: None,
            recovery: RecoveryRule::default(),
        }
    }
}

/// When requests begin to count, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarmUp {
    /// When a run of each cell in which nothing goes wrong has settled.
    Auto,
    /// After this time.
    After(Span),
}

const EXPECTED: &str = "a duration such as \"5s\", or \"auto\"";

impl<'de> Deserialize<'de> for WarmUp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<WarmUp, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = WarmUp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(EXPECTED)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<WarmUp, E> {
                if text == "auto" {
                    return Ok(WarmUp::Auto);
                }
                let wrong = || E::invalid_value(Unexpected::Str(text), &self);
                parse_duration(text).map(WarmUp::After).ok_or_else(wrong)
            }
        }
        deserializer.deserialize_any(Text)
    }
}

impl Serialize for WarmUp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            WarmUp::Auto => serializer.serialize_str("auto"),
            WarmUp::After(span) => span.serialize(serializer),
        }
    }
}

#[cfg(test)]
impl JsonSchema for WarmUp {
    fn schema_name() -> Cow<'static, str> {
        "WarmUp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": EXPECTED })
    }
}
