//! How often a call is attempted, how long it takes its caller, and how often it succeeds.

use super::means::Visit;
use super::moments::Moments;
use super::phase::LinkState;
use crate::kernel::draw::Draw;
use crate::kernel::time::Span;
use crate::policy::backoff::Memory;
use crate::policy::budget::Budget;
use crate::policy::retry::Retry;
use crate::policy::{Outcome, Policy};

/// What a call comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct CallMeans {
    /// Attempts that arrive at the target.
    pub(super) arrivals: f64,
    /// How long it takes its caller.
    pub(super) time: Moments,
    /// How often it succeeds.
    pub(super) success: f64,
}

/// A call by a policy over a link to an operation that takes and does so much when nobody waits.
pub(super) fn call(
    policy: &Policy,
    link: &LinkState,
    latency: Moments,
    target: &Visit,
) -> CallMeans {
    let there = 1.0 - link.request_loss;
    let heard = there * (1.0 - link.reply_loss);
    let way = latency.then(Moments::constant(link.added_s));
    let exchange = way.then(target.time).then(way);
    let seconds = |span: Option<Span>| span.map(Span::seconds);
    let timeout = seconds(policy.attempt_timeout).into_iter().chain(seconds(policy.deadline));
    let timeout = timeout.reduce(f64::min);
    let (in_time, held) = exchange.cut_at(timeout);
    let silent = timeout.unwrap_or(f64::INFINITY);
    let unheard = 1.0 - heard;
    let attempt = if unheard > 0.0 { heard * held + unheard * silent } else { held };
    let answered = heard * in_time;
    let late = 1.0 - answered;
    let again = |success: f64| {
        policy.retry.as_ref().map_or(0.0, |retry| {
            let is_retried = |outcome: Outcome| f64::from(u8::from(retry.on.contains(outcome)));
            let failed = answered * (1.0 - success);
            failed * is_retried(Outcome::Failed) + late * is_retried(Outcome::TimedOut)
        })
    };
    let most = policy.retry.as_ref().map_or(1.0, |retry| f64::from(retry.attempts));
    let parts = target.parts();
    let wanted = parts.iter().map(|&(share, success)| share * (tries(again(success), most) - 1.0));
    let wanted: f64 = wanted.sum();
    // A budget belongs to all calls, so each part of them gets the same share of what it wants.
    let allowed = allowance(policy.budget.as_ref());
    let granted = if wanted > allowed { allowed / wanted } else { 1.0 };
    let longest = seconds(policy.deadline).unwrap_or(f64::INFINITY);
    let mut means = CallMeans { arrivals: 0.0, time: Moments::default(), success: 0.0 };
    for (share, success) in parts {
        let again = again(success);
        let attempts = 1.0 + (tries(again, most) - 1.0) * granted;
        let waits = policy.retry.as_ref().map_or(0.0, |retry| waits(retry, again, attempts));
        // An attempt that fails and the next one are as long as any, so only the mean grows.
        let mean = (attempt * attempts + waits).min(longest);
        let time = Moments { mean, variance: exchange.variance * attempts };
        means.arrivals += share * attempts * there * (1.0 + link.duplication);
        means.time = means.time.then(time.times(share));
        means.success += share * (answered * success * attempts).min(1.0);
    }
    means
}

/// How many tries there are of at most `most`, if each is followed by another with this
/// probability: `(1 - q^n) / (1 - q)`.
pub(super) fn tries(again: f64, most: f64) -> f64 {
    if again >= 1.0 {
        return most;
    }
    (1.0 - libm::pow(again, most)) / (1.0 - again)
}

/// How many retries a budget allows per call in the long run; infinitely many without one.
fn allowance(budget: Option<&Budget>) -> f64 {
    match budget {
        Some(Budget::Tokens(bucket)) => bucket.ratio,
        Some(Budget::Window(window)) if window.cost > 0 => window.earn as f64 / window.cost as f64,
        _ => f64::INFINITY,
    }
}

/// How long a call waits between its attempts: the delays in the middle of their jitter, each as
/// often as it comes to it.
fn waits(retry: &Retry, again: f64, attempts: f64) -> f64 {
    let middle = Draw(u64::MAX / 2);
    let (mut memory, mut total, mut reached, mut counted) = (Memory::default(), 0.0, 1.0, 1.0);
    for number in 1..retry.attempts.min(64) {
        reached *= again;
        let share = (attempts - counted).min(reached);
        if share <= 1e-9 {
            break;
        }
        counted += share;
        total += share * retry.backoff.delay(number, &mut memory, middle).seconds();
    }
    total
}
