//! Connections to a target: what they cost, who waits for one, what breaks them, and where they
//! lead. Every expected number is written with how it comes about.

use crate::common::{Changed, runs};
use stormglass::experiment::run::result::RunResult;
use stormglass::kernel::time::Span;
use stormglass::policy::Outcome;

/// Ten requests, 100 ms apart; each takes 25 ms over an open connection.
const MODEL: &str = r#"
[clients.users]
arrivals = { constant = "10/s" }
flow = [{ call = "api.ask", policy = "p" }]
[service.api]
workers = "unlimited"
on.ask.steps = [{ work = "5ms" }, { reply = "ok" }]
[link.default]
latency = "10ms"
[policy.p]
connections = {}
"#;

fn run(model: &str) -> RunResult {
    run_with(model, "")
}

fn run_with(model: &str, faults: &str) -> RunResult {
    let experiment = "name = \"connections\"\nmodel = \"inline\"\narrivals = \"1.001s\"\n\
                      drain = \"30s\"\nseeds = \"1..2\"\n";
    runs(&format!("{experiment}{faults}"), model).remove(0)
}

fn latency_ms(run: &RunResult, share: f64) -> f64 {
    run.metrics.latency.quantile(share).map_or(f64::NAN, Span::millis).round()
}

/// TCP and TLS 1.3 take two round trips of 20 ms, TLS 1.2 one more.
#[test]
fn the_first_request_over_a_connection_waits_until_it_is_open() {
    for (round_trips, first) in [(0, 25.0), (1, 45.0), (2, 65.0), (3, 85.0)] {
        let model = MODEL.changed("{}", &format!("{{ round_trips = {round_trips} }}"));
        let run = run(&model);
        assert_eq!((latency_ms(&run, 1.0), latency_ms(&run, 0.5)), (first, 25.0));
        assert_eq!(run.metrics.connections_opened, 1);
    }
    assert_eq!(latency_ms(&run(MODEL), 1.0), 65.0, "two by default");
    let without = run(&MODEL.changed("connections = {}", ""));
    assert_eq!((latency_ms(&without, 1.0), without.metrics.connections_opened), (25.0, 0));
}

/// The target works on the connection first, once.
#[test]
fn a_new_connection_takes_time_of_a_worker() {
    let run = run(&MODEL.changed("{}", "{ round_trips = 0, accept = \"7ms\" }"));
    assert_eq!((latency_ms(&run, 1.0), latency_ms(&run, 0.5)), (32.0, 25.0));
    assert_eq!(run.metrics.worked, 10 * 5_000_000 + 7_000_000);
}

/// Forty requests of 90 ms in a second: two at once take until 1.85 s, whatever carries them.
#[test]
fn http_1_takes_one_request_at_a_time_and_http_2_as_many_as_it_has_streams() {
    let model = MODEL
        .changed("10/s", "40/s")
        .changed("work = \"5ms\"", "work = \"90ms\"")
        .changed("latency = \"10ms\"", "latency = \"0s\"");
    for (connections, last_s, opened) in [
        ("{ limit = 2 }", 1.85, 2),
        ("{ limit = 1, streams = 2 }", 1.85, 1),
        ("{ limit = 1, streams = 100 }", 1.09, 1),
        ("{ streams = 2 }", 1.09, 2),
        ("{}", 1.09, 4),
    ] {
        let run = run(&model.changed("{}", connections));
        assert_eq!(run.metrics.ok, 40, "{connections}");
        let last = run.metrics.last_answer.seconds();
        assert!((last - last_s).abs() < 1e-6, "{connections}: {last}");
        assert_eq!(run.metrics.connections_opened, opened, "{connections}");
    }
}

/// A request each 10 ms takes 25 ms: of one connection every third one has the use.
#[test]
fn who_finds_no_connection_waits_in_line_or_is_denied() {
    let model = MODEL
        .changed("10/s", "100/s")
        .changed("\"5ms\"", "\"25ms\"")
        .changed("latency = \"10ms\"", "latency = \"0s\"");
    let rejected = |run: &RunResult| run.metrics.failed.of(Outcome::Rejected);
    let none = run(&model.changed("{}", "{ limit = 1, queue = 0 }"));
    assert_eq!((none.metrics.ok, rejected(&none)), (34, 66));
    assert_eq!(none.metrics.edges[0].denied, 66);
    let all = run(&model.changed("{}", "{ limit = 1 }"));
    assert_eq!((all.metrics.ok, rejected(&all)), (100, 0));
    let patient = run(&model.changed("{}", "{ limit = 1, acquire_timeout = \"30ms\" }"));
    assert!((39..=43).contains(&patient.metrics.ok), "40 a second: {}", patient.metrics.ok);
    assert_eq!(rejected(&patient), 100 - patient.metrics.ok);
    assert!((40.0..=55.0).contains(&latency_ms(&patient, 1.0)), "25 ms after 30 ms at most");
}

/// A late answer of HTTP/1.1 would be taken for that of the next request.
#[test]
fn a_timeout_costs_the_connection_of_http_1_but_only_a_stream_of_http_2() {
    let model = MODEL.changed("[policy.p]", "[policy.p]\ntimeout = \"20ms\"");
    for (connections, opened) in [("{}", 10), ("{ streams = 100 }", 1)] {
        let run = run(&model.changed("{}", connections));
        assert_eq!(run.metrics.failed.of(Outcome::TimedOut), 10);
        assert_eq!(run.metrics.connections_opened, opened, "{connections}");
    }
}

/// Fifty processes with a connection each; the service dies for a millisecond.
#[test]
fn after_a_crash_everybody_connects_again() {
    let model = MODEL
        .changed("[clients.users]", "[clients.users]\nprocesses = 50")
        .changed("constant = \"10/s\"", "poisson = \"1000/s\"")
        .changed("latency = \"10ms\"", "latency = \"0s\"")
        .changed("{}", "{ limit = 1, streams = 100 }");
    let crash = "[[faults]]\nkind = \"crash\"\ntarget = \"api\"\nat = \"500ms\"\nfor = \"1ms\"\n";
    assert_eq!(run(&model).metrics.connections_opened, 50);
    let struck = run_with(&model, crash);
    let opened = struck.metrics.connections_opened;
    let refused = struck.metrics.failed.of(Outcome::NotConnected);
    assert_eq!(opened, 100 + refused, "those whom the dead service refused connected once more");
    assert!(struck.metrics.failed.of(Outcome::Reset) > 0);
    let gone = run_with(&model, &format!("{crash}unreachable = true\n"));
    assert!((100..=105).contains(&gone.metrics.connections_opened));
}

/// Four instances serve 100 requests a second each, and 200 come.
#[test]
fn requests_over_a_connection_go_where_it_leads() {
    let model = MODEL
        .changed("10/s", "200/s")
        .changed("\"5ms\"", "\"10ms\"")
        .changed("workers = \"unlimited\"", "instances = 4\nworkers = 1\nqueue = { limit = 0 }")
        .changed("latency = \"10ms\"", "latency = \"0s\"");
    let balanced = run(&model.changed("connections = {}", ""));
    assert_eq!(balanced.metrics.ok, 200, "round robin");
    let pinned = run(&model.changed("{}", "{ limit = 1, streams = 100 }"));
    assert_eq!(pinned.metrics.ok, 100, "one instance takes every second request");
    let of_http_1 = run(&model);
    assert!(of_http_1.metrics.ok >= 199, "two at once: {}", of_http_1.metrics.ok);
}

/// Five calls at once each second.
#[test]
fn connections_are_closed_when_they_are_idle_old_or_too_many() {
    let model = MODEL
        .changed("flow = [{", "flow = [{ parallel = [[{")
        .changed("\"p\" }]", "\"p\" }]], copies = 5 }]");
    let opened = |connections: &str| {
        let run = run(&model.changed("{}", connections));
        assert_eq!(run.metrics.attempts, 50);
        run.metrics.connections_opened
    };
    assert_eq!(opened("{}"), 5);
    assert_eq!(opened("{ max_idle = 2 }"), 5 + 9 * 3);
    assert_eq!(opened("{ idle_timeout = \"30ms\" }"), 50);
    assert_eq!(opened("{ idle_timeout = \"90ms\" }"), 5);
    assert_eq!(opened("{ max_age = \"250ms\" }"), 4 * 5);
}
