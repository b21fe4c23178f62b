//! Replicas: they apply the transactions of a database late, in the order of its log or not.

mod pending;

use std::collections::BTreeSet;

use crate::kernel::draw::Purpose;
use crate::kernel::slab::Handle;
use crate::kernel::time::{Span, Time};
use crate::model::program::{self, NodeId, Program, TableId, Wait};
use crate::policy::Outcome;
use crate::system::context::Context;
use crate::system::control::Action;
use crate::system::event::Event;
use crate::system::fact::Fact;
use crate::system::job::{Progress, Subject, is_of_table, version};
use crate::system::node::database::{Commit, Database, Write};
use crate::system::node::parked::Parked;
use crate::system::node::{Local, Nodes};
use pending::Pending;

/// What a replica keeps.
#[derive(Clone, Debug)]
pub(in crate::system) struct Replica {
    /// What it has of its database. Its outbox and its answers count only if it leads.
    pub(in crate::system) store: Database,
    /// Transactions on their way.
    pub(in crate::system) pending: Box<Pending>,
    /// Reads that wait until a row has at least some version.
    waiting: Parked<(TableId, u64, u64)>,
    /// Whether rows have come otherwise than from the log since such reads were woken.
    pub(in crate::system) has_other_rows: bool,
}

/// What a user was told: it travels with the user's requests, so it is kept once instead.
#[derive(Clone, Debug)]
pub(in crate::system) struct Session {
    /// The newest version of each table's row that the user was told of.
    told: Vec<(TableId, u64)>,
    /// When it was told of something new for the last time.
    since: Time,
}

impl Replica {
    pub(in crate::system) fn new(program: &Program, rules: &program::Replica) -> Replica {
        Replica {
            store: Database::new(program),
            pending: Box::new(Pending::new(rules.preserves_commit_order)),
            waiting: Parked::default(),
            has_other_rows: false,
        }
    }
}

impl Nodes {
    pub(in crate::system) fn replica(&mut self, node: NodeId) -> &mut Replica {
        match &mut self.locals[node.0 as usize] {
            Local::Replica(replica) => replica,
            other => unreachable!("only replicas follow a database, not {other:?}"),
        }
    }

    /// Sends a transaction to every replica.
    pub(in crate::system) fn replicate_later(
        &mut self,
        cx: &mut Context<'_>,
        from: NodeId,
        commit: Commit,
        writes: &[Write],
    ) {
        let program = cx.core.program();
        let database = cx.database_of(from);
        let rules = cx.database_rules(database);
        for &id in rules.replicas.iter().filter(|&&id| id != from) {
            let rules = cx.replica_rules(id);
            let draw = cx.core.draw(Purpose::Lag, program.node(id).id, commit.key, 0);
            let added = cx.core.data_condition(id).added_lag;
            if added > Span::ZERO {
                cx.core.fired(
                    Some(commit.order),
                    |act| matches!(*act, Action::ReplicaLag { node, .. } if node == id),
                );
            }
            let at = cx.core.now() + rules.lag.sample(draw) + added;
            let due = self.replica(id).pending.push(commit, writes, at);
            cx.core.schedule(due, Event::Replicate(id));
        }
    }

    /// A replica applies the transactions that are due, unless it is stopped or cut off.
    pub(in crate::system) fn replicate(&mut self, cx: &mut Context<'_>, node: NodeId) {
        let database = cx.database_of(node);
        let is_cut_off = cx.core.data_condition(database).cut_off.is_some()
            && self.leaders[database.0 as usize] == database;
        let is_stopped = cx.core.data_condition(node).is_stopped;
        if is_cut_off || is_stopped || cx.fleet.is_stopped(node, cx.core.now()) {
            return cx.core.fired(None, |act| match *act {
                Action::StopReplica { node: stopped } => stopped == node,
                Action::CutOff { node: cut, .. } => is_cut_off && cut == database,
                _ => false,
            });
        }
        let now = cx.core.now();
        let leads = self.leads(cx, node);
        let replica = self.replica(node);
        let is_awaited = !replica.waiting.is_empty();
        let mut written = BTreeSet::new();
        replica.pending.apply(now, &mut replica.store, |table, row| {
            if is_awaited {
                written.insert((table, row));
            }
        });
        let looks_at_all = std::mem::take(&mut replica.has_other_rows) || leads;
        if is_awaited {
            self.wake_readers(cx, node, if looks_at_all { None } else { Some(&written) });
        }
        self.wake_committers(cx, database, node);
    }

    /// A replica has died: it keeps what it has applied, and nobody waits there any more.
    pub(in crate::system) fn lose_readers(&mut self, cx: &mut Context<'_>, node: NodeId) {
        self.replica(node).waiting.clear();
        if self.leads(cx, node) {
            self.lose_log(cx, node);
        }
    }

    /// Lets the reads go on whose row has been applied: one of these, or any.
    fn wake_readers(
        &mut self,
        cx: &mut Context<'_>,
        node: NodeId,
        written: Option<&BTreeSet<(TableId, u64)>>,
    ) {
        let Replica { store, waiting, .. } = self.replica(node);
        let applied = |table, row| version(store.tables.get(table, row).value);
        let ready = match written {
            Some(rows) => waiting.waiting_for(
                rows.iter()
                    .map(|&(table, row)| (table, row, 0)..=(table, row, applied(table, row))),
            ),
            None => waiting.those(|(table, row, wanted)| applied(table, row) >= wanted),
        };
        ready.into_iter().for_each(|job| cx.jobs.wake(&mut cx.core, job));
    }

    /// Lets the transactions go on that wait for this replica.
    fn wake_committers(&mut self, cx: &mut Context<'_>, database: NodeId, replica: NodeId) {
        let leader = self.leaders[database.0 as usize];
        let applied = self.store(replica).position;
        let store = self.store(leader);
        store.is_alone &= applied < store.position;
        if store.unreplicated.is_empty() {
            return;
        }
        let ready = store.unreplicated.waiting_for([0..=applied]);
        ready.into_iter().for_each(|job| cx.jobs.wake(&mut cx.core, job));
    }

    /// Lets a read wait until its replica shows what the user was told of.
    pub(in crate::system) fn await_applied(
        &mut self,
        cx: &mut Context<'_>,
        handle: Handle,
        wait: Wait,
    ) -> Progress {
        let job = cx.jobs.at(handle);
        let (node, brought, subject) = (job.node, job.value, job.subject);
        let (table, row) = (wait.table, cx.row_of_job(wait.table, &subject));
        let wanted = self.told(table, brought, &subject);
        let replica = self.replica(node);
        let is_applied = version(replica.store.tables.get(table, row).value) >= wanted;
        match replica.waiting.leave(handle) {
            None if is_applied => Progress::GoesOn,
            None => {
                replica.waiting.wait(handle, (table, row, wanted));
                cx.jobs.park(&mut cx.core, handle, wait.timeout);
                Progress::Repeats
            }
            Some(_) => {
                cx.core.tell(Fact::WaitedForReplica { replica: node, in_time: is_applied });
                let goes_on = is_applied || wait.takes_stale;
                if goes_on { Progress::GoesOn } else { Progress::Ends(Outcome::Failed) }
            }
        }
    }

    /// Lets a transaction wait until a replica has applied it.
    pub(in crate::system) fn await_replica(
        &mut self,
        cx: &mut Context<'_>,
        handle: Handle,
        timeout: Span,
    ) -> Progress {
        let job = cx.jobs.at(handle);
        let node = job.node;
        let database = cx.database_of(node);
        let rules = cx.database_rules(database);
        let others = rules.replicas.iter().filter(|&&id| id != node);
        let applied = others.map(|&id| self.applied(id)).max();
        let store = self.store(node);
        let last = store.position;
        match store.unreplicated.leave(handle) {
            None if store.is_alone || applied.is_none_or(|applied| applied >= last) => {
                Progress::GoesOn
            }
            None => {
                store.unreplicated.wait(handle, last);
                cx.jobs.park(&mut cx.core, handle, timeout);
                Progress::Repeats
            }
            Some(position) => {
                if applied.is_none_or(|applied| applied < position) {
                    store.is_alone = true;
                    cx.core.tell(Fact::AnsweredAlone(database));
                }
                Progress::GoesOn
            }
        }
    }

    /// The position up to which a replica has applied its database's log.
    fn applied(&self, node: NodeId) -> u64 {
        match &self.locals[node.0 as usize] {
            Local::Replica(replica) => replica.store.position,
            _ => 0,
        }
    }

    /// Notes what a user was told, if it is newer than what the user knew.
    pub(in crate::system) fn note_told(
        &mut self,
        cx: &mut Context<'_>,
        order: u64,
        table: TableId,
        version: u64,
    ) {
        let now = cx.core.now();
        let new = || Session { told: Vec::new(), since: now };
        let session = self.sessions.entry(order).or_insert_with(new);
        match session.told.iter_mut().find(|(told, _)| *told == table) {
            Some((_, told)) if *told >= version => return,
            Some((_, told)) => *told = version,
            None => session.told.push((table, version)),
        }
        session.since = now;
    }

    /// The version of a row that a user was told of, or that the handler has just seen.
    fn told(&self, table: TableId, brought: u64, subject: &Subject) -> u64 {
        let told = self.sessions.get(&subject.order).map_or(&[][..], |session| &session.told);
        let told = told.iter().find(|(told, _)| *told == table).map_or(0, |&(_, version)| version);
        if is_of_table(brought, table) { told.max(version(brought)) } else { told }
    }

    /// Whether a user was told of something new within this time.
    pub(in crate::system) fn was_told_within(
        &self,
        cx: &Context<'_>,
        order: u64,
        span: Span,
    ) -> bool {
        let session = self.sessions.get(&order);
        session.is_some_and(|session| cx.core.now() < session.since + span)
    }
}
