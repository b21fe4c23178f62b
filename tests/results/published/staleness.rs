//! Probabilistically bounded staleness (Bailis et al., VLDB 2012): some quorums and fits. By chance
//! each comparison fails for less than one in 5,000 choices of seeds.

use super::figures::agree;
use super::published;

#[test]
fn reads_of_three_copies() {
    let campaign = published("pbs", str::to_owned);
    for point in [
        "fit=ssd quorum=r1w1 after=0ms",
        "fit=disk quorum=r1w1 after=0ms",
        "fit=disk quorum=r2w1 after=1ms",
        "fit=disk quorum=r1w2 after=10ms",
        "fit=ymmr quorum=r1w1 after=5ms",
    ] {
        agree("pbs", &campaign, "model", point, 5);
    }
}
