//! Failover: a replica takes the place of a primary that cannot be reached.
//!
//! Each database has one leader: itself, or the replica that was promoted. While a primary is cut
//! off, a share of the callers' processes still reaches it; what the others send it is lost until
//! there is another leader, and so are its answers to them. What it had committed and the promoted
//! replica had not applied is lost; what it commits after that is lost when it comes back. With
//! fencing the epoch of its writes is checked where they are kept, and they are refused.

use crate::kernel::draw::{Probability, Purpose};
use crate::kernel::slab::Handle;
use crate::model::program::{EdgeId, Kind, NodeId};
use crate::system::context::Context;
use crate::system::fact::{Direction, Fact};
use crate::system::job::{state, version};
use crate::system::network::Message;
use crate::system::node::Nodes;
use crate::system::node::database::{Commit, OutboxEvent, Write};

/// Positions of a later epoch are greater than those of every earlier one.
const EPOCH_BITS: u32 = 40;

impl Nodes {
    /// The node to which an attempt of a call goes now, if it reaches any.
    pub(in crate::system) fn route(
        &mut self,
        cx: &mut Context<'_>,
        edge: EdgeId,
        call: Handle,
    ) -> Option<NodeId> {
        let edge = cx.core.program().edge(edge);
        let leader = self.leaders[edge.target.0 as usize];
        let Some(near) = cx.core.data_condition(edge.target).cut_off else {
            return Some(leader);
        };
        let process = cx.calls.get(call).map_or(0, |call| call.process);
        if cx.is_near(edge.caller, process, near) {
            return Some(edge.target);
        }
        (leader != edge.target).then_some(leader)
    }

    /// The connections of all callers to an instance of a node break, or to all of them; also those
    /// to a database for which it leads.
    pub(in crate::system) fn break_connections(
        &mut self,
        cx: &mut Context<'_>,
        node: NodeId,
        instance: Option<u32>,
    ) {
        let leaders = &self.leaders;
        let leads = |target: NodeId| target == node || leaders[target.0 as usize] == node;
        cx.calls.break_connections(cx.core.program(), leads, instance);
    }

    /// A replica becomes the leader, with what it has applied and no more.
    pub(in crate::system) fn promote(
        &mut self,
        cx: &mut Context<'_>,
        database: NodeId,
        replica: NodeId,
    ) {
        if self.leaders[database.0 as usize] != database {
            return;
        }
        let promoted = self.replica(replica);
        promoted.pending.fill_gaps(&mut promoted.store);
        let applied = promoted.store.position;
        let mut lost = promoted.pending.clear();
        let old = self.store(database);
        let without_late = |&event: &OutboxEvent| OutboxEvent {
            is_lost: event.is_lost || event.position > applied,
            ..event
        };
        let outbox = old.outbox.iter().map(without_late).collect();
        let answered = old.idempotency.iter().filter(|(_, (_, position))| *position <= applied);
        let idempotency = answered.map(|(&key, &answer)| (key, answer)).collect();
        let (sent, marked) = (old.sent, old.marked.clone());
        let epoch = (old.position >> EPOCH_BITS) + 1;
        lost.extend(old.begin_log());
        let store = self.store(replica);
        (store.outbox, store.idempotency) = (outbox, idempotency);
        (store.sent, store.marked) = (sent, marked);
        store.position = epoch << EPOCH_BITS;
        store.begin_log();
        cx.tell_lost(database, &lost);
        self.leaders[database.0 as usize] = replica;
        self.break_connections(cx, database, None);
        self.begin_flushing(cx, replica);
        self.follow_leader(cx, database, replica);
    }

    /// The other replicas copy a new leader.
    fn follow_leader(&mut self, cx: &mut Context<'_>, database: NodeId, leader: NodeId) {
        let rules = cx.database_rules(database);
        for &id in rules.replicas.iter().filter(|&&id| id != leader) {
            let store = self.store(leader);
            let (tables, position) = (store.tables.clone(), store.position);
            let replica = self.replica(id);
            replica.pending.clear();
            (replica.store.tables, replica.store.position) = (tables, position);
            replica.has_other_rows = true;
        }
    }

    /// The old primary is back: it copies the leader and leads again.
    pub(in crate::system) fn rejoin(
        &mut self,
        cx: &mut Context<'_>,
        database: NodeId,
        replica: NodeId,
    ) {
        if self.leaders[database.0 as usize] != replica {
            return;
        }
        // What is copied is on two disks.
        self.flush_now(cx, replica);
        self.replica(replica).has_other_rows = true;
        let state = self.store(replica).clone();
        let old = self.store(database);
        let discarded = old.begin_log();
        let own: Vec<OutboxEvent> = old.outbox.iter().skip(state.outbox.len()).copied().collect();
        old.copy(&state);
        old.outbox.extend(own.iter().map(|&event| OutboxEvent { is_lost: true, ..event }));
        cx.tell_lost(database, &discarded);
        self.leaders[database.0 as usize] = database;
        self.break_connections(cx, database, None);
    }

    /// A share of the rows of a replica or cache falls back by one version; says how many.
    pub(in crate::system) fn corrupt(
        &mut self,
        cx: &mut Context<'_>,
        node: NodeId,
        share: Probability,
    ) -> u64 {
        let rows = match cx.core.program().node(node).kind {
            Kind::Cache(_) => self.corrupt_cache(cx, node, share),
            _ => self.corrupt_replica(cx, node, share),
        };
        cx.core.tell(Fact::Corrupted { node, rows });
        rows
    }

    fn corrupt_replica(&mut self, cx: &mut Context<'_>, node: NodeId, share: Probability) -> u64 {
        let site = cx.core.program().node(node).id;
        let mut tables = std::mem::take(&mut self.store(node).tables);
        let mut count = 0;
        for (table, number, row) in tables.iter_mut() {
            let draw = cx.core.draw(Purpose::Fault, site, number, table.0);
            let had = version(row.value);
            if had > 1 && share.happens(draw) {
                row.value -= 1 << 32;
                count += 1;
                cx.core.tell(Fact::FellBack { node, table, row: number, version: had });
            }
        }
        self.store(node).tables = tables;
        count
    }
}

impl Context<'_> {
    /// The database that a node is, or that it follows.
    pub(in crate::system) fn database_of(&self, node: NodeId) -> NodeId {
        match self.core.program().node(node).kind {
            Kind::Replica(ref replica) => replica.of,
            _ => node,
        }
    }

    /// Whether the answer of a node reaches the process that called.
    pub(in crate::system) fn reaches_caller(
        &mut self,
        node: NodeId,
        edge: EdgeId,
        call: Handle,
    ) -> bool {
        let Some(near) = self.core.data_condition(node).cut_off else { return true };
        let edge = self.core.program().edge(edge);
        let process = self.calls.get(call).map(|call| call.process);
        process.is_some_and(|process| self.is_near(edge.caller, process, near))
    }

    /// Whether a process is on the side of a primary that is cut off from the rest.
    fn is_near(&mut self, caller: NodeId, process: u32, near: Probability) -> bool {
        let site = self.core.program().node(caller).id;
        near.happens(self.core.draw(Purpose::Fault, site, u64::from(process), 0))
    }

    /// Whether a node that does not lead may write all the same.
    pub(in crate::system) fn accepts_stale_epoch(
        &mut self,
        database: NodeId,
        node: NodeId,
        order: u64,
    ) -> bool {
        let rules = self.database_rules(database);
        // A replica that leads no longer knows that it is one.
        let accepted = node == database && !rules.fencing;
        self.core.tell(Fact::StaleEpoch { database, order, accepted });
        accepted
    }

    /// Tells that committed transactions are gone.
    fn tell_lost(&mut self, database: NodeId, lost: &[(Commit, Vec<Write>)]) {
        for (Commit { position, order, .. }, writes) in lost {
            let (position, order) = (*position, *order);
            self.core.tell(Fact::CommitLost { database, position, order });
            for &(table, row, value) in writes {
                let (version, state) = (version(value), state(value));
                self.core.tell(Fact::WriteLost { table, row, order, state, version, position });
            }
        }
    }
}

impl Nodes {
    /// Sends an attempt to the node that it calls.
    pub(in crate::system) fn send_request(&mut self, cx: &mut Context<'_>, mut message: Message) {
        let Message::Request { call, edge, target, connection, .. } = &mut message else {
            unreachable!("{message:?} is no request")
        };
        let (call, edge, first) = (*call, *edge, *target);
        let is_new = connection.is_some_and(|it| it.is_new);
        let Some(to) = self.route(cx, edge, call) else {
            return cx.network.lose(&mut cx.core, first, &message);
        };
        *target = to;
        if is_new {
            cx.core.tell(Fact::Connected(edge));
        }
        let caller = cx.core.program().edge(edge).caller;
        cx.network.send(&mut cx.core, caller, to, Direction::Request, &message);
    }
}
