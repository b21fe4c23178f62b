//! I3: no charge without an order.
//!
//! Judged at the end of the run: a handler that charges first and writes the order afterwards has
//! until then.

use super::language::{ChargeHasOrderText, effect, table};
use super::{ByOrder, Durability, Verdict};
use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::model::program::{LabelId, NodeId, Program, TableId};
use crate::system::fact::Fact;

/// Compares charged orders with the order rows on disk. Exposure: orders charged.
#[derive(Clone, Debug)]
pub(super) struct ChargeHasOrder {
    effect: LabelId,
    order: (TableId, NodeId),
    orders: ByOrder<Known>,
    rows: Durability<u64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Known {
    charged: bool,
    /// How many versions of its row are on disk.
    written: u32,
}

impl ChargeHasOrder {
    pub(super) fn new(
        text: &ChargeHasOrderText,
        program: &Program,
    ) -> Result<ChargeHasOrder, Problem> {
        Ok(ChargeHasOrder {
            effect: effect(&text.effect, program).map_err(|problem| problem.inside("effect"))?,
            order: table(&text.order, program).map_err(|problem| problem.inside("order"))?,
            orders: ByOrder::default(),
            rows: Durability::default(),
        })
    }

    pub(super) fn observe(&mut self, fact: &Fact) {
        match *fact {
            Fact::Effect { effect, order } if effect == self.effect => {
                self.orders.of(order).charged = true;
            }
            Fact::Committed { table, order, position, .. } if table == self.order.0 => {
                self.rows.wrote(position, order);
            }
            Fact::Flushed { database, position } if database == self.order.1 => {
                for order in self.rows.flushed(position) {
                    self.orders.of(order).written += 1;
                }
            }
            Fact::LogLost { database, after, .. } if database == self.order.1 => {
                self.rows.lost(after);
            }
            Fact::WriteLost { table, order, position, .. }
                if table == self.order.0 && !self.rows.undone(position, &order) =>
            {
                self.orders.of(order).written -= 1;
            }
            _ => {}
        }
    }

    pub(super) fn verdict(&self, end: Time) -> Verdict {
        let charged = || self.orders.iter().filter(|(_, known)| known.charged);
        let mut broken = charged().filter(|(_, known)| known.written == 0).map(|(order, _)| order);
        let first = broken.next();
        Verdict {
            invariant: "charge_has_order",
            violations: first.map_or(0, |_| 1 + broken.count() as u64),
            exposure: charged().count() as u64,
            first: first.map(|order| (end, order)),
            at_end: true,
        }
    }
}
