//! The lines of the journal: what is read is what was written, or nothing.

use stormglass::experiment::run::record::{Line, line_of, read_line};

use super::short;
use crate::common::shipped;

#[test]
fn a_line_has_the_whole_result_and_no_part_of_it_has_any() {
    let campaign = shipped("payment-brownout", short);
    let result = campaign.run(1);
    assert!(!result.drawn.is_empty() && result.metrics.latency.total() > 0);
    assert!(result.invariants.iter().any(|verdict| verdict.first.is_some()));
    let line = line_of(&result);
    let Line::Run(read) = read_line(line.as_bytes(), &campaign) else { panic!("{line}") };
    let checkpoints = result.checkpoints.clone();
    assert_eq!(*read, {
        stormglass::experiment::run::result::RunResult { checkpoints: vec![], ..result }
    });
    assert!(!checkpoints.is_empty());
    for end in 0..line.len() {
        let torn = read_line(&line.as_bytes()[..end], &campaign);
        assert!(matches!(torn, Line::Torn), "{end} of {} bytes", line.len());
    }
    for changed in (0..line.len()).step_by(7) {
        let mut bytes = line.clone().into_bytes();
        bytes[changed] ^= 1;
        assert!(matches!(read_line(&bytes, &campaign), Line::Torn), "byte {changed}");
    }
}

#[test]
fn a_run_of_another_campaign_is_not_taken() {
    let campaign = shipped("payment-brownout", short);
    let mut result = campaign.run(0);
    result.cell = campaign.cells.len();
    assert!(matches!(read_line(line_of(&result).as_bytes(), &campaign), Line::Foreign));
    result.cell = 0;
    result.invariants.pop();
    assert!(matches!(read_line(line_of(&result).as_bytes(), &campaign), Line::Foreign));
}
