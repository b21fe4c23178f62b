//! How often a promise breaks without its mechanism, against what the arithmetic says.
//!
//! A closed form must lie in the Wilson interval at 99.9% of what was counted: under fixed seeds,
//! each of these would be wrong once in a thousand if the seeds were chosen anew.

use stormglass::invariant::Verdict;
use stormglass::statistics::proportion::wilson;

use super::campaigns::{arm, compile};

/// The verdict on the one promise of an experiment that runs for so many seconds.
fn verdict(seconds: u32, promise: &str, model: &str) -> Verdict {
    let experiment = format!(
        "name = \"rates\"\nmodel = \"inline\"\narrivals = \"{seconds}s\"\ndrain = \"10s\"\n\
         seeds = \"1..2\"\n[invariants]\n{promise}\n"
    );
    arm(&compile("rates", &experiment, model), 0, 7).invariants[0]
}

fn assert_rate(verdict: Verdict, expected: f64) {
    let Verdict { violations, exposure, .. } = verdict;
    let interval = wilson(violations, exposure, 0.999).unwrap().interval;
    assert!(
        interval.low <= expected && expected <= interval.high,
        "{violations} of {exposure} is in {interval:?}, and {expected} is not"
    );
}

/// Requests and replies are lost, each with 5%, and a client makes 4 attempts.
fn charges(key: &str) -> Verdict {
    let model = r#"
[clients.users]
arrivals = { constant = "200/s" }
flow = [{ call = "payment.charge", policy = "client"KEY }]

[provider.payment]
concurrency = "unlimited"
latency = "1ms"

[link.default]
request_loss = "5%"
reply_loss = "5%"

[policy.client]
timeout = "10ms"
retry = { attempts = 4 }
"#;
    verdict(200, "one_charge = { effect = \"charge\" }", &model.replace("KEY", key))
}

/// `1 - a^n - P1`, where `P1 = (1 - b)(1 - a^n) + n a^(n-1) (1 - a) b` is the probability of
/// exactly one execution, for losses `a` of requests and `b` of replies and `n` attempts.
#[test]
fn double_charges_are_as_many_as_losses_make_them() {
    let (a, b, n) = (0.05f64, 0.05f64, 4);
    let never = a * a * a * a;
    let once = (1.0 - b) * (1.0 - never) + f64::from(n) * a * a * a * (1.0 - a) * b;
    let expected = 1.0 - never - once;
    assert!((expected - 0.0499759).abs() < 1e-7);
    let without = charges("");
    assert!(without.exposure > 39_900);
    assert_rate(without, expected);

    // Zero of 40,000: with 95% confidence fewer than 3 in 40,000 (rule of three).
    let with = charges(", idempotency_key = \"order\"");
    assert_eq!(with.violations, 0);
    assert!(3.0 / (with.exposure as f64) < 0.0000752, "{}", with.exposure);
}

/// Every 500 ms, somebody writes and, after a while, looks at a replica whose lag is exponential
/// with a mean of 20 ms.
fn looks(think: &str) -> Verdict {
    let model = r#"
[clients.users]
arrivals = { constant = "2/s" }
flow = [{ call = "api.write" }, { think = "THINK" }, { call = "api.look", expect = "own write" }]

[service.api]
workers = "unlimited"
on.write.steps = [{ transaction = "db", write = ["item = set"] }, { reply = "ok" }]
on.look.steps = [{ read = "copy.item" }, { reply = "ok" }]

[database.db]
commit = "0s"
read = "0s"
tables = { item = {} }

[replica.copy]
of = "db"
lag = "exp 20ms"
read = "0s"
"#;
    let promise = "read_your_writes = { read = \"api.look\" }";
    verdict(5_000, promise, &model.replace("THINK", think))
}

/// A write is not seen after `t` with probability `e^(-theta t)`, where the lag has the rate
/// `theta`; after an exponential time with the rate `r`, with `r / (r + theta)`.
#[test]
fn own_writes_are_missed_as_often_as_the_lag_makes_them() {
    let theta = 50.0;
    assert_rate(looks("10ms"), libm::exp(-theta * 0.010));
    assert_rate(looks("40ms"), libm::exp(-theta * 0.040));
    assert_rate(looks("exp 20ms"), 50.0 / (50.0 + theta));
    assert_rate(looks("exp 100ms"), 10.0 / (10.0 + theta));
}

/// One row is written at a rate `w` and read at random instants.
fn reads(writes: &str, lag: &str) -> Verdict {
    let model = r#"
[clients.writers]
arrivals = { poisson = "WRITES" }
flow = [{ call = "api.write" }]

[clients.readers]
arrivals = { poisson = "20/s" }
flow = [{ call = "api.look" }]

[service.api]
workers = "unlimited"
on.write.steps = [{ transaction = "db", write = ["item = set"] }, { reply = "ok" }]
on.look.steps = [{ read = "copy.item" }, { reply = "ok" }]

[database.db]
commit = "0s"
read = "0s"
tables = { item = { rows = "key" } }

[replica.copy]
of = "db"
lag = "LAG"
read = "0s"
"#;
    let promise = "bounded_staleness = { read = \"db.item\", within = \"0s\" }";
    verdict(1_500, promise, &model.replace("WRITES", writes).replace("LAG", lag))
}

/// The last write is an exponential time ago, so that it is not seen with probability
/// `w / (w + theta)`, as long as no write waits for one before it. A replica keeps the order of the
/// log, so writes do wait: a read is stale while any write is on its way, which is
/// `1 - e^(-w / theta)` of the time. A constant lag `L` makes it `1 - e^(-w L)`.
#[test]
fn reads_are_stale_as_often_as_the_lag_makes_them() {
    let rare = reads("1/s", "exp 10ms");
    assert_rate(rare, 1.0 / (1.0 + 100.0));
    assert_rate(rare, 1.0 - libm::exp(-1.0 / 100.0));
    assert_rate(reads("10/s", "exp 50ms"), 1.0 - libm::exp(-10.0 / 20.0));
    assert_rate(reads("10/s", "50ms"), 1.0 - libm::exp(-10.0 * 0.050));
}
