//! Chances whose draw is the same in each attempt.

use crate::common::Changed;

use super::{CALM, planned, said};

/// Requests of which a part fails, with four attempts, and messages of which a part is refused.
const CHANCES: &str = r#"
[clients.users]
arrivals = { constant = "100/s" }
flow = [{ call = "shop.order", policy = "again", ignore_failure = true }]

[service.shop]
workers = 50
on.order.steps = [
  { publish = "mails" },
  { when = { SHARE = "30%" }, then = [{ reply = "failed" }] },
  { reply = "ok" },
]

[queue.mails]
visibility = "1h"
max_receives = 3
redelivery = "10ms"

[service.mailer]
workers = 50
takes = "mails"
steps = [{ when = { SHARE = "20%" }, then = [{ nack = true }] }, { ack = true }]

[link.default]
latency = "0s"

[policy.again]
timeout = "1s"
retry = { attempts = 4, backoff = "none" }
"#;

#[test]
fn a_chance_by_request_or_order_is_the_same_in_each_attempt() {
    let anew = (1.0 + 0.3 + 0.3 * 0.3 + 0.3 * 0.3 * 0.3, 1.0 + 0.2 + 0.2 * 0.2);
    let same = (0.3 * 4.0 + 0.7, 0.2 * 3.0 + 0.8);
    for (of, (attempts, deliveries)) in [("attempts", anew), ("requests", same), ("orders", same)] {
        let model = CHANCES.replace("SHARE", &format!("share_of_{of}"));
        let plan = planned(&CALM.changed("200s", "20s"), &model);
        let near = |node: &str, exact: f64| {
            let offered = said(&plan, 0, node, "offered_per_s");
            assert!((offered / exact - 1.0).abs() < 1e-6, "{of}: {node}: {offered} {exact}");
        };
        near("shop", 100.0 * attempts);
        near("mailer", 100.0 * attempts * deliveries);
    }
}
