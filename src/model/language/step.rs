//! Steps of flows and handlers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::sample::Distribution;

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

    /// With `work`: it takes so long for each unit of the request's size, which a trace says; a
    /// request without a size has the size 1.
    pub per_size: bool,
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
    /// With `transaction`: at most one such transaction per order or key; a repetition changes
    /// nothing and is answered like the first.
    pub once: Option<KeyOf>,
    /// With anything that can fail: go on with the next step instead of failing.
    pub ignore_failure: bool,
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
    /// Nothing older than what this user was shown before, by this or another call about the same
    /// order or key.
    #[serde(rename = "not older")]
    NotOlder,
}
