//! Databases: transactions over versioned rows, an outbox, a log, and the replicas that follow it.

mod durability;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use durability::{Log, Undo};

use super::fact::{Fact, Observer};
use super::job::{Subject, pack, version};
use super::{Event, Local, World};
use crate::kernel::draw::{Purpose, key_of};
use crate::kernel::slab::Handle;
use crate::kernel::time::Time;
use crate::model::language::Rows;
use crate::model::program::{Kind, NodeId, Program, TableId, TransactionId};

/// What a database keeps.
#[derive(Debug)]
pub(super) struct Database {
    tables: Tables,
    /// What was answered to the first transaction of each (kind, token).
    idempotency: BTreeMap<(TransactionId, u64), u64>,
    pub(super) outbox: Vec<OutboxEvent>,
    /// How many events of the outbox are marked as sent: all before this one.
    pub(super) sent: usize,
    /// Events behind that one that are marked as sent, out of order.
    pub(super) marked: BTreeSet<u64>,
    /// How many transactions were committed: the position of the last one in the log.
    position: u64,
    log: Log,
    /// The rows of the transaction that is being applied.
    writes: Vec<Write>,
}

/// An event in the outbox table.
#[derive(Clone, Copy, Debug)]
pub(super) struct OutboxEvent {
    pub(super) subject: Subject,
    pub(super) key: u64,
    /// Whether its transaction was lost by a crash: then it is not there.
    pub(super) is_lost: bool,
}

/// The rows of every table: a packed version and state each.
#[derive(Debug)]
struct Tables(Vec<Vec<u64>>);

/// A row that a transaction wrote: its table, its number, its packed version and state.
type Write = (TableId, u64, u64);

/// What a replica keeps.
#[derive(Debug)]
pub(super) struct Replica {
    tables: Tables,
    /// Rows on their way, in commit order.
    pending: VecDeque<Write>,
    /// How many of them each transaction wrote, in commit order.
    sizes: VecDeque<usize>,
    /// When the last of them will be applied.
    last: Time,
}

impl Tables {
    fn new(program: &Program) -> Tables {
        Tables(vec![Vec::new(); program.tables.len()])
    }

    fn get(&self, table: TableId, row: u64) -> u64 {
        self.0[table.0 as usize].get(row as usize).copied().unwrap_or(0)
    }

    fn set(&mut self, table: TableId, row: u64, value: u64) {
        let rows = &mut self.0[table.0 as usize];
        let index = row as usize;
        if rows.len() <= index {
            rows.resize(index + 1, 0);
        }
        rows[index] = value;
    }
}

impl Database {
    pub(super) fn new(program: &Program) -> Database {
        Database {
            tables: Tables::new(program),
            idempotency: BTreeMap::new(),
            outbox: Vec::new(),
            sent: 0,
            marked: BTreeSet::new(),
            position: 0,
            log: Log::default(),
            writes: Vec::new(),
        }
    }

    /// The position of the last transaction in the log.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// The order and due time of every event that is not marked as sent.
    pub(super) fn unsent(&self) -> Vec<(u64, Time)> {
        let rows = self.outbox.iter().enumerate().skip(self.sent);
        let unsent =
            rows.filter(|(row, event)| !event.is_lost && !self.marked.contains(&(*row as u64)));
        unsent.map(|(_, event)| (event.subject.order, event.subject.since)).collect()
    }
}

impl Replica {
    pub(super) fn new(program: &Program) -> Replica {
        Replica {
            tables: Tables::new(program),
            pending: VecDeque::new(),
            sizes: VecDeque::new(),
            last: Time::ZERO,
        }
    }
}

/// The row of a table that work is about.
fn row_of(program: &Program, table: TableId, subject: &Subject) -> u64 {
    match program.tables[table.0 as usize].rows {
        Rows::Order => subject.order,
        Rows::Key => u64::from(subject.key),
    }
}

impl<O: Observer> World<'_, O> {
    pub(super) fn database(&mut self, node: NodeId) -> &mut Database {
        match &mut self.locals[node.0 as usize] {
            Local::Database(database) => database,
            other => unreachable!("transactions go to databases, not to {other:?}"),
        }
    }

    /// Applies a transaction: all of it at this instant.
    pub(super) fn commit(&mut self, handle: Handle, id: TransactionId) {
        let program = self.program;
        let Some(job) = self.jobs.get(handle) else { return };
        let (node, subject, key, token) = (job.node, job.subject, job.key, job.token);
        let transaction = &program.transactions[id.0 as usize];
        if token != 0
            && let Some(&answer) = self.database(node).idempotency.get(&(id, token))
        {
            self.set_value(handle, answer);
            return self.tell(Fact::Repeated { database: node, order: subject.order });
        }
        let flush = self.flush_of(node);
        let database = self.database(node);
        database.position += 1;
        let position = database.position;
        let mut writes = std::mem::take(&mut database.writes);
        writes.clear();
        for &(table, state) in &transaction.writes {
            let row = row_of(program, table, &subject);
            let database = self.database(node);
            let before = database.tables.get(table, row);
            database.log.note(flush, Undo::Row(table, row, before));
            let version = version(before) + 1;
            let value = pack(version, table, state);
            database.tables.set(table, row, value);
            writes.push((table, row, value));
            let order = subject.order;
            self.tell(Fact::Committed { table, row, order, state, version, position });
        }
        for (number, &event) in transaction.events.iter().enumerate() {
            let subject = Subject { since: self.now, ..subject };
            let event_key = key_of(key, number as u64);
            let database = self.database(node);
            database.log.note(flush, Undo::Event(database.outbox.len()));
            database.outbox.push(OutboxEvent { subject, key: event_key, is_lost: false });
            self.tell(Fact::Outboxed { event, order: subject.order });
        }
        if !transaction.events.is_empty() {
            self.wake_followers(node);
        }
        for &entry in &transaction.audits {
            self.tell(Fact::Audited { entry, order: subject.order });
        }
        let answer = writes.first().map_or(0, |&(_, _, value)| value);
        self.set_value(handle, answer);
        if token != 0 {
            let database = self.database(node);
            database.log.note(flush, Undo::Answer(id, token));
            database.idempotency.insert((id, token), answer);
        }
        self.logged(node, key, &writes);
        self.database(node).writes = writes;
    }

    /// Sends a transaction to every replica; each applies them in commit order.
    fn replicate_later(&mut self, node: NodeId, key: u64, writes: &[Write]) {
        let program = self.program;
        let Kind::Database(rules) = &program.node(node).kind else { return };
        for &id in &rules.replicas {
            let Kind::Replica(rules) = &program.node(id).kind else { continue };
            let draw = self.draws.draw(Purpose::Lag, program.node(id).id, key, 0);
            let at = self.now + rules.lag.sample(draw);
            let replica = self.replica(id);
            replica.last = replica.last.max(at);
            replica.pending.extend(writes);
            replica.sizes.push_back(writes.len());
            let at = replica.last;
            self.events.schedule(at, Event::Replicate(id));
        }
    }

    fn replica(&mut self, node: NodeId) -> &mut Replica {
        match &mut self.locals[node.0 as usize] {
            Local::Replica(replica) => replica,
            other => unreachable!("only replicas follow a database, not {other:?}"),
        }
    }

    /// A replica applies the next transaction.
    pub(super) fn replicate(&mut self, node: NodeId) {
        let replica = self.replica(node);
        let size = replica.sizes.pop_front().unwrap_or(0);
        for (table, row, value) in replica.pending.drain(..size) {
            replica.tables.set(table, row, value);
        }
    }

    /// Reads the row that the job is about.
    pub(super) fn read_row(&mut self, handle: Handle, table: TableId) {
        let Some(job) = self.jobs.get(handle) else { return };
        let row = row_of(self.program, table, &job.subject);
        let value = match &self.locals[job.node.0 as usize] {
            Local::Database(database) => database.tables.get(table, row),
            Local::Replica(replica) => replica.tables.get(table, row),
            other => unreachable!("rows are read at databases and replicas, not at {other:?}"),
        };
        self.set_value(handle, value);
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
