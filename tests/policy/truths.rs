//! The closed forms that policies obey in the long run. The formulas are those of Brooker's token
//! bucket (brooker.co.za/blog/2022/02/28/retries.html), gRFC A6, the SRE book (chapters 21 and 22)
//! and renewal theory. Each tolerance is at least five standard errors: a right policy fails a test
//! under another seed with a probability below one in a million.

use stormglass::kernel::draw::{Draw, Draws, Probability, Purpose};
use stormglass::kernel::time::{Span, Time};
use stormglass::policy::backoff::{Backoff, Growth, Jitter, Memory};
use stormglass::policy::breaker::{Breaker, Gate, Mode, Trip};
use stormglass::policy::budget::{Budget, Deposit, Throttle, TokenBucket};
use stormglass::policy::retry::Retry;
use stormglass::policy::throttling::Throttling;
use stormglass::policy::{Admission, AfterAttempt, Outcome, Policy, Response, State};

/// A stream of draws, numbered.
struct Numbered {
    draws: Draws,
    next: u64,
}

impl Numbered {
    fn new(seed: u64) -> Numbered {
        Numbered { draws: Draws::new(seed), next: 0 }
    }

    fn draw(&mut self) -> Draw {
        self.next += 1;
        self.draws.draw(Purpose::Error, 0, self.next, 0)
    }

    /// `Failed` with probability `p`.
    fn outcome(&mut self, p: Probability) -> Outcome {
        if p.happens(self.draw()) { Outcome::Failed } else { Outcome::Ok }
    }
}

fn near(value: f64, expected: f64, tolerance: f64) {
    assert!((value - expected).abs() <= tolerance, "{value} is not {expected} +- {tolerance}");
}

/// One call; returns how many attempts it made and whether it succeeded.
fn call(policy: &Policy, state: &mut State, mut attempt: impl FnMut() -> Outcome) -> (u32, bool) {
    let (mut progress, now, draw) = (policy.begin(), Time::ZERO, Draw(0));
    loop {
        assert_eq!(policy.admit(state, &mut progress, now, draw), Admission::Go);
        let response = Response::new(attempt());
        match policy.settle(state, &mut progress, now, now, now, response, draw) {
            AfterAttempt::Retry { .. } => {}
            verdict => return (progress.attempts(), verdict == AfterAttempt::Done),
        }
    }
}

/// Attempts per call, and the share of calls that succeed, if attempts fail with probability `p`.
fn load_and_success(policy: &Policy, p: f64, calls: u32) -> (f64, f64) {
    let (mut state, mut numbered) = (policy.state(), Numbered::new(11));
    let p = Probability::new(p);
    let (mut attempts, mut succeeded) = (0_u64, 0_u64);
    for _ in 0..calls {
        let (made, ok) = call(policy, &mut state, || numbered.outcome(p));
        attempts += u64::from(made);
        succeeded += u64::from(ok);
    }
    (attempts as f64 / f64::from(calls), succeeded as f64 / f64::from(calls))
}

fn bucket(deposit: Deposit, ratio: f64) -> Policy {
    let (capacity, per_second, strictly_more) = (5.0, 0.0, false);
    Policy {
        retry: Some(Retry::new(u32::MAX, Backoff::NONE)),
        budget: Some(Budget::Tokens(TokenBucket {
            deposit,
            ratio,
            capacity,
            per_second,
            strictly_more,
        })),
        ..Policy::ONCE
    }
}

/// `(1 - p^n) / (1 - p)` attempts, `p^n` failures: p = 1/2, n = 4.
#[test]
fn attempts_of_an_unlimited_retry() {
    let policy = Policy { retry: Some(Retry::new(4, Backoff::NONE)), ..Policy::ONCE };
    let (load, success) = load_and_success(&policy, 0.5, 400_000);
    near(load, 1.875, 0.009);
    near(success, 1.0 - 0.0625, 0.002);
}

/// `1 + min(p / (1 - p), d)` attempts, `(1 - p)` times that succeed: d = 0.1, p = 1/2.
#[test]
fn a_bucket_filled_by_first_tries() {
    let (load, success) = load_and_success(&bucket(Deposit::FirstTry, 0.1), 0.5, 400_000);
    near(load, 1.1, 0.0001);
    near(success, 0.55, 0.004);
}

/// `r = d (1 - p) / (1 - d (1 - p))` retries per call: d = 0.1, p = 1/2.
#[test]
fn a_bucket_filled_by_successes() {
    let (load, success) = load_and_success(&bucket(Deposit::Success, 0.1), 0.5, 400_000);
    near(load, 1.052_631_6, 0.0005);
    near(success, 0.526_315_8, 0.004);
}

/// Below the break point `p = d / (1 + d)` every retry is granted in the long run, above it not.
#[test]
fn the_break_point_of_a_bucket() {
    let (_, below) = load_and_success(&bucket(Deposit::FirstTry, 0.1), 0.06, 200_000);
    assert!(below > 0.999, "{below}");
    let (load, above) = load_and_success(&bucket(Deposit::FirstTry, 0.1), 0.15, 200_000);
    near(load, 1.1, 0.0005);
    near(above, 0.85 * 1.1, 0.004);
}

/// gRPC switches retries off where failures outweigh `ratio / (1 + ratio)` = 1/11.
#[test]
fn the_grpc_throttle_switches_at_one_eleventh() {
    let throttle = Throttle { max_tokens: 10.0, token_ratio: 0.1, after_wait: false };
    let policy = Policy {
        retry: Some(Retry::new(2, Backoff::NONE)),
        budget: Some(Budget::Throttle(throttle)),
        ..Policy::ONCE
    };
    let (load, _) = load_and_success(&policy, 0.05, 200_000);
    near(load, 1.05, 0.003);
    let (load, _) = load_and_success(&policy, 0.15, 200_000);
    near(load, 1.0, 0.001);
}

/// Five net failures, then `max / 2 / ratio` = 50 successes and one more, because the level must be
/// above half.
#[test]
fn the_grpc_throttle_opens_again_after_fifty_successes() {
    let rule = Throttle { max_tokens: 10.0, token_ratio: 0.1, after_wait: false };
    let mut state = rule.state();
    for failure in 1..=10 {
        rule.fail(&mut state);
        assert_eq!(rule.allows(&state), failure < 5);
    }
    let successes = (1..).find(|_| {
        rule.succeed(&mut state);
        rule.allows(&state)
    });
    assert!(matches!(successes, Some(50 | 51)), "{successes:?}");
}

/// `(1 - p^k) / ((1 - p) p^k)` calls to trip: k = 5, p = 1/2 gives 62.
#[test]
fn calls_until_a_breaker_trips() {
    let breaker = Breaker::new(Trip::Consecutive { failures: 5 }, Span::from_secs(1));
    let (mut numbered, half) = (Numbered::new(3), Probability::new(0.5));
    let (trips, mut calls) = (100_000, 0_u64);
    for _ in 0..trips {
        let mut state = breaker.state();
        while state.mode() == Mode::Closed {
            let Gate::Pass(ticket) = breaker.admit(&mut state, Time::ZERO, Draw(0)) else {
                unreachable!("a closed breaker admits")
            };
            calls += 1;
            let outcome = numbered.outcome(half);
            breaker.record(&mut state, ticket, outcome, Span::ZERO, Time::ZERO, Draw(0));
        }
    }
    near(calls as f64 / f64::from(trips), 62.0, 1.0);
}

/// Renewal and reward: `G L W / (N + G (L W + 1))` of Poisson calls at rate L are rejected, with
/// N = 62, G = 1 / (1 - p) = 2, L = 100/s, W = 5 s; 3.0 % succeed where 50 % would without a
/// breaker.
#[test]
fn a_breaker_makes_a_partial_failure_a_total_one() {
    let breaker = Breaker::new(Trip::Consecutive { failures: 5 }, Span::from_secs(5));
    let (mut state, mut numbered) = (breaker.state(), Numbered::new(5));
    let half = Probability::new(0.5);
    let (calls, mut rejected, mut succeeded) = (3_000_000, 0_u64, 0_u64);
    let mut now = Time::ZERO;
    for _ in 0..calls {
        let gap = -libm::log(numbered.draw().unit_open_zero()) / 100.0;
        now = now + Span::from_secs_f64(gap);
        match breaker.admit(&mut state, now, Draw(0)) {
            Gate::Pass(ticket) => {
                let outcome = numbered.outcome(half);
                succeeded += u64::from(outcome == Outcome::Ok);
                breaker.record(&mut state, ticket, outcome, Span::ZERO, now, Draw(0));
            }
            Gate::Reject | Gate::Queue => rejected += 1,
        }
    }
    near(rejected as f64 / f64::from(calls), 0.939_849_6, 0.007);
    near(succeeded as f64 / f64::from(calls), 0.030_075_2, 0.004);
}

/// A call through `layers` layers with a policy each; counts what reaches the bottom.
fn layered(policy: &Policy, states: &mut [State], bottom: &mut dyn FnMut() -> Outcome) -> Outcome {
    let Some((state, below)) = states.split_first_mut() else { return bottom() };
    let (_, ok) = call(policy, state, || layered(policy, below, bottom));
    if ok { Outcome::Ok } else { Outcome::Failed }
}

fn amplification(policy: &Policy, layers: usize, calls: u32, p: f64) -> f64 {
    let mut states: Vec<State> = (0..layers).map(|_| policy.state()).collect();
    let (mut numbered, p) = (Numbered::new(8), Probability::new(p));
    let mut reached = 0_u64;
    for _ in 0..calls {
        layered(policy, &mut states, &mut || {
            reached += 1;
            numbered.outcome(p)
        });
    }
    reached as f64 / f64::from(calls)
}

/// In a total outage attempts multiply: 4^3 = 64, 3^5 = 243. If only the bottom fails, and by
/// halves, they do not: 2.0.
#[test]
fn retries_per_layer_multiply_only_in_an_outage() {
    let retry =
        |attempts| Policy { retry: Some(Retry::new(attempts, Backoff::NONE)), ..Policy::ONCE };
    assert_eq!(amplification(&retry(4), 3, 10, 1.0), 64.0);
    assert_eq!(amplification(&retry(3), 5, 10, 1.0), 243.0);
    near(amplification(&retry(4), 3, 200_000, 0.5), 2.0, 0.016);
}

/// A budget of r per layer: (1 + r)^L. 10 % gives 1.1, 20 % in three layers 1.728.
#[test]
fn budgets_per_layer_multiply_too() {
    near(amplification(&bucket(Deposit::FirstTry, 0.1), 1, 200_000, 1.0), 1.1, 0.001);
    near(amplification(&bucket(Deposit::FirstTry, 0.2), 3, 200_000, 1.0), 1.728, 0.001);
}

/// The server sees K times what it accepts: 1,000/s offered, 100/s accepted, K = 2 gives 200/s.
#[test]
fn adaptive_throttling_lets_through_k_times_the_capacity() {
    let rule = Throttling::GOOGLE_SRE;
    let (mut state, mut numbered) = (rule.state(), Numbered::new(2));
    let (mut sent, mut accepted) = (0_u64, 0_u64);
    for call in 0..600_000_u64 {
        let now = Time::ZERO + Span::from_millis(call);
        let measured = call >= 400_000;
        if !rule.admit(&mut state, now, numbered.draw()) {
            continue;
        }
        sent += u64::from(measured);
        // The server accepts 100 in each second, as long as there are so many.
        let ok = accepted < (call + 1) / 10;
        accepted = if ok { accepted + 1 } else { accepted.max((call + 1) / 10) };
        rule.record(&mut state, if ok { Outcome::Ok } else { Outcome::Rejected }, now);
    }
    near(sent as f64 / 200.0, 200.0, 4.0);
}

/// The moments of jitter: full v/2 and v^2/12, equal 3v/4, decorrelated
/// `E(n) = (base + 3 E(n-1)) / 2`.
#[test]
fn moments_of_jitter() {
    let base = Span::from_millis(100);
    let sample = |backoff: Backoff, retries: u32| {
        let mut numbered = Numbered::new(17);
        let count = 200_000;
        let values: Vec<f64> = (0..count)
            .map(|_| {
                let mut memory = Memory::default();
                (1..=retries)
                    .map(|n| backoff.delay(n, &mut memory, numbered.draw()).millis())
                    .last()
                    .unwrap_or(0.0)
            })
            .collect();
        let mean = values.iter().sum::<f64>() / f64::from(count);
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        (mean, squares / f64::from(count))
    };
    let full = sample(Backoff::constant(base).jittered(Jitter::Full), 1);
    near(full.0, 50.0, 0.35);
    near(full.1, 10_000.0 / 12.0, 9.0);
    let equal = sample(Backoff::constant(base).jittered(Jitter::Equal), 1);
    near(equal.0, 75.0, 0.2);
    let walk = Backoff::growing(Growth::Decorrelated { base });
    for (retries, mean) in [(1, 200.0), (2, 350.0), (3, 575.0)] {
        near(sample(walk, retries).0, mean, mean * 0.01);
    }
}

/// A hundred clients in a hundred slots: the fullest slot has 4.2325952 of them on average, and
/// 63.027 of them share theirs.
#[test]
fn collisions_of_a_hundred_clients() {
    let slots = Backoff::constant(Span(100)).jittered(Jitter::Full);
    let mut numbered = Numbered::new(23);
    let (rounds, mut fullest, mut colliding) = (20_000, 0_u64, 0_u64);
    for _ in 0..rounds {
        let mut clients = [0_u64; 100];
        for _ in 0..100 {
            let slot = slots.delay(1, &mut Memory::default(), numbered.draw());
            clients[slot.0 as usize] += 1;
        }
        fullest += clients.iter().max().copied().unwrap_or(0);
        colliding += clients.iter().filter(|&&count| count > 1).sum::<u64>();
    }
    near(fullest as f64 / f64::from(rounds), 4.232_595_2, 0.03);
    near(colliding as f64 / f64::from(rounds), 63.027, 0.2);
}
