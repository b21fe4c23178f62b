//! The closed forms of `truths`, in whole runs: clients, messages, providers and services around
//! the same policies. Each tolerance is at least five standard errors.

use stormglass::experiment::run::result::RunResult;

use crate::common::runs;

fn near(value: f64, expected: f64, tolerance: f64) {
    assert!((value - expected).abs() <= tolerance, "{value} is not {expected} +- {tolerance}");
}

/// The runs of users who come by `arrivals` in `seconds` and make calls by `policy` to a provider
/// that fails in a share of its calls.
fn calls(arrivals: &str, seconds: u32, seeds: &str, errors: f64, policy: &str) -> Vec<RunResult> {
    let model = format!(
        r#"
[clients.users]
arrivals = {{ {arrivals} }}
flow = [{{ call = "target.charge", policy = "p", ignore_failure = true }}]

[provider.target]
concurrency = "unlimited"
latency = "0s"
errors_before = {errors}

[policy.p]
{policy}
"#
    );
    runs(&experiment(seconds, seeds, ""), &model)
}

fn experiment(seconds: u32, seeds: &str, measure: &str) -> String {
    format!(
        "name = \"running\"\nmodel = \"inline\"\narrivals = \"{seconds}s\"\ndrain = \"5s\"\n\
         seeds = \"{seeds}\"\nlimits = {{ events = 100000000 }}\n{measure}"
    )
}

fn per_request(runs: &[RunResult], count: fn(&RunResult) -> u64) -> f64 {
    let sum = |count: fn(&RunResult) -> u64| runs.iter().map(count).sum::<u64>() as f64;
    sum(count) / sum(|run| run.metrics.requests)
}

fn load(runs: &[RunResult]) -> f64 {
    per_request(runs, |run| run.metrics.attempts)
}

fn success(runs: &[RunResult]) -> f64 {
    per_request(runs, |run| run.metrics.ok)
}

/// Brooker's token bucket (brooker.co.za/blog/2022/02/28/retries.html) with d = 0.1 at p = 1/2. His
/// code deposits for every first try: `1 + d` attempts, `(1 - p)(1 + d)` successes. His text says
/// for every success: `r = d (1 - p) / (1 - d (1 - p))` retries.
#[test]
fn a_bucket_filled_by_first_tries_or_by_successes() {
    let policy = |deposit: &str| {
        format!(
            "retry = {{ attempts = \"unlimited\", budget = {{ ratio = 0.1, capacity = 5, deposit = \
             \"{deposit}\" }} }}"
        )
    };
    let of = |deposit| calls("constant = \"1000/s\"", 50, "1..2", 0.5, &policy(deposit));
    let (code, text) = (of("first_try"), of("success"));
    near(load(&code), 1.1, 0.0003);
    near(success(&code), 0.55, 0.012);
    near(load(&text), 1.052_631_6, 0.0015);
    near(success(&text), 0.526_315_8, 0.012);
}

/// gRFC A6: retries are off where failures outweigh `ratio / (1 + ratio)` = 1/11 of the attempts.
#[test]
fn the_grpc_throttle_switches_at_one_eleventh() {
    let policy = "retry = { attempts = 2, budget = { kind = \"throttle\", max_tokens = 10, \
                  token_ratio = 0.1 } }";
    let of = |errors| load(&calls("constant = \"1000/s\"", 30, "1..2", errors, policy));
    near(of(0.05), 1.05, 0.007);
    near(of(0.15), 1.0, 0.003);
}

/// Renewal and reward: with k = 5, p = 1/2, 100 calls a second, an open time of 5 s and one probe,
/// 94.0% are denied and 3.0% succeed, where half would without a breaker.
#[test]
fn a_breaker_makes_a_partial_failure_a_total_one() {
    let breaker = "breaker = { consecutive = 5, open_for = \"5s\", probes = 1 }";
    let results = calls("poisson = \"100/s\"", 1000, "1..4", 0.5, breaker);
    let denied = |run: &RunResult| run.metrics.edges.iter().map(|edge| edge.denied).sum();
    near(per_request(&results, denied), 0.939_849_6, 0.0175);
    near(success(&results), 0.030_075_2, 0.009);
    let without = calls("poisson = \"100/s\"", 100, "1..2", 0.5, "");
    near(success(&without), 0.5, 0.026);
}

/// Ten calls at a target that always fails, each of three attempts, and a breaker that two failures
/// in a row open for good. Around the retry two calls make all their attempts and the other eight
/// are denied once each. Inside of it the second attempt opens it, and the retry asks again after
/// each denial: one more for the first call, three for each of the nine others.
#[test]
fn a_breaker_around_the_retry_counts_calls_and_one_inside_attempts() {
    let of = |around: &str| {
        let policy = format!(
            "retry = {{ attempts = 3, backoff = \"constant 10ms\", on_denial = \"retry\" }}\n\
             breaker = {{ consecutive = 2, open_for = \"1h\", around = \"{around}\" }}"
        );
        let run = calls("constant = \"1/s\"", 11, "1..2", 1.0, &policy).remove(0);
        let edge = &run.metrics.edges[0];
        (edge.calls, edge.attempts, edge.denied)
    };
    assert_eq!(of("call"), (10, 6, 8));
    assert_eq!(of("attempt"), (10, 2, 28));
}

/// Ten calls, one a second. A breaker that begins open denies those of its first four seconds, one
/// that is forced open all of them, as does a bulkhead of no calls; one that begins half-open lets
/// one probe through, whose success closes it.
#[test]
fn what_begins_open_or_lets_nobody_in_denies() {
    let of = |policy: &str| {
        let run = calls("constant = \"1/s\"", 11, "1..2", 0.0, policy).remove(0);
        let edge = &run.metrics.edges[0];
        (edge.calls, edge.attempts, edge.denied)
    };
    let breaker = |initial: &str| {
        of(&format!("breaker = {{ consecutive = 1, open_for = \"4s\", initial = \"{initial}\" }}"))
    };
    assert_eq!(breaker("closed"), (10, 10, 0));
    assert_eq!(breaker("half_open"), (10, 10, 0));
    assert_eq!(breaker("open"), (10, 6, 4));
    assert_eq!(breaker("forced_open"), (10, 0, 10));
    assert_eq!(of("bulkhead = { limit = 0 }"), (10, 0, 10));
    let patient = "bulkhead = { limit = 0, queue = 5, max_wait = \"500ms\" }";
    assert_eq!(of(patient), (10, 0, 10));
}

/// A budget of r in each of L layers allows `(1 + r)^L` attempts in a total outage: 1.728 for 20%
/// in three, against 64 of four attempts without one (Site Reliability Engineering, chapters 21
/// and 22).
#[test]
fn budgets_per_layer_multiply() {
    let layered = |retry: &str| {
        let model = format!(
            r#"
[clients.users]
arrivals = {{ constant = "100/s" }}
flow = [{{ call = "front.ask", policy = "p", ignore_failure = true }}]

[service.front]
workers = "unlimited"
on.ask.steps = [{{ call = "middle.ask", policy = "p" }}, {{ reply = "ok" }}]

[service.middle]
workers = "unlimited"
on.ask.steps = [{{ call = "bottom.charge", policy = "p" }}, {{ reply = "ok" }}]

[provider.bottom]
concurrency = "unlimited"
latency = "1ms"
errors_before = 1

[policy.p]
retry = {{ {retry} }}
"#
        );
        let experiment = experiment(100, "1..2", "measure = { load = \"bottom.charge\" }\n");
        load(&runs(&experiment, &model))
    };
    let budget = "attempts = 4, budget = { ratio = 0.2, capacity = 1 }";
    near(layered(budget), 1.728, 0.003);
    near(layered("attempts = 4"), 64.0, 0.0);
}

/// `max(0, (requests - K accepts) / (requests + 1))`: the server sees K times what it accepts (Site
/// Reliability Engineering, chapter 21). 1,000/s offered, 100/s accepted, K = 2: 200/s, and 80% are
/// rejected by the client itself. A window of 10 s instead of two minutes is filled sooner.
#[test]
fn adaptive_throttling_lets_through_k_times_the_capacity() {
    let model = r#"
[clients.users]
arrivals = { poisson = "1000/s" }
flow = [{ call = "server.ask", policy = "p", ignore_failure = true }]

[service.server]
workers = "unlimited"
rate_limit = { token_bucket = { rate = "100/s", burst = 10 } }
on.ask.steps = [{ work = "1ms" }, { reply = "ok" }]

[policy.p]
preset = "google-sre-adaptive@2016"
throttling.window = "10s"
"#;
    let experiment = experiment(60, "1..2", "measure = { warm_up = \"20s\" }\n");
    let results = runs(&experiment, model);
    let rate = results[0].metrics.attempts as f64 / 40.0;
    near(rate, 200.0, 12.0);
    near(results[0].metrics.measured_ok as f64 / 40.0, 100.0, 3.0);
}

/// The service dies, and then its answers are lost while the breaker is half-open: the probes never
/// come back.
#[test]
fn a_time_limit_for_half_open_ends_the_wait_for_probes_that_never_come_back() {
    let last_ok = |more: &str| {
        let model = format!(
            r#"
[clients.users]
arrivals = {{ constant = "50/s" }}
flow = [{{ call = "api.get", policy = "p" }}]

[service.api]
workers = 100
on.get.steps = [{{ work = "exp 20ms" }}, {{ reply = "ok" }}]

[policy.p.breaker]
failure_ratio = 0.5
window_calls = 20
minimum = 10
open_for = "10s"
probes = 10
proof = {{ ratio = {{ calls = 10, ratio = 0.5 }} }}
unheard = "holds"
{more}
"#
        );
        let experiment = "name = \"probes\"\nmodel = \"inline\"\narrivals = \"180s\"\n\
                          drain = \"10s\"\nseeds = \"1..2\"\n\
                          [[faults]]\nkind = \"crash\"\ntarget = \"api\"\nat = \"30s\"\nfor = \"20s\"\n\
                          [[faults]]\nkind = \"reply_loss\"\ntarget = \"users -> api\"\nshare = 1.0\n\
                          at = \"50s\"\nfor = \"12s\"\n";
        let run = runs(experiment, &model).remove(0);
        run.metrics.windows.iter().rposition(|window| window.succeeded > 0).unwrap_or_default()
    };
    assert!((29..=31).contains(&last_ok("")), "{}: it waits for ever", last_ok(""));
    let limited = last_ok("half_open_for = \"5s\"");
    assert!(limited > 175, "{limited}: it opens again after 5 s and asks others 10 s later");
}

/// Three layers of three attempts each before a store that refuses everything: 27 attempts for each
/// that would do, wherever the tables count.
#[test]
fn the_edge_where_retries_multiply_most_is_found() {
    let layer = |name: &str, next: &str| {
        format!(
            "[service.{name}]\nworkers = \"unlimited\"\n\
             on.get.steps = [{{ call = \"{next}.get\", policy = \"thrice\" }}, {{ reply = \"ok\" }}]\n"
        )
    };
    let model = format!(
        "[clients.users]\narrivals = {{ constant = \"5/s\" }}\n\
         flow = [{{ call = \"web.get\", policy = \"thrice\" }}]\n{}{}\
         [service.store]\nworkers = \"unlimited\"\non.get.steps = [{{ reply = \"rejected\" }}]\n\
         [policy.thrice.retry]\nattempts = 3\n",
        layer("web", "mesh").replace("\"rejected\"", "\"failed\""),
        layer("mesh", "store"),
    );
    let text = experiment(10, "1..2", "");
    let campaign = crate::common::campaign(&text, &model);
    let run = campaign.run(0);
    let (edge, times) = stormglass::experiment::measure::amplification::worst(
        &campaign.cells[0].program,
        &run.metrics.edges,
    )
    .expect("it is retried");
    assert_eq!(campaign.cells[0].program.edge(edge).name, "mesh -> store.get");
    assert!((times - 27.0).abs() < 1e-9, "{times}");
    let place = campaign.metrics().iter().position(|metric| metric.name == "worst_amplification");
    assert!(place.is_some(), "it is a column");
}
