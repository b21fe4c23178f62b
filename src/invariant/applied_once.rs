//! I9: a message is applied once, however often it is delivered.
//!
//! Judged by the rows that stand: a transaction that a crash or a failover undid was not applied.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::judge::{Invariant, Judgement, Tally};
use super::names::row_state;
use super::promise::{Judged, Promise};
use super::standing::{Commit, Standing};
use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::model::program::{LabelId, Program};
use crate::system::fact::Fact;
use crate::system::fact::kind::hears;

/// `applied_once = { applied = "orders.payment = recorded" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct AppliedOnceText {
    /// The row and the state into which it is brought once for each order.
    applied: String,
}

impl Promise for AppliedOnceText {
    const NAME: &'static str = "applied_once";
    const SENTENCE: &'static str = "A message is applied once.";
    const LABEL: &'static str = "applied twice";
    const JUDGED: Judged = Judged::AtOnce;

    type Judge = AppliedOnce;

    fn judge(&self, program: &Program) -> Result<AppliedOnce, Problem> {
        let (table, database, applied) =
            row_state(&self.applied, program).map_err(|problem| problem.inside("applied"))?;
        Ok(AppliedOnce { rows: Standing::orders((table, database)), applied })
    }
}

/// Counts how often each order's row was brought into a state. Exposure: orders for which it was.
#[derive(Clone, Debug)]
pub(super) struct AppliedOnce {
    rows: Standing,
    /// `None` if the program never writes it.
    applied: Option<LabelId>,
}

hears!(AppliedOnce: ; Standing);

impl Invariant for AppliedOnce {
    fn observe(&mut self, now: Time, fact: &Fact) {
        self.rows.observe::<Self>(now, fact);
    }

    fn tally(&self, _: Judgement) -> Tally {
        let mut tally = Tally::default();
        for (order, commits) in self.rows.iter() {
            let is_applied = |commit: &&Commit| Some(commit.state) == self.applied;
            let mut applied = commits.iter().filter(is_applied);
            if applied.next().is_none() {
                continue;
            }
            tally.exposed();
            if let Some(second) = applied.next() {
                tally.broken(second.at, Some(order));
            }
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariant::fixture::*;

    fn of(facts: &[(u64, Fact)]) -> Tally {
        let rows = Standing::orders((ORDERS, DATABASE));
        judge(AppliedOnce { rows, applied: Some(PAID) }, facts, 0, 9)
    }

    #[test]
    fn an_order_that_is_applied_twice_breaks_it_at_the_second_time() {
        let once = [(1, committed(0, PLACED, 1)), (2, committed(0, PAID, 2))];
        assert_eq!(counts(of(&once)), (0, 1));
        assert_eq!(counts(of(&once[..1])), (0, 0), "it was never applied");
        let tally = of(&[&once[..], &[(5, committed(0, PAID, 3))]].concat());
        assert_eq!((counts(tally), tally.first.unwrap().at), ((1, 1), at(5)));
    }

    #[test]
    fn the_first_violation_is_the_earliest() {
        let twice = |order, times: [u64; 2]| times.map(|time| (time, committed(order, PAID, time)));
        let tally = of(&[twice(1, [1, 3]), twice(0, [2, 4])].concat());
        assert_eq!((counts(tally), tally.first.unwrap().order), ((2, 2), Some(1)));
    }

    #[test]
    fn what_a_crash_undid_was_not_applied() {
        let facts = [(1, committed(0, PAID, 1)), (2, log_lost(0)), (3, committed(0, PAID, 1))];
        assert_eq!(counts(of(&facts)), (0, 1));
    }
}
