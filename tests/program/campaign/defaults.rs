//! What an experiment that says nothing of its times counts: everybody until the end, and nobody
//! before the system has filled.

use crate::common::Changed;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

/// Writes an experiment beside its model.
fn write(folder: &Path, model: &str, experiment: &str) {
    fs::write(folder.join("model.toml"), model).expect("the model can be written");
    let text = format!("name = \"defaults\"\nmodel = \"model.toml\"\n{experiment}");
    fs::write(folder.join("experiment.toml"), text).expect("the experiment can be written");
}

/// What `stormglass run` says of an experiment, and its `summary.json`.
fn run(model: &str, experiment: &str) -> (String, Value) {
    let (said, folder) = run_with(model, experiment, &[]);
    (said, json(&folder, "summary.json"))
}

/// What `stormglass run` says of an experiment, and the folder with the results in `out`.
fn run_with(model: &str, experiment: &str, arguments: &[&str]) -> (String, TempDir) {
    let folder = TempDir::new().expect("a temporary folder");
    write(folder.path(), model, experiment);
    let (path, out) = (folder.path().join("experiment.toml"), folder.path().join("out"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_stormglass"));
    command.arg("run").arg(path).arg("--full").args(arguments).arg("--out").arg(&out);
    (said(&mut command), folder)
}

/// Everything that a command prints.
fn said(command: &mut Command) -> String {
    let output = command.output().expect("the command runs");
    let said = [output.stdout, output.stderr];
    said.map(|said| String::from_utf8_lossy(&said).into_owned()).concat()
}

/// A file of the results.
fn json(folder: &TempDir, name: &str) -> Value {
    let text = fs::read_to_string(folder.path().join("out").join(name)).expect(name);
    serde_json::from_str(&text).expect(name)
}

/// The mean of a metric over the runs of the first cell.
fn mean(summary: &Value, metric: &str) -> f64 {
    summary["cells"][0]["metrics"][metric]["mean"].as_f64().expect(metric)
}

/// Of ten users a second one needs 20 s and the others a millisecond.
const ONE_IN_TEN_IS_SLOW: &str = r#"
[clients.users]
arrivals = { constant = "9/s" }
flow = [{ call = "api.ask" }]
[clients.patient]
arrivals = { constant = "1/s" }
flow = [{ call = "api.think" }]
[service.api]
workers = 1000
[service.api.on.ask]
steps = [{ work = "1ms" }, { reply = "ok" }]
[service.api.on.think]
steps = [{ work = "20s" }, { reply = "ok" }]
[link.default]
latency = "0s"
"#;

#[test]
fn the_last_requests_count_however_slow_they_are() {
    let of = |more: &str| run(ONE_IN_TEN_IS_SLOW, &format!("seeds = \"1..4\"\n{more}"));
    let (said, whole) = of("arrivals = \"30s\"\n");
    assert!(said.contains("3 runs of 30s and at most 60s to drain\n"), "{said}");
    assert_eq!(mean(&whole, "unfinished_ratio"), 0.0);
    let latency = mean(&whole, "latency_mean_ms");
    assert!((latency - 2_000.9).abs() < 100.0, "a tenth of them 20 s: {latency} ms");
    let (said, cut) = of("arrivals = \"30s\"\ndrain = \"0s\"\n");
    assert!(said.contains("3 runs of 30s\n"), "{said}");
    let latency = mean(&cut, "latency_mean_ms");
    assert!(latency < 800.0, "of the last 20 s only the fast ones have an answer: {latency} ms");
    let (said, _) = of("arrivals = \"100s\"\n");
    assert!(said.contains("3 runs of 100s and at most 100s to drain\n"), "{said}");
}

/// A worker that gets as many times what it can do.
fn overloaded(times: u32) -> String {
    format!(
        r#"
[clients.users]
arrivals = {{ constant = "{times}0/s" }}
flow = [{{ call = "api.ask" }}]
[service.api]
workers = 1
[service.api.on.ask]
steps = [{{ work = "100ms" }}, {{ reply = "ok" }}]
"#
    )
}

#[test]
fn a_drain_that_is_not_stated_ends_after_as_long_as_users_came() {
    let measured = "seeds = \"1..4\"\narrivals = \"100s\"\nmeasure = { warm_up = \"0s\" }\n";
    let of = |times: u32| run(&overloaded(times), measured);
    let (said, twice) = of(2);
    assert_eq!(mean(&twice, "unfinished_ratio"), 0.0, "as long again is enough for twice the load");
    assert!(!said.contains("had no answer when their run ended"), "{said}");
    let (said, thrice) = of(3);
    let unfinished = mean(&thrice, "unfinished_ratio");
    assert!((unfinished - 1.0 / 3.0).abs() < 0.01, "{unfinished}");
    assert!(said.contains("requests of `model` had no answer when their run ended"), "{said}");
}

/// Ten users a second who stay for 20 s each: 200 are there once the system has filled.
const FILLING: &str = r#"
[clients.users]
arrivals = { poisson = "10/s" }
flow = [{ call = "api.stay" }]
[service.api]
workers = "unlimited"
[service.api.on.stay]
steps = [{ work = "exp 20s" }, { reply = "ok" }]
[link.default]
latency = "0s"
"#;

const FOR_200_S: &str = "seeds = \"1..21\"\narrivals = \"200s\"\n";

#[test]
fn what_is_asked_before_a_system_has_filled_does_not_count() {
    let present = |more: &str| {
        let (said, summary) = run(FILLING, &format!("{FOR_200_S}{more}"));
        let warm_up = summary["cells"][0]["warm_up_s"].as_f64().expect("it is a number");
        (said, mean(&summary, "in_flight_mean"), warm_up)
    };
    let (said, filled, warm_up) = present("");
    assert!((filled - 200.0).abs() < 6.0, "10/s for 20 s each: {filled}");
    assert!(
        said.contains("s: so long `model` was filling in calm runs of seeds 1 to 10"),
        "{said}"
    );
    assert!((40.0..100.0).contains(&warm_up), "2 to 5 times as long as one stays: {warm_up} s");
    let (said, from_empty, warm_up) = present("[measure]\nwarm_up = \"0s\"\n");
    assert!((170.0..190.0).contains(&from_empty), "a tenth of the time it fills: {from_empty}");
    assert_eq!((said.contains("MSER-5"), warm_up), (false, 0.0), "{said}");
}

#[test]
fn a_warm_up_is_told_in_seconds() {
    let (said, _) = run(FILLING, "seeds = \"1..4\"\narrivals = \"150s\"\n");
    let found = said.lines().find(|line| line.starts_with("warm-up ")).expect("it is told");
    assert!(!found.contains("ms"), "{found}");
}

#[test]
fn a_stated_warm_up_that_is_likely_to_be_too_short_is_a_warning() {
    let stated = |model: &str, warm_up: &str| {
        let measured = format!("[measure]\nwarm_up = \"{warm_up}\"\n");
        run(model, &format!("seeds = \"1..3\"\narrivals = \"200s\"\n{measured}")).0
    };
    let said = stated(FILLING, "0s");
    assert!(
        said.contains("warning: a warm-up of 0s is likely to be too short: in calm runs"),
        "{said}"
    );
    let said = stated(FILLING, "60s");
    assert!(!said.contains("too short"), "{said}");
    let said = stated(&FILLING.replace("20s", "100ms"), "0s");
    assert!(!said.contains("too short"), "a tenth of a second in 200 s: {said}");
}

/// One server that is busy for four fifths of the time, and has few of its runs near the mean.
const BUSY: &str = r#"
[clients.users]
arrivals = { poisson = "80/s" }
flow = [{ call = "api.ask" }]
[service.api]
workers = 1
on.ask.steps = [{ work = "exp 10ms" }, { reply = "ok" }]
[link.default]
latency = "0s"
"#;

#[test]
fn a_stated_warm_up_is_called_too_short_where_the_mean_of_pilots_says_so_and_not_by_chance() {
    let measured = "[measure]\nwarm_up = \"2s\"\n";
    let warns = |set: &u32| {
        let seeds = format!("seeds = \"{}..{}\"\n", 10 * set + 1, 10 * set + 11);
        let one = format!("{}..{}", 10 * set + 1, 10 * set + 2);
        let experiment = format!("{seeds}arrivals = \"20s\"\n{measured}");
        let (said, _) = run_with(BUSY, &experiment, &["--seeds", &one]);
        said.contains("too short")
    };
    let false_ones = (0..20).filter(warns).count();
    assert_eq!(false_ones, 0, "of 20 disjoint sets of seeds; of one pilot each it is 6");
    let short = |model: &str| {
        let experiment = format!("seeds = \"1..11\"\narrivals = \"200s\"\n{measured}");
        run_with(model, &experiment, &["--seeds", "1..2"]).0
    };
    for model in [FILLING, CACHED] {
        let said = short(model);
        assert!(said.contains("likely to be too short: in calm runs of seeds 1 to 10"), "{said}");
    }
    let arms = "[arms.first]\n[arms.second]\n";
    let experiment = format!("seeds = \"1..11\"\narrivals = \"200s\"\n{measured}{arms}");
    let (said, _) = run_with(FILLING, &experiment, &["--seeds", "1..2"]);
    assert!(said.contains("that of `second` is, too"), "{said}");
}

/// Reads of 200 rows that take a second, and no time once they are in the cache.
const CACHED: &str = r#"
[clients.users]
arrivals = { poisson = "20/s" }
keys = { uniform = 200 }
flow = [{ call = "api.look" }]
[service.api]
workers = "unlimited"
[service.api.on.look]
steps = [{ read = "db.profile", cache = "near" }, { reply = "ok" }]
[database.db]
commit = "0s"
read = "1s"
connections = 1000
tables = { profile = { rows = "key", initial = "known" } }
[cache.near]
capacity = 200
[link.default]
latency = "0s"
"#;

#[test]
fn a_cold_cache_does_not_count() {
    let latency = |more: &str| {
        let measured = format!("seeds = \"1..4\"\narrivals = \"200s\"\n{more}");
        mean(&run(CACHED, &measured).1, "latency_mean_ms")
    };
    let (warm, cold) = (latency(""), latency("[measure]\nwarm_up = \"0s\"\n"));
    assert!(warm < 3.0, "all rows are there: {warm} ms");
    assert!(cold > 40.0, "with the time in which they are read for the first time: {cold} ms");
}

#[test]
fn an_experiment_has_one_warm_up_whatever_is_run_of_it() {
    let arms = r#"
[arms.short]
[arms.long.set]
"service.api.on.stay.steps" = [{ work = "exp 30s" }, { reply = "ok" }]
"#;
    let experiment = format!("{FOR_200_S}{arms}");
    let of = |arguments: &[&str]| {
        let (_, folder) = run_with(FILLING, &experiment, arguments);
        let summary = json(&folder, "summary.json");
        let found = json(&folder, "manifest.json")["warm_up"].clone();
        let of_cell = |cell: &Value| cell["warm_up_s"].clone();
        let cells: Vec<Value> = summary["cells"].as_array().unwrap().iter().map(of_cell).collect();
        assert_eq!(cells, [found["seconds"].clone(), found["seconds"].clone()]);
        let tables = fs::read_to_string(folder.path().join("out/tables.md")).unwrap();
        assert!(tables.contains(": so long `long` was filling in calm runs of seeds 1 to 10"));
        found
    };
    let found = of(&["--seeds", "7..9", "--workers", "1"]);
    assert_eq!(found, of(&["--seeds", "1..3", "--workers", "2"]));
    assert_eq!(found["longest"]["arm"], "long", "arms are compared after the same time");
}

#[test]
fn what_is_expected_of_a_metric_is_expected_after_the_warm_up() {
    let checked = |more: &str| {
        let folder = TempDir::new().expect("a temporary folder");
        // With the start it is between 155 and 195, and after it between 170 and 230.
        let expected = "[expect]\nin_flight_mean = \">= 184\"\n";
        write(folder.path(), FILLING, &format!("{FOR_200_S}{expected}{more}"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_stormglass"));
        command.arg("check").arg(folder.path().join("experiment.toml"));
        said(command.args(["--seeds", "1..3"]))
    };
    let auto = checked("");
    assert!(auto.contains("warm-up ") && auto.contains("pass"), "{auto}");
    let stated = checked("[measure]\nwarm_up = \"0s\"\n");
    assert!(!stated.contains("warm-up") && !stated.contains("pass"), "{stated}");
}

#[test]
fn a_warm_up_ends_long_before_the_first_fault_and_it_is_said_where_that_is_too_soon() {
    let fault = r#"
[[faults]]
kind = "slow"
target = "api"
factor = 2
at = "20s"
for = "5s"
"#;
    let (said, summary) = run(FILLING, &format!("{FOR_200_S}{fault}"));
    assert!(summary["cells"][0]["warm_up_s"].as_f64().unwrap() <= 10.0, "{summary}");
    assert!(said.contains("may be too short: `model` had not settled"), "{said}");
    let few = |seconds: u32| format!("seeds = \"1..4\"\narrivals = \"{seconds}s\"\n");
    let (said, _) = run(&overloaded(2), &few(100));
    assert!(said.contains("may be too short: `model` had not settled"), "it never does: {said}");
    let (said, _) = run(CACHED, &few(200));
    assert!(!said.contains("may be too short"), "{said}");
}

#[test]
fn a_pilot_that_a_limit_ended_shows_no_warm_up() {
    let of = |events: &str| {
        let limits = format!("[limits]\nevents = {events}\n");
        run(&overloaded(1).replace("10/s", "5/s"), &format!("{FOR_200_S}{limits}"))
    };
    let (said, summary) = of("2000");
    assert!(said.contains("no warm-up: a limit ended the runs that were to show it\n"), "{said}");
    assert!(said.contains("warning: how long `model` fills is not known: a limit"), "{said}");
    assert!(!said.contains("had not settled"), "{said}");
    assert_eq!(summary["cells"][0]["warm_up_s"], 0.0);
    let (said, _) = of("1000000");
    assert!(!said.contains("not known"), "{said}");
}

#[test]
fn who_never_comes_steadily_has_no_warm_up() {
    let rising = r#"{ profile = [{ at = "0s", rate = "1/s" }, { at = "50s", rate = "9/s" }] }"#;
    let model = FILLING.changed("{ poisson = \"10/s\" }", rising);
    let (said, summary) = run(&model, "seeds = \"1..4\"\narrivals = \"100s\"\n");
    assert!(said.contains("no warm-up: users never come steadily"), "{said}");
    assert_eq!(summary["cells"][0]["warm_up_s"], 0.0);
}

/// Orders that are answered at once, and made by a worker that gets twice what it can do.
const ORDERED: &str = r#"
[clients.users]
arrivals = { constant = "10/s" }
flow = [{ call = "shop.order" }]
[service.shop]
workers = 100
[service.shop.on.order]
steps = [{ publish = "orders" }, { reply = "ok" }]
[queue.orders]
visibility = "60s"
[service.maker]
workers = 1
takes = "orders"
steps = [{ work = "200ms" }, { ack = true }]
"#;

#[test]
fn work_that_is_not_finished_when_runs_end_is_a_warning() {
    let made = r#"
[milestone.made]
of = "shop.order"
when = "acknowledged orders"
[measure]
milestone = "made"
"#;
    let of = |drain: &str, more: &str| {
        let times = "seeds = \"1..3\"\narrivals = \"20s\"\n";
        run(ORDERED, &format!("{times}{drain}measure = {{ warm_up = \"0s\" }}\n{more}")).0
    };
    let messages = "messages of `model` were not done with when the runs ended";
    let (cut, whole) = (of("drain = \"0s\"\n", ""), of("", ""));
    assert!(cut.contains(messages) && cut.contains("a longer `drain` or less load"), "{cut}");
    assert!(!whole.contains("not done with") && !whole.contains("a longer `drain`"), "{whole}");
    let measured = |drain: &str| {
        let times = "seeds = \"1..3\"\narrivals = \"20s\"\n";
        run(ORDERED, &format!("{times}{drain}{made}warm_up = \"0s\"\n")).0
    };
    let on_their_way = "requests of `model` were on their way to what is measured";
    let (cut, whole) = (measured("drain = \"0s\"\n"), measured(""));
    assert!(cut.contains(on_their_way), "{cut}");
    assert!(!whole.contains("on their way"), "{whole}");
}

#[test]
fn of_many_arms_with_unfinished_work_the_worst_are_named() {
    let arms: String = (1..=5)
        .map(|times| {
            let arrivals =
                format!("set = {{ \"clients.users.arrivals\" = {{ constant = \"{times}5/s\" }} }}");
            format!("[arms.times_{times}]\n{arrivals}\n")
        })
        .collect();
    let times =
        "seeds = \"1..3\"\narrivals = \"20s\"\ndrain = \"0s\"\nmeasure = { warm_up = \"0s\" }\n";
    let (said, _) = run(&overloaded(1), &format!("{times}{arms}"));
    let named = |arm: &str| said.contains(&format!("requests of `{arm}` had no answer"));
    assert!(named("times_5") && named("times_3") && !named("times_2"), "{said}");
    assert!(said.contains("and so it is in 2 combinations more"), "{said}");
}

/// Orders whose mails go through an outbox, whose relay looks for events all the time.
const RELAYED: &str = r#"
[clients.users]
arrivals = { poisson = "10/s" }
flow = [{ call = "shop.buy" }]
[service.shop]
workers = 100
on.buy.steps = [{ transaction = "db", write = ["order = placed", "outbox = placed"] }, { reply = "ok" }]
[database.db]
commit = "1ms"
read = "1ms"
tables = { order = {} }
[outbox.relay]
database = "db"
queue = "mails"
poll = "10ms"
[queue.mails]
visibility = "10s"
[service.mailer]
workers = 1
takes = "mails"
steps = [{ work = "exp 80ms" }, { ack = true }]
"#;

#[test]
fn a_run_that_ends_when_it_is_done_has_done_what_a_longer_one_does() {
    let of = |model: &str, drain: &str, faults: &str| {
        let promised = r#"
[measure]
warm_up = "0s"
[invariants]
no_lost_event = { committed = "db.order = placed", queue = "mails", within = "30s" }
"#;
        let times = format!("seeds = \"1..3\"\narrivals = \"10s\"\n{drain}{promised}{faults}");
        let (said, folder) = run_with(model, &times, &[]);
        let runs = fs::read_to_string(folder.path().join("out/runs.csv")).expect(&said);
        let column = runs.lines().next().unwrap().split(',').position(|name| name == "events");
        let events = runs.lines().skip(1).map(|run| run.split(',').nth(column.unwrap()).unwrap());
        let events: u64 = events.map(|events| events.parse::<u64>().unwrap()).sum();
        (json(&folder, "summary.json")["cells"].clone(), events)
    };
    let both = |model: &str, faults: &str| {
        let ((early, few), (late, many)) =
            (of(model, "", faults), of(model, "drain = \"60s\"\n", faults));
        assert_eq!(early, late);
        assert_eq!(early[0]["invariants"][0]["unjudged"], 0, "the rest of the time is judged");
        (few, many)
    };
    let (few, many) = both(RELAYED, "");
    assert!(few * 3 < many, "{few} of {many} events");
    // Nobody is at work while an event waits for its relay, or a message to be delivered again.
    both(&RELAYED.replace("10ms", "7s"), "");
    let crash = "[[faults]]\nkind = \"crash\"\ntarget = \"mailer\"\nat = \"9s\"\nfor = \"2s\"\n";
    both(RELAYED, crash);
}

#[test]
fn a_run_does_not_end_while_a_relay_of_any_kind_holds_what_it_will_publish() {
    let slow = "\n[link]\n\"relay -> db\" = { latency = \"40ms\" }\n\
                \"relay -> mails\" = { latency = \"30ms\" }\n";
    let failing = slow.replace("\"30ms\"", "\"30ms\", request_loss = \"40%\"");
    let retrying = "\n[policy.try]\ntimeout = \"70ms\"\n\
                    retry = { attempts = 9, backoff = \"constant 200ms\" }\n";
    for relay in [
        "",
        "mark_first = true",
        "batch = 3",
        "batch = 3\nmark_first = true",
        "publish = { in_flight = 3, batch = 2 }",
        "publish = { in_flight = 3, batch = 2, ordering_key = \"order\" }\nmark_first = true",
        "publish = { in_flight = 3 }\nmark_first = true",
        "relays = 2\nclaim = \"skip_locked\"\nmark_first = true",
        "tail = { latency = \"50ms\" }",
    ] {
        for (links, policy) in [(slow, ""), (failing.as_str(), "policy = \"try\"\n")] {
            let model = RELAYED
                .changed("poll = \"10ms\"\n", &format!("poll = \"10ms\"\n{relay}\n{policy}"));
            let model = format!("{model}{links}{retrying}");
            let of = |drain: &str| {
                let promised = "[measure]\nwarm_up = \"0s\"\n[invariants]\nno_lost_event = \
                    { committed = \"db.order = placed\", queue = \"mails\", within = \"30s\" }\n";
                let times = "seeds = \"1..3\"\narrivals = \"3s\"\n";
                run(&model, &format!("{times}{drain}{promised}")).1["cells"].clone()
            };
            assert_eq!(of(""), of("drain = \"60s\"\n"), "{relay} {policy}");
        }
    }
}

/// Two relays take the same row, and one marks it while the answer that tells the other of it is on
/// its way: that one publishes it once more.
#[test]
fn a_run_does_not_end_while_a_relay_is_being_told_of_what_another_has_marked() {
    let model = RELAYED
        .changed("poll = \"10ms\"\n", "poll = \"10ms\"\nrelays = 2\n")
        .changed("{ work = \"exp 80ms\" }", "{ transaction = \"db\", write = [\"mail = sent\"] }")
        .changed("{ order = {} }", "{ order = {}, mail = {} }");
    let model = format!("{model}\n[link]\n\"relay -> db\" = {{ latency = \"exp 40ms\" }}\n");
    let of = |drain: &str| {
        let promised = "[measure]\nwarm_up = \"0s\"\n[invariants]\n\
                        applied_once = { applied = \"db.mail = sent\" }\n";
        let times = "seeds = \"1..31\"\narrivals = \"3s\"\n";
        let summary = run(&model, &format!("{times}{drain}{promised}")).1;
        summary["cells"][0]["invariants"][0]["violations"].as_u64().expect("a count")
    };
    let whole = of("drain = \"60s\"\n");
    assert!(whole > 100, "{whole}");
    assert_eq!(of(""), whole);
}
