//! The simulator against closed forms: queues, retry arithmetic, delivery. Every number is written
//! with its formula; every statistical check says how often it may fail by chance.

mod common;

use common::runs;
use stormglass::experiment::run::RunResult;
use stormglass::experiment::statistics::interval::mean_interval;
use stormglass::kernel::time::Span;

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

fn mean_latency(result: &RunResult) -> f64 {
    result.metrics.latency_total as f64 / 1e9 / result.metrics.measured_ok as f64
}

fn quantile(result: &RunResult, p: f64) -> f64 {
    result.metrics.latency.quantile(p).map_or(0.0, Span::seconds)
}

/// A queue with `workers` servers of mean service time 1 s.
fn queue(workers: u32, rate: f64) -> String {
    format!(
        r#"
[clients.customers]
arrivals = {{ poisson = "{rate}/s" }}
flow = [{{ call = "server.serve" }}]

[service.server]
workers = {workers}
on.serve.steps = [{{ work = "exp 1s" }}, {{ reply = "ok" }}]
"#
    )
}

fn long_run(arrivals: &str, seeds: &str) -> String {
    format!(
        r#"
name = "queue"
model = "inline"
arrivals = "{arrivals}"
drain = "2000s"
seeds = "{seeds}"
measure = {{ warm_up = "1000s", window = "1000s" }}
"#
    )
}

#[test]
fn one_server_at_eighty_percent() {
    // M/M/1 at rho = .8: W = 1/(mu - lambda) = 5, sojourn quantile -ln(1-p)/(mu - lambda).
    let results = runs(&long_run("300000s", "1..17"), &queue(1, 0.8));
    check("W", &results, 5.0, 0.03, mean_latency);
    check("p50", &results, 3.465_736, 0.03, |run| quantile(run, 0.5));
    check("p99", &results, 23.025_851, 0.05, |run| quantile(run, 0.99));
}

#[test]
fn ten_servers_at_ninety_percent() {
    // M/M/10 at lambda = 9: Erlang C gives Wq = .6687315, so W = 1.6687315; p99 = 6.249877.
    let results = runs(&long_run("60000s", "1..17"), &queue(10, 9.0));
    check("W", &results, 1.668_731_5, 0.02, mean_latency);
    check("p99", &results, 6.249_877, 0.03, |run| quantile(run, 0.99));
}

#[test]
fn a_full_system_turns_customers_away() {
    // Erlang B with 10 servers and 8 Erlang: .1216611 of the arrivals are lost.
    let model = queue(10, 8.0).replace("workers = 10", "workers = 10\nqueue = { limit = 0 }");
    let results = runs(&long_run("20000s", "1..17"), &model);
    check("lost", &results, 0.121_661_1, 0.02, |run| 1.0 - run.metrics.success_ratio().unwrap());
}

fn iid_failure(p: f64, attempts: u32) -> String {
    format!(
        r#"
[clients.users]
arrivals = {{ constant = "1000/s" }}
flow = [{{ call = "dependency.charge", policy = "retry" }}]

[provider.dependency]
concurrency = "unlimited"
latency = "0s"
errors_before = {p}

[policy.retry]
retry = {{ attempts = {attempts} }}
"#
    )
}

#[test]
fn retries_of_independent_failures() {
    // E[attempts] = (1 - p^n)/(1 - p), P(fail) = p^n.
    let experiment = r#"
name = "retries"
model = "inline"
arrivals = "50s"
seeds = "1..9"
"#;
    for (p, attempts) in [(0.5_f64, 4), (0.1, 3), (0.9, 10)] {
        let results = runs(experiment, &iid_failure(p, attempts));
        let failed = libm::pow(p, f64::from(attempts));
        let expected = (1.0 - failed) / (1.0 - p);
        check("attempts", &results, expected, 0.01, |run| run.metrics.amplification().unwrap());
        check("success", &results, 1.0 - failed, 0.02, |run| run.metrics.success_ratio().unwrap());
    }
}

/// Three layers with four attempts each, in front of a provider that fails a share of its calls.
fn layers(errors: f64) -> String {
    format!(
        r#"
[clients.users]
arrivals = {{ constant = "100/s" }}
flow = [{{ call = "front.ask", policy = "retry" }}]

[service.front]
workers = "unlimited"
on.ask.steps = [{{ call = "middle.ask", policy = "retry" }}, {{ reply = "ok" }}]

[service.middle]
workers = "unlimited"
on.ask.steps = [{{ call = "bottom.charge", policy = "retry" }}, {{ reply = "ok" }}]

[provider.bottom]
concurrency = "unlimited"
latency = "1ms"
errors_before = {errors}

[policy.retry]
retry = {{ attempts = 4 }}
"#
    )
}

#[test]
fn three_layers_multiply_in_a_total_outage_only() {
    let experiment = r#"
name = "layers"
model = "inline"
arrivals = "100s"
drain = "10s"
seeds = "1..9"
measure = { load = "bottom.charge" }
"#;
    // n^L = 4^3 at a total outage (SRE book, chapter 22).
    for result in runs(experiment, &layers(1.0)) {
        assert_eq!(result.metrics.attempts, 64 * result.metrics.requests);
        assert_eq!(result.metrics.user_attempts, 4 * result.metrics.requests);
    }
    // Independent failures at the bottom telescope: (1 - p^64)/(1 - p) = 2 at p = .5.
    let results = runs(experiment, &layers(0.5));
    check("attempts", &results, 2.0, 0.02, |run| run.metrics.amplification().unwrap());
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
fn double_charges_without_a_key_and_none_with_one() {
    // a = b = .05, n = 4: E[attempts] = 1.1079331, P(at least two executions) = .0499759.
    let double =
        |run: &RunResult| run.invariants[0].violations as f64 / run.metrics.requests as f64;
    let results = runs(PAYMENTS, &lossy_payment("5%", "5%", ""));
    check("attempts", &results, 1.107_933_1, 0.005, |run| run.metrics.amplification().unwrap());
    check("double charges", &results, 0.049_975_9, 0.05, double);

    let keyed = runs(PAYMENTS, &lossy_payment("5%", "5%", r#", idempotency_key = "order""#));
    for (with_key, without) in keyed.iter().zip(&results) {
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
    let results = common::run_all(&common::shipped("r1", |text| {
        text.replace("seeds = \"1..31\"", "seeds = \"1..9\"")
    }));
    // 900/s for 57 s and 2500/s for 3 s.
    check("requests", &results, 58_800.0, 0.01, |run| run.metrics.requests as f64);
    for run in &results {
        let amplification = run.metrics.amplification().unwrap();
        assert!((3.42..3.62).contains(&amplification), "amplification {amplification}");
        assert_eq!(run.recovery, stormglass::metric::Recovery::Never);
    }
}
