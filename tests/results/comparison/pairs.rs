//! Verdicts, directions and corrections.

use stormglass::experiment::compare::{Pair, compare};
use stormglass::experiment::plan::campaign::Campaign;
use stormglass::report::columns;
use stormglass::report::comparison::{self, pairs_table};
use stormglass::statistics::verdict::Conclusion;

use crate::common::run_all;
use crate::comparison::single_server;

fn pairs(declared: &str) -> (Campaign, Vec<Pair>) {
    let campaign = single_server(declared);
    let results = run_all(&campaign);
    let pairs = compare(&campaign, &results).pairs;
    (campaign, pairs)
}

fn find<'a>(campaign: &Campaign, pairs: &'a [Pair], arm: &str, metric: &str) -> &'a Pair {
    let is_it = |pair: &&Pair| {
        campaign.cells[pair.cell].arm == arm
            && campaign.cells[pair.cell].point == "load=most"
            && pair.metric == metric
    };
    pairs.iter().find(is_it).expect("every arm is compared by every metric")
}

#[test]
fn an_arm_that_is_better_is_called_better_and_the_same_arm_equivalent() {
    let (campaign, pairs) = pairs("[compare]\nprimary = [\"amplification\", \"success_ratio\"]");
    let calmer = find(&campaign, &pairs, "no_retry", "amplification");
    assert_eq!(calmer.verdict, Conclusion::Better, "{calmer:?}");
    assert!(calmer.interval.expect("thirty pairs have one").high < 0.0);
    assert!(calmer.p_holm >= calmer.p, "a correction makes nothing likelier");
    let same = find(&campaign, &pairs, "same", "amplification");
    assert_eq!((same.difference, same.verdict), (Some(0.0), Conclusion::Equivalent));
    let exploratory = find(&campaign, &pairs, "no_retry", "wasted_work");
    assert!(!exploratory.is_primary);
    assert_eq!((exploratory.p_holm, exploratory.bootstrap), (None, None));
}

#[test]
fn baseline_direction_and_margin_are_those_declared() {
    let declared = "[compare]\nprimary = [\"amplification\"]\nbaseline = \"no_retry\"\n";
    let (campaign, plain) = pairs(declared);
    let wilder = find(&campaign, &plain, "at_once", "amplification");
    assert_eq!(wilder.verdict, Conclusion::Worse);
    let (_, turned) = pairs(&format!("{declared}better = {{ amplification = \"higher\" }}"));
    assert_eq!(find(&campaign, &turned, "at_once", "amplification").verdict, Conclusion::Better);
    let (_, wide) = pairs(&format!("{declared}equivalent = {{ amplification = 10 }}"));
    assert_eq!(find(&campaign, &wide, "at_once", "amplification").verdict, Conclusion::Equivalent);
}

#[test]
fn where_a_run_has_no_value_nothing_is_decided() {
    // Runs that never recover have no time to recovery: what is left is not all seeds.
    let (campaign, pairs) = pairs("[compare]\nprimary = [\"recovery_s\"]");
    let partial = find(&campaign, &pairs, "no_retry", "recovery_s");
    assert!(partial.missing > 0, "{partial:?}");
    assert_eq!(partial.verdict, Conclusion::Undecided);
}

#[test]
fn a_family_of_one_point_corrects_less() {
    let declared = "[compare]\nprimary = [\"success_ratio\", \"amplification\"]\n";
    let (campaign, all) = pairs(declared);
    let (_, apart) = pairs(&format!("{declared}family = \"point\"\n"));
    let (all, apart): (Vec<_>, Vec<_>) =
        all.iter().zip(&apart).filter(|(a, _)| a.is_primary).unzip();
    assert!(all.iter().zip(&apart).all(|(all, apart)| all.p == apart.p));
    assert!(all.iter().zip(&apart).all(|(all, apart)| all.p_holm >= apart.p_holm));
    assert!(all.iter().zip(&apart).any(|(all, apart)| all.p_holm > apart.p_holm));
    assert_eq!(all.len(), campaign.cells.len() / 3 * 2 * 2);
}

#[test]
fn the_same_runs_give_the_same_bytes_and_better_never_stands_without_an_interval() {
    let (campaign, first) = pairs("");
    let (_, second) = pairs("");
    let text = |compared: &[_]| columns::csv(&comparison::pairs(&campaign, compared));
    assert_eq!(text(&first), text(&second));
    let text = pairs_table(&campaign, &first).expect("three arms").text(80, false);
    let says_more = |line: &&str| line.contains("better") || line.contains("worse");
    let rows = text.lines().filter(|line| !line.contains(" is better,"));
    let said: Vec<&str> = rows.filter(says_more).collect();
    assert!(!said.is_empty());
    assert!(said.iter().all(|line| line.contains('±') || line.contains('(')), "{said:#?}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}
