//! The log of a database and its disk: what a crash keeps.
//!
//! A flush makes everything durable that was committed before it. A crash undoes exactly the rest:
//! rows, events of the outbox and their marks, and answers that idempotency keys had got. Replicas
//! are sent a transaction when it is on disk, so none of them knows more than its database.
//!
//! A replica that leads has a log as well. What a replaced primary writes reaches no replica: it
//! stays in its log until the primary comes back, and is lost then.

use std::collections::BTreeSet;

use super::{Commit, Database, Row, Write};
use crate::kernel::slab::Handle;
use crate::kernel::time::Span;
use crate::model::language::Flush;
use crate::model::program::{Kind, NodeId, TableId, TransactionId};
use crate::system::context::Context;
use crate::system::control::Action;
use crate::system::event::Event;
use crate::system::fact::Fact;
use crate::system::node::Nodes;
use crate::system::node::lock::Locks;

/// What of a log is not on disk yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    /// The position of the last transaction on disk.
    flushed: u64,
    /// How to undo what was done since, latest last.
    undo: Vec<Undo>,
    /// Transactions that replicas have not been sent, with the rows that they wrote.
    unsent: Vec<(Commit, Vec<Write>)>,
    /// Transactions that wait for the next flush before they are applied.
    waiting: Vec<Handle>,
    /// Whether a regular flush is to come.
    is_flushed: bool,
}

/// How one change is undone.
#[derive(Clone, Debug)]
pub(super) enum Undo {
    /// This is how the row was.
    Row(TableId, u64, Row),
    /// The event at this place of the outbox was not there.
    Event(usize),
    /// These events of the outbox were marked as sent: all before the first, and these.
    Marks(usize, BTreeSet<u64>),
    /// No transaction of this kind had been made.
    Answer(TransactionId, u64),
}

impl Log {
    /// Keeps in mind how to undo a change of a database that is flushed now and then.
    pub(super) fn note(&mut self, flush: Flush, undo: Undo) {
        if matches!(flush, Flush::Every(_)) {
            self.undo.push(undo);
        }
    }
}

impl Database {
    /// Goes back to what is on disk; returns how many transactions are undone.
    fn forget_unflushed(&mut self) -> u64 {
        for undo in std::mem::take(&mut self.log.undo).into_iter().rev() {
            match undo {
                Undo::Row(table, row, before) => {
                    self.tables.set(table, row, before.value, before.written);
                }
                Undo::Event(place) => self.outbox[place].is_lost = true,
                Undo::Marks(sent, marked) => (self.sent, self.marked) = (sent, marked),
                Undo::Answer(transaction, token) => {
                    self.idempotency.remove(&(transaction, token));
                }
            }
        }
        self.log.waiting.clear();
        self.unreplicated.clear();
        self.is_alone = false;
        let undone = self.position - self.log.flushed;
        self.position = self.log.flushed;
        undone
    }

    /// Lets the log begin anew: all that is here is on disk. Returns what replicas had not been
    /// sent. Who waits for a flush goes on waiting.
    pub(in crate::system) fn begin_log(&mut self) -> Vec<(Commit, Vec<Write>)> {
        self.log.flushed = self.position;
        self.log.undo.clear();
        std::mem::take(&mut self.log.unsent)
    }

    /// Becomes what another database is; who waits here goes on waiting here.
    pub(in crate::system) fn copy(&mut self, other: &Database) {
        let unreplicated = std::mem::take(&mut self.unreplicated);
        let waiting = std::mem::take(&mut self.log.waiting);
        let is_flushed = self.log.is_flushed;
        *self = other.clone();
        self.unreplicated = unreplicated;
        self.log = Log { flushed: self.position, waiting, is_flushed, ..Log::default() };
    }
}

impl Nodes {
    /// Whether what is committed at a node holds.
    pub(in crate::system) fn leads(&self, cx: &Context<'_>, node: NodeId) -> bool {
        self.leaders[cx.database_of(node).0 as usize] == node
    }

    /// Keeps in mind which events of the outbox are marked before others are.
    pub(in crate::system) fn note_marks(&mut self, cx: &mut Context<'_>, node: NodeId) {
        let flush = cx.flush_of(node);
        let store = self.store(node);
        if let Flush::Every(_) = flush {
            let undo = Undo::Marks(store.sent, store.marked.clone());
            store.log.note(flush, undo);
        }
    }

    /// A transaction has been applied: it is on disk already, or will be at the next flush.
    pub(super) fn logged(
        &mut self,
        cx: &mut Context<'_>,
        node: NodeId,
        commit: Commit,
        writes: &[Write],
    ) {
        let flush = cx.flush_of(node);
        let leads = self.leads(cx, node);
        let log = &mut self.store(node).log;
        let is_on_disk = !matches!(flush, Flush::Every(_));
        if is_on_disk {
            log.flushed = commit.position;
        }
        if !leads || !is_on_disk {
            return log.unsent.push((commit, writes.to_vec()));
        }
        self.replicate_later(cx, node, commit, writes);
        let database = cx.database_of(node);
        cx.core.tell(Fact::Flushed { database, position: commit.position });
    }

    /// Lets a log be flushed now and then from now on, if that is the rule.
    pub(in crate::system) fn begin_flushing(&mut self, cx: &mut Context<'_>, node: NodeId) {
        if let Flush::Every(span) = cx.flush_of(node)
            && !std::mem::replace(&mut self.store(node).log.is_flushed, true)
        {
            cx.flush_later(node, span);
        }
    }

    /// Writes the log to disk.
    pub(in crate::system) fn flush(&mut self, cx: &mut Context<'_>, node: NodeId) {
        let flush = cx.flush_of(node);
        if let Flush::Every(span) = flush {
            cx.flush_later(node, span);
            if !cx.core.node_condition(node).disk_full {
                self.flush_now(cx, node);
            }
        }
        for job in std::mem::take(&mut self.store(node).log.waiting) {
            cx.jobs.make_ready(job);
        }
    }

    /// Makes everything durable that was committed at a node. Of what does not hold nobody hears.
    pub(in crate::system) fn flush_now(&mut self, cx: &mut Context<'_>, node: NodeId) {
        let leads = self.leads(cx, node);
        let store = self.store(node);
        let position = store.position;
        if !leads {
            store.log.flushed = position;
            return store.log.undo.clear();
        }
        for (commit, writes) in store.begin_log() {
            self.replicate_later(cx, node, commit, &writes);
        }
        let database = cx.database_of(node);
        cx.core.tell(Fact::Flushed { database, position });
    }

    /// Lets a transaction wait for the next flush; the first that waits says when that is.
    pub(super) fn await_flush(&mut self, cx: &mut Context<'_>, handle: Handle) {
        let job = cx.jobs.at(handle);
        let node = job.node;
        let log = &mut self.store(node).log;
        log.waiting.push(handle);
        let is_first = log.waiting.len() == 1;
        if let Flush::Group(span) = cx.flush_of(node)
            && is_first
        {
            cx.flush_later(node, span);
        }
    }

    /// A database has died, or a replica that led: what was not flushed has not happened.
    pub(in crate::system) fn lose_log(&mut self, cx: &mut Context<'_>, node: NodeId) {
        let leads = self.leads(cx, node);
        let store = self.store(node);
        store.locks = Locks::default();
        let transactions = store.forget_unflushed();
        let after = store.position;
        if leads {
            store.log.unsent.clear();
            let database = cx.database_of(node);
            cx.core.tell(Fact::LogLost { database, after, transactions });
        }
    }
}

impl Context<'_> {
    pub(super) fn flush_of(&self, node: NodeId) -> Flush {
        match &self.core.program().node(self.database_of(node)).kind {
            Kind::Database(rules) => rules.flush,
            other => unreachable!("only databases have a log, not {other:?}"),
        }
    }

    fn flush_later(&mut self, node: NodeId, span: Span) {
        self.core.schedule(self.core.now() + span, Event::Flush(node));
    }

    /// Whether a transaction fails because nothing more can be written.
    pub(super) fn finds_disk_full(&mut self, handle: Handle) -> bool {
        let job = self.jobs.at(handle);
        let (node, order) = (job.node, job.subject.order);
        let about = job.order(self.core.program());
        let is_full = self.core.node_condition(node).disk_full;
        if is_full {
            self.core.fired(
                about,
                |act| matches!(*act, Action::DiskFull { node: full } if full == node),
            );
            self.core.tell(Fact::Failed { node, order, after_effect: false });
        }
        is_full
    }
}
