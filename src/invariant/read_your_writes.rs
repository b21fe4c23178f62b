//! I10: a user who was told of a write sees it, or something newer, whenever it looks.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::breakable::Breakable;
use super::judge::{Invariant, Judgement, Tally};
use super::names::operation;
use super::promise::{Judged, Promise};
use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::model::program::{OperationId, Program};
use crate::system::fact::Fact;
use crate::system::fact::kind::hears;

/// `read_your_writes = { read = "api.order_status" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct ReadYourWritesText {
    /// The operation whose answers with `expect = "own write"` are judged.
    read: String,
}

impl Promise for ReadYourWritesText {
    const NAME: &'static str = "read_your_writes";
    const SENTENCE: &'static str = "Users see what they wrote.";
    const LABEL: &'static str = "own writes not seen";
    const JUDGED: Judged = Judged::AtOnce;

    type Judge = ReadYourWrites;

    fn judge(&self, program: &Program) -> Result<ReadYourWrites, Problem> {
        let read = operation(&self.read, program).map_err(|problem| problem.inside("read"))?;
        Ok(ReadYourWrites { read, tally: Tally::default() })
    }

    fn breakable(&self, asked: &mut Breakable<'_>) {
        let expects = "a call with `expect = \"own write\"`";
        let what = ("call expects its user's own write of", expects);
        asked.called("read", &self.read, what, |call| call.expects_own_write);
    }
}

/// Counts answers that show less than their user wrote. Exposure: answers that must show it.
#[derive(Clone, Debug)]
pub(super) struct ReadYourWrites {
    read: OperationId,
    tally: Tally,
}

hears!(ReadYourWrites: ReadBack);

impl Invariant for ReadYourWrites {
    fn observe(&mut self, now: Time, fact: &Fact) {
        let ReadBack { operation, order, seen, own, .. } = *fact else { return };
        if operation != self.read {
            return;
        }
        self.tally.exposed();
        if seen < own {
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
    fn an_answer_may_show_more_than_was_written_but_not_less() {
        let program = program();
        let read = program.find_operation("api.look").unwrap();
        let other = program.find_operation("api.place").unwrap();
        let text = ReadYourWritesText { read: "api.look".to_owned() };
        let judge = |operation, seen| {
            let asked = Asked::BY_NOBODY;
            let fact = Fact::ReadBack { operation, order: 7, asked, seen, own: 2 };
            judge(text.judge(&program).unwrap(), &[(1, fact)])
        };
        assert_eq!(judge(read, 1), (1, 1));
        assert_eq!(judge(read, 2), (0, 1));
        assert_eq!(judge(read, 3), (0, 1));
        assert_eq!(judge(other, 1), (0, 0));
    }
}
