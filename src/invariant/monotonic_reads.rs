//! I11: what a user is shown of a row never becomes older.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::breakable::Breakable;
use super::judge::{Invariant, Judgement, Tally};
use super::names::operation;
use super::promise::{Judged, Promise};
use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::model::program::{Memory, OperationId, Program};
use crate::system::fact::Fact;
use crate::system::fact::kind::hears;

/// `monotonic_reads = { read = "api.order_status" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct MonotonicReadsText {
    /// The operation whose answers with `expect = "not older"` are judged.
    read: String,
}

impl Promise for MonotonicReadsText {
    const NAME: &'static str = "monotonic_reads";
    const SENTENCE: &'static str = "What a user is shown never becomes older.";
    const LABEL: &'static str = "reads back in time";
    const JUDGED: Judged = Judged::AtOnce;

    type Judge = MonotonicReads;

    fn judge(&self, program: &Program) -> Result<MonotonicReads, Problem> {
        let read = operation(&self.read, program).map_err(|problem| problem.inside("read"))?;
        Ok(MonotonicReads { read, tally: Tally::default() })
    }

    fn breakable(&self, asked: &mut Breakable<'_>) {
        let expects = "a call with `expect = \"not older\"`";
        let what = ("call expects nothing older of", expects);
        asked.called("read", &self.read, what, |call| call.memory == Memory::Compared);
    }
}

/// Counts answers older than one before them. Exposure: answers about a row that the user had been
/// shown.
#[derive(Clone, Debug)]
pub(super) struct MonotonicReads {
    read: OperationId,
    tally: Tally,
}

hears!(MonotonicReads: ReadAgain);

impl Invariant for MonotonicReads {
    fn observe(&mut self, now: Time, fact: &Fact) {
        let ReadAgain { operation, order, seen, highest, .. } = *fact else { return };
        if operation != self.read {
            return;
        }
        self.tally.exposed();
        if seen < highest {
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
    use crate::system::fact::Asked;

    #[test]
    fn an_answer_may_be_as_old_as_the_one_before_but_not_older() {
        let program = program();
        let operation = program.find_operation("api.look").unwrap();
        let text = MonotonicReadsText { read: "api.look".to_owned() };
        let judge_of = |operation, seen| {
            let asked = Asked::BY_NOBODY;
            let fact = Fact::ReadAgain { operation, order: 7, asked, seen, highest: 4 };
            judge(text.judge(&program).unwrap(), &[(1, fact)])
        };
        let judge = |seen| judge_of(operation, seen);
        let other = program.find_operation("api.place").unwrap();
        assert_eq!(judge_of(other, 3), (0, 0));
        assert_eq!(judge(3), (1, 1));
        assert_eq!(judge(4), (0, 1));
    }
}
