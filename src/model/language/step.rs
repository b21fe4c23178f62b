//! Steps of flows and handlers.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::Reply;
use crate::kernel::sample::Distribution;
use crate::kernel::time::Span;
use crate::model::quantity::Share;
use crate::policy::{Errors, OutcomeSet};

/// What a fallback serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// Less than was asked for.
    Degraded,
}

/// One step of a flow or handler. Exactly one of the first group says what it does.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
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
    /// Answers the caller: `"ok"`, a failure such as `"rejected"`, 503 or `"UNAVAILABLE"`, or
    /// `"passed_on"`, with what the last call came to.
    pub reply: Option<Reply>,
    /// Tells the queue that the message is done with.
    pub ack: Option<bool>,
    /// Gives the message back to the queue, as a handler that fails does.
    pub nack: Option<bool>,
    /// Goes one of two ways: `then` if this is so, `otherwise` if not.
    pub when: Option<Condition>,
    /// Does several lists of steps at once, on the same worker, and waits for them.
    pub parallel: Option<Vec<Vec<Step>>>,
    /// Does a list of steps again until a round of it succeeds, and `until` is so. A round ends at
    /// the first step that fails. If no round succeeds, this step fails.
    pub repeat: Option<Vec<Step>>,
    /// Takes a place of this pool of the service and holds it while `steps` are done.
    pub hold: Option<String>,

    /// With `work`: it takes so long for each unit of the request's size, which a trace says; a
    /// request without a size has the size 1.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub per_size: bool,
    /// With `call`, `transaction`, `read`, `publish`: how, by the name of a policy.
    pub policy: Option<String>,
    /// With `call`: what makes repetitions of an effect one effect.
    pub idempotency_key: Option<KeyOf>,
    /// With `publish`: what the message tells of, which `when = { event = … }` asks; without it,
    /// what the handler's own message tells of.
    pub event: Option<String>,
    /// With `call` in a flow: what the answer must show.
    pub expect: Option<Expectation>,
    /// With `read` of a database: the row is locked for these steps, as by `SELECT … FOR UPDATE`:
    /// until a transaction among them is committed, or they end.
    pub for_update: Option<Vec<Step>>,
    /// With `read`: the cache to look in first, and to fill after a miss.
    pub cache: Option<String>,
    /// With `read`: what was read is the amount that this work is about from now on, such as a
    /// price; its version stands for it. It goes with every call, event and message.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub amount: bool,
    /// With `transaction`: the rows and events it writes, `"TABLE = state"`, `"outbox = event"`,
    /// `"audit = entry"`, and what it takes from a stock, `"TABLE - 1"`, or gives back,
    /// `"TABLE + 1"`. `"TABLE = read - 1"` writes what the handler has read less 1, whatever is
    /// there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub write: Vec<String>,
    /// With `read` of a replica: wait until it shows what the user was told of.
    pub wait: Option<Wait>,
    /// With `read` of a replica: for so long after a user was told of a newer version than
    /// before, read at the database.
    pub sticky: Option<Span>,
    /// With `transaction`, right after a `read` of the same database: change nothing and answer
    /// `conflict` if the row that was read has changed since.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub if_unchanged: bool,
    /// With `transaction`: the cache from which the rows that it writes are removed.
    pub invalidate: Option<String>,
    /// With `invalidate`: before or after the transaction; `after` by default.
    pub order: Option<Invalidation>,
    /// With `transaction`: at most one such transaction per order or key; a repetition changes
    /// nothing and is answered like the first.
    pub once: Option<KeyOf>,
    /// With anything that can fail: go on with the next step instead of failing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ignore_failure: bool,
    /// With anything that can fail: what to do instead when it has failed; then the handler goes on
    /// with the next step.
    pub fallback: Option<Vec<Step>>,
    /// With `fallback`: `"degraded"` if it serves less than was asked for. Whoever is answered by
    /// it has a degraded answer, up to the user.
    pub quality: Option<Quality>,
    /// With `when` and a share of keys or orders: the name of the division that it is a share of.
    /// The same share of the same division means the same keys in every step, and a smaller share
    /// is a part of a larger one; other divisions are independent. Without it, all shares of keys
    /// are of one division, and a share of orders is the step's own.
    pub division: Option<String>,
    /// With `when`: what to do if it is so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub then: Vec<Step>,
    /// With `when`: what to do if it is not so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub otherwise: Vec<Step>,
    /// With `parallel`: each list is done so many times at once, with draws of its own: 1,000 for a
    /// request that fans out to a thousand leaves. Without it, once.
    pub copies: Option<u32>,
    /// With `parallel`: how many of the lists must succeed, copies counted; without it, all. The
    /// others go on, but nobody waits for them.
    pub need: Option<u32>,
    /// With `repeat`: how many rounds there are at most.
    pub times: Option<u32>,
    /// With `repeat`: what must be so after a round; another round follows if it is not.
    pub until: Option<Condition>,
    /// With `repeat`: how long after the end of a round the next one begins; at once without it.
    pub between: Option<Distribution>,
    /// With `repeat`: the outcomes of failed steps after which another round follows; other
    /// failures end the step. All but `invalid` without it.
    #[serde(with = "Errors")]
    pub on: Option<OutcomeSet>,
    /// With `repeat`: no round begins longer than this after the first one did.
    pub patience: Option<Span>,
    /// With `repeat`: how likely another round follows, after each that is not the last; always
    /// without it.
    pub persistence: Option<Share>,
    /// With `hold`: what is done while the place is held. It is given back after the last of them,
    /// and when the handler ends before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
}

impl Step {
    /// The lists of steps inside this one.
    fn inner(&self) -> impl Iterator<Item = &[Step]> {
        let lists = [self.then.as_slice(), self.otherwise.as_slice(), self.steps.as_slice()];
        let fallback = self.fallback.as_deref();
        let branches = self.parallel.iter().flatten().map(Vec::as_slice);
        let others = [self.repeat.as_deref(), self.for_update.as_deref()];
        lists.into_iter().chain(fallback).chain(branches).chain(others.into_iter().flatten())
    }
}

/// The steps of a list and of every list inside them.
pub fn all_steps(steps: &[Step]) -> Vec<&Step> {
    let mut lists = vec![steps];
    let mut all = Vec::new();
    while let Some(list) = lists.pop() {
        for step in list {
            all.push(step);
            lists.extend(step.inner());
        }
    }
    all
}

/// What a handler can ask before it goes on. What was read is what the last `read` or `call` found.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// A row was found.
    Found,
    /// No row was found.
    Missing,
    /// The row was found in this state.
    State(String),
    /// The row was found in another state, or not at all.
    NotState(String),
    /// The message that is handled tells of this event: one of the outbox, or of a `publish`. It
    /// goes on with every call and message.
    Event(String),
    /// The last call came to one of these outcomes: kinds such as `"failed"`, causes such as
    /// `"reset"`, statuses such as 503 or `"UNAVAILABLE"`.
    Outcome(OutcomeSet),
    /// True of this share of the orders, whenever they are asked about: a poison order.
    ShareOfOrders(Share),
    /// True of this share of the keys, whenever and wherever they are asked about.
    ShareOfKeys(Share),
    /// True of this share of the requests, whenever they are asked about, retries included.
    ShareOfRequests(Share),
    /// True of this share of the attempts, each by itself.
    ShareOfAttempts(Share),
}

/// How a read at a replica waits until it shows what the user was told of.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Invalidation {
    /// Before the transaction.
    Before,
    /// After the transaction.
    #[default]
    After,
}

/// What makes two calls the same work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum KeyOf {
    /// The order: every call for one order is one effect.
    Order,
    /// The key that the user is about, whatever the order.
    Key,
    /// The request: a user's second request is new work, its retries are not.
    Request,
    /// The attempt: a new key for each retry, which protects from nothing.
    Attempt,
}

/// What the answer of a read must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub enum Expectation {
    /// What this user wrote earlier in the flow.
    #[serde(rename = "own write")]
    OwnWrite,
    /// Nothing older than what this user was shown before, by this or another call about the same
    /// order or key.
    #[serde(rename = "not older")]
    NotOlder,
}
