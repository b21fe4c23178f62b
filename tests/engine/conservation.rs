//! Drawn fault plans, and that nothing goes missing under them: in debug builds every event of
//! these runs is followed by a check of the books.

use stormglass::experiment::plan::campaign::Campaign;
use stormglass::experiment::run::result::RunResult;
use stormglass::fault::{DrawnFault, FaultKind};

const MODEL: &str = r#"
[clients.shoppers]
processes = 5
arrivals = { poisson = "60/s" }
patience = "5s"
flow = [{ call = "api.order", policy = "retrying" }]
[service.api]
instances = 2
workers = 6
queue = { limit = 10 }
zone = "a"
[service.api.on.order]
steps = [
  { work = "exp 4ms" },
  { transaction = "orders", policy = "retrying", once = "request", write = [
      "order = accepted", "outbox = payment requested" ] },
  { reply = "ok" },
]
[database.orders]
connections = 8
commit = "exp 2ms"
read = "exp 500us"
tables = { order = {}, payment = {} }
zone = "a"
[outbox.relay]
database = "orders"
queue = "payments"
poll = "50ms"
policy = "retrying"
zone = "a"
[queue.payments]
visibility = "2s"
max_receives = 4
redelivery = "300ms"
zone = "b"
[service.payer]
workers = 5
takes = "payments"
zone = "b"
steps = [
  { call = "payment.charge", policy = "retrying", idempotency_key = "order" },
  { transaction = "orders", policy = "retrying", write = ["payment = recorded", "order = paid"] },
  { ack = true },
]
[provider.payment]
concurrency = 20
latency = "exp 10ms"
[policy.retrying]
timeout = "400ms"
retry = { attempts = 3, backoff = "constant 50ms", jitter = "full" }
[link.default]
latency = "exp 1ms"
duplication = "1%"
reordering = { share = "2%", by = "uniform 1ms..50ms" }
bandwidth = "2000/s"
buffer = 100
"#;

fn experiment(more: &str) -> String {
    format!(
        r#"
name = "storms"
model = "m.toml"
seeds = "1..21"
arrivals = "12s"
drain = "60s"
[random_faults]
from = "1s"
until = "8s"
{more}
[random_faults.kinds.reply_loss]
strikes = "20/min"
for = "exp 1s"
share = ["10%", "90%"]
[random_faults.kinds.duplicate]
strikes = "20/min"
for = "exp 1s"
share = ["10%", "90%"]
[random_faults.kinds.reorder]
strikes = "20/min"
for = "exp 1s"
share = ["10%", "90%"]
added = ["1ms", "500ms"]
[random_faults.kinds.partition]
strikes = "20/min"
for = "exp 500ms"
[random_faults.kinds.link_clog]
strikes = "10/min"
for = "uniform 100ms..2s"
[random_faults.kinds.slow]
strikes = "10/min"
for = "1s"
factor = [2.0, 20.0]
targets = ["api", "orders"]
[random_faults.kinds.errors]
strikes = "10/min"
for = "1s"
share = ["10%", "50%"]
after_effect = ["0%", "100%"]
[random_faults.kinds.traffic_spike]
strikes = "5/min"
for = "1s"
rate = ["100/s", "200/s"]
"#
    )
}

fn storms(more: &str) -> Campaign {
    crate::common::campaign(&experiment(more), MODEL)
}

fn kinds(run: &RunResult) -> Vec<FaultKind> {
    let mut kinds: Vec<FaultKind> = run.drawn.iter().map(|drawn| drawn.fault.kind).collect();
    kinds.dedup();
    kinds
}

#[test]
fn nothing_goes_missing_in_any_storm() {
    let results = crate::common::run_all(&storms(""));
    let mut fired = 0;
    for run in &results {
        let metrics = &run.metrics;
        assert_eq!(run.ending.name(), "complete");
        // A minute after the last arrival only the relay still asks: a message or its copy.
        for side in [0, 1] {
            let (sent, copies) = (metrics.sent[side], metrics.duplicated[side]);
            let gone = metrics.lost[side] + metrics.arrived[side];
            assert!((gone..=gone + 2).contains(&(sent + copies)), "{sent} + {copies}, {gone}");
        }
        let failed: u64 = metrics.failed.total();
        assert_eq!(metrics.requests, metrics.ok + failed);
        fired += (0..run.drawn.len()).filter(|&index| metrics.times_fired(index) > 0).count();
    }
    let drawn: usize = results.iter().map(|run| run.drawn.len()).sum();
    assert!(fired * 10 > drawn * 6, "most faults have an effect: {fired} of {drawn}");
    // Of each kind, some fault had an effect.
    for kind in kinds(&results[0]) {
        let has_effect = |run: &RunResult| {
            let drawn = run.drawn.iter().enumerate();
            drawn.into_iter().any(|(index, drawn)| {
                drawn.fault.kind == kind && run.metrics.times_fired(index) > 0
            })
        };
        assert!(results.iter().any(has_effect), "{kind:?}");
    }
}

#[test]
fn plans_are_drawn_from_the_seed_within_their_window_and_heal() {
    let campaign = storms("");
    let plans: Vec<Vec<DrawnFault>> =
        (1..21).map(|seed| campaign.cells[0].random.as_ref().unwrap().draw(seed)).collect();
    assert_eq!(campaign.run(4).drawn, plans[4]);
    assert_ne!(plans[0], plans[1]);
    for drawn in plans.iter().flatten() {
        let (at, until) =
            (drawn.fault.at.seconds(), (drawn.fault.at + drawn.fault.lasts).seconds());
        assert!((1.0..8.0).contains(&at) && until > at && until <= 8.0, "{drawn:?}");
        if let Some(share) = drawn.fault.share {
            assert!((0.1..=0.9).contains(&share.0), "{drawn:?}");
        }
        if drawn.fault.kind == FaultKind::Slow {
            assert!(["api", "orders"].contains(&drawn.fault.target.as_str()));
        }
    }
    // 115 a minute for 7 s and 20 seeds: a Poisson number of mean 268, missed once in a million.
    let count = plans.iter().flatten().count() as f64;
    assert!((count - 268.3).abs() < 4.9 * 268.3_f64.sqrt(), "{count}");
}

#[test]
fn a_fault_that_is_left_out_leaves_all_others_as_they_were() {
    let all = storms("").run(0);
    let removed = all.drawn[1].name.clone();
    let without = storms(&format!("without = [\"{removed}\"]")).run(0);
    let rest: Vec<DrawnFault> =
        all.drawn.iter().filter(|drawn| drawn.name != removed).cloned().collect();
    assert_eq!(rest.len() + 1, all.drawn.len());
    assert_eq!(without.drawn, rest);
}

#[test]
fn a_swarm_leaves_kinds_out_and_changes_no_other() {
    let (calm, swarm) = (storms(""), storms("swarm = true"));
    let plan = |campaign: &Campaign, seed| campaign.cells[0].random.as_ref().unwrap().draw(seed);
    let mut left_out = 0;
    for seed in 1..101 {
        let (all, some) = (plan(&calm, seed), plan(&swarm, seed));
        let is_in = |kind: FaultKind| some.iter().any(|drawn| drawn.fault.kind == kind);
        let expected: Vec<DrawnFault> =
            all.iter().filter(|drawn| is_in(drawn.fault.kind)).cloned().collect();
        assert_eq!(some, expected, "of a kind all faults are there, or none");
        left_out += usize::from(!is_in(FaultKind::Duplicate));
    }
    // Half of 100 runs, and those few in which none would be drawn: missed once in a million.
    assert!((26..=85).contains(&left_out), "{left_out}");
}

#[test]
fn listed_faults_stay_beside_drawn_ones() {
    let listed = "[[faults]]\nkind = \"slow\"\ntarget = \"api\"\nfactor = 3.0\nat = \"9s\"\n\
                  for = \"1s\"\n";
    let campaign = crate::common::campaign(&(experiment("") + listed), MODEL);
    let run = campaign.run(0);
    assert_eq!(run.drawn, storms("").run(0).drawn);
    assert!(run.metrics.times_fired(0) > 0);
    assert_eq!(run.faults_act.unwrap().1.seconds(), 10.0);
}
