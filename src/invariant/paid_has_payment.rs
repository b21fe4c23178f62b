//! I2: no order is marked paid without a durable payment record.
//!
//! Judged at the end of the run, so that a record written a moment later is no violation: what
//! counts is what the books say when everything has come to rest.

use super::language::{PaidHasPaymentText, row_state};
use super::{ByOrder, Durability, Verdict};
use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::model::program::{LabelId, NodeId, Program, TableId};
use crate::system::fact::Fact;

/// Compares the orders marked paid with the payment records on disk. Exposure: orders paid.
#[derive(Clone, Debug)]
pub(super) struct PaidHasPayment {
    paid: (TableId, NodeId, Option<LabelId>),
    payment: (TableId, NodeId, Option<LabelId>),
    orders: ByOrder<Known>,
    marks: Durability<(u64, bool)>,
    records: Durability<u64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Known {
    paid: bool,
    /// How many payment records are on disk.
    recorded: u32,
}

impl PaidHasPayment {
    pub(super) fn new(
        text: &PaidHasPaymentText,
        program: &Program,
    ) -> Result<PaidHasPayment, Problem> {
        Ok(PaidHasPayment {
            paid: row_state(&text.paid, program).map_err(|problem| problem.inside("paid"))?,
            payment: row_state(&text.payment, program)
                .map_err(|problem| problem.inside("payment"))?,
            orders: ByOrder::default(),
            marks: Durability::default(),
            records: Durability::default(),
        })
    }

    pub(super) fn observe(&mut self, fact: &Fact) {
        match *fact {
            Fact::Committed { table, order, state, position, .. } => {
                if table == self.paid.0 {
                    self.marks.wrote(position, (order, Some(state) == self.paid.2));
                }
                if table == self.payment.0 && Some(state) == self.payment.2 {
                    self.records.wrote(position, order);
                }
            }
            Fact::Flushed { database, position } => {
                if database == self.paid.1 {
                    for (order, is_paid) in self.marks.flushed(position) {
                        self.orders.of(order).paid = is_paid;
                    }
                }
                if database == self.payment.1 {
                    for order in self.records.flushed(position) {
                        self.orders.of(order).recorded += 1;
                    }
                }
            }
            Fact::LogLost { database, after, .. } => {
                if database == self.paid.1 {
                    self.marks.lost(after);
                }
                if database == self.payment.1 {
                    self.records.lost(after);
                }
            }
            Fact::WriteLost { table, order, state, position, .. } => {
                let is_paid = Some(state) == self.paid.2;
                if table == self.paid.0
                    && !self.marks.undone(position, &(order, is_paid))
                    && is_paid
                {
                    self.orders.of(order).paid = false;
                }
                if table == self.payment.0
                    && Some(state) == self.payment.2
                    && !self.records.undone(position, &order)
                {
                    self.orders.of(order).recorded -= 1;
                }
            }
            _ => {}
        }
    }

    pub(super) fn verdict(&self, end: Time) -> Verdict {
        let paid = || self.orders.iter().filter(|(_, known)| known.paid);
        let mut broken = paid().filter(|(_, known)| known.recorded == 0).map(|(order, _)| order);
        let first = broken.next();
        Verdict {
            invariant: "paid_has_payment",
            violations: first.map_or(0, |_| 1 + broken.count() as u64),
            exposure: paid().count() as u64,
            first: first.map(|order| (end, order)),
            at_end: true,
        }
    }
}
