//! Whom a failure hurts and how fast it spreads, beside the same seed without it.

use stormglass::experiment::judge::blast_radius::{BlastRadius, Part, Parts};
use stormglass::experiment::run::result::RunResult;
use stormglass::kernel::time::Time;

use crate::common::{Changed, campaign, runs};

/// Two features of a shop, each with a store of its own; nobody calls `idle`. Users come every
/// 20 ms and stay with one feature each.
const SHOP: &str = r#"
[clients.readers]
arrivals = { constant = "50/s" }
keys = { uniform = 10 }
flow = [{ call = "shop.read", policy = "once" }]

[clients.buyers]
arrivals = { constant = "20/s" }
flow = [{ call = "shop.buy", policy = "once" }]

[service.shop]
workers = 1000
on.read.steps = [{ call = "pages.get", policy = "once" }, { reply = "ok" }]
on.buy.steps = [{ call = "bank.charge", policy = "once" }, { reply = "ok" }]

[service.pages]
workers = 1000
on.get.steps = [{ work = "10ms" }, { reply = "ok" }]

[service.idle]
workers = 1
on.get.steps = [{ reply = "ok" }]

[provider.bank]
concurrency = "unlimited"
latency = "10ms"
effects = ["charge"]

[link.default]
latency = "1ms"

[policy.once]
timeout = "5s"
"#;

/// An experiment of 20 s in which something goes wrong from 10 s to 14 s.
fn experiment(fault: &str) -> String {
    format!(
        r#"
name = "whom"
model = "inline"
arrivals = "20s"
drain = "10s"
seeds = "1..3"
[measure]
warm_up = "0s"
[blast_radius]
[invariants.contained]
in = ["pages"]
but = ["shop.read"]
[[faults]]
{fault}
at = "10s"
for = "4s"
"#
    )
}

const NO_PAGES: &str = "kind = 'errors'\ntarget = 'pages'\nshare = 1";

fn first(experiment: &str, model: &str) -> (RunResult, BlastRadius) {
    let run = runs(experiment, model).swap_remove(0);
    let found = run.blast_radius.clone().expect("it is compared with its twin");
    (run, found)
}

/// When a node was reached, in nanoseconds since the beginning of the fault, and from where.
fn reached(found: &BlastRadius, model: &str, node: &str) -> Option<(u64, Option<String>)> {
    let campaign = campaign(&experiment(NO_PAGES), model);
    let program = &campaign.cells[0].program;
    let place = program.find_node(node).expect("a node of the model");
    let reached = found.nodes[usize::from(place.0)]?;
    let from = reached.from.map(|from| program.nodes[usize::from(from)].name.clone());
    Some((reached.at.0 - found.acts.0.0, from))
}

#[test]
fn what_no_path_reaches_makes_exactly_no_difference() {
    let (run, found) = first(&experiment("kind = 'slow'\ntarget = 'idle'\nfactor = 100"), SHOP);
    assert_eq!(found.requests, Parts { of: 1400 - 2, ..Parts::default() });
    assert_eq!((found.users.worse, found.keys.worse, found.last), (0, 0, None));
    assert!(found.nodes.iter().all(Option::is_none) && found.hurt.iter().all(Option::is_none));
    assert_eq!((run.invariants[0].exposure, run.invariants[0].violations), (0, 0));
}

#[test]
fn every_request_that_fails_for_it_counts_and_no_other() {
    let (run, found) = first(&experiment(NO_PAGES), SHOP);
    // Calls of 4 s at 50/s, each asked 2 ms before it comes to the pages.
    assert_eq!(found.requests.failed, 200);
    assert_eq!((found.requests.older, found.requests.slower), (0, 0));
    assert_eq!(found.users, Part { of: found.requests.of, worse: 200 });
    assert_eq!(found.keys, Part { of: 10, worse: 10 }, "the only key of buyers is one of them");
    let operations: Vec<(u64, u64)> =
        found.operations.iter().map(|(_, of)| (of.parts.of, of.parts.worse())).collect();
    assert_eq!(operations, [(999, 200), (399, 0)]);
    assert_eq!(run.metrics.failed.total(), 200);
}

#[test]
fn the_difference_spreads_hop_by_hop_and_nowhere_else() {
    let (_, found) = first(&experiment(NO_PAGES), SHOP);
    let at = |node: &str| reached(&found, SHOP, node);
    let millis = |count: u64| count * 1_000_000;
    // A reader who asked 1 ms before is at the shop when it begins, and at the pages 1 ms later.
    let (pages, from) = at("pages").expect("where it begins");
    assert_eq!(from, None);
    let shop = Some((pages + millis(1), Some("pages".to_owned())));
    assert_eq!(at("shop"), shop);
    assert_eq!(at("readers"), Some((pages + millis(2), Some("shop".to_owned()))));
    assert_eq!([at("buyers"), at("bank"), at("idle")], [None, None, None]);
}

#[test]
fn only_the_faults_of_what_is_named_are_taken_out() {
    let both = experiment(NO_PAGES)
        + "[[faults]]\nkind = 'errors'\ntarget = 'bank'\nshare = 1\nat = '12s'\nfor = '1s'\n";
    let of = |nodes: &str| {
        let text = both.changed("[blast_radius]", &format!("[blast_radius]\nof = [{nodes}]"));
        first(&text, SHOP).1
    };
    assert_eq!(of("").requests.failed, 220);
    assert_eq!(of("'bank'").requests.failed, 20);
    assert_eq!(of("'bank'").acts.0, Time(12_000_000_000));
    let nobody = both.changed("[blast_radius]", "[blast_radius]\nof = ['idle']");
    assert_eq!(runs(&nobody, SHOP)[0].blast_radius, None, "there is no cause");
}

#[test]
fn what_is_slower_by_the_rule_fares_worse() {
    let slow = experiment("kind = 'latency'\ntarget = 'shop -> pages'\nadded = '60ms'");
    let slower = |text: &str| first(text, SHOP).1.requests.slower;
    // 14 ms become 134 ms: more than twice, and more than 100 ms longer.
    assert!((195..=205).contains(&slower(&slow)), "{}", slower(&slow));
    assert_eq!(slower(&slow.changed("[blast_radius]", "[blast_radius]\nslower = 10")), 0);
    assert_eq!(slower(&slow.changed("[blast_radius]", "[blast_radius]\nat_least = '1s'")), 0);
}

#[test]
fn a_failure_is_contained_or_not_or_there_was_none() {
    let judged = |experiment: &str, model: &str| {
        let verdict = first(experiment, model).0.invariants[0];
        (verdict.exposure, verdict.violations)
    };
    assert_eq!(judged(&experiment(NO_PAGES), SHOP), (399, 0));
    // With one worker for both, whoever reads keeps buyers waiting.
    let shared = SHOP.changed(
        "[service.shop]\nworkers = 1000",
        "[service.shop]\nworkers = 4\nqueue = { limit = 10 }",
    );
    let slow = experiment("kind = 'slow'\ntarget = 'pages'\nfactor = 50");
    let (exposure, violations) = judged(&slow, &shared);
    assert!(exposure > 300 && violations > 30, "{violations} of {exposure}");
    assert_eq!(
        judged(&slow.changed("but = [\"shop.read\"]", "but = ['shop.read', 'shop.buy']"), &shared),
        (0, 0)
    );
    let elsewhere = experiment("kind = 'errors'\ntarget = 'bank'\nshare = 1");
    assert_eq!(judged(&elsewhere, SHOP), (0, 0), "no fault of the pages: not exercised");
    let idle = experiment("kind = 'slow'\ntarget = 'idle'\nfactor = 100")
        .changed("in = [\"pages\"]", "in = ['idle']");
    assert_eq!(judged(&idle, SHOP), (0, 0), "a fault that never had an effect: not exercised");
}

#[test]
fn a_user_is_the_same_whenever_it_comes() {
    let spiky =
        SHOP.changed("arrivals = { constant = \"50/s\" }", "arrivals = { poisson = \"50/s\" }");
    let spike = experiment("kind = 'traffic_spike'\ntarget = 'readers'\nrate = '100/s'");
    let (_, found) = first(&spike, &spiky);
    assert_eq!(found.requests.worse(), 0, "more users come, and the shop has room for them");
    assert_eq!(reached(&found, &spiky, "bank"), None, "buyers come as without the spike");
    assert!(reached(&found, &spiky, "readers").is_some());
}

#[test]
fn a_digest_does_not_depend_on_the_comparison() {
    let with = experiment(NO_PAGES);
    let without = with.changed("[blast_radius]\n", "");
    let digests = |text: &str| runs(text, SHOP).iter().map(|run| run.digest).collect::<Vec<_>>();
    assert_eq!(digests(&with), digests(&without));
}
