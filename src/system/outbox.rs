//! The relay of an outbox: it publishes what transactions wrote, and marks it only afterwards.
//!
//! A relay is one endless job: take a batch of unsent events, publish one after the other, mark
//! what was published, rest. What it had published but not marked when something went wrong is
//! published again: at least once, never less.

use std::ops::Range;

use super::database::OutboxEvent;
use super::fact::Observer;
use super::job::Subject;
use super::{Local, World};
use crate::kernel::draw::key_of;
use crate::kernel::slab::Handle;
use crate::model::program::{Kind, NodeId, OperationId};

/// What a relay keeps.
#[derive(Debug, Default)]
pub(super) struct Relay {
    /// The next event of the batch, and the first that is not in it.
    batch: Range<u64>,
    /// Where the batch started; `None` between batches.
    first: Option<u64>,
    /// Whether more events wait than the batch holds.
    more: bool,
    round: u64,
}

const COUNT_BITS: u32 = 24;

/// Where a batch starts in the outbox and how many events wait there, as one word.
pub(super) fn pack_batch(first: u64, count: u64) -> u64 {
    first << COUNT_BITS | count.min((1 << COUNT_BITS) - 1)
}

impl<O: Observer> World<'_, O> {
    fn relay(&mut self, node: NodeId) -> &mut Relay {
        match &mut self.locals[node.0 as usize] {
            Local::Relay(relay) => relay,
            other => unreachable!("batches belong to relays, not to {other:?}"),
        }
    }

    /// Starts the endless job of a relay.
    pub(super) fn start_relay(&mut self, node: NodeId, operation: OperationId) {
        let key = u64::from(self.program.node(node).id);
        self.start_own(operation, key, 0, Subject::default());
    }

    /// Goes on with the next event of the batch, or, if there is none, at another step.
    ///
    /// The first time, the answer to "take" in the job's value says what the batch is.
    pub(super) fn next_event(&mut self, handle: Handle, otherwise: u32) {
        let Some(job) = self.jobs.get(handle) else { return };
        let (node, value, round_key) = (job.node, job.value, job.key);
        let Kind::Outbox(rules) = &self.program.node(node).kind else { return };
        let (database, most) = (rules.database, rules.batch);
        let relay = self.relay(node);
        if relay.first.is_some() {
            relay.batch.start += 1;
        } else {
            let (first, waiting) = (value >> COUNT_BITS, value & ((1 << COUNT_BITS) - 1));
            relay.first = Some(first);
            relay.batch = first..first + waiting.min(u64::from(most));
            relay.more = waiting > u64::from(most);
        }
        let batch = relay.batch.clone();
        let event = self.next_outboxed(database, batch);
        let relay = self.relay(node);
        relay.batch.start = event.map_or(relay.batch.end, |(index, _)| index);
        if let Some(job) = self.jobs.get_mut(handle) {
            match event {
                Some((_, event)) => {
                    job.subject = event.subject;
                    job.key = key_of(round_key, event.key);
                }
                None => job.step = otherwise,
            }
        }
    }

    /// The first event of a batch that no failover has undone, with its index.
    fn next_outboxed(&mut self, database: NodeId, batch: Range<u64>) -> Option<(u64, OutboxEvent)> {
        let leader = self.leaders[database.0 as usize];
        let outbox = &self.store(leader).outbox;
        batch
            .filter_map(|index| Some((index, *outbox.get(index as usize)?)))
            .find(|(_, event)| !event.is_lost)
    }

    /// Ends a batch: the job's value says up to where it was published. Nothing published, nothing
    /// to mark: then it goes on at another step.
    pub(super) fn end_batch(&mut self, handle: Handle, otherwise: u32) {
        let Some(job) = self.jobs.get(handle) else { return };
        let relay = self.relay(job.node);
        let (first, published) = (relay.first.take(), relay.batch.start);
        if let Some(job) = self.jobs.get_mut(handle) {
            job.value = published;
            if first == Some(published) {
                job.step = otherwise;
            }
        }
    }

    /// Starts the next round; says whether the relay may go on without a rest.
    pub(super) fn next_round(&mut self, handle: Handle) -> bool {
        let Some(job) = self.jobs.get(handle) else { return false };
        let node = job.node;
        let relay = self.relay(node);
        relay.round += 1;
        let (round, more) = (relay.round, std::mem::take(&mut relay.more));
        let key = key_of(u64::from(self.program.node(node).id), round);
        if let Some(job) = self.jobs.get_mut(handle) {
            job.key = key;
        }
        more
    }
}
