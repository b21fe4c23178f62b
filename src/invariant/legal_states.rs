//! I20: rows go from state to state only as they may; a state that no way leads out of is final.

use super::language::{LegalStatesText, table};
use super::{Invariant, Judgement, Tally};
use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::model::program::{LabelId, Program, TableId};
use crate::system::fact::Fact;

/// Counts steps that are not allowed. Exposure: versions written. A row that is written in the
/// state that it has makes no step.
#[derive(Clone, Debug)]
pub(super) struct LegalStates {
    table: TableId,
    allowed: Vec<(Option<LabelId>, LabelId)>,
    tally: Tally,
}

impl LegalStates {
    pub(super) fn new(text: &LegalStatesText, program: &Program) -> Result<LegalStates, Problem> {
        let (table, _) = table(&text.table, program).map_err(|problem| problem.inside("table"))?;
        let mut allowed = Vec::new();
        for (index, way) in text.allowed.iter().enumerate() {
            let place = |problem: Problem| problem.inside(index.to_string()).inside("allowed");
            allowed.extend(step(way, program).map_err(place)?);
        }
        Ok(LegalStates { table, allowed, tally: Tally::default() })
    }
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

impl Invariant for LegalStates {
    fn observe(&mut self, now: Time, fact: &Fact) {
        match *fact {
            Fact::Committed { table, order, before, state, .. } if table == self.table => {
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
            judge(LegalStates::new(&text, &program).unwrap(), &[(1, write.fact())])
        };
        assert_eq!(judge(None, "accepted"), (0, 1));
        assert_eq!(judge(Some("accepted"), "paid"), (0, 1));
        assert_eq!(judge(Some("paid"), "paid"), (0, 1));
        assert_eq!(judge(Some("paid"), "accepted"), (1, 1));
        assert_eq!(judge(None, "paid"), (1, 1));
        let other = Write::of(&program, "db.debit = posted").fact();
        let promise = LegalStates::new(&text, &program).unwrap();
        assert_eq!(super::super::example::judge(promise, &[(1, other)]), (0, 0), "another table");
    }

    #[test]
    fn a_step_needs_an_arrow_and_a_state_behind_it() {
        let program = program();
        assert!(step("accepted", &program).is_err());
        assert!(step("accepted ->", &program).is_err());
    }
}
