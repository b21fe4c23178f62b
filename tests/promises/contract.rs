//! What `docs/determinism.md` and the invariants of architecture promise about runs.

use stormglass::experiment::campaign::Cell;
use stormglass::experiment::run::{RunResult, RunVerdict};
use stormglass::kernel::digest::Digest;
use stormglass::kernel::draw::Purpose;
use stormglass::metric::Recorder;
use stormglass::report::files::{TRACE, campaign_digest, runs_csv, series_csv};
use stormglass::system::World;
use stormglass::system::fact::Observer;

use super::sample;

/// The digest of the sample under the trace version that it belongs to.
///
/// If this fails, what a seed means has changed. If that was not intended, it is a mistake. If it
/// was, count [`TRACE`] up, say so in `CHANGELOG.md`, and write both numbers here.
#[test]
fn what_a_seed_means_is_pinned_to_the_trace_version() {
    let results = sample::run_all(&sample::campaign(&[]));
    let found = (TRACE, campaign_digest(&results).to_string());
    assert_eq!(found, (1, "8641e4890a858edb09ffef5c9554f8e4".to_owned()));
}

#[test]
fn observers_do_not_change_a_run() {
    let campaign = sample::campaign(&[]);
    for (index, cell) in campaign.cells.iter().enumerate() {
        let seed = campaign.seeds[0];
        let alone = watched(cell, seed, ());
        let recorder = Recorder::new(&cell.program, cell.measure.clone());
        assert_eq!(alone, watched(cell, seed, (recorder, cell.invariants.clone())));
        let result = campaign.run(index * campaign.seeds.len());
        assert_eq!(alone, (result.digest, result.draws.to_vec()), "{}", cell.arm);
        assert_ne!(alone, watched(cell, seed + 1, ()));
    }
}

/// The digest of a run and of its draws, with this observer.
fn watched(cell: &Cell, seed: u64, observer: impl Observer) -> (Digest, Vec<u64>) {
    let (controls, end) = (&cell.plan.controls, cell.measure.arrivals_end);
    let mut world = World::new(&cell.program, controls, seed, end, cell.limits, observer);
    for (clients, rates) in &cell.plan.rates {
        world.set_arrival_rates(*clients, rates.clone());
    }
    let (outcome, _) = world.run();
    let draws = Purpose::ALL.map(|purpose| outcome.draws.tally(purpose));
    (outcome.digester.digest(), draws.to_vec())
}

/// Runs that end in another order, on other threads, beside each other: the same files.
#[test]
fn results_are_ordered_by_key_and_do_not_depend_on_who_was_first() {
    let campaign = sample::campaign(&[]);
    let expected = sample::run_all(&campaign);
    let mut others = std::thread::scope(|scope| {
        let campaign = &campaign;
        // One takes every second run from the last on, the other those between.
        let part = |first: usize| {
            scope.spawn(move || {
                let numbers = (0..campaign.runs()).rev().skip(first).step_by(2);
                numbers.map(|number| (number, campaign.run(number))).collect::<Vec<_>>()
            })
        };
        let threads = [part(0), part(1)];
        let count = |thread: std::thread::ScopedJoinHandle<'_, Vec<_>>| thread.join().unwrap();
        threads.into_iter().flat_map(count).collect::<Vec<_>>()
    });
    others.sort_by_key(|(number, _)| *number);
    let others: Vec<_> = others.into_iter().map(|(_, result)| result).collect();
    assert_eq!(others, expected);
    assert_eq!(runs_csv(&campaign, &others), runs_csv(&campaign, &expected));
    assert_eq!(series_csv(&campaign, &others), series_csv(&campaign, &expected));
}

/// A digest that never changed would keep every promise about equal digests.
#[test]
fn digests_differ_between_seeds_and_between_arms() {
    let campaign = sample::campaign(&[]);
    let results = sample::run_all(&campaign);
    let digest = |arm: &str, seed: u64| {
        let of = |result: &&RunResult| {
            let cell = &campaign.cells[result.cell];
            (cell.arm.as_str(), cell.point.as_str(), result.seed) == (arm, "workers=many", seed)
        };
        results.iter().find(of).unwrap().digest
    };
    assert_ne!(digest("no_retry", 1), digest("no_retry", 2));
    assert_ne!(digest("no_retry", 1), digest("full_jitter", 1));
    assert_ne!(digest("full_jitter", 1), digest("breaker", 1));
}

#[test]
fn a_limit_is_a_result_with_a_name() {
    for (path, value, name) in
        [("limits.events", "1000", "event-limit"), ("limits.pending", "5", "queue-limit")]
    {
        let result = sample::campaign(&[(path, value)]).run(0);
        assert_eq!(result.ending.name(), name);
        assert!(result.verdict() != RunVerdict::Pass, "{path}: {:?}", result.verdict());
    }
    assert_eq!(sample::campaign(&[]).run(0).ending.name(), "complete");
}
