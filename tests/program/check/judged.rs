//! By when a promise must be kept, until when it is judged, and since when it is broken.

use std::path::{Path, PathBuf};

use super::{Ran, path, stormglass};

/// Orders are accepted at once and settled through an outbox and a queue.
const SETTLED_LATER: &str = r#"
[clients.fans]
arrivals = { poisson = "5/s" }
flow = [{ call = "shop.buy" }]

[service.shop]
workers = 100
on.buy.steps = [
  { transaction = "orders", write = ["order = accepted", "outbox = accepted"] },
  { reply = "ok" },
]

[database.orders]
commit = "1ms"
read = "1ms"
tables = { order = {} }

[outbox.relay]
database = "orders"
queue = "events"
poll = "50ms"

[queue.events]
visibility = "30s"

[service.payer]
workers = 100
takes = "events"
steps = [
  { call = "payment.charge", idempotency_key = "order" },
  { transaction = "orders", write = ["order = paid"] },
  { ack = true },
]

[provider.payment]
concurrency = 100
latency = "50ms"
effects = ["charge", "refund"]
"#;

/// Nothing is delivered for 15 s.
const STALL: &str = r#"
[[faults]]
kind = "queue_stall"
target = "events"
at = "5s"
for = "15s"
"#;

const SETTLED: &str = r#"
[invariants.settled_or_compensated]
accepted = "shop.buy"
settled = "orders.order = paid"
cancelled = "orders.order = cancelled"
effect = "charge"
refund = "refund"
within = "5s"
"#;

/// Every order is written and nothing is ever published.
const NEVER_PUBLISHED: &str = r#"
[clients.users]
arrivals = { poisson = "20/s" }
flow = [{ call = "api.place" }]

[service.api]
workers = 20
on.place.steps = [{ transaction = "db", write = ["order = placed"] }, { reply = "ok" }]

[database.db]
commit = "1ms"
read = "1ms"
tables = { order = {} }

[queue.events]
visibility = "1s"
"#;

const LOST: &str = r#"
[invariants]
no_lost_event = { committed = "db.order = placed", queue = "events", within = "10s" }
"#;

/// Every order is charged, and those that are charged while the database is cut off are never
/// written.
const CHARGED_FIRST: &str = r#"
[clients.users]
arrivals = { constant = "10/s" }
flow = [{ call = "api.place" }]

[service.api]
workers = 20
on.place.steps = [
  { call = "bank.charge" },
  { transaction = "db", write = ["order = placed"], policy = "once" },
  { reply = "ok" },
]

[database.db]
commit = "1ms"
read = "1ms"
tables = { order = {} }

[provider.bank]
concurrency = 10
latency = "10ms"
effects = ["charge"]

[policy.once]
timeout = "100ms"
"#;

/// An experiment under one seed in a folder of its own.
fn write(experiment: &str, model: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("promise.toml");
    let head = "name = \"promise\"\nmodel = \"model.toml\"\nseeds = \"1..2\"\n";
    std::fs::write(&file, format!("{head}{experiment}")).unwrap();
    std::fs::write(folder.path().join("model.toml"), model).unwrap();
    (folder, file)
}

fn check(file: &Path, more: &[&str]) -> Ran {
    stormglass(&[&["check", path(file)], more].concat())
}

/// A column of the one row of `runs.csv`.
fn counted(file: &Path, column: &str) -> u64 {
    let out = file.with_file_name("out");
    let ran = stormglass(&["run", path(file), "--quiet", "--out", path(&out)]);
    assert_eq!(ran.code, Some(0), "{}", ran.error);
    let mut runs = csv::Reader::from_path(out.join("runs.csv")).unwrap();
    let place = runs.headers().unwrap().iter().position(|name| name == column).unwrap();
    runs.records().next().unwrap().unwrap()[place].parse().unwrap()
}

#[test]
fn within_runs_from_the_acceptance_through_faults() {
    let experiment = format!("arrivals = \"10s\"\ndrain = \"30s\"\n{STALL}{SETTLED}");
    let (_folder, file) = write(&experiment, SETTLED_LATER);
    let ran = check(&file, &[]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.error);
    assert!(ran.out.contains("settled_or_compensated"), "{}", ran.out);
    let relaxed = ["--set", "invariants.settled_or_compensated.after_faults=true"];
    let ran = check(&file, &relaxed);
    assert_eq!(ran.code, Some(0), "after the stall it is settled: {}{}", ran.out, ran.error);
    let ran = check(&file, &["--set", "invariants.settled_or_compensated.within=16s"]);
    assert_eq!(ran.code, Some(0), "no order waits for longer: {}{}", ran.out, ran.error);
}

#[test]
fn a_run_that_falls_silent_is_judged_until_its_end() {
    let (_folder, file) =
        write(&format!("arrivals = \"5s\"\ndrain = \"60s\"\n{LOST}"), NEVER_PUBLISHED);
    let ran = check(&file, &[]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.error);
    let lost = counted(&file, "no_lost_event_violations");
    assert!(lost > 50, "{lost}");
    assert_eq!(counted(&file, "no_lost_event_exposure"), lost);
    assert_eq!(counted(&file, "no_lost_event_unjudged"), 0);
}

#[test]
fn what_is_not_due_when_the_run_ends_is_unjudged() {
    let (_folder, file) =
        write(&format!("arrivals = \"5s\"\ndrain = \"4s\"\n{LOST}"), NEVER_PUBLISHED);
    assert_eq!(counted(&file, "no_lost_event_violations"), 0);
    assert_eq!(counted(&file, "no_lost_event_exposure"), 0);
    assert!(counted(&file, "no_lost_event_unjudged") > 50);
}

#[test]
fn what_a_limit_cut_off_is_unjudged() {
    let limit = "arrivals = \"5s\"\ndrain = \"60s\"\n[limits]\nevents = 400\n";
    let (_folder, file) = write(&format!("{limit}{LOST}"), NEVER_PUBLISHED);
    assert_eq!(counted(&file, "no_lost_event_exposure"), 0);
    assert!(counted(&file, "no_lost_event_unjudged") > 10);
}

#[test]
fn a_promise_is_broken_when_it_went_wrong_and_not_when_the_run_ended() {
    let experiment = "arrivals = \"3s\"\ndrain = \"60s\"\n\
        [[faults]]\nkind = \"crash\"\ntarget = \"db\"\nat = \"1s\"\nfor = \"1s\"\n\
        [invariants]\ncharge_has_order = { effect = \"charge\", order = \"db.order\" }\n";
    let (_folder, file) = write(experiment, CHARGED_FIRST);
    let json = file.with_file_name("report.json");
    let ran = check(&file, &["--json", path(&json)]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.error);
    let report: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&json).unwrap()).unwrap();
    let at = report["violations"][0]["at_ns"].as_u64().unwrap();
    assert!((900_000_000..2_000_000_000).contains(&at), "{at} ns");
}

/// Orders whose payment fails for good, and of which nobody can be told: those messages wait.
const UNPAID_AND_UNTOLD: &str = r#"
[clients.users]
arrivals = { constant = "10/s" }
flow = [{ call = "shop.buy" }]

[service.shop]
workers = 20
on.buy.steps = [
  { transaction = "db", write = ["order = accepted", "outbox = accepted"] },
  { publish = "mails" },
  { reply = "ok" },
]

[database.db]
commit = "1ms"
read = "1ms"
tables = { order = {}, shown = {} }

[outbox.relay]
database = "db"
queue = "events"
poll = "50ms"

[queue.events]
visibility = "1s"
max_receives = 2

[service.payer]
workers = 20
takes = "events"
steps = [
  { transaction = "db", write = ["shown = accepted"] },
  { call = "bank.charge" },
  { transaction = "db", write = ["order = paid", "shown = paid"] },
  { ack = true },
]

[provider.bank]
concurrency = 20
latency = "1ms"
errors_before = "100%"
effects = ["charge"]

[queue.mails]
visibility = "1s"

[service.mailer]
workers = 20
takes = "mails"
steps = [{ work = "1ms" }, { ack = true }]
"#;

#[test]
fn what_waits_in_a_queue_of_others_excuses_nothing() {
    let untold = "arrivals = \"10s\"\ndrain = \"30s\"\n\
                  [[faults]]\nkind = \"queue_stall\"\ntarget = \"mails\"\nat = \"0s\"\nfor = \"1h\"\n\
                  [invariants]\n";
    let kept = "accepted_order_kept = { accepted = \"shop.buy\", order = \"db.order\", \
                settled = \"db.order = paid\" }\n";
    let (_folder, file) = write(&format!("{untold}{kept}"), UNPAID_AND_UNTOLD);
    let ran = check(&file, &[]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.error);
    assert!(ran.out.contains("accepted_order_kept: 99 of 99 operations"), "{}", ran.out);
    // The same of a projection that is never brought up to date.
    let shows = "projection_matches = { source = \"db.order\", projection = \"db.shown\" }\n";
    let paid_at_once = "write = [\"order = paid\", \"outbox = accepted\"]";
    let written = "write = [\"order = accepted\", \"outbox = accepted\"]";
    let model = UNPAID_AND_UNTOLD.replace(written, paid_at_once);
    let (_folder, file) = write(&format!("{untold}{shows}"), &model);
    let ran = check(&file, &[]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.error);
    assert!(ran.out.contains("projection_matches: 99 of 99 operations"), "{}", ran.out);
    // What could still mend it does excuse it.
    let stalled = untold.replace("target = \"mails\"", "target = \"events\"");
    for (promise, model) in [(kept, UNPAID_AND_UNTOLD), (shows, &model)] {
        let (_folder, file) = write(&format!("{stalled}{promise}"), model);
        let ran = check(&file, &[]);
        assert!(ran.out.contains("99 were not due"), "{}", ran.out);
    }
}

/// Forty users a second, of whom one in twenty gets an error at any time.
const NOISY: &str = r#"
[clients.users]
arrivals = { constant = "40/s" }
flow = [{ call = "shop.buy", policy = "user" }]
[service.shop]
workers = 1
on.buy.steps = [{ work = "20ms" }, { call = "bank.charge" }, { reply = "ok" }]
[provider.bank]
concurrency = "unlimited"
latency = "0s"
errors_before = "5%"
[policy.user]
timeout = "1s"
"#;

#[test]
fn a_recovery_that_chance_explains_is_a_warning_of_a_check_as_of_a_run() {
    let harmless = "arrivals = \"150s\"\ndrain = \"10s\"\nmeasure = { warm_up = \"0s\" }\n\
                    [[faults]]\nkind = \"slow\"\ntarget = \"shop\"\nfactor = 1.01\n\
                    at = \"20s\"\nfor = \"10s\"\n";
    let warning = "chance explains\n         how long it took: in windows of 1s";
    let said = |expected: &str| {
        let (_folder, file) = write(&format!("{harmless}{expected}"), NOISY);
        let out = file.with_file_name("out");
        let more = ["--seeds", "1..6", "--keep-going"];
        let run =
            stormglass(&["run", path(&file), "--full", "--out", path(&out), more[0], more[1]]);
        assert!(run.out.contains(warning), "{}", run.out);
        check(&file, &more).error
    };
    let of_recovery = said("[expect]\nrecovers = \"within 100s\"\n");
    assert!(of_recovery.contains(warning), "{of_recovery}");
    let of_success = said("[expect]\nsuccess_ratio = \">= 10%\"\n");
    assert!(!of_success.contains("chance"), "nobody asks for it: {of_success}");
}
