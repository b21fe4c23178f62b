//! Whether what is printed of a mean over runs is true as often as it says: 95 times of 100.

use stormglass::experiment::measure::summary::summarise;
use stormglass::experiment::plan::campaign::Campaign;
use stormglass::experiment::run::result::RunResult;
use stormglass::kernel::draw::{Draws, Purpose};
use stormglass::report::arms::arms_tables;
use stormglass::statistics::bounded::{Range, mean_within};
use stormglass::statistics::distribution::normal_quantile;

use crate::common;

const TRIALS: u64 = 1_000;

/// A draw between 0 and 1 for each index of a trial.
pub(crate) type Unit<'a> = dyn FnMut(u16) -> f64 + 'a;

/// How many of so many trials hold.
pub(crate) fn holds(trials: u64, mut trial: impl FnMut(&mut Unit<'_>) -> bool) -> usize {
    let mut draws = Draws::new(2_026);
    let mut hits = 0;
    for number in 0..trials {
        let mut unit = |index: u16| {
            draws.draw(Purpose::Arrival, 0, number, index).unit_open_zero().min(1.0 - 1e-16)
        };
        hits += usize::from(trial(&mut unit));
    }
    hits
}

/// A law of what a run comes to: its mean, its range, and a value from two draws.
struct Law {
    name: &'static str,
    mean: f64,
    range: Range,
    value: fn(f64, f64) -> f64,
}

const LAWS: [Law; 5] = [
    Law {
        // 0.4% of requests fail on average, with the spread of a gamma law of shape 2.
        name: "success near 1",
        mean: 0.996,
        range: Range::Share,
        value: |a, b| 1.0 + 0.002 * libm::log(a * b),
    },
    Law {
        name: "success of 97%, hardly varying",
        mean: 0.97,
        range: Range::Share,
        value: |a, _| 0.96 + 0.02 * a,
    },
    Law {
        name: "waste near 0",
        mean: 0.02 * 0.886_226_925_452_758,
        range: Range::Share,
        value: |a, _| 0.02 * (-libm::log(a)).sqrt(),
    },
    Law {
        // The largest tenth of runs is 2.8 times the smallest tenth.
        name: "skewed latency",
        mean: 1.083_287_067_674_958_5,
        range: Range::Amount,
        value: |a, _| libm::exp(0.4 * normal_quantile(a).expect("inside")),
    },
    Law {
        name: "latency as skewed as an exponential law",
        mean: 1.0,
        range: Range::Amount,
        value: |a, _| -libm::log(a),
    },
];

#[test]
fn intervals_of_shares_and_of_skewed_latencies_hold_the_truth() {
    for law in LAWS {
        for runs in [5_u16, 10, 30] {
            let hits = holds(TRIALS, |unit| {
                let sample: Vec<f64> =
                    (0..runs).map(|run| (law.value)(unit(2 * run), unit(2 * run + 1))).collect();
                let mean = mean_within(&sample, law.range, 0.0, 0.95).unwrap();
                mean.interval.expect("all runs are away from the end").contains(law.mean)
            });
            // 93 to 97%, and three standard errors of a thousand trials where a law is this skewed.
            let least = if law.name.ends_with("exponential law") { 915 } else { 930 };
            assert!((least..=975).contains(&hits), "{} of {runs} runs: {hits} of 1000", law.name);
        }
    }
}

/// A shop that charges.
pub(crate) const SHOP: &str = r#"
[clients.users]
arrivals = { poisson = "20/s" }
flow = [{ call = "shop.buy", policy = "once" }]
[service.shop]
workers = 4
[service.shop.on.buy]
steps = [{ call = "payment.charge", policy = "once" }, { reply = "ok" }]
[provider.payment]
concurrency = 100
latency = "5ms"
effects = ["charge"]
[policy.once]
timeout = "1s"
"#;

/// A campaign with a promise, and one of its runs.
fn promise() -> (Campaign, RunResult) {
    let experiment = r#"
name = "rare"
model = "inline"
arrivals = "2s"
drain = "1s"
seeds = "1..31"
[invariants]
one_charge = { effect = "charge" }
"#;
    let campaign = common::campaign(experiment, SHOP);
    let run = campaign.run(0);
    (campaign, run)
}

/// What the table says of thirty runs with these violations, each of 1,000 operations.
fn said(campaign: &Campaign, run: &RunResult, violations: &[u64]) -> String {
    let runs: Vec<RunResult> = violations
        .iter()
        .map(|&violations| {
            let mut run = run.clone();
            run.invariants[0].violations = violations;
            run.invariants[0].exposure = 1_000;
            run
        })
        .collect();
    let tables = arms_tables(campaign, &summarise(campaign, &runs));
    let text = tables.last().expect("a promise is declared").markdown();
    let row = text.lines().last().unwrap_or_default();
    row.trim_matches(['|', ' ']).split(" | ").last().unwrap_or_default().trim().to_owned()
}

/// Whether what is said holds, where a run has a violation with this probability and so many on
/// average.
fn is_true(text: &str, probability: f64, mean: f64) -> bool {
    let digits = |text: &str| text.replace(['(', ')', '<', '%', '±'], "").parse::<f64>().unwrap();
    match text.split_whitespace().collect::<Vec<_>>()[..] {
        ["0", "of", "30", "runs", bound] => probability <= digits(bound) / 100.0,
        // So many in so many runs: that is what was seen, and no estimate.
        [_, "in", _, "of", "30", "runs"] => true,
        [middle, half] if half.starts_with('±') => {
            (mean - digits(middle)).abs() <= digits(half) + 0.5
        }
        [_, ends] => {
            let (low, high) = ends.split_once('–').unwrap();
            (digits(low) - 0.5..=digits(high) + 0.5).contains(&mean)
        }
        _ => panic!("`{text}` says something else"),
    }
}

#[test]
fn what_is_said_of_clustered_violations_is_true() {
    let (campaign, run) = promise();
    // The probability that a run breaks the promise; it does so a hundred times at once.
    for probability in [1.0 / 500.0, 0.05, 0.3, 0.6, 1.0] {
        let hits = holds(TRIALS, |unit| {
            let violations: Vec<u64> = (0..30)
                .map(|run| match unit(2 * run) <= probability {
                    true => 80 + (unit(2 * run + 1) * 41.0) as u64,
                    false => 0,
                })
                .collect();
            let text = said(&campaign, &run, &violations);
            is_true(&text, probability, probability * 100.5)
        });
        assert!(hits >= 930, "a run in {}: {hits} of 1000 are true", 1.0 / probability);
    }
}

#[test]
fn a_broken_promise_is_never_written_as_zero() {
    let (campaign, run) = promise();
    let mut violations = [0; 30];
    assert_eq!(said(&campaign, &run, &violations), "0 of 30 runs (<10%)");
    violations[7] = 1;
    assert_eq!(said(&campaign, &run, &violations), "1 in 1 of 30 runs");
    violations[7] = 1_234;
    assert_eq!(said(&campaign, &run, &violations), "1,234 in 1 of 30 runs");
    violations[..10].fill(1);
    let text = said(&campaign, &run, &violations);
    assert!(text.starts_with("0.3 ("), "{text}");
}
