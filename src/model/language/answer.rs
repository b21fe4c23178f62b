//! How calls are answered: by the name or the number of an outcome.

#[cfg(feature = "schema")]
use std::borrow::Cow;
use std::fmt;

#[cfg(feature = "schema")]
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error, Unexpected, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::policy::Outcome;
#[cfg(feature = "schema")]
use crate::policy::OutcomeSet;

/// What a call that fails comes to, as its caller hears it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure(pub Outcome);

impl Default for Failure {
    fn default() -> Failure {
        Failure(Outcome::Failed)
    }
}

/// How a handler answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// With this.
    With(Outcome),
    /// With what its last call came to: an answer as it is, a broken connection as 503, silence as
    /// 504.
    PassedOn,
}

/// Which statuses a node answers with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// Those of HTTP.
    #[default]
    Http,
    /// Those of gRPC: `rejected` is UNAVAILABLE, `throttled` RESOURCE_EXHAUSTED, `failed` INTERNAL,
    /// `conflict` ABORTED, `invalid` INVALID_ARGUMENT.
    Grpc,
}

/// The word for [`Reply::PassedOn`].
const PASSED_ON: &str = "passed_on";

const FAILURE: &str = "a failure such as \"failed\", \"reset\", 503 or \"UNAVAILABLE\"";
const REPLY: &str = "\"ok\", a failure such as \"rejected\", 503 or \"UNAVAILABLE\", or \
                     \"passed_on\"";

/// Reads an outcome by name or number; nobody answers with silence.
struct Name {
    expected: &'static str,
    takes: fn(&str) -> Option<Reply>,
}

fn failure(name: &str) -> Option<Reply> {
    let outcome = Outcome::named(name).filter(|&outcome| outcome != Outcome::Ok);
    outcome.filter(|outcome| !outcome.is_silence()).map(Reply::With)
}

fn reply(name: &str) -> Option<Reply> {
    match name {
        PASSED_ON => Some(Reply::PassedOn),
        "ok" => Some(Reply::With(Outcome::Ok)),
        name => failure(name),
    }
}

impl Visitor<'_> for Name {
    type Value = Reply;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Reply, E> {
        (self.takes)(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_i64<E: Error>(self, status: i64) -> Result<Reply, E> {
        let known = (self.takes)(&status.to_string());
        known.ok_or_else(|| E::invalid_value(Unexpected::Signed(status), &self))
    }

    fn visit_u64<E: Error>(self, status: u64) -> Result<Reply, E> {
        self.visit_i64(i64::try_from(status).unwrap_or(i64::MAX))
    }
}

impl<'de> Deserialize<'de> for Failure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Failure, D::Error> {
        match deserializer.deserialize_any(Name { expected: FAILURE, takes: failure })? {
            Reply::With(outcome) => Ok(Failure(outcome)),
            Reply::PassedOn => Err(D::Error::custom("nothing was called")),
        }
    }
}

impl<'de> Deserialize<'de> for Reply {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Reply, D::Error> {
        deserializer.deserialize_any(Name { expected: REPLY, takes: reply })
    }
}

fn write<S: Serializer>(outcome: Outcome, serializer: S) -> Result<S::Ok, S::Error> {
    match outcome {
        Outcome::Http(status) => serializer.serialize_u16(status.number()),
        named => serializer.collect_str(&named),
    }
}

impl Serialize for Failure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write(self.0, serializer)
    }
}

impl Serialize for Reply {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Reply::With(outcome) => write(*outcome, serializer),
            Reply::PassedOn => serializer.serialize_str(PASSED_ON),
        }
    }
}

#[cfg(feature = "schema")]
fn schema(description: &str, also: &[&'static str]) -> Schema {
    let failures = OutcomeSet::NAMES.into_iter().filter(|name| failure(name).is_some());
    let names: Vec<&str> = also.iter().copied().chain(failures).collect();
    json_schema!({
        "description": description,
        "anyOf": [
            { "type": "string", "enum": names },
            { "type": "integer", "minimum": 400, "maximum": 599 }
        ]
    })
}

#[cfg(feature = "schema")]
impl JsonSchema for Failure {
    fn schema_name() -> Cow<'static, str> {
        "Failure".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schema(FAILURE, &[])
    }
}

#[cfg(feature = "schema")]
impl JsonSchema for Reply {
    fn schema_name() -> Cow<'static, str> {
        "Reply".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schema(REPLY, &["ok", PASSED_ON])
    }
}
