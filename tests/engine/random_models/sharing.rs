//! What may be held when something dies: state of policies that all callers share, and events that
//! a relay has on their way.

use serde_json::{Value, json};

use crate::random_models::dice::Dice;
use crate::random_models::generate::compile;

/// What a state can lend: places, permits, slots, probes, copies.
fn lenders() -> Vec<(&'static str, Value)> {
    vec![
        ("bulkhead", json!({ "limit": 2, "queue": 3 })),
        ("bulkhead", json!({ "limit": 3, "queue": 50, "max_wait": "100ms" })),
        ("breaker", json!({ "consecutive": 2, "open_for": "constant 100ms", "probes": 1 })),
        ("budget", json!({ "kind": "concurrent", "ratio": "20%", "floor": 2 })),
        ("limit", json!({ "kind": "aimd", "initial": 3, "most": 10, "backoff": "90%" })),
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

fn put(model: &mut Value, policy: &str, key: &str, value: Value) {
    let before = model.clone();
    model["policy"][policy][key] = value;
    if compile(model).is_err() {
        *model = before;
    }
}
