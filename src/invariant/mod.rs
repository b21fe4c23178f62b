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
mod known;
mod language;
mod ledger_conserved;
mod legal_states;
mod monotonic_reads;
mod no_lost_event;
mod no_lost_update;
mod no_oversell;
mod no_phantom_event;
mod no_stale_authorisation;
mod on_its_way;
mod one_charge;
mod paid_has_payment;
mod projection_matches;
mod read_your_writes;
mod retries_bounded;
mod same_answer;
mod settled_or_compensated;
mod standing;
mod unwritten;
mod watched;

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::fault::FaultText;
use crate::kernel::time::{Span, Time};
use crate::model::problem::Problem;
use crate::model::program::Program;
use crate::system::fact::{Fact, Observer};
use accepted_order_kept::AcceptedOrderKept;
use amount_kept::AmountKept;
use applied_once::AppliedOnce;
use audit_complete::AuditComplete;
use bounded_staleness::BoundedStaleness;
use contained::Contained;
use deadline_honest::DeadlineHonest;
use event_order::EventOrder;
use fencing::Fencing;
use honest_answer::HonestAnswer;
use implies::Implies;
use ledger_conserved::LedgerConserved;
use legal_states::LegalStates;
use monotonic_reads::MonotonicReads;
use no_lost_event::NoLostEvent;
use no_lost_update::NoLostUpdate;
use no_oversell::NoOversell;
use no_phantom_event::NoPhantomEvent;
use no_stale_authorisation::NoStaleAuthorisation;
use one_charge::OneCharge;
use projection_matches::ProjectionMatches;
use read_your_writes::ReadYourWrites;
use retries_bounded::RetriesBounded;
use same_answer::SameAnswer;
use settled_or_compensated::SettledOrCompensated;

pub(crate) use breakable::{can_happen, is_fed, unbreakable};
pub use contained::rule as slower_rule;
pub use known::Tally;
pub use language::InvariantTexts;
pub(crate) use language::{effect, operation, queue, row_state};
pub(crate) use unwritten::{Unwritten, Vocabulary};
pub use watched::{WatchList, Watched};

/// A promise that is judged from the facts of one run.
pub trait Invariant {
    /// Takes note of a fact.
    fn observe(&mut self, now: Time, fact: &Fact);

    /// What it came to when the run has ended.
    fn tally(&self, judgement: Judgement) -> Tally;

    /// Itself, if it compares the run with the same run without a cause.
    fn compares(&mut self) -> Option<&mut dyn Compares> {
        None
    }
}

/// A promise about what differs between a run and the same run without a cause.
pub trait Compares {
    /// Takes note, before the run, of which of its faults are the cause; returns their numbers.
    fn cause(&mut self, faults: &[FaultText], program: &Program) -> BTreeSet<usize>;

    /// Who is to be told the facts of the run without the cause.
    fn without(&mut self) -> &mut dyn Observer;
}

/// When a run is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// When the last fault was over; the start of the run if there was none.
    pub healed: Time,
    /// What is due after this is not judged. A run that came to its end is judged until then
    /// (arrivals and drain), even if nothing happens any more long before.
    pub end: Time,
}

impl Judgement {
    /// By when something must be so that is promised within a time from `since` on; with
    /// `after_faults`, from the end of all faults if that is later.
    fn due(self, since: Time, within: Span, after_faults: bool) -> Time {
        if after_faults { since.max(self.healed) + within } else { since + within }
    }
}

/// What a run says about one of the promises that its cell watches, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Verdict {
    /// How often it was broken.
    pub violations: u64,
    /// How many operations could have broken it and were judged.
    pub exposure: u64,
    /// How many could have broken it and were not judged: the run ended before that could be said.
    pub unjudged: u64,
    /// The first violation.
    pub first: Option<Violation>,
    /// Whether it is judged when a run has come to its end: a run that did not says nothing of it.
    pub at_end: bool,
}

/// An invariant was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Violation {
    /// When it became wrong or could no longer be kept, as `docs/invariants.md` says for each.
    pub at: Time,
    /// The order that it was broken for, where it is about one.
    pub order: Option<u64>,
}

/// An invariant that experiments can ask for.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Its name in `[invariants]`, and in results where an experiment gives it no other.
    pub name: &'static str,
    /// What people call what is counted when it breaks, where an experiment gives it no label.
    pub label: &'static str,
    /// Whether it is judged at the end of a run.
    at_end: bool,
    build: fn(&InvariantTexts, &Program) -> Option<Built>,
}

impl Entry {
    /// Whether it is judged at the end of a run: a run that did not come to it says nothing.
    #[must_use]
    pub fn is_judged_at_end(&self) -> bool {
        self.at_end
    }

    /// What it promises, in one sentence.
    #[must_use]
    pub fn promise(&self) -> String {
        let schema = include_str!("../../schema/experiment.json");
        let schema: serde_json::Value = serde_json::from_str(schema).expect("a schema is JSON");
        let place = format!("/$defs/Invariants/properties/{}/description", self.name);
        let text = schema.pointer(&place).and_then(serde_json::Value::as_str);
        text.unwrap_or(self.name).replace('\n', " ")
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

type Built = Result<Box<dyn Invariant>, Problem>;

/// Every invariant, in the order of results.
pub const CATALOGUE: &[Entry] = &[
    Entry {
        name: "one_charge",
        label: "double charges",
        at_end: false,
        build: |texts, program| build(texts.one_charge.as_ref(), program, OneCharge::new),
    },
    Entry {
        name: "paid_has_payment",
        label: "paid without record",
        at_end: true,
        build: |texts, program| {
            build(texts.paid_has_payment.as_ref(), program, paid_has_payment::new)
        },
    },
    Entry {
        name: "charge_has_order",
        label: "charge without order",
        at_end: true,
        build: |texts, program| {
            build(texts.charge_has_order.as_ref(), program, charge_has_order::new)
        },
    },
    Entry {
        name: "settled_or_compensated",
        label: "unsettled orders",
        at_end: true,
        build: |texts, program| {
            build(texts.settled_or_compensated.as_ref(), program, SettledOrCompensated::new)
        },
    },
    Entry {
        name: "accepted_order_kept",
        label: "accepted orders lost",
        at_end: true,
        build: |texts, program| {
            build(texts.accepted_order_kept.as_ref(), program, AcceptedOrderKept::new)
        },
    },
    Entry {
        name: "no_phantom_event",
        label: "phantom events",
        at_end: true,
        build: |texts, program| {
            build(texts.no_phantom_event.as_ref(), program, NoPhantomEvent::new)
        },
    },
    Entry {
        name: "no_lost_event",
        label: "lost events",
        at_end: true,
        build: |texts, program| build(texts.no_lost_event.as_ref(), program, NoLostEvent::new),
    },
    Entry {
        name: "event_order",
        label: "events out of order",
        at_end: false,
        build: |texts, program| build(texts.event_order.as_ref(), program, EventOrder::new),
    },
    Entry {
        name: "applied_once",
        label: "applied twice",
        at_end: false,
        build: |texts, program| build(texts.applied_once.as_ref(), program, AppliedOnce::new),
    },
    Entry {
        name: "read_your_writes",
        label: "own writes not seen",
        at_end: false,
        build: |texts, program| {
            build(texts.read_your_writes.as_ref(), program, ReadYourWrites::new)
        },
    },
    Entry {
        name: "monotonic_reads",
        label: "reads back in time",
        at_end: false,
        build: |texts, program| build(texts.monotonic_reads.as_ref(), program, MonotonicReads::new),
    },
    Entry {
        name: "bounded_staleness",
        label: "reads too stale",
        at_end: false,
        build: |texts, program| {
            build(texts.bounded_staleness.as_ref(), program, BoundedStaleness::new)
        },
    },
    Entry {
        name: "no_stale_authorisation",
        label: "done without right",
        at_end: false,
        build: |texts, program| {
            build(texts.no_stale_authorisation.as_ref(), program, NoStaleAuthorisation::new)
        },
    },
    Entry {
        name: "ledger_conserved",
        label: "entries unbalanced",
        at_end: true,
        build: |texts, program| {
            build(texts.ledger_conserved.as_ref(), program, LedgerConserved::new)
        },
    },
    Entry {
        name: "amount_kept",
        label: "wrong amounts",
        at_end: false,
        build: |texts, program| build(texts.amount_kept.as_ref(), program, AmountKept::new),
    },
    Entry {
        name: "same_answer",
        label: "answers changed",
        at_end: false,
        build: |texts, program| build(texts.same_answer.as_ref(), program, SameAnswer::new),
    },
    Entry {
        name: "audit_complete",
        label: "audit gaps",
        at_end: true,
        build: |texts, program| build(texts.audit_complete.as_ref(), program, AuditComplete::new),
    },
    Entry {
        name: "projection_matches",
        label: "wrong projections",
        at_end: true,
        build: |texts, program| {
            build(texts.projection_matches.as_ref(), program, ProjectionMatches::new)
        },
    },
    Entry {
        name: "no_lost_update",
        label: "updates lost",
        at_end: false,
        build: |texts, program| build(texts.no_lost_update.as_ref(), program, NoLostUpdate::new),
    },
    Entry {
        name: "legal_states",
        label: "illegal states",
        at_end: false,
        build: |texts, program| build(texts.legal_states.as_ref(), program, LegalStates::new),
    },
    Entry {
        name: "deadline_honest",
        label: "done after giving up",
        at_end: false,
        build: |texts, program| build(texts.deadline_honest.as_ref(), program, DeadlineHonest::new),
    },
    Entry {
        name: "fencing",
        label: "stale writes taken",
        at_end: false,
        build: |texts, program| build(texts.fencing.as_ref(), program, Fencing::new),
    },
    Entry {
        name: "retries_bounded",
        label: "unbounded retries",
        at_end: false,
        build: |texts, program| build(texts.retries_bounded.as_ref(), program, RetriesBounded::new),
    },
    Entry {
        name: "honest_answer",
        label: "false answers",
        at_end: true,
        build: |texts, program| build(texts.honest_answer.as_ref(), program, HonestAnswer::new),
    },
    Entry {
        name: "implies",
        label: "without what follows",
        at_end: true,
        build: |texts, program| build(texts.implies.as_ref(), program, Implies::new),
    },
    Entry {
        name: "no_oversell",
        label: "oversold",
        at_end: true,
        build: |texts, program| build(texts.no_oversell.as_ref(), program, NoOversell::new),
    },
    Entry {
        name: "contained",
        label: "hurt from outside",
        at_end: true,
        build: |texts, program| build(texts.contained.as_ref(), program, Contained::new),
    },
];

fn build<Text, I: Invariant + 'static>(
    text: Option<&Text>,
    program: &Program,
    new: fn(&Text, &Program) -> Result<I, Problem>,
) -> Option<Built> {
    text.map(|text| new(text, program).map(|invariant| Box::new(invariant) as Box<dyn Invariant>))
}

/// The invariants of one run.
#[derive(Default)]
pub struct Invariants(Vec<(Entry, Box<dyn Invariant>)>);

impl Invariants {
    /// The invariants that an experiment watches, for a program.
    ///
    /// # Errors
    /// Every name that the program does not have, by the name of the promise.
    pub fn new(list: &WatchList, program: &Program) -> Result<Invariants, Vec<(String, Problem)>> {
        let (mut invariants, mut problems) = (Vec::new(), Vec::new());
        for one in list.iter() {
            match (one.kind.build)(&one.texts, program) {
                None => {}
                Some(Ok(invariant)) => invariants.push((*one.kind, invariant)),
                Some(Err(problem)) => problems.push((one.name.clone(), problem)),
            }
        }
        if problems.is_empty() { Ok(Invariants(invariants)) } else { Err(problems) }
    }

    /// Lets every promise hear of a fact that may concern one.
    #[inline(never)]
    fn judge(&mut self, now: Time, fact: &Fact) {
        for (_, invariant) in &mut self.0 {
            invariant.observe(now, fact);
        }
    }

    /// Those that compare the run with another one.
    pub fn comparing(&mut self) -> impl Iterator<Item = &mut dyn Compares> {
        self.0.iter_mut().filter_map(|(_, invariant)| invariant.compares())
    }

    /// What each says at the end of the run, in the order of the list.
    #[must_use]
    pub fn verdicts(&self, judgement: Judgement) -> Vec<Verdict> {
        let verdict = |(entry, invariant): &(Entry, Box<dyn Invariant>)| {
            let Tally { violations, exposure, unjudged, first } = invariant.tally(judgement);
            Verdict { violations, exposure, unjudged, first, at_end: entry.at_end }
        };
        self.0.iter().map(verdict).collect()
    }
}

impl Observer for Invariants {
    #[inline]
    fn observe(&mut self, now: Time, fact: &Fact) {
        if !self.0.is_empty() && concerns_a_promise(fact) {
            self.judge(now, fact);
        }
    }
}

/// Most facts concern no invariant, and there are many of them.
fn concerns_a_promise(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::Came(_)
            | Fact::FaultFired(..)
            | Fact::Effect { .. }
            | Fact::Committed { .. }
            | Fact::Flushed { .. }
            | Fact::LogLost { .. }
            | Fact::Answered { .. }
            | Fact::Unprocessed(_)
            | Fact::Acknowledged { .. }
            | Fact::DeadLettered { .. }
            | Fact::Expired { .. }
            | Fact::MessageLost { .. }
            | Fact::WriteLost { .. }
            | Fact::CommitLost { .. }
            | Fact::Outboxed { .. }
            | Fact::Audited { .. }
            | Fact::Enqueued { .. }
            | Fact::Delivered { .. }
            | Fact::Attempted { .. }
            | Fact::FellBack { .. }
            | Fact::Requested(_)
            | Fact::Read { .. }
            | Fact::ReadBack { .. }
            | Fact::ReadAgain { .. }
            | Fact::KeyAnswered { .. }
            | Fact::Overwrote { .. }
            | Fact::StaleEpoch { .. }
    )
}

impl fmt::Debug for Invariants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(entry, _)| entry.name)).finish()
    }
}
