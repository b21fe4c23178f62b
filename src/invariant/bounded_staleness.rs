//! I12: whatever was committed long enough ago is seen by every read.
//!
//! Of each row the versions of the last `within` are kept, and the newest one before them: that one
//! must be seen. Nothing else is needed, so memory grows with the rows and not with the time.

use std::collections::{BTreeMap, VecDeque};

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::breakable::{Breakable, row_read};
use super::judge::{Invariant, Judgement, Tally};
use super::names::table;
use super::promise::{Judged, Promise};
use crate::kernel::time::{Span, Time};
use crate::model::problem::Problem;
use crate::model::program::{NodeId, Program, TableId};
use crate::system::fact::Fact;
use crate::system::fact::kind::hears;

/// `bounded_staleness = { read = "orders.order", within = "2s" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct BoundedStalenessText {
    /// The table whose rows are read, wherever they are read.
    read: String,
    /// What was committed so long ago must be seen.
    within: Span,
}

impl Promise for BoundedStalenessText {
    const NAME: &'static str = "bounded_staleness";
    const SENTENCE: &'static str = "Reads are no older than a bound.";
    const LABEL: &'static str = "reads too stale";
    const JUDGED: Judged = Judged::AtOnce;

    type Judge = BoundedStaleness;

    fn judge(&self, program: &Program) -> Result<BoundedStaleness, Problem> {
        let (table, database) =
            table(&self.read, program).map_err(|problem| problem.inside("read"))?;
        let (rows, tally) = (BTreeMap::new(), Tally::default());
        Ok(BoundedStaleness { table, database, within: self.within, rows, tally })
    }

    fn breakable(&self, asked: &mut Breakable<'_>) {
        if let Ok((read, _)) = table(&self.read, asked.program)
            && !asked.program.steps.iter().any(|step| row_read(step) == Some(read))
        {
            let why = format!("no step reads `{}`", self.read);
            asked.note("read", &why, "a table that a step reads");
        }
    }
}

/// Counts reads that missed what was committed long before. Exposure: reads of rows that had been
/// committed long before.
#[derive(Clone, Debug)]
pub(super) struct BoundedStaleness {
    table: TableId,
    database: NodeId,
    within: Span,
    rows: BTreeMap<u64, VecDeque<Version>>,
    tally: Tally,
}

/// A version of a row.
#[derive(Clone, Copy, Debug)]
struct Version {
    number: u64,
    committed: Time,
    position: u64,
}

impl BoundedStaleness {
    /// The version that a read must show, if there is one; older ones are forgotten.
    fn required(&mut self, row: u64, now: Time) -> Option<u64> {
        let versions = self.rows.get_mut(&row)?;
        let is_old = |version: &Version| version.committed + self.within <= now;
        while versions.get(1).is_some_and(is_old) {
            versions.pop_front();
        }
        versions.front().filter(|version| is_old(version)).map(|version| version.number)
    }
}

hears!(BoundedStaleness: Committed, Read, LogLost, WriteLost);

impl Invariant for BoundedStaleness {
    fn observe(&mut self, now: Time, fact: &Fact) {
        match *fact {
            Committed { table, row, version: number, position, .. } if table == self.table => {
                // What can no longer be asked for goes: a row that nobody reads stays small.
                self.required(row, now);
                let version = Version { number, committed: now, position };
                self.rows.entry(row).or_default().push_back(version);
            }
            Read { table, row, order, seen, .. } if table == self.table => {
                let Some(required) = self.required(row, now) else { return };
                self.tally.exposed();
                if seen < required {
                    self.tally.broken(now, Some(order));
                }
            }
            LogLost { database, after, .. } if database == self.database => {
                for versions in self.rows.values_mut() {
                    versions.retain(|version| version.position <= after);
                }
            }
            WriteLost { table, row, position, .. } if table == self.table => {
                if let Some(versions) = self.rows.get_mut(&row) {
                    versions.retain(|version| version.position != position);
                }
            }
            _ => {}
        }
    }

    fn tally(&self, _: Judgement) -> Tally {
        self.tally
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::{Write, judge, program};
    use super::*;
    use crate::system::fact::Asked;

    /// A read 100 ms after version 1 and 40 ms after version 2 were written.
    fn read(seen: u64, lost: Option<Fact>) -> (u64, u64) {
        let program = program();
        let within = Span::from_millis(50);
        let text = BoundedStalenessText { read: "db.item".to_owned(), within };
        let (table, database) = table("db.item", &program).unwrap();
        let write = |version, position| {
            Write { version, position, row: 3, ..Write::of(&program, "db.item = set") }.fact()
        };
        let read = Fact::Read {
            node: database,
            table,
            row: 3,
            order: 9,
            asked: Asked::BY_NOBODY,
            seen,
            newest: 2,
            age: Span::ZERO,
        };
        let writes = [(0, write(1, 1)), (60, write(2, 2))];
        let lost = lost.map(|lost| (61, lost));
        let reads = [(100, read), (109, read), (110, read)];
        let facts: Vec<(u64, Fact)> = writes.into_iter().chain(lost).chain(reads).collect();
        judge(text.judge(&program).unwrap(), &facts)
    }

    #[test]
    fn a_version_must_be_seen_once_it_is_as_old_as_the_bound() {
        assert_eq!(read(2, None), (0, 3));
        assert_eq!(read(1, None), (1, 3));
        assert_eq!(read(0, None), (3, 3));
    }

    #[test]
    fn what_happens_elsewhere_need_not_be_seen_and_takes_nothing_away() {
        let program = program();
        let within = Span::from_millis(50);
        let text = BoundedStalenessText { read: "db.item".to_owned(), within };
        let (node, asked) = (program.find_node("db").unwrap(), Asked::BY_NOBODY);
        let (order, newest, age) = (9, 1, Span::ZERO);
        let read = |name: &str, seen| {
            let (table, _) = table(name, &program).unwrap();
            (100, Fact::Read { node, table, row: 3, order, asked, seen, newest, age })
        };
        let write =
            |at, text, version| (at, Write { version, row: 3, ..Write::of(&program, text) }.fact());
        let judge = |between: Option<(u64, Fact)>, read| {
            let item = write(0, "db.item = set", 1);
            let facts: Vec<_> = [item].into_iter().chain(between).chain([read]).collect();
            judge(text.judge(&program).unwrap(), &facts)
        };
        let grant = write(1, "db.grant = granted", 2);
        assert_eq!(judge(Some(grant), read("db.item", 1)), (0, 1), "written to another table");
        assert_eq!(judge(None, read("db.grant", 0)), (0, 0), "read from another table");
        let database = program.find_node("bank").unwrap();
        let lost = (1, Fact::LogLost { database, after: 0, transactions: 1 });
        assert_eq!(judge(Some(lost), read("db.item", 0)), (1, 1), "lost by another database");
    }

    #[test]
    fn what_was_lost_need_not_be_seen() {
        let database = program().find_node("db").unwrap();
        let lost = Fact::LogLost { database, after: 1, transactions: 1 };
        assert_eq!(read(1, Some(lost)), (0, 3));
        let lost = |name: &str, row, position| {
            let (table, _) = table(name, &program()).unwrap();
            let (order, state, version) = (9, program().find_label("set").unwrap(), 2);
            Some(Fact::WriteLost { table, row, order, state, version, position })
        };
        assert_eq!(read(1, lost("db.item", 3, 2)), (0, 3));
        assert_eq!(read(1, lost("db.grant", 3, 2)), (1, 3), "a row of another table");
        assert_eq!(read(1, lost("db.item", 4, 2)), (1, 3), "another row");
        assert_eq!(read(1, lost("db.item", 3, 1)), (1, 1), "the version before");
    }
}
