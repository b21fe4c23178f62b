//! Users who come back: what they offer is bounded by how many they are.

use crate::common::Changed;

use super::{CALM, printed};

/// Twenty users who come back at once, or as many a second as would overload the server.
const LOOP: &str = r#"
[clients.users]
arrivals = ARRIVALS
flow = [{ call = "server.serve" }]

[service.server]
workers = 1
on.serve.steps = [{ work = "1ms" }, { reply = "ok" }]

[link.default]
latency = "0s"
"#;

#[test]
fn users_who_come_back_keep_a_node_full_and_do_not_overload_it() {
    let said = |arrivals: &str| {
        let model = LOOP.changed("ARRIVALS", arrivals);
        let output = printed(&["plan", "calm.toml"], &CALM.changed("200s", "2s"), &model);
        String::from_utf8(output.stdout).expect("it is text")
    };
    let text = said("{ closed = { users = 20, think = \"0s\" } }");
    let warning = "`server` is kept full by users who come back without any fault: they offer at \
                   most 20k/s of 1,000/s (1 ms each), users / (think time + time of a round)";
    assert!(text.contains(warning) && text.contains("≤ 20k /s"), "{text}");
    assert!(!text.contains("overloaded"), "{text}");
    let text = said("{ constant = \"1200/s\" }");
    assert!(text.contains("`server` is overloaded") && !text.contains('≤'), "{text}");
}
