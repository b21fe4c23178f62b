//! `[policy.NAME]`: what a caller does around a call, by preset, by numbers, or a preset with
//! numbers changed.

mod backoff;
mod breaker;
mod breaker_text;
mod budget;
mod connections;
mod health;
mod hedge;
mod keys;
mod limits;
mod line;
mod outcomes;
mod retry;
#[cfg(test)]
mod tests;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::keys::table;
use super::presets;
use super::problem::Problem;
use crate::kernel::time::Span;
use crate::policy::{Policy, Scope};

pub use backoff::{BackoffKeys, BackoffText, CappedText, GrowthText, JitterText, RoundingText};
pub use breaker::{
    BreakerText, ComparisonText, InitialText, OnCloseText, ProofText, RotationText, UnheardText,
};
pub use budget::{BudgetKind, BudgetText, DepositText, RefillText, RefundText};
pub use connections::ConnectionsText;
pub use health::{AdaptiveText, OutlierText, ThrottlingText};
pub use hedge::HedgeText;
pub use limits::{AroundText, BulkheadText, LimitKind, LimitText, RateKind, RateLimitText};
pub(super) use outcomes::errors;
pub use outcomes::{OutcomeText, Patience, outcomes as any_of};
pub use retry::{DenialText, HintText, RetryText};

table! {
    /// `[policy.NAME]` as it is written. Without anything: one attempt that waits for ever. With a
    /// preset, what is written changes single numbers of it.
    pub struct PolicyText {
        /// The preset to start from, `NAME` or `NAME@VERSION`; without a version the newest.
        pub preset: String,
        /// Parts of the preset that are left out.
        pub without: Vec<Part>,
        /// To whom its budgets, breakers and limiters belong; that of the preset, or `target`.
        pub scope: ScopeText,
        /// How long one attempt may take; for ever by default.
        pub timeout: Span,
        /// How long the call may take, retries included; for ever by default.
        pub deadline: Span,
        /// When and how a failed attempt is made again; never by default.
        pub retry: RetryText,
        /// What stops attempts at a failing target.
        pub breaker: BreakerText,
        /// What limits how many calls or attempts run at once.
        pub bulkhead: BulkheadText,
        /// The connections to a target: how many, how many attempts over one at once, and what one
        /// costs to open.
        pub connections: ConnectionsText,
        /// What limits how often attempts start.
        pub rate_limit: RateLimitText,
        /// What rejects attempts as the server does.
        pub throttling: ThrottlingText,
        /// What delays attempts after throttling (AWS adaptive mode).
        pub adaptive: AdaptiveText,
        /// What sends a further copy of a slow attempt.
        pub hedge: HedgeText,
        /// What learns how many attempts may run at once.
        pub limit: LimitText,
        /// What keeps failing instances out of the balancing.
        pub outlier: OutlierText,
    }
}

/// To whom the state of a policy belongs: what is learned and spent over many calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ScopeText {
    /// Each call has its own: nothing is remembered.
    Request,
    /// A process has one for all its targets.
    Process,
    /// A process has one for each target.
    Target,
    /// All callers share one.
    Shared,
}

impl ScopeText {
    /// The scope that it means.
    pub(super) fn scope(self) -> Scope {
        match self {
            ScopeText::Request => Scope::Request,
            ScopeText::Process => Scope::Process,
            ScopeText::Target => Scope::ProcessAndTarget,
            ScopeText::Shared => Scope::Shared,
        }
    }
}

/// A part of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
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
    Limit,
    Outlier,
}

/// The policy that a text means.
///
/// # Errors
/// If the preset is unknown, or numbers do not fit together.
pub fn compile(text: &PolicyText) -> Result<Policy, Problem> {
    let mut policy = match &text.preset {
        Some(name) => {
            let preset = presets::named(name).map_err(|problem| problem.inside("preset"))?;
            preset.policy
        }
        None => Policy::default(),
    };
    leave_out(text, &mut policy)?;
    for (key, span) in [("timeout", text.timeout), ("deadline", text.deadline)] {
        if span == Some(Span::ZERO) {
            return Err(Problem::new("every attempt would time out at once")
                .expected("more than 0s; without this key an attempt waits for ever")
                .inside(key));
        }
    }
    policy.attempt_timeout = text.timeout.or(policy.attempt_timeout);
    policy.deadline = text.deadline.or(policy.deadline);
    if let Some(retry) = &text.retry {
        retry::compile(retry, &mut policy).map_err(|problem| problem.inside("retry"))?;
    }
    part("breaker", &text.breaker, &mut policy.breaker, breaker::compile)?;
    part("bulkhead", &text.bulkhead, &mut policy.bulkhead, limits::bulkhead)?;
    connections::compile_into(text, &mut policy)?;
    part("rate_limit", &text.rate_limit, &mut policy.rate_limit, limits::rate_limit)?;
    part("throttling", &text.throttling, &mut policy.throttling, health::throttling)?;
    part("adaptive", &text.adaptive, &mut policy.adaptive, health::adaptive)?;
    part("hedge", &text.hedge, &mut policy.hedge, hedge::compile)?;
    part("limit", &text.limit, &mut policy.limit, limits::limit)?;
    part("outlier", &text.outlier, &mut policy.outlier, health::outlier)?;
    if policy.outlier.is_some() && text.scope == Some(ScopeText::Request) {
        return Err(Problem::new("each call would forget whom it has ejected")
            .expected("the scope \"target\", \"process\" or \"shared\", or no `outlier`")
            .inside("scope"));
    }
    if policy.outlier.is_some() && policy.connections.is_some() {
        return Err(Problem::new(
            "a connection leads to one instance, so that none can be left out",
        )
        .expected("`outlier` or `connections`")
        .inside("connections"));
    }
    Ok(policy)
}

/// To whom the state of a policy belongs. A preset that shares nothing is as well served by a state
/// for each target, and what is added to it needs one.
#[must_use]
pub fn scope(text: &PolicyText) -> Scope {
    match text.scope {
        Some(scope) => scope.scope(),
        None => {
            let preset = text.preset.as_deref().and_then(|name| presets::named(name).ok());
            match preset.map(|preset| preset.scope) {
                None | Some(Scope::Request) => Scope::ProcessAndTarget,
                Some(scope) => scope,
            }
        }
    }
}

/// The text that means this policy, every number written out: [`compile`] makes the same of it.
#[must_use]
pub fn text_of(policy: &Policy) -> PolicyText {
    let retry = policy.retry.as_ref().map(|retry| RetryText {
        budget: policy.budget.as_ref().map(budget::text_of),
        ..retry::text_of(retry)
    });
    PolicyText {
        preset: None,
        without: None,
        scope: None,
        timeout: policy.attempt_timeout,
        deadline: policy.deadline,
        retry,
        breaker: policy.breaker.as_ref().map(breaker_text::text_of),
        bulkhead: match policy.connections {
            None => policy.bulkhead.as_ref().map(limits::bulkhead_text),
            Some(_) => None,
        },
        connections: connections::text_of(policy),
        rate_limit: policy.rate_limit.as_ref().map(limits::rate_limit_text),
        throttling: policy.throttling.as_ref().map(health::throttling_text),
        adaptive: policy.adaptive.as_ref().map(health::adaptive_text),
        hedge: policy.hedge.as_ref().map(hedge::text_of),
        limit: policy.limit.as_ref().map(limits::limit_text),
        outlier: policy.outlier.as_ref().map(health::outlier_text),
    }
}

/// Compiles one part over what the preset has.
fn part<T, M>(
    key: &'static str,
    text: &Option<T>,
    machine: &mut Option<M>,
    compile: fn(&T, Option<&M>) -> Result<M, Problem>,
) -> Result<(), Problem> {
    if let Some(text) = text {
        let compiled = compile(text, machine.as_ref()).map_err(|problem| problem.inside(key))?;
        *machine = Some(compiled);
    }
    Ok(())
}

fn leave_out(text: &PolicyText, policy: &mut Policy) -> Result<(), Problem> {
    for (index, part) in text.without.iter().flatten().enumerate() {
        let was_there = match part {
            Part::Timeout => policy.attempt_timeout.take().is_some(),
            Part::Deadline => policy.deadline.take().is_some(),
            Part::Retry => policy.retry.take().is_some(),
            Part::Budget => policy.budget.take().is_some(),
            Part::Breaker => policy.breaker.take().is_some(),
            Part::Bulkhead => policy.connections.is_none() && policy.bulkhead.take().is_some(),
            Part::Connections => policy.connections.take().and(policy.bulkhead.take()).is_some(),
            Part::RateLimit => policy.rate_limit.take().is_some(),
            Part::Throttling => policy.throttling.take().is_some(),
            Part::Adaptive => policy.adaptive.take().is_some(),
            Part::Hedge => policy.hedge.take().is_some(),
            Part::Limit => policy.limit.take().is_some(),
            Part::Outlier => policy.outlier.take().is_some(),
        };
        if !was_there {
            return Err(Problem::new("there is no such part to leave out")
                .expected("a part that the preset has")
                .inside(index.to_string())
                .inside("without"));
        }
    }
    Ok(())
}
