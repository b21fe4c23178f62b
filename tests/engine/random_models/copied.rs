//! A copy of a world, in random models: its past is that of the world, and its future what the
//! world itself would have come to.

use stormglass::experiment::plan::cell::Cell;
use stormglass::kernel::time::Time;
use stormglass::model::show::MODEL_SCHEMA;
use stormglass::system::Observer;
use stormglass::system::Sight;
use stormglass::system::fact::Fact;
use stormglass::system::{Outcome, World};

use crate::random_models::generate::Generator;
use crate::random_models::{Seen, subject};

/// How many models are tried.
const MODELS: u64 = 80;

/// Keeps a run after so many facts.
struct After {
    facts: u64,
    at: Time,
}

impl Observer for After {
    fn observe(&mut self, now: Time, _fact: &Fact) {
        self.facts = self.facts.saturating_sub(1);
        self.at = now;
    }

    fn sight(&self) -> Sight {
        if self.facts == 0 { Sight::Keep } else { Sight::More }
    }
}

fn came_to(outcome: &Outcome) -> String {
    format!("{:?} {} {:?}", outcome.ending, outcome.digester.digest(), outcome.end)
}

/// A run of a cell at its beginning.
fn begun<'w>(cell: &'w Cell, seed: u64, observer: &'w mut dyn Observer) -> World<'w> {
    let (program, controls, end) = (&cell.program, &cell.plan.controls, cell.measure.arrivals_end);
    let mut world = World::new(program, controls, seed, end, cell.limits, observer);
    for &(clients, spike) in &cell.plan.spikes {
        world.add_spike(clients, spike);
    }
    world
}

#[test]
fn a_copy_goes_on_as_the_world_would_have() {
    let schema = serde_json::from_str(MODEL_SCHEMA).expect("a schema is JSON");
    let mut generator = Generator::new(&schema, 0);
    let mut seen = Seen::default();
    let (mut copies, mut differences) = (0, 0);
    for seed in 0..MODELS {
        let subject = subject(seed, &mut generator, &mut seen);
        let campaign = subject.campaign(&subject.promises).expect("it was accepted before");
        let cell = &campaign.cells[0];
        let (program, controls) = (&cell.program, &cell.plan.controls);
        let mut after = After { facts: 50 + seed * 7 % 400, at: Time::ZERO };
        let mut world = begun(cell, seed, &mut after);
        if !world.run_until_seen() {
            continue;
        }
        let snapshot = world.snapshot(program, controls);
        drop(world);
        let mut nobody = [(), (), ()];
        let [one, two, three] = &mut nobody;
        let other = snapshot.go_on(program, controls, (7, one)).run();
        let again = snapshot.go_on(program, controls, (7, two)).run();
        let mut whole = begun(cell, seed, three);
        whole.redraw_after(after.at, 7);
        let whole = whole.run();
        assert_eq!(came_to(&other), came_to(&whole), "model {seed}: {}", subject.model);
        assert_eq!(came_to(&again), came_to(&whole), "model {seed}: a second copy");
        let mut nobody = ();
        let elsewhere = snapshot.go_on(program, controls, (8, &mut nobody)).run();
        copies += 1;
        differences += u64::from(came_to(&elsewhere) != came_to(&whole));
    }
    assert!(copies * 2 > MODELS, "{copies} of {MODELS} models were copied");
    assert!(differences * 2 > copies, "{differences} of {copies} go another way by another seed");
}
