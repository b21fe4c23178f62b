//! The outbox table of a database: which events relays are given, and which are marked as sent.

use crate::kernel::slab::Handle;
use crate::model::language::Claim;
use crate::model::program::{Kind, NodeId};
use crate::system::fact::Observer;
use crate::system::job::Origin;
use crate::system::{Local, World};

const COUNT_BITS: u32 = 24;
const COUNT_MAX: u64 = (1 << COUNT_BITS) - 1;

/// Where a batch starts in the outbox and how many events wait there, as one word.
fn pack_batch(first: u64, count: u64) -> u64 {
    first << COUNT_BITS | count.min(COUNT_MAX)
}

/// What [`pack_batch`] has packed.
pub(super) fn unpack_batch(batch: u64) -> (u64, u64) {
    (batch >> COUNT_BITS, batch & COUNT_MAX)
}

impl<O: Observer> World<'_, O> {
    /// Finds the first events that are not marked as sent, or, for relays that lock, the first that
    /// no other relay has locked either.
    pub(in crate::system) fn take_outbox(&mut self, handle: Handle) {
        let Some(job) = self.jobs.get(handle) else { return };
        let (node, origin) = (job.node, job.origin);
        let database = self.store(node);
        let (sent, count) = (database.sent as u64, (database.outbox.len() - database.sent) as u64);
        let batch = match self.locking_relay(origin) {
            None => pack_batch(sent, count),
            Some((relay, instance)) => pack_batch(sent, self.lock_rows(node, relay, instance)),
        };
        self.set_value(handle, batch);
    }

    /// The relay that asks, if it locks what it takes.
    fn locking_relay(&self, origin: Origin) -> Option<(NodeId, u32)> {
        let Origin::Call { call, edge, .. } = origin else { return None };
        let relay = self.program.edge(edge).caller;
        let Kind::Outbox(rules) = &self.program.node(relay).kind else { return None };
        let owner = self.jobs.get(self.calls.get(call)?.owner)?;
        (rules.claim == Claim::SkipLocked).then_some((relay, owner.instance))
    }

    /// Locks the next rows for a relay, and returns how many there are, those beyond its batch
    /// included. It no longer holds those that it had: it has one connection, so one transaction.
    ///
    /// The locks are kept with the relay: they end when it does.
    fn lock_rows(&mut self, database: NodeId, relay: NodeId, instance: u32) -> u64 {
        let most = self.relay_rules(relay).batch as usize;
        self.relay(relay, instance).claimed.clear();
        let Local::Relay(others) = &self.locals[relay.0 as usize] else { return 0 };
        let mut locked: Vec<u64> =
            others.processes.iter().flat_map(|other| &other.claimed).copied().collect();
        locked.sort_unstable();
        let database = self.store(database);
        let rows = database.sent as u64..database.outbox.len() as u64;
        let is_free =
            |row: &u64| !database.marked.contains(row) && locked.binary_search(row).is_err();
        // One more than the batch says whether the relay may go on at once.
        let mut free: Vec<u64> = rows.filter(is_free).take(most + 1).collect();
        let count = free.len() as u64;
        free.truncate(most);
        self.relay(relay, instance).claimed = free;
        count
    }

    /// Marks events as sent: every one before the one that the relay names, or as many of those
    /// that it has locked as it says.
    pub(in crate::system) fn mark_outbox(&mut self, handle: Handle) {
        let Some(job) = self.jobs.get(handle) else { return };
        let (node, value, origin) = (job.node, job.value, job.origin);
        let Some((relay, instance)) = self.locking_relay(origin) else {
            self.note_marks(node);
            let database = self.store(node);
            database.sent = database.sent.max((value as usize).min(database.outbox.len()));
            return;
        };
        let mut rows = std::mem::take(&mut self.relay(relay, instance).claimed);
        rows.truncate(value as usize);
        self.note_marks(node);
        let database = self.store(node);
        let unsent = database.sent as u64..database.outbox.len() as u64;
        let is_unsent = |row: &u64| unsent.contains(row);
        database.marked.extend(rows.into_iter().filter(is_unsent));
        while database.marked.remove(&(database.sent as u64)) {
            database.sent += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_one_word() {
        for (first, count) in [(0, 0), (7, 3), (1 << 39, COUNT_MAX)] {
            assert_eq!(unpack_batch(pack_batch(first, count)), (first, count));
        }
        assert_eq!(unpack_batch(pack_batch(1, u64::from(u32::MAX))), (1, COUNT_MAX));
    }
}
