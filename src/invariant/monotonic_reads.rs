//! I11: what a user is shown of a row never becomes older.

use super::language::{MonotonicReadsText, operation};
use super::{Invariant, Judgement, Tally};
use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::model::program::{OperationId, Program};
use crate::system::fact::Fact;

/// Counts answers older than one before them. Exposure: answers about a row that the user had been
/// shown.
#[derive(Clone, Debug)]
pub(super) struct MonotonicReads {
    read: OperationId,
    tally: Tally,
}

impl MonotonicReads {
    pub(super) fn new(
        text: &MonotonicReadsText,
        program: &Program,
    ) -> Result<MonotonicReads, Problem> {
        let read = operation(&text.read, program).map_err(|problem| problem.inside("read"))?;
        Ok(MonotonicReads { read, tally: Tally::default() })
    }
}

impl Invariant for MonotonicReads {
    fn observe(&mut self, now: Time, fact: &Fact) {
        let Fact::ReadAgain { operation, order, seen, highest, .. } = *fact else { return };
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
            judge(MonotonicReads::new(&text, &program).unwrap(), &[(1, fact)])
        };
        let judge = |seen| judge_of(operation, seen);
        let other = program.find_operation("api.place").unwrap();
        assert_eq!(judge_of(other, 3), (0, 0));
        assert_eq!(judge(3), (1, 1));
        assert_eq!(judge(4), (0, 1));
    }
}
