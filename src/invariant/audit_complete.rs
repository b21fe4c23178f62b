//! I17: everything that happened has exactly one entry in the audit log, and every entry tells of
//! something that happened.
//!
//! Judged at the end of the run, order by order, by what stands of both: a run that is to be judged
//! must come to rest.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::judge::{Invariant, Judgement, Tally};
use super::known::ByOrder;
use super::names::{effect, row_state};
use super::promise::{Judged, Promise};
use super::standing::Standing;
use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::model::program::{Kind, LabelId, NodeId, Program};
use crate::system::fact::Fact;
use crate::system::fact::kind::hears;

/// `audit_complete = { of = "orders.order = paid", entry = "paid" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct AuditCompleteText {
    /// A row and its state, or an effect.
    of: String,
    /// The entry in the audit log of any database that tells of it.
    entry: String,
}

impl Promise for AuditCompleteText {
    const NAME: &'static str = "audit_complete";
    const SENTENCE: &'static str =
        "Everything that happened has exactly one entry in the audit log, and the other way round.";
    const LABEL: &'static str = "audit gaps";
    const JUDGED: Judged = Judged::AtEnd;
    const IS_LOSS: bool = true;

    type Judge = AuditComplete;

    fn judge(&self, program: &Program) -> Result<AuditComplete, Problem> {
        let of = if self.of.contains('=') {
            let row = row_state(&self.of, program);
            row.map(|(table, database, state)| Of::Row(Standing::orders((table, database)), state))
        } else {
            effect(&self.of, program).map(|effect| Of::Effect(effect, ByOrder::default()))
        };
        let of = of.map_err(|problem| problem.inside("of"))?;
        // An entry that this program never writes is no error: another arm may.
        let entry = program.find_label(&self.entry);
        let nodes = program.nodes.iter().enumerate();
        let databases = nodes.filter(|(_, node)| matches!(node.kind, Kind::Database(_)));
        let entries =
            databases.map(|(index, _)| Standing::entries(entry, NodeId(index as u16))).collect();
        Ok(AuditComplete { of, entries })
    }
}

/// Compares what happened to each order with its entries in the audit log. Exposure: orders with
/// either.
#[derive(Clone, Debug)]
pub(super) struct AuditComplete {
    of: Of,
    /// The audit logs of all databases.
    entries: Vec<Standing>,
}

/// What must have an entry.
#[derive(Clone, Debug)]
enum Of {
    /// Each time that a row is brought into a state.
    Row(Standing, Option<LabelId>),
    /// Each effect, and when each order had it.
    Effect(LabelId, ByOrder<Vec<Time>>),
}

impl Of {
    fn times(&self, order: u64) -> Vec<Time> {
        match self {
            Of::Row(rows, state) => {
                let right = rows.of(order).iter().filter(|commit| Some(commit.state) == *state);
                right.map(|commit| commit.at).collect()
            }
            Of::Effect(_, times) => times.get(order).cloned().unwrap_or_default(),
        }
    }

    /// How many orders may have any.
    fn orders(&self) -> usize {
        match self {
            Of::Row(rows, _) => rows.iter().count(),
            Of::Effect(_, times) => times.iter().count(),
        }
    }
}

hears!(AuditComplete: Effect; Standing);

impl Invariant for AuditComplete {
    fn observe(&mut self, now: Time, fact: &Fact) {
        match (&mut self.of, *fact) {
            (Of::Effect(effect, times), Effect { effect: had, order, .. }) if had == *effect => {
                times.of(order).push(now);
            }
            (Of::Row(rows, _), _) => rows.observe::<Self>(now, fact),
            _ => {}
        }
        for entries in &mut self.entries {
            entries.observe::<Self>(now, fact);
        }
    }

    fn tally(&self, _: Judgement) -> Tally {
        let mut tally = Tally::default();
        let audited = self.entries.iter().map(|entries| entries.iter().count()).max().unwrap_or(0);
        for order in 0..self.of.orders().max(audited) as u64 {
            let happened = self.of.times(order);
            let entries = self.entries.iter().flat_map(|entries| entries.of(order));
            let entries: Vec<Time> = entries.map(|entry| entry.at).collect();
            let (few, many) = match happened.len() < entries.len() {
                true => (happened, entries),
                false => (entries, happened),
            };
            if many.is_empty() {
                continue;
            }
            tally.exposed();
            if let Some(&unmatched) = many.get(few.len()) {
                tally.broken(unmatched, Some(order));
            }
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariant::fixture::*;

    const ENTRY: LabelId = LabelId(9);

    fn of(of: Of, facts: &[(u64, Fact)]) -> (u64, u64) {
        let entries = vec![Standing::entries(Some(ENTRY), DATABASE)];
        counts(judge(AuditComplete { of, entries }, facts, 0, 9))
    }

    fn of_rows(facts: &[(u64, Fact)]) -> (u64, u64) {
        of(Of::Row(Standing::orders((ORDERS, DATABASE)), Some(PAID)), facts)
    }

    fn audited(order: u64, position: u64) -> Fact {
        Fact::Audited { entry: ENTRY, order, database: DATABASE, position }
    }

    #[test]
    fn a_row_without_an_entry_and_an_entry_without_a_row_break_it() {
        let (row, entry) = ((1, committed(0, PAID, 1)), (2, audited(0, 2)));
        assert_eq!(of_rows(&[row, entry]), (0, 1));
        assert_eq!(of_rows(&[row]), (1, 1));
        assert_eq!(of_rows(&[entry]), (1, 1));
        assert_eq!(of_rows(&[row, entry, (3, audited(0, 3))]), (1, 1), "two entries");
        assert_eq!(of_rows(&[row, (3, audited(1, 2))]), (2, 2), "of another order");
        assert_eq!(of_rows(&[(1, committed(0, PLACED, 1))]), (0, 0), "another state");
        let other = |entry, database| Fact::Audited { entry, order: 0, database, position: 2 };
        assert_eq!(of_rows(&[row, (2, other(PAID, DATABASE))]), (1, 1), "another entry");
        assert_eq!(of_rows(&[row, (2, other(ENTRY, QUEUE))]), (1, 1), "in another database");
    }

    #[test]
    fn an_entry_is_as_durable_as_what_it_tells_of() {
        let (row, entry) = ((1, committed(0, PAID, 1)), (2, audited(0, 2)));
        assert_eq!(of_rows(&[row, entry, (3, log_lost(1))]), (1, 1));
        assert_eq!(of_rows(&[row, entry, (3, log_lost(0))]), (0, 0));
    }

    #[test]
    fn effects_have_entries_too() {
        let effects = || Of::Effect(CHARGE, ByOrder::default());
        let (charge, entry) = ((1, had(CHARGE, 0)), (2, audited(0, 1)));
        assert_eq!(of(effects(), &[charge, entry]), (0, 1));
        assert_eq!(of(effects(), &[charge, charge, entry]), (1, 1));
        assert_eq!(of(effects(), &[(1, had(REFUND, 0))]), (0, 0));
        assert_eq!(of(effects(), &[(1, had(CHARGE, 1))]), (1, 1), "of the second order");
    }
}
