//! What a plan takes for granted of rows, and what a calm run says of it.

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
