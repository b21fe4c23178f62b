//! I3: no charge without an order.
//!
//! Judged at the end of the run: a handler that charges first and writes the order afterwards has
//! until then. An order that is missing then is missing since the charge, or since a crash or a
//! failover undid it, if that is later.

use super::known::{ByOrder, DurableRows};
use super::language::{ChargeHasOrderText, effect, table};
use super::{Invariant, Judgement, Tally};
use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::model::program::{LabelId, Program};
use crate::system::fact::Fact;

/// Compares charged orders with the order rows on disk. Exposure: orders charged.
#[derive(Clone, Debug)]
pub(super) struct ChargeHasOrder {
    effect: LabelId,
    /// When an order was charged for the first time.
    charged: ByOrder<Option<Time>>,
    rows: DurableRows,
}

impl ChargeHasOrder {
    pub(super) fn new(
        text: &ChargeHasOrderText,
        program: &Program,
    ) -> Result<ChargeHasOrder, Problem> {
        let order = table(&text.order, program).map_err(|problem| problem.inside("order"))?;
        Ok(ChargeHasOrder {
            effect: effect(&text.effect, program).map_err(|problem| problem.inside("effect"))?,
            charged: ByOrder::default(),
            rows: DurableRows::of(order),
        })
    }
}

impl Invariant for ChargeHasOrder {
    fn observe(&mut self, now: Time, fact: &Fact) {
        match *fact {
            Fact::Effect { effect, order, .. } if effect == self.effect => {
                self.charged.of(order).get_or_insert(now);
            }
            _ => self.rows.observe(now, fact),
        }
    }

    fn tally(&self, _: Judgement) -> Tally {
        let mut tally = Tally::default();
        for (order, charged) in self.charged.iter() {
            let Some(charged) = *charged else { continue };
            tally.exposed();
            if !self.rows.has(order) {
                tally.broken(charged.max(self.rows.lost(order)), Some(order));
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
    fn the_order_may_come_after_the_charge_but_not_never() {
        let program = program();
        let text = ChargeHasOrderText { effect: "charge".to_owned(), order: "db.order".to_owned() };
        let effect = effect("charge", &program).unwrap();
        let charge = (1, Fact::Effect { effect, order: 3, key: 0, amount: 0 });
        let write = (2, Write { order: 3, ..Write::of(&program, "db.order = paid") }.fact());
        let flush = (3, flushed(&program, 1));
        let judge =
            |facts: &[(u64, Fact)]| judge(ChargeHasOrder::new(&text, &program).unwrap(), facts);
        assert_eq!(judge(&[charge, write, flush]), (0, 1));
        assert_eq!(judge(&[charge, write]), (1, 1));
        assert_eq!(judge(&[charge]), (1, 1));
        let at =
            |facts: &[(u64, Fact)]| broken_at(ChargeHasOrder::new(&text, &program).unwrap(), facts);
        assert_eq!(at(&[charge]), Some(1), "since the charge");
        let lost = (8, log_lost(&program, 0));
        assert_eq!(at(&[charge, write, lost]), Some(8), "since the order was lost");
    }
}
