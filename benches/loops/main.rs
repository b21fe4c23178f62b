//! The engine beside loops written by hand for the same work, in CPU time.
//!
//! ```text
//! cargo bench --bench loops                   every workload, five rounds, loop and engine in turn
//! cargo bench --bench loops -- w2 --rounds 9  one workload
//! cargo bench --bench loops -- w2 engine      the engine alone, once: for a profiler
//! cargo bench --bench loops -- storm          the memory of a million requests at one instant
//! cargo bench --bench loops -- check          counts of the loops that are known
//! ```
//!
//! `--part 10` takes a tenth of the work. docs/performance.md says what was measured.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(
    clippy::disallowed_methods,
    reason = "it has arguments, and loops written by hand take the mathematics of the platform"
)]

mod engine;
mod heap;
mod r1;
mod source;
mod tables;
mod w1;
mod w2;
mod w3;

use std::hint::black_box;

use stormglass::experiment::plan::campaign::Campaign;

/// What is to be done.
struct Options {
    names: Vec<String>,
    rounds: usize,
    part: u64,
}

/// A workload: how the loop does it, and the engine.
struct Workload {
    name: &'static str,
    by_hand: Box<dyn Fn()>,
    campaign: Campaign,
    runs: usize,
}

fn main() {
    let options = options();
    let is_named = |name: &str| options.names.iter().any(|named| named == name);
    if is_named("check") {
        return check();
    }
    if is_named("storm") {
        return storm();
    }
    let names = ["w1", "w2", "w3", "r1"];
    let chosen =
        names.into_iter().filter(|name| !names.iter().any(|it| is_named(it)) || is_named(name));
    for name in chosen {
        let workload = workload(name, options.part);
        if is_named("engine") {
            black_box(workload.run());
        } else if is_named("loop") {
            (workload.by_hand)();
        } else {
            workload.compare(options.rounds);
        }
    }
    let peak = peak_kib() as f64 / 1024.0;
    println!("{peak:.1} MiB of resident memory at the peak");
}

fn options() -> Options {
    let mut options = Options { names: Vec::new(), rounds: 5, part: 1 };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|it| it.parse().ok()).expect("a number");
        match argument.as_str() {
            // `cargo bench` says so to every benchmark.
            "--bench" => {}
            "--rounds" => options.rounds = number() as usize,
            "--part" => options.part = number(),
            _ => options.names.push(argument),
        }
    }
    options
}

fn workload(name: &'static str, part: u64) -> Workload {
    let (by_hand, campaign, runs): (Box<dyn Fn()>, Campaign, usize) = match name {
        "w1" => {
            let customers = 5_000_000 / part;
            (
                Box::new(move || {
                    black_box(w1::run(customers, 42));
                }),
                engine::w1(customers),
                1,
            )
        }
        "w2" => {
            let seconds = 500 / part;
            let by_hand = move || {
                black_box(w2::run(seconds, w2::WhenFull::Refused));
            };
            (Box::new(by_hand), engine::w2(seconds), 1)
        }
        "w3" => {
            let seconds = 200 / part;
            (
                Box::new(move || {
                    black_box(w3::run(seconds));
                }),
                engine::w3(seconds),
                1,
            )
        }
        "r1" => {
            let runs = 30 / part;
            let by_hand = move || {
                for seed in 1..=runs {
                    black_box(r1::run(seed));
                }
            };
            (Box::new(by_hand), engine::r1(), runs as usize)
        }
        _ => panic!("there is no workload {name}"),
    };
    Workload { name, by_hand, campaign, runs }
}

impl Workload {
    /// Lets the engine do it; returns requests and attempts.
    fn run(&self) -> (u64, u64) {
        let results = (0..self.runs).map(|number| self.campaign.run(number).metrics);
        results.fold((0, 0), |sum, it| (sum.0 + it.requests, sum.1 + it.user_attempts))
    }

    fn compare(&self, rounds: usize) {
        let (mut hand, mut engine, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        let mut counted = (0, 0);
        for _ in 0..rounds {
            let began = cpu_nanos();
            (self.by_hand)();
            let between = cpu_nanos();
            counted = self.run();
            let ended = cpu_nanos();
            hand.push((between - began) as f64 / 1e9);
            engine.push((ended - between) as f64 / 1e9);
            ratios.push((ended - between) as f64 / (between - began) as f64);
        }
        for all in [&mut hand, &mut engine, &mut ratios] {
            all.sort_by(f64::total_cmp);
        }
        let (loop_s, engine_s) = (hand[rounds / 2], engine[rounds / 2]);
        let (requests, attempts) = counted;
        println!(
            "{}: loop {loop_s:.3} s, engine {engine_s:.3} s, ratio {:.2} ({:.2} to {:.2}); \
             engine {:.0} ns a request, {:.2} million attempts a second",
            self.name,
            ratios[rounds / 2],
            ratios[0],
            ratios[rounds - 1],
            engine_s * 1e9 / requests as f64,
            attempts as f64 / engine_s / 1e6,
        );
    }
}

/// Counts of W1 and W2 that several other engines with the same random numbers agree on, and what
/// the other loops and the engine count of the same work.
fn check() {
    let mean = w1::run(10_000_000, 42);
    println!("w1: mean {mean:.4} s, expected 4.9917 s");
    let mut is_right = (mean - 4.9917).abs() < 5e-5;
    let expected = [
        (60, [766_822, 1_165_634, 534_893, 630_741, 136_081, 522_003, 12_890, 4_153_423]),
        (500, [4_988_492, 5_389_369, 538_581, 4_850_788, 137_704, 525_215, 13_366, 21_045_627]),
    ];
    for (seconds, expected) in expected {
        let it = w2::run(seconds, w2::WhenFull::Dropped);
        let found = [
            it.requests,
            it.attempts,
            it.timeouts,
            it.succeeded,
            it.failed,
            it.full,
            it.stale,
            it.events,
        ];
        println!("w2, {seconds} s: {found:?}, mean {:.6} ms; expected {expected:?}", it.mean());
        is_right &= found == expected;
    }
    let it = w2::run(60, w2::WhenFull::Refused);
    let by_engine = engine::run(&engine::w2(60)).metrics;
    println!(
        "w2 that refuses, 60 s: {} requests, {} attempts, {} ok, mean {:.2} ms; by the engine {}, \
         {}, {}, {:.2} ms",
        it.requests,
        it.attempts,
        it.succeeded,
        it.mean(),
        by_engine.requests,
        by_engine.user_attempts,
        by_engine.ok,
        by_engine.latency_total as f64 / by_engine.ok as f64 / 1e6,
    );
    let it = w3::run(20);
    let by_engine = engine::run(&engine::w3(20)).metrics;
    let attempts = by_engine.edges.iter().map(|edge| edge.attempts).sum::<u64>();
    println!(
        "w3, 20 s: {} requests, {} ok, {} failed, {} attempts, {} timeouts, {} denied, {} refused, {} \
         stale, {} lost of {}, {} events, median {:.1} ms, digest {:016x}; by the engine {}, {}, \
         {}, {attempts}",
        it.requests,
        it.succeeded,
        it.failed,
        it.attempts,
        it.timeouts,
        it.denied,
        it.refused,
        it.stale,
        it.lost,
        it.sent + it.lost,
        it.events,
        it.median(),
        it.digest(),
        by_engine.requests,
        by_engine.ok,
        by_engine.requests - by_engine.ok,
    );
    let made: u64 = (1..=30).map(r1::run).sum();
    let campaign = engine::r1();
    let by_engine: u64 = (0..30).map(|number| campaign.run(number).metrics.user_attempts).sum();
    println!("r1, 30 runs: {made} attempts; by the engine {by_engine}");
    assert!(is_right, "a loop does not count what it should");
}

/// A million users who come at one instant.
fn storm() {
    let campaign = engine::storm();
    let before = peak_kib();
    let result = engine::run(&campaign);
    let (requests, bytes) = (result.metrics.requests, (peak_kib() - before) * 1024);
    let each = bytes as f64 / 1e6;
    println!("{requests} requests, 1000000 at one instant: {each:.0} bytes for each of them");
}

/// Time that this thread has spent on a processor (Linux, proc(5), `schedstat`).
fn cpu_nanos() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    stat.split_whitespace().next().and_then(|field| field.parse().ok()).expect("nanoseconds")
}

/// The most memory that this process ever held (Linux, proc(5), `VmHWM`).
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("VmHWM");
    line.split_whitespace().nth(1).and_then(|field| field.parse().ok()).expect("kibibytes")
}
