//! Invariants: promises to the customer, judged from facts by observers that cannot act.
//!
//! Each takes the names of a model's effects, tables and queues, so it serves any model. Beside its
//! violations it counts its exposure: how many operations could have broken it.

mod accepted_order_kept;
mod charge_has_order;
mod language;
mod one_charge;
mod paid_has_payment;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::model::program::Program;
use crate::system::fact::{Fact, Observer};
use accepted_order_kept::AcceptedOrderKept;
use charge_has_order::ChargeHasOrder;
use one_charge::OneCharge;
use paid_has_payment::PaidHasPayment;

pub use language::InvariantTexts;

/// What a run says about one invariant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Verdict {
    /// The name of the invariant. It is not stored: a cell knows its invariants and their order.
    #[serde(skip)]
    pub invariant: &'static str,
    /// For how many orders it was broken.
    pub violations: u64,
    /// How many operations could have broken it.
    pub exposure: u64,
    /// The time and order of the first violation.
    pub first: Option<(Time, u64)>,
    /// Whether it is judged when a run has come to its end: a run that did not says nothing of it.
    pub at_end: bool,
}

/// The invariants of one run.
#[derive(Clone, Debug, Default)]
pub struct Invariants {
    one_charge: Option<OneCharge>,
    paid_has_payment: Option<PaidHasPayment>,
    charge_has_order: Option<ChargeHasOrder>,
    accepted_order_kept: Option<AcceptedOrderKept>,
}

impl Invariants {
    /// The invariants that an experiment declares, for a program.
    ///
    /// # Errors
    /// Every name that the program does not have, by the invariant's name.
    pub fn new(
        texts: &InvariantTexts,
        program: &Program,
    ) -> Result<Invariants, Vec<(&'static str, Problem)>> {
        let mut problems = Vec::new();
        let mut built = Built { program, problems: &mut problems };
        let invariants = Invariants {
            one_charge: built.build("one_charge", texts.one_charge.as_ref(), OneCharge::new),
            paid_has_payment: built.build(
                "paid_has_payment",
                texts.paid_has_payment.as_ref(),
                PaidHasPayment::new,
            ),
            charge_has_order: built.build(
                "charge_has_order",
                texts.charge_has_order.as_ref(),
                ChargeHasOrder::new,
            ),
            accepted_order_kept: built.build(
                "accepted_order_kept",
                texts.accepted_order_kept.as_ref(),
                AcceptedOrderKept::new,
            ),
        };
        if problems.is_empty() { Ok(invariants) } else { Err(problems) }
    }

    /// What each invariant says at the end of the run.
    #[must_use]
    pub fn verdicts(&self, end: Time) -> Vec<Verdict> {
        [
            self.one_charge.as_ref().map(OneCharge::verdict),
            self.paid_has_payment.as_ref().map(|invariant| invariant.verdict(end)),
            self.charge_has_order.as_ref().map(|invariant| invariant.verdict(end)),
            self.accepted_order_kept.as_ref().map(|invariant| invariant.verdict(end)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl Observer for Invariants {
    #[inline]
    fn observe(&mut self, now: Time, fact: &Fact) {
        // Most facts concern no invariant.
        if matches!(
            fact,
            Fact::Effect { .. }
                | Fact::Committed { .. }
                | Fact::Flushed { .. }
                | Fact::LogLost { .. }
                | Fact::Answered { .. }
                | Fact::Unprocessed { .. }
                | Fact::WriteLost { .. }
        ) {
            self.judge(now, fact);
        }
    }
}

impl Invariants {
    fn judge(&mut self, now: Time, fact: &Fact) {
        if let Some(invariant) = &mut self.one_charge {
            invariant.observe(now, fact);
        }
        if let Some(invariant) = &mut self.paid_has_payment {
            invariant.observe(fact);
        }
        if let Some(invariant) = &mut self.charge_has_order {
            invariant.observe(fact);
        }
        if let Some(invariant) = &mut self.accepted_order_kept {
            invariant.observe(fact);
        }
    }
}

/// Builds invariants from their texts and notes what is wrong.
struct Built<'a> {
    program: &'a Program,
    problems: &'a mut Vec<(&'static str, Problem)>,
}

impl Built<'_> {
    fn build<Text, Invariant>(
        &mut self,
        name: &'static str,
        text: Option<&Text>,
        new: fn(&Text, &Program) -> Result<Invariant, Problem>,
    ) -> Option<Invariant> {
        match new(text?, self.program) {
            Ok(invariant) => Some(invariant),
            Err(problem) => {
                self.problems.push((name, problem));
                None
            }
        }
    }
}

/// What an observer knows of each order. Orders are numbered from 0, so this is a vector.
#[derive(Clone, Debug, Default)]
struct ByOrder<T>(Vec<T>);

impl<T: Default + Clone> ByOrder<T> {
    fn of(&mut self, order: u64) -> &mut T {
        let index = order as usize;
        if self.0.len() <= index {
            self.0.resize(index + 1, T::default());
        }
        &mut self.0[index]
    }

    fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        self.0.iter().enumerate().map(|(order, known)| (order as u64, known))
    }
}

/// Row writes that wait for their log to reach the disk: log position and what is noted of the
/// write, in log order.
#[derive(Clone, Debug)]
struct Durability<T> {
    waiting: VecDeque<(u64, T)>,
}

impl<T> Default for Durability<T> {
    fn default() -> Durability<T> {
        Durability { waiting: VecDeque::new() }
    }
}

impl<T> Durability<T> {
    /// A transaction at this position of the log wrote a row.
    fn wrote(&mut self, position: u64, note: T) {
        self.waiting.push_back((position, note));
    }

    /// What was noted of the writes that became durable by a flush up to this position.
    fn flushed(&mut self, position: u64) -> impl Iterator<Item = T> {
        let durable = self.waiting.partition_point(|&(at, _)| at <= position);
        self.waiting.drain(..durable).map(|(_, note)| note)
    }

    /// One write was lost; says whether it was still to reach the disk.
    fn undone(&mut self, position: u64, note: &T) -> bool
    where
        T: PartialEq,
    {
        let place = self.waiting.iter().position(|(at, what)| *at == position && what == note);
        place.is_some_and(|place| self.waiting.remove(place).is_some())
    }

    /// Everything after this position of the log was lost before it reached the disk.
    fn lost(&mut self, after: u64) {
        self.waiting.retain(|&(at, _)| at <= after);
    }
}
