//! Brooker's simulations of retries, breakers and collapse: some cells of each, with a few seeds.
//! By chance each comparison fails for less than one in 5,000 choices of seeds.

use super::figures::{Sample, agree};
use super::published;
use crate::common::Changed;

#[test]
fn fixing_retries() {
    let campaign = published("fixing-retries", str::to_owned);
    for arm in ["none", "three", "adaptive", "breaker"] {
        agree("fixing-retries", &campaign, arm, "failures=0_2", 4);
    }
    agree("fixing-retries", &campaign, "breaker", "failures=0_05", 4);
}

/// The more clients, the less each knows: buckets give way to three retries, breakers to none.
#[test]
fn client_count() {
    let campaign = published("client-count", str::to_owned);
    for (clients, failures) in [("10", "0_05"), ("1000", "0_05"), ("1000", "0_2")] {
        let point = format!("clients={clients} failures={failures}");
        agree("client-count", &campaign, "adaptive", &point, 4);
        agree("client-count", &campaign, "breaker", &point, 4);
    }
}

/// With the same draws, a back-off of calls that come whatever happens changes not one attempt.
#[test]
fn back_off_saves_attempts_of_clients_that_wait() {
    let open = published("backoff-open", str::to_owned);
    let attempts = |arm: &str| Sample::new(&open, arm, "", 2).of("amplification");
    assert_eq!(attempts("none"), attempts("backoff"));
    agree("backoff-open", &open, "none", "", 4);
    let serial = published("backoff-serial", str::to_owned);
    agree("backoff-serial", &serial, "none", "", 4);
    agree("backoff-serial", &serial, "backoff", "", 4);
    let first_tries = |arm: &str| Sample::new(&serial, arm, "", 1).of("goodput_per_s")[0];
    let saved = 1.0 - first_tries("backoff") / first_tries("none");
    assert!((0.5..0.6).contains(&saved), "{saved}");
}

/// Of 30 runs without back-off, 14 to 29 collapse if 73.75% do (but for 4e-4), and of those with it
/// none. What collapses has no goodput at all: the published 12.2/s are of those that do not.
#[test]
fn simple_collapse() {
    let campaign = published("simple-collapse", str::to_owned);
    let never = |arm: &str| {
        let index = campaign.cells.iter().position(|cell| cell.arm == arm).expect("the arm");
        let runs = (1..=30)
            .map(|seed| stormglass::experiment::run::run(&campaign.cells[index], index, seed));
        runs.filter(|run| run.recovery.came_back() == Some(false)).count()
    };
    assert!((14..30).contains(&never("none")));
    assert_eq!(never("backoff"), 0);
    let at_end = |arm: &str, load: &str, seeds: u64| {
        let point = format!("load={load} seen=end");
        Sample::new(&campaign, arm, &point, seeds).of("goodput_per_s")
    };
    assert!(at_end("none", "spike", 8).contains(&0.0));
    assert!(at_end("backoff", "spike", 4).iter().all(|goodput| *goodput > 20.0));
    for arm in ["none", "backoff"] {
        agree("simple-collapse", &campaign, arm, "load=ramp seen=end", 5);
    }
}

/// One client that waits sees no queue. The two laws in an open loop need the runs of the file.
#[test]
fn open_and_closed() {
    let shorter = |text: &str| text.changed("arrivals = \"100000s\"", "arrivals = \"10000s\"");
    let campaign = published("open-and-closed", shorter);
    agree("open-and-closed", &campaign, "bimodal_closed", "", 3);
    agree("open-and-closed", &campaign, "exponential_closed", "", 3);
    agree("open-and-closed", &campaign, "exponential_open", "", 3);
}

/// Customers who ask again when an answer is late keep the server busy for good at 80%.
#[test]
fn open_with_timeouts() {
    let campaign = published("open-with-timeouts", str::to_owned);
    agree("open-with-timeouts", &campaign, "model", "load=80", 3);
}

#[test]
fn will_breakers_solve() {
    let campaign = published("will-breakers-solve", str::to_owned);
    for arm in ["no_breaker", "at_half", "at_third", "each_shard"] {
        agree("will-breakers-solve", &campaign, arm, "", 8);
    }
}
