//! What is measured: the same requests above and below the line of a ratio, and everybody who is
//! still there when the run ends.

use crate::common::{campaign, run_all};
use stormglass::experiment::compare::compare;
use stormglass::experiment::measure::summary::summarise;
use stormglass::experiment::plan::campaign::Campaign;
use stormglass::experiment::run::result::RunResult;
use stormglass::report::arms::unsteady_text;
use stormglass::statistics::Interval;
use stormglass::statistics::bounded::Averaged;

/// The value of a metric in the first run of a campaign.
fn value_in(campaign: &Campaign, metric: &str) -> Option<f64> {
    let index = campaign.metrics().find(metric).expect(metric);
    campaign.run(0).values[index]
}

/// The same, of an experiment and its model.
fn value(experiment: &str, model: &str, metric: &str) -> Option<f64> {
    value_in(&campaign(experiment, model), metric)
}

/// A provider of payments fails for the first 20 seconds, and whatever fails is tried again
/// 10 seconds later, three times.
const LATE_RETRIES: &str = r#"
[clients.users]
arrivals = { constant = "10/s" }
flow = [{ call = "shop.buy" }]
[service.shop]
workers = 10000
[service.shop.on.buy]
steps = [{ call = "pay.charge", policy = "again" }, { reply = "ok" }]
[provider.pay]
concurrency = "unlimited"
latency = "1ms"
[policy.again.retry]
attempts = 4
backoff = "constant 10s"
[link.default]
latency = "1ms"
"#;

const LATE_RETRIES_MEASURED: &str = r#"
name = "late"
model = "model.toml"
seeds = "1..2"
arrivals = "40s"
drain = "60s"
[measure]
warm_up = "20s"
load = "pay.charge"
[[faults]]
at = "0s"
for = "20s"
target = "pay"
kind = "errors"
share = 1.0
"#;

#[test]
fn attempts_belong_to_the_request_that_caused_them() {
    for metric in ["amplification", "edge_amplification"] {
        let seen = value(LATE_RETRIES_MEASURED, LATE_RETRIES, metric);
        assert_eq!(seen, Some(1.0), "{metric}: every request after the warm-up needs one attempt");
    }
    let users = value(LATE_RETRIES_MEASURED, LATE_RETRIES, "user_amplification");
    assert_eq!(users, Some(1.0));
}

/// Two calls for each user, and a message that is handled later.
const TWO_CALLS: &str = r#"
[clients.users]
arrivals = { constant = "10/s" }
flow = [{ call = "shop.look" }, { call = "shop.buy" }]
[service.shop]
workers = 100
[service.shop.on.look]
steps = [{ work = "1ms" }, { reply = "ok" }]
[service.shop.on.buy]
steps = [{ publish = "mails" }, { reply = "ok" }]
[queue.mails]
visibility = "10s"
[service.mailer]
workers = 100
takes = "mails"
steps = [{ call = "post.send" }, { ack = true }]
[service.post]
workers = 100
[service.post.on.send]
steps = [{ work = "1ms" }, { reply = "ok" }]
"#;

#[test]
fn of_one_operation_only_its_own_attempts_count() {
    let measured = |more: &str| {
        format!(
            "name = \"two\"\nmodel = \"model.toml\"\nseeds = \"1..2\"\narrivals = \"10s\"\n\
             drain = \"10s\"\n[measure]\n{more}\n"
        )
    };
    let amplification = |more: &str| value(&measured(more), TWO_CALLS, "amplification");
    assert_eq!(amplification(""), Some(1.0));
    assert_eq!(amplification("operation = \"shop.buy\""), Some(1.0));
    assert_eq!(amplification("operation = \"shop.buy\"\nload = \"post.send\""), Some(1.0));
    assert_eq!(amplification("operation = \"shop.look\"\nload = \"post.send\""), Some(0.0));
    // Asynchronous work belongs to the request too, however late it is.
    let late = "operation = \"shop.buy\"\nload = \"post.send\"\nwarm_up = \"9s\"";
    assert_eq!(amplification(late), Some(1.0));
}

/// A worker that gets twice what it can do.
const OVERLOADED: &str = r#"
[clients.users]
arrivals = { constant = "20/s" }
flow = [{ call = "api.ask" }]
[service.api]
workers = 1
[service.api.on.ask]
steps = [{ work = "100ms" }, { reply = "ok" }]
"#;

fn overloaded(drain: &str) -> Campaign {
    let experiment = format!(
        "name = \"overload\"\nmodel = \"model.toml\"\nseeds = \"1..2\"\narrivals = \"100s\"\n\
         drain = \"{drain}\"\n"
    );
    campaign(&experiment, OVERLOADED)
}

#[test]
fn averages_over_time_include_who_is_still_there_at_the_end() {
    let (cut, whole) = (overloaded("0s"), overloaded("200s"));
    for metric in ["in_flight_mean", "waiting_mean", "working_mean", "queued_ratio"] {
        let [cut, whole] = [&cut, &whole].map(|campaign| value_in(campaign, metric).unwrap());
        assert!((cut / whole - 1.0).abs() < 1e-9, "{metric}: {cut} instead of {whole}");
    }
    // On average half of those are there that the worker has not come to at the end.
    let in_flight = value_in(&cut, "in_flight_mean").unwrap();
    assert!((in_flight - 500.0).abs() < 2.0, "{in_flight}");
}

#[test]
fn who_has_no_answer_at_the_end_has_neither_succeeded_nor_failed() {
    let (cut, whole) = (overloaded("0s"), overloaded("200s"));
    let of = |campaign: &Campaign| {
        ["success_ratio", "unfinished_ratio"].map(|metric| value_in(campaign, metric).unwrap())
    };
    assert_eq!(of(&whole), [1.0, 0.0]);
    let [success, unfinished] = of(&cut);
    assert_eq!(success, 1.0, "the server never fails");
    assert!((unfinished - 0.5).abs() < 0.01, "{unfinished}");
    // How long they will wait in the end nobody knows.
    assert_eq!(value_in(&cut, "wait_p99_ms"), None);
    assert_eq!(value_in(&cut, "wait_mean_ms"), None);
    assert!(value_in(&whole, "wait_p99_ms").is_some());
}

#[test]
fn work_that_goes_on_at_the_end_is_work() {
    let model = r#"
[clients.users]
arrivals = { constant = "1/s" }
flow = [{ call = "api.ask", policy = "short" }]
[service.api]
workers = 1
[service.api.on.ask]
steps = [{ work = "1000s" }, { reply = "ok" }]
[policy.short]
timeout = "100ms"
"#;
    let experiment = "name = \"endless\"\nmodel = \"model.toml\"\nseeds = \"1..2\"\n\
                      arrivals = \"10s\"\ndrain = \"10s\"\n";
    assert_eq!(value(experiment, model, "wasted_work"), Some(1.0), "all that was ever done");
}

/// Ten users a second who are answered at once.
const STEADY: &str = r#"
[clients.users]
arrivals = { constant = "10/s" }
flow = [{ call = "shop.look" }]
[service.shop]
workers = 100
[service.shop.on.look]
steps = [{ work = "1ms" }, { reply = "ok" }]
"#;

#[test]
fn goodput_around_a_fault_is_of_the_time_in_which_requests_are_measured() {
    let of = |warm_up: &str, at: &str, lasts: &str| {
        let experiment = format!(
            "name = \"long\"\nmodel = \"model.toml\"\nseeds = \"1..2\"\narrivals = \"30s\"\n\
             drain = \"10s\"\n[measure]\nwarm_up = \"{warm_up}\"\n[[faults]]\nkind = \"slow\"\n\
             target = \"shop\"\nfactor = 2\nat = \"{at}\"\nfor = \"{lasts}\"\n\
             [milestone.told]\nof = \"shop.look\"\nwhen = \"answer ok\"\n"
        );
        let campaign = campaign(&experiment, STEADY);
        let names = ["goodput_before_per_s", "goodput_during_per_s", "goodput_after_per_s"];
        let told = names.map(|name| value_in(&campaign, &format!("told.{name}")));
        let values = names.map(|name| value_in(&campaign, name));
        assert_eq!(told, values, "the milestone is the answer");
        values.map(|value| value.map(f64::round))
    };
    let ten = Some(10.0);
    assert_eq!(of("0s", "10s", "10s"), [ten, ten, ten]);
    assert_eq!(of("0s", "10s", "1h"), [ten, ten, None], "nobody comes after 30 s");
    assert_eq!(of("10s", "2s", "18s"), [None, ten, ten], "nobody counts before 10 s");
    assert_eq!(of("10s", "2s", "4s"), [None, None, ten]);
    assert_eq!(of("0s", "35s", "2s"), [ten, None, None], "it comes when everybody has");
}

/// Twenty orders a second, each of which is done 5 s later.
const DONE_LATER: &str = r#"
[clients.users]
arrivals = { constant = "20/s" }
flow = [{ call = "shop.order" }]
[service.shop]
workers = 100
[service.shop.on.order]
steps = [{ publish = "orders" }, { reply = "ok" }]
[service.shop.on.wait]
steps = [{ work = "5s" }, { reply = "ok" }]
[queue.orders]
visibility = "60s"
delay = "5s"
[service.maker]
workers = 100
takes = "orders"
steps = [{ ack = true }]
"#;

#[test]
fn goodput_of_a_milestone_is_the_rate_of_finished_work_whoever_asked() {
    let of = |flow: &str, when: &str, warm_up: &str| {
        let experiment = format!(
            "name = \"later\"\nmodel = \"model.toml\"\nseeds = \"1..2\"\narrivals = \"30s\"\n\
             drain = \"10s\"\n[measure]\nwarm_up = \"{warm_up}\"\n[milestone.done]\n\
             of = \"{flow}\"\nwhen = \"{when}\"\n[[faults]]\nkind = \"slow\"\ntarget = \"maker\"\n\
             factor = 2\nat = \"15s\"\nfor = \"5s\"\n"
        );
        let model = DONE_LATER.replace("call = \"shop.order\"", &format!("call = \"{flow}\""));
        let campaign = campaign(&experiment, &model);
        let names = ["", "_before", "_during", "_after"];
        names.map(|when| value_in(&campaign, &format!("done.goodput{when}_per_s")).unwrap().round())
    };
    for (flow, when) in [("shop.order", "acknowledged orders"), ("shop.wait", "answer ok")] {
        assert_eq!(of(flow, when, "10s"), [20.0; 4], "{when}");
        assert_eq!(of(flow, when, "0s"), [17.0, 13.0, 20.0, 20.0], "{when}: it begins empty");
    }
}

#[test]
fn without_anything_measured_before_the_faults_nothing_has_recovered() {
    let recovered = |warm_up: &str, at: &str| {
        let experiment = format!(
            "name = \"early\"\nmodel = \"model.toml\"\nseeds = \"1..2\"\narrivals = \"60s\"\n\
             drain = \"0s\"\n[measure]\nwarm_up = \"{warm_up}\"\n[[faults]]\nkind = \"slow\"\n\
             target = \"shop\"\nfactor = 2\nat = \"{at}\"\nfor = \"10s\"\n"
        );
        value_in(&campaign(&experiment, STEADY), "recovery_s")
    };
    assert_eq!(recovered("2s", "10s"), Some(0.0));
    assert_eq!(recovered("0s", "0s"), None, "there is nothing to compare with");
    assert_eq!(recovered("20s", "10s"), None, "what was asked before does not count");
}

/// Forty users a second of whom one in twenty gets an error at any time.
const NOISY: &str = r#"
[clients.users]
arrivals = { constant = "40/s" }
flow = [{ call = "shop.buy", policy = "user" }]
[service.shop]
workers = 1
[service.shop.on.buy]
steps = [{ work = "20ms" }, { call = "bank.charge" }, { reply = "ok" }]
[provider.bank]
concurrency = "unlimited"
latency = "0s"
errors_before = "5%"
[policy.user]
timeout = "1s"
"#;

#[test]
fn a_time_to_recovery_that_is_chance_is_a_warning() {
    let said = |factor: &str| {
        let experiment = format!(
            "name = \"noise\"\nmodel = \"model.toml\"\nseeds = \"1..6\"\narrivals = \"150s\"\n\
             drain = \"10s\"\n[measure]\nwarm_up = \"0s\"\n[[faults]]\nkind = \"slow\"\n\
             target = \"shop\"\nfactor = {factor}\nat = \"20s\"\nfor = \"10s\"\n"
        );
        let campaign = campaign(&experiment, NOISY);
        let results: Vec<_> = (0..campaign.runs()).map(|run| campaign.run(run)).collect();
        let late = results.iter().filter(|run| run.recovery.came_back() == Some(true));
        assert!(late.count() > 0, "some come back");
        unsteady_text(&campaign, &results)
    };
    let harmless = said("1.01");
    assert!(harmless.contains("runs that came back chance explains\n"), "{harmless}");
    let queue = said("10");
    assert!(!queue.contains("how long it took"), "for half a minute nobody has succeeded: {queue}");
}

/// Answers that take exactly so long, each as often as it says.
const EXACT: &str = r#"
[clients.users]
arrivals = { constant = "100/s" }
flow = [{ call = "back.get" }]
[service.back]
workers = 1000
on.get.steps = [
  { when = { share_of_requests = "25%" }, then = [{ work = "20ms" }, { reply = "ok" }] },
  { when = { share_of_requests = "25%" }, then = [{ work = "100ms" }, { reply = "ok" }] },
  { work = "50ms" },
  { reply = "ok" },
]
[link.default]
latency = "0s"
"#;

const EXACT_MEASURED: &str = r#"
name = "exact"
model = "model.toml"
seeds = "1..4"
arrivals = "20s"
[expect]
latency_p50_ms = ">= 50ms"
latency_p99_ms = "<= 50ms"
"#;

/// The estimate of a metric over all runs of the only cell.
fn estimate(campaign: &Campaign, results: &[RunResult], metric: &str) -> Averaged {
    let index = campaign.metrics().find(metric).expect(metric);
    summarise(campaign, results)[0].metrics[index].expect("it can be estimated")
}

#[test]
fn percentiles_of_equal_times_are_that_time_and_the_promise_of_it_is_kept() {
    let model = EXACT.replace("25%", "0%");
    let campaign = campaign(EXACT_MEASURED, &model);
    let results = run_all(&campaign);
    for metric in ["latency_p50_ms", "latency_p99_ms"] {
        let found = estimate(&campaign, &results, metric);
        assert_eq!((found.mean, found.least, found.greatest), (50.0, 50.0, 50.0), "{metric}");
        assert_eq!(found.interval, Some(Interval { low: 50.0, high: 50.0 }), "{metric}");
    }
    let judged = results.iter().flat_map(|run| &run.expectations);
    assert!(judged.clone().all(|one| one.met == Some(true)), "{judged:?}");
}

#[test]
fn an_interval_of_a_percentile_is_no_narrower_than_what_can_be_told_apart() {
    let campaign = campaign(EXACT_MEASURED, EXACT);
    let results = run_all(&campaign);
    for (metric, exact) in [("latency_p50_ms", 50.0), ("latency_p99_ms", 100.0)] {
        let found = estimate(&campaign, &results, metric);
        let interval = found.interval.expect("of three runs");
        assert!(interval.contains(exact) && interval.contains(found.mean), "{metric}: {found:?}");
        // A bucket is a 128th wide at the most.
        assert!(interval.high / interval.low < 1.01, "{metric}: {found:?}");
    }
}

#[test]
fn no_interval_of_a_recovery_is_longer_than_users_come_after_the_fault() {
    let fault = "[[faults]]\nat = \"10s\"\nfor = \"1s\"\ntarget = \"back\"\nkind = \"crash\"\n";
    let arms = "[arms.today]\n[arms.other]\n[compare]\nprimary = [\"recovery_s\"]\n";
    let campaign = campaign(&format!("{EXACT_MEASURED}{fault}{arms}"), EXACT);
    let mut results = run_all(&campaign);
    let index = campaign.metrics().find("recovery_s").expect("it is measured");
    for (run, value) in results.iter_mut().zip([25.9, 0.9, 3.9, 0.1, 8.9, 0.2].map(|it| it / 3.0)) {
        run.values[index] = Some(value);
    }
    let found = estimate(&campaign, &results, "recovery_s").interval.expect("of three runs");
    assert_eq!(found.high, 9.0, "of 20 s, the fault ends after 11 s: {found:?}");
    let pairs = compare(&campaign, &results).pairs;
    let pair = pairs.iter().find(|pair| pair.metric == "recovery_s").expect("it is compared");
    let interval = pair.interval.expect("of three pairs");
    assert_eq!((interval.low, interval.high), (-9.0, 9.0), "{pair:?}");
}
