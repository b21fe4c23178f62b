//! `retry = { … }`.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::backoff::{self, BackoffText, JitterText};
use super::budget::{self, BudgetText};
use super::keys::{Table, count_text, needed, table};
use super::outcomes::{OutcomeText, Patience, errors, list};
use crate::kernel::time::Span;
use crate::model::problem::Problem;
use crate::model::quantity::Count;
use crate::policy::backoff::Backoff;
use crate::policy::retry::{HintRule, OnDenial, Retry};
use crate::policy::{OutcomeSet, Policy};

table! {
    /// `retry = { … }`.
    pub struct RetryText {
        /// Attempts in all, the first one included, or `"unlimited"`; 3 by default.
        pub attempts: Count,
        /// `"none"`, `"constant 1s"`, `"linear 1s"`, `"exponential 100ms x2 cap 5s"`, or a table;
        /// none by default.
        pub backoff: BackoffText,
        /// How delays are spread; not at all by default.
        pub jitter: JitterText,
        /// The delays after `throttled`, where they are others.
        pub throttled: BackoffText,
        /// The outcomes that are retried; all but `invalid` by default.
        pub on: Vec<OutcomeText>,
        /// The outcomes that are retried beside those if the server says how long to wait
        /// (Retry-After); none by default.
        pub on_hint: Vec<OutcomeText>,
        /// What happens when the client's own breaker or limiter denies an attempt; it gives up by
        /// default.
        pub on_denial: DenialText,
        /// What a Retry-After of the server does; nothing by default.
        pub hint: HintText,
        /// Whether the client gives up at once if the next attempt would start at or after the
        /// deadline; false by default: it waits for the deadline.
        pub stop_before_deadline: bool,
        /// Whether a timed-out attempt keeps running beside its retry, so that its answer still
        /// counts; false by default.
        pub keep_timed_out: bool,
        /// What limits retries over many calls; nothing by default.
        pub budget: BudgetText,
    }
}

/// What happens when the client's own machinery denies an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DenialText {
    /// The call ends.
    GiveUp,
    /// It is one more failed attempt (resilience4j).
    Retry,
}

/// What the time does that a server asks a client to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum HintText {
    /// Nothing.
    Ignore,
    /// The client waits that long instead of its own delay, up to this.
    Instead(Patience),
    /// The client waits exactly that long, and its delays start again (gRPC).
    Restart,
    /// The client waits the longer of both, up to this.
    AtLeast(Patience),
    /// The client waits that long, but no less than its own delay and at most this much more (AWS).
    Within(Span),
    /// The client waits that long and up to half more; a longer hint does nothing (Envoy).
    Spread(Patience),
}

/// The retry rule that a text means, and the backoff of its preset where it is changed.
pub(super) fn compile(text: &RetryText, policy: &mut Policy) -> Result<(), Problem> {
    let base = policy.retry.unwrap_or_else(|| {
        Retry::new(3, Backoff::NONE).on(OutcomeSet::TRANSIENT.or(OutcomeSet::CONFLICT))
    });
    let keys = RetryText { backoff: None, jitter: None, throttled: None, ..text.clone() }
        .over(text_of(&base));
    let attempts = needed(keys.attempts, "attempts")?.limit();
    if attempts == 0 {
        return Err(Problem::new("without an attempt nothing is ever sent")
            .expected("at least 1: the first try counts")
            .inside("attempts"));
    }
    let mut series = match &text.backoff {
        Some(backoff) => backoff::compile(backoff, Some(&base.backoff))
            .map_err(|problem| problem.inside("backoff"))?,
        None => base.backoff,
    };
    if let Some(jitter) = text.jitter {
        series = backoff::jittered(series, jitter).map_err(|problem| problem.inside("jitter"))?;
    }
    let throttled = match &text.throttled {
        Some(throttled) => {
            let series = base.throttled.unwrap_or(series);
            let throttled = backoff::compile(throttled, Some(&series));
            Some(throttled.map_err(|problem| problem.inside("throttled"))?)
        }
        None => base.throttled,
    };
    policy.retry = Some(Retry {
        attempts,
        backoff: series,
        throttled,
        on: errors("on", &needed(keys.on, "on")?)?,
        on_hint: errors("on_hint", &keys.on_hint.unwrap_or_default())?,
        on_denial: match needed(keys.on_denial, "on_denial")? {
            DenialText::GiveUp => OnDenial::GiveUp,
            DenialText::Retry => OnDenial::Retry,
        },
        hint: match needed(keys.hint, "hint")? {
            HintText::Ignore => HintRule::Ignore,
            HintText::Instead(limit) => HintRule::Instead { limit: limit.0 },
            HintText::Restart => HintRule::Restart,
            HintText::AtLeast(limit) => HintRule::AtLeast { limit: limit.0 },
            HintText::Within(more) => HintRule::Within(more),
            HintText::Spread(limit) => HintRule::Spread { limit: limit.0 },
        },
        stop_before_deadline: needed(keys.stop_before_deadline, "stop_before_deadline")?,
        keep_timed_out: needed(keys.keep_timed_out, "keep_timed_out")?,
    });
    if let Some(text) = &text.budget {
        let budget = budget::compile(text, policy.budget.as_ref());
        policy.budget = Some(budget.map_err(|problem| problem.inside("budget"))?);
    }
    Ok(())
}

/// The text that means this rule, without its budget.
pub(super) fn text_of(retry: &Retry) -> RetryText {
    let mut backoff = backoff::text_of(&retry.backoff);
    let jitter = backoff.0.jitter.take();
    RetryText {
        attempts: Some(count_text(retry.attempts)),
        backoff: Some(backoff),
        jitter: Some(jitter.unwrap_or(JitterText::None)),
        throttled: retry.throttled.as_ref().map(backoff::text_of),
        on: Some(list(retry.on)),
        on_hint: (!retry.on_hint.is_empty()).then(|| list(retry.on_hint)),
        on_denial: Some(match retry.on_denial {
            OnDenial::GiveUp => DenialText::GiveUp,
            OnDenial::Retry => DenialText::Retry,
        }),
        hint: Some(match retry.hint {
            HintRule::Ignore => HintText::Ignore,
            HintRule::Instead { limit } => HintText::Instead(Patience(limit)),
            HintRule::Restart => HintText::Restart,
            HintRule::AtLeast { limit } => HintText::AtLeast(Patience(limit)),
            HintRule::Within(more) => HintText::Within(more),
            HintRule::Spread { limit } => HintText::Spread(Patience(limit)),
        }),
        stop_before_deadline: Some(retry.stop_before_deadline),
        keep_timed_out: Some(retry.keep_timed_out),
        budget: None,
    }
}
