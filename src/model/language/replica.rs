//! `[replica.NAME]`: a late copy.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{service::Line, unlimited, yes};
use crate::kernel::sample::Distribution;
use crate::kernel::time::Span;
use crate::model::quantity::Count;

/// `[replica.NAME]`: a copy of a database that follows it late.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Replica {
    /// The database that it follows.
    pub of: String,
    /// How long after its commit a transaction is applied here.
    pub lag: Distribution,
    /// Whether each transaction waits for those committed before it, so that one that is late holds
    /// up others; else it waits only for those that wrote one of its rows.
    #[serde(default = "yes")]
    pub preserve_commit_order: bool,
    /// How long a read takes.
    pub read: Distribution,
    /// How many reads run at once.
    #[serde(default = "unlimited")]
    pub connections: Count,
    /// The waiting line for a connection.
    #[serde(default)]
    pub queue: Line,
    /// How long a request waits for a connection before it is `rejected`; for ever by default.
    #[serde(default)]
    pub acquire_timeout: Option<Span>,
    /// The zone that it is in.
    #[serde(default)]
    pub zone: Option<String>,
    /// The region that it is in.
    #[serde(default)]
    pub region: Option<String>,
}
