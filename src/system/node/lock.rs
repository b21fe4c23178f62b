//! Row locks: a handler that reads a row for update has it to itself until it commits or ends.
//!
//! Whoever wants a locked row waits at the database, first come first served, for as long as the
//! database lets it. A transaction that writes a row which somebody else has locked waits in the
//! same line. A handler and the lists that it runs at once are one holder. Locks are in memory: a
//! crash of the database forgets them, and what was to be committed under one is refused then.

use std::collections::BTreeMap;

use crate::kernel::slab::Handle;
use crate::model::program::{Kind, LockStep, NodeId, TableId, Transaction, TransactionId};
use crate::policy::Outcome;
use crate::system::context::Context;
use crate::system::fact::Fact;
use crate::system::job::{Origin, Progress};
use crate::system::node::Nodes;
use crate::system::node::parked::Parked;

/// A row of a database.
type Key = (TableId, u64);

/// The locked rows of a database, and who waits for one.
#[derive(Clone, Debug, Default)]
pub(in crate::system) struct Locks {
    /// The handlers that have a row to themselves.
    held: BTreeMap<Key, Handle>,
    waiting: Parked<Key>,
}

impl Nodes {
    pub(in crate::system) fn take_lock_step(
        &mut self,
        cx: &mut Context<'_>,
        handle: Handle,
        step: LockStep,
    ) {
        let holder = cx.handler_of(handle);
        let Some(job) = cx.jobs.get_mut(holder) else { return };
        match step {
            LockStep::Begin => job.holding += 1,
            LockStep::End => {
                job.holding -= 1;
                if job.holding == 0 {
                    self.release_all(cx, holder);
                }
            }
        }
    }

    /// Lets a job wait until the handler that it works for has a row to itself.
    pub(in crate::system) fn await_lock(
        &mut self,
        cx: &mut Context<'_>,
        handle: Handle,
        table: TableId,
    ) -> Progress {
        let job = cx.jobs.at(handle);
        let (node, key) = (job.node, (table, cx.row_of_job(table, &job.subject)));
        let has_waited = self.store(node).locks.waiting.leave(handle).is_some();
        self.lock_or_wait(cx, handle, key, has_waited)
    }

    /// Lets a job wait that is to commit rows which others have locked; `None` if there are none.
    pub(in crate::system) fn await_rows(
        &mut self,
        cx: &mut Context<'_>,
        handle: Handle,
        id: TransactionId,
    ) -> Option<Progress> {
        let job = cx.jobs.at(handle);
        let (node, subject) = (job.node, job.subject);
        let locks = &mut self.store(node).locks;
        if locks.held.is_empty() && locks.waiting.is_empty() {
            return None;
        }
        let waited_for = locks.waiting.leave(handle);
        let holder = cx.asks_for(handle);
        let Transaction { writes, locked, .. } = &cx.core.program().transactions[id.0 as usize];
        // What it has read under a lock that it has lost is worth no wait: it is refused.
        let own = |table: &TableId| !locked.contains(table);
        for table in writes.iter().map(|(table, _)| *table).filter(own) {
            let key = (table, cx.row_of_job(table, &subject));
            let held = self.store(node).locks.held.get(&key).copied();
            if held.is_none() || held == holder {
                continue;
            }
            let progress = self.lock_or_wait(cx, handle, key, waited_for == Some(key));
            if progress != Progress::GoesOn {
                return Some(progress);
            }
        }
        None
    }

    /// Gives a row to the handler that a job works for, or lets the job wait for it.
    fn lock_or_wait(
        &mut self,
        cx: &mut Context<'_>,
        handle: Handle,
        key: Key,
        has_waited: bool,
    ) -> Progress {
        let job = cx.jobs.at(handle);
        let (node, order) = (job.node, job.subject.order);
        let database = cx.database_of(node);
        let Some(holder) = cx.asks_for(handle) else {
            // Its session has ended with its caller.
            return Progress::Ends(Outcome::Conflict);
        };
        let held = self.store(node).locks.held.get(&key).copied();
        if held.is_none_or(|own| own == holder) {
            self.store(node).locks.held.insert(key, holder);
            return Progress::GoesOn;
        }
        if has_waited {
            cx.core.tell(Fact::Conflict { database, order });
            return Progress::Ends(Outcome::Conflict);
        }
        self.store(node).locks.waiting.wait(handle, key);
        let rules = cx.database_rules(database);
        cx.jobs.park(&mut cx.core, handle, rules.lock_timeout);
        Progress::Repeats
    }

    /// Whether a job's transaction has lost a lock under which it was to be committed.
    pub(in crate::system) fn has_lost_lock(
        &mut self,
        cx: &mut Context<'_>,
        handle: Handle,
        transaction: &Transaction,
    ) -> bool {
        if transaction.locked.is_empty() {
            return false;
        }
        let job = cx.jobs.at(handle);
        let (node, subject) = (job.node, job.subject);
        let holder = cx.asks_for(handle);
        transaction.locked.iter().any(|&table| {
            let key = (table, cx.row_of_job(table, &subject));
            self.store(node).locks.held.get(&key).copied() != holder || holder.is_none()
        })
    }

    /// A transaction has ended: the rows that its handler had locked in this database are free.
    pub(in crate::system) fn release_committed(&mut self, cx: &mut Context<'_>, handle: Handle) {
        let Some(node) = cx.jobs.get(handle).map(|job| job.node) else { return };
        if !self.store(node).locks.held.is_empty()
            && let Some(holder) = cx.asks_for(handle)
        {
            self.release(cx, node, holder);
        }
    }

    /// A handler has ended, or left the list under its lock: its rows are free.
    pub(in crate::system) fn release_all(&mut self, cx: &mut Context<'_>, holder: Handle) {
        for index in 0..cx.core.program().nodes.len() {
            if matches!(cx.core.program().nodes[index].kind, Kind::Database(_) | Kind::Replica(_)) {
                self.release(cx, NodeId(index as u16), holder);
            }
        }
    }

    /// Hands each row that a handler had locked to the first that waits for it.
    fn release(&mut self, cx: &mut Context<'_>, node: NodeId, holder: Handle) {
        let held = self.store(node).locks.held.iter();
        let own: Vec<Key> = held.filter(|&(_, &by)| by == holder).map(|(&key, _)| key).collect();
        for key in own {
            self.store(node).locks.held.remove(&key);
            for waiting in self.store(node).locks.waiting.waiting_for([key..=key]) {
                // Who asks for nobody any more ends when it is woken.
                let next = cx.asks_for(waiting);
                cx.jobs.wake(&mut cx.core, waiting);
                if let Some(next) = next {
                    self.store(node).locks.held.insert(key, next);
                    break;
                }
            }
        }
    }
}

impl Context<'_> {
    /// The handler of which a job is a list that runs at once, or that it is itself.
    fn handler_of(&self, handle: Handle) -> Handle {
        match self.jobs.get(handle).map(|job| job.origin) {
            Some(Origin::Fork { parent, .. }) => self.handler_of(parent),
            _ => handle,
        }
    }

    /// The handler for which a job of a database works, if it still waits for it.
    fn asks_for(&self, handle: Handle) -> Option<Handle> {
        let Origin::Call { call, attempt, .. } = self.jobs.get(handle)?.origin else { return None };
        let owner = self.calls.get(call)?.owner;
        self.calls.expects(call, attempt).then(|| self.handler_of(owner))
    }
}
