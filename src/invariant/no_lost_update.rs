//! I19: no update is lost: nothing is written that was based on an older version of the row.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::breakable::Breakable;
use super::judge::{Invariant, Judgement, Tally};
use super::names::table;
use super::promise::{Judged, Promise};
use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::model::program::{Program, TableId};
use crate::system::fact::Fact;
use crate::system::fact::kind::hears;

/// `no_lost_update = { table = "stock.item" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct NoLostUpdateText {
    /// The table whose rows are read and then written.
    table: String,
}

impl Promise for NoLostUpdateText {
    const NAME: &'static str = "no_lost_update";
    const SENTENCE: &'static str = "No update is lost.";
    const LABEL: &'static str = "updates lost";
    const JUDGED: Judged = Judged::AtOnce;

    type Judge = NoLostUpdate;

    fn judge(&self, program: &Program) -> Result<NoLostUpdate, Problem> {
        let (table, _) = table(&self.table, program).map_err(|problem| problem.inside("table"))?;
        Ok(NoLostUpdate { table, tally: Tally::default() })
    }

    fn breakable(&self, asked: &mut Breakable<'_>) {
        if let Ok((wanted, _)) = table(&self.table, asked.program)
            && !asked.program.transactions.iter().any(|one| one.overwrites.contains(&wanted))
        {
            let why = format!("no handler reads a row of `{}` and then writes it", self.table);
            asked.note("table", &why, "a `read` and a `transaction` of one table");
        }
    }
}

/// Counts updates that overwrote what their handler had not read. Exposure: writes of rows that
/// their handlers had read.
#[derive(Clone, Debug)]
pub(super) struct NoLostUpdate {
    table: TableId,
    tally: Tally,
}

hears!(NoLostUpdate: Overwrote);

impl Invariant for NoLostUpdate {
    fn observe(&mut self, now: Time, fact: &Fact) {
        match *fact {
            Overwrote { table, order, is_lost } if table == self.table => {
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
            judge(text.judge(&program).unwrap(), &[overwrote, written])
        };
        assert_eq!(judge("db.item", true), (1, 1));
        assert_eq!(judge("db.item", false), (0, 1));
        assert_eq!(judge("db.order", true), (0, 0));
    }
}
