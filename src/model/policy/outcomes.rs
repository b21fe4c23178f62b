//! Outcomes by name, and lengths of time that may have no end.

#[cfg(test)]
use std::borrow::Cow;
use std::fmt;

#[cfg(test)]
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error, Unexpected, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::kernel::time::Span;
use crate::model::problem::Problem;
use crate::model::quantity::parse_duration;
use crate::policy::{Outcome, OutcomeSet};

/// Outcomes by one name: a kind, a class, a cause, or a status of HTTP or gRPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutcomeText(pub OutcomeSet);

/// What is expected where an outcome is named.
const EXAMPLES: &str = "an outcome such as \"failed\", \"reset\", 503, \"5xx\" or \"UNAVAILABLE\"";

struct Name;

impl Visitor<'_> for Name {
    type Value = OutcomeText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXAMPLES)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<OutcomeText, E> {
        let known = OutcomeSet::named(text).map(OutcomeText);
        known.ok_or_else(|| E::unknown_variant(text, &OutcomeSet::NAMES))
    }

    fn visit_i64<E: Error>(self, status: i64) -> Result<OutcomeText, E> {
        let outcome = u16::try_from(status).ok().and_then(Outcome::http);
        let known = outcome.map(|outcome| OutcomeText(OutcomeSet::of(&[outcome])));
        known.ok_or_else(|| E::invalid_value(Unexpected::Signed(status), &self))
    }

    fn visit_u64<E: Error>(self, status: u64) -> Result<OutcomeText, E> {
        self.visit_i64(i64::try_from(status).unwrap_or(i64::MAX))
    }
}

impl<'de> Deserialize<'de> for OutcomeText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OutcomeText, D::Error> {
        deserializer.deserialize_any(Name)
    }
}

impl Serialize for OutcomeText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = self.0.names().into_iter().next().unwrap_or_default();
        match name.parse::<u16>() {
            Ok(status) => serializer.serialize_u16(status),
            Err(_) => serializer.serialize_str(&name),
        }
    }
}

#[cfg(test)]
impl JsonSchema for OutcomeText {
    fn schema_name() -> Cow<'static, str> {
        "OutcomeText".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": EXAMPLES,
            "anyOf": [
                { "type": "string", "enum": OutcomeSet::NAMES },
                { "type": "string", "pattern": "^[45][0-9][0-9]$" },
                { "type": "integer", "minimum": 400, "maximum": 599 }
            ]
        })
    }
}

/// The set of the outcomes of a list.
#[must_use]
pub fn outcomes(list: &[OutcomeText]) -> OutcomeSet {
    list.iter().fold(OutcomeSet::NONE, |set, named| set.or(named.0))
}

/// The set of the outcomes of a list of errors.
pub(in crate::model) fn errors(
    key: &'static str,
    list: &[OutcomeText],
) -> Result<OutcomeSet, Problem> {
    match list.iter().position(|named| named.0.contains(Outcome::Ok)) {
        None => Ok(outcomes(list)),
        Some(index) => Err(Problem::new("`ok` is no error")
            .expected("an error such as \"failed\", \"reset\", 503 or \"UNAVAILABLE\"")
            .inside(index.to_string())
            .inside(key)),
    }
}

/// The outcomes of a set as a list.
pub(super) fn list(set: OutcomeSet) -> Vec<OutcomeText> {
    let named = |name: &String| OutcomeText(OutcomeSet::named(name).unwrap_or_default());
    set.names().iter().map(named).collect()
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

#[cfg(test)]
impl JsonSchema for Patience {
    fn schema_name() -> Cow<'static, str> {
        "Patience".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": EXPECTED })
    }
}
