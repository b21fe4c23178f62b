//! Messages that are handed over ahead of their turn: how long the last of them waits, and where
//! that is longer than it is hidden.

use serde_json::Value;

use super::{CALM, planned, printed};
use crate::common::Changed;

const TASKS: &str = r#"
[clients.users]
arrivals = { constant = "1/min" }
flow = [{ call = "web.submit" }]

[service.web]
workers = 50
on.submit.steps = [{ publish = "tasks" }, { reply = "ok" }]

[queue.tasks]
visibility = "30s"

[service.worker]
instances = 3
workers = 2
prefetch = 20
takes = "tasks"
steps = [{ work = "2s" }, { ack = true }]
"#;

fn ahead(model: &str) -> Value {
    let plan = planned(&CALM.changed("200s", "20s"), model);
    let nodes = plan["cells"][0]["phases"][0]["nodes"].as_array().expect("a list");
    nodes.iter().find(|node| node["node"] == "worker").expect("it works")["ahead"].clone()
}

#[test]
fn the_last_in_hand_waits_for_those_before_it() {
    let of = |model: &str| {
        let ahead = ahead(model);
        let seconds = ahead["wait_s"].as_f64().expect("a number");
        (ahead["messages"].as_u64(), seconds, ahead["is_too_late"] == true)
    };
    assert_eq!(of(TASKS), (Some(20), 20.0, false));
    assert_eq!(of(&TASKS.changed("prefetch = 20", "prefetch = 28")), (Some(28), 28.0, false));
    assert_eq!(of(&TASKS.changed("prefetch = 20", "prefetch = 29")), (Some(29), 29.0, true));
    // Only what it does before its first heartbeat has to be in time.
    let kept = TASKS.changed("visibility = \"30s\"", "visibility = \"30s\"\nheartbeat = \"500ms\"");
    assert_eq!(of(&kept.changed("prefetch = 20", "prefetch = 29")), (Some(29), 29.0, false));
    // What the queue hands out at once fills the workers first.
    let few = TASKS.changed("visibility = \"30s\"", "visibility = \"30s\"\nin_flight = 12");
    assert_eq!(of(&few), (Some(10), 10.0, false));
    assert_eq!(ahead(&TASKS.changed("prefetch = 20", "")), Value::Null);
}

#[test]
fn whoever_is_handed_more_than_it_can_do_in_time_is_named_before_a_run() {
    let experiment = CALM.changed("200s", "20s")
        + "[expect]\nsuccess_ratio = \">= 50%\"\n[arms.few]\n[arms.many]\n\
           set = { \"service.worker.prefetch\" = 100 }\n";
    for arguments in
        [&["plan", "calm.toml", "--full"][..], &["run", "calm.toml"], &["check", "calm.toml"]]
    {
        let output = printed(arguments, &experiment, TASKS);
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        let said = "warning: each instance of `worker` is handed 100 messages ahead of their turn \
                    in 1 of 2 combinations:\n         the last waits for 1 min 40 s until a worker \
                    is free, but is hidden for 30 s only:";
        assert_eq!(text.matches(said).count(), 1, "{text}");
        if arguments[0] == "plan" {
            assert!(text.contains("6 (+20)") && text.contains("6 (+100)"), "{text}");
        }
    }
}
