//! Whom faults strike: which links and nodes a target names, and what a kind strikes of itself.

use std::collections::BTreeMap;

use stormglass::fault::{DrawnFault, FaultText};

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

/// The faults of one kind in drawn plans of ten seconds, one for each of so many seeds.
fn drawn(kind: &str, until: &str, how: &str, seeds: u64) -> Vec<Vec<DrawnFault>> {
    let experiment = format!(
        "name = \"drawn\"\nmodel = \"m.toml\"\nseeds = \"1..2\"\narrivals = \"20s\"\n\
         [random_faults]\nfrom = \"1s\"\nuntil = \"{until}\"\n\
         [random_faults.kinds.{kind}]\nstrikes = \"100/s\"\n{how}\n"
    );
    let campaign = campaign(&experiment, EVERY_KIND);
    let random = campaign.cells[0].random.as_ref().expect("faults are drawn");
    let (first, last) = random.window();
    assert_eq!((first.seconds(), format!("{}s", last.seconds())), (1.0, until.to_owned()));
    (1..=seeds).map(|seed| random.draw(seed)).collect()
}

/// That a kind strikes these, all equally often, and nobody else.
#[track_caller]
fn assert_strikes(kind: &str, strengths: &str, expected: &[&str]) {
    let mut struck = BTreeMap::<String, usize>::new();
    for drawn in drawn(kind, "10s", &format!("for = \"1ms\"\n{strengths}"), 1).remove(0) {
        *struck.entry(drawn.fault.target).or_default() += 1;
    }
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

#[test]
fn drawn_strengths_lie_evenly_between_their_ends_and_faults_within_the_window() {
    let how = "for = \"exp 2s\"\nshare = [0.2, 0.6]\nafter_effect = [0.5, 0.9]";
    let faults = drawn("errors", "10s", how, 1).remove(0);
    let each = |of: fn(&FaultText) -> f64, [low, high]: [f64; 2]| {
        let all: Vec<f64> = faults.iter().map(|drawn| of(&drawn.fault)).collect();
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        assert!(all.iter().all(|it| (low..=high).contains(it)), "{all:?}");
        // The deviation of an even spread is its width by the root of 12.
        let error = (high - low) / (12.0 * all.len() as f64).sqrt();
        assert!((mean - f64::midpoint(low, high)).abs() < 5.0 * error, "{mean} of {low} to {high}");
    };
    each(|fault| fault.share.expect("a share").0, [0.2, 0.6]);
    each(|fault| fault.after_effect.expect("a share").0, [0.5, 0.9]);
    each(|fault| fault.at.seconds(), [1.0, 10.0]);
    let ends = faults.iter().map(|drawn| (drawn.fault.at + drawn.fault.lasts).seconds());
    assert!(ends.clone().all(|end| end <= 10.0), "a fault ends with the window");
    assert!(ends.filter(|end| *end == 10.0).count() > 100, "as many as last for longer");
}

/// A plan of which a thousand faults are expected has as many, and half of such plans have more.
#[test]
fn the_largest_plan_is_not_cut() {
    let counts: Vec<usize> =
        drawn("crash", "11s", "for = \"1ms\"", 25).iter().map(Vec::len).collect();
    let mean = counts.iter().sum::<usize>() as f64 / 25.0;
    assert!((mean - 1_000.0).abs() < 5.0 * (1_000.0_f64 / 25.0).sqrt(), "{counts:?}");
    assert!(counts.iter().any(|count| *count > 1_040), "{counts:?}");
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
