//! The arithmetic of "Site Reliability Engineering" (Beyer et al., 2016).

use super::figures::{Sample, agree};
use super::published;
use crate::common::Changed;

#[test]
fn retry_layers() {
    let shorter = |text: &str| text.changed("arrivals = \"20s\"", "arrivals = \"5s\"");
    let campaign = published("retry-layers", shorter);
    for (arm, load) in [("three_retries", 64.0), ("one_layer", 3.0), ("one_layer_budget", 1.1)] {
        let loads = Sample::new(&campaign, arm, "", 2).of("amplification");
        assert!(loads.iter().all(|own| (own - load).abs() < 0.005), "{arm}: {loads:?}");
    }
}

/// 100/s more each second, of which the backend serves none.
#[test]
fn retry_growth() {
    let campaign = published("retry-growth", str::to_owned);
    for (second, attempts) in [("1", 10_200.0), ("2", 10_300.0)] {
        let sample = Sample::new(&campaign, "model", &format!("second={second}"), 2);
        assert!(sample.of("goodput_per_s").iter().all(|goodput| (goodput - 1e4).abs() <= 1.0));
        assert!(sample.attempts().iter().all(|own| (own - attempts).abs() <= 10.0));
    }
}

/// 80.4% of the requests find no thread. Three short runs vary by 0.003; 0.01 are allowed.
#[test]
fn stuck_threads() {
    let shorter = |text: &str| text.changed("900s", "400s").changed("300s", "200s");
    let campaign = published("stuck-threads", shorter);
    let refused = Sample::new(&campaign, "model", "", 3).of("refused_first_ratio");
    let mean = refused.iter().sum::<f64>() / refused.len() as f64;
    assert!((mean - 0.804).abs() < 0.01, "{refused:?}");
}

#[test]
fn adaptive_throttling() {
    let campaign = published("adaptive-throttling", str::to_owned);
    agree("adaptive-throttling", &campaign, "throttling", "", 3);
}
