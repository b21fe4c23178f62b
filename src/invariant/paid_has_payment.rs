//! I2: no order is marked paid without a durable payment record.
//!
//! Judged at the end of the run, so that a record written a moment later is no violation: what
//! counts is what the books say when everything has come to rest.

use super::known::DurableRows;
use super::language::{PaidHasPaymentText, row_state};
use super::{Invariant, Judgement, Tally};
use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::model::program::Program;
use crate::system::fact::Fact;

/// Compares the orders marked paid with the payment records on disk. Exposure: orders paid.
#[derive(Clone, Debug)]
pub(super) struct PaidHasPayment {
    paid: DurableRows,
    payment: DurableRows,
}

impl PaidHasPayment {
    pub(super) fn new(
        text: &PaidHasPaymentText,
        program: &Program,
    ) -> Result<PaidHasPayment, Problem> {
        let paid = row_state(&text.paid, program).map_err(|problem| problem.inside("paid"))?;
        let payment =
            row_state(&text.payment, program).map_err(|problem| problem.inside("payment"))?;
        let (paid, payment) = (DurableRows::in_state(paid), DurableRows::in_state(payment));
        Ok(PaidHasPayment { paid, payment })
    }
}

impl Invariant for PaidHasPayment {
    fn observe(&mut self, _: Time, fact: &Fact) {
        self.paid.observe(fact);
        self.payment.observe(fact);
    }

    fn tally(&self, judgement: Judgement) -> Tally {
        let mut tally = Tally::default();
        for order in self.paid.orders() {
            tally.exposed();
            if !self.payment.has(order) {
                tally.broken(judgement.end, Some(order));
            }
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::{Write, flushed, judge, program};
    use super::*;

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
            judge(PaidHasPayment::new(&text, &program).unwrap(), &facts)
        };
        assert_eq!(judge(2), (0, 1));
        assert_eq!(judge(1), (1, 1));
        assert_eq!(judge(0), (0, 0));
    }
}
