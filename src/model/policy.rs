//! `[policy.NAME]`: what a caller does around a call, by preset, by numbers, or a preset with
//! numbers changed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::problem::{Problem, shortened};
use super::quantity::{Share, parse_duration};
use crate::kernel::time::Span;
use crate::policy::backoff::{Backoff, Growth, Jitter};
use crate::policy::breaker::{Breaker, Comparison, Probes, Proof, Rotation, Trip, Window};
use crate::policy::budget::{Budget, Deposit, TokenBucket};
use crate::policy::retry::Retry;
use crate::policy::{Outcome, OutcomeSet, Policy, presets};

/// `[policy.NAME]` as it is written. Without anything: one attempt that waits for ever.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PolicyText {
    /// The preset to start from, `NAME` or `NAME@VERSION`.
    pub preset: Option<String>,
    /// How long one attempt may take.
    pub timeout: Option<Span>,
    /// How long the call may take, retries included.
    pub deadline: Option<Span>,
    /// When and how a failed attempt is made again.
    pub retry: Option<RetryText>,
    /// What stops attempts at a failing target.
    pub breaker: Option<BreakerText>,
}

/// `retry = { … }`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetryText {
    /// Attempts in all, the first one included.
    pub attempts: Option<u32>,
    /// `"none"`, `"constant 1s"`, `"linear 1s"`, `"exponential 100ms x2 cap 5s"`.
    pub backoff: Option<String>,
    /// How delays are spread.
    pub jitter: Option<JitterText>,
    /// The outcomes that are retried.
    pub on: Option<Vec<OutcomeText>>,
    /// What limits retries over many calls.
    pub budget: Option<BudgetText>,
}

/// How delays are spread.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum JitterText {
    /// Not at all.
    None,
    /// Anything up to the delay.
    Full,
    /// Half the delay, and anything up to the other half.
    Equal,
    /// A random walk from the base delay.
    Decorrelated,
    /// The delay plus or minus this share of it.
    Proportional(Share),
}

/// An outcome by name.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is the policy::Outcome of the same name")]
pub enum OutcomeText {
    Failed,
    Rejected,
    Throttled,
    TimedOut,
    Conflict,
    Invalid,
}

/// `budget = { … }`: a token bucket; a retry costs one token.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetText {
    /// Tokens that each deposit adds.
    pub ratio: Share,
    /// What earns a deposit.
    #[serde(default)]
    pub deposit: DepositText,
    /// Tokens that time adds.
    #[serde(default)]
    pub per_second: f64,
    /// The most tokens; it starts full.
    #[serde(default = "ten")]
    pub capacity: f64,
}

/// What earns a deposit.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DepositText {
    /// A first attempt, whatever comes of it.
    #[default]
    FirstTry,
    /// An attempt that succeeded.
    Success,
}

/// `breaker = { … }`.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BreakerText {
    /// It opens at this share of failures in the window.
    #[serde(default)]
    pub failure_ratio: Option<Share>,
    /// How far back failures are counted.
    #[serde(default = "ten_seconds")]
    pub window: Span,
    /// Not before so many attempts in the window.
    #[serde(default = "twenty")]
    pub minimum: u32,
    /// It opens after so many failures in a row, instead of a ratio.
    #[serde(default)]
    pub consecutive: Option<u32>,
    /// How long it stays open.
    #[serde(default = "five_seconds")]
    pub open_for: Span,
    /// How many successful probes close it.
    #[serde(default = "one")]
    pub probes: u32,
}

/// The policy that a text means.
///
/// # Errors
/// If the preset is unknown, or numbers do not fit together.
pub fn compile(text: &PolicyText) -> Result<Policy, Problem> {
    let mut policy = match &text.preset {
        Some(name) => preset(name)
            .and_then(|policy| runnable(name, policy))
            .map_err(|problem| problem.inside("preset"))?,
        None => Policy::default(),
    };
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
        compile_retry(retry, &mut policy).map_err(|problem| problem.inside("retry"))?;
    }
    if let Some(breaker) = &text.breaker {
        let breaker = compile_breaker(breaker).map_err(|problem| problem.inside("breaker"))?;
        policy.breaker = Some(breaker);
    }
    Ok(policy)
}

fn preset(name: &str) -> Result<Policy, Problem> {
    let (family, version) = match name.split_once('@') {
        Some((family, version)) => (family, Some(version)),
        None => (name, None),
    };
    presets::find(family, version).map(|preset| preset.policy).ok_or_else(|| {
        let known: Vec<String> =
            presets::all().map(|preset| format!("{}@{}", preset.name, preset.version)).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        Problem::unknown("preset", name, &known)
    })
}

/// Copies of a call that run side by side, late replies, and ejected instances need more than a
/// caller that waits: a preset that is not run as it is meant is refused.
fn runnable(name: &str, policy: Policy) -> Result<Policy, Problem> {
    let copies = policy.hedge.is_some() || policy.retry.is_some_and(|retry| retry.keep_timed_out);
    let late = policy.breaker.is_some_and(|breaker| breaker.hears_replies_after_timeout);
    if copies || late || policy.outlier.is_some() {
        let what = match (copies, late) {
            (true, _) => "copies of a running attempt",
            (_, true) => "a breaker that hears replies after their timeout",
            _ => "ejected instances",
        };
        return Err(Problem::new(format!("the preset `{name}` needs {what}"))
            .expected("a preset without: runs do not have them"));
    }
    Ok(policy)
}

fn compile_retry(text: &RetryText, policy: &mut Policy) -> Result<(), Problem> {
    let mut retry = policy.retry.unwrap_or(Retry::new(3, Backoff::NONE));
    if policy.retry.is_none() {
        retry.on = OutcomeSet::TRANSIENT.with(Outcome::Conflict);
    }
    if let Some(attempts) = text.attempts {
        if attempts == 0 {
            return Err(Problem::new("without an attempt nothing is ever sent")
                .expected("at least 1: the first try counts")
                .inside("attempts"));
        }
        retry.attempts = attempts;
    }
    if let Some(backoff) = &text.backoff {
        retry.backoff = parse_backoff(backoff).ok_or_else(|| {
            Problem::new(format!("\"{}\" is not a backoff", shortened(backoff)))
                .expected(
                    "\"none\", \"constant 1s\", \"linear 1s\" or \"exponential 100ms x2 cap 5s\" \
                     (from x1 to x1000)",
                )
                .inside("backoff")
        })?;
    }
    if let Some(jitter) = text.jitter {
        apply_jitter(jitter, &mut retry.backoff).map_err(|problem| problem.inside("jitter"))?;
    }
    if let Some(on) = &text.on {
        retry.on = on.iter().fold(OutcomeSet::NONE, |set, outcome| set.with(outcome.outcome()));
    }
    if let Some(budget) = &text.budget {
        policy.budget = Some(Budget::Tokens(TokenBucket {
            deposit: match budget.deposit {
                DepositText::FirstTry => Deposit::FirstTry,
                DepositText::Success => Deposit::Success,
            },
            ratio: budget.ratio.0,
            capacity: tokens("capacity", budget.capacity)?,
            per_second: tokens("per_second", budget.per_second)?,
            strictly_more: false,
        }));
    }
    policy.retry = Some(retry);
    Ok(())
}

fn tokens(key: &str, number: f64) -> Result<f64, Problem> {
    if (0.0..=1e9).contains(&number) {
        return Ok(number);
    }
    Err(Problem::new(format!("`{key}` cannot be {number}"))
        .expected("a number from 0 to 1e9")
        .inside(key)
        .inside("budget"))
}

fn parse_backoff(text: &str) -> Option<Backoff> {
    let mut words = text.split_whitespace();
    let (kind, base) = (words.next()?, words.next());
    let base = base.map(parse_duration);
    let mut backoff = match (kind, base) {
        ("none", None) => Backoff::NONE,
        ("constant", Some(delay)) => Backoff::constant(delay?),
        ("linear", Some(base)) => Backoff::growing(Growth::Linear { base: base?, step: base? }),
        ("exponential", Some(base)) => Backoff::exponential(base?, 2.0),
        _ => return None,
    };
    while let Some(word) = words.next() {
        match (word, &mut backoff.growth) {
            ("cap", _) => backoff = backoff.capped(parse_duration(words.next()?)?),
            (factor, Growth::Exponential { factor: slot, .. }) => {
                *slot = factor.strip_prefix('x')?.parse().ok()?;
                if !(1.0..=1000.0).contains(slot) {
                    return None;
                }
            }
            _ => return None,
        }
    }
    Some(backoff)
}

fn apply_jitter(text: JitterText, backoff: &mut Backoff) -> Result<(), Problem> {
    backoff.jitter = match text {
        JitterText::None => Jitter::None,
        JitterText::Full => Jitter::Full,
        JitterText::Equal => Jitter::Equal,
        JitterText::Proportional(share) => Jitter::Proportional(share.0),
        JitterText::Decorrelated => {
            let Growth::Exponential { base, .. } = backoff.growth else {
                return Err(Problem::new("decorrelated jitter needs an exponential backoff")
                    .expected("backoff = \"exponential 100ms cap 5s\" gives its base and cap"));
            };
            backoff.growth = Growth::Decorrelated { base };
            Jitter::None
        }
    };
    Ok(())
}

fn compile_breaker(text: &BreakerText) -> Result<Breaker, Problem> {
    let trip = match (text.consecutive, text.failure_ratio) {
        (Some(failures), None) if failures > 0 => Trip::Consecutive { failures },
        (None, Some(ratio)) => Trip::Ratio {
            window: Window::Time {
                span: text.window,
                buckets: 10,
                rotation: Rotation::WithTraffic,
            },
            minimum: text.minimum,
            ratio: ratio.0,
            comparison: Comparison::AtLeast,
            on_success: false,
            slow: None,
            every: None,
        },
        (Some(_), None) => {
            return Err(Problem::new("the breaker would open without a failure")
                .expected("at least 1 failure in a row")
                .inside("consecutive"));
        }
        (Some(_), Some(_)) => {
            return Err(Problem::new("a breaker has one rule for opening, not two")
                .expected("either `failure_ratio` or `consecutive`"));
        }
        (None, None) => {
            return Err(Problem::new("a breaker needs a rule for opening")
                .expected("either `failure_ratio` or `consecutive`"));
        }
    };
    let rules = [
        (text.failure_ratio == Some(Share(0.0)), "failure_ratio", "more than 0"),
        (text.window == Span::ZERO, "window", "more than 0s"),
        (text.minimum == 0, "minimum", "at least 1 attempt"),
        (text.open_for == Span::ZERO, "open_for", "more than 0s"),
        (text.probes == 0, "probes", "at least 1 probe"),
    ];
    if let Some((_, key, expected)) = rules.into_iter().find(|(is_broken, ..)| *is_broken) {
        return Err(Problem::new(format!("a breaker with a `{key}` of 0 does not work"))
            .expected(expected)
            .inside(key));
    }
    let mut breaker = Breaker::new(trip, text.open_for);
    breaker.probes =
        Probes { limit: text.probes, proof: Proof::Successes(text.probes), ..Probes::ONE };
    Ok(breaker)
}

impl OutcomeText {
    fn outcome(self) -> Outcome {
        match self {
            OutcomeText::Failed => Outcome::Failed,
            OutcomeText::Rejected => Outcome::Rejected,
            OutcomeText::Throttled => Outcome::Throttled,
            OutcomeText::TimedOut => Outcome::TimedOut,
            OutcomeText::Conflict => Outcome::Conflict,
            OutcomeText::Invalid => Outcome::Invalid,
        }
    }
}

fn one() -> u32 {
    1
}

fn ten() -> f64 {
    10.0
}

fn twenty() -> u32 {
    20
}

fn five_seconds() -> Span {
    Span::from_secs(5)
}

fn ten_seconds() -> Span {
    Span::from_secs(10)
}
