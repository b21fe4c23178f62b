//! Databases: transactions over versioned rows, an outbox, and a log.

use std::collections::BTreeMap;

use super::fact::{Fact, Observer};
use super::job::{Subject, pack, version};
use super::{Event, Local, World};
use crate::kernel::draw::key_of;
use crate::kernel::slab::Handle;
use crate::kernel::time::Time;
use crate::model::language::Rows;
use crate::model::program::{self, Kind, NodeId, Program, TableId, TransactionId};
use crate::policy::Outcome;

/// What a database keeps; also what a replica has of it.
#[derive(Clone, Debug)]
pub(super) struct Database {
    pub(super) tables: Tables,
    /// What was answered to the first transaction of each (kind, token), and its position.
    pub(super) idempotency: BTreeMap<(TransactionId, u64), (u64, u64)>,
    pub(super) outbox: Vec<OutboxEvent>,
    /// How many events of the outbox are marked as sent: all before this one.
    pub(super) sent: usize,
    /// The position of the last transaction in the log.
    pub(super) position: u64,
    /// Transactions that wait for a replica: their positions and jobs.
    pub(super) unreplicated: Vec<(u64, Handle)>,
    /// Whether no replica was in time: then nothing waits until one has caught up.
    pub(super) is_alone: bool,
    /// The rows of the transaction that is being applied.
    writes: Vec<Write>,
}

/// An event in the outbox table.
#[derive(Clone, Copy, Debug)]
pub(super) struct OutboxEvent {
    pub(super) subject: Subject,
    pub(super) key: u64,
    /// The position of its transaction.
    pub(super) position: u64,
    /// Whether a failover has undone it; its place stays, because relays count.
    pub(super) is_lost: bool,
}

/// The rows of every table.
#[derive(Clone, Debug, Default)]
pub(super) struct Tables(Vec<Vec<Row>>);

/// A row: its packed version and state, and when that was committed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Row {
    pub(super) value: u64,
    pub(super) written: Time,
}

/// A row that a transaction wrote: its table, its number, its packed version and state.
pub(super) type Write = (TableId, u64, u64);

impl Tables {
    pub(super) fn new(program: &Program) -> Tables {
        Tables(vec![Vec::new(); program.tables.len()])
    }

    pub(super) fn get(&self, table: TableId, row: u64) -> Row {
        self.0[table.0 as usize].get(row as usize).copied().unwrap_or_default()
    }

    pub(super) fn set(&mut self, table: TableId, row: u64, value: u64, written: Time) {
        let rows = &mut self.0[table.0 as usize];
        let index = row as usize;
        if rows.len() <= index {
            rows.resize(index + 1, Row::default());
        }
        rows[index] = Row { value, written };
    }

    /// Every row that was written, with its table and number.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (TableId, u64, &mut Row)> {
        self.0.iter_mut().enumerate().flat_map(|(table, rows)| {
            let rows = rows.iter_mut().enumerate().filter(|(_, row)| row.value != 0);
            rows.map(move |(number, row)| (TableId(table as u16), number as u64, row))
        })
    }
}

impl Database {
    pub(super) fn new(program: &Program) -> Database {
        Database {
            tables: Tables::new(program),
            idempotency: BTreeMap::new(),
            outbox: Vec::new(),
            sent: 0,
            position: 0,
            unreplicated: Vec::new(),
            is_alone: false,
            writes: Vec::new(),
        }
    }

    /// The order and due time of every event that is not marked as sent.
    pub(super) fn unsent(&self) -> Vec<(u64, Time)> {
        let unsent = self.outbox[self.sent..].iter().filter(|event| !event.is_lost);
        unsent.map(|event| (event.subject.order, event.subject.since)).collect()
    }
}

/// The row of a table that work is about.
fn row_of(program: &Program, table: TableId, subject: &Subject) -> u64 {
    match program.tables[table.0 as usize].rows {
        Rows::Order => subject.order,
        Rows::Key => subject.key,
    }
}

impl<O: Observer> World<'_, O> {
    /// What a database keeps, or a replica that may have taken its place.
    pub(super) fn store(&mut self, node: NodeId) -> &mut Database {
        match &mut self.locals[node.0 as usize] {
            Local::Database(database) => database,
            Local::Replica(replica) => &mut replica.store,
            other => unreachable!("rows are kept by databases and replicas, not by {other:?}"),
        }
    }

    /// Applies a transaction: all of it at this instant. If it is refused, the outcome says why.
    pub(super) fn commit(&mut self, handle: Handle, id: TransactionId) -> Option<Outcome> {
        let program = self.program;
        let job = self.jobs.get(handle)?;
        let (node, subject, key, token) = (job.node, job.subject, job.key, job.token);
        let database = self.database_of(node);
        if self.leaders[database.0 as usize] != node && !self.accepts_stale_epoch(database, node) {
            return Some(Outcome::Failed);
        }
        let transaction = &program.transactions[id.0 as usize];
        if token != 0
            && let Some(&(answer, _)) = self.store(node).idempotency.get(&(id, token))
        {
            self.set_value(handle, answer);
            self.tell(Fact::Repeated { database, order: subject.order });
            return None;
        }
        if let Some(table) = transaction.after_read_of
            && self.has_changed(handle, table)
        {
            if transaction.if_unchanged {
                self.tell(Fact::Conflict { database, order: subject.order });
                return Some(Outcome::Conflict);
            }
            self.tell(Fact::UpdateLost { database, order: subject.order });
        }
        let now = self.now;
        let store = self.store(node);
        store.position += 1;
        let position = store.position;
        let mut writes = std::mem::take(&mut store.writes);
        writes.clear();
        for &(table, state) in &transaction.writes {
            let row = row_of(program, table, &subject);
            let store = self.store(node);
            let version = version(store.tables.get(table, row).value) + 1;
            let value = pack(version, table, state);
            store.tables.set(table, row, value, now);
            writes.push((table, row, value));
            let order = subject.order;
            self.tell(Fact::Committed { table, row, order, state, version, position });
        }
        for (number, &event) in transaction.events.iter().enumerate() {
            let subject = Subject { since: now, ..subject };
            let key = key_of(key, number as u64);
            self.store(node).outbox.push(OutboxEvent { subject, key, position, is_lost: false });
            self.tell(Fact::Outboxed { event, order: subject.order });
        }
        for &entry in &transaction.audits {
            self.tell(Fact::Audited { entry, order: subject.order });
        }
        let answer = writes.first().map_or(0, |&(_, _, value)| value);
        self.set_value(handle, answer);
        if token != 0 {
            self.store(node).idempotency.insert((id, token), (answer, position));
        }
        self.replicate_later(node, key, subject.order, &writes);
        self.store(node).writes = writes;
        if let Kind::Database(rules) = &program.node(database).kind
            && rules.flush_every.is_none()
        {
            self.tell(Fact::Flushed { database, position });
        }
        None
    }

    /// Whether a row has another version than the one that the job brings.
    fn has_changed(&mut self, handle: Handle, table: TableId) -> bool {
        let Some(job) = self.jobs.get(handle) else { return false };
        let (node, read) = (job.node, job.value);
        let row = row_of(self.program, table, &job.subject);
        version(self.store(node).tables.get(table, row).value) != version(read)
    }

    /// Writes the log to disk, and does so again later.
    pub(super) fn flush(&mut self, node: NodeId) {
        let leader = self.leaders[node.0 as usize];
        let position = self.store(leader).position;
        self.tell(Fact::Flushed { database: node, position });
        if let Kind::Database(program::Database { flush_every: Some(span), .. }) =
            self.program.node(node).kind
        {
            self.events.schedule(self.now + span, Event::Flush(node));
        }
    }

    /// Reads the row that the job is about.
    pub(super) fn read_row(&mut self, handle: Handle, table: TableId) {
        let Some(job) = self.jobs.get(handle) else { return };
        let node = job.node;
        let row = row_of(self.program, table, &job.subject);
        let value = self.store(node).tables.get(table, row).value;
        self.set_value(handle, value);
        self.tell_read(node, table, row, value);
    }

    /// Tells what was read of a row, and what could have been read.
    pub(super) fn tell_read(&mut self, node: NodeId, table: TableId, row: u64, value: u64) {
        let database = self.program.tables[table.0 as usize].database;
        let leader = self.leaders[database.0 as usize];
        let newest = self.store(leader).tables.get(table, row);
        let age = self.now.since(newest.written);
        let (seen, newest) = (version(value), version(newest.value));
        self.tell(Fact::Read { node, table, row, seen, newest, age });
    }

    /// Finds the first events that are not marked as sent.
    pub(super) fn take_outbox(&mut self, handle: Handle) {
        let Some(job) = self.jobs.get(handle) else { return };
        let node = job.node;
        let database = self.store(node);
        let (sent, count) = (database.sent as u64, (database.outbox.len() - database.sent) as u64);
        self.set_value(handle, super::outbox::pack_batch(sent, count));
    }

    /// Marks every event before the one that the relay names as sent.
    pub(super) fn mark_outbox(&mut self, handle: Handle) {
        let Some(job) = self.jobs.get(handle) else { return };
        let (node, upto) = (job.node, job.value as usize);
        let database = self.store(node);
        database.sent = database.sent.max(upto.min(database.outbox.len()));
    }

    pub(super) fn set_value(&mut self, handle: Handle, value: u64) {
        if let Some(job) = self.jobs.get_mut(handle) {
            job.value = value;
        }
    }

    /// The row of a table that a job is about.
    pub(super) fn row_of_job(&self, table: TableId, subject: &Subject) -> u64 {
        row_of(self.program, table, subject)
    }
}
