//! I1: at most one charge per order, whatever is retried, lost or repeated.

use super::language::{OneChargeText, effect};
use super::{ByOrder, Verdict};
use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::model::program::{LabelId, Program};
use crate::system::fact::Fact;

/// Counts orders that were charged more than once. Exposure: orders charged.
#[derive(Clone, Debug)]
pub(super) struct OneCharge {
    effect: LabelId,
    charges: ByOrder<u32>,
    violations: u64,
    exposure: u64,
    first: Option<(Time, u64)>,
}

impl OneCharge {
    pub(super) fn new(text: &OneChargeText, program: &Program) -> Result<OneCharge, Problem> {
        Ok(OneCharge {
            effect: effect(&text.effect, program).map_err(|problem| problem.inside("effect"))?,
            charges: ByOrder::default(),
            violations: 0,
            exposure: 0,
            first: None,
        })
    }

    pub(super) fn observe(&mut self, now: Time, fact: &Fact) {
        let Fact::Effect { effect, order } = *fact else { return };
        if effect != self.effect {
            return;
        }
        let charges = self.charges.of(order);
        *charges += 1;
        match *charges {
            1 => self.exposure += 1,
            2 => {
                self.violations += 1;
                self.first.get_or_insert((now, order));
            }
            _ => {}
        }
    }

    pub(super) fn verdict(&self) -> Verdict {
        Verdict {
            invariant: "one_charge",
            violations: self.violations,
            exposure: self.exposure,
            first: self.first,
            at_end: false,
        }
    }
}
