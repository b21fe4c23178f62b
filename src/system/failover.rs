//! Failover: a replica takes the place of a primary that cannot be reached.
//!
//! Each database has one leader: itself, or the replica that was promoted. While a primary is cut
//! off, a share of the callers' processes still reaches it; what the others send it is lost until
//! there is another leader, and so are its answers to them. What it had committed and the promoted
//! replica had not applied is lost; what it commits after that is lost when it comes back. With
//! fencing the epoch of its writes is checked where they are kept, and they are refused.

use super::World;
use super::control::Action;
use super::database::{OutboxEvent, Write};
use super::fact::{Fact, Observer};
use super::job::version;
use crate::kernel::draw::{Probability, Purpose};
use crate::kernel::slab::Handle;
use crate::model::program::{EdgeId, Kind, LabelId, NodeId};

/// Positions of a later epoch are greater than those of every earlier one.
const EPOCH_BITS: u32 = 40;

impl<O: Observer> World<'_, O> {
    /// The database that a node is, or that it follows.
    pub(super) fn database_of(&self, node: NodeId) -> NodeId {
        match self.program.node(node).kind {
            Kind::Replica(ref replica) => replica.of,
            _ => node,
        }
    }

    /// The node to which an attempt of a caller's process goes now, if it reaches any.
    pub(super) fn route(&mut self, edge: EdgeId, process: u32) -> Option<NodeId> {
        let edge = self.program.edge(edge);
        let leader = self.leaders[edge.target.0 as usize];
        let Some(near) = self.conditions.data[edge.target.0 as usize].cut_off else {
            return Some(leader);
        };
        if self.is_near(edge.caller, process, near) {
            return Some(edge.target);
        }
        (leader != edge.target).then_some(leader)
    }

    /// Whether the answer of a node reaches the process that called.
    pub(super) fn reaches_caller(&mut self, node: NodeId, edge: EdgeId, call: Handle) -> bool {
        let Some(near) = self.conditions.data[node.0 as usize].cut_off else { return true };
        let edge = self.program.edge(edge);
        let process = self.calls.get(call).map(|call| call.scope - edge.scope);
        process.is_some_and(|process| self.is_near(edge.caller, process, near))
    }

    /// Whether a process is on the side of a primary that is cut off from the rest.
    fn is_near(&mut self, caller: NodeId, process: u32, near: Probability) -> bool {
        let site = self.program.node(caller).id;
        near.happens(self.draws.draw(Purpose::Fault, site, u64::from(process), 0))
    }

    /// Whether a node that does not lead may write all the same.
    pub(super) fn accepts_stale_epoch(&mut self, database: NodeId, node: NodeId) -> bool {
        let Kind::Database(rules) = &self.program.node(database).kind else { return false };
        // A replica that leads no longer knows that it is one.
        let accepted = node == database && !rules.fencing;
        self.tell(Fact::StaleEpoch { database, accepted });
        accepted
    }

    /// What a fault does at once when it begins.
    pub(super) fn begin_at_once(&mut self, action: &Action) {
        match *action {
            Action::Promote { database, replica } => self.promote(database, replica),
            Action::FlushCache { node } => self.flush_cache(node),
            Action::Corrupt { node, share } => self.corrupt(node, share),
            _ => {}
        }
    }

    /// What is made good at once when a fault ends.
    pub(super) fn end_at_once(&mut self, action: &Action) {
        match *action {
            Action::Promote { database, replica } => self.rejoin(database, replica),
            Action::StopReplica { node } => self.replicate(node),
            Action::CutOff { node, .. } => {
                let Kind::Database(rules) = &self.program.node(node).kind else { return };
                for &replica in &rules.replicas {
                    self.replicate(replica);
                }
            }
            _ => {}
        }
    }

    /// A replica becomes the leader, with what it has applied and no more.
    fn promote(&mut self, database: NodeId, replica: NodeId) {
        if self.leaders[database.0 as usize] != database {
            return;
        }
        let promoted = self.replica(replica);
        let applied = promoted.store.position;
        let lost: Vec<_> = promoted.pending.drain(..).collect();
        let mut writes: Vec<Write> = promoted.writes.drain(..).collect();
        let old = self.store(database);
        let without_late = |&event: &OutboxEvent| OutboxEvent {
            is_lost: event.is_lost || event.position > applied,
            ..event
        };
        let outbox = old.outbox.iter().map(without_late).collect();
        let answered = old.idempotency.iter().filter(|(_, (_, position))| *position <= applied);
        let idempotency = answered.map(|(&key, &answer)| (key, answer)).collect();
        let (sent, epoch) = (old.sent, (old.position >> EPOCH_BITS) + 1);
        let store = self.store(replica);
        (store.outbox, store.idempotency, store.sent) = (outbox, idempotency, sent);
        store.position = epoch << EPOCH_BITS;
        for record in lost {
            let own = writes.drain(..record.rows);
            self.tell_lost(database, record.position, record.order, own);
        }
        self.leaders[database.0 as usize] = replica;
        self.follow_leader(database, replica);
    }

    /// The other replicas copy a new leader.
    fn follow_leader(&mut self, database: NodeId, leader: NodeId) {
        let Kind::Database(rules) = &self.program.node(database).kind else { return };
        for &id in rules.replicas.iter().filter(|&&id| id != leader) {
            let store = self.store(leader);
            let (tables, position) = (store.tables.clone(), store.position);
            let replica = self.replica(id);
            replica.pending.clear();
            replica.writes.clear();
            (replica.store.tables, replica.store.position) = (tables, position);
        }
    }

    /// The old primary is back: it copies the leader and leads again.
    fn rejoin(&mut self, database: NodeId, replica: NodeId) {
        if self.leaders[database.0 as usize] != replica {
            return;
        }
        for (position, order, writes) in std::mem::take(&mut self.discarded) {
            self.tell_lost(database, position, order, writes.into_iter());
        }
        let mut state = self.store(replica).clone();
        let old = self.store(database);
        let own = old.outbox.iter().skip(state.outbox.len());
        state.outbox.extend(own.map(|&event| OutboxEvent { is_lost: true, ..event }));
        state.unreplicated = std::mem::take(&mut old.unreplicated);
        *old = state;
        self.leaders[database.0 as usize] = database;
    }

    /// Tells that a committed transaction is gone.
    fn tell_lost(
        &mut self,
        database: NodeId,
        position: u64,
        order: u64,
        writes: impl Iterator<Item = Write>,
    ) {
        self.tell(Fact::CommitLost { database, position, order });
        for (table, row, value) in writes {
            let (version, state) = (version(value), LabelId(value as u16));
            self.tell(Fact::WriteLost { table, row, order, state, version, position });
        }
    }

    /// A share of the rows of a replica or cache falls back by one version.
    fn corrupt(&mut self, node: NodeId, share: Probability) {
        let rows = match self.program.node(node).kind {
            Kind::Cache(_) => self.corrupt_cache(node, share),
            _ => self.corrupt_replica(node, share),
        };
        self.tell(Fact::Corrupted { node, rows });
    }

    fn corrupt_replica(&mut self, node: NodeId, share: Probability) -> u64 {
        let site = self.program.node(node).id;
        let mut tables = std::mem::take(&mut self.store(node).tables);
        let mut count = 0;
        for (table, number, row) in tables.iter_mut() {
            let draw = self.draws.draw(Purpose::Fault, site, number, table.0);
            if version(row.value) > 1 && share.happens(draw) {
                row.value -= 1 << 32;
                count += 1;
            }
        }
        self.store(node).tables = tables;
        count
    }
}
