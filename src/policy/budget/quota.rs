//! The retry quota of the AWS SDKs, with the deviations of versions and languages.
//!
//! botocore `retries/quota.py` and `retries/standard.py`, `@smithy/util-retry`
//! `DefaultRetryToken`, crate aws-smithy-runtime `client/retries/token_bucket.rs`.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Share;
use crate::kernel::quantity::Whole;
use crate::policy::outcome::{Outcome, OutcomeKind};

/// What an `Ok` gives back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Refund {
    /// What this request last paid, or one token if it paid nothing (botocore, JavaScript).
    Request,
    /// As [`Refund::Request`], and a request that fails gets back what it last paid, because its
    /// permit is dropped with it (aws-smithy-runtime, one strategy object per request).
    RequestAlways,
    /// What the one permit slot of the client holds, whoever paid it, or one token
    /// (aws-smithy-runtime, one strategy object for all requests).
    SharedSlot,
}

/// What the capacity does to a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Refill {
    /// Tokens never exceed the capacity.
    AtMost,
    /// Tokens never are below the capacity after a refund and grow past it: the defect of
    /// `@smithy/util-retry` before 4.3.8, `max` where `min` was meant.
    AtLeast,
}

/// The most tokens, and the highest price.
const MOST: u32 = 1_000_000_000;

/// The rule of a retry quota; the defaults are those of AWS retries 2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Quota {
    /// The most tokens; it starts full. 500 by default.
    #[serde(with = "Whole::<0, MOST>")]
    pub capacity: u32,
    /// What a retry costs; 14 by default.
    #[serde(with = "Whole::<0, MOST>")]
    pub cost: u32,
    /// What a retry after `throttled` costs; 5 by default.
    #[serde(rename = "cost_throttled", with = "Whole::<0, MOST>")]
    pub throttled: u32,
    /// What a retry after `timed_out` costs; 14 by default.
    #[serde(rename = "cost_timed_out", with = "Whole::<0, MOST>")]
    pub timed_out: u32,
    /// Who gets what back after a success; `request` by default.
    pub refund: Refund,
    /// Which side of the capacity a refund stays on; `at_most` by default.
    pub refill: Refill,
    /// Whether a request that the quota denies waits its back-off before it fails: long polls under
    /// retries 2.1, which would otherwise ask again at once. False by default.
    pub after_wait: bool,
}

impl Default for Quota {
    fn default() -> Quota {
        Quota {
            capacity: 500,
            cost: 14,
            throttled: 5,
            timed_out: 14,
            refund: Refund::Request,
            refill: Refill::AtMost,
            after_wait: false,
        }
    }
}

/// The tokens of one client object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaState {
    tokens: u32,
    slot: u32,
}

impl Quota {
    /// A full quota.
    #[must_use]
    pub fn state(&self) -> QuotaState {
        QuotaState { tokens: self.capacity, slot: 0 }
    }

    /// A request was answered `Ok`.
    pub fn succeed(&self, state: &mut QuotaState, share: &mut Share) {
        let held = match self.refund {
            Refund::Request | Refund::RequestAlways => std::mem::take(&mut share.cost),
            Refund::SharedSlot => std::mem::take(&mut state.slot),
        };
        if self.holds_permits() && (held > 0 || state.tokens >= self.capacity) {
            state.tokens += held;
            return;
        }
        let refunded = state.tokens + held.max(1);
        state.tokens = match self.refill {
            Refill::AtMost => refunded.min(self.capacity),
            Refill::AtLeast => refunded.max(self.capacity),
        };
    }

    /// Whether what is paid is a permit of a semaphore, which comes back whole, as in
    /// aws-smithy-runtime: while it is out, successes of others may have earned tokens in its
    /// place, and then there are more than the capacity.
    fn holds_permits(&self) -> bool {
        matches!(self.refund, Refund::RequestAlways | Refund::SharedSlot)
    }

    /// A request is over.
    pub fn end(&self, state: &mut QuotaState, share: &mut Share) {
        if self.refund == Refund::RequestAlways {
            state.tokens += std::mem::take(&mut share.cost);
        }
    }

    /// Pays for one retry after `outcome`; what was paid before is lost for good.
    pub fn withdraw(&self, state: &mut QuotaState, share: &mut Share, outcome: Outcome) -> bool {
        let cost = match outcome.kind() {
            OutcomeKind::Throttled => self.throttled,
            OutcomeKind::TimedOut => self.timed_out,
            _ => self.cost,
        };
        if state.tokens < cost {
            share.denied = self.after_wait;
            return self.after_wait;
        }
        state.tokens -= cost;
        share.cost = cost;
        state.slot = cost;
        true
    }
}

impl QuotaState {
    /// The tokens left.
    #[must_use]
    pub fn tokens(&self) -> u32 {
        self.tokens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// aws-smithy-runtime 1.16.2, `TokenBucket::add_permits` and `OwnedSemaphorePermit`.
    #[test]
    fn permits_come_back_whole_and_a_full_bucket_earns_nothing() {
        for refund in [Refund::RequestAlways, Refund::SharedSlot] {
            let rule = Quota {
                capacity: 500,
                cost: 10,
                throttled: 5,
                timed_out: 10,
                refund,
                refill: Refill::AtMost,
                after_wait: false,
            };
            let mut state = rule.state();
            let (mut retried, mut other) = (Share::default(), Share::default());
            rule.succeed(&mut state, &mut other);
            assert_eq!(state.tokens(), 500, "{refund:?}: it is full");
            assert!(rule.withdraw(&mut state, &mut retried, Outcome::Failed));
            if refund == Refund::RequestAlways {
                rule.succeed(&mut state, &mut other);
                assert_eq!(state.tokens(), 491, "a success that paid nothing earns one");
            }
            rule.succeed(&mut state, &mut retried);
            let most = if refund == Refund::RequestAlways { 501 } else { 500 };
            assert_eq!(state.tokens(), most, "{refund:?}");
            rule.succeed(&mut state, &mut other);
            assert_eq!(state.tokens(), most, "{refund:?}: nothing is earned above the capacity");
        }
    }
}
