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

/// A message that nobody can ever handle comes back as often as there is time for, not as often as
/// its queue would let it.
#[test]
fn a_poison_message_is_received_as_often_as_there_is_time_for() {
    let poison = CHANCES
        .replace("SHARE", "share_of_orders")
        .changed("max_receives = 3", "max_receives = \"unlimited\"")
        .changed("redelivery = \"10ms\"", "redelivery = \"2s\"");
    let plan = planned(&CALM.changed("200s", "20s"), &poison);
    let offered = said(&plan, 0, "mailer", "offered_per_s");
    let attempts = 0.3 * 4.0 + 0.7;
    let exact = 100.0 * attempts * (0.8 + 0.2 * (1.0 + 20.0 / 2.0));
    assert!((offered / exact - 1.0).abs() < 1e-6, "{offered} {exact}");
}
