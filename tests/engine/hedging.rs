//! Copies of running attempts, attempts that are kept after their timeout, and the scope of what a
//! policy learns and spends: each by its effect on a run.

use crate::common::runs;
use stormglass::experiment::run::result::RunResult;
use stormglass::kernel::time::Span;

fn experiment(arrivals: &str, seeds: &str) -> String {
    format!(
        "name = \"t\"\nmodel = \"inline\"\narrivals = \"{arrivals}\"\ndrain = \"60s\"\n\
         seeds = \"{seeds}\"\n"
    )
}

/// A service that is never busy, whose work takes this long.
fn service(arrivals: &str, work: &str, policy: &str) -> String {
    format!(
        r#"
[clients.users]
arrivals = {{ {arrivals} }}
flow = [{{ call = "server.serve", policy = "p", ignore_failure = true }}]

[service.server]
workers = "unlimited"
on.serve.steps = [{{ work = "{work}" }}, {{ reply = "ok" }}]

[policy.p]
{policy}
"#
    )
}

fn total(results: &[RunResult], count: fn(&RunResult) -> u64) -> f64 {
    results.iter().map(count).sum::<u64>() as f64
}

fn attempts(result: &RunResult) -> u64 {
    result.metrics.edges.iter().map(|edge| edge.attempts).sum()
}

fn denied(result: &RunResult) -> u64 {
    result.metrics.edges.iter().map(|edge| edge.denied).sum()
}

fn stale(result: &RunResult) -> u64 {
    result.metrics.edges.iter().map(|edge| edge.stale).sum()
}

fn close(what: &str, measured: f64, truth: f64, within: f64) {
    assert!((measured / truth - 1.0).abs() <= within, "{what}: {measured}, by theory {truth}");
}

/// The mean over seeds of a quantile, in seconds.
fn quantile(results: &[RunResult], p: f64) -> f64 {
    let of = |result: &RunResult| result.metrics.latency.quantile(p).map_or(0.0, Span::seconds);
    results.iter().map(of).sum::<f64>() / results.len() as f64
}

/// Work is Exp(1). A copy after the 95th percentile, ln 20 s, races the rest of the first attempt:
/// P(T > t) = e^-t e^-(t - ln 20) beyond it, so the 99th percentile falls from ln 100 = 4.605 s to
/// (ln 100 + ln 20) / 2 = 3.800 s, the mean from 1 s to 0.975 s, for 5% more attempts ("The Tail at
/// Scale", CACM 2013). With 400,000 requests each check is more than five standard errors wide.
#[test]
fn a_copy_after_the_95th_percentile_shortens_the_tail_for_five_percent_more_load() {
    let run = |policy: &str| {
        let model = service("poisson = \"20/s\"", "exp 1s", policy);
        runs(&experiment("2000s", "1..11"), &model)
    };
    let (plain, hedged) = (run(""), run("hedge = { delay = \"2.995732274s\" }"));
    close("p99 without", quantile(&plain, 0.99), 4.605_170, 0.015);
    close("p99 with", quantile(&hedged, 0.99), 3.800_451, 0.015);
    let requests = |results: &[RunResult]| total(results, |result| result.metrics.requests);
    let mean = |results: &[RunResult]| {
        let nanos: u128 = results.iter().map(|result| result.metrics.latency_total).sum();
        nanos as f64 / 1e9 / requests(results)
    };
    close("mean without", mean(&plain), 1.0, 0.01);
    close("mean with", mean(&hedged), 0.975, 0.01);
    close("load", total(&hedged, attempts) / requests(&hedged), 1.05, 0.002);
    // Every copy that lost goes on at the server, and its answer comes too late.
    assert_eq!(total(&hedged, stale), total(&hedged, attempts) - requests(&hedged));
}

/// Answers that lost are never heard, so a learned percentile q is too short. For Exp(1) a latency
/// is heard that is longer than q if the first attempt is slow and wins, or if the copy wins and is
/// slow itself: e^-q (1 + e^-2q) / 2 = 5% gives copies for e^-q = 9.9% of the calls, a little less
/// with q rounded up to its bucket.
#[test]
fn a_percentile_is_learned_and_a_budget_limits_copies() {
    let run = |policy: &str| {
        let model = service("poisson = \"20/s\"", "exp 100ms", policy);
        let results = runs(&experiment("1000s", "1..6"), &model);
        let requests = total(&results, |result| result.metrics.requests);
        total(&results, attempts) / requests - 1.0
    };
    let learned = run("hedge = { percentile = \"95%\", minimum = 20, period = \"60s\" }");
    assert!((0.088..0.104).contains(&learned), "{learned}");
    let bounded =
        run("hedge = { delay = \"10ms\", extra = 3, budget = { ratio = \"2%\", capacity = 1 } }");
    assert!((0.015..=0.021).contains(&bounded), "{bounded}");
}

/// The work takes 150 ms and an attempt has 100 ms: no attempt is ever in time, but its answer is
/// there before the deadline.
#[test]
fn an_attempt_that_is_kept_answers_after_its_timeout() {
    let run = |keep: bool| {
        let policy = format!(
            "timeout = \"100ms\"\ndeadline = \"1s\"\n\
             retry = {{ attempts = 2, keep_timed_out = {keep} }}"
        );
        let model = service("constant = \"1/s\"", "150ms", &policy);
        runs(&experiment("20s", "1..2"), &model)
    };
    let (dropped, kept) = (run(false), run(true));
    assert_eq!(total(&dropped, |result| result.metrics.ok), 0.0);
    let requests = total(&kept, |result| result.metrics.requests);
    assert_eq!(total(&kept, |result| result.metrics.ok), requests);
    assert_eq!(total(&kept, attempts), 2.0 * requests);
    close("latency", quantile(&kept, 0.5), 0.150, 0.01);
}

/// As above: three timeouts in a row open a breaker, unless it hears of the good answer between
/// them.
#[test]
fn a_breaker_may_hear_what_comes_after_the_timeout() {
    let run = |hears: bool| {
        let policy = format!(
            "timeout = \"100ms\"\n\
             breaker = {{ consecutive = 3, hears_replies_after_timeout = {hears} }}"
        );
        let model = service("constant = \"1/s\"", "150ms", &policy);
        total(&runs(&experiment("20s", "1..2"), &model), denied)
    };
    assert!(run(false) > 5.0);
    assert_eq!(run(true), 0.0);
}

/// Everything fails, and a budget holds two tokens that nothing refills: so many retries are made
/// as there are budgets, times two.
#[test]
fn a_budget_of_two_tokens_grants_two_retries_in_each_of_its_scopes() {
    let retries = |scope: &str| {
        let model = format!(
            r#"
[clients.users]
processes = 5
arrivals = {{ constant = "10/s" }}
flow = [
  {{ call = "bank.charge", policy = "p", ignore_failure = true }},
  {{ call = "post.charge", policy = "p", ignore_failure = true }},
]

[clients.robots]
processes = 5
arrivals = {{ constant = "10/s" }}
flow = [{{ call = "bank.charge", policy = "p", ignore_failure = true }}]
patience = "30s"

[provider.bank]
concurrency = "unlimited"
latency = "1ms"
errors_before = 1

[provider.post]
concurrency = "unlimited"
latency = "1ms"
errors_before = 1

[policy.p]
scope = "{scope}"
retry = {{ attempts = 4, budget = {{ ratio = 0, capacity = 2 }} }}
"#
        );
        let results = runs(&experiment("50s", "1..2"), &model);
        let calls: u64 =
            results.iter().flat_map(|result| &result.metrics.edges).map(|edge| edge.calls).sum();
        (total(&results, attempts) - calls as f64, calls as f64)
    };
    assert_eq!(retries("shared").0, 2.0);
    assert_eq!(retries("process").0, 2.0 * 10.0);
    assert_eq!(retries("target").0, 2.0 * 15.0);
    let (own, calls) = retries("request");
    assert_eq!(own, 2.0 * calls);
}

/// What falls due while a caller stands still is done when it goes on, and not in its past.
#[test]
fn a_caller_that_stood_still_sends_its_copies_when_it_goes_on() {
    let model = r#"
[clients.users]
arrivals = { constant = "200/s" }
flow = [{ call = "front.serve" }]

[service.front]
workers = "unlimited"
on.serve.steps = [{ call = "back.serve", policy = "p" }, { reply = "ok" }]

[service.back]
workers = "unlimited"
on.serve.steps = [{ work = "uniform 5ms..100ms" }, { reply = "ok" }]

[policy.p]
timeout = "80ms"
retry = { attempts = 3, backoff = "constant 10ms" }
hedge = { delay = "20ms", extra = 2 }
"#;
    let pause = "[[faults]]\nkind = \"pause\"\ntarget = \"front\"\nat = \"1s\"\nfor = \"500ms\"\n";
    let results = runs(&format!("{}{pause}", experiment("3s", "1..4")), model);
    for result in &results {
        assert_eq!(result.ending.name(), "complete");
        assert!(result.metrics.ok + 5 > result.metrics.requests, "{}", result.metrics.ok);
    }
}
