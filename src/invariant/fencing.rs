//! I22: a primary that was replaced writes nothing any more.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::breakable::Breakable;
use super::judge::{Invariant, Judgement, Tally};
use super::names::database;
use super::promise::{Judged, Promise};
use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::model::program::{Kind, NodeId, Program};
use crate::system::fact::Fact;
use crate::system::fact::kind::hears;

/// `fencing = { database = "orders" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct FencingText {
    /// The database.
    database: String,
}

impl Promise for FencingText {
    const NAME: &'static str = "fencing";
    const SENTENCE: &'static str = "A primary that was replaced writes nothing.";
    const LABEL: &'static str = "stale writes taken";
    const JUDGED: Judged = Judged::AtOnce;

    type Judge = Fencing;

    fn judge(&self, program: &Program) -> Result<Fencing, Problem> {
        let database =
            database(&self.database, program).map_err(|problem| problem.inside("database"))?;
        Ok(Fencing { database, tally: Tally::default() })
    }

    fn breakable(&self, asked: &mut Breakable<'_>) {
        if let Ok(id) = database(&self.database, asked.program)
            && let Kind::Database(database) = &asked.program.node(id).kind
            && database.replicas.is_empty()
        {
            let why = format!("no replica can take the place of `{}`", self.database);
            asked.note("database", &why, "a database with a replica");
        }
    }
}

/// Counts writes of an old epoch. Exposure: how often a replaced primary was asked to write.
#[derive(Clone, Debug)]
pub(super) struct Fencing {
    database: NodeId,
    tally: Tally,
}

hears!(Fencing: StaleEpoch);

impl Invariant for Fencing {
    fn observe(&mut self, now: Time, fact: &Fact) {
        let StaleEpoch { database, order, accepted } = *fact else { return };
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
            judge(text.judge(&program).unwrap(), &[(1, fact)])
        };
        assert_eq!(judge("db", false), (0, 1));
        assert_eq!(judge("db", true), (1, 1));
        assert_eq!(judge("bank", true), (0, 0), "of something else");
    }
}
