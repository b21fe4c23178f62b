//! The log of a database and its disk: what a crash keeps.
//!
//! A flush makes everything durable that was committed before it. A crash undoes exactly the rest:
//! rows, events of the outbox and their marks, and answers that idempotency keys had got. Replicas
//! are sent a transaction when it is on disk, so none of them knows more than its database.

use std::collections::BTreeSet;

use super::{Database, Write};
use crate::kernel::slab::Handle;
use crate::kernel::time::Span;
use crate::model::language::Flush;
use crate::model::program::{Kind, NodeId, TableId, TransactionId};
use crate::system::control::Action;
use crate::system::fact::{Fact, Observer};
use crate::system::{Event, World};

/// What of a log is not on disk yet.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// The position of the last transaction on disk.
    flushed: u64,
    /// How to undo what was done since, latest last.
    undo: Vec<Undo>,
    /// Transactions that replicas have not been sent, each with its key.
    unsent: Vec<(u64, Vec<Write>)>,
    /// Transactions that wait for the next flush before they are applied.
    waiting: Vec<Handle>,
}

/// How one change is undone.
#[derive(Debug)]
pub(super) enum Undo {
    /// The row had this packed version and state.
    Row(TableId, u64, u64),
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
    /// Goes back to what is on disk; returns how many transactions are lost.
    fn forget_unflushed(&mut self) -> u64 {
        for undo in std::mem::take(&mut self.log.undo).into_iter().rev() {
            match undo {
                Undo::Row(table, row, value) => self.tables.set(table, row, value),
                Undo::Event(place) => self.outbox[place].is_lost = true,
                Undo::Marks(sent, marked) => (self.sent, self.marked) = (sent, marked),
                Undo::Answer(transaction, token) => {
                    self.idempotency.remove(&(transaction, token));
                }
            }
        }
        self.log.unsent.clear();
        self.log.waiting.clear();
        let lost = self.position - self.log.flushed;
        self.position = self.log.flushed;
        lost
    }
}

impl<O: Observer> World<'_, O> {
    pub(super) fn flush_of(&self, node: NodeId) -> Flush {
        match &self.program.node(node).kind {
            Kind::Database(rules) => rules.flush,
            other => unreachable!("only databases have a log, not {other:?}"),
        }
    }

    /// Keeps in mind which events of the outbox are marked before others are.
    pub(in crate::system) fn note_marks(&mut self, node: NodeId) {
        let flush = self.flush_of(node);
        let database = self.database(node);
        if let Flush::Every(_) = flush {
            let undo = Undo::Marks(database.sent, database.marked.clone());
            database.log.note(flush, undo);
        }
    }

    /// A transaction has been applied: it is on disk already, or will be at the next flush.
    pub(super) fn logged(&mut self, node: NodeId, key: u64, writes: &[Write]) {
        let flush = self.flush_of(node);
        let database = self.database(node);
        let position = database.position;
        if let Flush::Every(_) = flush {
            database.log.unsent.push((key, writes.to_vec()));
        } else {
            database.log.flushed = position;
            self.replicate_later(node, key, writes);
            self.tell(Fact::Flushed { database: node, position });
        }
    }

    /// Writes the log to disk.
    pub(in crate::system) fn flush(&mut self, node: NodeId) {
        let flush = self.flush_of(node);
        if let Flush::Every(span) = flush {
            self.flush_later(node, span);
            if !self.conditions.nodes[node.0 as usize].disk_full {
                self.flush_now(node);
            }
        }
        for job in std::mem::take(&mut self.database(node).log.waiting) {
            self.ready.push_back(job);
        }
    }

    fn flush_now(&mut self, node: NodeId) {
        let database = self.database(node);
        let position = database.position;
        database.log.flushed = position;
        database.log.undo.clear();
        for (key, writes) in std::mem::take(&mut database.log.unsent) {
            self.replicate_later(node, key, &writes);
        }
        self.tell(Fact::Flushed { database: node, position });
    }

    fn flush_later(&mut self, node: NodeId, span: Span) {
        self.events.schedule(self.now + span, Event::Flush(node));
    }

    /// Lets a transaction wait for the next flush; the first that waits says when that is.
    pub(in crate::system) fn await_flush(&mut self, handle: Handle) {
        let Some(job) = self.jobs.get(handle) else { return };
        let node = job.node;
        let log = &mut self.database(node).log;
        log.waiting.push(handle);
        let is_first = log.waiting.len() == 1;
        if let Flush::Group(span) = self.flush_of(node)
            && is_first
        {
            self.flush_later(node, span);
        }
    }

    /// Whether a transaction fails because nothing more can be written.
    pub(in crate::system) fn finds_disk_full(&mut self, handle: Handle) -> bool {
        let Some(job) = self.jobs.get(handle) else { return false };
        let node = job.node;
        let is_full = self.conditions.nodes[node.0 as usize].disk_full;
        if is_full {
            self.fired(|act| matches!(*act, Action::DiskFull { node: full } if full == node));
            self.tell(Fact::Failed { node, after_effect: false });
        }
        is_full
    }

    /// A database has died: what was not flushed has not happened.
    pub(in crate::system) fn lose_log(&mut self, node: NodeId) {
        let database = self.database(node);
        let transactions = database.forget_unflushed();
        let after = database.position;
        self.tell(Fact::LogLost { database: node, after, transactions });
    }
}

#[cfg(test)]
mod tests;
