//! I2: no order is marked paid without a durable payment record.
//!
//! Judged at the end of the run, so that a record written a moment later is no violation: what
//! counts is what the books say when everything has come to rest. What is missing then is missing
//! since the order was marked, or since a crash or a failover undid the record, if that is later.

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
    fn observe(&mut self, now: Time, fact: &Fact) {
        self.paid.observe(now, fact);
        self.payment.observe(now, fact);
    }

    fn tally(&self, _: Judgement) -> Tally {
        let mut tally = Tally::default();
        for order in self.paid.orders() {
            tally.exposed();
            if !self.payment.has(order) {
                let since = self.paid.committed(order, 0).max(self.payment.lost(order));
                tally.broken(since, Some(order));
            }
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::{Write, broken_at, flushed, judge, log_lost, program};
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
        let at =
            |facts: &[(u64, Fact)]| broken_at(PaidHasPayment::new(&text, &program).unwrap(), facts);
        let (flush, record) = ((9, flushed(&program, 1)), (8, write("db.debit = posted", 2)));
        assert_eq!(at(&[paid, flush]), Some(7));
        assert_eq!(at(&[paid, record, flush, (12, log_lost(&program, 1))]), Some(12));
    }
}
