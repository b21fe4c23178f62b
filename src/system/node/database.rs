//! Databases: transactions over versioned rows, an outbox, and a log.

mod durability;

use std::collections::{BTreeMap, BTreeSet};

use crate::kernel::draw::key_of;
use crate::kernel::slab::Handle;
use crate::kernel::time::Time;
use crate::model::language::Rows;
use crate::model::program::{
    Change, DataStep, LabelId, NodeId, Program, TableId, Transaction, TransactionId,
};
use crate::policy::{Code, Outcome};
use crate::system::context::Context;
use crate::system::fact::Fact;
use crate::system::job::{Progress, Subject, is_of_table, pack, state, version};
use crate::system::node::lock::Locks;
use crate::system::node::parked::Parked;
use crate::system::node::{Local, Nodes};
use durability::{Log, Undo};

/// What a transaction is answered that takes more from a stock than there is: the row is not in the
/// state that it needs, and trying again does not help.
const SOLD_OUT: Outcome = Outcome::Grpc(Code::FailedPrecondition);

/// What a database keeps; also what a replica has of it.
#[derive(Clone, Debug)]
pub(in crate::system) struct Database {
    pub(in crate::system) tables: Tables,
    /// What was answered to the first transaction of each (kind, token), and its position.
    pub(in crate::system) idempotency: BTreeMap<(TransactionId, u64), (u64, u64)>,
    pub(in crate::system) outbox: Vec<OutboxEvent>,
    /// How many events of the outbox are marked as sent: all before this one.
    pub(in crate::system) sent: usize,
    /// Events behind that one that are marked as sent, out of order.
    pub(in crate::system) marked: BTreeSet<u64>,
    /// The position of the last transaction in the log.
    pub(in crate::system) position: u64,
    log: Log,
    pub(in crate::system) locks: Locks,
    /// Transactions that wait until a replica has their positions.
    pub(in crate::system) unreplicated: Parked<u64>,
    /// Whether no replica was in time: then nothing waits until one has caught up.
    pub(in crate::system) is_alone: bool,
    /// The rows of the transaction that is being applied.
    writes: Vec<Write>,
}

/// An event in the outbox table.
#[derive(Clone, Copy, Debug)]
pub(in crate::system) struct OutboxEvent {
    pub(in crate::system) subject: Subject,
    pub(in crate::system) key: u64,
    /// The position of its transaction.
    pub(in crate::system) position: u64,
    /// Whether a crash or a failover has undone it: then it is not there. Its place stays, because
    /// relays count.
    pub(in crate::system) is_lost: bool,
}

/// The rows of every table.
#[derive(Clone, Debug, Default)]
pub(in crate::system) struct Tables {
    /// The rows up to the last that was written.
    rows: Vec<Vec<Row>>,
    /// How a row of each table is that nobody has written.
    initial: Vec<Row>,
}

/// A row: its packed version and state, and when that was committed.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::system) struct Row {
    pub(in crate::system) value: u64,
    pub(in crate::system) written: Time,
}

/// A transaction that has been applied.
#[derive(Clone, Copy, Debug)]
pub(in crate::system) struct Commit {
    /// Its position in the log.
    pub(in crate::system) position: u64,
    /// The order on whose behalf.
    pub(in crate::system) order: u64,
    /// A stable key of it.
    pub(in crate::system) key: u64,
    /// When it was applied.
    pub(in crate::system) at: Time,
}

/// A row that a transaction wrote: its table, its number, its packed version and state.
pub(in crate::system) type Write = (TableId, u64, u64);

impl Tables {
    pub(in crate::system) fn new(program: &Program) -> Tables {
        let initial = program.tables.iter().zip(0..).map(|(table, id)| {
            let value = table.initial.map_or(0, |state| pack(1, TableId(id), state));
            Row { value, written: Time::ZERO }
        });
        Tables { rows: vec![Vec::new(); program.tables.len()], initial: initial.collect() }
    }

    pub(in crate::system) fn get(&self, table: TableId, row: u64) -> Row {
        let (rows, initial) = (&self.rows[table.0 as usize], self.initial[table.0 as usize]);
        rows.get(row as usize).copied().unwrap_or(initial)
    }

    pub(in crate::system) fn set(&mut self, table: TableId, row: u64, value: u64, written: Time) {
        let (rows, initial) = (&mut self.rows[table.0 as usize], self.initial[table.0 as usize]);
        let index = row as usize;
        if rows.len() <= index {
            rows.resize(index + 1, initial);
        }
        rows[index] = Row { value, written };
    }

    /// Every row that was written, with its table and number.
    pub(in crate::system) fn iter_mut(&mut self) -> impl Iterator<Item = (TableId, u64, &mut Row)> {
        self.rows.iter_mut().enumerate().flat_map(|(table, rows)| {
            let rows = rows.iter_mut().enumerate().filter(|(_, row)| row.value != 0);
            rows.map(move |(number, row)| (TableId(table as u16), number as u64, row))
        })
    }
}

impl Database {
    pub(in crate::system) fn new(program: &Program) -> Database {
        Database {
            tables: Tables::new(program),
            idempotency: BTreeMap::new(),
            outbox: Vec::new(),
            sent: 0,
            marked: BTreeSet::new(),
            position: 0,
            log: Log::default(),
            locks: Locks::default(),
            unreplicated: Parked::default(),
            is_alone: false,
            writes: Vec::new(),
        }
    }

    /// The order and due time of every event that is not marked as sent.
    pub(in crate::system) fn unsent(&self) -> Vec<(u64, Time)> {
        let rows = self.outbox.iter().enumerate().skip(self.sent);
        let unsent =
            rows.filter(|(row, event)| !event.is_lost && !self.marked.contains(&(*row as u64)));
        unsent.map(|(_, event)| (event.subject.order, event.subject.since)).collect()
    }
}

/// The row of a table that work is about.
pub(in crate::system) fn row_of(program: &Program, table: TableId, subject: &Subject) -> u64 {
    match program.tables[table.0 as usize].rows {
        Rows::Order => subject.order,
        Rows::Key => u64::from(subject.key),
        Rows::Subkey => {
            u64::from(subject.key) * u64::from(program.subkeys.max(1)) + u64::from(subject.subkey)
        }
    }
}

impl Nodes {
    /// What a database keeps, or a replica that may have taken its place.
    pub(in crate::system) fn store(&mut self, node: NodeId) -> &mut Database {
        match &mut self.locals[node.0 as usize] {
            Local::Database(database) => database,
            Local::Replica(replica) => &mut replica.store,
            other => unreachable!("rows are kept by databases and replicas, not by {other:?}"),
        }
    }

    pub(in crate::system) fn take_data_step(
        &mut self,
        cx: &mut Context<'_>,
        handle: Handle,
        step: DataStep,
    ) -> Progress {
        match step {
            DataStep::Commit(_) | DataStep::MarkOutbox if cx.finds_disk_full(handle) => {
                return Progress::Ends(Outcome::Failed);
            }
            DataStep::AwaitFlush => {
                self.await_flush(cx, handle);
                return Progress::Waits;
            }
            DataStep::Commit(id) => {
                if let Some(progress) = self.await_rows(cx, handle, id) {
                    return progress;
                }
                let refusal = self.commit(cx, handle, id);
                self.release_committed(cx, handle);
                return refusal.map_or(Progress::GoesOn, Progress::Ends);
            }
            DataStep::AwaitLock(table) => return self.await_lock(cx, handle, table),
            DataStep::AwaitReplica(timeout) => return self.await_replica(cx, handle, timeout),
            DataStep::AwaitApplied(wait) => return self.await_applied(cx, handle, wait),
            DataStep::ReadRow(table) => self.read_row(cx, handle, table),
            DataStep::TakeOutbox => self.take_outbox(cx, handle),
            DataStep::MarkOutbox => self.mark_outbox(cx, handle),
        }
        Progress::GoesOn
    }

    /// Applies a transaction: all of it at this instant. If it is refused, the outcome says why.
    fn commit(
        &mut self,
        cx: &mut Context<'_>,
        handle: Handle,
        id: TransactionId,
    ) -> Option<Outcome> {
        let program = cx.core.program();
        let job = cx.jobs.at(handle);
        let (node, subject, key, token) = (job.node, job.subject, job.key, job.token);
        let database = cx.database_of(node);
        if self.leaders[database.0 as usize] != node
            && !cx.accepts_stale_epoch(database, node, subject.order)
        {
            return Some(Outcome::Failed);
        }
        let transaction = &program.transactions[id.0 as usize];
        if token != 0
            && let Some(&(answer, _)) = self.store(node).idempotency.get(&(id, token))
        {
            cx.jobs.at_mut(handle).value = answer;
            if answer != 0 {
                self.note_row(cx, handle, TableId((answer >> 16) as u16), version(answer), true);
            }
            cx.core.tell(Fact::Repeated { database, order: subject.order });
            return None;
        }
        if self.has_lost_lock(cx, handle, transaction) {
            cx.core.tell(Fact::Conflict { database, order: subject.order });
            return Some(Outcome::Conflict);
        }
        for (table, read) in self.known_rows(cx, handle, transaction) {
            let order = subject.order;
            let is_lost = self.has_changed(cx, handle, table, read);
            if is_lost && transaction.if_unchanged == Some(table) {
                cx.core.tell(Fact::Conflict { database, order });
                return Some(Outcome::Conflict);
            }
            if transaction.overwrites.contains(&table) {
                cx.core.tell(Fact::Overwrote { table, order, is_lost });
            }
        }
        let Some(numbers) = self.numbers_after(cx, handle, transaction) else {
            return Some(SOLD_OUT);
        };
        let store = self.store(node);
        store.position += 1;
        let position = store.position;
        let writes = self.write_rows(cx, handle, transaction, &numbers, position);
        self.put_events(cx, handle, transaction, position);
        for &entry in &transaction.audits {
            cx.core.tell(Fact::Audited { entry, order: subject.order, database, position });
        }
        let answer = writes.first().map_or(0, |&(_, _, value)| value);
        cx.jobs.at_mut(handle).value = answer;
        if token != 0 {
            let flush = cx.flush_of(node);
            let store = self.store(node);
            store.log.note(flush, Undo::Answer(id, token));
            store.idempotency.insert((id, token), (answer, position));
        }
        let commit = Commit { position, order: subject.order, key, at: cx.core.now() };
        self.logged(cx, node, commit, &writes);
        self.store(node).writes = writes;
        None
    }

    /// The numbers to which a job's transaction brings rows; `None` if one would be less than 0.
    fn numbers_after(
        &mut self,
        cx: &mut Context<'_>,
        handle: Handle,
        transaction: &Transaction,
    ) -> Option<Vec<(TableId, LabelId)>> {
        let job = cx.jobs.at(handle);
        let (program, node, subject, brought) =
            (cx.core.program(), job.node, job.subject, job.value);
        let most = i32::from(program.numbers) - 1;
        let after = |change: &Change| {
            let row = row_of(program, change.table, &subject);
            let there = self.store(node).tables.get(change.table, row).value;
            // Who has read nothing knows nothing: it finds what is there.
            let is_known = change.to_read && is_of_table(brought, change.table);
            let number = state(if is_known { brought } else { there }).0;
            let after = (i32::from(number) + change.by).min(most);
            (after >= 0).then_some((change.table, LabelId(after as u16)))
        };
        transaction.changes.iter().map(after).collect()
    }

    /// Writes the rows of a job's transaction, which is at a position of the log.
    fn write_rows(
        &mut self,
        cx: &mut Context<'_>,
        handle: Handle,
        transaction: &Transaction,
        numbers: &[(TableId, LabelId)],
        position: u64,
    ) -> Vec<Write> {
        let (program, now) = (cx.core.program(), cx.core.now());
        let job = cx.jobs.at(handle);
        let (node, subject) = (job.node, job.subject);
        let flush = cx.flush_of(node);
        let mut writes = std::mem::take(&mut self.store(node).writes);
        writes.clear();
        for &(table, state) in &transaction.writes {
            let row = row_of(program, table, &subject);
            let number = numbers.iter().find(|&&(own, _)| own == table);
            let state = number.map_or(state, |&(_, number)| number);
            let store = self.store(node);
            let before = store.tables.get(table, row);
            store.log.note(flush, Undo::Row(table, row, before));
            let version = version(before.value) + 1;
            let value = pack(version, table, state);
            store.tables.set(table, row, value, now);
            writes.push((table, row, value));
            self.note_row(cx, handle, table, version, true);
            let Subject { order, amount, .. } = subject;
            let before = (before.value != 0).then(|| self::state(before.value));
            cx.core.tell(Fact::Committed {
                table,
                row,
                order,
                before,
                state,
                version,
                amount,
                position,
            });
        }
        writes
    }

    /// Puts the events of a job's transaction into the outbox.
    fn put_events(
        &mut self,
        cx: &mut Context<'_>,
        handle: Handle,
        transaction: &Transaction,
        position: u64,
    ) {
        let job = cx.jobs.at(handle);
        let (node, key, subject) = (job.node, job.key, job.subject);
        let (flush, database) = (cx.flush_of(node), cx.database_of(node));
        for (number, &event) in transaction.events.iter().enumerate() {
            let subject = Subject { since: cx.core.now(), event, ..subject };
            let key = key_of(key, number as u64);
            let store = self.store(node);
            store.log.note(flush, Undo::Event(store.outbox.len()));
            store.outbox.push(OutboxEvent { subject, key, position, is_lost: false });
            let (place, key) = (store.outbox.len() as u64, subject.key);
            let order = subject.order;
            cx.core.tell(Fact::Outboxed { event, order, key, database, place, position });
        }
        if !transaction.events.is_empty() {
            self.wake_followers(cx, database);
        }
    }

    /// Reads the row that the job is about.
    fn read_row(&mut self, cx: &mut Context<'_>, handle: Handle, table: TableId) {
        let job = cx.jobs.at(handle);
        let (node, subject) = (job.node, job.subject);
        let row = row_of(cx.core.program(), table, &subject);
        let value = self.store(node).tables.get(table, row).value;
        cx.jobs.at_mut(handle).value = value;
        self.note_row(cx, handle, table, version(value), false);
        self.tell_read(cx, node, (table, row), &subject, value);
    }

    /// Tells what was read of a row, and what could have been read.
    pub(in crate::system) fn tell_read(
        &mut self,
        cx: &mut Context<'_>,
        node: NodeId,
        (table, row): (TableId, u64),
        subject: &Subject,
        value: u64,
    ) {
        let database = cx.core.program().tables[table.0 as usize].database;
        let leader = self.leaders[database.0 as usize];
        let newest = self.store(leader).tables.get(table, row);
        let age = cx.core.now().since(newest.written);
        let (seen, newest) = (version(value), version(newest.value));
        let (order, asked) = (subject.order, subject.asked);
        cx.core.tell(Fact::Read { node, table, row, order, asked, seen, newest, age });
    }
}

impl Context<'_> {
    /// The row of a table that a job is about.
    pub(in crate::system) fn row_of_job(&self, table: TableId, subject: &Subject) -> u64 {
        row_of(self.core.program(), table, subject)
    }
}
