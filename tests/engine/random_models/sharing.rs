//! What may be held when something dies: state of policies that all callers share, events that a
//! relay has on their way, and places of pools.

use serde_json::{Value, json};

use crate::random_models::dice::Dice;
use crate::random_models::generate::compile;

/// What a state can lend: places, permits, slots, probes, copies.
fn lenders() -> Vec<(&'static str, Value)> {
    vec![
        ("bulkhead", json!({ "limit": 2, "queue": 3 })),
        ("bulkhead", json!({ "limit": 3, "queue": 50, "max_wait": "100ms" })),
        ("breaker", json!({ "consecutive": 2, "open_for": "constant 100ms", "probes": 1 })),
        ("budget", json!({ "kind": "concurrent", "ratio": "20%", "min_retries": 2 })),
        ("concurrency_limit", json!({ "kind": "aimd", "initial": 3, "max": 10, "backoff": "90%" })),
        ("hedge", json!({ "delay": "2ms" })),
        ("timeout", json!("30ms")),
    ]
}

/// Lets all callers share the state of some policies, and adds what a state can lend, as far as the
/// model stays valid. How many policies are shared then.
pub(crate) fn share(model: &mut Value, dice: &mut Dice) -> usize {
    let Some(policies) = model["policy"].as_object() else { return 0 };
    let names: Vec<String> = policies.keys().cloned().collect();
    for name in &names {
        if dice.is_one_in(2) {
            continue;
        }
        put(model, name, "scope", json!("shared"));
        for _ in 0..dice.below(4) {
            let (key, value) = dice.pick(&lenders());
            match key {
                "budget" => put(model, name, "retry", json!({ "attempts": 3, "budget": value })),
                _ => put(model, name, key, value),
            }
        }
    }
    names.iter().filter(|&name| model["policy"][name]["scope"] == "shared").count()
}

/// Lets the relay of some models publish several events at once.
pub(crate) fn hurry_relay(model: &mut Value, dice: &mut Dice) {
    let publish = json!({ "in_flight": 1 + dice.below(5), "batch": 1 + dice.below(3) });
    if dice.is_one_in(2) {
        let before = model.clone();
        model["outbox"]["outbox0"]["publish"] = publish;
        if compile(model).is_err() {
            *model = before;
        }
    }
}

/// Lets callers limit their connections by some policies, as far as the model stays valid.
pub(crate) fn connect(model: &mut Value, dice: &mut Dice) {
    let Some(policies) = model["policy"].as_object() else { return };
    let names: Vec<String> = policies.keys().cloned().collect();
    for name in &names {
        if !dice.is_one_in(3) {
            continue;
        }
        let limit = [json!("unlimited"), json!(1), json!(2)];
        let mut connections = json!({ "limit": dice.pick(&limit), "streams": 1 + dice.below(3) });
        for (key, value) in [
            ("queue", json!(dice.below(4))),
            ("acquire_timeout", json!("20ms")),
            ("round_trips", json!(dice.below(4))),
            ("accept", json!("2ms")),
            ("idle_timeout", json!("30ms")),
            ("max_idle", json!(1)),
            ("max_age", json!("300ms")),
        ] {
            if dice.is_one_in(2) {
                connections[key] = value;
            }
        }
        put(model, name, "connections", connections);
    }
}

/// Lets handlers hold places of pools over some of their steps, of one pool twice at times, so that
/// some pools lock.
pub(crate) fn hold(model: &mut Value, dice: &mut Dice) {
    let Some(services) = model["service"].as_object() else { return };
    let mut lists = Vec::new();
    for (name, service) in services {
        let operations = service["on"].as_object().into_iter().flatten();
        lists.extend(
            operations.map(|(on, _)| (name.clone(), format!("/service/{name}/on/{on}/steps"))),
        );
        lists.push((name.clone(), format!("/service/{name}/steps")));
    }
    for (service, list) in lists {
        for _ in 0..dice.below(4) {
            let before = model.clone();
            let timeout = dice.pick(&["5ms", "50ms", "2s"]);
            let pool = json!({ "size": 1 + dice.below(3), "acquire_timeout": timeout });
            model["service"][&service]["pool"] = json!({ "pool0": pool, "pool1": {} });
            if let Some(Value::Array(steps)) = model.pointer_mut(&list) {
                hold_some(steps, dice);
            }
            if compile(model).is_err() {
                *model = before;
            }
        }
    }
}

/// Lets a place be held over some steps that follow each other.
fn hold_some(steps: &mut Vec<Value>, dice: &mut Dice) {
    if steps.is_empty() {
        return;
    }
    let from = dice.below(steps.len());
    let until = from + 1 + dice.below(steps.len() - from);
    let inner: Vec<Value> = steps.drain(from..until).collect();
    let pool = dice.pick(&["pool0", "pool0", "pool1"]);
    let mut step = json!({ "hold": pool, "steps": inner });
    match dice.below(4) {
        0 => step["ignore_failure"] = json!(true),
        1 => step["fallback"] = json!([{ "work": "1ms" }]),
        _ => {}
    }
    steps.insert(from, step);
}

fn put(model: &mut Value, policy: &str, key: &str, value: Value) {
    let before = model.clone();
    model["policy"][policy][key] = value;
    if compile(model).is_err() {
        *model = before;
    }
}
