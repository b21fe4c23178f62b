//! `[policy.NAME]`: what a caller does around a call, by preset, by numbers, or a preset with
//! numbers changed.
//!
//! The parts of a policy are read as the machines themselves (`crate::policy`), which have the keys
//! and the defaults. A preset is a table like any other: what is written is laid over it before
//! anything is read (`tree`).

mod retry;
#[cfg(test)]
mod tests;
mod tree;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::document::Value;
use super::problem::Problem;
use crate::kernel::time::Span;
use crate::policy::adaptive::Adaptive;
use crate::policy::breaker::Breaker;
use crate::policy::bulkhead::Bulkhead;
use crate::policy::connections::Connections;
use crate::policy::hedge::Hedge;
use crate::policy::limit::Limit;
use crate::policy::outlier::Outlier;
use crate::policy::rate_limit::RateLimit;
use crate::policy::throttling::Throttling;
use crate::policy::{Policy, Scope};

pub use retry::RetryText;

/// `[policy.NAME]` as it is written. Without anything: one attempt that waits for ever. With a
/// preset, what is written changes single numbers of it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct PolicyText {
    /// The preset to start from, `NAME` or `NAME@VERSION`; without a version the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// Parts of the preset that are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub without: Option<Vec<Part>>,
    /// To whom its budgets, breakers and limiters belong; that of the preset, or `target`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// How long one attempt may take; for ever by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// How long the call may take, retries included; for ever by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Span>,
    /// When and how a failed attempt is made again; never by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryText>,
    /// What stops attempts at a failing target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breaker: Option<Breaker>,
    /// What limits how many calls or attempts run at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bulkhead: Option<Bulkhead>,
    /// The connections to a target: how many, how many attempts over one at once, and what one
    /// costs to open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections: Option<Connections>,
    /// What limits how often attempts start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// What rejects attempts as the server does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttling: Option<Throttling>,
    /// What delays attempts after throttling (AWS adaptive mode).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adaptive: Option<Adaptive>,
    /// What sends a further copy of a slow attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hedge: Option<Hedge>,
    /// What learns how many attempts may run at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency_limit: Option<Limit>,
    /// What keeps failing instances out of the balancing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outlier: Option<Outlier>,
}

/// A part of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is the key of the same name")]
pub enum Part {
    Timeout,
    Deadline,
    Retry,
    Budget,
    Breaker,
    Bulkhead,
    Connections,
    RateLimit,
    Throttling,
    Adaptive,
    Hedge,
    ConcurrencyLimit,
    Outlier,
}

/// A policy that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    /// What the caller does.
    pub policy: Policy,
    /// To whom its state belongs.
    pub scope: Scope,
    /// As it is shown: what was written, or without a preset the whole.
    shown: toml::Value,
}

impl Serialize for Named {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.shown.serialize(serializer)
    }
}

/// Reads a policy: its preset, what is written over that, and what that comes to.
///
/// # Errors
/// If the preset is unknown, something is no part of a policy, or numbers do not fit together.
pub fn read(written: &Value) -> Result<Named, Problem> {
    let (tree, preset) = tree::resolved(written)?;
    let text: PolicyText = super::read(&tree)?;
    // A preset that shares nothing is as well served by a state for each target, and what is added
    // to it needs one.
    let of_preset = preset.filter(|&scope| scope != Scope::Request);
    let scope = text.scope.or(of_preset).unwrap_or(Scope::ProcessAndTarget);
    let policy = compile(&text, scope).map_err(|problem| problem.placed(&tree))?;
    let shown = match preset {
        Some(_) => written.toml(),
        None => toml::Value::try_from(PolicyText { scope: text.scope, ..text_of(&policy) })
            .map_err(|error| Problem::new(error.to_string()))?,
    };
    Ok(Named { policy, scope, shown })
}

/// The policy that the parts of a text make together.
fn compile(text: &PolicyText, scope: Scope) -> Result<Policy, Problem> {
    for (key, span) in [("timeout", text.timeout), ("deadline", text.deadline)] {
        if span == Some(Span::ZERO) {
            return Err(Problem::new("every attempt would time out at once")
                .expected("more than 0s; without this key an attempt waits for ever")
                .inside(key));
        }
    }
    if let (Some(_), Some(_)) = (&text.bulkhead, &text.connections) {
        return Err(Problem::new(
            "`connections` limit how many attempts run at once, as a `bulkhead` does",
        )
        .expected("one of them; `without = [\"bulkhead\"]` leaves that of a preset out")
        .inside("connections"));
    }
    if text.connections.is_some() && scope != Scope::ProcessAndTarget {
        return Err(Problem::new("connections are those of one process to one target")
            .expected("the scope \"target\"")
            .inside("connections"));
    }
    if text.outlier.is_some() && text.scope == Some(Scope::Request) {
        return Err(Problem::new("each call would forget whom it has ejected")
            .expected("the scope \"target\", \"process\" or \"shared\", or no `outlier`")
            .inside("scope"));
    }
    if text.outlier.is_some() && text.connections.is_some() {
        return Err(Problem::new(
            "a connection leads to one instance, so that none can be left out",
        )
        .expected("`outlier` or `connections`")
        .inside("connections"));
    }
    if let Some(bulkhead) = &text.bulkhead {
        bulkhead.check().map_err(|wrong| Problem::from(wrong).inside("bulkhead"))?;
    }
    if let Some(limit) = &text.concurrency_limit {
        limit.check().map_err(|wrong| Problem::from(wrong).inside("concurrency_limit"))?;
    }
    let retry = text.retry.as_ref().map(RetryText::rule).transpose();
    Ok(Policy {
        attempt_timeout: text.timeout,
        deadline: text.deadline,
        retry: retry.map_err(|problem| problem.inside("retry"))?,
        budget: text.retry.as_ref().and_then(|retry| retry.budget),
        breaker: text.breaker,
        bulkhead: text.bulkhead.or_else(|| Some(text.connections?.bulkhead())),
        connections: text.connections,
        rate_limit: text.rate_limit,
        throttling: text.throttling,
        adaptive: text.adaptive,
        hedge: text.hedge,
        limit: text.concurrency_limit,
        outlier: text.outlier,
    })
}

/// The text that means this policy, every number written out: [`read`] makes the same of it.
pub fn text_of(policy: &Policy) -> PolicyText {
    PolicyText {
        preset: None,
        without: None,
        scope: None,
        timeout: policy.attempt_timeout,
        deadline: policy.deadline,
        retry: policy.retry.as_ref().map(|retry| RetryText::of(retry, policy.budget)),
        breaker: policy.breaker,
        bulkhead: policy.bulkhead.filter(|_| policy.connections.is_none()),
        connections: policy.connections,
        rate_limit: policy.rate_limit,
        throttling: policy.throttling,
        adaptive: policy.adaptive,
        hedge: policy.hedge,
        concurrency_limit: policy.limit,
        outlier: policy.outlier,
    }
}
