//! "The Tail at Scale" (Dean and Barroso, 2013). By chance each comparison fails for less than one
//! in 5,000 choices of seeds.

use super::figures::{Sample, agree};
use super::published;
use crate::common::Changed;

#[test]
fn slow_leaves_under_a_root() {
    let shorter = |text: &str| text.changed("arrivals = \"40s\"", "arrivals = \"10s\"");
    let campaign = published("tail-fan-out", shorter);
    for point in ["leaves=1", "leaves=100", "leaves=2000"] {
        agree("tail-fan-out", &campaign, "model", point, 4);
    }
}

/// 2% more requests, and of 500 of them at most 5 take longer than 74 ms (by chance not so in
/// 2e-5): without hedges more than half do.
#[test]
fn hedged_leaves() {
    let shorter = |text: &str| text.changed("arrivals = \"60s\"", "arrivals = \"10s\"");
    let campaign = published("tail-hedge", shorter);
    let hedged = Sample::new(&campaign, "hedged", "", 1);
    assert!(hedged.of("success_ratio")[0] > 0.989);
    assert!((hedged.of("edge_amplification")[0] - 1.02).abs() < 0.001);
    let without = Sample::new(&campaign, "none_74ms", "", 1);
    assert!((without.of("success_ratio")[0] - 0.409).abs() < 0.1);
}
