//! I2: no order is marked paid without a durable payment record.
//!
//! A case of I25, judged at the end of the run, so that a record written a moment later is no
//! violation: what counts is what the books say when everything has come to rest. What is missing
//! then is missing since the order was marked, or since a crash or a failover undid the record, if
//! that is later.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::condition::Condition;
use super::implies::{Due, Implies};
use super::names::row_state;
use super::promise::{Judged, Promise};
use crate::model::problem::Problem;
use crate::model::program::Program;

/// `paid_has_payment = { paid = "orders.order = paid", payment = "orders.payment = recorded" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct PaidHasPaymentText {
    /// The row and state of an order that is paid.
    paid: String,
    /// The row and state of its payment record.
    payment: String,
}

impl Promise for PaidHasPaymentText {
    const NAME: &'static str = "paid_has_payment";
    const SENTENCE: &'static str = "No order is paid without a durable payment record.";
    const LABEL: &'static str = "paid without record";
    const JUDGED: Judged = Judged::AtEnd;

    type Judge = Implies;

    fn judge(&self, program: &Program) -> Result<Implies, Problem> {
        let row = |text: &str, key: &str| {
            // A state is needed on both sides.
            let row = row_state(text, program).and_then(|_| Condition::row(text, program));
            row.map_err(|problem| problem.inside(key))
        };
        Ok(Implies::of(row(&self.paid, "paid")?, row(&self.payment, "payment")?, Due::AtEnd))
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::{Write, broken_at, flushed, judge, log_lost, program};
    use super::*;
    use crate::system::fact::Fact;

    #[test]
    fn a_paid_order_has_a_record_on_disk() {
        let program = program();
        let text = PaidHasPaymentText {
            paid: "db.order = paid".to_owned(),
            payment: "db.debit = posted".to_owned(),
        };
        let write =
            |text, position| (1, Write { order: 3, position, ..Write::of(&program, text) }.fact());
        let (paid, payment) = (write("db.order = paid", 1), write("db.debit = posted", 2));
        let judge = |position| {
            let facts = [paid, payment, (2, flushed(&program, position))];
            judge(text.judge(&program).unwrap(), &facts)
        };
        assert_eq!(judge(2), (0, 1));
        assert_eq!(judge(1), (1, 1));
        assert_eq!(judge(0), (0, 0));
    }

    #[test]
    fn it_is_broken_since_the_order_was_marked_or_its_record_was_lost() {
        let program = program();
        let text = PaidHasPaymentText {
            paid: "db.order = paid".to_owned(),
            payment: "db.debit = posted".to_owned(),
        };
        let write =
            |text, position| Write { order: 3, position, ..Write::of(&program, text) }.fact();
        let paid = (7, write("db.order = paid", 1));
        let at = |facts: &[(u64, Fact)]| broken_at(text.judge(&program).unwrap(), facts);
        let (flush, record) = ((9, flushed(&program, 1)), (8, write("db.debit = posted", 2)));
        assert_eq!(at(&[paid, flush]), Some(7));
        assert_eq!(at(&[paid, record, flush, (12, log_lost(&program, 1))]), Some(12));
    }
}
