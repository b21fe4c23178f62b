//! The outbox table of a database: which events relays are given, and which are marked as sent.

use super::List;
use crate::kernel::slab::Handle;
use crate::model::language::Claim;
use crate::model::program::{DataStep, NodeId, NodeStep, Step};
use crate::policy::Outcome;
use crate::system::context::Context;
use crate::system::job::Origin;
use crate::system::network::Message;
use crate::system::node::Nodes;
use crate::system::node::database::OutboxEvent;

const COUNT_BITS: u32 = 24;
const COUNT_MAX: u64 = (1 << COUNT_BITS) - 1;
/// Says of a word that it is the number of a list of rows, and not a row.
pub(super) const LISTED: u64 = 1 << 63;

/// Where a batch starts in the outbox and how many events wait there, as one word.
fn pack_batch(first: u64, count: u64) -> u64 {
    first << COUNT_BITS | count.min(COUNT_MAX)
}

/// What [`pack_batch`] has packed.
pub(super) fn unpack_batch(batch: u64) -> (u64, u64) {
    (batch >> COUNT_BITS, batch & COUNT_MAX)
}

impl Nodes {
    /// Finds the first events that are not marked as sent, or, for relays that lock, the first that
    /// no other relay has locked either.
    pub(in crate::system) fn take_outbox(&mut self, cx: &mut Context<'_>, handle: Handle) {
        let job = cx.jobs.at(handle);
        let (node, origin) = (job.node, job.origin);
        let database = self.store(node);
        let (sent, count) = (database.sent as u64, (database.outbox.len() - database.sent) as u64);
        let batch = match cx.asking_relay(origin) {
            Some((relay, instance)) if cx.relay_rules(relay).claim == Claim::SkipLocked => {
                pack_batch(sent, self.lock_rows(cx, node, relay, instance))
            }
            Some((relay, instance)) if cx.relay_rules(relay).publish.is_some() => {
                let most = cx.relay_rules(relay).batch as usize;
                let mut rows = self.unmarked_rows(node, &[], most + 1);
                let count = rows.len() as u64;
                rows.truncate(most);
                pack_batch(self.list_rows(relay, instance, rows), count)
            }
            _ => pack_batch(sent, count),
        };
        cx.jobs.at_mut(handle).value = batch;
    }

    /// The rows that the answer to "take" names, for a relay that does not lock them.
    pub(super) fn named_rows(&self, cx: &Context<'_>, relay: NodeId, value: u64) -> Vec<u64> {
        let rules = cx.relay_rules(relay);
        match unpack_batch(value) {
            (list, _) if rules.publish.is_some() => self.listed_rows(relay, list).to_vec(),
            (first, waiting) => (first..first + waiting.min(u64::from(rules.batch))).collect(),
        }
    }

    /// The rows that an answer to "take" brings to a relay and that are not locked for it: another
    /// relay, or a late request of its own, may mark them before it is there.
    pub(super) fn rows_on_their_way(&self, cx: &Context<'_>, relay: NodeId) -> Vec<u64> {
        if cx.relay_rules(relay).claim == Claim::SkipLocked {
            return Vec::new();
        }
        let answers = cx.network.iter().filter_map(|(_, message)| match *message {
            Message::Reply { call, edge, outcome: Outcome::Ok, value, .. } => {
                let is_its_own = cx.core.program().edge(edge).caller == relay;
                (is_its_own && cx.takes_rows(call)).then_some(value)
            }
            _ => None,
        });
        answers.flat_map(|value| self.named_rows(cx, relay, value)).collect()
    }

    /// Writes a list of rows for a request, and returns its number.
    pub(super) fn list_rows(&mut self, relay: NodeId, instance: u32, rows: Vec<u64>) -> u64 {
        let round = self.relay(relay, instance).round;
        let local = self.outbox_mut(relay);
        local.lists.push(List { rows, instance, round });
        local.lists.len() as u64 - 1
    }

    /// The rows of a list.
    pub(super) fn listed_rows(&self, relay: NodeId, list: u64) -> &[u64] {
        let local = self.outbox(relay);
        local.lists.get(list as usize).map_or(&[], |list| &list.rows)
    }

    /// The events of a list, with their rows. A crash since does not take them out of the request.
    pub(in crate::system) fn listed_events(
        &mut self,
        cx: &mut Context<'_>,
        relay: NodeId,
        list: u64,
    ) -> Vec<(u64, OutboxEvent)> {
        let rows = self.listed_rows(relay, list).to_vec();
        let outbox = &self.outbox_of(cx, relay).outbox;
        let event = |row: u64| Some((row, *outbox.get(row as usize)?));
        rows.into_iter().filter_map(event).collect()
    }

    /// The first rows that are neither marked nor locked, at most so many.
    fn unmarked_rows(&mut self, database: NodeId, locked: &[u64], most: usize) -> Vec<u64> {
        let database = self.store(database);
        let rows = database.sent as u64..database.outbox.len() as u64;
        let is_free =
            |row: &u64| !database.marked.contains(row) && locked.binary_search(row).is_err();
        rows.filter(is_free).take(most).collect()
    }

    /// Locks the next rows for a relay, and returns how many there are, those beyond its batch
    /// included. It no longer holds those that it had: it has one connection, so one transaction.
    ///
    /// The locks are kept with the relay: they end when it does.
    fn lock_rows(
        &mut self,
        cx: &mut Context<'_>,
        database: NodeId,
        relay: NodeId,
        instance: u32,
    ) -> u64 {
        let most = cx.relay_rules(relay).batch as usize;
        self.relay(relay, instance).claimed.clear();
        let others = self.outbox(relay);
        let mut locked: Vec<u64> =
            others.processes.iter().flat_map(|other| &other.claimed).copied().collect();
        locked.sort_unstable();
        // One more than the batch says whether the relay may go on at once.
        let mut free = self.unmarked_rows(database, &locked, most + 1);
        let count = free.len() as u64;
        free.truncate(most);
        self.relay(relay, instance).claimed = free;
        count
    }

    /// Marks events as sent: every one before the one that the relay names, or those of a list.
    pub(in crate::system) fn mark_outbox(&mut self, cx: &mut Context<'_>, handle: Handle) {
        let job = cx.jobs.at(handle);
        let (node, value, origin) = (job.node, job.value, job.origin);
        self.note_marks(cx, node);
        if value & LISTED == 0 {
            let database = self.store(node);
            database.sent = database.sent.max((value as usize).min(database.outbox.len()));
            return;
        }
        let Origin::Call { edge, .. } = origin else { return };
        let rows = self.unlock(cx.core.program().edge(edge).caller, value & !LISTED);
        let database = self.store(node);
        let unsent = database.sent as u64..database.outbox.len() as u64;
        let is_unsent = |row: &u64| unsent.contains(row);
        database.marked.extend(rows.into_iter().filter(is_unsent));
        while database.marked.remove(&(database.sent as u64)) {
            database.sent += 1;
        }
    }

    /// The rows of a list that are marked now. Its relay holds no locks any more, unless it has
    /// begun another transaction since: the request came late then.
    fn unlock(&mut self, relay: NodeId, list: u64) -> Vec<u64> {
        let local = self.outbox_mut(relay);
        let Some(list) = local.lists.get(list as usize) else { return Vec::new() };
        if let Some(process) = local.processes.get_mut(list.instance as usize)
            && process.round == list.round
        {
            process.claimed.clear();
        }
        list.rows.clone()
    }
}

impl Context<'_> {
    /// Whether a call that waits for its answer takes rows of an outbox.
    fn takes_rows(&self, call: Handle) -> bool {
        self.calls.get(call).is_some_and(|call| {
            let start = self.core.program().operation(call.operation).start as usize;
            let steps = self.core.program().steps[start..].iter();
            let mut own = steps.take_while(|step| !matches!(step, Step::Reply(_)));
            own.any(|step| matches!(step, Step::Node(NodeStep::Data(DataStep::TakeOutbox))))
        })
    }

    /// The relay that asks.
    fn asking_relay(&self, origin: Origin) -> Option<(NodeId, u32)> {
        let Origin::Call { call, edge, .. } = origin else { return None };
        let relay = self.core.program().edge(edge).caller;
        let owner = self.jobs.get(self.calls.get(call)?.owner)?;
        Some((relay, owner.instance))
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
