//! What `stormglass plan` says of a model before a run, against what runs then measure.

mod ahead;
mod chances;
mod closed;
mod expected;
mod failing;

use std::process::{Command, Output};

use crate::common::{Changed, campaign, run_all};
use serde_json::Value;
use stormglass::capacity::{Capacity, NodeLoad, capacity};
use stormglass::experiment::plan::campaign::Campaign;

/// A shop with most of what changes the load of a node: losses, timeouts, retries, a queue with
/// deliveries again, lists at once, a choice by chance.
const SHOP: &str = r#"
[clients.shoppers]
arrivals = { poisson = "60/s" }
flow = [{ call = "api.buy", policy = "user" }, { think = "exp 100ms" }, { call = "api.look" }]

[service.api]
instances = 2
workers = 40
on.buy.steps = [
  { work = "exp 2ms" },
  { when = { share_of_requests = "25%" }, then = [{ call = "risk.check", policy = "inner" }] },
  { call = "bank.charge", policy = "inner" },
  { transaction = "db", write = ["order = placed"] },
  { publish = "mails" },
  { reply = "ok" },
]
on.look.steps = [
  { parallel = [[{ read = "db.order" }], [{ call = "risk.check", policy = "inner" }]] },
  { reply = "ok" },
]

[service.risk]
workers = 20
on.check.steps = [{ work = "exp 20ms" }, { reply = "ok" }]

[database.db]
connections = 8
commit = "exp 4ms"
read = "exp 1ms"
tables = { order = {} }

[queue.mails]
visibility = "5s"
redelivery = "100ms"
max_receives = 4

[service.mailer]
workers = 30
takes = "mails"
steps = [{ call = "post.mail" }, { ack = true }]

[provider.bank]
concurrency = 50
latency = "lognormal 80ms sigma 0.5"
effects = ["charge"]

[provider.post]
concurrency = 30
latency = "exp 50ms"
effects = ["mail"]
errors_before = "30%"

[link.default]
latency = "1ms"

[link."api -> bank"]
latency = "uniform 5ms..15ms"
reply_loss = "20%"
request_loss = "10%"

[policy.user]
timeout = "20s"

[policy.inner]
timeout = "150ms"
retry = { attempts = 3, backoff = "constant 50ms" }
"#;

const CALM: &str = r#"
name = "shop"
model = "shop.toml"
arrivals = "200s"
drain = "20s"
seeds = "1..3"
"#;

fn calm(campaign: &Campaign) -> Capacity {
    let cell = &campaign.cells[0];
    capacity(&cell.program, &cell.plan, cell.measure.arrivals_end)
}

fn load<'a>(capacity: &'a Capacity, phase: usize, node: &str) -> &'a NodeLoad {
    let nodes = &capacity.phases[phase].nodes;
    nodes.iter().find(|load| load.node == node).unwrap_or_else(|| panic!("{node}: {nodes:?}"))
}

#[test]
fn what_is_offered_to_each_node_is_what_arrives_there_in_runs() {
    let campaign = campaign(CALM, SHOP);
    let planned = calm(&campaign);
    let runs = run_all(&campaign);
    let program = &campaign.cells[0].program;
    for node in ["api", "risk", "db", "bank", "mails", "post"] {
        let at = program.find_node(node).expect(node);
        let edges = program.edges.iter().enumerate().filter(|(_, edge)| edge.target == at);
        let attempts: u64 = edges
            .map(|(edge, _)| runs.iter().map(|run| run.metrics.edges[edge].attempts).sum::<u64>())
            .sum();
        // Of the attempts at the bank a tenth is lost on the way there.
        let arriving = if node == "bank" { 0.9 } else { 1.0 };
        let measured = attempts as f64 * arriving / (200.0 * runs.len() as f64);
        let offered = load(&planned, 0, node).offered_per_s;
        // Some 12,000 to 70,000 attempts: 3% are three standard deviations of the smallest.
        assert!((offered / measured - 1.0).abs() < 0.03, "{node}: {offered} {measured}");
    }
}

#[test]
fn the_time_of_a_service_holds_what_its_workers_wait_for() {
    // One attempt at the bank: 1 ms there and 1 ms back around 10 ms of work, and every second
    // reply is lost, so that half of the attempts take the whole timeout of 100 ms.
    let model = r#"
[clients.users]
arrivals = { constant = "50/s" }
flow = [{ call = "api.buy" }]

[service.api]
workers = 10
on.buy.steps = [{ work = "5ms" }, { call = "bank.charge", policy = "three" }, { reply = "ok" }]

[provider.bank]
concurrency = 1
latency = "10ms"
effects = ["charge"]

[link.default]
latency = "0s"

[link."api -> bank"]
latency = "1ms"
reply_loss = "50%"

[policy.three]
timeout = "100ms"
retry = { attempts = 3, backoff = "constant 40ms" }
"#;
    let planned = calm(&campaign(CALM, model));
    let (api, bank) = (load(&planned, 0, "api"), load(&planned, 0, "bank"));
    let attempts = 1.0 + 0.5 + 0.25;
    let near = |value: Option<f64>, exact: f64| (value.expect("it is known") - exact).abs() < 1e-6;
    assert!(near(Some(bank.offered_per_s), 50.0 * attempts), "{bank:?}");
    assert!(near(bank.utilisation(), 50.0 * attempts * 0.010), "{bank:?}");
    let held = 0.005 + attempts * (0.5 * 0.012 + 0.5 * 0.1) + (0.5 + 0.25) * 0.04;
    assert!(near(api.service_s, held), "{api:?} {held}");
    assert!(near(api.utilisation(), 50.0 * held / 10.0), "{api:?}");
}

#[test]
fn every_set_of_faults_that_act_together_is_looked_at_by_itself() {
    let faults = r#"
[[faults]]
kind = "slow"
target = "risk"
factor = 4
at = "20s"
for = "40s"

[[faults]]
kind = "traffic_spike"
target = "shoppers"
rate = "180/s"
at = "40s"
for = "40s"

[[faults]]
kind = "crash"
target = "api[0]"
at = "100s"
for = "10s"
"#;
    let planned = calm(&campaign(&format!("{CALM}{faults}"), SHOP));
    let sets: Vec<&[usize]> = planned.phases.iter().map(|one| &*one.phase.faults).collect();
    assert_eq!(sets, [&[][..], &[1], &[1, 2], &[2], &[3]]);
    let risk = |phase| load(&planned, phase, "risk").utilisation().expect("it has workers");
    assert!(risk(0) < 0.1 && risk(1) > 0.2, "{} {}", risk(0), risk(1));
    assert!((risk(2) / risk(1) - 3.0).abs() < 1e-6, "{} {}", risk(2), risk(1));
    let api = |phase| load(&planned, phase, "api").workers;
    assert_eq!((api(0), api(4)), (Some(80.0), Some(40.0)));
}

/// A shop whose workers take 60 ms for each of 50 orders a second, one after the other.
const BEHIND: &str = r#"
[clients.users]
arrivals = { poisson = "50/s" }
flow = [{ call = "shop.order" }]

[service.shop]
workers = 10
on.order.steps = [{ publish = "orders" }, { reply = "ok" }]

[queue.orders]
visibility = "1h"

[service.packer]
workers = WORKERS
takes = "orders"
steps = [{ work = "60ms" }, { ack = true }]
"#;

fn stormglass(arguments: &[&str], workers: &str) -> Output {
    let promise = "[expect]\nsuccess_ratio = \">= 50%\"\n";
    let experiment = format!("{}{promise}", CALM.changed("200s", "20s"));
    printed(arguments, &experiment, &BEHIND.changed("WORKERS", workers))
}

/// What a command comes to beside `calm.toml` and its model.
fn printed(arguments: &[&str], experiment: &str, model: &str) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [("shop.toml", model), ("calm.toml", experiment)] {
        std::fs::write(folder.path().join(name), text).expect("it can be written");
    }
    Command::new(env!("CARGO_BIN_EXE_stormglass"))
        .args(arguments)
        .current_dir(folder.path())
        .output()
        .expect("it starts")
}

#[test]
fn plan_run_and_check_begin_with_what_is_overloaded_without_a_fault() {
    for arguments in [&["plan", "calm.toml"][..], &["run", "calm.toml"], &["check", "calm.toml"]] {
        let output = stormglass(arguments, "2");
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let text = format!("{out}{}", String::from_utf8_lossy(&output.stderr));
        // 50 a second of 2 workers / 60 ms = 33.3 a second.
        let said = "`packer` is overloaded without any fault: 150% of its capacity (50/s of 33.3/s";
        assert!(text.contains(said), "{arguments:?}: {text}");
        assert!(text.contains("messages left over, the oldest message"), "{arguments:?}: {text}");
        assert!(!text.contains("does not confirm"), "{arguments:?}: {text}");
        let output = stormglass(arguments, "5");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!text.contains("overloaded") && output.status.success(), "{arguments:?}: {text}");
    }
}

#[test]
fn plan_as_json_has_every_node_in_every_phase_and_the_number_of_runs() {
    let output = stormglass(&["plan", "calm.toml", "--json"], "2");
    let plan: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    assert_eq!(plan["runs"], 2);
    let nodes = plan["cells"][0]["phases"][0]["nodes"].as_array().expect("a list");
    let packer = nodes.iter().find(|node| node["node"] == "packer").expect("it has the packer");
    assert_eq!(packer["offered_per_s"], 50.0);
    let utilisation = packer["utilisation"].as_f64().expect("a number");
    assert!((utilisation - 1.5).abs() < 1e-9, "{utilisation}");
    assert!(plan["seconds"].as_f64().expect("a number") > 0.0);
}

/// What `stormglass plan --json` says of an experiment with a model.
fn planned(experiment: &str, model: &str) -> Value {
    let output = printed(&["plan", "calm.toml", "--json"], experiment, model);
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// A value of a node in a phase of the first cells.
fn said(plan: &Value, phase: usize, node: &str, key: &str) -> f64 {
    let nodes = plan["cells"][0]["phases"][phase]["nodes"].as_array().expect("a list");
    let load = nodes.iter().find(|load| load["node"] == node);
    load.and_then(|load| load[key].as_f64()).unwrap_or_else(|| panic!("{node} {key}: {nodes:?}"))
}

/// Whether some assumption has this text in it.
fn assumes(plan: &Value, text: &str) -> bool {
    let assumed = plan["cells"][0]["assumptions"].as_array().expect("a list");
    assumed.iter().any(|one| one.as_str().is_some_and(|one| one.contains(text)))
}

/// 100 orders a second, of which a till takes 50; a mail for each that it took.
const FULL: &str = r#"
[clients.users]
arrivals = { constant = "100/s" }
flow = [{ call = "shop.order" }]

[service.shop]
workers = 1000
on.order.steps = [
  { call = "till.pay", policy = "again" },
  { publish = "mails" },
  { reply = "ok" },
]

[service.till]
workers = 1
on.pay.steps = [{ work = "10ms" }, { call = "bank.charge" }, { reply = "ok" }]

[provider.bank]
concurrency = 100
latency = "10ms"
effects = ["charge"]

[queue.mails]
visibility = "1h"

[service.mailer]
workers = 1
takes = "mails"
steps = [{ work = "15ms" }, { ack = true }]

[link.default]
latency = "0s"

[policy.again]
retry = { attempts = 3, backoff = "none" }
"#;

#[test]
fn what_lies_behind_a_full_or_dead_node_is_offered_what_that_one_serves() {
    let crash = "[[faults]]\nkind = \"crash\"\ntarget = \"till\"\nat = \"50s\"\nfor = \"9s\"\n";
    let plan = planned(&format!("{CALM}{crash}"), FULL);
    let near = |phase, node, exact: f64| {
        let offered = said(&plan, phase, node, "offered_per_s");
        assert!((offered - exact).abs() < 1e-6, "{node} in phase {phase}: {offered}");
    };
    near(0, "till", 100.0);
    near(0, "bank", 50.0);
    near(0, "mailer", 50.0);
    let asked = said(&plan, 0, "mailer", "utilisation");
    assert!((asked - 0.75).abs() < 1e-6, "{asked}");
    near(1, "till", 100.0);
    near(1, "bank", 0.0);
    assert!(assumes(&plan, "`till` passes on what it can serve"), "{plan:#}");
}

#[test]
fn the_time_of_a_plan_holds_the_pilots_that_find_the_warm_up() {
    let plan = planned(CALM, FULL);
    // One for each of two seeds.
    assert_eq!(plan["pilots"], 2);
    let seconds = |key: &str| plan[key].as_f64().expect("a number");
    assert!(seconds("seconds_of_pilots") > 0.0, "{plan:#}");
    assert!(seconds("seconds") > seconds("seconds_of_pilots"), "{plan:#}");
    let stated =
        |warm_up: &str| planned(&format!("{CALM}measure = {{ warm_up = \"{warm_up}\" }}\n"), FULL);
    assert_eq!(stated("0s")["pilots"], 10, "they say whether it is too short");
    let late = stated("150s");
    assert_eq!((&late["pilots"], &late["seconds_of_pilots"]), (&0.into(), &0.0.into()));
    let output = stormglass(&["plan", "calm.toml"], "5");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("= 2 runs after 2 pilots of `warm_up`, about"), "{text}");
}

/// Nodes with one limit each, far from full.
const LIMITED: &str = r#"
[clients.users]
arrivals = { constant = "1/s" }
flow = [
  { call = "shared.do" },
  { call = "paused.do" },
  { call = "counted.do" },
  { call = "walled.do" },
  { call = "pooled.do" },
  { call = "slowed.do", policy = "short" },
]

[service.shared]
workers = 4
cores = 1
on.do.steps = [{ work = "5ms" }, { reply = "ok" }]

[service.paused]
workers = 1
pauses = { every = "100ms", for = "300ms" }
on.do.steps = [{ work = "5ms" }, { reply = "ok" }]

[service.counted]
workers = 50
instances = 2
rate_limit = { token_bucket = { rate = "30/s", burst = 1 } }
on.do.steps = [{ work = "5ms" }, { publish = "parts" }, { publish = "few" }, { reply = "ok" }]

[service.walled]
workers = 50
bulkhead.db = { limit = 1, queue = 10 }
on.do.steps = [{ transaction = "db", write = ["order = placed", "outbox = placed"] }, { reply = "ok" }]

[service.pooled]
workers = 50
pool.db = { size = 3 }
on.do.steps = [
  { work = "9ms" },
  { hold = "db", steps = [
    { work = "10ms" },
    { parallel = [[{ hold = "db", steps = [{ work = "20ms" }] }], [{ work = "30ms" }]] },
  ] },
  { reply = "ok" },
]

[service.slowed]
workers = 50
concurrency_cost = { contention = 0.5, coherency = 0.0 }
on.do.steps = [{ work = "100ms" }, { reply = "ok" }]

[database.db]
connections = 100
commit = "20ms"
read = "1ms"
tables = { order = {} }

[outbox.relay]
database = "db"
queue = "events"
poll = "10ms"
policy = "short"
publish = { in_flight = 5, batch = 1, ordering_key = "key" }

[queue.events]
visibility = "1h"

[service.reader]
workers = 1
takes = "events"
steps = [{ ack = true }]

[queue.parts]
visibility = "1h"
partitions = 2

[service.packer]
workers = 20
takes = "parts"
steps = [{ work = "50ms" }, { ack = true }]

[queue.few]
visibility = "1h"
in_flight = 1

[service.sender]
workers = 20
takes = "few"
steps = [{ work = "50ms" }, { ack = true }]

[link.default]
latency = "0s"

[link."relay -> events"]
latency = "0s"
request_loss = "20%"

[policy.short]
timeout = "300ms"
rate_limit = { kind = "gcra", rate = "50/s", burst = 5 }
"#;

#[test]
fn a_node_can_take_what_the_tightest_of_its_limits_lets_it_take() {
    let plan = planned(&CALM.changed("200s", "20s"), LIMITED);
    let nodes = plan["cells"][0]["phases"][0]["nodes"].as_array().expect("a list");
    for (node, bound, exact) in [
        ("shared", "cores", 200.0),
        ("paused", "workers, pauses", 200.0 / 4.0),
        ("counted", "rate_limit", 60.0),
        ("packer", "partitions of parts", 2.0 / 0.050),
        ("sender", "in_flight of few", 1.0 / 0.050),
        ("walled", "bulkhead db", 1.0 / 0.020),
        ("pooled", "pool db", 3.0 / (0.010 + 0.030 + 0.020)),
        ("slowed", "concurrency_cost", 50.0 / (1.0 + 0.5 * 49.0) / 0.100),
        ("db", "workers", f64::NAN),
    ] {
        let load = nodes.iter().find(|load| load["node"] == node).expect(node);
        assert_eq!(load["bound_by"], bound, "{load}");
        let capacity = load["capacity_per_s"].as_f64().expect("a number");
        assert!(exact.is_nan() || (capacity / exact - 1.0).abs() < 1e-6, "{load} {exact}");
    }
    for limit in [
        "`slowed` works at the best that its `concurrency_cost` allows",
        "messages are spread evenly over the partitions of `parts`",
        "no event of `relay` waits for another of its `ordering_key`",
        "`relay` goes on at once after a call of it has failed",
        "the limits of policies keep no call back",
    ] {
        assert!(assumes(&plan, limit), "{limit}: {plan:#}");
    }
}
