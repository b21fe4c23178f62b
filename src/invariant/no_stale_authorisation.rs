//! I13: nothing that is protected is done for somebody whose right was revoked long enough ago.

use std::collections::BTreeMap;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::breakable::Breakable;
use super::judge::{Invariant, Judgement, Tally};
use super::names::{effect, operation, row_state};
use super::promise::{Judged, Promise};
use crate::kernel::time::{Span, Time};
use crate::model::language::Rows;
use crate::model::problem::Problem;
use crate::model::program::{LabelId, NodeId, OperationId, Program, TableId};
use crate::policy::Outcome;
use crate::system::fact::Fact;
use crate::system::fact::kind::hears;

/// `no_stale_authorisation = { revoked = "access.grant = revoked", protected = "api.open" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct NoStaleAuthorisationText {
    /// The row and state of a right that was revoked.
    revoked: String,
    /// What must not be done then: an operation that is answered `ok`, or an effect.
    protected: String,
    /// How long after it was revoked a right may still be used.
    #[serde(default)]
    within: Span,
}

impl Promise for NoStaleAuthorisationText {
    const NAME: &'static str = "no_stale_authorisation";
    const SENTENCE: &'static str = "Nothing is done with a right that was revoked.";
    const LABEL: &'static str = "done without right";
    const JUDGED: Judged = Judged::AtOnce;

    type Judge = NoStaleAuthorisation;

    fn judge(&self, program: &Program) -> Result<NoStaleAuthorisation, Problem> {
        let (table, database, revoked) =
            row_state(&self.revoked, program).map_err(|problem| problem.inside("revoked"))?;
        let rows = program.tables[table.0 as usize].rows;
        if rows == Rows::Subkey {
            return Err(Problem::new("a right is that of a key or of an order")
                .expected("a table with `rows = \"key\"`")
                .inside("revoked"));
        }
        Ok(NoStaleAuthorisation {
            table,
            database,
            rows,
            revoked,
            protected: protected(&self.protected, program)
                .map_err(|problem| problem.inside("protected"))?,
            within: self.within,
            since: BTreeMap::new(),
            tally: Tally::default(),
        })
    }

    fn breakable(&self, asked: &mut Breakable<'_>) {
        asked.effect("protected", &self.protected);
        asked.told_users("protected", &self.protected);
    }
}

/// Counts what was done without a right. Exposure: what is protected and was done.
///
/// An effect is judged when it happens. An operation is judged when it is answered `ok`, as of the
/// time when its user asked: whoever looked at the right did it later.
#[derive(Clone, Debug)]
pub(super) struct NoStaleAuthorisation {
    table: TableId,
    database: NodeId,
    rows: Rows,
    revoked: Option<LabelId>,
    protected: Protected,
    within: Span,
    /// Which rights are revoked now, since when, and by the transaction at which position.
    since: BTreeMap<u64, (Time, u64)>,
    tally: Tally,
}

#[derive(Clone, Copy, Debug)]
enum Protected {
    Operation(OperationId),
    Effect(LabelId),
}

impl NoStaleAuthorisation {
    /// Something protected was done: the right for it was looked at no earlier than `asked`.
    fn judge(&mut self, now: Time, asked: Time, order: u64, key: u32) {
        self.tally.exposed();
        let row = match self.rows {
            Rows::Order => order,
            Rows::Key | Rows::Subkey => u64::from(key),
        };
        if self.since.get(&row).is_some_and(|&(since, _)| since + self.within <= asked) {
            self.tally.broken(now, Some(order));
        }
    }
}

/// An operation or, if there is no such operation, an effect.
fn protected(name: &str, program: &Program) -> Result<Protected, Problem> {
    match operation(name, program) {
        Ok(operation) => Ok(Protected::Operation(operation)),
        Err(problem) => effect(name, program).map(Protected::Effect).map_err(|_| problem),
    }
}

hears!(NoStaleAuthorisation: Committed, LogLost, WriteLost, Effect, Answered);

impl Invariant for NoStaleAuthorisation {
    fn observe(&mut self, now: Time, fact: &Fact) {
        match *fact {
            Committed { table, row, state, position, .. } if table == self.table => {
                if Some(state) == self.revoked {
                    self.since.entry(row).or_insert((now, position));
                } else {
                    self.since.remove(&row);
                }
            }
            LogLost { database, after, .. } if database == self.database => {
                self.since.retain(|_, &mut (_, position)| position <= after);
            }
            WriteLost { table, row, position, .. }
                if table == self.table
                    && self.since.get(&row).is_some_and(|&(_, revoked)| revoked == position) =>
            {
                self.since.remove(&row);
            }
            Effect { effect, order, key, .. } => {
                if matches!(self.protected, Protected::Effect(protected) if protected == effect) {
                    self.judge(now, now, order, key);
                }
            }
            Answered { request, outcome: Outcome::Ok, .. } => {
                if matches!(self.protected, Protected::Operation(o) if o == request.operation) {
                    self.judge(now, request.started, request.order, request.key);
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
    use super::super::example::{Write, answered, judge, program};
    use super::*;

    fn text(protected: &str) -> NoStaleAuthorisationText {
        NoStaleAuthorisationText {
            revoked: "db.grant = revoked".to_owned(),
            protected: protected.to_owned(),
            within: Span::from_millis(10),
        }
    }

    #[test]
    fn a_right_that_was_revoked_protects_nothing_any_more() {
        let program = program();
        let charge = effect("charge", &program).unwrap();
        let write = |state: &str, position| {
            let state = format!("db.grant = {state}");
            Write { row: 5, position, ..Write::of(&program, &state) }.fact()
        };
        let done = |key| Fact::Effect { effect: charge, order: 1, key, amount: 0 };
        let judge = |facts: &[(u64, Fact)]| {
            let invariant = text("charge").judge(&program).unwrap();
            judge(invariant, facts)
        };
        let revoked = (0, write("revoked", 1));
        assert_eq!(judge(&[revoked, (10, done(5))]), (1, 1));
        assert_eq!(judge(&[revoked, (9, done(5)), (20, done(6))]), (0, 2));
        assert_eq!(judge(&[revoked, (5, write("granted", 2)), (30, done(5))]), (0, 1));
        let database = program.find_node("db").unwrap();
        let lost = Fact::LogLost { database, after: 0, transactions: 1 };
        assert_eq!(judge(&[revoked, (5, lost), (30, done(5))]), (0, 1));
        let lost = Fact::LogLost { database, after: 1, transactions: 1 };
        assert_eq!(judge(&[revoked, (5, lost), (30, done(5))]), (1, 1), "it was on disk");
        let item = Write { row: 5, position: 2, ..Write::of(&program, "db.item = set") }.fact();
        assert_eq!(judge(&[revoked, (5, item), (30, done(5))]), (1, 1), "a row of another table");
        let database = program.find_node("bank").unwrap();
        let lost = Fact::LogLost { database, after: 0, transactions: 1 };
        assert_eq!(judge(&[revoked, (5, lost), (30, done(5))]), (1, 1), "of another database");
        let lost = |name: &str, row, position| {
            let (table, _, state) = row_state(name, &program).unwrap();
            let (order, state, version) = (1, state.unwrap(), 1);
            (5, Fact::WriteLost { table, row, order, state, version, position })
        };
        let grant = "db.grant = revoked";
        assert_eq!(judge(&[revoked, lost(grant, 5, 1), (30, done(5))]), (0, 1));
        for other in [lost("db.item = set", 5, 1), lost(grant, 6, 1), lost(grant, 5, 2)] {
            assert_eq!(judge(&[revoked, other, (30, done(5))]), (1, 1), "another write: {other:?}");
        }
    }

    #[test]
    fn an_operation_is_judged_as_of_when_it_was_asked_for() {
        let program = program();
        let revoked = Write { row: 5, ..Write::of(&program, "db.grant = revoked") }.fact();
        let judge = |started| {
            let invariant = text("api.place").judge(&program).unwrap();
            let answer = answered(&program, "api.place", (1, 5), started, Outcome::Ok);
            judge(invariant, &[(20, revoked), (50, answer)])
        };
        assert_eq!(judge(29), (0, 1));
        assert_eq!(judge(30), (1, 1));
    }
}
