//! What services do against overload, by its effect: who is served first, who is refused, how work
//! slows down, and whose deadline holds. Every expected number is written with its formula.

use crate::common::{Changed, campaign, runs};
use stormglass::experiment::run::result::RunResult;
use stormglass::kernel::time::{Span, Time};
use stormglass::policy::OutcomeKind;
use stormglass::statistics::interval::mean_interval;
use stormglass::system::fact::{Fact, Refusal};
use stormglass::system::{Observer, World};

fn experiment(arrivals: &str, measure: &str) -> String {
    format!(
        r#"
name = "service"
model = "inline"
arrivals = "{arrivals}"
drain = "5s"
seeds = "1..2"
measure = {{ {measure} }}
"#
    )
}

/// The 99th percentile of the time to an ok answer, in milliseconds.
fn p99_ms(run: &RunResult) -> f64 {
    run.metrics.latency.quantile(0.99).map_or(f64::INFINITY, Span::millis)
}

/// Requests answered ok a second, between these seconds.
fn goodput(run: &RunResult, from: u64, until: u64) -> f64 {
    let at = |seconds| Time::ZERO + Span::from_secs(seconds);
    run.metrics.goodput(Span::from_secs(1), at(from), at(until)).expect("whole windows")
}

fn refused(run: &RunResult, refusal: Refusal) -> u64 {
    run.metrics.refused_by[refusal as usize]
}

/// The orders that were answered, in turn.
#[derive(Default)]
struct Turns(Vec<u64>);

impl Observer for Turns {
    fn observe(&mut self, _now: Time, fact: &Fact) {
        if let Fact::Answered { request, .. } = fact {
            self.0.push(request.order);
        }
    }
}

/// Order 0 occupies the only worker from 100 ms to 200 ms; 1 to 4 come meanwhile. 1 and 3 ask for
/// what has no priority, 2 and 4 for what has; they wait up to 900, 300, 600 ms and for ever.
fn turns(queue: &str) -> Vec<u64> {
    let mut model = format!(
        r#"
[clients.first]
arrivals = {{ constant = "10/s" }}
flow = [{{ call = "server.block" }}]
[service.server]
workers = 1
queue = {{ {queue} }}
on.block.steps = [{{ work = "100ms" }}, {{ reply = "ok" }}]
on.low.steps = [{{ work = "10ms" }}, {{ reply = "ok" }}]
[service.server.on.high]
priority = 3
steps = [{{ work = "10ms" }}, {{ reply = "ok" }}]
"#
    );
    let users = [
        ("a", "9.1/s", "low", "patience = \"900ms\""),
        ("b", "8.3/s", "high", "patience = \"300ms\""),
        ("c", "7.7/s", "low", "patience = \"600ms\""),
        ("d", "7.1/s", "high", ""),
    ];
    for (name, rate, operation, patience) in users {
        model += &format!(
            r#"
[clients.{name}]
arrivals = {{ constant = "{rate}" }}
flow = [{{ call = "server.{operation}" }}]
{patience}
"#
        );
    }
    let campaign = campaign(&experiment("199ms", ""), &model);
    let cell = &campaign.cells[0];
    let end = cell.measure.arrivals_end;
    let mut turns = Turns::default();
    World::new(&cell.program, &[], 1, end, cell.limits, &mut turns).run();
    turns.0
}

#[test]
fn each_order_serves_in_its_turn() {
    assert_eq!(turns(r#"order = "fifo""#), [0, 1, 2, 3, 4]);
    assert_eq!(turns(r#"order = "lifo""#), [0, 4, 3, 2, 1]);
    // Four wait, then three: the newest first. Two are no backlog.
    assert_eq!(turns(r#"order = "adaptive_lifo", backlog = 2"#), [0, 4, 3, 1, 2]);
    // They give up at 420 (2), 730 (3), 1010 ms (1) and never (4).
    assert_eq!(turns(r#"order = "deadline""#), [0, 2, 3, 1, 4]);
    assert_eq!(turns(r#"order = "priority""#), [0, 2, 4, 1, 3]);
}

#[test]
fn priorities_wait_as_cobham_says() {
    // Cobham, "Priority assignment in waiting line problems", 1954: two servers at mu = 1,
    // lambda = .6 and 1. Erlang C at 1.6 Erlang: C = 6.4/9. W0 = C / (c mu); sigma = .3 and .8.
    let model = r#"
[clients.hurried]
arrivals = { poisson = "0.6/s" }
flow = [{ call = "server.urgent" }]
[clients.patient]
arrivals = { poisson = "1/s" }
flow = [{ call = "server.routine" }]
[service.server]
workers = 2
queue = { order = "priority" }
on.routine.steps = [{ work = "exp 1s" }, { reply = "ok" }]
[service.server.on.urgent]
priority = 1
steps = [{ work = "exp 1s" }, { reply = "ok" }]
"#;
    let first = 6.4 / 9.0 / 2.0;
    for (operation, wait) in
        [("urgent", first / (1.0 - 0.3)), ("routine", first / ((1.0 - 0.3) * (1.0 - 0.8)))]
    {
        let measure =
            format!("operation = \"server.{operation}\", warm_up = \"1000s\", window = \"1000s\"");
        let experiment = experiment("40000s", &measure).changed("1..2", "1..13");
        let experiment = experiment.changed("drain = \"5s\"", "drain = \"2000s\"");
        let mean = |run: &RunResult| {
            run.metrics.latency_total as f64 / 1e9 / run.metrics.measured_ok as f64
        };
        let sample: Vec<f64> = runs(&experiment, model).iter().map(mean).collect();
        // Fails by chance once in a thousand changes of the seeds.
        let interval = mean_interval(&sample, 0.999).unwrap().interval;
        let truth = wait + 1.0;
        assert!(interval.low <= truth && truth <= interval.high, "{operation}: {interval:?}");
        assert!(interval.half_width() < 0.05 * truth, "{operation}: {interval:?}");
    }
}

/// One worker that does 100 requests a second, and users who ask for twice as many.
fn overload(queue: &str, patience: &str) -> RunResult {
    let model = format!(
        r#"
[clients.users]
arrivals = {{ poisson = "200/s" }}
flow = [{{ call = "server.serve" }}]
{patience}
[service.server]
workers = 1
queue = {{ {queue} }}
on.serve.steps = [{{ work = "exp 10ms" }}, {{ reply = "ok" }}]
"#
    );
    runs(&experiment("60s", "warm_up = \"20s\""), &model).remove(0)
}

#[test]
fn controlled_delay_bounds_the_wait_at_twice_the_capacity() {
    // Half of 60 s of work waits at the end, if nobody is refused.
    let fifo = overload(r#"order = "fifo""#, "");
    assert!(p99_ms(&fifo) > 20_000.0 && fifo.metrics.refused == 0);
    for (queue, most_ms) in [
        (r#"order = "codel", target = "5ms", interval = "100ms""#, 1_000.0),
        (r#"order = "folly_codel""#, 400.0),
        (r#"order = "adaptive_lifo", target = "5ms", interval = "100ms""#, 200.0),
    ] {
        let run = overload(queue, "");
        assert!(p99_ms(&run) < most_ms, "{queue}: {} ms", p99_ms(&run));
        assert!(goodput(&run, 20, 60) > 85.0, "{queue}: {}/s", goodput(&run, 20, 60));
        assert_eq!(refused(&run, Refusal::Shed), run.metrics.refused);
        assert!(run.metrics.refused > 4_000, "{queue}: {}", run.metrics.refused);
    }
}

#[test]
fn fresh_or_living_requests_keep_the_goodput_where_fifo_collapses() {
    let patience = "patience = \"200ms\"";
    let fifo = overload(r#"order = "fifo""#, patience);
    assert!(goodput(&fifo, 20, 60) < 2.0, "{}/s", goodput(&fifo, 20, 60));
    assert!(fifo.metrics.wasted_work().unwrap() > 0.9);

    let lifo = overload(r#"order = "adaptive_lifo", backlog = 5"#, patience);
    assert!(goodput(&lifo, 20, 60) > 80.0, "{}/s", goodput(&lifo, 20, 60));

    // One in e^3 takes longer than the slack.
    let discard = overload(r#"discard_expired = { slack = "30ms" }"#, patience);
    assert!(goodput(&discard, 20, 60) > 85.0, "{}/s", goodput(&discard, 20, 60));
    assert!(discard.metrics.wasted_work().unwrap() < 0.15);
    assert_eq!(refused(&discard, Refusal::Expired), discard.metrics.refused);
    assert!(discard.metrics.refused > 4_000);
}

#[test]
fn work_slows_down_by_the_universal_scalability_law() {
    let throughput = |workers: u32, rest: &str| {
        let model = format!(
            r#"
[clients.users]
arrivals = {{ constant = "4000/s" }}
flow = [{{ call = "server.serve" }}]
[service.server]
workers = {workers}
queue = {{ limit = 100 }}
{rest}
on.serve.steps = [{{ work = "10ms" }}, {{ reply = "ok" }}]
"#
        );
        goodput(&runs(&experiment("5s", ""), &model)[0], 2, 5)
    };
    let law = "concurrency_cost = { contention = 0.02, coherency = 0.0005 }";
    for workers in [1, 8, 32] {
        // X(N) = N / (s (1 + sigma (N - 1) + kappa N (N - 1))).
        let n = f64::from(workers);
        let expected = n / (0.01 * (1.0 + 0.02 * (n - 1.0) + 0.0005 * n * (n - 1.0)));
        let found = throughput(workers, law);
        assert!((found / expected - 1.0).abs() < 0.01, "{workers}: {found} for {expected}");
    }
    let found = throughput(16, "cores = 8");
    assert!((found / 800.0 - 1.0).abs() < 0.01, "16 jobs on 8 cores: {found}");
}

#[test]
fn a_bulkhead_keeps_the_other_dependency_alive() {
    let model = |bulkhead: &str| {
        format!(
            r#"
[clients.payers]
arrivals = {{ constant = "20/s" }}
flow = [{{ call = "api.pay" }}]
[clients.readers]
arrivals = {{ constant = "50/s" }}
flow = [{{ call = "api.browse" }}]
[service.api]
workers = 20
on.pay.steps = [{{ call = "payment.charge" }}, {{ reply = "ok" }}]
on.browse.steps = [{{ call = "catalogue.look" }}, {{ reply = "ok" }}]
{bulkhead}
[provider.payment]
concurrency = "unlimited"
latency = "10s"
[provider.catalogue]
concurrency = "unlimited"
effects = ["look"]
latency = "5ms"
"#
        )
    };
    let experiment = experiment("30s", "operation = \"api.browse\"");
    let open = &runs(&experiment, &model(""))[0];
    // Nobody has a timeout, so most readers have no answer at all.
    assert!(open.metrics.measured_ok * 5 < open.metrics.measured);

    let text = "[service.api.bulkhead.payment]\nlimit = 5\nqueue = 2\nmax_wait = \"100ms\"";
    let closed = &runs(&experiment, &model(text))[0];
    assert_eq!(closed.metrics.success_ratio(), Some(1.0));
    // Two places in the queue for 100 ms delay nobody else: 20 workers are enough for all.
    assert!(p99_ms(closed) < 6.0, "{} ms", p99_ms(closed));
    let campaign = campaign(&experiment, &model(text));
    let edges = &campaign.cells[0].program.edges;
    let edge = edges.iter().position(|edge| edge.name == "api -> payment.charge").unwrap();
    // Five at once, for 10 s each, three times in 30 s; everybody else is denied.
    assert_eq!(closed.metrics.edges[edge].attempts, 15);
    assert_eq!(closed.metrics.edges[edge].calls, 599);
    assert_eq!(closed.metrics.edges[edge].denied, 599 - 15);
}

#[test]
fn a_rate_limit_takes_a_burst_and_then_its_rate() {
    for limit in ["token_bucket", "gcra"] {
        let model = format!(
            r#"
[clients.users]
arrivals = {{ constant = "1000/s" }}
flow = [{{ call = "server.serve" }}]
[service.server]
workers = "unlimited"
rate_limit = {{ {limit} = {{ rate = "100/s", burst = 20 }} }}
on.serve.steps = [{{ work = "1ms" }}, {{ reply = "ok" }}]
"#
        );
        let metrics = &runs(&experiment("10s", ""), &model)[0].metrics;
        // From the first request at 1 ms to the last at 9999 ms: 20 + 100 * 9.998.
        assert!((1_019..=1_020).contains(&metrics.ok), "{limit}: {}", metrics.ok);
        assert_eq!(metrics.failed.of_kind(OutcomeKind::Throttled), metrics.requests - metrics.ok);
    }
}

#[test]
fn equally_loaded_instances_take_turns() {
    let model = r#"
[clients.users]
arrivals = { constant = "10/s" }
flow = [{ call = "server.serve" }]
[service.server]
instances = 4
workers = 1
balance = "least_outstanding"
rate_limit = { token_bucket = { rate = "0.001/s", burst = 5 } }
on.serve.steps = [{ work = "1ms" }, { reply = "ok" }]
"#;
    // Each instance takes five, and all of them do.
    assert_eq!(runs(&experiment("10s", ""), model)[0].metrics.ok, 20);
}

#[test]
fn learned_limits_keep_the_latency_near_its_base_at_twice_the_capacity() {
    let run = |limit: &str| {
        let model = format!(
            r#"
[clients.users]
arrivals = {{ poisson = "2000/s" }}
flow = [{{ call = "server.serve" }}]
[service.server]
workers = 10
{limit}
on.serve.steps = [{{ work = "uniform 9ms..11ms" }}, {{ reply = "ok" }}]
"#
        );
        runs(&experiment("10s", "warm_up = \"2s\""), &model).remove(0)
    };
    assert!(p99_ms(&run("")) > 4_000.0);
    // All begin far too high. Each learns slowly what may be a new base: a load that never lets up
    // teaches them patience.
    for limit in [
        "aimd = { initial = 200, min = 10, timeout = \"20ms\" }",
        "vegas = { initial = 200, probe_multiplier = 1000 }",
        "gradient2 = { initial = 200, min = 10, long_window = 100000 }",
    ] {
        let run = run(&format!("concurrency_limit = {{ {limit} }}"));
        assert!(p99_ms(&run) < 45.0, "{limit}: {} ms", p99_ms(&run));
        assert!(goodput(&run, 2, 10) > 900.0, "{limit}: {}/s", goodput(&run, 2, 10));
        assert_eq!(refused(&run, Refusal::Limit), run.metrics.refused, "{limit}");
    }
}

/// Users who wait 200 ms, a front that works for 100 to 300 ms, and a back that it calls.
fn two_tiers(front: &str, back: &str) -> (u64, RunResult) {
    let model = format!(
        r#"
[clients.users]
arrivals = {{ constant = "100/s" }}
flow = [{{ call = "front.ask" }}]
patience = "200ms"
[service.front]
workers = "unlimited"
{front}
on.ask.steps = [{{ work = "uniform 100ms..300ms" }}, {{ call = "back.ask" }}, {{ reply = "ok" }}]
[service.back]
workers = 4
{back}
on.ask.steps = [{{ work = "50ms" }}, {{ reply = "ok" }}]
"#
    );
    let experiment = experiment("50s", "load = \"back.ask\"");
    let run = runs(&experiment, &model).remove(0);
    (run.metrics.attempts, run)
}

#[test]
fn a_deadline_that_travels_stops_work_for_nobody_at_the_second_tier() {
    let (attempts, deaf) = two_tiers("", "");
    assert_eq!(attempts, deaf.metrics.requests, "whatever becomes of the user, back is asked");
    // 100 requests a second of 50 ms for four workers: back is lost under work for nobody.
    assert!(deaf.metrics.ok < 200, "{}", deaf.metrics.ok);

    let margin = "propagate_deadline = { margin = \"5ms\" }";
    let (attempts, run) = two_tiers(margin, "");
    // Front calls only until 195 ms have passed: (195 - 100) / 200 of its requests.
    let share = attempts as f64 / run.metrics.requests as f64;
    assert!((share - 0.475).abs() < 0.03, "{share}");
    // Those that have 50 ms left are answered: (150 - 100) / 200.
    let ok = run.metrics.ok as f64 / run.metrics.requests as f64;
    assert!((0.15..=0.26).contains(&ok), "{ok}");

    // Back begins nothing that it cannot end.
    let (_, both) = two_tiers(margin, "propagate_deadline = { margin = \"50ms\" }");
    assert!(refused(&both, Refusal::Expired) > 500);
    assert!(both.metrics.ok >= run.metrics.ok);
    assert!(both.metrics.worked < run.metrics.worked);
}

#[test]
fn a_deadline_that_travels_ends_retries_in_time() {
    let model = |propagate: &str| {
        format!(
            r#"
[clients.users]
arrivals = {{ constant = "10/s" }}
flow = [{{ call = "front.ask" }}]
patience = "200ms"
[service.front]
workers = "unlimited"
{propagate}
on.ask.steps = [{{ call = "payment.charge", policy = "stubborn" }}, {{ reply = "ok" }}]
[provider.payment]
concurrency = "unlimited"
latency = "10ms"
errors_before = 1
[policy.stubborn]
retry = {{ attempts = 100, backoff = "constant 40ms", jitter = "none" }}
"#
        )
    };
    let experiment = experiment("10s", "load = \"payment.charge\"");
    let deaf = &runs(&experiment, &model(""))[0].metrics;
    assert_eq!(deaf.attempts, 100 * deaf.requests);
    assert_eq!(deaf.failed.of_kind(OutcomeKind::TimedOut), deaf.requests);
    // At 0, 50, 100 and 150 ms; the next one would come at 200 ms, when nobody waits.
    let heard = &runs(&experiment, &model("propagate_deadline = {}"))[0].metrics;
    assert_eq!(heard.attempts, 4 * heard.requests);
    assert_eq!(
        heard.failed.of_kind(OutcomeKind::Failed),
        heard.requests,
        "told before they give up"
    );
}
