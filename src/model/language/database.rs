//! `[database.NAME]`: transactions over versioned rows.

use indexmap::IndexMap;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{service::Line, unlimited, yes};
use crate::kernel::sample::Distribution;
use crate::kernel::time::Span;
use crate::model::quantity::Count;

/// `[database.NAME]`: transactions over versioned rows.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// How many transactions and reads run at once.
    #[serde(default = "unlimited")]
    pub connections: Count,
    /// The waiting line for a connection.
    #[serde(default)]
    pub queue: Line,
    /// How long a request waits for a connection before it is `rejected`; for ever by default.
    #[serde(default)]
    pub acquire_timeout: Option<Span>,
    /// How long a transaction takes, flush included if it waits for one.
    pub commit: Distribution,
    /// How long a read takes.
    pub read: Distribution,
    /// When the write-ahead log reaches the disk.
    #[serde(default)]
    pub flush: Flush,
    /// What a transaction waits for at the replicas before it is answered.
    #[serde(default)]
    pub replication: Replication,
    /// Whether a primary that has been replaced is kept from writing.
    #[serde(default = "yes")]
    pub fencing: bool,
    /// The tables.
    #[serde(default)]
    pub tables: IndexMap<String, Table>,
    /// How long a transaction waits for a row that another one has locked, before it is answered
    /// `conflict`. The default is that of InnoDB, `innodb_lock_wait_timeout`.
    #[serde(default = "lock_timeout")]
    pub lock_timeout: Span,
    /// The zone that it is in.
    #[serde(default)]
    pub zone: Option<String>,
    /// The region that it is in.
    #[serde(default)]
    pub region: Option<String>,
}

/// When the write-ahead log reaches the disk.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Flush {
    /// Before a transaction is answered.
    #[default]
    EachCommit,
    /// So long after the first transaction that waits for it; all that wait are answered then.
    Group(Span),
    /// Each so often; a crash loses what was answered since.
    Every(Span),
}

/// What a transaction waits for at the replicas before it is answered.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Replication {
    /// Nothing.
    #[default]
    Async,
    /// One replica has applied it.
    SemiSync(SemiSync),
}

/// A transaction is answered when one replica has applied it.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SemiSync {
    /// How long a transaction waits for that; then nothing waits until a replica has caught up.
    pub timeout: Span,
}

/// A table: a state and a version for each row.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// What a row is for.
    #[serde(default)]
    pub rows: Rows,
    /// The state in which every row is from the start; without it no row is there before it is
    /// written.
    #[serde(default)]
    pub initial: Option<String>,
    /// How much there is of each key from the start: then a row is a number, from which
    /// transactions take and to which they give back.
    #[serde(default)]
    pub stock: Option<u32>,
}

/// What a row is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Rows {
    /// An order: one user's flow.
    #[default]
    Order,
    /// A key of the clients' `keys`.
    Key,
    /// One of the `subkeys` of a key, such as a seat of a concert.
    Subkey,
}

fn lock_timeout() -> Span {
    Span::from_secs(50)
}
