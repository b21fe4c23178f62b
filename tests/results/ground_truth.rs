//! The simulator against known results that are no closed forms of `experiments/validation`:
//! idempotency keys, and the reference collapse.

use crate::common::{Changed, runs};
use stormglass::experiment::run::result::RunResult;
use stormglass::statistics::interval::mean_interval;

/// Checks that the truth lies in the 99.9% interval of a metric over seeds, and that the interval
/// is no wider than `precision` of the truth on either side. The seeds are fixed; a change of them
/// fails by chance once in a thousand times.
fn check(
    what: &str,
    results: &[RunResult],
    truth: f64,
    precision: f64,
    metric: fn(&RunResult) -> f64,
) {
    let sample: Vec<f64> = results.iter().map(metric).collect();
    let estimate = mean_interval(&sample, 0.999).unwrap();
    let (low, high) = (estimate.interval.low, estimate.interval.high);
    assert!(low <= truth && truth <= high, "{what}: {truth} is not in [{low}, {high}]");
    let half_width = estimate.interval.half_width() / truth;
    assert!(half_width <= precision, "{what}: half-width {half_width} of {truth}");
}

/// A payment over a network that loses `requests` and `replies`, with or without a key.
fn lossy_payment(requests: &str, replies: &str, key: &str) -> String {
    format!(
        r#"
[clients.users]
arrivals = {{ constant = "1000/s" }}
flow = [{{ call = "payment.charge", policy = "retry" {key} }}]

[provider.payment]
concurrency = "unlimited"
latency = "1ms"

[link.default]
latency = "1ms"
request_loss = "{requests}"
reply_loss = "{replies}"

[policy.retry]
timeout = "10ms"
retry = {{ attempts = 4 }}
"#
    )
}

const PAYMENTS: &str = r#"
name = "payments"
model = "inline"
arrivals = "100s"
drain = "1s"
seeds = "1..9"
invariants = { one_charge = { effect = "charge" } }
"#;

#[test]
fn a_key_stops_double_charges_and_tells_the_caller_nothing() {
    let results = runs(PAYMENTS, &lossy_payment("5%", "5%", ""));
    let keyed = runs(PAYMENTS, &lossy_payment("5%", "5%", r#", idempotency_key = "order""#));
    for (with_key, without) in keyed.iter().zip(&results) {
        assert!(without.invariants[0].violations > 0);
        assert_eq!(with_key.invariants[0].violations, 0);
        // The key changes what the provider does, not what the caller can know.
        assert_eq!(with_key.metrics.attempts, without.metrics.attempts);
        assert_eq!(with_key.metrics.ok, without.metrics.ok);
    }
}

#[test]
fn a_new_key_for_each_attempt_protects_from_nothing() {
    let none = runs(PAYMENTS, &lossy_payment("0%", "5%", ""));
    let fresh = runs(PAYMENTS, &lossy_payment("0%", "5%", r#", idempotency_key = "attempt""#));
    for (fresh, none) in fresh.iter().zip(&none) {
        assert!(none.invariants[0].violations > 0);
        assert_eq!(fresh.invariants[0].violations, none.invariants[0].violations);
    }
}

#[test]
fn the_reference_collapse() {
    // R1: one server of 1 ms at 900/s, a spike to 2500/s in [10, 13) s, four attempts of 100 ms.
    let results = crate::common::run_all(&crate::common::shipped("r1", |text| {
        text.changed("seeds = \"1..31\"", "seeds = \"1..9\"")
    }));
    // 900/s for 57 s and 2500/s for 3 s.
    check("requests", &results, 58_800.0, 0.01, |run| run.metrics.requests as f64);
    for run in &results {
        let amplification = run.metrics.amplification().unwrap();
        assert!((3.42..3.62).contains(&amplification), "amplification {amplification}");
        assert_eq!(run.recovery, stormglass::metric::Recovery::Never);
    }
}
