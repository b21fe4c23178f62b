//! Messages that an instance is handed ahead of their turn: they wait there for a worker, while
//! their visibility runs at the queue.
//!
//! Nothing brings one back before that: when its visibility ends it is delivered once more, to
//! whoever has room, and what is in hand is worked on all the same when its turn comes, because
//! nobody tells who waits with it.

use crate::kernel::slab::Handle;
use crate::model::program::{Kind, NodeId};
use crate::system::context::Context;
use crate::system::job::{Job, Origin};
use crate::system::node::Nodes;

impl Nodes {
    /// A message that was handed over ahead of its turn has come: it begins or waits. Without a job
    /// it was acknowledged by an earlier receiver while it travelled.
    pub(super) fn take_in_hand(
        &mut self,
        cx: &mut Context<'_>,
        job: Option<Handle>,
        worker: NodeId,
        instance: u32,
    ) {
        let workers = cx.core.program().node(worker).station.workers;
        let index = cx.fleet.index(worker, instance);
        let station = cx.fleet.station_mut(index);
        let Some(job) = job else {
            station.ahead -= 1;
            return self.offer_worker(cx, worker);
        };
        station.in_hand.push_back(job);
        if station.busy < workers {
            station.busy += 1;
            cx.begin_in_hand(index);
        }
    }
}

impl Context<'_> {
    /// How many messages an instance of a worker is handed ahead of those that it handles.
    pub(super) fn prefetch(&self, worker: NodeId) -> u32 {
        match &self.core.program().node(worker).kind {
            Kind::Service(service) => service.prefetch,
            _ => 0,
        }
    }

    /// An instance of a service that has room for a message: a free worker, or a place ahead of its
    /// turn. Whose turn was last is asked last, whether a worker of the others is free or not.
    pub(super) fn free_instance(&mut self, worker: NodeId) -> Option<u32> {
        let limits = &self.core.program().node(worker).station;
        let most = limits.workers.saturating_add(self.prefetch(worker));
        let last = *self.fleet.turn(worker);
        let mut in_turn = (1..=limits.instances).map(|step| (last + step) % limits.instances);
        let free = in_turn.find(|&instance| {
            let station = self.fleet.station(self.fleet.index(worker, instance));
            station.busy.saturating_add(station.ahead) < most
                && !self.fleet.is_down(worker, instance, self.core.now())
        })?;
        *self.fleet.turn(worker) = free;
        Some(free)
    }

    /// The places of an instance of which a message takes one as soon as it is handed over: a
    /// worker that is kept for it, or one ahead of its turn.
    pub(super) fn places_taken(&mut self, worker: NodeId, instance: u32) -> &mut u32 {
        let is_ahead = self.prefetch(worker) > 0;
        let index = self.fleet.index(worker, instance);
        let station = self.fleet.station_mut(index);
        if is_ahead { &mut station.ahead } else { &mut station.busy }
    }

    /// Lets a worker that is taken already begin with the message that has waited longest; says
    /// whether one has.
    pub(in crate::system) fn begin_in_hand(&mut self, station: usize) -> bool {
        let station = self.fleet.station_mut(station);
        let Some(job) = station.in_hand.pop_front() else { return false };
        station.ahead -= 1;
        self.jobs.make_ready(job);
        if let Some(&Job { origin: Origin::Delivery { queue, .. }, .. }) = self.jobs.get(job) {
            self.expect_heartbeat(queue, job);
        }
        true
    }
}
