//! I3: no charge without an order.
//!
//! A case of I25: a charge implies a row, in any state or in one such as `paid`, unless it is paid
//! back. Without a time it is judged at the end of the run: a handler that charges first and writes
//! the order afterwards has until then. An order that is missing then is missing since the charge,
//! or since a crash or a failover undid it, if that is later.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::condition::Condition;
use super::implies::{Due, Implies};

use super::breakable::Breakable;
use super::promise::{Judged, Promise};
use crate::kernel::time::Span;
use crate::model::problem::Problem;
use crate::model::program::Program;

/// `charge_has_order = { effect = "charge", order = "orders.order" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct ChargeHasOrderText {
    /// The effect.
    effect: String,
    /// The row without which it must not be: `"db.table"`, or in a state, `"db.table = state"`.
    order: String,
    /// The effect that gives it back, if there is one: as many of them need no order.
    #[serde(default)]
    refund: Option<String>,
    /// How long after the effect; by the end of the run if it is left out.
    #[serde(default)]
    within: Option<Span>,
    /// Whether the time begins with the end of all faults if that is later.
    #[serde(default)]
    after_faults: bool,
}

impl Promise for ChargeHasOrderText {
    const NAME: &'static str = "charge_has_order";
    const SENTENCE: &'static str = "No charge without an order.";
    const LABEL: &'static str = "charge without order";
    const JUDGED: Judged = Judged::AtEnd;

    type Judge = Implies;

    fn judge(&self, program: &Program) -> Result<Implies, Problem> {
        let inside = |key: &'static str| move |problem: Problem| problem.inside(key);
        let order = Condition::row(&self.order, program).map_err(inside("order"))?;
        let charge = Condition::effect(&self.effect, program).map_err(inside("effect"))?;
        let refund = self.refund.as_ref().map(|refund| Condition::effect(refund, program));
        let refund = refund.transpose().map_err(inside("refund"))?;
        let due = Due::new(self.within, self.after_faults, Due::AtEnd)?;
        Ok(Implies::of(charge, order, due).unless(refund))
    }

    fn breakable(&self, asked: &mut Breakable<'_>) {
        asked.effect("effect", &self.effect);
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::{Write, broken_at, flushed, judge, log_lost, program};
    use super::super::names::effect;
    use super::*;
    use crate::kernel::time::Span;
    use crate::system::fact::Fact;

    fn text(order: &str) -> ChargeHasOrderText {
        let (effect, order) = ("charge".to_owned(), order.to_owned());
        ChargeHasOrderText { effect, order, refund: None, within: None, after_faults: false }
    }

    #[test]
    fn the_order_may_come_after_the_charge_but_not_never() {
        let program = program();
        let text = text("db.order");
        let effect = effect("charge", &program).unwrap();
        let charge = (1, Fact::Effect { effect, order: 3, key: 0, amount: 0 });
        let write = (2, Write { order: 3, ..Write::of(&program, "db.order = paid") }.fact());
        let flush = (3, flushed(&program, 1));
        let judge = |facts: &[(u64, Fact)]| judge(text.judge(&program).unwrap(), facts);
        assert_eq!(judge(&[charge, write, flush]), (0, 1));
        assert_eq!(judge(&[charge, write]), (1, 1));
        assert_eq!(judge(&[charge]), (1, 1));
        let at = |facts: &[(u64, Fact)]| broken_at(text.judge(&program).unwrap(), facts);
        assert_eq!(at(&[charge]), Some(1), "since the charge");
        let lost = (8, log_lost(&program, 0));
        assert_eq!(at(&[charge, write, lost]), Some(8), "since the order was lost");
    }

    #[test]
    fn a_charge_whose_order_is_never_paid_breaks_it_unless_it_is_paid_back() {
        let program = program();
        let text = ChargeHasOrderText {
            refund: Some("refund".to_owned()),
            within: Some(Span::from_millis(10)),
            ..text("db.order = paid")
        };
        let had = |name, at| {
            let effect = effect(name, &program).unwrap();
            (at, Fact::Effect { effect, order: 3, key: 0, amount: 0 })
        };
        let write = |text, at| (at, Write { order: 3, ..Write::of(&program, text) }.fact());
        let flush = (20, flushed(&program, 1));
        let judge = |facts: &[(u64, Fact)]| judge(text.judge(&program).unwrap(), facts);
        let charge = had("charge", 1);
        assert_eq!(judge(&[charge, write("db.order = paid", 11), flush]), (0, 1));
        assert_eq!(judge(&[charge, write("db.order = paid", 12), flush]), (1, 1), "too late");
        assert_eq!(judge(&[charge, write("db.order = accepted", 2), flush]), (1, 1), "not paid");
        assert_eq!(judge(&[charge, had("refund", 11)]), (0, 1));
    }
}
