//! I14: the ledger balances: every entry has one debit and one credit, no entry is posted twice,
//! and balances are what was posted.
//!
//! An order is an entry, and every version of a row that it wrote is a posting. A balance is a row
//! of a key whose version counts the postings to it. Judged at the end, when all is at rest.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::breakable::Breakable;
use super::judge::{Invariant, Judgement, Tally};
use super::known::{ByOrder, DurableRows};
use super::names::table;
use super::promise::{Judged, Promise};
use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::model::program::{NodeId, Program, TableId};
use crate::system::fact::Fact;
use crate::system::fact::kind::hears;

/// `ledger_conserved = { debit = "ledger.debit", credit = "ledger.credit" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct LedgerConservedText {
    /// The rows of the debits.
    debit: String,
    /// The rows of the credits.
    credit: String,
    /// The rows of the balances to which each entry is added, if there are any.
    #[serde(default)]
    balance: Option<String>,
}

impl Promise for LedgerConservedText {
    const NAME: &'static str = "ledger_conserved";
    const SENTENCE: &'static str = "The ledger balances.";
    const LABEL: &'static str = "entries unbalanced";
    const JUDGED: Judged = Judged::AtEnd;

    type Judge = LedgerConserved;

    fn judge(&self, program: &Program) -> Result<LedgerConserved, Problem> {
        let side = |name: &str, key: &str| -> Result<(TableId, NodeId), Problem> {
            table(name, program).map_err(|problem| problem.inside(key))
        };
        let mut sides = vec![side(&self.debit, "debit")?, side(&self.credit, "credit")?];
        if let Some(balance) = &self.balance {
            sides.push(side(balance, "balance")?);
        }
        Ok(LedgerConserved { sides: sides.into_iter().map(DurableRows::of).collect() })
    }

    fn breakable(&self, asked: &mut Breakable<'_>) {
        asked.written("debit", &[&self.debit, &self.credit]);
    }
}

/// Compares the postings of each order. Exposure: orders with a posting.
#[derive(Clone, Debug)]
pub(super) struct LedgerConserved {
    /// The postings of each side: debit, credit and, if there is one, the balance.
    sides: Vec<DurableRows>,
}

impl LedgerConserved {
    /// Since when an entry is wrong: since it was posted a second time or, if no side has it twice,
    /// since one side had it and another one not.
    fn wrong_since(&self, order: u64) -> Time {
        let earliest = |place: usize| {
            let posted = self.sides.iter().map(|side| side.committed(order, place));
            posted.min().unwrap_or(Time::NEVER)
        };
        let again = earliest(1);
        if again < Time::NEVER {
            return again;
        }
        let missing = self.sides.iter().filter(|side| !side.has(order));
        missing.map(|side| side.lost(order)).fold(earliest(0), Time::max)
    }
}

hears!(LedgerConserved: ; DurableRows);

impl Invariant for LedgerConserved {
    fn observe(&mut self, now: Time, fact: &Fact) {
        for side in &mut self.sides {
            side.observe::<Self>(now, fact);
        }
    }

    fn tally(&self, _: Judgement) -> Tally {
        let mut posted = ByOrder::<bool>::default();
        for order in self.sides.iter().flat_map(DurableRows::orders) {
            *posted.of(order) = true;
        }
        let mut tally = Tally::default();
        for (order, _) in posted.iter().filter(|(_, posted)| **posted) {
            tally.exposed();
            if self.sides.iter().any(|side| side.versions(order) != 1) {
                tally.broken(self.wrong_since(order), Some(order));
            }
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::{Write, broken_at, flushed, judge, program};
    use super::*;

    /// A ledger, and the facts of postings by one order, each of a transaction of its own.
    fn ledger(program: &Program, writes: &[&str]) -> (LedgerConserved, Vec<(u64, Fact)>) {
        let text = LedgerConservedText {
            debit: "db.debit".to_owned(),
            credit: "db.credit".to_owned(),
            balance: Some("db.balance".to_owned()),
        };
        let write = |(index, write): (usize, &&str)| {
            let position = index as u64 + 1;
            (position, Write { order: 4, position, ..Write::of(program, write) }.fact())
        };
        let mut facts: Vec<(u64, Fact)> = writes.iter().enumerate().map(write).collect();
        facts.push((50, flushed(program, writes.len() as u64)));
        (text.judge(program).unwrap(), facts)
    }

    /// What the ledger says of postings.
    fn posted(writes: &[&str]) -> (u64, u64) {
        let program = program();
        let (ledger, facts) = ledger(&program, writes);
        judge(ledger, &facts)
    }

    #[test]
    fn it_is_broken_since_one_side_was_posted_alone_or_twice() {
        let program = program();
        let at = |writes: &[&str]| {
            let (ledger, facts) = ledger(&program, writes);
            broken_at(ledger, &facts)
        };
        let (debit, credit) = ("db.debit = posted", "db.credit = posted");
        let balance = "db.balance = counted";
        assert_eq!(at(&[debit, credit]), Some(1), "the balance is missing since the first");
        assert_eq!(at(&[debit, credit, balance, credit]), Some(4), "since the second");
        let (mut ledger, facts) = ledger(&program, &[debit, credit, balance]);
        for (seconds, fact) in &facts {
            ledger.observe(Time(*seconds), fact);
        }
        let (table, database, state) =
            super::super::names::row_state("db.credit = posted", &program).unwrap();
        let (row, order, state, version, position) = (0, 4, state.unwrap(), 1, 2);
        let lost = Fact::WriteLost { table, row, order, state, version, position };
        assert_eq!(Some(database), program.find_node("db"));
        ledger.observe(Time(70), &lost);
        assert_eq!(ledger.wrong_since(4), Time(70), "since a failover took one side");
    }

    #[test]
    fn an_entry_has_one_posting_on_each_side() {
        let (debit, credit) = ("db.debit = posted", "db.credit = posted");
        let balance = "db.balance = counted";
        assert_eq!(posted(&[]), (0, 0));
        assert_eq!(posted(&[debit, credit, balance]), (0, 1));
        assert_eq!(posted(&[debit, credit]), (1, 1));
        assert_eq!(posted(&[debit, balance]), (1, 1));
        assert_eq!(posted(&[debit, credit, balance, debit, credit, balance]), (1, 1));
    }
}
