//! Invariants: promises to the customer, judged from facts by observers that cannot act.
//!
//! Each takes the names of a model's effects, tables and queues, so it serves any model. Beside its
//! violations it counts its exposure: how many operations could have broken it.

mod accepted_order_kept;
mod amount_kept;
mod applied_once;
mod audit_complete;
mod bounded_staleness;
mod breakable;
mod charge_has_order;
mod condition;
mod contained;
mod deadline_honest;
mod event_order;
#[cfg(test)]
mod example;
mod fencing;
#[cfg(test)]
mod fixture;
mod honest_answer;
mod implies;
mod judge;
mod known;
mod ledger_conserved;
mod legal_states;
mod monotonic_reads;
mod names;
mod no_lost_event;
mod no_lost_update;
mod no_oversell;
mod no_phantom_event;
mod no_stale_authorisation;
mod on_its_way;
mod one_charge;
mod paid_has_payment;
mod projection_matches;
mod promise;
mod read_your_writes;
mod retries_bounded;
mod same_answer;
mod settled_or_compensated;
mod standing;
mod unwritten;
mod watched;

use std::fmt;

use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::model::program::Program;
use crate::system::Observer;
use crate::system::fact::Fact;
use crate::system::fact::kind::FactKinds;

pub use breakable::{can_happen, is_fed, unbreakable};
pub use contained::rule as slower_rule;
pub use judge::{Compares, Invariant, Judgement, Tally, Verdict, Violation};
pub use names::{effect, operation, queue, row_state};
pub use promise::Entry;
pub use unwritten::{Unwritten, Vocabulary};
pub use watched::{WatchList, Watched};

/// Every invariant, in the order of results.
pub const CATALOGUE: &[Entry] = &[
    Entry::of::<one_charge::OneChargeText>(),
    Entry::of::<paid_has_payment::PaidHasPaymentText>(),
    Entry::of::<charge_has_order::ChargeHasOrderText>(),
    Entry::of::<settled_or_compensated::SettledOrCompensatedText>(),
    Entry::of::<accepted_order_kept::AcceptedOrderKeptText>(),
    Entry::of::<no_phantom_event::NoPhantomEventText>(),
    Entry::of::<no_lost_event::NoLostEventText>(),
    Entry::of::<event_order::EventOrderText>(),
    Entry::of::<applied_once::AppliedOnceText>(),
    Entry::of::<read_your_writes::ReadYourWritesText>(),
    Entry::of::<monotonic_reads::MonotonicReadsText>(),
    Entry::of::<bounded_staleness::BoundedStalenessText>(),
    Entry::of::<no_stale_authorisation::NoStaleAuthorisationText>(),
    Entry::of::<ledger_conserved::LedgerConservedText>(),
    Entry::of::<amount_kept::AmountKeptText>(),
    Entry::of::<same_answer::SameAnswerText>(),
    Entry::of::<audit_complete::AuditCompleteText>(),
    Entry::of::<projection_matches::ProjectionMatchesText>(),
    Entry::of::<no_lost_update::NoLostUpdateText>(),
    Entry::of::<legal_states::LegalStatesText>(),
    Entry::of::<deadline_honest::DeadlineHonestText>(),
    Entry::of::<fencing::FencingText>(),
    Entry::of::<retries_bounded::RetriesBoundedText>(),
    Entry::of::<honest_answer::HonestAnswerText>(),
    Entry::of::<implies::ImpliesText>(),
    Entry::of::<no_oversell::NoOversellText>(),
    Entry::of::<contained::ContainedText>(),
];

/// The invariants of one run.
#[derive(Default)]
pub struct Invariants {
    judges: Vec<Judge>,
}

/// Who judges one of them.
struct Judge {
    entry: &'static Entry,
    hears: FactKinds,
    invariant: Box<dyn Invariant>,
}

impl Invariants {
    /// The invariants that an experiment watches, for a program.
    ///
    /// # Errors
    /// Every name that the program does not have, by the name of the promise.
    pub fn new(list: &WatchList, program: &Program) -> Result<Invariants, Vec<(String, Problem)>> {
        let (mut invariants, mut problems) = (Invariants::default(), Vec::new());
        for one in list.iter() {
            match one.text.judge(program) {
                Ok((hears, invariant)) => {
                    invariants.judges.push(Judge { entry: one.kind, hears, invariant });
                }
                Err(problem) => problems.push((one.name.clone(), problem)),
            }
        }
        if problems.is_empty() { Ok(invariants) } else { Err(problems) }
    }

    /// Those that compare the run with another one.
    pub fn comparing(&mut self) -> impl Iterator<Item = &mut dyn Compares> {
        self.judges.iter_mut().filter_map(|judge| judge.invariant.compares())
    }

    /// What each says at the end of the run, in the order of the list.
    pub fn verdicts(&self, judgement: Judgement) -> Vec<Verdict> {
        let verdict = |judge: &Judge| {
            let Tally { violations, exposure, unjudged, first } = judge.invariant.tally(judgement);
            let at_end = judge.entry.is_judged_at_end();
            Verdict { violations, exposure, unjudged, first, at_end }
        };
        self.judges.iter().map(verdict).collect()
    }
}

impl Observer for Invariants {
    fn observe(&mut self, now: Time, fact: &Fact) {
        let kind = fact.kind();
        for judge in self.judges.iter_mut().filter(|judge| judge.hears.has(kind)) {
            judge.invariant.observe(now, fact);
        }
    }

    fn hears(&self) -> FactKinds {
        self.judges.iter().map(|judge| judge.hears).fold(FactKinds::NONE, FactKinds::and)
    }
}

impl fmt::Debug for Invariants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.judges.iter().map(|judge| judge.entry.name)).finish()
    }
}
