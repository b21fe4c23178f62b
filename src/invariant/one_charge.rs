//! I1: at most one charge per order, whatever is retried, lost or repeated.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::breakable::Breakable;
use super::judge::{Invariant, Judgement, Tally};
use super::known::ByOrder;
use super::names::effect;
use super::promise::{Judged, Promise};
use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::model::program::{LabelId, Program};
use crate::system::fact::Fact;
use crate::system::fact::kind::hears;

/// `one_charge = { effect = "charge" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct OneChargeText {
    /// The effect that must not be repeated.
    effect: String,
}

impl Promise for OneChargeText {
    const NAME: &'static str = "one_charge";
    const SENTENCE: &'static str = "At most one charge per order.";
    const LABEL: &'static str = "double charges";
    const JUDGED: Judged = Judged::AtOnce;

    type Judge = OneCharge;

    fn judge(&self, program: &Program) -> Result<OneCharge, Problem> {
        Ok(OneCharge {
            effect: effect(&self.effect, program).map_err(|problem| problem.inside("effect"))?,
            charges: ByOrder::default(),
            tally: Tally::default(),
        })
    }

    fn breakable(&self, asked: &mut Breakable<'_>) {
        asked.effect("effect", &self.effect);
    }
}

/// Counts orders that were charged more than once. Exposure: orders charged.
#[derive(Clone, Debug)]
pub(super) struct OneCharge {
    effect: LabelId,
    charges: ByOrder<u32>,
    tally: Tally,
}

hears!(OneCharge: Effect);

impl Invariant for OneCharge {
    fn observe(&mut self, now: Time, fact: &Fact) {
        let Effect { effect, order, .. } = *fact else { return };
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
        let judge = |facts: &[(u64, Fact)]| judge(text.judge(&program).unwrap(), facts);
        assert_eq!(judge(&[charge(1), charge(2)]), (0, 2));
        assert_eq!(judge(&[charge(1), charge(1), charge(1)]), (1, 1));
        assert_eq!(judge(&[charge(1), had("refund", 1)]), (0, 1), "another effect");
    }
}
