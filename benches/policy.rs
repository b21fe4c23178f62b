//! Nanoseconds per decision of each machine, and allocations, of which there must be none.
//!
//! `cargo bench --bench policy`

use divan::{AllocProfiler, Bencher, black_box};
use stormglass::kernel::draw::{Draw, Draws, Purpose};
use stormglass::kernel::time::{Span, Time};
use stormglass::model::presets;
use stormglass::policy::adaptive::Adaptive;
use stormglass::policy::backoff::{Backoff, Growth, Jitter, Memory};
use stormglass::policy::breaker::{Breaker, Gate};
use stormglass::policy::budget::{Budget, Deposit, Share, TokenBucket};
use stormglass::policy::bulkhead::{Around, Bulkhead, BulkheadState};
use stormglass::policy::codel::{Codel, CodelState};
use stormglass::policy::hedge::Quantile;
use stormglass::policy::limit::{Aimd, Gradient2, Limit, Vegas};
use stormglass::policy::outlier::Outlier;
use stormglass::policy::rate_limit::{Cycles, Debt, Gcra, RateLimit, Rule, Smooth};
use stormglass::policy::throttling::Throttling;
use stormglass::policy::{Admission, AfterAttempt, Outcome, Policy, Response};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// A clock that moves a millisecond with each decision, and a draw for it.
struct Ticks {
    draws: Draws,
    now: u64,
}

impl Ticks {
    fn new() -> Ticks {
        Ticks { draws: Draws::new(1), now: 0 }
    }

    fn next(&mut self) -> (Time, Draw) {
        self.now += 1_000_000;
        (Time(self.now), self.draws.draw(Purpose::Policy, 0, self.now, 0))
    }

    /// One outcome in eight is a failure.
    fn outcome(draw: Draw) -> Outcome {
        if draw.0 >> 61 == 0 { Outcome::Failed } else { Outcome::Ok }
    }
}

fn policy(name: &str) -> Policy {
    presets::find(name, None).expect("the preset exists").policy
}

/// A whole attempt: admission and settlement, or the answer to a denial.
#[divan::bench(args = [
    "aws-standard", "aws-adaptive", "envoy", "finagle", "google-sre-adaptive", "grpc", "istio",
    "opossum", "polly-http", "resilience4j", "tower",
])]
fn attempt(bencher: Bencher<'_, '_>, name: &str) {
    let policy = policy(name);
    let (mut state, mut progress, mut ticks) = (policy.state(), policy.begin(), Ticks::new());
    bencher.bench_local(|| {
        let (now, draw) = ticks.next();
        let verdict = match policy.admit(&mut state, &mut progress, now, draw) {
            Admission::Go => {
                let response = Response::new(Ticks::outcome(draw));
                policy.settle(&mut state, &mut progress, now, now, now, response, draw)
            }
            Admission::Reject(denial) => {
                policy.denied(&mut state, &mut progress, denial, now, now, draw)
            }
            Admission::Wait(_) | Admission::Queue => return,
        };
        if !matches!(black_box(verdict), AfterAttempt::Retry { .. }) {
            progress = policy.begin();
        }
    });
}

#[divan::bench]
fn draw_alone(bencher: Bencher<'_, '_>) {
    let mut ticks = Ticks::new();
    bencher.bench_local(|| ticks.next());
}

#[divan::bench(args = ["full", "decorrelated", "decorrelated-v2"])]
fn backoff(bencher: Bencher<'_, '_>, name: &str) {
    let base = Span::from_millis(50);
    let series = match name {
        "full" => Backoff::exponential(base, 2.0).jittered(Jitter::Full),
        "decorrelated" => Backoff::growing(Growth::Decorrelated { base }),
        _ => Backoff::growing(Growth::DecorrelatedV2 { base, factor: 2.0 }),
    }
    .capped_after_jitter(Span::from_secs(20));
    let (mut memory, mut ticks) = (Memory::default(), Ticks::new());
    bencher.bench_local(|| {
        let (now, draw) = ticks.next();
        series.delay((now.0 % 8) as u32, &mut memory, draw)
    });
}

#[divan::bench(args = ["aws-standard", "envoy", "finagle", "grpc", "tower", "tokens"])]
fn budget(bencher: Bencher<'_, '_>, name: &str) {
    let tokens = Budget::Tokens(TokenBucket {
        deposit: Deposit::FirstTry,
        ratio: 0.1,
        capacity: 10.0,
        per_second: 1.0,
        strictly_more: false,
    });
    let budget = match name {
        "tokens" => tokens,
        _ => policy(name).budget.expect("it has a budget"),
    };
    let (mut state, mut ticks) = (budget.state(), Ticks::new());
    bencher.bench_local(|| {
        let (now, draw) = ticks.next();
        let mut share = Share::default();
        let outcome = Ticks::outcome(draw);
        budget.begin(&mut state, &mut share, now);
        budget.observe(&mut state, &mut share, outcome, outcome != Outcome::Ok, now);
        let granted =
            outcome != Outcome::Ok && budget.withdraw(&mut state, &mut share, outcome, now);
        budget.end(&mut state, &mut share, true);
        granted
    });
}

#[divan::bench(args = [
    "failsafe-rs", "hystrix", "linkerd-failure-accrual", "opossum", "polly-circuit-breaker",
    "resilience4j",
])]
fn breaker(bencher: Bencher<'_, '_>, name: &str) {
    let breaker: Breaker = policy(name).breaker.expect("it has a breaker");
    let (mut state, mut ticks) = (breaker.state(), Ticks::new());
    bencher.bench_local(|| {
        let (now, draw) = ticks.next();
        let gate = breaker.admit(&mut state, now, draw);
        if let Gate::Pass(ticket) = gate {
            breaker.record(&mut state, ticket, Ticks::outcome(draw), Span::ZERO, now, draw);
        }
    });
}

#[divan::bench(args = ["gcra", "debt", "smooth", "cycles"])]
fn rate_limit(bencher: Bencher<'_, '_>, name: &str) {
    let rule = match name {
        "gcra" => Rule::Gcra(Gcra { interval: Span::from_millis(2), burst: 10 }),
        "debt" => Rule::Debt(Debt { rate: 500.0, burst: 10 }),
        "smooth" => Rule::Smooth(Smooth { rate: 500.0, warm_up: Span::from_secs(1) }),
        _ => Rule::Cycles(Cycles { permits: 50, period: Span::from_millis(100) }),
    };
    let limit = RateLimit { rule, max_wait: Span::from_millis(10) };
    let (mut state, mut ticks) = (limit.state(), Ticks::new());
    bencher.bench_local(|| limit.acquire(&mut state, 1, ticks.next().0));
}

#[divan::bench]
fn throttling(bencher: Bencher<'_, '_>) {
    let rule = Throttling::GOOGLE_SRE;
    let (mut state, mut ticks) = (rule.state(), Ticks::new());
    bencher.bench_local(|| {
        let (now, draw) = ticks.next();
        if rule.admit(&mut state, now, draw) {
            rule.record(&mut state, Ticks::outcome(draw), now);
        }
    });
}

#[divan::bench]
fn adaptive(bencher: Bencher<'_, '_>) {
    let rule = Adaptive::BOTOCORE;
    let (mut state, mut ticks) = (rule.state(Time::ZERO), Ticks::new());
    bencher.bench_local(|| {
        let (now, draw) = ticks.next();
        let wait = rule.acquire(&mut state, now);
        rule.respond(&mut state, draw.0 >> 61 == 0, now);
        wait
    });
}

#[divan::bench(args = ["aimd", "vegas", "gradient2"])]
fn concurrency_limit(bencher: Bencher<'_, '_>, name: &str) {
    let rule = match name {
        "aimd" => Limit::Aimd(Aimd::default()),
        "vegas" => Limit::Vegas(Vegas::default()),
        _ => Limit::Gradient2(Gradient2::default()),
    };
    let (mut state, mut ticks) = (rule.state(), Ticks::new());
    bencher.bench_local(|| {
        let (_, draw) = ticks.next();
        rule.update(&mut state, Span(1_000_000 + draw.below(1_000_000)), 30, false, draw);
    });
}

#[divan::bench]
fn bulkhead(bencher: Bencher<'_, '_>) {
    let rule = Bulkhead { limit: 10, queue: 0, max_wait: None, around: Around::Attempt };
    let mut state = BulkheadState::default();
    bencher.bench_local(|| {
        let room = rule.enter(black_box(&mut state), false);
        rule.leave(&mut state);
        room
    });
}

#[divan::bench]
fn hedging_quantile(bencher: Bencher<'_, '_>) {
    let rule = Quantile { rank: 0.95, minimum: 10, period: Span::from_secs(10), least: Span::ZERO };
    let (mut state, mut ticks) = (rule.state(), Ticks::new());
    bencher.bench_local(|| {
        let (now, draw) = ticks.next();
        rule.record(&mut state, Span(1_000_000 + draw.below(1_000_000)), now);
        rule.value(&state)
    });
}

/// An attempt at an instance, the question who may be chosen, and every 10 s a sweep.
#[divan::bench(args = ["envoy", "grpc", "istio"])]
fn outlier_ejection(bencher: Bencher<'_, '_>, name: &str) {
    let rule = match name {
        "envoy" => Outlier::ENVOY,
        "grpc" => Outlier::GRPC,
        _ => Outlier::ISTIO,
    };
    let (mut state, mut ticks, mut due) = (rule.state(20), Ticks::new(), Time::ZERO);
    bencher.bench_local(|| {
        let (now, draw) = ticks.next();
        if now >= due {
            due = rule.sweep_after(now, Span::ZERO);
            rule.sweep(&mut state, now, |_, change| {
                black_box(change);
            });
        }
        let host = draw.below(20) as usize;
        black_box(rule.record(&mut state, host, Ticks::outcome(draw), now));
        rule.available(&state, host)
    });
}

#[divan::bench]
fn codel(bencher: Bencher<'_, '_>) {
    let (rule, mut state, mut ticks) = (Codel::FOLLY, CodelState::default(), Ticks::new());
    bencher.bench_local(|| {
        let (now, draw) = ticks.next();
        rule.refuses(&mut state, Span(draw.below(20_000_000)), now)
    });
}
