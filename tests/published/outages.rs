//! Outages that a server with retries does not survive: the reference systems R1 and R2.

use stormglass::experiment::statistics::proportion::wilson;
use stormglass::metric::Recovery;

use super::{published, reference};

/// In how many of the first seeds a cell does not come back, and of how many.
fn never(experiment: &str, arm: &str, point: &str, seeds: u64) -> (u64, u64) {
    let campaign = published(experiment, str::to_owned);
    let index = campaign
        .cells
        .iter()
        .position(|cell| cell.arm == arm && cell.point == point)
        .unwrap_or_else(|| panic!("no {arm} at {point}"));
    let runs = (1..=seeds)
        .map(|seed| stormglass::experiment::run::run(&campaign.cells[index], index, seed));
    (runs.filter(|run| run.recovery == Recovery::Never).count() as u64, seeds)
}

/// Some cells of the phase diagram: the reference's share of 400 runs and ours have 99.9% intervals
/// that overlap.
#[test]
fn the_phase_diagram_of_r2() {
    let cells = reference("phase_R2");
    for (load, outage) in [("3", "4"), ("5", "6"), ("7", "4"), ("7", "5"), ("9", "2"), ("9", "3")] {
        let row = cells.iter().find(|row| row[0] == load && row[1] == outage).expect("a cell");
        let share: f64 = row[3].parse().unwrap();
        let theirs = wilson((share * 400.0).round() as u64, 400, 0.999).unwrap().interval;
        let point = format!("load={load} outage={outage}");
        let (count, of) = never("phase-diagram", "model", &point, 24);
        let ours = wilson(count, of, 0.999).unwrap().interval;
        assert!(
            ours.low <= theirs.high && theirs.low <= ours.high,
            "{point}: {count} of {of} instead of {share}"
        );
    }
}

/// Policies after ten seconds of outage: what never and what always comes back.
#[test]
fn the_policies_of_r1() {
    let expected = [
        ("no_retry", "200", false),
        ("retry2_immediate", "140", false),
        ("retry2_immediate", "200", true),
        ("retry3_fulljitter", "140", true),
        ("retry3_budget_first_tries", "260", false),
        ("retry3_budget_first_tries", "280", true),
        ("retry3_budget_successes", "280", false),
        ("retry3_lifo", "280", false),
        ("retry3_bounded_half_second", "280", false),
        ("retry3_bounded_longer", "280", true),
        ("retry3_expired", "200", true),
        ("retry3_slack_100ms", "280", true),
        ("retry3_slack_300ms", "280", false),
    ];
    for (arm, load, collapses) in expected {
        let (count, of) = never("ten-second-outage", arm, &format!("load={load}"), 1);
        assert_eq!(count == of, collapses, "{arm} at {load}/s: {count} of {of}");
    }
}
