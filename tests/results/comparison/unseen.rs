//! What was not judged, could not happen or was not finished makes no arm better, and none equal.

use stormglass::experiment::compare::{Comparison, compare};
use stormglass::experiment::measure::summary::summarise;
use stormglass::experiment::plan::campaign::Campaign;
use stormglass::experiment::run::result::RunResult;
use stormglass::report::arms::arms_tables;
use stormglass::report::comparison::pairs_table;
use stormglass::report::promises::unjudged_text;
use stormglass::report::table::Table;

use crate::common;
use crate::comparison::coverage::SHOP;
use crate::comparison::verdicts::{set, two_arms};

const BOTH: &str = "[compare]\nprimary = [\"one_charge_violated\", \"one_charge_per_10000\"]";

/// Violations, exposure and what is not judged of every run of `today` and of `other`.
fn judged(results: &mut [RunResult], [today, other]: [[u64; 3]; 2]) {
    let seeds = results.len() / 2;
    for (number, run) in results.iter_mut().enumerate() {
        let [violations, exposure, unjudged] = if number < seeds { today } else { other };
        let verdict = &mut run.invariants[0];
        (verdict.violations, verdict.exposure, verdict.unjudged) = (violations, exposure, unjudged);
    }
}

fn compared(campaign: &Campaign, results: &[RunResult]) -> (Comparison, String) {
    let compared = compare(campaign, results);
    let table = pairs_table(campaign, &compared.pairs).expect("two arms").markdown();
    (compared, table)
}

fn said(compared: &Comparison, metric: &str) -> &'static str {
    let pair = compared.pairs.iter().find(|pair| pair.metric == metric);
    pair.expect("compared").verdict.name()
}

#[test]
fn an_arm_in_which_nothing_could_break_a_promise_is_not_the_better_one() {
    let (campaign, mut results) = two_arms(30, BOTH);
    judged(&mut results, [[7, 1_000, 0], [0, 0, 0]]);
    let (compared, _) = compared(&campaign, &results);
    assert_eq!(said(&compared, "one_charge_violated"), "not exercised");
    assert_eq!(said(&compared, "one_charge_per_10000"), "not exercised");
}

#[test]
fn the_arm_that_broke_a_promise_is_told_by_its_own_number_beside_an_idle_baseline() {
    let (campaign, mut results) = two_arms(3, BOTH);
    judged(&mut results, [[0, 0, 0], [93, 1_000, 0]]);
    let (compared, table) = compared(&campaign, &results);
    assert!(table.contains("| today | not exercised |"), "{table}");
    assert!(table.contains("| other | 930 |"), "{table}");
    let pair = compared.pairs.iter().find(|pair| pair.metric == "one_charge_per_10000");
    let pair = pair.expect("compared");
    assert_eq!((pair.mean, pair.baseline_mean, pair.difference), (Some(930.0), None, None));
}

#[test]
fn what_was_not_due_is_told_apart_from_what_could_not_happen() {
    let (campaign, mut results) = two_arms(3, BOTH);
    judged(&mut results, [[0, 0, 1_000], [0, 0, 0]]);
    let table = compared(&campaign, &results).1;
    assert!(table.contains("| today | not judged |"), "{table}");
    assert!(table.contains("| other | not exercised |"), "{table}");
    judged(&mut results, [[0, 0, 1_000], [0, 0, 1_000]]);
    let (compared, table) = compared(&campaign, &results);
    assert!(!table.contains("not exercised"), "{table}");
    assert_eq!(said(&compared, "one_charge_per_10000"), "not judged");
}

#[test]
fn an_arm_that_leaves_more_unjudged_than_the_difference_is_not_better() {
    let (campaign, mut results) = two_arms(9, BOTH);
    let mut said = |today: [u64; 3], other: [u64; 3]| {
        judged(&mut results, [today, other]);
        let (compared, table) = compared(&campaign, &results);
        let said = |metric: &str| said(&compared, metric);
        ([said("one_charge_violated"), said("one_charge_per_10000")], table)
    };
    let (verdicts, _) = said([43, 1_500, 0], [0, 1_500, 0]);
    assert_eq!(verdicts, ["better"; 2]);
    let (verdicts, table) = said([43, 1_500, 0], [0, 1_100, 400]);
    assert_eq!(verdicts, ["confounded"; 2]);
    assert!(table.contains("lost: one charge unjudged | 26.7% | baseline 0% |"), "{table}");
    // However the few that are open would have gone, it would still break less often.
    assert_eq!(said([430, 1_500, 0], [0, 1_485, 15]).0[1], "better");
    assert_eq!(said([0, 1_100, 400], [43, 1_500, 0]).0, ["confounded"; 2]);
    assert_eq!(said([4_300, 150_000, 0], [4_300, 150_000, 0]).0[1], "equivalent");
    assert_eq!(said([4_300, 150_000, 0], [4_300, 150_000, 40_000]).0[1], "confounded");
}

#[test]
fn an_arm_that_leaves_more_unfinished_than_the_difference_is_neither_better_nor_equal() {
    let (campaign, mut results) = two_arms(9, "[compare]\nprimary = [\"success_ratio\"]");
    let mut verdict = |success: [f64; 2], unfinished: [f64; 2]| {
        for (metric, values) in [("success_ratio", success), ("unfinished_ratio", unfinished)] {
            // A little apart under each seed, and not by the same.
            let apart = |every: usize, least: f64| {
                move |seed: usize| if seed.is_multiple_of(every) { least + 0.001 } else { least }
            };
            let spread = |value: f64, by: &dyn Fn(usize) -> f64| -> Vec<f64> {
                (0..9).map(|seed| (value - by(seed)).max(0.0)).collect()
            };
            let (today, other) =
                (spread(values[0], &apart(2, 0.0)), spread(values[1], &apart(3, 0.0005)));
            set(&campaign, &mut results, metric, [&today, &other]);
        }
        said(&compared(&campaign, &results).0, "success_ratio")
    };
    assert_eq!(verdict([0.95, 0.97], [0.0, 0.0]), "better");
    assert_eq!(verdict([0.95, 0.97], [0.0, 0.28]), "confounded");
    assert_eq!(verdict([0.97, 0.95], [0.28, 0.0]), "confounded");
    assert_eq!(verdict([0.95, 0.97], [0.28, 0.0]), "better");
    assert_eq!(verdict([1.0, 1.0], [0.0, 0.0]), "equivalent");
    assert_eq!(verdict([1.0, 1.0], [0.0, 0.66]), "confounded");
    assert_eq!(verdict([0.50, 0.97], [0.0, 0.02]), "better");
}

#[test]
fn what_is_not_judged_stands_beside_what_was_kept() {
    let (campaign, mut results) = two_arms(9, BOTH);
    judged(&mut results, [[0, 1_500, 0], [0, 1_100, 400]]);
    let summaries = summarise(&campaign, &results);
    let table = arms_tables(&campaign, &summaries).last().expect("a promise").markdown();
    assert!(table.contains("0 of 9 runs (<29%), 3,600 not judged |"), "{table}");
    assert_eq!(table.matches("not judged").count(), 1, "{table}");
    assert_eq!(
        unjudged_text(&campaign, &summaries),
        "warning: 3,600 of 13,500 cases of `one_charge` in arm other were not judged:\n         \
         they were open when their run ended, and a longer `drain` judges more\n"
    );
}

#[test]
fn a_milestone_that_is_measured_has_one_column_of_what_is_unfinished() {
    let experiment = r#"
name = "shown"
model = "inline"
arrivals = "3s"
drain = "0s"
seeds = "1..4"
[milestone.paid]
of = "shop.buy"
when = "effect charge"
[measure]
milestone = "paid"
[arms.today]
[arms.slow.set]
"provider.payment.latency" = "900ms"
"#;
    let campaign = common::campaign(experiment, SHOP);
    let results: Vec<RunResult> = (0..6).map(|number| campaign.run(number)).collect();
    let tables = arms_tables(&campaign, &summarise(&campaign, &results));
    let mut tables = tables.iter().map(Table::markdown);
    let table = tables.find(|text| text.contains("paid: success")).expect("a table");
    assert_eq!(table.matches("paid: unfinished").count(), 1, "{table}");
}
