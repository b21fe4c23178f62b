//! The relays of an outbox: they publish what transactions wrote.
//!
//! A relay is one endless job. It takes a batch of unsent events, publishes one after the other or
//! several at once (`publish`), marks what was published, and rests, unless nothing failed and more
//! events wait. What it had published but not marked when something went wrong is published again:
//! at least once, never less. A relay that marks first publishes at most once instead, and one that
//! tails the log (`tail`) asks for nothing.

mod publish;
mod rows;
mod tail;
mod window;

use std::collections::BTreeSet;

use crate::kernel::draw::{Purpose, key_of};
use crate::kernel::queue::TimerId;
use crate::kernel::slab::Handle;
use crate::kernel::time::Time;
use crate::model::language::Claim;
use crate::model::program::{NodeId, OperationId, RelayStep};
use crate::system::context::Context;
use crate::system::fact::Asked;
use crate::system::job::{Progress, Subject};
use crate::system::node::database::{Database, OutboxEvent};
use crate::system::node::{Local, Nodes};
use window::Window;

/// What the relays of an outbox keep, and lose when they crash: the default is what they start
/// with.
#[derive(Clone, Debug, Default)]
pub(in crate::system) struct Relay {
    /// One for each relay that has begun.
    processes: Vec<Process>,
    /// The rows that requests name, where that is more than one word holds.
    lists: Vec<List>,
}

/// Rows of the outbox that a request names.
#[derive(Clone, Debug)]
struct List {
    rows: Vec<u64>,
    /// The relay that wrote it, and in which of its rounds.
    instance: u32,
    round: u64,
}

/// What one relay keeps.
#[derive(Clone, Debug, Default)]
struct Process {
    /// The events of its batch that are locked for it, if relays lock.
    claimed: Vec<u64>,
    /// The events of its batch.
    batch: Vec<u64>,
    /// How many of them it is done with; `None` between batches.
    done: Option<usize>,
    /// The batch while several requests publish it.
    window: Option<Window>,
    /// Those of the batch that several requests have published.
    published: Option<Vec<u64>>,
    /// Whether more events wait than the batch holds, and all of the batch was published.
    more: bool,
    /// Whether the next round begins without a rest: nothing failed, and more events wait.
    goes_on: bool,
    round: u64,
    /// The next event of the log; `None` before it has looked where to start.
    position: Option<u64>,
    /// Events of the log behind that one that were published, because others failed.
    ahead: BTreeSet<u64>,
    /// Up to where it has stored its position, and when.
    stored: (u64, Time),
    /// The job that waits for a new event in the log, and what wakes it in any case.
    waiting: Option<(Handle, Option<TimerId>)>,
}

impl Relay {
    /// One of the relays has died: it forgets where it was, but its rounds go on being counted.
    pub(in crate::system) fn forget(&mut self, instance: u32) {
        if let Some(process) = self.processes.get_mut(instance as usize) {
            *process = Process { round: process.round, ..Process::default() };
        }
    }
}

impl Process {
    /// The rows of its batch that it has still to publish.
    fn held(&self) -> Vec<u64> {
        match (&self.window, self.done) {
            (Some(window), _) => window.unpublished(),
            (None, Some(done)) => self.batch.iter().skip(done).copied().collect(),
            (None, None) => Vec::new(),
        }
    }
}

impl Nodes {
    /// What the relays of an outbox keep.
    fn outbox(&self, node: NodeId) -> &Relay {
        match &self.locals[node.0 as usize] {
            Local::Relay(relay) => relay,
            other => unreachable!("batches belong to relays, not to {other:?}"),
        }
    }

    fn outbox_mut(&mut self, node: NodeId) -> &mut Relay {
        match &mut self.locals[node.0 as usize] {
            Local::Relay(relay) => relay,
            other => unreachable!("batches belong to relays, not to {other:?}"),
        }
    }

    fn relay(&mut self, node: NodeId, instance: u32) -> &mut Process {
        let relay = self.outbox_mut(node);
        let index = instance as usize;
        if relay.processes.len() <= index {
            relay.processes.resize_with(index + 1, Process::default);
        }
        &mut relay.processes[index]
    }

    /// Starts a relay again that has died: with a new round, from what is durable.
    pub(in crate::system) fn restart_relay(
        &mut self,
        cx: &mut Context<'_>,
        node: NodeId,
        instance: u32,
        operation: OperationId,
    ) {
        let base = cx.relay_key(node, instance);
        let relay = self.relay(node, instance);
        relay.round += 1;
        let key = key_of(base, relay.round);
        cx.start_own(operation, key, instance, Subject::default(), None);
    }

    /// The outbox that a relay reads: that of whoever leads.
    fn outbox_of(&mut self, cx: &mut Context<'_>, relay: NodeId) -> &mut Database {
        let database = cx.relay_rules(relay).database;
        let leader = self.leaders[database.0 as usize];
        self.store(leader)
    }

    /// An event that a relay has been told of, unless it was lost by a crash or a failover since.
    fn event_of(&mut self, cx: &mut Context<'_>, relay: NodeId, row: u64) -> Option<OutboxEvent> {
        let event = self.outbox_of(cx, relay).outbox.get(row as usize).copied();
        event.filter(|event| !event.is_lost)
    }

    /// Reads the batch that the answer to "take" names, if it has not been read yet.
    fn read_batch(&mut self, cx: &mut Context<'_>, handle: Handle) {
        let job = cx.jobs.at(handle);
        let (node, instance, value) = (job.node, job.instance, job.value);
        if self.relay(node, instance).done.is_some() {
            return;
        }
        let (_, waiting) = rows::unpack_batch(value);
        let batch = match cx.relay_rules(node).claim {
            Claim::SkipLocked => self.relay(node, instance).claimed.clone(),
            Claim::None => self.named_rows(cx, node, value),
        };
        let relay = self.relay(node, instance);
        relay.done = Some(0);
        relay.more = waiting > batch.len() as u64;
        relay.batch = batch;
    }

    pub(in crate::system) fn take_relay_step(
        &mut self,
        cx: &mut Context<'_>,
        handle: Handle,
        step: &RelayStep,
    ) -> Progress {
        match *step {
            RelayStep::NextEvent(otherwise) => self.next_event(cx, handle, otherwise),
            RelayStep::EndBatch(otherwise) => self.end_batch(cx, handle, otherwise),
            RelayStep::Marked => self.note_marked(cx, handle),
            RelayStep::NextRound(ref rest) => {
                if !self.next_round(cx, handle) {
                    return cx.spend(handle, rest, Purpose::Think, 1.0);
                }
            }
            RelayStep::ClaimBatch(otherwise) => self.claim_batch(cx, handle, otherwise),
            RelayStep::Follow(store) => return self.follow_log(cx, handle, store),
            RelayStep::PublishAll(on_failure) => return self.publish_all(cx, handle, on_failure),
            RelayStep::Published => self.pass_published(cx, handle),
            RelayStep::Stored => self.pass_stored(cx, handle),
        }
        Progress::GoesOn
    }

    /// Goes on with the next event of the batch, or, if there is none, at another step.
    fn next_event(&mut self, cx: &mut Context<'_>, handle: Handle, otherwise: u32) {
        let (node, instance) = cx.relay_of(handle);
        self.read_batch(cx, handle);
        loop {
            let relay = self.relay(node, instance);
            let done = relay.done.unwrap_or(0);
            match relay.batch.get(done).copied() {
                Some(row) if self.event_of(cx, node, row).is_none() => {
                    self.relay(node, instance).done = Some(done + 1);
                }
                Some(row) => return self.turn_to(cx, handle, row),
                None => return cx.jobs.at_mut(handle).step = otherwise,
            }
        }
    }

    /// Lets a relay's job be about an event.
    fn turn_to(&mut self, cx: &mut Context<'_>, handle: Handle, row: u64) {
        let (node, _) = cx.relay_of(handle);
        let Some(event) = self.event_of(cx, node, row) else { return };
        if let Some(job) = cx.jobs.get_mut(handle) {
            job.subject = event.subject;
            job.key = key_of(job.key, event.key);
            job.value = row + 1;
        }
    }

    /// Goes on behind the event that was published.
    fn pass_published(&mut self, cx: &mut Context<'_>, handle: Handle) {
        let (node, instance) = cx.relay_of(handle);
        let relay = self.relay(node, instance);
        match (&mut relay.position, &mut relay.done) {
            (Some(position), _) => *position += 1,
            (None, Some(done)) => *done += 1,
            (None, None) => {}
        }
    }

    /// Names the whole batch as what is to be marked, before any of it is published. Nothing to
    /// mark: then it goes on at another step.
    fn claim_batch(&mut self, cx: &mut Context<'_>, handle: Handle, otherwise: u32) {
        self.read_batch(cx, handle);
        let (node, instance) = cx.relay_of(handle);
        let rows = self.relay(node, instance).batch.clone();
        self.name_marks(cx, handle, rows, otherwise);
    }

    /// Ends a batch: the job's value says what of it was published. Nothing published, nothing to
    /// mark: then it goes on at another step.
    fn end_batch(&mut self, cx: &mut Context<'_>, handle: Handle, otherwise: u32) {
        let (node, instance) = cx.relay_of(handle);
        let relay = self.relay(node, instance);
        let done = relay.done.take().unwrap_or(0);
        let published = match relay.published.take() {
            Some(published) => published,
            None => relay.batch.iter().take(done).copied().collect(),
        };
        relay.more &= published.len() == relay.batch.len();
        self.name_marks(cx, handle, published, otherwise);
    }

    /// Tells the job what to mark: up to which event, or which ones.
    fn name_marks(&mut self, cx: &mut Context<'_>, handle: Handle, rows: Vec<u64>, otherwise: u32) {
        let (node, instance) = cx.relay_of(handle);
        let rules = cx.relay_rules(node);
        let in_order = rules.claim == Claim::None && rules.publish.is_none();
        let value = match rows.last() {
            None => return cx.jobs.at_mut(handle).step = otherwise,
            Some(&last) if in_order => last + 1,
            Some(_) => rows::LISTED | self.list_rows(node, instance, rows),
        };
        cx.jobs.at_mut(handle).value = value;
    }

    /// The batch is marked.
    fn note_marked(&mut self, cx: &mut Context<'_>, handle: Handle) {
        let (node, instance) = cx.relay_of(handle);
        let relay = self.relay(node, instance);
        relay.goes_on = relay.more;
    }

    /// Starts the next round; says whether the relay may go on without a rest.
    fn next_round(&mut self, cx: &mut Context<'_>, handle: Handle) -> bool {
        let (node, instance) = cx.relay_of(handle);
        let base = cx.relay_key(node, instance);
        let relay = self.relay(node, instance);
        (relay.done, relay.published) = (None, None);
        relay.round += 1;
        let (round, goes_on) = (relay.round, std::mem::take(&mut relay.goes_on));
        if let Some(job) = cx.jobs.get_mut(handle) {
            job.key = key_of(base, round);
            // It looks for events on nobody's behalf.
            job.subject.asked = Asked::BY_NOBODY;
        }
        goes_on
    }

    /// The order and due time of every event that is marked as sent and that a relay still has to
    /// publish: only what relays hold, and what they have been given and not yet got, tell of them.
    pub(in crate::system) fn held_events(
        &mut self,
        cx: &mut Context<'_>,
        node: NodeId,
    ) -> Vec<(u64, Time)> {
        let relay = self.outbox(node);
        let mut held: Vec<u64> = relay.processes.iter().flat_map(Process::held).collect();
        held.extend(self.rows_on_their_way(cx, node));
        let outbox = self.outbox_of(cx, node);
        let is_marked = |row: &u64| *row < outbox.sent as u64 || outbox.marked.contains(row);
        let marked = held.into_iter().filter(is_marked);
        let events = marked.filter_map(|row| outbox.outbox.get(row as usize));
        let there = events.filter(|event| !event.is_lost);
        there.map(|event| (event.subject.order, event.subject.since)).collect()
    }
}

impl Context<'_> {
    /// The stable key of a relay.
    fn relay_key(&self, node: NodeId, instance: u32) -> u64 {
        let id = u64::from(self.core.program().node(node).id);
        // Rounds are counted from 1 within the key of the first relay: others are far away.
        if instance == 0 { id } else { key_of(id, u64::from(instance) << 32) }
    }

    /// Starts the endless job of each relay of an outbox.
    pub(in crate::system) fn start_relay(&mut self, node: NodeId, operation: OperationId) {
        for instance in 0..self.relay_rules(node).relays {
            let key = self.relay_key(node, instance);
            self.start_own(operation, key, instance, Subject::default(), None);
        }
    }

    /// The outbox and the relay of it that a job belongs to.
    fn relay_of(&self, handle: Handle) -> (NodeId, u32) {
        let job = self.jobs.at(handle);
        (job.node, job.instance)
    }
}
