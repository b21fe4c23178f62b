//! Whom faults strike: which links and nodes a target names, and what a kind strikes of itself.

use std::collections::BTreeMap;

use crate::common::{Changed, campaign, runs};

/// One node of each kind, two that differ where a kind looks closer, and two ways from `api` to
/// `orders` with another one between them.
const EVERY_KIND: &str = r#"
[clients.shoppers]
arrivals = { poisson = "20/s" }
keys = { uniform = 10 }
flow = [{ call = "api.order" }, { call = "api.look" }]
[clients.timer]
arrivals = { constant = "1/s" }
flow = [{ call = "api.order" }]
[service.api]
workers = 10
zone = "west"
region = "north"
[service.api.on.look]
steps = [
  { read = "orders.order" },
  { read = "copy.order", cache = "near" },
  { reply = "ok" },
]
[service.api.on.order]
steps = [
  { transaction = "orders", write = ["order = accepted", "outbox = ask"] },
  { reply = "ok" },
]
[service.payer]
takes = "payments"
workers = 10
zone = "east"
region = "south"
steps = [
  { call = "bank.charge" },
  { transaction = "orders", write = ["order = paid"] },
  { ack = true },
]
[database.orders]
commit = "1ms"
read = "1ms"
tables = { order = {} }
zone = "west"
region = "north"
[replica.copy]
of = "orders"
lag = "10ms"
read = "1ms"
[cache.near]
capacity = 10
[outbox.relay]
database = "orders"
queue = "payments"
poll = "50ms"
[queue.payments]
visibility = "5s"
[provider.bank]
concurrency = 5
latency = "10ms"
"#;

/// How often each target is struck by one kind in a drawn plan of about 900 faults.
fn drawn(kind: &str, strengths: &str) -> BTreeMap<String, usize> {
    let experiment = format!(
        "name = \"drawn\"\nmodel = \"m.toml\"\nseeds = \"1..2\"\narrivals = \"20s\"\n\
         [random_faults]\nfrom = \"1s\"\nuntil = \"10s\"\n\
         [random_faults.kinds.{kind}]\nstrikes = \"100/s\"\nfor = \"1ms\"\n{strengths}\n"
    );
    let campaign = campaign(&experiment, EVERY_KIND);
    let random = campaign.cells[0].random.as_ref().expect("faults are drawn");
    let mut struck = BTreeMap::new();
    for drawn in random.draw(1) {
        *struck.entry(drawn.fault.target).or_default() += 1;
    }
    struck
}

/// That a kind strikes these, all equally often, and nobody else.
#[track_caller]
fn assert_strikes(kind: &str, strengths: &str, expected: &[&str]) {
    let struck = drawn(kind, strengths);
    let names: Vec<&str> = struck.keys().map(String::as_str).collect();
    assert_eq!(names, expected, "{kind}");
    let each = struck.values().sum::<usize>() as f64 / names.len() as f64;
    for (name, &times) in &struck {
        assert!((times as f64 - each).abs() < 5.0 * each.sqrt(), "{kind} {name}: {times}, {each}");
    }
}

#[test]
fn a_kind_without_targets_strikes_all_that_it_can_equally_often() {
    let servers = ["api", "bank", "copy", "near", "orders", "payer", "payments"];
    let processes = ["api", "bank", "copy", "near", "orders", "payer", "payments", "relay"];
    assert_strikes("slow", "factor = [2.0, 3.0]", &servers);
    for kind in ["crash", "restart", "pause"] {
        assert_strikes(kind, "", &processes);
    }
    assert_strikes("clock_skew", "by = \"1s\"", &processes);
    assert_strikes("disk_full", "", &["orders"]);
    assert_strikes("primary_failover", "to = \"copy\"\nafter = \"1s\"", &["orders"]);
    assert_strikes("queue_stall", "", &["payments"]);
    assert_strikes("redelivery_burst", "", &["payments"]);
    assert_strikes("replica_lag", "added = [\"1s\", \"2s\"]", &["copy"]);
    assert_strikes("replica_stop", "", &["copy"]);
    assert_strikes("cache_flush", "", &["near"]);
    assert_strikes("cache_stale", "", &["near"]);
    assert_strikes("read_model_corruption", "share = [0.1, 0.2]", &["copy", "near"]);
    assert_strikes("errors", "share = [0.1, 0.2]", &["bank"]);
    // Who comes by the clock has no rate to change, and who is about nothing has no keys.
    assert_strikes("hot_key", "share = [0.1, 0.2]", &["shoppers"]);
    assert_strikes("traffic_spike", "rate = [\"1/s\", \"2/s\"]", &["shoppers"]);
    assert_strikes("relay_crash", "step = \"publish\"", &["relay"]);
    assert_strikes("worker_kill", "step = \"orders.transaction\"", &["api", "payer"]);
}

/// The links over which messages go in `EVERY_KIND`.
const LINKS: [&str; 11] = [
    "api -> copy",
    "api -> near",
    "api -> orders",
    "payer -> bank",
    "payer -> orders",
    "payer -> payments",
    "payments -> payer",
    "relay -> orders",
    "relay -> payments",
    "shoppers -> api",
    "timer -> api",
];

#[test]
fn a_kind_without_targets_strikes_each_link_in_use_and_each_place_equally_often() {
    for kind in ["request_loss", "reply_loss", "duplicate"] {
        assert_strikes(kind, "share = [0.1, 0.2]", &LINKS);
    }
    assert_strikes("latency", "added = [\"1ms\", \"2ms\"]", &LINKS);
    assert_strikes("link_clog", "", &LINKS);
    let places = ["region north", "region south", "zone east", "zone west"];
    let mut sides = [&LINKS[..], &places].concat();
    sides.sort_unstable();
    assert_strikes("partition", "", &sides);
}

/// Users outside of a zone, and two nodes in it.
const ZONE: &str = r#"
[clients.users]
arrivals = { constant = "1/s" }
flow = [{ call = "api.order" }]
[service.api]
workers = 10
zone = "west"
on.order.steps = [{ transaction = "db", write = ["order = accepted"] }, { reply = "ok" }]
[database.db]
commit = "0s"
read = "0s"
tables = { order = {} }
zone = "west"
[replica.copy]
of = "db"
lag = "0s"
read = "0s"
[link.default]
latency = "0s"
"#;

/// An experiment of ten seconds with these faults.
fn ten_seconds(faults: &str) -> String {
    format!("name = \"f\"\nmodel = \"m.toml\"\nseeds = \"1..2\"\narrivals = \"10s\"\n{faults}")
}

#[test]
fn a_fault_of_a_zone_strikes_the_links_inside_it_once() {
    let late = "[[faults]]\nkind = \"latency\"\ntarget = \"zone west\"\nadded = \"100ms\"\n\
                at = \"0s\"\nfor = \"20s\"\n";
    let metrics = &runs(&ten_seconds(late), ZONE)[0].metrics;
    // To the zone and back, and inside it to the database and back.
    assert_eq!(metrics.latency.quantile(0.5).unwrap().millis().round(), 400.0);
    assert_eq!(metrics.latency.quantile(1.0).unwrap().millis().round(), 400.0);
}

#[test]
fn a_replica_that_would_lead_when_the_primary_is_back_never_leads() {
    let digest = |after: &str| {
        let failover = format!(
            "[[faults]]\nkind = \"primary_failover\"\ntarget = \"db\"\nto = \"copy\"\n\
             at = \"2s\"\nfor = \"3s\"\nafter = \"{after}\"\n"
        );
        runs(&ten_seconds(&failover), ZONE)[0].digest
    };
    assert_eq!(digest("3s"), digest("4s"));
    assert_ne!(digest("3s"), digest("2s"));
}

#[test]
fn a_spike_fires_for_everybody_who_comes_because_of_it() {
    let spike = "[[faults]]\nkind = \"traffic_spike\"\ntarget = \"users\"\nrate = \"100/s\"\n\
                 at = \"2s\"\nfor = \"2s\"\n";
    let rare = ZONE.changed("constant = \"1/s\"", "poisson = \"0.001/s\"");
    let metrics = &runs(&ten_seconds(spike), &rare)[0].metrics;
    assert!((150..250).contains(&metrics.requests), "{}", metrics.requests);
    assert_eq!(metrics.times_fired(0), metrics.requests);
}
