//! What links and their faults do, shown by what arrives: loss, copies, late messages, pipes,
//! partitions. Shares are compared with binomial bounds that a right program misses once in a
//! million (4.9 standard deviations).

use crate::common::Changed;
use stormglass::experiment::run::result::RunResult;
use stormglass::policy::OutcomeKind;

/// Users ask a service once, over one link; `more` is added to the model.
fn model(link: &str, more: &str) -> String {
    format!(
        r#"
[clients.users]
arrivals = {{ constant = "1000/s" }}
flow = [{{ call = "api.ask", policy = "patient" }}]
[service.api]
workers = "unlimited"
[service.api.on.ask]
steps = [{{ work = "1ms" }}, {{ reply = "ok" }}]
[policy.patient]
timeout = "1s"
[link.default]
latency = "1ms"
{link}
{more}
"#
    )
}

fn experiment(arrivals: &str, faults: &str) -> String {
    format!(
        "name = \"network\"\nmodel = \"m.toml\"\nseeds = \"1..2\"\narrivals = \"{arrivals}\"\n\
         drain = \"5s\"\n{faults}"
    )
}

fn run(link: &str, arrivals: &str, faults: &str) -> RunResult {
    crate::common::runs(&experiment(arrivals, faults), &model(link, "")).remove(0)
}

/// Whether so many of so many is what a probability gives, missed once in a million.
fn is_binomial(count: u64, of: u64, probability: f64) -> bool {
    let mean = of as f64 * probability;
    let deviation = (mean * (1.0 - probability)).sqrt();
    (count as f64 - mean).abs() <= 4.9 * deviation
}

const REQUESTS: usize = 0;
const REPLIES: usize = 1;

#[test]
fn lost_replies_are_lost_as_often_as_said_and_no_request_is() {
    let fault = "[[faults]]\nkind = \"reply_loss\"\ntarget = \"users -> api\"\nshare = \"5%\"\n\
                 at = \"0s\"\nfor = \"100s\"\n";
    let metrics = run("", "20s", fault).metrics;
    assert_eq!(metrics.lost[REQUESTS], 0);
    let (lost, sent) = (metrics.lost[REPLIES], metrics.sent[REPLIES]);
    assert!(sent > 19_000);
    assert!(is_binomial(lost, sent, 0.05), "{lost} of {sent}");
    assert_eq!(metrics.times_fired(0), lost);
}

#[test]
fn what_the_model_itself_loses_is_no_effect_of_a_fault() {
    let fault = |kind: &str, share: &str| {
        format!(
            "[[faults]]\nkind = \"{kind}\"\ntarget = \"all\"\nshare = \"{share}\"\nat = \"0s\"\n\
             for = \"100s\"\n"
        )
    };
    let faults = fault("request_loss", "10%") + &fault("request_loss", "20%");
    let metrics = run("request_loss = \"30%\"", "20s", &faults).metrics;
    let sent = metrics.sent[REQUESTS];
    let (first, second) = (metrics.times_fired(0), metrics.times_fired(1));
    // Each adds its share of those that were not lost before it.
    assert!(is_binomial(metrics.lost[REQUESTS], sent, 1.0 - 0.7 * 0.9 * 0.8));
    assert!(is_binomial(first, sent, 0.7 * 0.1), "{first} of {sent}");
    assert!(is_binomial(second, sent, 0.7 * 0.9 * 0.2), "{second} of {sent}");
}

#[test]
fn a_share_of_messages_arrives_twice_and_a_second_reply_is_stale() {
    let metrics = run("duplication = \"2%\"", "20s", "").metrics;
    let [requests, replies] = metrics.duplicated;
    let asked = metrics.sent[REQUESTS];
    assert_eq!(asked, 19_999);
    assert!(is_binomial(requests, asked, 0.02), "{requests}");
    // A second request is a second job, which answers as well.
    assert_eq!(metrics.sent[REPLIES], asked + requests);
    assert!(is_binomial(replies, metrics.sent[REPLIES], 0.02), "{replies}");
    assert_eq!(metrics.edges[0].stale, requests + replies);
    assert_eq!(metrics.worked, u128::from(asked + requests) * 1_000_000);
    assert_eq!(metrics.ok, asked);
}

#[test]
fn a_fault_duplicates_only_while_it_acts() {
    let fault = "[[faults]]\nkind = \"duplicate\"\ntarget = \"api\"\nshare = \"100%\"\n\
                 at = \"5s\"\nfor = \"1s\"\n";
    let metrics = run("", "10s", fault).metrics;
    assert_eq!(metrics.duplicated[REQUESTS], 1_000);
    assert_eq!(metrics.times_fired(0), metrics.duplicated.iter().sum::<u64>());
}

#[test]
fn late_messages_are_late_by_as_much_as_said() {
    let link = "reordering = { share = \"10%\", by = \"uniform 100ms..300ms\" }";
    let result = run(link, "20s", "");
    let late = |quantile: f64| result.metrics.latency.quantile(quantile).unwrap().millis();
    // Both ways: 81% of the answers are not late, 19% are by at least 100 ms.
    assert!(late(0.80) < 4.0, "{}", late(0.80));
    assert!(late(0.82) > 100.0, "{}", late(0.82));
    assert!(late(1.0) < 610.0);
    assert_eq!(result.metrics.ok, 19_999);

    let fault = "[[faults]]\nkind = \"reorder\"\ntarget = \"users -> api\"\nshare = \"10%\"\n\
                 added = \"200ms\"\nat = \"0s\"\nfor = \"100s\"\n";
    let metrics = run("", "20s", fault).metrics;
    assert!(is_binomial(metrics.times_fired(0), 40_000, 0.1), "{:?}", metrics.fired);
    // 3 ms each, and half of 200 ms in a tenth of the messages, twice; the standard error of the
    // mean is 0.25 ms.
    let mean = metrics.latency_total as f64 / 1e6 / metrics.measured_ok as f64;
    assert!((mean - 23.0).abs() < 1.3, "{mean}");
}

#[test]
fn messages_wait_for_the_bandwidth_one_after_the_other() {
    // Poisson arrivals into a pipe that is busy for 1 ms each, at load 0.8: an M/D/1 queue, whose
    // mean wait is rho * s / (2 (1 - rho)) = 2 ms (Pollaczek and Khinchine).
    let experiment = experiment("300s", "");
    let model =
        model("", "[link.\"users -> api\"]\nbandwidth = \"1MB/s\"\nbuffer = \"unlimited\"\n")
            .changed("constant = \"1000/s\"", "poisson = \"800/s\"");
    let metrics = crate::common::runs(&experiment, &model).remove(0).metrics;
    let mean = metrics.latency_total as f64 / 1e6 / metrics.measured_ok as f64;
    // There: wait, 1 ms in the pipe, 1 ms; work 1 ms; back: 1 ms in the pipe, 1 ms. Replies come at
    // least 1 ms apart, because requests do, and never wait. The tolerance is 5%.
    assert!((mean - 7.0).abs() < 0.1, "{mean}");
    assert_eq!(metrics.lost, [0, 0]);
}

#[test]
fn what_finds_no_room_before_the_pipe_is_lost() {
    let metrics = run("bandwidth = \"500/s\"\nbuffer = 10", "10s", "").metrics;
    // Twice as much is sent as passes: half of it is lost, but for the buffer.
    assert!(metrics.lost[REQUESTS].abs_diff(5_000) <= 11, "{:?}", metrics.lost);
    assert_eq!(metrics.lost[REPLIES], 0);
    // Twelve at most before an answer: one in the pipe, ten that wait, itself.
    let longest = metrics.latency.quantile(1.0).unwrap().millis();
    assert!((23.0..28.5).contains(&longest), "{longest}");
}

/// Two zones with one service each; users in a third place ask both.
const ZONES: &str = r#"
[clients.users]
arrivals = { constant = "100/s" }
flow = [
  { call = "near.ask", policy = "patient", ignore_failure = true },
  { call = "far.ask", policy = "patient", ignore_failure = true },
]
zone = "a"
region = "eu"
[service.near]
workers = "unlimited"
zone = "a"
region = "eu"
[service.near.on.ask]
steps = [{ reply = "ok" }]
[service.far]
workers = "unlimited"
zone = "b"
region = "eu"
[service.far.on.ask]
steps = [{ call = "away.ask", policy = "patient" }, { reply = "ok" }]
[service.away]
workers = "unlimited"
zone = "c"
region = "us"
[service.away.on.ask]
steps = [{ reply = "ok" }]
[policy.patient]
timeout = "1s"
"#;

fn mean_ms(model: &str) -> f64 {
    let metrics = crate::common::runs(&experiment("5s", ""), model).remove(0).metrics;
    metrics.latency_total as f64 / 1e6 / metrics.measured_ok as f64
}

#[test]
fn the_most_specific_link_wins_key_by_key() {
    let rules = [
        ("default", "latency = \"1ms\"", 3.0),
        ("between regions", "latency = \"10ms\"", 12.0),
        ("region eu -> region us", "latency = \"20ms\"", 22.0),
        ("within zone", "latency = \"2ms\"", 23.0),
        ("between zones", "latency = \"3ms\"", 8.0),
        ("zone b -> zone c", "latency = \"30ms\"", 35.0),
        ("far -> away", "latency = \"40ms\"", 45.0),
        ("far->users", "latency = \"99s\"", 45.0),
        ("users  ->  far", "request_loss = 0", 45.0),
    ];
    // A request takes two ways: to `near` for one half of them, and to `far` and `away` for the
    // other: the mean of both is half of the ways there and back.
    for written in 1..=rules.len() {
        let links = |order: Vec<&(&str, &str, f64)>| -> String {
            let table =
                |(name, keys, _): &&(&str, &str, f64)| format!("[link.\"{name}\"]\n{keys}\n");
            order.iter().map(table).collect()
        };
        let (_, _, expected) = rules[written - 1];
        let given = mean_ms(&(ZONES.to_owned() + &links(rules[..written].iter().collect())));
        let turned = mean_ms(&(ZONES.to_owned() + &links(rules[..written].iter().rev().collect())));
        assert!((given - expected).abs() < 1e-6, "{}: {given}", rules[written - 1].0);
        assert_eq!(given, turned, "the order of the tables says nothing");
    }
}

fn fault(kind: &str, target: &str, more: &str) -> String {
    format!(
        "[[faults]]\nkind = \"{kind}\"\ntarget = \"{target}\"\nat = \"2s\"\nfor = \"2s\"\n{more}\n"
    )
}

/// Requests and replies that are lost, and users' attempts at `near` and `far` that succeed.
fn cut(target: &str, more: &str) -> ([u64; 2], [u64; 2]) {
    let model = ZONES.to_owned() + "[link.default]\nlatency = \"1ms\"\n";
    let campaign =
        crate::common::campaign(&experiment("6s", &fault("partition", target, more)), &model);
    let metrics = campaign.run(0).metrics;
    let ok = |name: &str| {
        let edges = &campaign.cells[0].program.edges;
        let edge = edges.iter().position(|edge| edge.name.ends_with(name)).unwrap();
        metrics.edges[edge].outcomes.of_kind(OutcomeKind::Ok)
    };
    assert_eq!(metrics.times_fired(0), metrics.lost.iter().sum::<u64>());
    (metrics.lost, [ok("users -> near.ask"), ok("users -> far.ask")])
}

#[test]
fn a_partition_cuts_what_it_says_and_heals() {
    // 599 users in 6 s; 200 of them in the two seconds of the fault. Who is cut off from `near`
    // gives up after 1 s and goes on to `far`.
    assert_eq!(cut("near -> away", ""), ([0, 0], [599, 599]));
    assert_eq!(cut("users -> near", ""), ([200, 0], [399, 599]));
    assert_eq!(cut("near -> users", ""), ([200, 0], [399, 599]));
    assert_eq!(cut("users -> near", "one_way = true"), ([200, 0], [399, 599]));
    assert_eq!(cut("near -> users", "one_way = true"), ([0, 200], [399, 599]));
    // Nodes of one zone still reach each other.
    assert_eq!(cut("zone a", ""), ([200, 0], [599, 399]));
    assert_eq!(cut("zone a -> zone b", ""), ([200, 0], [599, 399]));
    assert_eq!(cut("region us", ""), ([200, 0], [599, 399]));
    assert_eq!(cut("away", "one_way = true"), ([0, 200], [599, 399]));
    // Half of those who are cut off from `near` come to `far` when it is over.
    assert_eq!(cut("all", ""), ([300, 0], [399, 499]));
}

#[test]
fn what_is_on_its_way_when_a_partition_begins_arrives() {
    let model = ZONES.to_owned() + "[link.\"users -> near\"]\nlatency = \"500ms\"\n";
    let experiment = experiment("6s", &fault("partition", "users -> near", "one_way = true"));
    let metrics = crate::common::runs(&experiment, &model).remove(0).metrics;
    // 50 requests travel when it begins and none when it ends: only what is sent meanwhile is lost.
    assert_eq!(metrics.lost, [200, 0]);
}

/// Of four users one is inside when everything is cut off, where a service asks itself; the next
/// two do not come in.
#[test]
fn a_node_still_reaches_itself() {
    let model = "[clients.users]\narrivals = { constant = \"0.8/s\" }\nflow = [{ call = \"api.ask\" }]\n\
                 [service.api]\nworkers = 9\non.own.steps = [{ reply = \"ok\" }]\n\
                 on.ask.steps = [{ work = \"1s\" }, { call = \"api.own\" }, { reply = \"ok\" }]\n";
    let metrics = crate::common::runs(&experiment("6s", &fault("partition", "all", "")), model)
        .remove(0)
        .metrics;
    assert_eq!(metrics.lost, [2, 1]);
}

#[test]
fn clogged_messages_are_held_and_arrive_when_the_fault_ends() {
    let fault = fault("link_clog", "users -> api", "");
    let experiment = experiment("6s", &fault);
    let model = model("", "").changed("timeout = \"1s\"", "timeout = \"10s\"");
    let result = crate::common::runs(&experiment, &model).remove(0);
    let metrics = &result.metrics;
    assert_eq!((metrics.ok, metrics.lost), (5_999, [0, 0]));
    let longest = metrics.latency.quantile(1.0).unwrap().seconds();
    assert!((2.0..2.1).contains(&longest), "{longest}");
    // Requests of two seconds, and the replies that were due in that time.
    assert!((2_000..2_005).contains(&metrics.times_fired(0)), "{:?}", metrics.fired);
    let answered = |second: usize| metrics.windows[second].answered;
    assert_eq!(answered(3), 0);
    assert!((2_990..3_005).contains(&answered(4)), "{}", answered(4));
}
