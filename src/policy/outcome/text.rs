//! Sets of outcomes as they are written: lists of names and statuses.

#[cfg(feature = "schema")]
use std::borrow::Cow;
use std::fmt;

#[cfg(feature = "schema")]
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error, Unexpected, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::{Outcome, OutcomeSet};

/// Outcomes by one name: a kind, a class, a cause, or a status of HTTP or gRPC.
struct Name(OutcomeSet);

/// What is expected where an outcome is named.
const EXAMPLES: &str = "an outcome such as \"failed\", \"reset\", 503, \"5xx\" or \"UNAVAILABLE\"";

struct Named;

impl Visitor<'_> for Named {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXAMPLES)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Name, E> {
        let known = OutcomeSet::named(text).map(Name);
        known.ok_or_else(|| E::unknown_variant(text, &OutcomeSet::NAMES))
    }

    fn visit_i64<E: Error>(self, status: i64) -> Result<Name, E> {
        let outcome = u16::try_from(status).ok().and_then(Outcome::http);
        let known = outcome.map(|outcome| Name(OutcomeSet::of(&[outcome])));
        known.ok_or_else(|| E::invalid_value(Unexpected::Signed(status), &self))
    }

    fn visit_u64<E: Error>(self, status: u64) -> Result<Name, E> {
        self.visit_i64(i64::try_from(status).unwrap_or(i64::MAX))
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Name, D::Error> {
        deserializer.deserialize_any(Named)
    }
}

/// The name of outcomes that are all errors.
struct ErrorName(OutcomeSet);

impl<'de> Deserialize<'de> for ErrorName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ErrorName, D::Error> {
        let Name(set) = Name::deserialize(deserializer)?;
        if set.contains(Outcome::Ok) {
            let expected = "an error such as \"failed\", \"reset\", 503 or \"UNAVAILABLE\"";
            return Err(Error::custom(format_args!("`ok` is no error\n{expected}")));
        }
        Ok(ErrorName(set))
    }
}

impl<'de> Deserialize<'de> for OutcomeSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OutcomeSet, D::Error> {
        let names = Vec::<Name>::deserialize(deserializer)?;
        Ok(names.iter().fold(OutcomeSet::NONE, |set, name| set.or(name.0)))
    }
}

impl Serialize for OutcomeSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.names().into_iter().map(|name| match name.parse::<u16>() {
            Ok(status) => Written::Status(status),
            Err(_) => Written::Name(name),
        }))
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Written {
    Status(u16),
    Name(String),
}

/// A field that is a set of errors: `#[serde(with = "Errors")]`.
#[derive(Debug)]
pub struct Errors;

impl Errors {
    /// Reads the set.
    ///
    /// # Errors
    /// If a name is unknown, or `ok` is among them.
    pub fn deserialize<'de, D: Deserializer<'de>, T: From<OutcomeSet>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        let names = Vec::<ErrorName>::deserialize(deserializer)?;
        Ok(T::from(names.iter().fold(OutcomeSet::NONE, |set, name| set.or(name.0))))
    }

    /// Writes the set.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn serialize<S: Serializer, T: Copy + Into<Option<OutcomeSet>>>(
        set: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let set: Option<OutcomeSet> = (*set).into();
        set.serialize(serializer)
    }
}

#[cfg(feature = "schema")]
impl JsonSchema for Name {
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

/// Both are lists of names.
#[cfg(feature = "schema")]
macro_rules! list_of_names {
    ($($name:ident)*) => {
        $(
            #[cfg(feature = "schema")]
            impl JsonSchema for $name {
                fn inline_schema() -> bool {
                    true
                }

                fn schema_name() -> Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                    Vec::<Name>::json_schema(generator)
                }
            }
        )*
    };
}

#[cfg(feature = "schema")]
list_of_names!(OutcomeSet Errors);
