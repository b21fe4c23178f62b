//! A world that goes on twice: copied between two events, it has one past and two futures.

use std::fmt;

use super::World;
use super::control::Control;
use super::fact::Observer;
use crate::model::program::Program;

/// A world between two events, whom nobody watches.
pub struct Snapshot<'p>(World<'p>);

/// What is watched in a world that nobody watches.
fn nobody<'n>() -> &'n mut (dyn Observer + 'n) {
    // Nothing is allocated for what has no size.
    Box::leak(Box::new(()))
}

impl World<'_> {
    /// The world as it is; `program` and `controls` are those that it runs.
    ///
    /// # Panics
    /// With a policy of the user's own, which says nothing of how it is copied.
    #[must_use]
    pub fn snapshot<'n>(&self, program: &'n Program, controls: &'n [Control]) -> Snapshot<'n> {
        Snapshot(self.copied(program, controls, nobody()))
    }

    fn copied<'n>(
        &self,
        program: &'n Program,
        controls: &'n [Control],
        observer: &'n mut (dyn Observer + 'n),
    ) -> World<'n> {
        World {
            cx: self.cx.copied(program, controls, observer),
            jobs: self.jobs.clone(),
            calls: self.calls.clone(),
            network: self.network.clone(),
            fleet: self.fleet.clone(),
            locals: self.locals.clone(),
            leaders: self.leaders.clone(),
            notes_rows: self.notes_rows,
            brought: self.brought.clone(),
            sessions: self.sessions.clone(),
            flights: self.flights.clone(),
            queued: self.queued,
            orders: self.orders,
            rerun: self.rerun.clone(),
            finish: self.finish,
            quality: self.quality.clone(),
        }
    }
}

impl fmt::Debug for Snapshot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("at", &self.0.cx.now()).finish_non_exhaustive()
    }
}

impl Snapshot<'_> {
    /// A copy that goes on, with what comes after this instant drawn from another seed.
    #[must_use]
    pub fn go_on<'n>(
        &self,
        program: &'n Program,
        controls: &'n [Control],
        (seed, observer): (u64, &'n mut (dyn Observer + 'n)),
    ) -> World<'n> {
        let mut world = self.0.copied(program, controls, observer);
        world.redraw_after(world.cx.now(), seed);
        world
    }
}
