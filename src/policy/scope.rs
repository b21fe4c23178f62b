//! Whom the state of a policy belongs to.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// To what one piece of a policy's state belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Each call has its own: nothing is remembered.
    Request,
    /// A process has one for all its targets.
    Process,
    /// A process has one for each target.
    #[serde(rename = "target")]
    ProcessAndTarget,
    /// All callers share one.
    Shared,
}
