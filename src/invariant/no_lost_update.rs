//! I19: no update is lost: nothing is written that was based on an older version of the row.

use super::language::{NoLostUpdateText, table};
use super::{Invariant, Judgement, Tally};
use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::model::program::{Program, TableId};
use crate::system::fact::Fact;

/// Counts updates that overwrote what their handler had not read. Exposure: writes of rows that
/// their handlers had read.
#[derive(Clone, Debug)]
pub(super) struct NoLostUpdate {
    table: TableId,
    tally: Tally,
}

impl NoLostUpdate {
    pub(super) fn new(text: &NoLostUpdateText, program: &Program) -> Result<NoLostUpdate, Problem> {
        let (table, _) = table(&text.table, program).map_err(|problem| problem.inside("table"))?;
        Ok(NoLostUpdate { table, tally: Tally::default() })
    }
}

impl Invariant for NoLostUpdate {
    fn observe(&mut self, now: Time, fact: &Fact) {
        match *fact {
            Fact::Overwrote { table, order, is_lost } if table == self.table => {
                self.tally.exposed();
                if is_lost {
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
    fn an_update_of_another_table_is_not_its_business() {
        let program = program();
        let text = NoLostUpdateText { table: "db.item".to_owned() };
        let written = (2, Write::of(&program, "db.item = set").fact());
        let judge = |name: &str, is_lost| {
            let (table, _) = table(name, &program).unwrap();
            let overwrote = (2, Fact::Overwrote { table, order: 1, is_lost });
            judge(NoLostUpdate::new(&text, &program).unwrap(), &[overwrote, written])
        };
        assert_eq!(judge("db.item", true), (1, 1));
        assert_eq!(judge("db.item", false), (0, 1));
        assert_eq!(judge("db.order", true), (0, 0));
    }
}
