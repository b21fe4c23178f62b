//! When a failed attempt is made again, and after how long.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::backoff::{Backoff, Memory};
use super::outcome::{Outcome, OutcomeKind, OutcomeSet, Response};
use crate::kernel::draw::Draw;
use crate::kernel::quantity::Unending;
use crate::kernel::time::Span;

/// What the time does that a server asks a client to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum HintRule {
    /// Nothing.
    Ignore,
    /// The client waits that long instead of its own delay, up to this, and keeps its place in the
    /// series.
    Instead(#[serde(with = "Unending")] Span),
    /// The client waits exactly that long, and its delays start again (gRFC A6).
    Restart,
    /// The client waits the longer of both, up to this.
    AtLeast(#[serde(with = "Unending")] Span),
    /// The client waits that long, but no less than its own delay and at most this much more (AWS
    /// retries 2.1).
    Within(Span),
    /// The client waits that long and up to half more; a longer hint does nothing (Envoy
    /// `rate_limited_retry_back_off`: `source/common/router/retry_state_impl.cc`, and
    /// `JitteredLowerBoundBackOffStrategy` of `backoff_strategy.cc`).
    Spread(#[serde(with = "Unending")] Span),
}

/// What happens when the client's own machinery denies an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OnDenial {
    /// The call ends (Polly's HTTP handlers).
    GiveUp,
    /// It is one more failed attempt (resilience4j, whose retry is outside its breaker).
    Retry,
}

/// The retry rule of a client.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retry {
    /// How many attempts at most, the first one included; `u32::MAX` is for ever.
    pub attempts: u32,
    /// The delays.
    pub backoff: Backoff,
    /// The delays after `Throttled`, where they are others.
    pub throttled: Option<Backoff>,
    /// What is retried.
    pub on: OutcomeSet,
    /// What is retried beside that if the server says how long to wait.
    pub on_hint: OutcomeSet,
    /// What happens when a breaker or limiter of the client denies an attempt.
    pub on_denial: OnDenial,
    /// What a server hint does.
    pub hint: HintRule,
    /// Whether the client gives up at once if the next attempt would start at or after the
    /// deadline of the call. If not, the deadline ends the call while it waits.
    pub stop_before_deadline: bool,
    /// Whether a timed-out attempt keeps running beside its retry, so that its answer still counts
    /// (Envoy `hedge_on_per_try_timeout`).
    pub keep_timed_out: bool,
}

impl Retry {
    /// A retry of everything transient, up to `attempts` attempts, first one included.
    #[must_use]
    pub const fn new(attempts: u32, backoff: Backoff) -> Retry {
        Retry {
            attempts,
            backoff,
            throttled: None,
            on: OutcomeSet::TRANSIENT,
            on_hint: OutcomeSet::NONE,
            on_denial: OnDenial::GiveUp,
            hint: HintRule::Ignore,
            stop_before_deadline: false,
            keep_timed_out: false,
        }
    }

    /// The rule for exactly these outcomes.
    #[must_use]
    pub const fn on(self, on: OutcomeSet) -> Retry {
        Retry { on, ..self }
    }

    /// Whether what came back is retried at all.
    #[must_use]
    pub fn retries(&self, response: Response) -> bool {
        let outcome = response.outcome;
        self.on.contains(outcome) || response.hint.is_some() && self.on_hint.contains(outcome)
    }

    /// The series that applies after `outcome`.
    #[must_use]
    pub const fn series(&self, outcome: Outcome) -> &Backoff {
        match (&self.throttled, outcome.kind()) {
            (Some(series), OutcomeKind::Throttled) => series,
            _ => &self.backoff,
        }
    }

    /// The delay before the next attempt, `retry` counting from 1 within the series.
    ///
    /// Returns whether the series starts again too.
    pub(super) fn delay(
        &self,
        retry: u32,
        memory: &mut Memory,
        response: Response,
        draw: Draw,
    ) -> (Span, bool) {
        let own = self.series(response.outcome).delay(retry, memory, draw);
        let Some(hint) = response.hint else { return (own, false) };
        match self.hint {
            HintRule::Ignore => (own, false),
            HintRule::Instead(limit) => (hint.min(limit), false),
            HintRule::Restart => (hint, true),
            HintRule::AtLeast(limit) => (own.max(hint).min(limit), false),
            HintRule::Within(more) => (own.max(hint.min(own + more)), false),
            HintRule::Spread(limit) if hint > limit => (own, false),
            HintRule::Spread(_) => {
                (Span::from_nanos_f64(hint.0 as f64 * (1.0 + draw.unit() / 2.0)), false)
            }
        }
    }
}
