//! What a plan takes for granted of rows, what a calm run says of it, and how long a search is.

use serde_json::Value;

use super::{CALM, planned, printed};
use crate::common::Changed;

/// Orders are written, read, and paid for if they are in some state.
const ROWS: &str = r#"
[clients.users]
arrivals = { constant = "60/s" }
flow = [{ call = "shop.buy" }]

[service.shop]
workers = 1000
on.buy.steps = [
  { transaction = "orders", write = ["order = paid"] },
  { read = "orders.order" },
  { when = { CONDITION }, then = [{ call = "bank.charge" }] },
  { reply = "ok" },
]

[database.orders]
connections = "unlimited"
commit = "1ms"
read = "1ms"
tables = { order = {} }

[provider.bank]
concurrency = 20
latency = "1s"
effects = ["charge"]
"#;

/// What comes to the bank a second.
fn at_bank(model: &str) -> f64 {
    let plan = planned(&CALM.changed("200s", "20s"), model);
    let nodes = plan["cells"][0]["phases"][0]["nodes"].as_array().expect("a list");
    let bank = nodes.iter().find(|node| node["node"] == "bank");
    bank.map_or(0.0, |bank| bank["offered_per_s"].as_f64().expect("a number"))
}

#[test]
fn rows_are_never_in_a_state_that_no_step_writes_and_always_in_the_only_one() {
    for (condition, offered) in [
        (r#"state = "accepted""#, 0.0),
        (r#"not_state = "accepted""#, 60.0),
        (r#"state = "paid""#, 60.0),
        (r#"not_state = "paid""#, 0.0),
    ] {
        let found = at_bank(&ROWS.changed("CONDITION", condition));
        assert!((found - offered).abs() < 1e-4, "{condition}: {found}");
    }
    // Rows that are there from the start are in a state that no step writes.
    let model = ROWS.changed("CONDITION", r#"state = "accepted""#);
    let model = model.changed("order = {}", r#"order = { initial = "accepted" }"#);
    assert!((at_bank(&model) - 30.0).abs() < 1e-4, "it may be either of two");
}

#[test]
fn a_calm_run_without_an_overload_does_not_confirm_one() {
    // One in a hundred is in the state; half of them would be more than the bank can take.
    let rare = r#"{ when = { share_of_requests = "1%" }, then = [
    { transaction = "orders", write = ["order = accepted"] },
  ] },
  { read = "orders.order" },"#;
    let model = ROWS.changed("CONDITION", r#"state = "accepted""#);
    let model = model.changed(r#"{ read = "orders.order" },"#, rare);
    let experiment = CALM.changed("200s", "20s");
    for command in ["plan", "run"] {
        let output = printed(&[command, "calm.toml"], &experiment, &model);
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        assert!(text.contains("`bank` is overloaded without any fault: 150%"), "{text}");
        let said = "which does not confirm it: `bank` would make the last wait for 10.0 s";
        assert!(text.contains(said), "{text}");
    }
}

/// Who comes at 2 s is answered after a pause, or gives up; nothing is left to chance.
const PAUSE: &str = r#"
name = "pause"
model = "shop.toml"
arrivals = "10s"

[[faults]]
kind = "pause"
target = "shop"
at = "1900ms"
for = "1s"

[invariants]
retries_bounded = { operation = "shop.buy", attempts = 2 }

[search]
vary = "faults.0.for"
from = "500ms"
until = "6s"
outcome = "retries_bounded_violated"
"#;

const CLOCKWORK: &str = r#"
[clients.users]
arrivals = { constant = "1/s" }
flow = [{ call = "shop.buy", policy = "user" }]

[service.shop]
workers = 1
on.buy.steps = [{ work = "1ms" }, { reply = "ok" }]

[policy.user]
timeout = "800ms"
retry = { attempts = 5, backoff = "none" }
"#;

#[test]
fn a_search_is_planned_with_the_runs_that_it_makes_and_not_with_its_grid() {
    let output = printed(&["plan", "calm.toml", "--json"], PAUSE, CLOCKWORK);
    let plan: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let [runs, most] = ["runs", "runs_at_most"].map(|key| plan[key].as_u64().expect(key));
    let output = printed(&["run", "calm.toml", "--json"], PAUSE, CLOCKWORK);
    let summary: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let made = summary["boundaries"][0]["runs"].as_u64().expect("it has run");
    assert!(most > 4 * runs, "{runs} of {most}");
    assert!((runs as f64 / made as f64 - 1.0).abs() < 0.3, "{runs} {made}");
    let output = printed(&["plan", "calm.toml"], PAUSE, CLOCKWORK);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains(&format!("at most {most} runs; about {runs} where")), "{text}");
}
