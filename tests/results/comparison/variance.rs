//! What paired seeds are worth: the variance of a difference beside that of unpaired runs.

use stormglass::statistics::moments::moments;

use crate::common::{Changed, shipped};

/// The reference system of the ground truth, 3.1: over 400 pairs it measured means of .943 and .933
/// with a deviation of .20, and 36 times less variance with keyed draws, 12.5 times with a stream
/// for each purpose, 2.6 times with one shared stream.
#[test]
fn a_paired_difference_varies_at_least_twenty_times_less() {
    let campaign = shipped("published/paired-differences", |text| {
        text.changed("\"../../models", "\"../models")
    });
    let of = |arm: &str| {
        let of_arm = |&number: &usize| {
            let (cell, _) = campaign.cell_and_seed(number);
            campaign.cells[cell].arm == arm
        };
        let runs = (0..campaign.runs()).filter(of_arm).map(|number| campaign.run(number));
        runs.map(|run| run.metrics.success_ratio().expect("users came")).collect::<Vec<f64>>()
    };
    let (immediate, jitter) = (of("immediate"), of("full_jitter"));
    let differences: Vec<f64> = immediate.iter().zip(&jitter).map(|(a, b)| a - b).collect();
    let [immediate, jitter, differences] = [&immediate, &jitter, &differences]
        .map(|sample| moments(sample).expect("four hundred runs"));
    for (arm, mean) in [(immediate, 0.9427), (jitter, 0.9333)] {
        assert_eq!(arm.n, 400);
        // Four standard errors of both means.
        assert!((arm.mean - mean).abs() < 4.0 * 0.015, "{arm:?}, the reference has {mean}");
        assert!((0.17..0.25).contains(&arm.sd), "{arm:?}");
    }
    let square = |sd: f64| sd * sd;
    let unpaired = square(immediate.sd) + square(jitter.sd);
    let paired = square(differences.sd);
    assert!(unpaired >= 20.0 * paired, "only {} times", unpaired / paired);
}
