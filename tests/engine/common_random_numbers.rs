//! Paired seeds: two arms live through the same arrivals, keys, service times and faults until
//! their first differing decision, and an arm differs from itself by nothing.

use crate::common::{Changed, campaign, run_all, shipped};
use stormglass::experiment::compare::{Method, compare};
use stormglass::experiment::plan::cell::Cell;
use stormglass::experiment::run::run;
use stormglass::kernel::draw::Purpose;
use stormglass::kernel::time::Time;
use stormglass::statistics::Interval;
use stormglass::statistics::verdict::Conclusion;
use stormglass::system::fact::Fact;
use stormglass::system::{Observer, World};

/// When a second attempt was first made.
#[derive(Default)]
struct FirstRetry(Option<Time>);

impl Observer for FirstRetry {
    fn observe(&mut self, now: Time, fact: &Fact) {
        if let Fact::Attempted { attempt: 2, .. } = fact {
            self.0.get_or_insert(now);
        }
    }
}

fn first_retry(cell: &Cell, seed: u64) -> Time {
    let controls = &cell.plan.controls;
    let end = cell.measure.arrivals_end;
    let mut first = FirstRetry::default();
    World::new(&cell.program, controls, seed, end, cell.limits, &mut first).run();
    first.0.expect("something is retried")
}

/// The run of a cell that ends just before a time.
fn until(cell: &Cell, seed: u64, end: Time) -> stormglass::experiment::run::result::RunResult {
    let mut cell = cell.clone();
    cell.limits.horizon = Time(end.0 - 1);
    run(&cell, 0, seed)
}

#[test]
fn arms_are_equal_until_their_first_differing_decision() {
    let campaign = shipped("payment-brownout", str::to_owned);
    let arms = campaign.experiment.arms.len();
    for cells in campaign.cells.chunks(arms) {
        let (no_retry, immediate) = (&cells[0], &cells[1]);
        for seed in 1..4 {
            let decision = first_retry(immediate, seed);
            assert!(decision > Time::ZERO);
            let (one, other) = (until(no_retry, seed, decision), until(immediate, seed, decision));
            assert!(one.events > 100, "there was something to compare");
            assert_eq!(one.digest, other.digest, "{} seed {seed}", no_retry.point);
            assert_eq!(one.draws, other.draws, "{} seed {seed}", no_retry.point);
        }
    }
}

#[test]
fn what_no_policy_decides_is_equal_to_the_end() {
    let campaign = shipped("payment-brownout", |text| {
        text.changed("arrivals = \"103s\"", "arrivals = \"10s\"")
            .changed("at = \"30s\"", "at = \"2s\"")
            .changed("for = \"20s\"", "for = \"4s\"")
    });
    for seed in 1..3 {
        let results: Vec<_> = campaign.cells.iter().map(|cell| run(cell, 0, seed)).collect();
        for purpose in [Purpose::Arrival, Purpose::Key, Purpose::Process] {
            let draws = |index: usize| results[index].draws[purpose as usize];
            for index in 1..results.len() {
                assert_eq!(draws(index), draws(0), "{purpose:?} of cell {index}, seed {seed}");
            }
        }
        // The handling of an order decides how much is drawn for service, so arms differ there.
        let service = |index: usize| results[index].draws[Purpose::Service as usize];
        assert_ne!(service(0), service(results.len() - 1));
    }
}

#[test]
fn an_arm_differs_from_itself_by_nothing() {
    let experiment = r#"
name = "twins"
model = "inline"
arrivals = "20s"
drain = "5s"
seeds = "1..6"
[[faults]]
kind = "traffic_spike"
target = "users"
rate = "2500/s"
at = "5s"
for = "1s"
[arms.one]
[arms.other]
"#;
    let model = std::fs::read_to_string("models/single-server.toml").unwrap();
    let campaign = campaign(experiment, &model);
    let results = run_all(&campaign);
    let pairs = compare(&campaign, &results).pairs;
    assert!(pairs.len() > 20);
    for pair in pairs.iter().filter(|pair| pair.pairs > 0) {
        assert_eq!(pair.difference, Some(0.0), "{}", pair.metric);
        assert_eq!(pair.p, Some(1.0), "{}", pair.metric);
        let nothing = Some(Interval { low: 0.0, high: 0.0 });
        if pair.method == Method::PairedT {
            assert_eq!(pair.interval, nothing, "{}", pair.metric);
            assert_eq!(pair.effect_size, Some(0.0), "{}", pair.metric);
            assert!(pair.bootstrap.is_none() || pair.bootstrap == nothing, "{}", pair.metric);
            assert_eq!(pair.missing > 0, pair.verdict == Conclusion::Undecided, "{}", pair.metric);
        } else {
            assert!(pair.interval.is_some_and(|interval| interval.contains(0.0)));
        }
    }
}

#[test]
fn a_node_that_nobody_calls_moves_no_draw() {
    let experiment = r#"
name = "bystander"
model = "inline"
arrivals = "5s"
seeds = "1..2"
"#;
    let model = std::fs::read_to_string("models/single-server.toml").unwrap();
    let bystander = "\n[provider.aside]\nconcurrency = 1\nlatency = \"1ms\"\n";
    let alone = crate::common::runs(experiment, &model);
    let beside = crate::common::runs(experiment, &format!("{model}{bystander}"));
    assert_eq!(alone[0].digest, beside[0].digest);
    assert_eq!(alone[0].draws, beside[0].draws);
}
