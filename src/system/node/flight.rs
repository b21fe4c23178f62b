//! Shared fetches: of the readers of one process that miss a row in a cache, one fetches it.
//!
//! The others wait for its answer, and for its failure: one slow or failed fetch is everybody's
//! (`golang.org/x/sync/singleflight`).

use crate::kernel::slab::Handle;
use crate::model::program::{CacheStep, CachedRead, NodeId, NodeStep, OperationId, Step, TableId};
use crate::policy::Outcome;
use crate::system::context::Context;
use crate::system::job::{Job, Origin, Progress, version};
use crate::system::node::Nodes;

/// What is being fetched: by which node and process, for which cache, which row.
pub(in crate::system) type FlightKey = (NodeId, u32, NodeId, TableId, u64);

/// A row that is being fetched.
#[derive(Clone, Debug)]
pub(in crate::system) struct Flight {
    /// The job that fetches it.
    leader: Handle,
    /// Jobs that wait for it.
    waiting: Vec<Handle>,
}

/// In the answer of a lookup: the row is old, fetch it again. Versions do not come that far.
pub(in crate::system) const REFRESH: u64 = 1 << 63;

/// In the answer of a lookup: there is no such row, as the cache knows.
pub(in crate::system) const ABSENT: u64 = 1 << 62;

/// The row in the answer of a lookup; 0 if there is none.
pub(in crate::system) fn row_word(value: u64) -> u64 {
    value & !(REFRESH | ABSENT)
}

impl Nodes {
    /// Joins the fetch of a row; goes on if the job has to fetch it itself.
    pub(in crate::system) fn join_flight(
        &mut self,
        cx: &mut Context<'_>,
        handle: Handle,
        read: CachedRead,
    ) -> Progress {
        let Some(key) = cx.flight_key(handle, read) else { return Progress::Waits };
        if let Some(flight) = self.flights.get_mut(&key)
            && cx.jobs.get(flight.leader).is_some()
        {
            flight.waiting.push(handle);
            return Progress::Waits;
        }
        self.flights.insert(key, Flight { leader: handle, waiting: Vec::new() });
        Progress::GoesOn
    }

    /// Ends the fetch of a row: all that wait for it have what was read.
    pub(in crate::system) fn land(
        &mut self,
        cx: &mut Context<'_>,
        handle: Handle,
        read: CachedRead,
    ) {
        let job = cx.jobs.at_mut(handle);
        let value = job.value;
        job.step = read.end;
        self.end_flight(cx, handle, read, Some(value));
    }

    /// Ends the fetch of a row without success, for all that wait for it.
    pub(in crate::system) fn abort(
        &mut self,
        cx: &mut Context<'_>,
        handle: Handle,
        read: CachedRead,
    ) {
        self.end_flight(cx, handle, read, None);
    }

    fn end_flight(
        &mut self,
        cx: &mut Context<'_>,
        handle: Handle,
        read: CachedRead,
        value: Option<u64>,
    ) {
        let Some(key) = cx.flight_key(handle, read) else { return };
        if self.flights.get(&key).is_none_or(|flight| flight.leader != handle) {
            return;
        }
        let Some(flight) = self.flights.remove(&key) else { return };
        for waiting in flight.waiting {
            let Some(job) = cx.jobs.get_mut(waiting) else { continue };
            // Each waits at a step of its own handler.
            let Step::Node(NodeStep::Cache(CacheStep::Join(own))) =
                cx.core.program().steps[job.step as usize - 1]
            else {
                continue;
            };
            job.value = value.unwrap_or(0);
            job.heard = value.map_or(Outcome::Failed, |_| Outcome::Ok);
            job.step = if value.is_some() { own.end } else { own.failed };
            if let Some(value) = value {
                if let Some(notes) = &mut job.notes {
                    notes.note_read(read.table, version(value));
                }
                self.note_row(cx, waiting, read.table, version(value), false);
            }
            cx.jobs.make_ready(waiting);
        }
    }

    /// A process has died: nobody fetches for it any more, and nobody waits there.
    pub(in crate::system) fn lose_flights(&mut self, node: NodeId, instance: u32) {
        self.flights.retain(|&(of, process, ..), _| (of, process) != (node, instance));
    }

    /// Fetches a row in the background if the lookup said that it is old and nobody does so yet.
    pub(in crate::system) fn refresh(
        &mut self,
        cx: &mut Context<'_>,
        handle: Handle,
        read: CachedRead,
        operation: OperationId,
    ) {
        let Some(job) = cx.jobs.get_mut(handle).filter(|job| job.value & REFRESH != 0) else {
            return;
        };
        job.value &= !REFRESH;
        let (key, instance, subject) = (job.round_key(), job.instance, job.subject);
        let Some(flight) = cx.flight_key(handle, read) else { return };
        if self.flights.get(&flight).is_some_and(|flight| cx.jobs.get(flight.leader).is_some()) {
            return;
        }
        let mut job = Job::new(cx.core.program(), operation, key, Origin::Nobody, subject);
        job.instance = instance;
        let leader = cx.jobs.insert(job);
        self.flights.insert(flight, Flight { leader, waiting: Vec::new() });
        cx.jobs.make_ready(leader);
    }
}

impl Context<'_> {
    fn flight_key(&self, handle: Handle, read: CachedRead) -> Option<FlightKey> {
        let job = self.jobs.at(handle);
        let row = self.row_of_job(read.table, &job.subject);
        Some((job.node, job.instance, read.cache, read.table, row))
    }

    /// Goes on behind a read if the cache has said that there is no such row.
    pub(in crate::system) fn skip_absent(&mut self, handle: Handle, read: CachedRead) {
        if let Some(job) = self.jobs.get_mut(handle).filter(|job| job.value == ABSENT) {
            (job.value, job.step) = (0, read.end);
        }
    }
}
