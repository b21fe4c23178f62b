//! Jitter differs between requests and between processes; shared state is shared.
//!
//! The draws are those of a run: a policy of the test's own notes what it is handed for each
//! request of two processes, and every jittered preset makes its delays of these.

use std::sync::{Arc, Mutex, OnceLock};

use stormglass::kernel::draw::Draw;
use stormglass::kernel::time::Time;
use stormglass::model::presets;
use stormglass::policy::backoff::{Backoff, Cap, Growth, Jitter, Memory, Rounding};
use stormglass::policy::budget::{Budget, Deposit, Quota, Refill, Refund, TokenBucket};
use stormglass::policy::custom::{Custom, CustomState, Moment};
use stormglass::policy::retry::Retry;
use stormglass::policy::{
    Admission, AfterAttempt, GiveUp, Outcome, Policy, Progress, Response, State,
};

use crate::common::campaign;

const DRAWS: usize = 100_000;
/// Which retry is looked at: the first one has no delay in some libraries.
const RETRY: u32 = 2;

/// Every jittered series of every preset.
fn series() -> Vec<(String, Backoff)> {
    presets::all()
        .filter_map(|preset| {
            let backoff = preset.policy.retry?.backoff;
            let name = format!("{} {}", preset.name, preset.version);
            backoff.is_jittered().then_some((name, backoff))
        })
        .collect()
}

/// Notes the draws of its decisions, by process.
#[derive(Debug, Default)]
struct Notary {
    by_process: Arc<Mutex<Vec<Vec<Draw>>>>,
}

#[derive(Debug)]
struct Notes {
    process: usize,
    by_process: Arc<Mutex<Vec<Vec<Draw>>>>,
}

impl Custom for Notary {
    fn state(&self) -> Box<dyn CustomState> {
        let mut by_process = self.by_process.lock().expect("nobody has panicked");
        by_process.push(Vec::with_capacity(DRAWS));
        let process = by_process.len() - 1;
        Box::new(Notes { process, by_process: Arc::clone(&self.by_process) })
    }
}

impl CustomState for Notes {
    fn admit(&mut self, _: &mut Progress, _: Time, _: Draw) -> Admission {
        Admission::Go
    }

    fn settle(&mut self, _: &mut Progress, moment: Moment, _: Response) -> AfterAttempt {
        let mut by_process = self.by_process.lock().expect("nobody has panicked");
        by_process[self.process].push(moment.draw);
        AfterAttempt::GiveUp(GiveUp::Attempts)
    }
}

/// The draws of the first decision about each request of two processes in a run, in the order of
/// their requests.
fn draws() -> &'static [Vec<Draw>; 2] {
    static DRAWN: OnceLock<[Vec<Draw>; 2]> = OnceLock::new();
    DRAWN.get_or_init(|| {
        let model = r#"
[clients.users]
processes = 2
arrivals = { constant = "1000/s" }
flow = [{ call = "target.charge", policy = "p", ignore_failure = true }]
[provider.target]
concurrency = "unlimited"
latency = "0s"
errors_before = 1
[policy.p]
"#;
        let experiment = "name = \"draws\"\nmodel = \"inline\"\narrivals = \"210s\"\n\
                          seeds = \"42..43\"\nlimits = { events = 100000000 }\n";
        let mut campaign = campaign(experiment, model);
        let notary = Notary::default();
        let by_process = Arc::clone(&notary.by_process);
        let own: Arc<dyn Custom> = Arc::new(notary);
        campaign.replace_policy("model", "p", &own).expect("the policy is there");
        let _ = campaign.run(0);
        let mut noted = std::mem::take(&mut *by_process.lock().expect("nobody has panicked"));
        noted.retain(|draws| !draws.is_empty());
        assert_eq!(noted.len(), 2, "two processes");
        let mut of = |process: usize| {
            let mut draws = std::mem::take(&mut noted[process]);
            draws.truncate(DRAWS);
            assert_eq!(draws.len(), DRAWS);
            draws
        };
        [of(0), of(1)]
    })
}

/// The delays of many requests of one process, in nanoseconds.
fn delays(backoff: &Backoff, process: usize) -> Vec<f64> {
    let delay = |&draw: &Draw| backoff.delay(retry(backoff), &mut Memory::default(), draw).0 as f64;
    draws()[process].iter().map(delay).collect()
}

/// The walks are looked at where they begin; what follows depends on the step before.
fn retry(backoff: &Backoff) -> u32 {
    let walks = matches!(
        backoff.growth,
        Growth::DecorrelatedV2 { .. } | Growth::Decorrelated { .. } | Growth::RandomWalk { .. }
    );
    if walks { 1 } else { RETRY }
}

/// The probability of a delay of at most `x` nanoseconds, from the formula.
fn probability(backoff: &Backoff, x: f64) -> f64 {
    let cap = match backoff.cap {
        Cap::None => f64::INFINITY,
        Cap::BeforeJitter(cap) | Cap::AfterJitter(cap) => cap.0 as f64,
    };
    if matches!(backoff.cap, Cap::AfterJitter(_)) && x >= cap || x < backoff.floor.0 as f64 {
        return if x < cap { 0.0 } else { 1.0 };
    }
    let (unit, shift) = match backoff.rounding {
        Rounding::Exact => (1.0, 1.0),
        Rounding::Down(unit) => (unit.0 as f64, 1.0),
        Rounding::Nearest(unit) => (unit.0 as f64, 0.5),
    };
    let x = x + shift * unit;
    let uniform = |low: f64, high: f64| ((x - low) / (high - low)).clamp(0.0, 1.0);
    let before = matches!(backoff.cap, Cap::BeforeJitter(_));
    let grown = match backoff.growth {
        Growth::Exponential { base, factor } => base.0 as f64 * factor,
        Growth::ExponentialLessOne { base, factor } => base.0 as f64 * (factor * factor - 1.0),
        Growth::Linear { base, step } => (base.0 + u64::from(RETRY - 1) * step.0) as f64,
        Growth::Constant { delay } => delay.0 as f64,
        Growth::RandomWalk { base, spread, .. } => {
            return uniform(base.0 as f64 * (1.0 - spread), base.0 as f64 * (1.0 + spread));
        }
        Growth::Decorrelated { base } => return uniform(base.0 as f64, 3.0 * base.0 as f64),
        Growth::DecorrelatedV2 { base, factor } => return rise(x / base.0 as f64, factor),
        Growth::FourthPower { width, in_steps } => {
            let seconds = (x / 1e9).floor() - 16.0;
            let step = if in_steps { f64::from(RETRY) } else { 1.0 };
            let values = f64::from(width) * f64::from(RETRY) / step;
            return (((seconds / step).floor() + 1.0) / values).clamp(0.0, 1.0);
        }
        growth => panic!("{growth:?} is not jittered"),
    };
    let e = if before { grown.min(cap) } else { grown };
    match backoff.jitter {
        Jitter::Full => uniform(0.0, e),
        Jitter::FullInclusive => uniform(0.0, e + unit),
        Jitter::Equal => uniform(e / 2.0, e),
        Jitter::Down(j) => uniform(e * (1.0 - j), e),
        Jitter::Proportional(j) => uniform(e * (1.0 - j), e * (1.0 + j)),
        Jitter::Up(j) | Jitter::UpInParts(j) => uniform(e, e * (1.0 + j)),
        Jitter::Plus(most) => uniform(e, e + most.0 as f64),
        Jitter::Exponential => 1.0 - libm::exp(-x / e),
        Jitter::From(low) => uniform(low.0 as f64, e),
        Jitter::None | Jitter::Decorrelated => panic!("not jittered"),
    }
}

/// The `u` at which decorrelated jitter version 2 has its first delay at `x` base delays.
fn rise(x: f64, factor: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let t = (low + high) / 2.0;
        let delay = libm::pow(factor, t) * libm::tanh(libm::sqrt(4.0 * t)) / 1.4;
        if delay <= x { low = t } else { high = t }
    }
    low
}

/// The largest distance between the empirical distribution and the formula's.
fn kolmogorov_smirnov(backoff: &Backoff, mut delays: Vec<f64>) -> f64 {
    delays.sort_by(f64::total_cmp);
    let count = delays.len() as f64;
    let mut largest: f64 = 0.0;
    let mut index = 0;
    while index < delays.len() {
        let x = delays[index];
        let after = delays[index..].partition_point(|&other| other <= x) + index;
        largest = largest.max((after as f64 / count - probability(backoff, x)).abs());
        index = after;
    }
    largest
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let count = a.len() as f64;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / count;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        ab += (x - mean_a) * (y - mean_b);
        aa += (x - mean_a) * (x - mean_a);
        bb += (y - mean_b) * (y - mean_b);
    }
    ab / (aa * bb).sqrt()
}

/// Kolmogorov-Smirnov at one in a million for each preset: `sqrt(ln(2 / 1e-6) / (2 n))`.
#[test]
fn delays_follow_their_formula() {
    let limit = (libm::log(2e6) / (2.0 * DRAWS as f64)).sqrt();
    let all = series();
    assert!(all.len() >= 25, "only {} presets are jittered", all.len());
    for (name, backoff) in all {
        let distance = kolmogorov_smirnov(&backoff, delays(&backoff, 0));
        assert!(distance < limit, "{name}: {distance} is not below {limit}");
    }
}

/// Correlations at one in a million for each pair: 4.89 standard errors.
#[test]
fn delays_of_requests_and_processes_are_uncorrelated() {
    let limit = 4.89 / (DRAWS as f64).sqrt();
    for (name, backoff) in series() {
        let (one, other) = (delays(&backoff, 0), delays(&backoff, 1));
        let requests = correlation(&one[1..], &one[..one.len() - 1]);
        assert!(requests.abs() < limit, "{name}: {requests} between requests");
        let processes = correlation(&one, &other);
        assert!(processes.abs() < limit, "{name}: {processes} between processes");
    }
}

/// The test above finds processes that share their draws.
#[test]
fn shared_draws_would_be_found() {
    for (name, backoff) in series() {
        let (one, other) = (delays(&backoff, 0), delays(&backoff, 0));
        assert!(correlation(&one, &other) > 0.999, "{name}");
    }
}

/// How many retries a hundred failing calls make, each with the state that `scope` gives it.
fn retries(policy: &Policy, scope: impl Fn(&mut State) -> State) -> u32 {
    let mut shared = policy.state();
    let mut retries = 0;
    let (draw, now) = (Draw(1 << 62), Time::ZERO);
    for _ in 0..100 {
        let mut own = scope(&mut shared);
        let mut progress = policy.begin();
        loop {
            assert_eq!(policy.admit(&mut own, &mut progress, now, draw), Admission::Go);
            let failed = Response::new(Outcome::Failed);
            match policy.settle(&mut own, &mut progress, now, now, now, failed, draw) {
                AfterAttempt::Retry { .. } => retries += 1,
                AfterAttempt::Done | AfterAttempt::GiveUp(_) => break,
            }
        }
        shared = own;
    }
    retries
}

fn budgets_of_two() -> [Policy; 2] {
    let tokens = Budget::Tokens(TokenBucket {
        deposit: Deposit::Success,
        ratio: 0.1,
        capacity: 2.0,
        per_second: 0.0,
        strictly_more: false,
    });
    let quota = Budget::Quota(Quota {
        capacity: 28,
        cost: 14,
        throttled: 5,
        timed_out: 14,
        refund: Refund::Request,
        refill: Refill::AtMost,
        after_wait: false,
    });
    [tokens, quota].map(|budget| Policy {
        retry: Some(Retry::new(5, Backoff::NONE)),
        budget: Some(budget),
        ..Policy::ONCE
    })
}

#[test]
fn a_budget_of_two_grants_two_retries_to_its_whole_scope() {
    for policy in budgets_of_two() {
        assert_eq!(retries(&policy, |shared| shared.clone()), 2);
    }
}

/// The test above finds a state that is made anew for each request.
#[test]
fn a_state_for_each_request_would_be_found() {
    for policy in budgets_of_two() {
        assert_eq!(retries(&policy, |_| policy.state()), 200);
    }
}
