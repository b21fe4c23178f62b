//! A trace without randomness: every event at its microsecond.

use stormglass::experiment::plan::cell::Cell;
use stormglass::kernel::time::Time;
use stormglass::policy::Outcome;
use stormglass::system::fact::Fact;
use stormglass::system::{Observer, World};

use super::{published, reference};

/// What happened, in the words of the reference.
#[derive(Default)]
struct Events(Vec<(u64, &'static str)>);

impl Observer for Events {
    fn observe(&mut self, now: Time, fact: &Fact) {
        let event = match fact {
            Fact::Attempted { attempt: 1, .. } => "ARRIVE",
            Fact::Attempted { .. } => "SEND",
            Fact::Worked(_) => "DONE",
            Fact::Settled { outcome: Outcome::TimedOut, .. } => "TIMEOUT",
            _ => return,
        };
        self.0.push(((now.0 + 500) / 1000, event));
    }
}

fn events(cell: &Cell) -> Vec<(u64, &'static str)> {
    let end = cell.measure.arrivals_end;
    let mut seen = Events::default();
    World::new(&cell.program, &cell.plan.controls, 1, end, cell.limits, &mut seen).run();
    seen.0
}

#[test]
fn every_event_is_at_its_microsecond() {
    let campaign = published("pause", str::to_owned);
    let ours = events(&campaign.cells[0]);
    // The reference lets a timer run out even if its attempt was answered before.
    let mut done = std::collections::BTreeSet::new();
    let mut expected = Vec::new();
    for row in reference("golden_gc_trace") {
        let attempt = (row[2].clone(), row.get(3).cloned());
        match row[1].as_str() {
            "DONE" => drop(done.insert(attempt)),
            "TIMEOUT" if done.contains(&attempt) => continue,
            _ => {}
        }
        expected.push((row[0].parse::<u64>().unwrap(), row[1].clone()));
    }
    assert_eq!(expected.len(), 1007);
    for (index, (at, event)) in expected.iter().enumerate() {
        assert_eq!(ours[index], (*at, event.as_str()), "event {index}");
    }
}

#[test]
fn one_second_of_pause_is_fatal_with_retries_only() {
    // First tries, attempts, timeouts, failed and ok over 120 s; ok after 60 s.
    let expected = [
        (0, [840, 2706, 2482, 615, 210, 0]),
        (1, [840, 840, 12, 12, 827, 420]),
        (2, [840, 840, 0, 0, 839, 420]),
    ];
    let campaign = published("pause", str::to_owned);
    for (cell, expected) in expected {
        assert_eq!(totals(&campaign.cells[cell]), expected, "{}", campaign.cells[cell].arm);
    }
}

#[derive(Default)]
struct Totals([u64; 6]);

impl Observer for Totals {
    fn observe(&mut self, now: Time, fact: &Fact) {
        let [first, attempts, timeouts, failed, ok, late_ok] = &mut self.0;
        match fact {
            Fact::Attempted { attempt, .. } => {
                *first += u64::from(*attempt == 1);
                *attempts += 1;
            }
            Fact::Settled { outcome: Outcome::TimedOut, .. } => *timeouts += 1,
            Fact::Answered { outcome: Outcome::Ok, .. } => {
                *ok += 1;
                *late_ok += u64::from(now.seconds() > 60.0);
            }
            Fact::Answered { .. } => *failed += 1,
            _ => {}
        }
    }
}

fn totals(cell: &Cell) -> [u64; 6] {
    let end = cell.measure.arrivals_end;
    let mut seen = Totals::default();
    World::new(&cell.program, &cell.plan.controls, 1, end, cell.limits, &mut seen).run();
    seen.0
}
