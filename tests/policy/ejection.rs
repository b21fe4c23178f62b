//! Ejection in runs: who is left out, for how long, and what becomes of the requests.

use std::collections::BTreeMap;

use stormglass::experiment::run::result::RunResult;
use stormglass::kernel::time::{Span, Time};
use stormglass::policy::OutcomeKind;
use stormglass::system::fact::Fact;
use stormglass::system::{Observer, World};

use crate::common::{Changed, campaign, runs};

/// Four instances, of which balancers do not find out by themselves that they are down; two client
/// processes that ask 50 times a second each.
fn model(outlier: &str) -> String {
    format!(
        r#"
[clients.users]
processes = 2
arrivals = {{ constant = "100/s" }}
flow = [{{ call = "api.get", policy = "p", ignore_failure = true }}]

[service.api]
instances = 4
workers = "unlimited"
detection = "1h"
on.get.steps = [{{ work = "1ms" }}, {{ reply = "ok" }}]

[link.default]
latency = "1ms"

[policy.p]
timeout = "100ms"
{outlier}
"#
    )
}

const EAGER: &str = "outlier = { max_ejected = \"100%\", panic = \"0%\" }";

fn experiment(seconds: u32, faults: &str) -> String {
    format!(
        "name = \"ejection\"\nmodel = \"inline\"\narrivals = \"{seconds}s\"\ndrain = \"5s\"\n\
         seeds = \"1..2\"\n{faults}"
    )
}

/// A crash of an instance, or of several, from 10 s on.
fn crash(target: &str, lasts: &str) -> String {
    format!(
        "[[faults]]\nkind = \"crash\"\ntarget = \"{target}\"\nat = \"10s\"\nfor = \"{lasts}\"\n"
    )
}

fn run(model: &str, seconds: u32, faults: &str) -> RunResult {
    runs(&experiment(seconds, faults), model).remove(0)
}

fn denied(run: &RunResult) -> u64 {
    run.metrics.edges.iter().map(|edge| edge.denied).sum()
}

#[derive(Default)]
struct Notes(Vec<(Time, Fact)>);

impl Observer for Notes {
    fn observe(&mut self, now: Time, fact: &Fact) {
        self.0.push((now, *fact));
    }
}

fn facts(model: &str, seconds: u32, faults: &str) -> Vec<(Time, Fact)> {
    let campaign = campaign(&experiment(seconds, faults), model);
    let cell = &campaign.cells[0];
    let end = cell.measure.arrivals_end;
    let mut notes = Notes::default();
    World::new(&cell.program, &cell.plan.controls, 1, end, cell.limits, &mut notes).run();
    notes.0
}

/// Five failures in a row eject; a first ejection lasts 30 s, a second one 60 s, each until the
/// next sweep, of which there is one every 10 s (Envoy, `outlier_detection_impl.cc`). Each process
/// counts for itself and sweeps in its own time.
#[test]
fn a_dead_instance_is_ejected_and_tried_again_after_growing_times() {
    let told = facts(&model(EAGER), 160, &crash("api[2]", "1h"));
    let mut since = BTreeMap::new();
    let (mut spans, mut refused, mut ejections) = (BTreeMap::new(), 0, 0);
    for (at, fact) in told {
        match fact {
            Fact::NobodyThere { .. } => refused += 1,
            Fact::Ejected(ejection) => {
                assert_eq!(ejection.instance, 2);
                assert_eq!(since.insert(ejection.process, at), None);
                ejections += 1;
            }
            Fact::Returned(ejection) => {
                let began = since.remove(&ejection.process).expect("it was ejected");
                spans.entry(ejection.process).or_insert(Vec::new()).push(at.since(began).seconds());
            }
            _ => {}
        }
    }
    assert_eq!(refused, 5 * ejections, "five attempts for each ejection");
    assert_eq!(ejections, 6);
    let spans: Vec<Vec<f64>> = spans.into_values().collect();
    assert_eq!(spans.len(), 2);
    for spans in &spans {
        assert!((30.0..40.0).contains(&spans[0]), "{spans:?}");
        assert!((60.0..70.0).contains(&spans[1]), "{spans:?}");
    }
    assert_ne!(spans[0][0], spans[1][0], "processes do not sweep together");
}

/// An instance that has recovered gets its share again, and a clean interval forgives an ejection.
#[test]
fn who_recovers_comes_back_for_good() {
    let run = run(&model(EAGER), 120, &crash("api[1]", "15s"));
    assert_eq!((run.metrics.ejections, run.metrics.returns), (2, 2));
    assert_eq!(run.metrics.nobody_there, [10, 0]);
    assert_eq!(run.metrics.ok, run.metrics.requests - 10);
}

#[test]
fn a_shared_state_ejects_once_for_all() {
    let shared = format!("scope = \"shared\"\n{EAGER}");
    let run = run(&model(&shared), 30, &crash("api[1]", "15s"));
    assert_eq!((run.metrics.ejections, run.metrics.nobody_there), (1, [5, 0]));
}

/// Under ten instances, a share of 10% that counts the instance about to go lets nobody go (Envoy
/// since 1.31). Then a run is what it is without any ejection, and a warning says so.
#[test]
fn envoys_default_ejects_nobody_of_four_and_changes_nothing() {
    let fault = crash("api[2]", "60s");
    let preset = model("preset = \"envoy-outlier-detection@since-1.31\"");
    let warned = campaign(&experiment(60, &fault), &preset).warnings;
    assert!(warned.iter().any(|warning| warning.message.contains("nobody is ever ejected")));
    let without = run(&model(""), 60, &fault);
    let with = run(&preset, 60, &fault);
    assert!(with.metrics.ejections_refused > 100, "{}", with.metrics.ejections_refused);
    let mut metrics = with.metrics.clone();
    metrics.ejections_refused = 0;
    assert_eq!(metrics, without.metrics);
    assert_eq!(with.metrics.ejections, 0);
}

/// With one of four left, 25% is below the panic threshold of 50%: the dead ones get requests
/// again, three quarters of all. Without it the last one carries everything.
#[test]
fn in_panic_everybody_gets_requests() {
    let three: String = (0..3).map(|instance| crash(&format!("api[{instance}]"), "1h")).collect();
    let of = |panic: &str| {
        let outlier = format!("outlier = {{ max_ejected = \"100%\", panic = \"{panic}\" }}");
        run(&model(&outlier), 30, &three).metrics
    };
    let (calm, panicking) = (of("0%"), of("50%"));
    assert_eq!((calm.ejections, calm.panics, calm.nobody_there[0]), (6, 0, 30));
    assert_eq!(panicking.ejections, 6);
    let after = panicking.panics;
    assert!((1_800..2_000).contains(&after), "{after}");
    assert!(panicking.nobody_there[0].abs_diff(after * 3 / 4) < 40, "{panicking:?}");
    // Two of four are half of them: not yet too few.
    let two = three.rsplit_once("[[faults]]").map_or("", |(two, _)| two);
    let half = run(&model("outlier = { max_ejected = \"100%\" }"), 30, two).metrics;
    assert_eq!((half.ejections, half.panics), (4, 0));
}

/// Without a panic threshold, a process that has ejected everybody asks nobody: the outage of its
/// own making lasts for as long as an ejection, not as the crash.
#[test]
fn with_everybody_ejected_requests_are_denied_until_the_first_comes_back() {
    let run = run(&model(EAGER), 80, &crash("api", "2s"));
    assert_eq!((run.metrics.ejections, run.metrics.nobody_there), (8, [40, 0]));
    let denied = denied(&run);
    assert!((2_900..4_000).contains(&denied), "{denied}");
    let rejected = run.metrics.failed.of_kind(OutcomeKind::Rejected);
    assert_eq!(denied, rejected);
    assert_eq!(run.metrics.ok, run.metrics.requests - denied - 40);
}

/// Requests that are lost on their way time out, and count for an instance all the same.
#[test]
fn lost_requests_eject() {
    let cut = "[[faults]]\nkind = \"partition\"\ntarget = \"users -> api\"\nat = \"10s\"\n\
               for = \"5s\"\n";
    let run = run(&model(EAGER), 20, cut);
    assert_eq!(run.metrics.ejections, 8);
    assert!(run.metrics.failed.of_kind(OutcomeKind::TimedOut) >= 40);
}

/// Slow answers are no failures; the sweep finds who fails more often than the others. Of five
/// instances one fails always, which no mean less two deviations could show, but a share does.
#[test]
fn a_sweep_ejects_by_share_of_failures() {
    let outlier = "outlier = { consecutive = 0, failure_ratio = \"85%\", ratio_hosts = 4, \
                   ratio_calls = 50, interval = \"5s\", max_ejected = \"50%\", panic = \"0%\" }";
    let told = facts(&model(outlier), 40, &crash("api[3]", "1h"));
    let ejected: Vec<(Time, u32)> = told
        .iter()
        .filter_map(|&(at, fact)| match fact {
            Fact::Ejected(ejection) => Some((at, ejection.instance)),
            _ => None,
        })
        .collect();
    assert_eq!(ejected.len(), 2, "{ejected:?}");
    for (at, instance) in ejected {
        // A whole interval of failures ends after 5 s at the earliest, after 10 s at the latest.
        assert_eq!(instance, 3);
        let at = at.since(Time::ZERO + Span::from_secs(10)).seconds();
        assert!((4.2..10.0).contains(&at), "{at}");
    }
}

/// A copy that hedges counts for the instance that it came to.
#[test]
fn copies_count_where_they_came_to() {
    let hedged = format!("{EAGER}\nhedge = {{ delay = \"20ms\" }}");
    let pause = "[[faults]]\nkind = \"pause\"\ntarget = \"api[2]\"\nat = \"10s\"\nfor = \"1h\"\n";
    let told = facts(&model(&hedged), 40, &pause.changed("1h", "30s"));
    let copies = told.iter().filter(|(_, fact)| matches!(fact, Fact::Attempted { attempt: 2, .. }));
    assert!(copies.count() > 100, "a copy goes out for each attempt at the instance that stands");
    // The copy wins: what the slow one came to nobody hears.
    assert!(!told.iter().any(|(_, fact)| matches!(fact, Fact::Ejected(_))));
    let dead = facts(&model(&hedged), 40, &crash("api[2]", "30s"));
    let ejected = dead.iter().filter_map(|(_, fact)| match fact {
        Fact::Ejected(ejection) => Some(ejection.instance),
        _ => None,
    });
    assert_eq!(ejected.collect::<Vec<_>>(), [2, 2]);
}

/// A process that dies forgets whom it had ejected.
#[test]
fn a_dead_process_has_ejected_nobody() {
    let model = model("").changed("policy = \"p\", ", "").changed(
        "[link.default]",
        "[clients.others]\narrivals = { constant = \"50/s\" }\n\
             flow = [{ call = \"front.get\", ignore_failure = true }]\n[service.front]\n\
             workers = \"unlimited\"\non.get.steps = [{ call = \"api.get\", policy = \"p\", \
             ignore_failure = true }, { reply = \"ok\" }]\n[link.default]",
    );
    let model = model.changed("timeout = \"100ms\"", &format!("timeout = \"100ms\"\n{EAGER}"));
    let front = "[[faults]]\nkind = \"crash\"\ntarget = \"front\"\nat = \"15s\"\nfor = \"1s\"\n";
    let told = facts(&model, 30, &format!("{}{front}", crash("api[0]", "1h")));
    let changes: Vec<(u64, bool)> = told
        .iter()
        .filter_map(|&(at, fact)| match fact {
            Fact::Ejected(_) => Some((at.0 / 1_000_000_000, true)),
            Fact::Returned(_) => Some((at.0 / 1_000_000_000, false)),
            _ => None,
        })
        .collect();
    assert_eq!(changes, [(10, true), (15, false), (16, true)]);
}
