//! I10: a user who was told of a write sees it, or something newer, whenever it looks.

use super::language::{ReadYourWritesText, operation};
use super::{Invariant, Judgement, Tally};
use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::model::program::{OperationId, Program};
use crate::system::fact::Fact;

/// Counts answers that show less than their user wrote. Exposure: answers that must show it.
#[derive(Clone, Debug)]
pub(super) struct ReadYourWrites {
    read: OperationId,
    tally: Tally,
}

impl ReadYourWrites {
    pub(super) fn new(
        text: &ReadYourWritesText,
        program: &Program,
    ) -> Result<ReadYourWrites, Problem> {
        let read = operation(&text.read, program).map_err(|problem| problem.inside("read"))?;
        Ok(ReadYourWrites { read, tally: Tally::default() })
    }
}

impl Invariant for ReadYourWrites {
    fn observe(&mut self, now: Time, fact: &Fact) {
        let Fact::ReadBack { operation, order, seen, own, .. } = *fact else { return };
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
            judge(ReadYourWrites::new(&text, &program).unwrap(), &[(1, fact)])
        };
        assert_eq!(judge(read, 1), (1, 1));
        assert_eq!(judge(read, 2), (0, 1));
        assert_eq!(judge(read, 3), (0, 1));
        assert_eq!(judge(other, 1), (0, 0));
    }
}
