//! Fault plans for a random model: listed faults of every kind, and kinds that each run draws.

use serde_json::{Map, Value, json};
use stormglass::fault::{FaultKind, Plan, RandomPlan};
use stormglass::model::program::{Kind, Program};

use crate::random_models::dice::Dice;

/// The most faults that a plan lists, or kinds that it draws.
const FAULTS: usize = 7;
/// How often a fault is drawn anew that does not fit the model.
const TRIES: usize = 20;
const SHARES: [&str; 4] = ["5%", "30%", "70%", "100%"];
const LENGTHS: [&str; 5] = ["1ms", "50ms", "300ms", "1s", "4s"];

/// What goes wrong while a model runs, as `faults` and `random_faults` of an experiment. One in
/// eight models is spared.
pub(crate) fn plan(program: &Program, dice: &mut Dice) -> Map<String, Value> {
    let mut plan = Map::new();
    if dice.is_one_in(8) {
        return plan;
    }
    let count = 1 + dice.below(FAULTS);
    let listed: Vec<Value> = (0..count).filter_map(|_| listed(program, dice)).collect();
    plan.insert("faults".to_owned(), Value::Array(listed));
    let count = dice.below(FAULTS);
    let mut kinds: Map<String, Value> = (0..count).filter_map(|_| drawn(program, dice)).collect();
    // Whoever dies holds something, so there are deaths in each of them.
    let deaths = json!({ "strikes": dice.pick(&["60/min", "240/min"]), "for": "exp 200ms" });
    kinds.entry("crash").or_insert(deaths);
    plan.insert("random_faults".to_owned(), around(&kinds, dice));
    plan
}

/// One fault that fits the model.
fn listed(program: &Program, dice: &mut Dice) -> Option<Value> {
    // Each kind comes about as often as each other, so the target is drawn anew and not the kind.
    let kind = dice.pick(&FaultKind::ALL);
    (0..TRIES).map(|_| fault(kind, program, dice)).find(|fault| {
        let fault = serde_json::from_value(fault.clone()).expect("a fault");
        Plan::new(&[fault], program).is_ok()
    })
}

fn fault(kind: FaultKind, program: &Program, dice: &mut Dice) -> Value {
    let node = dice.below(program.nodes.len());
    let mut fault = strengths(kind, node, program, dice);
    fault.insert("kind".to_owned(), json!(kind.name()));
    fault.insert("target".to_owned(), target(kind, node, program, dice));
    let at = dice.pick(&["0s", "100ms", "700ms", "1300ms", "1900ms", "2500ms"]);
    fault.insert("at".to_owned(), json!(at));
    if kind != FaultKind::RedeliveryBurst {
        fault.insert("for".to_owned(), json!(dice.pick(&LENGTHS)));
    }
    Value::Object(fault)
}

/// Whom it strikes: a node, an instance of it, or links.
fn target(kind: FaultKind, node: usize, program: &Program, dice: &mut Dice) -> Value {
    let name = &program.nodes[node].name;
    json!(match kind {
        FaultKind::Crash | FaultKind::Restart | FaultKind::Pause if dice.is_one_in(2) =>
            format!("{name}[0]"),
        FaultKind::RequestLoss
        | FaultKind::ReplyLoss
        | FaultKind::Latency
        | FaultKind::Duplicate
        | FaultKind::Reorder
        | FaultKind::Partition
        | FaultKind::LinkClog => match dice.below(4) {
            0 => "all".to_owned(),
            1 => dice.pick(&["zone one".to_owned(), "region two".to_owned(), name.clone()]),
            2 => name.clone(),
            _ => {
                let edge = &program.edges[dice.below(program.edges.len())];
                let name = |node: u16| &program.nodes[node as usize].name;
                format!("{} -> {}", name(edge.caller.0), name(edge.target.0))
            }
        },
        _ => name.clone(),
    })
}

/// How hard it strikes.
fn strengths(
    kind: FaultKind,
    node: usize,
    program: &Program,
    dice: &mut Dice,
) -> Map<String, Value> {
    let mut fault = Map::new();
    let mut put = |key: &str, value: Value| {
        fault.insert(key.to_owned(), value);
    };
    match kind {
        FaultKind::Slow => put("factor", json!(dice.pick(&[0.5, 3.0, 100.0]))),
        FaultKind::Errors => {
            put("share", json!(dice.pick(&SHARES)));
            put("after_effect", json!(dice.pick(&SHARES)));
        }
        FaultKind::RequestLoss
        | FaultKind::ReplyLoss
        | FaultKind::Duplicate
        | FaultKind::HotKey
        | FaultKind::ReadModelCorruption => put("share", json!(dice.pick(&SHARES))),
        FaultKind::Latency | FaultKind::ReplicaLag => {
            put("added", json!(dice.pick(&LENGTHS)));
        }
        FaultKind::Reorder => {
            put("share", json!(dice.pick(&SHARES)));
            put("added", json!(dice.pick(&LENGTHS)));
        }
        FaultKind::Partition => put("one_way", json!(dice.is_one_in(2))),
        FaultKind::PrimaryFailover => {
            put("to", json!("replica0"));
            put("after", json!(dice.pick(&LENGTHS)));
            put("share", json!(dice.pick(&["0%", "30%", "70%"])));
        }
        FaultKind::RedeliveryBurst => put("since", json!(dice.pick(&LENGTHS))),
        FaultKind::TrafficSpike => put("rate", json!(dice.pick(&["0/s", "100/s", "300/s"]))),
        FaultKind::Crash => put("unreachable", json!(dice.is_one_in(2))),
        FaultKind::WorkerKill | FaultKind::RelayCrash => {
            put("step", step(kind, node, program, dice));
            put("when", json!(dice.pick(&["before", "after"])));
            put("down", json!(dice.pick(&LENGTHS)));
            match dice.below(3) {
                0 => put("share", json!(dice.pick(&SHARES))),
                1 => put("times", json!(3)),
                _ => {}
            }
        }
        FaultKind::ClockSkew => put("by", json!(dice.pick(&["-500ms", "20ms", "3s"]))),
        FaultKind::ReplicaStop
        | FaultKind::CacheFlush
        | FaultKind::CacheStale
        | FaultKind::LinkClog
        | FaultKind::Restart
        | FaultKind::Pause
        | FaultKind::DiskFull
        | FaultKind::QueueStall => {}
    }
    fault
}

/// A step at which an instance of a node may die.
fn step(kind: FaultKind, node: usize, program: &Program, dice: &mut Dice) -> Value {
    if kind == FaultKind::RelayCrash {
        return json!(dice.pick(&["take", "publish", "mark"]));
    }
    let own = program.edges.iter().filter(|edge| edge.caller.0 as usize == node);
    let steps = own.filter_map(|edge| edge.name.split_once(" -> "));
    let steps: Vec<&str> = steps.map(|(_, operation)| operation).collect();
    json!(if steps.is_empty() { "none" } else { dice.pick(&steps) })
}

/// A kind that is drawn in each run, if it fits the model.
fn drawn(program: &Program, dice: &mut Dice) -> Option<(String, Value)> {
    let kind = dice.pick(&FaultKind::ALL);
    let is_right = |node: &Kind| match kind {
        FaultKind::RelayCrash => matches!(node, Kind::Outbox(_)),
        _ => matches!(node, Kind::Service(_)),
    };
    let node = program.nodes.iter().position(|node| is_right(&node.kind))?;
    let mut fault = strengths(kind, node, program, dice);
    for key in ["factor", "share", "after_effect", "added", "since", "rate"] {
        if let Some(value) = fault.get_mut(key) {
            *value = json!([value.clone(), value.clone()]);
        }
    }
    if matches!(kind, FaultKind::WorkerKill | FaultKind::RelayCrash) {
        fault.remove("share");
        fault.insert("targets".to_owned(), json!([program.nodes[node].name]));
    }
    fault.insert("strikes".to_owned(), json!(dice.pick(&["30/min", "120/min"])));
    fault.insert("for".to_owned(), json!(dice.pick(&["10ms", "exp 200ms"])));
    let kinds = Map::from_iter([(kind.name().to_owned(), Value::Object(fault))]);
    let text = serde_json::from_value(around(&kinds, dice)).expect("random faults");
    RandomPlan::new(&text, program).is_ok().then(|| kinds.into_iter().next().expect("one kind"))
}

fn around(kinds: &Map<String, Value>, dice: &mut Dice) -> Value {
    let until = dice.pick(&["500ms", "1s", "1900ms"]);
    json!({ "from": "0s", "until": until, "swarm": dice.is_one_in(3), "kinds": kinds })
}
