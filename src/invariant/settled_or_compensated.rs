//! I4: an accepted order is settled, or it is cancelled and paid back.
//!
//! Judged at the time by which it must be so: the bound after the order was accepted or, if the
//! experiment says `after_faults`, after all faults were over if that is later. Then the order's
//! row is in the settled state, or in the cancelled one with as many refunds as charges. What a
//! crash or a failover undoes, then or later, does not count. An order whose time is not up when
//! the run ends is not judged.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::breakable::Breakable;
use super::judge::{Invariant, Judgement, Tally};
use super::known::ByOrder;
use super::names::{effect, operation, row_state};
use super::promise::{Judged, Promise};
use super::standing::Standing;
use crate::kernel::time::{Span, Time};
use crate::model::problem::{Problem, shortened};
use crate::model::program::{LabelId, OperationId, Program};
use crate::policy::Outcome;
use crate::system::fact::Fact;
use crate::system::fact::kind::hears;

/// `settled_or_compensated = { accepted = "api.place_order", settled = "orders.order = paid",
/// cancelled = "orders.order = cancelled", effect = "charge", refund = "refund", within = "30s" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct SettledOrCompensatedText {
    /// The operation whose `ok` tells the user that the order is accepted.
    accepted: String,
    /// The row and state of an order that is settled.
    settled: String,
    /// The row and state of an order that is cancelled, if any can be.
    #[serde(default)]
    cancelled: Option<String>,
    /// The effect that costs the user money, if there is one.
    #[serde(default)]
    effect: Option<String>,
    /// The effect that gives it back, if there is one.
    #[serde(default)]
    refund: Option<String>,
    /// How long after its acceptance it must be one or the other, whatever goes wrong meanwhile.
    within: Span,
    /// Whether the time begins with the end of all faults if that is later.
    #[serde(default)]
    after_faults: bool,
}

impl Promise for SettledOrCompensatedText {
    const NAME: &'static str = "settled_or_compensated";
    const SENTENCE: &'static str = "Every accepted order is settled, or cancelled and paid back.";
    const LABEL: &'static str = "unsettled orders";
    const JUDGED: Judged = Judged::AtEnd;
    const IS_LOSS: bool = true;
    const EXCUSES: &'static [&'static str] = &["cancelled"];

    type Judge = SettledOrCompensated;

    fn judge(&self, program: &Program) -> Result<SettledOrCompensated, Problem> {
        let had = |name: &Option<String>, key: &'static str| {
            let had = name.as_ref().map(|name| effect(name, program)).transpose();
            had.map_err(|problem| problem.inside(key))
        };
        if let (None, Some(refund)) = (&self.effect, &self.refund) {
            return Err(Problem::new(format!("`{}` gives nothing back", shortened(refund)))
                .expected("`effect` beside it")
                .inside("refund"));
        }
        let cancelled = self.cancelled.as_ref().map(|cancelled| Goal::new(cancelled, program));
        Ok(SettledOrCompensated {
            accepted: operation(&self.accepted, program)
                .map_err(|problem| problem.inside("accepted"))?,
            effect: had(&self.effect, "effect")?,
            refund: had(&self.refund, "refund")?,
            within: self.within,
            after_faults: self.after_faults,
            settled: Goal::new(&self.settled, program)
                .map_err(|problem| problem.inside("settled"))?,
            cancelled: cancelled.transpose().map_err(|problem| problem.inside("cancelled"))?,
            orders: ByOrder::default(),
        })
    }

    fn breakable(&self, asked: &mut Breakable<'_>) {
        asked.told_users("accepted", &self.accepted);
    }
}

/// Follows accepted orders and the money that they moved. Exposure: orders accepted whose time is
/// up.
#[derive(Clone, Debug)]
pub(super) struct SettledOrCompensated {
    accepted: OperationId,
    effect: Option<LabelId>,
    refund: Option<LabelId>,
    within: Span,
    after_faults: bool,
    settled: Goal,
    cancelled: Option<Goal>,
    orders: ByOrder<Known>,
}

/// A row and the state in which it should be.
#[derive(Clone, Debug)]
struct Goal {
    rows: Standing,
    /// `None` if the program never writes it.
    state: Option<LabelId>,
}

#[derive(Clone, Debug, Default)]
struct Known {
    accepted: Option<Time>,
    /// When the order was charged (1) or refunded (-1).
    effects: Vec<(Time, i64)>,
}

impl Goal {
    fn new(text: &str, program: &Program) -> Result<Goal, Problem> {
        let (table, database, state) = row_state(text, program)?;
        Ok(Goal { rows: Standing::orders((table, database)), state })
    }

    fn is_reached(&self, order: u64, at: Time) -> bool {
        self.state.is_some() && self.rows.state_at(order, at) == self.state
    }
}

impl Known {
    fn net(&self, until: Time) -> i64 {
        self.effects.iter().filter(|&&(at, _)| at <= until).map(|&(_, sign)| sign).sum()
    }
}

hears!(SettledOrCompensated: Answered, Effect; Standing);

impl Invariant for SettledOrCompensated {
    fn observe(&mut self, now: Time, fact: &Fact) {
        match *fact {
            Answered { request, outcome: Outcome::Ok, .. }
                if request.operation == self.accepted =>
            {
                self.orders.of(request.order).accepted.get_or_insert(now);
            }
            Effect { effect, order, .. } if Some(effect) == self.effect => {
                self.orders.of(order).effects.push((now, 1));
            }
            Effect { effect, order, .. } if Some(effect) == self.refund => {
                self.orders.of(order).effects.push((now, -1));
            }
            _ => {
                let goals = [&mut self.settled].into_iter().chain(&mut self.cancelled);
                goals.for_each(|goal| goal.rows.observe::<Self>(now, fact));
            }
        }
    }

    fn tally(&self, judgement: Judgement) -> Tally {
        let mut tally = Tally::default();
        for (order, known) in self.orders.iter() {
            let Some(accepted) = known.accepted else { continue };
            let due = judgement.due(accepted, self.within, self.after_faults);
            if due > judgement.end {
                tally.not_judged();
                continue;
            }
            tally.exposed();
            let is_cancelled =
                self.cancelled.as_ref().is_some_and(|cancelled| cancelled.is_reached(order, due));
            let is_compensated = is_cancelled && known.net(due) == 0;
            if !self.settled.is_reached(order, due) && !is_compensated {
                tally.broken(due, Some(order));
            }
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariant::fixture::*;
    use crate::system::fact::Request;

    const PLACE: OperationId = OperationId(0);

    fn invariant(after_faults: bool) -> SettledOrCompensated {
        let goal = |state| Goal { rows: Standing::orders((ORDERS, DATABASE)), state: Some(state) };
        SettledOrCompensated {
            accepted: PLACE,
            effect: Some(CHARGE),
            refund: Some(REFUND),
            within: Span::from_secs(10),
            after_faults,
            settled: goal(PAID),
            cancelled: Some(goal(CANCELLED)),
            orders: ByOrder::default(),
        }
    }

    fn accepted(order: u64) -> Fact {
        let request = Request { operation: PLACE, order, key: 7, started: Time::ZERO };
        Fact::Answered { request, outcome: Outcome::Ok, attempts: 1 }
    }

    /// What it says of one order that is accepted after 1 s.
    fn of(facts: &[(u64, Fact)], healed: u64, end: u64) -> (u64, u64) {
        let facts = [&[(1, accepted(0)), (1, committed(0, PLACED, 1))], facts].concat();
        counts(judge(invariant(true), &facts, healed, end))
    }

    #[test]
    fn an_order_that_nobody_settles_breaks_it_when_its_time_is_up() {
        assert_eq!(of(&[], 0, 11), (1, 1));
        assert_eq!(of(&[], 0, 10), (0, 0), "its time is not up");
        let request = Request { operation: OperationId(1), order: 0, key: 7, started: Time::ZERO };
        let other = (1, Fact::Answered { request, outcome: Outcome::Ok, attempts: 1 });
        assert_eq!(counts(judge(invariant(true), &[other], 0, 11)), (0, 0), "another operation");
        let unjudged = judge(invariant(false), &[(1, accepted(0))], 0, 10);
        assert_eq!((unjudged.exposure, unjudged.unjudged), (0, 1));
        assert_eq!(of(&[], 2, 11), (0, 0), "the faults lasted longer");
        assert_eq!(of(&[(12, committed(0, PAID, 2))], 0, 20), (1, 1), "too late");
        assert_eq!(of(&[(11, committed(0, PAID, 2))], 0, 20), (0, 1));
    }

    #[test]
    fn the_time_runs_through_faults_unless_it_begins_after_them() {
        let facts = [(1, accepted(0)), (14, committed(0, PAID, 1))];
        let broken = judge(invariant(false), &facts, 5, 20);
        assert_eq!((counts(broken), broken.first.unwrap().at), ((1, 1), at(11)));
        assert_eq!(counts(judge(invariant(true), &facts, 5, 20)), (0, 1));
    }

    #[test]
    fn a_cancelled_order_must_be_paid_back() {
        let charged = (2, had(CHARGE, 0));
        let cancelled = (3, committed(0, CANCELLED, 2));
        let refunded = (4, had(REFUND, 0));
        assert_eq!(of(&[charged, cancelled], 0, 20), (1, 1));
        assert_eq!(of(&[charged, cancelled, refunded], 0, 20), (0, 1));
        let refunded_at = |at| of(&[charged, cancelled, (at, had(REFUND, 0))], 0, 20);
        assert_eq!((refunded_at(11), refunded_at(12)), ((0, 1), (1, 1)), "in time, and too late");
        assert_eq!(of(&[cancelled], 0, 20), (0, 1), "it was never charged");
        assert_eq!(of(&[charged, charged, cancelled, refunded], 0, 20), (1, 1));
    }

    #[test]
    fn a_model_may_have_no_refund_no_charge_or_no_cancellation() {
        let facts = |more: &[(u64, Fact)]| [&[(1, accepted(0))], more].concat();
        let (charged, cancelled) = ((2, had(CHARGE, 0)), (3, committed(0, CANCELLED, 1)));
        let judge = |invariant, more: &[(u64, Fact)]| counts(judge(invariant, &facts(more), 0, 20));
        let none = || SettledOrCompensated { refund: None, ..invariant(false) };
        assert_eq!(judge(none(), &[charged, cancelled]), (1, 1), "nothing gives it back");
        assert_eq!(judge(none(), &[cancelled]), (0, 1), "never charged");
        let free = || SettledOrCompensated { effect: None, ..none() };
        assert_eq!(judge(free(), &[charged, cancelled]), (0, 1), "charges are not looked at");
        let for_good = || SettledOrCompensated { cancelled: None, ..free() };
        assert_eq!(judge(for_good(), &[cancelled]), (1, 1));
        assert_eq!(judge(for_good(), &[(3, committed(0, PAID, 1))]), (0, 1));
    }

    #[test]
    fn what_a_crash_undoes_settles_nothing() {
        let paid = (2, committed(0, PAID, 2));
        assert_eq!(of(&[paid, (3, log_lost(1))], 0, 20), (1, 1));
        assert_eq!(of(&[paid, (2, flushed(2)), (3, log_lost(2))], 0, 20), (0, 1));
    }
}
