//! What callers hear: statuses that nodes answer and faults cause, and what is made of them.

use stormglass::experiment::run::result::RunResult;
use stormglass::policy::{Code, Outcome, OutcomeKind};

use crate::common::{Changed, runs};

/// Ten users a second for ten seconds, a service that passes on what a second one answers, and a
/// provider behind that.
const CHAIN: &str = r#"
[clients.users]
arrivals = { constant = "10/s" }
flow = [{ call = "edge.get" }]

[service.edge]
workers = 100
on.get.steps = [
  { call = "inner.get", policy = "caller", fallback = [{ reply = "passed_on" }] },
  { reply = "ok" },
]

[service.inner]
workers = 100
on.get.steps = [{ call = "bank.pay" }, { reply = "ok" }]

[provider.bank]
concurrency = "unlimited"
latency = "1ms"
effects = ["pay"]

[policy.caller]
timeout = "1s"
"#;

fn run(model: &str, faults: &str) -> RunResult {
    let experiment = format!(
        "name = \"outcomes\"\nmodel = \"inline\"\narrivals = \"10s\"\ndrain = \"5s\"\n\
         seeds = \"1..2\"\n{faults}"
    );
    runs(&experiment, model).swap_remove(0)
}

fn errors(target: &str, more: &str) -> String {
    format!(
        "[[faults]]\nkind = \"errors\"\ntarget = \"{target}\"\nat = \"0s\"\nfor = \"60s\"\n{more}\n"
    )
}

/// The outcomes of all 99 users.
fn told(run: &RunResult) -> Vec<(String, u64)> {
    let mut told: Vec<(String, u64)> =
        run.metrics.failed.iter().map(|(outcome, count)| (outcome.to_string(), count)).collect();
    if run.metrics.ok > 0 {
        told.push(("ok".to_owned(), run.metrics.ok));
    }
    told.sort();
    told
}

fn all(outcome: &str) -> Vec<(String, u64)> {
    vec![(outcome.to_owned(), 99)]
}

#[test]
fn a_handler_answers_with_any_status_and_another_one_passes_it_on() {
    for (status, heard) in [
        ("\"ok\"", "ok"),
        ("\"rejected\"", "rejected"),
        ("503", "rejected"),
        ("502", "502"),
        ("\"404\"", "404"),
        ("\"conflict\"", "conflict"),
        ("\"RESOURCE_EXHAUSTED\"", "RESOURCE_EXHAUSTED"),
        // What a gateway makes of a connection that breaks.
        ("\"reset\"", "rejected"),
    ] {
        let model = CHAIN.changed(
            "[{ call = \"bank.pay\" }, { reply = \"ok\" }]",
            &format!("[{{ reply = {status} }}]"),
        );
        assert_eq!(told(&run(&model, "")), all(heard), "{status}");
    }
    let silent = CHAIN.changed("latency = \"1ms\"", "latency = \"3s\"");
    assert_eq!(told(&run(&silent, "")), all("504"), "silence behind a gateway");
}

#[test]
fn a_handler_goes_by_what_its_call_came_to() {
    let model = CHAIN.changed(
        "fallback = [{ reply = \"passed_on\" }]",
        "fallback = [{ when = { outcome = [\"throttled\", 502] }, then = [{ reply = 404 }], \
         otherwise = [{ reply = 500 }] }]",
    );
    for (status, heard) in [("502", "404"), ("429", "404"), ("503", "failed"), ("504", "failed")] {
        let faults = errors("inner", &format!("share = 1.0\nstatus = {status}"));
        assert_eq!(told(&run(&model, &faults)), all(heard), "{status}");
    }
}

/// With `before`, nothing is done; with `after_effect`, all of it is.
#[test]
fn calls_of_any_node_fail_with_a_status_before_their_work_or_after_it() {
    let before = run(CHAIN, &errors("inner", "share = 1.0\nstatus = \"UNAVAILABLE\""));
    assert_eq!((told(&before), before.metrics.effects), (all("UNAVAILABLE"), 0));
    let after = "share = 1.0\nafter_effect = 1.0\nstatus = 502";
    let after_work = run(CHAIN, &errors("inner", after));
    assert_eq!((told(&after_work), after_work.metrics.effects), (all("502"), 99));
    assert_eq!(after_work.metrics.made_to_fail, [0, 99]);
    let provider = run(CHAIN, &errors("bank", after));
    assert_eq!(provider.metrics.effects, 99);
    let own = CHAIN.changed(
        "effects = [\"pay\"]",
        "errors_after = 1.0\nerror_status = 504\neffects = [\"pay\"]",
    );
    let own = run(&own, "");
    let at_bank = own.metrics.edges.iter().find(|edge| edge.outcomes.of_kind(OutcomeKind::Ok) == 0);
    let at_bank = at_bank.expect("nothing of the bank succeeds");
    assert!(own.metrics.edges.iter().any(|edge| edge.outcomes.of(http(504)) == 99), "{at_bank:?}");
}

/// Of 4,999 calls three tenths fail before their work and a tenth after it: five standard
/// deviations.
#[test]
fn a_part_of_the_errors_comes_after_the_effect() {
    let model = CHAIN.changed("10/s", "500/s");
    let run = run(&model, &errors("bank", "share = 0.4\nafter_effect = 0.25"));
    let [before, after] = run.metrics.made_to_fail.map(|count| count as f64);
    assert!((before - 1_499.7).abs() < 162.0, "{before}");
    assert!((after - 499.9).abs() < 106.0, "{after}");
    assert_eq!(run.metrics.effects, 4_999 - run.metrics.made_to_fail[0]);
}

fn http(status: u16) -> Outcome {
    Outcome::http(status).expect("a status")
}

/// The same failure of the provider, retried by what a client says that it retries.
#[test]
fn a_kind_is_all_that_is_of_it_and_a_status_is_itself() {
    let attempts = |on: &str, status: &str| {
        let model = CHAIN.changed(
            "timeout = \"1s\"",
            &format!("timeout = \"1s\"\nretry = {{ attempts = 3, on = {on} }}"),
        );
        let faults = errors("inner", &format!("share = 1.0\nstatus = {status}"));
        run(&model, &faults).metrics.edges.iter().map(|edge| edge.attempts).max()
    };
    let (once, thrice) = (Some(99), Some(3 * 99));
    for (on, status, expected) in [
        ("[\"failed\"]", "502", thrice),
        ("[\"failed\"]", "\"reset\"", thrice),
        ("[\"failed\"]", "\"not_connected\"", thrice),
        ("[\"failed\"]", "503", once),
        ("[\"rejected\"]", "503", thrice),
        ("[\"rejected\"]", "\"UNAVAILABLE\"", thrice),
        ("[\"rejected\"]", "\"refused_stream\"", thrice),
        ("[503]", "503", thrice),
        ("[503]", "\"UNAVAILABLE\"", once),
        ("[\"not_connected\", \"refused_stream\"]", "\"not_connected\"", thrice),
        ("[\"not_connected\", \"refused_stream\"]", "\"reset\"", once),
        ("[\"network\"]", "\"reset\"", thrice),
        ("[\"network\"]", "500", once),
        ("[\"5xx\"]", "599", thrice),
        ("[\"4xx\"]", "418", thrice),
    ] {
        assert_eq!(attempts(on, status), expected, "{on} after {status}");
    }
}

#[test]
fn a_node_of_grpc_answers_in_codes_of_grpc() {
    let model = CHAIN
        .changed(
            "[service.inner]\nworkers = 100",
            "[service.inner]\nprotocol = \"grpc\"\nworkers = 1\nqueue = { limit = 0 }",
        )
        .changed("latency = \"1ms\"", "latency = \"150ms\"");
    let run = run(&model, "");
    let unavailable = run.metrics.failed.of(Outcome::Grpc(Code::Unavailable));
    assert_eq!(unavailable + run.metrics.ok, 99, "{:?}", told(&run));
    assert!(unavailable > 40, "every second one finds it at work: {unavailable}");
}

/// A host that is down refuses connections: who retries only what was never taken is served by the
/// instance that is up, and makes no effect twice.
#[test]
fn only_what_was_never_taken_is_repeated() {
    let model = CHAIN
        .changed(
            "timeout = \"1s\"",
            "timeout = \"1s\"\nretry = { attempts = 5, backoff = \"constant 50ms\", \
             on = [\"not_connected\", \"refused_stream\"] }",
        )
        .changed(
            "[service.inner]\nworkers = 100",
            "[service.inner]\ninstances = 2\ndetection = \"5s\"\nworkers = 100",
        )
        .changed("effects = [\"pay\"]", "errors_after = \"10%\"\neffects = [\"pay\"]");
    let crash =
        "[[faults]]\nkind = \"crash\"\ntarget = \"inner[0]\"\nat = \"2.05s\"\nfor = \"3s\"\n";
    let run = run(&model, crash);
    assert!(run.metrics.nobody_there[0] > 10);
    let twice = run.metrics.effects.saturating_sub(99);
    assert_eq!(twice, 0, "{:?}", told(&run));
    assert!(run.metrics.failed.of(Outcome::Failed) > 0, "the bank fails after its effect");
}

/// The summary counts attempts by what they came to, at each edge.
#[test]
fn the_summary_says_how_attempts_ended_at_each_edge() {
    let experiment = format!(
        "name = \"outcomes\"\nmodel = \"inline\"\narrivals = \"10s\"\ndrain = \"5s\"\n\
         seeds = \"1..3\"\n{}",
        errors("inner", "share = 1.0\nstatus = 502")
    );
    let campaign = crate::common::campaign(&experiment, CHAIN);
    let results = crate::common::run_all(&campaign);
    let summaries = stormglass::experiment::measure::summary::summarise(&campaign, &results);
    let ended = summaries[0].outcomes.iter();
    let ended: Vec<(&str, String, u64)> =
        ended.map(|one| (one.edge.as_str(), one.outcome.to_string(), one.attempts)).collect();
    let expected = [
        ("users -> edge.get", "502".to_owned(), 2 * 99),
        ("edge -> inner.get", "502".to_owned(), 2 * 99),
    ];
    assert!(expected.iter().all(|one| ended.contains(one)), "{ended:?}");
    assert_eq!(ended.len(), 2, "nobody called the bank: {ended:?}");
}
