//! Relays that publish by several requests at once, or several events in one request: how many
//! events a second that is, which order they keep, and what they lose and repeat.

use std::collections::BTreeMap;

use crate::common::{Changed, campaign};
use stormglass::capacity::capacity;
use stormglass::kernel::time::Time;
use stormglass::system::fact::Fact;
use stormglass::system::{Observer, World};

/// Everything that happened in a run.
#[derive(Default)]
struct Facts(Vec<(Time, Fact)>);

impl Observer for Facts {
    fn observe(&mut self, now: Time, fact: &Fact) {
        self.0.push((now, *fact));
    }
}

/// Orders that are accepted and then shipped, each with an event, and a relay.
fn model(rate: &str, relay: &str, link: &str) -> String {
    format!(
        r#"
[clients.users]
arrivals = {{ constant = "{rate}" }}
keys = {{ uniform = 5 }}
flow = [{{ call = "api.order" }}, {{ call = "api.ship" }}]

[service.api]
workers = "unlimited"
on.order.steps = [
  {{ transaction = "orders", write = ["order = accepted", "outbox = accepted"] }},
  {{ reply = "ok" }},
]
on.ship.steps = [
  {{ transaction = "orders", write = ["order = shipped", "outbox = shipped"] }},
  {{ reply = "ok" }},
]

[database.orders]
commit = "1ms"
read = "1ms"
tables = {{ order = {{}} }}

[outbox.relay]
database = "orders"
queue = "events"
poll = "20ms"
policy = "once"
{relay}

[queue.events]
visibility = "30s"

[service.sink]
workers = "unlimited"
takes = "events"
steps = [{{ ack = true }}]

[link.default]
latency = "1ms"

[link."relay -> events"]
{link}

[policy.once]
timeout = "50ms"
"#
    )
}

fn facts(faults: &str, model: &str) -> Facts {
    let experiment = format!(
        "name = \"relays\"\nmodel = \"inline\"\narrivals = \"10s\"\ndrain = \"20s\"\n\
         seeds = \"1..2\"\n{faults}"
    );
    let campaign = campaign(&experiment, model);
    let cell = &campaign.cells[0];
    let (controls, end) = (&cell.plan.controls, cell.measure.arrivals_end);
    let mut facts = Facts::default();
    World::new(&cell.program, controls, 1, end, cell.limits, &mut facts).run();
    facts
}

/// What became of events.
#[derive(Debug, Default, PartialEq)]
struct Relayed {
    /// Lines (orders or keys) whose events reached the queue for the first time in another order
    /// than that of their commits.
    turned: usize,
    /// How many came once more.
    twice: usize,
    /// How many never came.
    lost: usize,
}

/// What became of events, those of one order being a line.
fn relayed(facts: &Facts) -> Relayed {
    relayed_by(facts, |order, _| order)
}

fn relayed_by(facts: &Facts, line: impl Fn(u64, u32) -> u64) -> Relayed {
    let mut lines: BTreeMap<u64, u64> = BTreeMap::new();
    let mut seen: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    let mut relayed = Relayed::default();
    let mut came: BTreeMap<u64, u64> = BTreeMap::new();
    for (_, fact) in &facts.0 {
        match *fact {
            Fact::Outboxed { order, key, place, .. } => {
                lines.insert(place, line(order, key));
            }
            Fact::Enqueued { event, .. } => {
                let times = came.entry(event).or_default();
                *times += 1;
                match *times {
                    1 => seen.entry(lines[&event]).or_default().push(event),
                    _ => relayed.twice += 1,
                }
            }
            _ => {}
        }
    }
    assert!(lines.len() >= 100, "{} events", lines.len());
    relayed.turned = seen.values().filter(|events| !events.is_sorted()).count();
    relayed.lost = lines.len() - came.len();
    relayed
}

const SLOW: &str = "latency = \"uniform 1ms..10ms\"";
const LOSSY: &str = "latency = \"1ms\"\nreply_loss = \"10%\"\nrequest_loss = \"10%\"";
const TAIL: &str = "tail = { latency = \"5ms\", checkpoint = \"1s\" }";

// ---- how many events a second -------------------------------------------------------------------

/// Events that reach the queue in six seconds of an overload, and how many `stormglass plan`
/// expects at most.
fn events_in_six_seconds(relay: &str) -> (f64, f64) {
    let model = model("1500/s", relay, "latency = \"10ms\"");
    let facts = facts("", &model);
    let seen = Time(3_000_000_000)..Time(9_000_000_000);
    let published = facts
        .0
        .iter()
        .filter(|(at, fact)| seen.contains(at) && matches!(fact, Fact::Enqueued { .. }));
    let campaign = campaign("name = \"plan\"\nmodel = \"inline\"\narrivals = \"10s\"\n", &model);
    let cell = &campaign.cells[0];
    let planned = capacity(&cell.program, &cell.plan, cell.measure.arrivals_end);
    let nodes = &planned.phases[0].nodes;
    let relay = nodes.iter().find(|load| load.node == "relay").expect("it has work");
    (published.count() as f64, relay.capacity_per_s.expect("it has a limit") * 6.0)
}

#[test]
fn a_relay_publishes_what_is_in_flight_per_round_trip() {
    // A batch of 100 takes 3 ms to be found and 3 ms to be marked: 1 ms there, 1 ms of the
    // database, 1 ms back. A publish request takes 20 ms there and back.
    let cases = [
        ("", 100),
        ("publish = {}", 20),
        ("publish = { in_flight = 20, ordering_key = \"none\" }", 5),
    ];
    let batches = [
        ("publish = { in_flight = 1, batch = 10 }", 10),
        ("publish = { batch = 10, ordering_key = \"none\" }", 2),
    ];
    for (relay, round_trips) in cases.into_iter().chain(batches) {
        let per_batch_ms = 6.0 + 20.0 * f64::from(round_trips);
        let predicted = 6000.0 / per_batch_ms * 100.0;
        let (seen, planned) = events_in_six_seconds(relay);
        assert!((seen - predicted).abs() <= 101.0, "{relay}: {seen}, predicted {predicted}");
        assert!((planned / predicted - 1.0).abs() < 1e-6, "{relay}: {planned} {predicted}");
    }
    // Who follows the log asks for nothing and marks nothing.
    for (publish, round_trips) in
        [("", 100), ("publish = {}", 20), ("publish = { batch = 10, ordering_key = \"none\" }", 2)]
    {
        let relay = TAIL.changed("1s", "10s") + "\n" + publish;
        let predicted = 6000.0 / (20.0 * f64::from(round_trips)) * 100.0;
        let (seen, _) = events_in_six_seconds(&relay);
        assert!((seen - predicted).abs() <= 101.0, "{relay}: {seen}, predicted {predicted}");
    }
}

// ---- failures -----------------------------------------------------------------------------------

#[test]
fn a_relay_rests_after_a_failed_round_however_much_is_waiting() {
    let lost = "[[faults]]\nkind = \"request_loss\"\ntarget = \"relay -> events\"\n\
                at = \"2s\"\nfor = \"4s\"\nshare = \"100%\"\n";
    let full = "[[faults]]\nkind = \"disk_full\"\ntarget = \"orders\"\nat = \"2s\"\nfor = \"4s\"\n";
    let cases = [
        (lost, ""),
        (lost, "publish = {}"),
        (lost, "publish = { batch = 3, ordering_key = \"none\" }"),
        (full, ""),
        (full, "publish = {}"),
        (full, "mark_first = true"),
        (full, "mark_first = true\npublish = {}"),
    ];
    for (fault, relay) in cases {
        // The relay is behind when the fault begins: it takes 10 of 300 events per 226 ms.
        let model = model("150/s", relay, "latency = \"10ms\"")
            .changed("poll = \"20ms\"", "poll = \"500ms\"\nbatch = 10");
        let program = campaign("name = \"names\"\nmodel = \"inline\"\narrivals = \"1s\"\n", &model);
        let edges = &program.cells[0].program.edges;
        let takes = |from: u64, to: u64| {
            let is_in =
                |at: Time| at >= Time(from * 1_000_000_000) && at < Time(to * 1_000_000_000);
            let facts = facts(fault, &model).0;
            let is_take = |fact: &Fact| match *fact {
                Fact::Attempted { edge, .. } => {
                    edges[edge.0 as usize].name.ends_with("take_outbox")
                }
                _ => false,
            };
            facts.iter().filter(|(at, fact)| is_in(*at) && is_take(fact)).count()
        };
        let during = takes(3, 6);
        assert!((4..=6).contains(&during), "{fault}{relay}: {during} rounds in 3 s");
        let before = takes(0, 2);
        assert!(before > 6, "{fault}{relay}: {before} rounds of 2 s while all is well");
    }
}

// ---- order --------------------------------------------------------------------------------------

#[test]
fn events_of_one_ordering_key_keep_their_order_and_others_do_not() {
    for tail in ["", TAIL] {
        for (link, rate) in [(SLOW, "200/s"), (LOSSY, "50/s")] {
            for batch in [1, 3] {
                let publish = |key: &str| {
                    let relay = format!(
                        "{tail}\npublish = {{ batch = {batch}, ordering_key = \"{key}\" }}"
                    );
                    facts("", &model(rate, &relay, link))
                };
                let case = format!("{tail} {link} {batch}");
                let by_order = publish("order");
                assert_eq!((relayed(&by_order).turned, relayed(&by_order).lost), (0, 0), "{case}");
                let by_key = publish("key");
                let keys = relayed_by(&by_key, |_, key| u64::from(key));
                assert_eq!((keys.turned, keys.lost), (0, 0), "{case}");
                assert_eq!(relayed(&by_key).turned, 0, "{case}: an order has one key");
                // Orders overtake each other, and with no key at all so do events of one order.
                let keys = relayed_by(&by_order, |_, key| u64::from(key));
                assert!(keys.turned > 0, "{case}");
                let by_none = relayed(&publish("none"));
                assert!(by_none.turned > 5 && by_none.lost == 0, "{case}: {by_none:?}");
            }
        }
    }
}

// ---- failures -----------------------------------------------------------------------------------

#[test]
fn what_was_published_is_marked_and_the_rest_is_published_again() {
    for relay in ["", "relays = 2\nclaim = \"skip_locked\"", TAIL] {
        for publish in ["publish = {}", "publish = { batch = 4 }"] {
            let relay = format!("{relay}\n{publish}");
            let calm = relayed(&facts("", &model("50/s", &relay, "latency = \"1ms\"")));
            assert_eq!((calm.twice, calm.lost), (0, 0), "{relay}");
            let lossy = relayed(&facts("", &model("50/s", &relay, LOSSY)));
            assert_eq!(lossy.lost, 0, "{relay}: {lossy:?}");
            // A tenth of the replies is lost. With four events in a request that are more events.
            assert!((50..600).contains(&lossy.twice), "{relay}: {lossy:?}");
        }
    }
}

#[test]
fn a_failed_request_leaves_no_event_behind_it_published_twice() {
    // Requests are lost, replies are not: what was accepted is known to be.
    let lossy = "latency = \"1ms\"\nrequest_loss = \"20%\"";
    for relay in ["publish = {}", "relays = 2\nclaim = \"skip_locked\"\npublish = {}"] {
        let relayed = relayed(&facts("", &model("50/s", relay, lossy)));
        // The requests that mark them are answered.
        assert_eq!((relayed.twice, relayed.lost), (0, 0), "{relay}");
    }
    let relay = format!("{TAIL}\npublish = {{}}");
    let relayed = relayed(&facts("", &model("50/s", &relay, lossy)));
    assert_eq!((relayed.twice, relayed.lost), (0, 0), "it remembers what it has published");
}

#[test]
fn marking_first_gives_every_event_one_chance() {
    let relay = "mark_first = true\npublish = { batch = 2 }";
    let relayed = relayed(&facts("", &model("50/s", relay, LOSSY)));
    assert!(relayed.twice == 0 && relayed.lost > 60, "{relayed:?}");
}

#[test]
fn a_relay_that_dies_repeats_at_most_what_it_had_not_marked() {
    let crash = "[[faults]]\nkind = \"crash\"\ntarget = \"relay\"\nat = \"2s\"\nfor = \"100ms\"\n";
    for (relay, most) in [
        ("batch = 20\npublish = { in_flight = 4 }", 20),
        ("batch = 20\npublish = { in_flight = 2, batch = 5 }", 20),
        ("batch = 20\nrelays = 2\nclaim = \"skip_locked\"\npublish = {}", 40),
    ] {
        let relayed = relayed(&facts(crash, &model("300/s", relay, "latency = \"5ms\"")));
        assert_eq!(relayed.lost, 0, "{relay}");
        assert!(relayed.twice > 0 && relayed.twice <= most, "{relay}: {relayed:?}");
    }
}

#[test]
fn a_queue_accepts_all_events_of_a_request_or_none() {
    let relay = "publish = { in_flight = 1, batch = 10 }";
    let full = model("150/s", relay, "latency = \"1ms\"")
        .changed("visibility = \"30s\"", "visibility = \"30s\"\nlimit = 20")
        .changed("workers = \"unlimited\"\ntakes", "workers = 1\ntakes")
        .changed("{ ack = true }", "{ work = \"5ms\" }, { ack = true }");
    let facts = facts("", &full);
    let refused = facts.0.iter().filter(|(_, fact)| matches!(fact, Fact::Refused { .. })).count();
    let (mut inside, mut most) = (0_i64, 0);
    for (_, fact) in &facts.0 {
        match fact {
            Fact::Enqueued { .. } => inside += 1,
            Fact::Acknowledged { .. } => inside -= 1,
            _ => {}
        }
        most = most.max(inside);
    }
    let relayed = relayed(&facts);
    assert!(refused > 10 && most <= 20, "{refused} refused, {most} inside");
    assert_eq!((relayed.twice, relayed.lost), (0, 0), "a refused request leaves nothing behind");
}
