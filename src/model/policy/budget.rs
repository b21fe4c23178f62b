//! `budget = { … }`: what limits retries over many calls.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::keys::{Table, at_least, lasting, needed, table, within};
use crate::kernel::time::Span;
use crate::model::problem::Problem;
use crate::model::quantity::Share;
use crate::policy::budget::{
    Budget, Concurrent, Deposit, Failures, Quota, Refill, Refund, Throttle, TokenBucket, Window,
};

table! {
    /// `budget = { … }`. With `kind` it starts from the defaults of that kind; without, it changes
    /// numbers of the preset's budget, or is a token bucket.
    pub struct BudgetText {
        /// Which machine; `tokens` by default.
        pub kind: BudgetKind,
        /// Tokens that each deposit adds (`tokens`), retries that each deposit allows (`window`),
        /// the share of the active calls that may be retries (`concurrent`; 0.2 by default), or
        /// failed attempts per call up to which there are retries (`failures`).
        pub ratio: Share,
        /// What earns a deposit (`tokens`, `window`); `first_try` by default.
        pub deposit: DepositText,
        /// Tokens that time adds (`tokens`), or retries that are always allowed (`window`); 0 by
        /// default.
        pub per_second: f64,
        /// The most tokens; it starts full (`tokens`: 10 by default; `quota`: 500).
        pub capacity: f64,
        /// Whether a retry needs more than one token instead of at least one (`tokens`); false by
        /// default.
        pub strictly_more: bool,
        /// What a retry costs (`quota`, 14 by default: AWS retries 2.1; or `window`, in its units).
        pub cost: u32,
        /// What a retry after `throttled` costs (`quota`); 5 by default.
        pub cost_throttled: u32,
        /// What a retry after `timed_out` costs (`quota`); 14 by default.
        pub cost_timed_out: u32,
        /// Who gets what back after a success (`quota`); `request` by default.
        pub refund: RefundText,
        /// Which side of the capacity a refund stays on (`quota`); `at_most` by default.
        pub refill: RefillText,
        /// The most tokens; it starts full (`throttle`); 10 by default (gRFC A6).
        pub max_tokens: f64,
        /// Tokens that a success adds; a failure takes one (`throttle`); 0.1 by default (gRFC A6).
        pub token_ratio: f64,
        /// Whether a denied retry is held for its back-off first (`throttle`, `quota`); false by
        /// default.
        pub after_wait: bool,
        /// Retries at once that are always allowed (`concurrent`); 3 by default (Envoy).
        pub floor: u32,
        /// How long deposits and retries count (`window`); 10s by default (Finagle, tower).
        pub window: Span,
        /// What a deposit adds, in units (`window`), instead of `ratio`.
        pub earn: u32,
        /// What is always there, in units (`window`), instead of `per_second`.
        pub reserve: u32,
        /// The share of the retries left that one call may have (`window`); all by default.
        pub per_call: Share,
    }
}

/// Which machine limits retries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum BudgetKind {
    /// A bucket of tokens, earned by calls and by time.
    #[default]
    Tokens,
    /// The retry quota of the AWS SDKs.
    Quota,
    /// gRPC retry throttling: retries only above half of the tokens.
    Throttle,
    /// Envoy: so many retries at once, as a share of the active calls.
    Concurrent,
    /// Finagle, tower, Linkerd: a share of the calls of the last seconds.
    Window,
    /// Brooker: no retries while too large a share of all calls so far has failed.
    Failures,
}

/// What earns a deposit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DepositText {
    /// A first attempt, whatever comes of it: the ratio is a percentage of first tries.
    FirstTry,
    /// An attempt that succeeded: the ratio is a percentage of successes.
    Success,
    /// An attempt that will not be retried because of what came back.
    Answer,
}

/// Who gets what back after a success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RefundText {
    /// The request, what it paid last, or one token.
    Request,
    /// As `request`, and a request that fails too.
    RequestAlways,
    /// What the one slot of the client holds, whoever paid it, or one token.
    SharedSlot,
}

/// Which side of the capacity a refund stays on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RefillText {
    /// Below.
    AtMost,
    /// Above: the defect of `@smithy/util-retry` before 4.3.8.
    AtLeast,
}

/// The largest number of tokens.
const MOST: f64 = 1e9;

/// The budget that a text means.
pub(super) fn compile(text: &BudgetText, base: Option<&Budget>) -> Result<Budget, Problem> {
    let keys = match (text.kind, base) {
        (None, Some(base)) => text.clone().over(text_of(base)),
        _ => text.clone(),
    };
    let only = |kind: &str, own: &[&str]| {
        keys.only(&format!("a budget of kind `{kind}`"), &[&["kind"], own])
    };
    Ok(match keys.kind.unwrap_or_default() {
        BudgetKind::Tokens => {
            only("tokens", &["ratio", "deposit", "per_second", "capacity", "strictly_more"])?;
            Budget::Tokens(TokenBucket {
                deposit: compile_deposit(keys.deposit),
                ratio: needed(keys.ratio, "ratio")?.0,
                capacity: within("capacity", keys.capacity.or(Some(10.0)), 0.0, MOST)?,
                per_second: within("per_second", keys.per_second.or(Some(0.0)), 0.0, MOST)?,
                strictly_more: keys.strictly_more.unwrap_or_default(),
            })
        }
        BudgetKind::Quota => {
            let own = [
                "capacity",
                "cost",
                "cost_throttled",
                "cost_timed_out",
                "refund",
                "refill",
                "after_wait",
            ];
            only("quota", &own)?;
            Budget::Quota(compile_quota(&keys)?)
        }
        BudgetKind::Throttle => {
            only("throttle", &["max_tokens", "token_ratio", "after_wait"])?;
            Budget::Throttle(Throttle {
                max_tokens: within("max_tokens", keys.max_tokens.or(Some(10.0)), 0.0, 1000.0)?,
                token_ratio: within("token_ratio", keys.token_ratio.or(Some(0.1)), 0.0, 1000.0)?,
                after_wait: keys.after_wait.unwrap_or_default(),
            })
        }
        BudgetKind::Concurrent => {
            only("concurrent", &["ratio", "floor"])?;
            Budget::Concurrent(Concurrent {
                ratio: keys.ratio.map_or(0.2, |ratio| ratio.0),
                floor: keys.floor.unwrap_or(3),
            })
        }
        BudgetKind::Window => {
            let own = ["ratio", "per_second", "earn", "cost", "reserve"];
            only("window", &[&own[..], &["deposit", "window", "per_call"]].concat())?;
            Budget::Window(compile_window(&keys)?)
        }
        BudgetKind::Failures => {
            only("failures", &["ratio"])?;
            Budget::Failures(Failures { ratio: needed(keys.ratio, "ratio")?.0 })
        }
    })
}

fn compile_deposit(text: Option<DepositText>) -> Deposit {
    match text {
        None | Some(DepositText::FirstTry) => Deposit::FirstTry,
        Some(DepositText::Success) => Deposit::Success,
        Some(DepositText::Answer) => Deposit::Answer,
    }
}

fn compile_quota(keys: &BudgetText) -> Result<Quota, Problem> {
    let capacity = within("capacity", keys.capacity.or(Some(500.0)), 0.0, MOST)?;
    Ok(Quota {
        capacity: capacity as u32,
        cost: keys.cost.unwrap_or(14).min(MOST as u32),
        throttled: keys.cost_throttled.unwrap_or(5).min(MOST as u32),
        timed_out: keys.cost_timed_out.unwrap_or(14).min(MOST as u32),
        refund: match keys.refund {
            None | Some(RefundText::Request) => Refund::Request,
            Some(RefundText::RequestAlways) => Refund::RequestAlways,
            Some(RefundText::SharedSlot) => Refund::SharedSlot,
        },
        refill: match keys.refill {
            None | Some(RefillText::AtMost) => Refill::AtMost,
            Some(RefillText::AtLeast) => Refill::AtLeast,
        },
        after_wait: keys.after_wait.unwrap_or_default(),
    })
}

/// By `ratio` and `per_second` in thousandths of a deposit, as Finagle counts, or in exact units.
fn compile_window(keys: &BudgetText) -> Result<Window, Problem> {
    let span = lasting("window", keys.window.or(Some(Span::from_secs(10))))?;
    let deposit = compile_deposit(keys.deposit);
    let per_call = keys.per_call.map(|share| share.0);
    if keys.ratio.is_none() && keys.per_second.is_none() {
        return Ok(Window {
            deposit,
            earn: i64::from(needed(keys.earn, "ratio")?),
            cost: i64::from(at_least("cost", keys.cost, 1)?),
            reserve: i64::from(keys.reserve.unwrap_or_default()),
            span,
            per_call,
        });
    }
    let ratio = needed(keys.ratio, "ratio")?.0;
    let per_second = within("per_second", keys.per_second.or(Some(0.0)), 0.0, MOST)?;
    Ok(Window { deposit, per_call, ..Window::finagle(ratio, per_second as u32, span) })
}

/// The text that means this budget.
pub(super) fn text_of(budget: &Budget) -> BudgetText {
    let nothing = BudgetText::default();
    let deposit = |deposit| {
        Some(match deposit {
            Deposit::FirstTry => DepositText::FirstTry,
            Deposit::Success => DepositText::Success,
            Deposit::Answer => DepositText::Answer,
        })
    };
    match *budget {
        Budget::Tokens(rule) => BudgetText {
            kind: Some(BudgetKind::Tokens),
            ratio: Some(Share(rule.ratio)),
            deposit: deposit(rule.deposit),
            per_second: Some(rule.per_second),
            capacity: Some(rule.capacity),
            strictly_more: Some(rule.strictly_more),
            ..nothing
        },
        Budget::Quota(rule) => BudgetText {
            kind: Some(BudgetKind::Quota),
            capacity: Some(f64::from(rule.capacity)),
            cost: Some(rule.cost),
            cost_throttled: Some(rule.throttled),
            cost_timed_out: Some(rule.timed_out),
            refund: Some(match rule.refund {
                Refund::Request => RefundText::Request,
                Refund::RequestAlways => RefundText::RequestAlways,
                Refund::SharedSlot => RefundText::SharedSlot,
            }),
            refill: Some(match rule.refill {
                Refill::AtMost => RefillText::AtMost,
                Refill::AtLeast => RefillText::AtLeast,
            }),
            after_wait: Some(rule.after_wait),
            ..nothing
        },
        Budget::Throttle(rule) => BudgetText {
            kind: Some(BudgetKind::Throttle),
            max_tokens: Some(rule.max_tokens),
            token_ratio: Some(rule.token_ratio),
            after_wait: Some(rule.after_wait),
            ..nothing
        },
        Budget::Concurrent(rule) => BudgetText {
            kind: Some(BudgetKind::Concurrent),
            ratio: Some(Share(rule.ratio)),
            floor: Some(rule.floor),
            ..nothing
        },
        Budget::Window(rule) => BudgetText {
            kind: Some(BudgetKind::Window),
            deposit: deposit(rule.deposit),
            earn: Some(rule.earn as u32),
            cost: Some(rule.cost as u32),
            reserve: Some(rule.reserve as u32),
            window: Some(rule.span),
            per_call: rule.per_call.map(Share),
            ..nothing
        },
        Budget::Failures(rule) => BudgetText {
            kind: Some(BudgetKind::Failures),
            ratio: Some(Share(rule.ratio)),
            ..nothing
        },
    }
}
