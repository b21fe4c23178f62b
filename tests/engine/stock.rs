//! Rows that are numbers: what is taken from them, what is given back, and who finds none left.
//! Rows of things within a key.

use crate::common::{Changed, runs};
use stormglass::experiment::run::result::RunResult;
use stormglass::policy::OutcomeKind;

/// A hundred users buy, one every 100 ms.
const SHOP: &str = r#"
[clients.fans]
arrivals = { constant = "10/s" }
flow = [{ call = "api.buy" }]

[service.api]
workers = "unlimited"
on.buy.steps = [STEPS]

[database.shop]
commit = "1ms"
read = "1ms"
tables = { tickets = { rows = "key", stock = 30 }, order = {} }

[replica.copy]
of = "shop"
lag = "10ms"
read = "1ms"
"#;

const EXPERIMENT: &str = r#"
name = "stock"
model = "inline"
arrivals = "10.05s"
drain = "20s"
seeds = "1..2"
measure = { warm_up = "0s" }
[invariants]
no_oversell = { stock = "shop.tickets", sold = "shop.order = sold", returned = "shop.order = back" }
"#;

fn shop(steps: &str) -> RunResult {
    let experiment = match steps.contains("order = back") {
        true => EXPERIMENT.to_owned(),
        false => EXPERIMENT.changed(", returned = \"shop.order = back\"", ""),
    };
    runs(&experiment, &SHOP.changed("STEPS", steps)).remove(0)
}

/// How many were served, how many sales there were, and how many of them were too many.
fn sold(run: &RunResult) -> (u64, u64, u64) {
    let promise = &run.invariants[0];
    (run.metrics.ok, promise.exposure, promise.violations)
}

#[test]
fn what_is_there_is_sold_and_no_more() {
    let buy = |write: &str| {
        format!(
            "{{ transaction = \"shop\", write = [\"{write}\", \"order = sold\"] }}, \
             {{ reply = \"ok\" }}"
        )
    };
    let run = shop(&buy("tickets - 1"));
    assert_eq!(sold(&run), (30, 30, 0));
    assert_eq!(run.metrics.failed.of_kind(OutcomeKind::Invalid), 70, "who finds none is told so");
    assert_eq!(sold(&shop(&buy("tickets - 7"))), (4, 4, 0), "two are left, and nobody takes two");
    assert_eq!(sold(&shop(&buy("tickets + 1"))).0, 100);
}

#[test]
fn a_handler_goes_by_whether_any_is_left() {
    let fallback = r#"{ transaction = "shop", write = ["tickets - 1", "order = sold"], fallback = [
        { when = { outcome = ["FAILED_PRECONDITION"] }, then = [{ reply = 410 }],
          otherwise = [{ reply = "failed" }] } ] }, { reply = "ok" }"#;
    let run = shop(fallback);
    let told: Vec<(String, u64)> =
        run.metrics.failed.iter().map(|(outcome, count)| (outcome.to_string(), count)).collect();
    assert_eq!((run.metrics.ok, told), (30, vec![("410".to_owned(), 70)]));
    for source in ["shop", "copy"] {
        let looks = format!(
            r#"{{ read = "{source}.tickets" }},
            {{ when = {{ state = "0" }}, then = [{{ reply = 404 }}], otherwise = [
                {{ transaction = "shop", write = ["tickets - 1", "order = sold"] }} ] }},
            {{ reply = "ok" }}"#
        );
        let run = shop(&looks);
        let told: Vec<String> =
            run.metrics.failed.iter().map(|(outcome, _)| outcome.to_string()).collect();
        assert_eq!((run.metrics.ok, told), (30, vec!["404".to_owned()]), "{source}");
    }
}

#[test]
fn what_is_given_back_is_sold_again() {
    let steps = |once: &str| {
        format!(
            r#"{{ transaction = "shop", write = ["tickets - 1", "order = sold"] }},
            {{ when = {{ share_of_orders = "50%" }}, then = [
                {{ transaction = "shop", write = ["order = back", "tickets + 1"]{once} }},
                {{ transaction = "shop", write = ["order = back", "tickets + 1"]{once} }} ] }},
            {{ reply = "ok" }}"#
        )
    };
    // Both steps are transactions of their own kind: each is made once.
    let (served, sales, oversold) = sold(&shop(&steps("")));
    assert!((45..=100).contains(&served) && sales == served, "{served}");
    assert!(oversold > 0, "what is given back twice is sold twice");
    let once = steps("").replacen(
        "{ transaction = \"shop\", write = [\"order = back\", \"tickets + 1\"] } ] }",
        "] }",
        1,
    );
    let (served, sales, oversold) = sold(&shop(&once));
    assert!(
        (45..=90).contains(&served) && sales == served && oversold == 0,
        "{served}, {oversold}"
    );
}

#[test]
fn who_writes_what_was_read_less_one_oversells_unless_it_is_unchanged() {
    let steps = |more: &str| {
        format!(
            r#"{{ read = "shop.tickets" }},
            {{ when = {{ state = "0" }}, then = [{{ reply = 410 }}] }},
            {{ transaction = "shop", write = ["tickets = read - 1", "order = sold"]{more} }},
            {{ reply = "ok" }}"#
        )
    };
    let crowd = |steps: &str| {
        let model =
            SHOP.changed("STEPS", steps).changed("constant = \"10/s\"", "poisson = \"200/s\"");
        let experiment = EXPERIMENT.changed(", returned = \"shop.order = back\"", "");
        runs(&experiment.changed("10.05s", "2s"), &model).remove(0)
    };
    let blind = crowd(&steps(""));
    let (served, sales, oversold) = sold(&blind);
    assert!(served == sales && oversold == sales - 30 && oversold > 0, "{sales} of 30");
    assert!(blind.metrics.updates_lost >= oversold, "{}", blind.metrics.updates_lost);
    let careful = crowd(&steps(", if_unchanged = true"));
    assert_eq!(sold(&careful), (30, 30, 0));
    assert!(careful.metrics.conflicts > 0 && careful.metrics.updates_lost == 0);
    let atomic = crowd(&steps("").changed("tickets = read - 1", "tickets - 1"));
    assert_eq!((sold(&atomic), atomic.metrics.updates_lost), ((30, 30, 0), 0));
}

#[test]
fn users_of_one_key_are_about_different_things_within_it() {
    let model = |rows: &str, subkeys: &str| {
        format!(
            r#"
[clients.fans]
arrivals = {{ constant = "100/s" }}
keys = {{ uniform = 2 }}
{subkeys}
flow = [{{ call = "api.take" }}]
[service.api]
workers = "unlimited"
on.take.steps = [
  {{ read = "shop.seat" }},
  {{ when = "found", then = [{{ reply = 404 }}] }},
  {{ transaction = "shop", write = ["seat = taken"] }},
  {{ reply = "ok" }},
]
[database.shop]
commit = "0s"
read = "0s"
tables = {{ seat = {{ rows = "{rows}" }} }}
"#
        )
    };
    let taken = |rows: &str, subkeys: &str| {
        let experiment = "name = \"seats\"\nmodel = \"inline\"\narrivals = \"10.005s\"\n\
                          drain = \"1s\"\nseeds = \"1..2\"\n";
        runs(experiment, &model(rows, subkeys))[0].metrics.ok
    };
    assert_eq!(taken("key", ""), 2);
    assert_eq!(taken("key", "subkeys = { uniform = 10 }"), 2, "the row is that of the key");
    assert_eq!(taken("subkey", "subkeys = { uniform = 10 }"), 20, "ten of each");
    assert_eq!(taken("subkey", ""), 2, "a key has one thing");
    let some = taken("subkey", "subkeys = { zipf = { exponent = 2.0, of = 1000 } }");
    assert!((20..400).contains(&some), "hot ones are taken: {some}");
}
