//! I1: at most one charge per order, whatever is retried, lost or repeated.

use super::known::ByOrder;
use super::language::{OneChargeText, effect};
use super::{Invariant, Judgement, Tally};
use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::model::program::{LabelId, Program};
use crate::system::fact::Fact;

/// Counts orders that were charged more than once. Exposure: orders charged.
#[derive(Clone, Debug)]
pub(super) struct OneCharge {
    effect: LabelId,
    charges: ByOrder<u32>,
    tally: Tally,
}

impl OneCharge {
    pub(super) fn new(text: &OneChargeText, program: &Program) -> Result<OneCharge, Problem> {
        Ok(OneCharge {
            effect: effect(&text.effect, program).map_err(|problem| problem.inside("effect"))?,
            charges: ByOrder::default(),
            tally: Tally::default(),
        })
    }
}

impl Invariant for OneCharge {
    fn observe(&mut self, now: Time, fact: &Fact) {
        let Fact::Effect { effect, order, .. } = *fact else { return };
        if effect != self.effect {
            return;
        }
        let charges = self.charges.of(order);
        *charges += 1;
        match *charges {
            1 => self.tally.exposed(),
            2 => self.tally.broken(now, Some(order)),
            _ => {}
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
    fn each_order_is_charged_once() {
        let program = program();
        let text = OneChargeText { effect: "charge".to_owned() };
        let had = |name: &str, order| {
            let effect = effect(name, &program).unwrap();
            (1, Fact::Effect { effect, order, key: 0, amount: 0 })
        };
        let charge = |order| had("charge", order);
        let judge = |facts: &[(u64, Fact)]| judge(OneCharge::new(&text, &program).unwrap(), facts);
        assert_eq!(judge(&[charge(1), charge(2)]), (0, 2));
        assert_eq!(judge(&[charge(1), charge(1), charge(1)]), (1, 1));
        assert_eq!(judge(&[charge(1), had("refund", 1)]), (0, 1), "another effect");
    }
}
