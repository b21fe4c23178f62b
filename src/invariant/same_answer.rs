//! I16: an idempotency key has one final answer, and it is about one order.

use std::collections::BTreeMap;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::breakable::Breakable;
use super::judge::{Invariant, Judgement, Tally};
use super::names::operation;
use super::promise::{Judged, Promise};
use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::model::program::{OperationId, Program, Token};
use crate::policy::Outcome;
use crate::system::fact::Fact;
use crate::system::fact::kind::hears;

/// `same_answer = { operation = "payment.charge" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct SameAnswerText {
    /// The operation of a provider that takes idempotency keys.
    operation: String,
}

impl Promise for SameAnswerText {
    const NAME: &'static str = "same_answer";
    const SENTENCE: &'static str = "An idempotency key has one answer.";
    const LABEL: &'static str = "answers changed";
    const JUDGED: Judged = Judged::AtOnce;

    type Judge = SameAnswer;

    fn judge(&self, program: &Program) -> Result<SameAnswer, Problem> {
        let operation =
            operation(&self.operation, program).map_err(|problem| problem.inside("operation"))?;
        Ok(SameAnswer { operation, first: BTreeMap::new(), tally: Tally::default() })
    }

    fn breakable(&self, asked: &mut Breakable<'_>) {
        let what = ("call has an idempotency key at", "a call with an `idempotency_key`");
        asked.called("operation", &self.operation, what, |call| call.token != Token::None);
    }
}

/// Counts final answers other than the first one with their key, and answers to another order.
/// Exposure: final answers to calls whose key had one.
#[derive(Clone, Debug)]
pub(super) struct SameAnswer {
    operation: OperationId,
    /// By key: the order, the answer and its body.
    first: BTreeMap<u64, (u64, Outcome, u64)>,
    tally: Tally,
}

hears!(SameAnswer: KeyAnswered);

impl Invariant for SameAnswer {
    fn observe(&mut self, now: Time, fact: &Fact) {
        let KeyAnswered { operation, token, order, outcome, body } = *fact else { return };
        if operation != self.operation {
            return;
        }
        let answer = (order, outcome, body);
        match self.first.get(&token) {
            None => {
                self.first.insert(token, answer);
            }
            Some(&first) => {
                self.tally.exposed();
                if first != answer {
                    self.tally.broken(now, Some(order));
                }
            }
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
    fn a_key_has_one_answer_about_one_order() {
        let program = program();
        let operation = program.find_operation("bank.charge").unwrap();
        let text = SameAnswerText { operation: "bank.charge".to_owned() };
        let answer = |token, order, outcome, body| {
            (1, Fact::KeyAnswered { operation, token, order, outcome, body })
        };
        let first = answer(7, 1, Outcome::Ok, 1);
        let judge = |second| judge(text.judge(&program).unwrap(), &[first, second]);
        assert_eq!(judge(first), (0, 1));
        assert_eq!(judge(answer(8, 2, Outcome::Ok, 2)), (0, 0));
        assert_eq!(judge(answer(7, 1, Outcome::Ok, 2)), (1, 1));
        assert_eq!(judge(answer(7, 1, Outcome::Failed, 1)), (1, 1));
        assert_eq!(judge(answer(7, 2, Outcome::Ok, 1)), (1, 1));
        let operation = program.find_operation("bank.refund").unwrap();
        let (token, order, outcome, body) = (7, 2, Outcome::Failed, 2);
        let elsewhere = Fact::KeyAnswered { operation, token, order, outcome, body };
        assert_eq!(judge((1, elsewhere)), (0, 0), "of another operation");
    }
}
