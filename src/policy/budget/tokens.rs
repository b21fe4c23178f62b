//! A token bucket filled by calls, and by time if wanted: "retries may add 10 %".
//!
//! Brooker's published simulator deposits per first try, his text says per success
//! (brooker.co.za/blog/2022/02/28/retries.html); they behave differently in an outage, so the
//! deposit is named.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::quantity::{AsShare, Number};
use crate::kernel::time::{Span, Time};

/// What earns the tokens of a budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Deposit {
    /// A first attempt, whatever comes of it: the ratio is a percentage of first tries.
    #[default]
    FirstTry,
    /// An attempt that succeeded: the ratio is a percentage of successes.
    Success,
    /// An attempt that will not be retried because of what came back.
    Answer,
}

/// The rule of a token bucket.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TokenBucket {
    /// What earns a deposit; `first_try` by default.
    #[serde(default)]
    pub deposit: Deposit,
    /// Tokens that each deposit adds: 0.1 allows 10 % retries.
    #[serde(with = "AsShare")]
    pub ratio: f64,
    /// The most tokens; it starts full. 10 by default.
    #[serde(default = "TokenBucket::ten", with = "Number::<0, 1_000_000_000>")]
    pub capacity: f64,
    /// Tokens that each second adds, whatever the calls do; 0 by default.
    #[serde(default, with = "Number::<0, 1_000_000_000>")]
    pub per_second: f64,
    /// Whether a retry needs more than one token instead of at least one; false by default.
    #[serde(default)]
    pub strictly_more: bool,
}

/// The tokens of one scope, in whole millionths so that ten tenths are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenBucketState {
    tokens: u64,
    filled: Time,
}

const TOKEN: u64 = 1_000_000;

impl TokenBucket {
    const fn ten() -> f64 {
        10.0
    }

    /// A full bucket.
    #[must_use]
    pub fn state(&self) -> TokenBucketState {
        TokenBucketState { tokens: millionths(self.capacity), filled: Time::ZERO }
    }

    /// Adds what an event of this kind earns.
    pub fn deposit(&self, state: &mut TokenBucketState, kind: Deposit, now: Time) {
        self.fill(state, now);
        if kind == self.deposit {
            state.tokens = (state.tokens + millionths(self.ratio)).min(millionths(self.capacity));
        }
    }

    /// Takes one token if there is one.
    pub fn withdraw(&self, state: &mut TokenBucketState, now: Time) -> bool {
        self.fill(state, now);
        let enough = if self.strictly_more { state.tokens > TOKEN } else { state.tokens >= TOKEN };
        if enough {
            state.tokens -= TOKEN;
        }
        enough
    }

    /// Adds what time earned. The clock moves only by whole millionths of a token.
    fn fill(&self, state: &mut TokenBucketState, now: Time) {
        let rate = self.per_second;
        if rate <= 0.0 {
            return;
        }
        let earned = now.since(state.filled).seconds() * rate * TOKEN as f64;
        let whole = earned as u64;
        if whole > 0 {
            state.tokens = (state.tokens + whole).min(millionths(self.capacity));
            state.filled = state.filled + Span::from_secs_f64(whole as f64 / (rate * TOKEN as f64));
        }
    }
}

impl TokenBucketState {
    /// The tokens as they were at the last event.
    #[must_use]
    pub fn tokens(&self) -> f64 {
        self.tokens as f64 / TOKEN as f64
    }
}

/// `tokens` in millionths, rounded.
fn millionths(tokens: f64) -> u64 {
    (tokens * TOKEN as f64 + 0.5) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: TokenBucket = TokenBucket {
        deposit: Deposit::FirstTry,
        ratio: 0.1,
        capacity: 2.0,
        per_second: 0.0,
        strictly_more: false,
    };

    #[test]
    fn ten_tenths_are_one_retry() {
        let mut state = RULE.state();
        while RULE.withdraw(&mut state, Time::ZERO) {}
        for _ in 0..9 {
            RULE.deposit(&mut state, Deposit::FirstTry, Time::ZERO);
            assert!(!RULE.withdraw(&mut state, Time::ZERO));
        }
        RULE.deposit(&mut state, Deposit::FirstTry, Time::ZERO);
        RULE.deposit(&mut state, Deposit::Success, Time::ZERO);
        assert!(RULE.withdraw(&mut state, Time::ZERO));
        assert!(!RULE.withdraw(&mut state, Time::ZERO));
    }

    #[test]
    fn one_token_is_not_more_than_one() {
        let strict = TokenBucket { capacity: 1.0, strictly_more: true, ..RULE };
        assert!(!strict.withdraw(&mut strict.state(), Time::ZERO));
        let strict = TokenBucket { capacity: 1.1, ..strict };
        assert!(strict.withdraw(&mut strict.state(), Time::ZERO));
    }

    #[test]
    fn time_fills_without_losing_a_fraction() {
        let rule = TokenBucket { ratio: 0.0, per_second: 1.0, ..RULE };
        let mut state = rule.state();
        while rule.withdraw(&mut state, Time::ZERO) {}
        let granted =
            (1..=10_000).filter(|step| rule.withdraw(&mut state, Time(step * 999_999))).count();
        assert_eq!(granted, 9);
    }
}
