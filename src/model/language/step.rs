//! Steps of flows and handlers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::sample::Distribution;
use crate::kernel::time::Span;

/// One step of a flow or handler. Exactly one of the first group says what it does.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Step {
    /// Occupies the worker for a time.
    pub work: Option<Distribution>,
    /// Waits without occupying anybody: users only.
    pub think: Option<Distribution>,
    /// Calls `NODE.OPERATION` and waits for the answer.
    pub call: Option<String>,
    /// Runs a transaction on this database.
    pub transaction: Option<String>,
    /// Reads the row of `NODE.TABLE`, from a database or replica.
    pub read: Option<String>,
    /// Publishes a message to this queue.
    pub publish: Option<String>,
    /// Answers the caller: `"ok"`, or an outcome such as `"rejected"`.
    pub reply: Option<Reply>,
    /// Tells the queue that the message is done with.
    pub ack: Option<bool>,

    /// With `call`, `transaction`, `read`, `publish`: how, by the name of a policy.
    pub policy: Option<String>,
    /// With `call`: what makes repetitions of an effect one effect.
    pub idempotency_key: Option<KeyOf>,
    /// With `call` in a flow: what the answer must show.
    pub expect: Option<Expectation>,
    /// With `read`: the cache to look in first, and to fill after a miss.
    pub cache: Option<String>,
    /// With `transaction`: the rows and events it writes, `"TABLE = state"`, `"outbox = event"`,
    /// `"audit = entry"`.
    pub write: Vec<String>,
    /// With `read` of a replica: wait until it shows what the user was told of.
    pub wait: Option<Wait>,
    /// With `read` of a replica: for so long after a user was told of a newer version than
    /// before, read at the database.
    pub sticky: Option<Span>,
    /// With `transaction`, right after a `read` of the same database: change nothing and answer
    /// `conflict` if the row that was read has changed since.
    pub if_unchanged: bool,
    /// With `transaction`: the cache from which the rows that it writes are removed.
    pub invalidate: Option<String>,
    /// With `invalidate`: before or after the transaction; `after` by default.
    pub order: Option<Invalidation>,
    /// With `transaction`: at most one such transaction per order or key; a repetition changes
    /// nothing and is answered like the first.
    pub once: Option<KeyOf>,
    /// With anything that can fail: go on with the next step instead of failing.
    pub ignore_failure: bool,
}

/// How a read at a replica waits until it shows what the user was told of.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// What it waits for.
    #[serde(rename = "for")]
    pub until: Expectation,
    /// For how long at most.
    pub timeout: Span,
    /// What happens then.
    #[serde(default)]
    pub otherwise: Otherwise,
}

/// What happens when a replica did not catch up in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Otherwise {
    /// The row is read at the database, also if the replica does not answer at all.
    #[default]
    Primary,
    /// The row is read as it is.
    Stale,
    /// The read fails.
    Failed,
}

/// When rows are removed from a cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Invalidation {
    /// Before the transaction.
    Before,
    /// After the transaction.
    #[default]
    After,
}

/// How a handler answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// Done as asked.
    Ok,
    /// A transient error.
    Failed,
    /// Overloaded.
    Rejected,
    /// Too many requests.
    Throttled,
    /// A request that can never succeed.
    Invalid,
}

/// What makes two calls the same work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyOf {
    /// The order: every call for one order is one effect.
    Order,
    /// The request: a user's second request is new work, its retries are not.
    Request,
    /// The attempt: a new key for each retry, which protects from nothing.
    Attempt,
}

/// What the answer of a read must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Expectation {
    /// What this user wrote earlier in the flow.
    #[serde(rename = "own write")]
    OwnWrite,
}
