//! I22: a primary that was replaced writes nothing any more.

use super::language::{FencingText, database};
use super::{Invariant, Judgement, Tally};
use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::model::program::{NodeId, Program};
use crate::system::fact::Fact;

/// Counts writes of an old epoch. Exposure: how often a replaced primary was asked to write.
#[derive(Clone, Debug)]
pub(super) struct Fencing {
    database: NodeId,
    tally: Tally,
}

impl Fencing {
    pub(super) fn new(text: &FencingText, program: &Program) -> Result<Fencing, Problem> {
        let database =
            database(&text.database, program).map_err(|problem| problem.inside("database"))?;
        Ok(Fencing { database, tally: Tally::default() })
    }
}

impl Invariant for Fencing {
    fn observe(&mut self, now: Time, fact: &Fact) {
        let Fact::StaleEpoch { database, order, accepted } = *fact else { return };
        if database != self.database {
            return;
        }
        self.tally.exposed();
        if accepted {
            self.tally.broken(now, Some(order));
        }
    }

    fn tally(&self, _: Judgement) -> Tally {
        self.tally
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::{judge, program};
    use super::*;

    #[test]
    fn to_refuse_a_stale_write_is_no_violation() {
        let program = program();
        let text = FencingText { database: "db".to_owned() };
        let judge = |database, accepted| {
            let database = program.find_node(database).unwrap();
            let fact = Fact::StaleEpoch { database, order: 1, accepted };
            judge(Fencing::new(&text, &program).unwrap(), &[(1, fact)])
        };
        assert_eq!(judge("db", false), (0, 1));
        assert_eq!(judge("db", true), (1, 1));
        assert_eq!(judge("bank", true), (0, 0), "of something else");
    }
}
