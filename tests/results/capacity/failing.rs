//! Calls that faults make to fail, at whatever node, before their work or although it was done.

use super::{CALM, load};
use crate::common::{Changed, campaign, run_all};
use stormglass::capacity::capacity;

const MODEL: &str = r#"
[clients.users]
arrivals = { poisson = "100/s" }
flow = [{ call = "api.buy" }]

[service.api]
workers = "unlimited"
on.buy.steps = [
  { call = "risk.check", policy = "three" },
  { transaction = "db", write = ["order = placed"] },
  { publish = "mails" },
  { reply = "ok" },
]

[service.risk]
workers = 10
on.check.steps = [{ work = "10ms" }, { call = "score.look_up" }, { reply = "ok" }]

[service.score]
workers = 10
on.look_up.steps = [{ work = "1ms" }, { reply = "ok" }]

[database.db]
connections = 10
commit = "1ms"
read = "1ms"
tables = { order = {} }

[queue.mails]
visibility = "10s"

[service.mailer]
workers = 10
takes = "mails"
steps = [{ work = "1ms" }, { ack = true }]

[policy.three]
retry = { attempts = 3, backoff = "none" }
"#;

const FAULTS: &str = r#"
[[faults]]
kind = "errors"
target = "risk"
share = "40%"
after_effect = "50%"
at = "0s"
for = "100s"

[[faults]]
kind = "errors"
target = "db"
share = "25%"
at = "0s"
for = "100s"

[[faults]]
kind = "errors"
target = "mailer"
share = 1.0
at = "0s"
for = "100s"
"#;

#[test]
fn errors_at_any_node_change_what_comes_there_and_behind_it() {
    let experiment = CALM.changed("200s", "100s") + FAULTS;
    let campaign = campaign(&experiment, MODEL);
    let cell = &campaign.cells[0];
    let planned = capacity(&cell.program, &cell.plan, cell.measure.arrivals_end);
    let runs = run_all(&campaign);
    let attempts_at = |name: &str| {
        let node = cell.program.find_node(name).expect(name);
        let edges = cell.program.edges.iter().enumerate().filter(|(_, edge)| edge.target == node);
        let of = |edge: usize| runs.iter().map(|run| run.metrics.edges[edge].attempts).sum::<u64>();
        edges.map(|(edge, _)| of(edge)).sum::<u64>() as f64 / (100.0 * runs.len() as f64)
    };
    // A fifth fails before its work, a fifth after it: 1 + 0.4 + 0.16 attempts.
    let risk = 100.0 * 1.56;
    let passed = 100.0 * (1.0 - 0.4 * 0.4 * 0.4);
    for (node, exact) in [
        ("risk", risk),
        ("score", risk * 0.8),
        ("db", passed),
        // A mail is put there and acknowledged: nothing asks anything of its worker.
        ("mails", passed * 0.75 * 2.0),
    ] {
        let offered = load(&planned, 1, node).offered_per_s;
        assert!((offered / exact - 1.0).abs() < 1e-6, "{node}: {offered} {exact}");
        let measured = attempts_at(node);
        assert!((offered / measured - 1.0).abs() < 0.03, "{node}: {offered} {measured}");
    }
    assert!(runs.iter().all(|run| run.metrics.redelivered == 0));
    let mailer = load(&planned, 1, "mailer").offered_per_s;
    assert!((mailer / (passed * 0.75) - 1.0).abs() < 1e-6, "{mailer}");
    // Who is turned away at the door holds no worker.
    let held = load(&planned, 1, "risk").service_s.expect("it ends");
    assert!((held - 0.8 * 0.011).abs() < 1e-9, "{held}");
    let calm = load(&planned, 0, "risk");
    let held = calm.service_s.expect("it ends");
    assert!((held - 0.011).abs() < 1e-9 && calm.offered_per_s == 100.0, "{calm:?}");
}
