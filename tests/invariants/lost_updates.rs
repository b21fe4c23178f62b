//! Handlers that read a row and write it later: whose updates are lost, and what is none of that.

use crate::common::{Changed, runs};
use stormglass::experiment::run::result::RunResult;
use stormglass::policy::OutcomeKind;

fn one(more: &str, model: &str) -> RunResult {
    let experiment = format!(
        "name = \"updates\"\nmodel = \"inline\"\narrivals = \"10s\"\ndrain = \"20s\"\n\
         seeds = \"1..2\"\n{more}"
    );
    runs(&experiment, model).remove(0)
}

/// Users change one row every 10 ms: read it, work for 15 ms, write it.
fn read_then_write(more: &str) -> RunResult {
    let model = r#"
[clients.users]
arrivals = { constant = "100/s" }
flow = [{ call = "api.change" }]

[service.api]
workers = "unlimited"
on.change.steps = [
  { read = "db.stock" },
  { work = "15ms" },
  { transaction = "db", write = ["stock = changed"]MORE },
  { reply = "ok" },
]

[database.db]
commit = "0s"
read = "0s"
tables = { stock = { rows = "key" } }
"#;
    one("", &model.changed("MORE", more))
}

#[test]
fn an_update_of_an_unchanged_row_only_is_never_lost() {
    // While a user works the one before writes: every update but the first is based on an old row.
    let blind = read_then_write("").metrics;
    assert_eq!((blind.requests, blind.updates_lost, blind.conflicts), (999, 998, 0));
    // The first wins against the second, the third reads what the first wrote, and so on.
    let careful = read_then_write(", if_unchanged = true").metrics;
    assert_eq!((careful.ok, careful.updates_lost, careful.conflicts), (500, 0, 499));
    assert_eq!(careful.failed.of_kind(OutcomeKind::Failed), 499);
}

#[test]
fn what_is_written_elsewhere_or_once_more_loses_no_update() {
    // Users read the stock and write something else, or the stock twice; others change it blindly.
    let lost = |writes: &str| {
        let model = format!(
            r#"
[clients.users]
arrivals = {{ constant = "1/s" }}
flow = [{{ call = "api.change" }}]

[clients.others]
arrivals = {{ constant = "100/s" }}
flow = [{{ call = "api.restock" }}]

[service.api]
workers = "unlimited"
on.restock.steps = [{{ transaction = "db", write = ["stock = filled"] }}, {{ reply = "ok" }}]
on.change.steps = [
  {{ work = "1ms" }},
  {{ read = "db.stock" }},
  {writes},
  {{ reply = "ok" }},
]
on.count.steps = [
  {{ read = "db.stock" }},
  {{ transaction = "db", write = ["stock = counted"] }},
  {{ reply = "ok" }},
]

[database.db]
commit = "0s"
read = "0s"
tables = {{ stock = {{ rows = "key" }}, entry = {{}} }}
"#
        );
        let promise = "[invariants]\nno_lost_update = { table = \"db.stock\" }\n";
        let run = one(promise, &model);
        let verdict = &run.invariants[0];
        assert_eq!(verdict.violations, run.metrics.updates_lost);
        (verdict.violations, verdict.exposure)
    };
    let elsewhere = "{ work = \"15ms\" }, { transaction = \"db\", write = [\"entry = written\"] }";
    assert_eq!(lost(elsewhere), (0, 0), "that is write skew, and nothing is overwritten");
    let here = elsewhere.changed("entry = written", "stock = changed");
    assert_eq!(lost(&here), (9, 9));
    let twice = "{ transaction = \"db\", write = [\"stock = changed\"] }, \
                 { transaction = \"db\", write = [\"stock = closed\"] }";
    assert_eq!(lost(twice), (0, 18), "what it has written itself it knows");
}

#[test]
fn every_row_that_is_read_and_written_in_one_transaction_is_watched() {
    // Users change two rows every 10 ms: they read, work for 15 ms and write.
    let lost = |steps: &str| {
        let model = format!(
            r#"
[clients.users]
arrivals = {{ constant = "100/s" }}
flow = [{{ call = "api.change" }}]

[service.api]
workers = "unlimited"
on.change.steps = [{steps}, {{ reply = "ok" }}]

[database.db]
commit = "0s"
read = "0s"
tables = {{ stock = {{ rows = "key" }}, price = {{ rows = "key" }} }}
"#
        );
        let promises = "[invariants]\nno_lost_update = { table = \"db.stock\" }\n\
                        [invariants.other]\npromise = \"no_lost_update\"\ntable = \"db.price\"\n";
        let run = one(promises, &model);
        let found = |place: usize| {
            let verdict = &run.invariants[place];
            (verdict.violations, verdict.exposure)
        };
        (found(0), found(1))
    };
    let (stock, price, work) =
        ("{ read = \"db.stock\" }", "{ read = \"db.price\" }", "{ work = \"15ms\" }");
    let write = |rows: &str, more: &str| {
        format!("{{ transaction = \"db\", write = [{rows}]{more}, ignore_failure = true }}")
    };
    let both = write("\"stock = new\", \"price = new\"", "");
    let all = ((998, 999), (998, 999));
    assert_eq!(lost(&format!("{stock}, {price}, {work}, {both}")), all);
    assert_eq!(lost(&format!("{price}, {stock}, {work}, {both}")), all);
    // The price is compared and nobody changes it, so the stock is written on top of others.
    let other = write("\"stock = new\"", ", if_unchanged = true");
    assert_eq!(lost(&format!("{stock}, {price}, {work}, {other}")), ((998, 999), (0, 0)));
    // What is compared is never lost, and what is refused is no write.
    let same = write("\"stock = new\", \"price = new\"", ", if_unchanged = true");
    assert_eq!(lost(&format!("{stock}, {price}, {work}, {same}")), ((0, 500), (0, 500)));
    // The stock was read long before the price, and others have written both in between.
    let late = format!("{stock}, {work}, {price}, {same}");
    assert_eq!(lost(&late), ((998, 999), (0, 999)));
    let jumped = format!(
        "{{ when = {{ share_of_orders = \"0%\" }}, then = [{stock}] }}, {price}, {work}, {both}"
    );
    assert_eq!(lost(&jumped), ((0, 0), (998, 999)), "what it has not read it does not know");
}
