//! What links and their faults do, shown by what arrives: loss, copies, late messages, pipes,
//! partitions. Shares are compared with binomial bounds that a right program misses once in a
//! million (4.9 standard deviations).

mod common;

use stormglass::experiment::run::RunResult;

/// Users ask a service once, over one link; `more` is added to the model.
fn model(link: &str, more: &str) -> String {
    format!(
        r#"
[clients.users]
arrivals = {{ constant = "1000/s" }}
flow = [{{ call = "api.ask", policy = "patient" }}]
[service.api]
workers = "unlimited"
[service.api.on.ask]
steps = [{{ work = "1ms" }}, {{ reply = "ok" }}]
[policy.patient]
timeout = "1s"
[link.default]
latency = "1ms"
{link}
{more}
"#
    )
}

fn experiment(arrivals: &str, faults: &str) -> String {
    format!(
        "name = \"network\"\nmodel = \"m.toml\"\nseeds = \"1..2\"\narrivals = \"{arrivals}\"\n\
         drain = \"5s\"\n{faults}"
    )
}

fn run(link: &str, arrivals: &str, faults: &str) -> RunResult {
    common::runs(&experiment(arrivals, faults), &model(link, "")).remove(0)
}

/// Whether so many of so many is what a probability gives, missed once in a million.
fn is_binomial(count: u64, of: u64, probability: f64) -> bool {
    let mean = of as f64 * probability;
    let deviation = (mean * (1.0 - probability)).sqrt();
    (count as f64 - mean).abs() <= 4.9 * deviation
}

const REQUESTS: usize = 0;
const REPLIES: usize = 1;

#[test]
fn lost_replies_are_lost_as_often_as_said_and_no_request_is() {
    let fault = "[[faults]]\nkind = \"reply_loss\"\ntarget = \"users -> api\"\nshare = \"5%\"\n\
                 at = \"0s\"\nfor = \"100s\"\n";
    let metrics = run("", "20s", fault).metrics;
    assert_eq!(metrics.lost[REQUESTS], 0);
    let (lost, sent) = (metrics.lost[REPLIES], metrics.sent[REPLIES]);
    assert!(sent > 19_000);
    assert!(is_binomial(lost, sent, 0.05), "{lost} of {sent}");
    assert_eq!(metrics.times_fired(0), lost);
}

#[test]
fn what_the_model_itself_loses_is_no_effect_of_a_fault() {
    let fault = |kind: &str, share: &str| {
        format!(
            "[[faults]]\nkind = \"{kind}\"\ntarget = \"all\"\nshare = \"{share}\"\nat = \"0s\"\n\
             for = \"100s\"\n"
        )
    };
    let faults = fault("request_loss", "10%") + &fault("request_loss", "20%");
    let metrics = run("request_loss = \"30%\"", "20s", &faults).metrics;
    let sent = metrics.sent[REQUESTS];
    let (first, second) = (metrics.times_fired(0), metrics.times_fired(1));
    // Each adds its share of those that were not lost before it.
    assert!(is_binomial(metrics.lost[REQUESTS], sent, 1.0 - 0.7 * 0.9 * 0.8));
    assert!(is_binomial(first, sent, 0.7 * 0.1), "{first} of {sent}");
    assert!(is_binomial(second, sent, 0.7 * 0.9 * 0.2), "{second} of {sent}");
}
