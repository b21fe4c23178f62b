//! I5: no accepted order is lost.
//!
//! An order is lost if its user was told that it is accepted, and at the end of the run it has no
//! durable row, or it is not settled and nothing that is still on its way could settle it: no event
//! in an outbox, no message in a queue. A dead letter is not on its way.

use super::language::{AcceptedOrderKeptText, operation, row_state, table};
use super::{ByOrder, Durability, Verdict};
use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::model::program::{LabelId, NodeId, OperationId, Program, TableId};
use crate::policy::Outcome;
use crate::system::fact::Fact;

/// Follows accepted orders to their end. Exposure: orders accepted.
#[derive(Clone, Debug)]
pub(super) struct AcceptedOrderKept {
    accepted: OperationId,
    order: (TableId, NodeId),
    settled: (TableId, NodeId, Option<LabelId>),
    orders: ByOrder<Known>,
    rows: Durability<u64>,
    settlements: Durability<u64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Known {
    accepted: bool,
    /// How many versions of its row are on disk.
    written: u32,
    /// How many of those that settle it are.
    settled: u32,
    on_its_way: bool,
}

impl AcceptedOrderKept {
    pub(super) fn new(
        text: &AcceptedOrderKeptText,
        program: &Program,
    ) -> Result<AcceptedOrderKept, Problem> {
        Ok(AcceptedOrderKept {
            accepted: operation(&text.accepted, program)
                .map_err(|problem| problem.inside("accepted"))?,
            order: table(&text.order, program).map_err(|problem| problem.inside("order"))?,
            settled: row_state(&text.settled, program)
                .map_err(|problem| problem.inside("settled"))?,
            orders: ByOrder::default(),
            rows: Durability::default(),
            settlements: Durability::default(),
        })
    }

    pub(super) fn observe(&mut self, fact: &Fact) {
        match *fact {
            Fact::Answered { request, outcome: Outcome::Ok, .. }
                if request.operation == self.accepted =>
            {
                self.orders.of(request.order).accepted = true;
            }
            Fact::Committed { table, order, state, position, .. } => {
                if table == self.order.0 {
                    self.rows.wrote(position, order);
                }
                if table == self.settled.0 && Some(state) == self.settled.2 {
                    self.settlements.wrote(position, order);
                }
            }
            Fact::Flushed { database, position } => {
                if database == self.order.1 {
                    for order in self.rows.flushed(position) {
                        self.orders.of(order).written += 1;
                    }
                }
                if database == self.settled.1 {
                    for order in self.settlements.flushed(position) {
                        self.orders.of(order).settled += 1;
                    }
                }
            }
            Fact::LogLost { database, after, .. } => {
                if database == self.order.1 {
                    self.rows.lost(after);
                }
                if database == self.settled.1 {
                    self.settlements.lost(after);
                }
            }
            Fact::WriteLost { table, order, state, position, .. } => {
                if table == self.order.0 && !self.rows.undone(position, &order) {
                    self.orders.of(order).written -= 1;
                }
                if table == self.settled.0
                    && Some(state) == self.settled.2
                    && !self.settlements.undone(position, &order)
                {
                    self.orders.of(order).settled -= 1;
                }
            }
            Fact::Unprocessed { order, .. } => self.orders.of(order).on_its_way = true,
            _ => {}
        }
    }

    pub(super) fn verdict(&self, end: Time) -> Verdict {
        let accepted = || self.orders.iter().filter(|(_, known)| known.accepted);
        let is_lost = |known: &Known| known.written == 0 || known.settled == 0 && !known.on_its_way;
        let mut lost = accepted().filter(|(_, known)| is_lost(known)).map(|(order, _)| order);
        let first = lost.next();
        Verdict {
            invariant: "accepted_order_kept",
            violations: first.map_or(0, |_| 1 + lost.count() as u64),
            exposure: accepted().count() as u64,
            first: first.map(|order| (end, order)),
            at_end: true,
        }
    }
}
