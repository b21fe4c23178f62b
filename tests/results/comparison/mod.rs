//! What a comparison says: verdicts, corrections, and numbers that anyone can compute again.

mod again;
mod coverage;
mod equivalence;
mod metastable;
mod pairs;
mod points;
mod stopping;
mod unseen;
mod variance;
mod verdicts;

use stormglass::experiment::plan::campaign::Campaign;

/// One server of 10 ms at 70/s with a traffic spike, and what the experiment declares beside that.
fn single_server(declared: &str) -> Campaign {
    let experiment = format!(
        r#"
name = "single-server"
model = "inline"
arrivals = "12s"
drain = "2s"
seeds = "1..13"
{declared}
[[faults]]
kind = "traffic_spike"
target = "users"
rate = "250/s"
at = "3s"
for = "1s"
[arms.at_once]
[arms.no_retry.set]
"policy.client.retry.attempts" = 1
[arms.same]
[factors.load.half.set]
"clients.users.arrivals" = {{ poisson = "50/s" }}
[factors.load.most]
"#
    );
    let model = r#"
[clients.users]
arrivals = { poisson = "75/s" }
flow = [{ call = "server.serve", policy = "client" }]
[service.server]
workers = 1
queue = { limit = 150 }
[service.server.on.serve]
steps = [{ work = "exp 10ms" }, { reply = "ok" }]
[policy.client]
timeout = "500ms"
retry = { attempts = 4, backoff = "none" }
"#;
    crate::common::campaign(&experiment, model)
}
