//! I3: no charge without an order.
//!
//! Judged at the end of the run: a handler that charges first and writes the order afterwards has
//! until then.

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
    charged: ByOrder<bool>,
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
    fn observe(&mut self, _: Time, fact: &Fact) {
        match *fact {
            Fact::Effect { effect, order, .. } if effect == self.effect => {
                *self.charged.of(order) = true;
            }
            _ => self.rows.observe(fact),
        }
    }

    fn tally(&self, judgement: Judgement) -> Tally {
        let mut tally = Tally::default();
        for (order, _) in self.charged.iter().filter(|(_, charged)| **charged) {
            tally.exposed();
            if !self.rows.has(order) {
                tally.broken(judgement.end, Some(order));
            }
        }
        tally
    }
}
