//! A world that goes on twice: copied between two events, it has one past and two futures.

use std::fmt;

use crate::model::program::Program;
use crate::system::context::Context;
use crate::system::control::Control;
use crate::system::{Observer, World};

/// A world between two events, whom nobody watches.
pub struct Snapshot<'p>(World<'p>);

/// What is watched in a world that nobody watches.
fn nobody<'n>() -> &'n mut (dyn Observer + 'n) {
    // Nothing is allocated for what has no size.
    Box::leak(Box::new(()))
}

impl fmt::Debug for Snapshot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("at", &self.0.cx.core.now()).finish_non_exhaustive()
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
        world.redraw_after(world.cx.core.now(), seed);
        world
    }
}

impl<'p> World<'p> {
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
            cx: Context {
                core: self.cx.core.copied(program, controls, observer),
                jobs: self.cx.jobs.clone(),
                calls: self.cx.calls.clone(),
                fleet: self.cx.fleet.clone(),
                network: self.cx.network.clone(),
            },
            nodes: self.nodes.clone(),
            rerun: self.rerun.clone(),
            finish: self.finish,
            quality: self.quality.clone(),
        }
    }
}
