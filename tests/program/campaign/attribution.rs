//! What spent the budget: causes are taken out in turn under the same seed.

use stormglass::experiment::plan::campaign::Campaign;
use stormglass::experiment::run::result::RunResult;
use stormglass::report::attribution;
use stormglass::report::table::Table;

use crate::common::{Changed, campaign, run_all};

/// Ten orders a second at a shop of two instances; either alone can serve them all.
const MODEL: &str = r#"
[clients.shoppers]
arrivals = { constant = "10/s" }
flow = [{ call = "api.order", policy = "patient" }]

[service.api]
workers = "unlimited"
instances = 2
on.order.steps = [{ call = "one.ask", fallback = [{ call = "other.ask" }] }, { reply = "ok" }]

[service.one]
workers = "unlimited"
on.ask.steps = [{ work = "1ms" }, { reply = "ok" }]

[service.other]
workers = "unlimited"
on.ask.steps = [{ work = "1ms" }, { reply = "ok" }]

[policy.patient]
timeout = "1s"
"#;

const EXPERIMENT: &str = r#"
name = "attributed"
model = "m.toml"
seeds = "1..2"
arrivals = "60s"
measure = { warm_up = "0s" }
attribution = { shapley = true }

[slo.orders]
of = "api.order"
good = "answer ok"
target = "99%"
window = "6000s"

[[faults]]
kind = "crash"
target = "one"
at = "10s"
for = "10s"

[[faults]]
kind = "crash"
target = "other"
at = "15s"
for = "10s"

[[faults]]
kind = "errors"
target = "api"
share = "100%"
at = "40s"
for = "3s"
"#;

fn rows(campaign: &Campaign, results: &[RunResult]) -> Vec<Vec<String>> {
    let text = attribution::csv(campaign, results).expect("it is attributed");
    let rows = text.lines().skip(1).map(|row| row.split(',').map(str::to_owned).collect());
    rows.collect()
}

/// Cause, part, share of the budget, Shapley value of each row.
fn shown(campaign: &Campaign, results: &[RunResult]) -> Vec<String> {
    rows(campaign, results).iter().map(|row| row[4..].join(" ")).collect()
}

#[test]
fn each_cause_has_its_part_and_what_two_do_together_is_told() {
    let campaign = campaign(EXPERIMENT, MODEL);
    let results = run_all(&campaign);
    // For five seconds both are gone: 50 orders. Without either of them none of these is lost, so
    // that each has all of them as its part, and 50 are counted twice. Of 599 orders in a
    // minute 59,900 are in the window, of which 599 may be bad.
    let expected = [
        "no cause 0 0 ",
        "1 crash one 50 0.08347245409015018 25",
        "2 crash other 50 0.08347245409015018 25",
        "3 errors api 30 0.05008347245409011 30",
        "interactions -50 -0.08347245409015018 ",
    ];
    assert_eq!(shown(&campaign, &results), expected);
    let sum: f64 = rows(&campaign, &results).iter().map(|row| row[5].parse::<f64>().unwrap()).sum();
    assert_eq!(sum, 80.0, "all that is bad in the run");
    let tables = attribution::tables(&campaign, &results);
    let text = tables[0].markdown();
    assert!(text.contains("bad events of orders a run") && text.contains("| interactions |"));
}

#[test]
fn one_cause_alone_is_the_whole_and_one_without_effect_is_nothing() {
    let first = EXPERIMENT.find("[[faults]]").expect("there are faults");
    let only = |fault: &str| campaign(&(EXPERIMENT[..first].to_owned() + fault), MODEL);
    let errors = "[[faults]]\nkind = \"errors\"\ntarget = \"api\"\nshare = \"100%\"\nat = \"40s\"\n\
                  for = \"3s\"\n";
    let alone = only(errors);
    let parts = shown(&alone, &run_all(&alone));
    assert_eq!(parts[1], "1 errors api 30 0.05008347245409011 30");
    assert_eq!(parts[2], "interactions 0 0 ");
    // A fault after the end of the run changes nothing, exactly.
    let late = "[[faults]]\nkind = \"crash\"\ntarget = \"other\"\nat = \"50s\"\nfor = \"5s\"\n";
    let beside = only(&(errors.to_owned() + late));
    let parts = shown(&beside, &run_all(&beside));
    assert_eq!(parts[2], "2 crash other 0 0 0");
}

#[test]
fn a_spike_and_drawn_faults_are_causes_too_and_broken_promises_are_attributed() {
    let model = MODEL.changed("{ constant = \"10/s\" }", "{ poisson = \"10/s\" }").changed(
        "{ reply = \"ok\" }]\n\n[service.one]",
        "{ call = \"bank.charge\" }, { reply = \"ok\" }]\n\n[service.one]",
    ) + "retry = { attempts = 2 }\n[provider.bank]\nconcurrency = \"unlimited\"\nlatency = \"0s\"\n\
           effects = [\"charge\"]\n";
    let text = EXPERIMENT.changed("seeds = \"1..2\"", "seeds = \"1..5\"")
        + "[[faults]]\nkind = \"traffic_spike\"\ntarget = \"shoppers\"\nrate = \"50/s\"\nat = \"41s\"\n\
           for = \"1s\"\n[invariants]\none_charge = { effect = \"charge\" }\n\
           [random_faults]\nuntil = \"50s\"\n[random_faults.kinds.reply_loss]\nstrikes = \"10/min\"\n\
           for = \"exp 2s\"\nshare = [\"20%\", \"50%\"]\n";
    let campaign = campaign(&text, &model);
    let results = run_all(&campaign);
    let rows = rows(&campaign, &results);
    let part = |of: &str, cause: &str| -> f64 {
        let own = rows.iter().filter(|row| row[3] == of && row[4].starts_with(cause));
        own.map(|row| row[5].parse::<f64>().unwrap()).sum()
    };
    assert!(part("orders.bad", "4 traffic_spike") > 0.0, "who comes in the outage fails");
    let charged: u64 = results.iter().map(|run| run.invariants[0].violations).sum();
    let all: f64 = ["no cause", "1", "2", "3", "4", "reply_loss", "interactions"]
        .map(|cause| part("one_charge_violations", cause))
        .iter()
        .sum();
    assert!(charged > 0 && all == charged as f64, "{all} {charged}");
    assert!(part("one_charge_violations", "reply_loss") > 0.0, "lost replies are asked for again");
    assert_eq!(part("one_charge_violations", "1"), 0.0);
    let tables: Vec<String> =
        attribution::tables(&campaign, &results).iter().map(Table::markdown).collect();
    assert!(tables.iter().any(|table| table.contains("| drawn reply_loss |")), "{tables:?}");
}
