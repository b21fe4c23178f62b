//! `retry = { … }`: the rule, with the jitter beside its delays and the budget that limits it.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::quantity::AsCount;
use crate::model::problem::Problem;
use crate::policy::backoff::{Backoff, Jitter};
use crate::policy::budget::Budget;
use crate::policy::retry::{HintRule, OnDenial, Retry};
use crate::policy::{Errors, OutcomeSet};

/// `retry = { … }`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct RetryText {
    /// Attempts in all, the first one included, or `"unlimited"`; 3 by default.
    #[serde(with = "AsCount")]
    pub attempts: u32,
    /// `"none"`, `"constant 1s"`, `"linear 1s"`, `"exponential 100ms x2 cap 5s"`, or a table;
    /// none by default.
    pub backoff: Backoff,
    /// How delays are spread; not at all by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter: Option<Jitter>,
    /// The delays after `throttled`, where they are others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttled: Option<Backoff>,
    /// The outcomes that are retried; all but `invalid` by default.
    #[serde(with = "Errors")]
    pub on: OutcomeSet,
    /// The outcomes that are retried beside those if the server says how long to wait
    /// (Retry-After); none by default.
    #[serde(skip_serializing_if = "is_empty", with = "Errors")]
    pub on_hint: OutcomeSet,
    /// What happens when the client's own breaker or limiter denies an attempt; it gives up by
    /// default.
    pub on_denial: OnDenial,
    /// What a Retry-After of the server does; nothing by default.
    pub hint: HintRule,
    /// Whether the client gives up at once if the next attempt would start at or after the
    /// deadline; false by default: it waits for the deadline.
    pub stop_before_deadline: bool,
    /// Whether a timed-out attempt keeps running beside its retry, so that its answer still
    /// counts; false by default.
    pub keep_timed_out: bool,
    /// What limits retries over many calls; nothing by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
}

/// What serde asks of a condition.
fn is_empty(set: &OutcomeSet) -> bool {
    set.is_empty()
}

impl Default for RetryText {
    fn default() -> RetryText {
        let on = OutcomeSet::TRANSIENT.or(OutcomeSet::CONFLICT);
        RetryText { jitter: None, ..RetryText::of(&Retry::new(3, Backoff::NONE).on(on), None) }
    }
}

impl RetryText {
    /// The rule that it means.
    pub(super) fn rule(&self) -> Result<Retry, Problem> {
        if self.attempts == 0 {
            return Err(Problem::new("without an attempt nothing is ever sent")
                .expected("at least 1: the first try counts")
                .inside("attempts"));
        }
        let backoff = match self.jitter {
            Some(jitter) => self
                .backoff
                .spread_by(jitter)
                .map_err(|wrong| Problem::from(wrong).inside("jitter"))?,
            None => self.backoff,
        };
        Ok(Retry {
            attempts: self.attempts,
            backoff,
            throttled: self.throttled,
            on: self.on,
            on_hint: self.on_hint,
            on_denial: self.on_denial,
            hint: self.hint,
            stop_before_deadline: self.stop_before_deadline,
            keep_timed_out: self.keep_timed_out,
        })
    }

    /// The text that means this rule and budget.
    pub(super) fn of(retry: &Retry, budget: Option<Budget>) -> RetryText {
        RetryText {
            attempts: retry.attempts,
            backoff: retry.backoff.jittered(Jitter::None),
            jitter: Some(retry.backoff.jitter),
            throttled: retry.throttled,
            on: retry.on,
            on_hint: retry.on_hint,
            on_denial: retry.on_denial,
            hint: retry.hint,
            stop_before_deadline: retry.stop_before_deadline,
            keep_timed_out: retry.keep_timed_out,
            budget,
        }
    }
}
