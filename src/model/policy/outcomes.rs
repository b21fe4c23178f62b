//! Outcomes by name, and lengths of time that may have no end.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error, Unexpected, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::kernel::time::Span;
use crate::model::problem::Problem;
use crate::model::quantity::parse_duration;
use crate::policy::{Outcome, OutcomeSet};

/// An outcome by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is the policy::Outcome of the same name")]
pub enum OutcomeText {
    Failed,
    Rejected,
    Throttled,
    TimedOut,
    Conflict,
    Invalid,
    Ok,
}

impl OutcomeText {
    fn outcome(self) -> Outcome {
        match self {
            OutcomeText::Ok => Outcome::Ok,
            OutcomeText::Failed => Outcome::Failed,
            OutcomeText::Rejected => Outcome::Rejected,
            OutcomeText::Throttled => Outcome::Throttled,
            OutcomeText::TimedOut => Outcome::TimedOut,
            OutcomeText::Conflict => Outcome::Conflict,
            OutcomeText::Invalid => Outcome::Invalid,
        }
    }

    fn of(outcome: Outcome) -> OutcomeText {
        match outcome {
            Outcome::Ok => OutcomeText::Ok,
            Outcome::Failed => OutcomeText::Failed,
            Outcome::Rejected => OutcomeText::Rejected,
            Outcome::Throttled => OutcomeText::Throttled,
            Outcome::TimedOut => OutcomeText::TimedOut,
            Outcome::Conflict => OutcomeText::Conflict,
            Outcome::Invalid => OutcomeText::Invalid,
        }
    }
}

/// The set of the outcomes of a list.
pub(super) fn outcomes(list: &[OutcomeText]) -> OutcomeSet {
    list.iter().fold(OutcomeSet::NONE, |set, outcome| set.with(outcome.outcome()))
}

/// The set of the outcomes of a list of errors.
pub(super) fn errors(key: &'static str, list: &[OutcomeText]) -> Result<OutcomeSet, Problem> {
    match list.iter().position(|&outcome| outcome == OutcomeText::Ok) {
        None => Ok(outcomes(list)),
        Some(index) => Err(Problem::new("`ok` is no error")
            .expected("failed, rejected, throttled, timed_out, conflict or invalid")
            .inside(index.to_string())
            .inside(key)),
    }
}

/// The outcomes of a set as a list.
pub(super) fn list(set: OutcomeSet) -> Vec<OutcomeText> {
    set.iter().map(OutcomeText::of).collect()
}

/// A length of time, or `"unlimited"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience(pub Span);

const EXPECTED: &str = "a duration such as \"5s\", or \"unlimited\"";

impl<'de> Deserialize<'de> for Patience {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Patience, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Patience;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(EXPECTED)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Patience, E> {
                let span = if text == "unlimited" { Some(Span::MAX) } else { parse_duration(text) };
                let wrong = || E::invalid_value(Unexpected::Str(text), &self);
                span.map(Patience).ok_or_else(wrong)
            }
        }
        deserializer.deserialize_any(Text)
    }
}

impl Serialize for Patience {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Span::MAX => serializer.serialize_str("unlimited"),
            span => span.serialize(serializer),
        }
    }
}

impl JsonSchema for Patience {
    fn schema_name() -> Cow<'static, str> {
        "Patience".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": EXPECTED })
    }
}
