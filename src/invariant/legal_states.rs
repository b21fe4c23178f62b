//! I20: rows go from state to state only as they may; a state that no way leads out of is final.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::breakable::Breakable;
use super::judge::{Invariant, Judgement, Tally};
use super::names::table;
use super::promise::{Judged, Promise};
use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::model::program::{LabelId, Program, TableId};
use crate::system::fact::Fact;
use crate::system::fact::kind::hears;

/// ```toml
/// legal_states = { table = "orders.order", allowed = ["-> accepted", "accepted -> paid"] }
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct LegalStatesText {
    /// The table.
    table: String,
    /// The steps that its rows may take; without a state in front of the arrow, of a new row.
    allowed: Vec<String>,
}

impl Promise for LegalStatesText {
    const NAME: &'static str = "legal_states";
    const SENTENCE: &'static str = "Rows go from state to state as they may.";
    const LABEL: &'static str = "illegal states";
    const JUDGED: Judged = Judged::AtOnce;
    const EXCUSES: &'static [&'static str] = &["allowed"];

    type Judge = LegalStates;

    fn judge(&self, program: &Program) -> Result<LegalStates, Problem> {
        let (table, _) = table(&self.table, program).map_err(|problem| problem.inside("table"))?;
        let mut allowed = Vec::new();
        for (index, way) in self.allowed.iter().enumerate() {
            let place = |problem: Problem| problem.inside(index.to_string()).inside("allowed");
            allowed.extend(step(way, program).map_err(place)?);
        }
        Ok(LegalStates { table, allowed, tally: Tally::default() })
    }

    fn breakable(&self, asked: &mut Breakable<'_>) {
        asked.written("table", &[&self.table]);
    }
}

/// Counts steps that are not allowed. Exposure: versions written. A row that is written in the
/// state that it has makes no step.
#[derive(Clone, Debug)]
pub(super) struct LegalStates {
    table: TableId,
    allowed: Vec<(Option<LabelId>, LabelId)>,
    tally: Tally,
}

/// A step such as `accepted -> paid`, or `-> accepted` for a new row; nothing if this program never
/// writes one of its states.
fn step(text: &str, program: &Program) -> Result<Option<(Option<LabelId>, LabelId)>, Problem> {
    let parts = text.split_once("->").map(|(from, to)| (from.trim(), to.trim()));
    let Some((from, to)) = parts.filter(|(_, to)| !to.is_empty()) else {
        return Err(Problem::new(format!("`{text}` is no step from state to state"))
            .expected("\"accepted -> paid\", or \"-> accepted\" for a new row"));
    };
    let Some(to) = program.find_label(to) else { return Ok(None) };
    if from.is_empty() {
        return Ok(Some((None, to)));
    }
    Ok(program.find_label(from).map(|from| (Some(from), to)))
}

hears!(LegalStates: Committed);

impl Invariant for LegalStates {
    fn observe(&mut self, now: Time, fact: &Fact) {
        match *fact {
            Committed { table, order, before, state, .. } if table == self.table => {
                self.tally.exposed();
                if before != Some(state) && !self.allowed.contains(&(before, state)) {
                    self.tally.broken(now, Some(order));
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

    #[test]
    fn a_row_goes_where_it_may_and_nowhere_else() {
        let program = program();
        let allowed = ["-> accepted", "accepted -> paid", "paid -> never written"];
        let allowed = allowed.map(str::to_owned).to_vec();
        let text = LegalStatesText { table: "db.order".to_owned(), allowed };
        let judge = |before: Option<&str>, state: &str| {
            let before = before.and_then(|before| program.find_label(before));
            let write = format!("db.order = {state}");
            let write = Write { before, ..Write::of(&program, &write) };
            judge(text.judge(&program).unwrap(), &[(1, write.fact())])
        };
        assert_eq!(judge(None, "accepted"), (0, 1));
        assert_eq!(judge(Some("accepted"), "paid"), (0, 1));
        assert_eq!(judge(Some("paid"), "paid"), (0, 1));
        assert_eq!(judge(Some("paid"), "accepted"), (1, 1));
        assert_eq!(judge(None, "paid"), (1, 1));
        let other = Write::of(&program, "db.debit = posted").fact();
        let promise = text.judge(&program).unwrap();
        assert_eq!(super::super::example::judge(promise, &[(1, other)]), (0, 0), "another table");
    }

    #[test]
    fn a_step_needs_an_arrow_and_a_state_behind_it() {
        let program = program();
        assert!(step("accepted", &program).is_err());
        assert!(step("accepted ->", &program).is_err());
    }
}
