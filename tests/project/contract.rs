//! What the invariants of architecture promise about runs. What a seed means, and that processes,
//! workers and builds agree on it, is in `tests/engine/determinism.rs`.

use stormglass::experiment::plan::cell::Cell;
use stormglass::experiment::run::result::RunVerdict;
use stormglass::invariant::Invariants;
use stormglass::kernel::digest::Digest;
use stormglass::kernel::draw::Purpose;
use stormglass::metric::Recorder;
use stormglass::report::files::{runs_csv, series_csv};
use stormglass::system::{Audience, Observer, World};

use super::sample;

#[test]
fn observers_do_not_change_a_run() {
    let campaign = sample::campaign(&[]);
    for (index, cell) in campaign.cells.iter().enumerate() {
        let seed = campaign.seeds[0];
        let alone = watched(cell, seed, &mut ());
        let mut recorder = Recorder::new(&cell.program, cell.measure.clone());
        let mut invariants = Invariants::new(&cell.invariants, &cell.program).expect("they fit");
        let mut both = Audience::new(vec![&mut recorder, &mut invariants]);
        assert_eq!(alone, watched(cell, seed, &mut both));
        let result = campaign.run(index * campaign.seeds.len());
        assert_eq!(alone, (result.digest, result.draws.to_vec()), "{}", cell.arm);
        assert_ne!(alone, watched(cell, seed + 1, &mut ()));
    }
}

/// The digest of a run and of its draws, with this observer.
fn watched(cell: &Cell, seed: u64, observer: &mut dyn Observer) -> (Digest, Vec<u64>) {
    let (controls, end) = (&cell.plan.controls, cell.measure.arrivals_end);
    let mut world = World::new(&cell.program, controls, seed, end, cell.limits, observer);
    for &(clients, spike) in &cell.plan.spikes {
        world.add_spike(clients, spike);
    }
    let outcome = world.run();
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
