//! What paired seeds are worth: the variance of a difference beside that of unpaired runs.

use stormglass::experiment::statistics::moments::moments;

use crate::common::{self, run_all};

/// A server of 10/s at 6/s, on the edge: some seeds collapse by themselves, others do not. The
/// ground truth measured 36 times for this pair of policies with keyed draws (3.1).
#[test]
fn a_paired_difference_varies_at_least_twenty_times_less() {
    let experiment = r#"
name = "edge"
model = "inline"
arrivals = "200s"
drain = "10s"
seeds = "1..41"
[arms.at_once]
[arms.jitter.set]
"policy.client.retry" = { attempts = 3, backoff = "exponential 100ms x2 cap 1s", jitter = "full" }
"#;
    let model = r#"
[clients.users]
arrivals = { poisson = "6/s" }
flow = [{ call = "server.serve", policy = "client" }]
[service.server]
workers = 1
queue = { limit = 1000 }
[service.server.on.serve]
steps = [{ work = "exp 100ms" }, { reply = "ok" }]
[policy.client]
timeout = "1500ms"
retry = { attempts = 3, backoff = "none" }
"#;
    let results = run_all(&common::campaign(experiment, model));
    let success: Vec<f64> =
        results.iter().map(|run| run.metrics.success_ratio().expect("users came")).collect();
    let (at_once, jitter) = success.split_at(40);
    let differences: Vec<f64> = at_once.iter().zip(jitter).map(|(a, b)| a - b).collect();
    let variance = |sample: &[f64]| {
        let sd = moments(sample).expect("forty runs").sd;
        sd * sd
    };
    let (unpaired, paired) = (variance(at_once) + variance(jitter), variance(&differences));
    assert!(unpaired > 0.0 && paired > 0.0, "{unpaired} {paired}");
    assert!(unpaired >= 20.0 * paired, "only {} times", unpaired / paired);
}
