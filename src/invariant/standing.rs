//! What stands of what a database has committed: what a crash or a failover undoes is forgotten.

use std::collections::BTreeSet;

use super::known::ByOrder;
use crate::kernel::time::Time;
use crate::model::program::{LabelId, NodeId, TableId};
use crate::system::fact::Fact;
use crate::system::fact::kind::{Hears, hears};

/// Something that a transaction has written and that has not been undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Commit {
    /// When.
    pub(super) at: Time,
    /// The position of the transaction in the log.
    pub(super) position: u64,
    /// The version of a row, from 1; 0 for an entry of an audit log.
    pub(super) version: u64,
    /// The state of a row, or the entry of an audit log.
    pub(super) state: LabelId,
}

/// Commits of one kind, by order or by row, each in the order in which it was made.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    database: NodeId,
    which: Which,
    /// Those whose log is not on disk: position and order or row.
    unflushed: BTreeSet<(u64, u64)>,
    commits: ByOrder<Vec<Commit>>,
    /// What was undone: the order or row, and when.
    undone: Vec<(u64, Time, Commit)>,
}

/// What is kept.
#[derive(Clone, Copy, Debug)]
enum Which {
    /// Versions of a table's rows, by row.
    Rows(TableId),
    /// Versions of a table's rows, by the order on whose behalf they were written.
    Orders(TableId),
    /// Entries of the audit log, by order; `None` if the program never writes this one.
    Entries(Option<LabelId>),
}

hears!(Standing: Committed, Audited, Flushed, LogLost, WriteLost, CommitLost);

impl Standing {
    /// Keeps the versions of a table's rows, by row.
    pub(super) fn rows((table, database): (TableId, NodeId)) -> Standing {
        Standing::new(database, Which::Rows(table))
    }

    /// Keeps the versions of a table's rows, by the order on whose behalf they were written.
    pub(super) fn orders((table, database): (TableId, NodeId)) -> Standing {
        Standing::new(database, Which::Orders(table))
    }

    /// Keeps one kind of entry of a database's audit log, by order.
    pub(super) fn entries(entry: Option<LabelId>, database: NodeId) -> Standing {
        Standing::new(database, Which::Entries(entry))
    }

    fn new(database: NodeId, which: Which) -> Standing {
        let (unflushed, commits) = (BTreeSet::new(), ByOrder::default());
        Standing { database, which, unflushed, commits, undone: Vec::new() }
    }

    /// Takes note of what is committed, flushed and lost.
    pub(super) fn observe<Whole: Hears>(&mut self, at: Time, fact: &Fact) {
        Self::is_part_of::<Whole>();
        match (*fact, self.which) {
            (Committed { table, row, state, version, position, .. }, Which::Rows(kept))
                if table == kept =>
            {
                self.keep(row, Commit { at, position, version, state });
            }
            (Committed { table, order, state, version, position, .. }, Which::Orders(kept))
                if table == kept =>
            {
                self.keep(order, Commit { at, position, version, state });
            }
            (Audited { entry, order, database, position }, Which::Entries(kept))
                if database == self.database && Some(entry) == kept =>
            {
                self.keep(order, Commit { at, position, version: 0, state: entry });
            }
            (Flushed { database, position }, _) if database == self.database => {
                while self.unflushed.first().is_some_and(|&(waiting, _)| waiting <= position) {
                    self.unflushed.pop_first();
                }
            }
            (LogLost { database, after, .. }, _) if database == self.database => {
                // The last is forgotten first, so that each is the last of its order or row.
                let lost = self.unflushed.split_off(&(after.saturating_add(1), 0));
                for (position, index) in lost.into_iter().rev() {
                    self.forget(at, index, position);
                }
            }
            (WriteLost { table, row, position, .. }, Which::Rows(kept)) if table == kept => {
                self.lose(at, row, position);
            }
            (CommitLost { database, position, order }, Which::Orders(_) | Which::Entries(_))
                if database == self.database =>
            {
                self.lose(at, order, position);
            }
            _ => {}
        }
    }

    fn keep(&mut self, index: u64, commit: Commit) {
        self.unflushed.insert((commit.position, index));
        self.commits.of(index).push(commit);
    }

    fn lose(&mut self, now: Time, index: u64, position: u64) {
        self.unflushed.remove(&(position, index));
        self.forget(now, index, position);
    }

    /// Forgets what one transaction has written. It is one of the last, so it is looked for from
    /// the end.
    fn forget(&mut self, now: Time, index: u64, position: u64) {
        let commits = self.commits.of(index);
        let is_of_it = |commit: &Commit| commit.position == position;
        let Some(last) = commits.iter().rposition(is_of_it) else { return };
        let before = commits[..last].iter().rposition(|commit| !is_of_it(commit));
        let undone = commits.drain(before.map_or(0, |before| before + 1)..=last);
        self.undone.extend(undone.map(|commit| (index, now, commit)));
    }

    /// Whose log it is in.
    pub(super) fn database(&self) -> NodeId {
        self.database
    }

    /// What stands and is on disk, by order or row, each oldest first.
    pub(super) fn on_disk(&self) -> impl Iterator<Item = (u64, &Commit)> {
        let commits = self
            .iter()
            .flat_map(|(index, commits)| commits.iter().map(move |commit| (index, commit)));
        commits.filter(|(index, commit)| !self.unflushed.contains(&(commit.position, *index)))
    }

    /// What crashes and failovers have undone: the order or row, and when.
    pub(super) fn undone(&self) -> &[(u64, Time, Commit)] {
        &self.undone
    }

    /// What stands of an order or row, oldest first.
    pub(super) fn of(&self, index: u64) -> &[Commit] {
        self.commits.get(index).map_or(&[], Vec::as_slice)
    }

    /// What stands of every order or row up to the last that was ever written.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &[Commit])> {
        self.commits.iter().map(|(index, commits)| (index, commits.as_slice()))
    }

    /// The state in which an order or row was at a time.
    pub(super) fn state_at(&self, index: u64, at: Time) -> Option<LabelId> {
        self.of(index).iter().rfind(|commit| commit.at <= at).map(|commit| commit.state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariant::fixture::*;

    fn states(standing: &Standing, order: u64) -> Vec<u16> {
        standing.of(order).iter().map(|commit| commit.state.0).collect()
    }

    #[test]
    fn a_crash_undoes_what_was_not_flushed_and_no_more() {
        let mut standing = Standing::orders((ORDERS, DATABASE));
        for fact in [committed(3, PLACED, 1), committed(3, PAID, 2), committed(4, PLACED, 3)] {
            standing.observe::<Standing>(at(1), &fact);
        }
        standing.observe::<Standing>(at(2), &flushed(1));
        standing.observe::<Standing>(at(3), &log_lost(2));
        assert_eq!((states(&standing, 3), states(&standing, 4)), (vec![0, 1], vec![]));
        standing.observe::<Standing>(at(4), &log_lost(1));
        assert_eq!(states(&standing, 3), [0]);
        assert_eq!(standing.state_at(3, at(0)), None);
        assert_eq!(standing.state_at(3, at(1)), Some(PLACED));
    }

    #[test]
    fn what_another_database_flushes_or_loses_changes_nothing() {
        let elsewhere = NodeId(9);
        let mut standing = Standing::orders((ORDERS, DATABASE));
        standing.observe::<Standing>(at(1), &committed(3, PLACED, 1));
        standing.observe::<Standing>(
            at(2),
            &Fact::LogLost { database: elsewhere, after: 0, transactions: 1 },
        );
        standing.observe::<Standing>(at(2), &Fact::Flushed { database: elsewhere, position: 1 });
        standing.observe::<Standing>(
            at(2),
            &Fact::CommitLost { database: elsewhere, position: 1, order: 3 },
        );
        assert_eq!((states(&standing, 3), standing.on_disk().count()), (vec![0], 0));
        standing.observe::<Standing>(at(3), &flushed(1));
        assert_eq!(standing.on_disk().count(), 1);
    }

    #[test]
    fn rows_of_another_table_are_none_of_it() {
        let (order, state, before, version, position, amount) = (3, PLACED, None, 1, 1, 0);
        let (table, row) = (TableId(ORDERS.0 + 1), 3);
        let other = Fact::Committed { table, row, order, state, before, version, position, amount };
        for mut standing in
            [Standing::orders((ORDERS, DATABASE)), Standing::rows((ORDERS, DATABASE))]
        {
            standing.observe::<Standing>(at(1), &other);
            assert_eq!(states(&standing, 3), [0; 0]);
        }
        let mut rows = Standing::rows((ORDERS, DATABASE));
        rows.observe::<Standing>(at(1), &committed(3, PLACED, 1));
        rows.observe::<Standing>(
            at(2),
            &Fact::WriteLost { table, row, order, state, version, position },
        );
        assert_eq!(states(&rows, 3), [0], "lost from another table");
    }

    #[test]
    fn a_failover_undoes_the_commits_that_it_names() {
        let mut standing = Standing::orders((ORDERS, DATABASE));
        let mut rows = Standing::rows((ORDERS, DATABASE));
        let lost = Fact::CommitLost { database: DATABASE, position: 2, order: 3 };
        let written = Fact::WriteLost {
            table: ORDERS,
            row: 3,
            order: 3,
            state: PAID,
            version: 2,
            position: 2,
        };
        for fact in
            [committed(3, PLACED, 1), committed(3, PAID, 2), flushed(2), lost, written, flushed(9)]
        {
            standing.observe::<Standing>(at(1), &fact);
            rows.observe::<Standing>(at(1), &fact);
        }
        assert_eq!((states(&standing, 3), states(&rows, 3)), (vec![0], vec![0]));
    }
}
