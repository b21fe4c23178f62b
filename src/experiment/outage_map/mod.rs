//! An outage map: every dependency of a model by every way in which it can fail, each beside the
//! same seed without the failure.
//!
//! A run without any failure is made once for each seed, and every run with one is compared with
//! that: both are equal until the failure begins, so that every difference is its harm, and nothing
//! is estimated. Requests fare worse as `[blast_radius]` counts it. The strength at which harm
//! begins is looked for by halving the strength of the map, which says no more than between which
//! two halves it lies, and takes for granted that a stronger failure does not do less harm.

mod ways;
mod work;

pub mod harm;
pub mod promises;
pub mod reach;
pub mod text;

use harm::{Harm, Outcome};
pub use ways::{FailureMode, Knob};
use work::Work;

use super::run::kept;
use crate::experiment::judge::blast_radius::Kept;
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::result::RunResult;
use crate::fault::{FaultText, Plan};
use crate::kernel::limit::Ending;
use crate::kernel::time::{Span, Time};
use crate::model::problem::Problem;
use crate::model::program::NodeId;

/// No failure of a map lasts longer: one run is made for each field of it and each seed.
const LASTS_MAX: Span = Span::from_secs(20);
/// How often a strength is halved at most: down to a sixty-fourth.
const HALVINGS: u32 = 6;
/// How many runs it takes to find one strength among those.
const PROBES: u64 = 3;
/// Strengths are looked for where that takes no more than so many events in all, about a minute.
const PROBE_EVENTS_MAX: u64 = 120_000_000;

/// What is asked of a cell of a campaign in which nothing goes wrong.
pub struct OutageMap<'a> {
    /// The cell.
    pub cell: &'a Cell,
    /// When each failure begins, and how long it lasts.
    pub acts: (Span, Span),
    /// Every dependency by every failure mode, in the order of the model.
    pub fields: Vec<Field>,
    calm: Plan,
}

/// One dependency that fails in one way.
#[derive(Clone, Debug)]
pub struct Field {
    /// Who fails.
    pub node: NodeId,
    /// In which way.
    pub mode: FailureMode,
    /// The fault; `None` where it has no meaning.
    pub fault: Option<(FaultText, Knob)>,
    /// Whether any path reaches the node.
    pub is_reached: bool,
}

/// A run without a failure.
pub struct Calm<'a> {
    /// What it takes to compare another one with it.
    kept: Kept<'a>,
    work: Work,
    /// What was measured.
    pub run: RunResult,
}

/// What became of a field.
#[derive(Clone, Debug)]
pub enum Mark {
    /// The dependency cannot fail in this way.
    NoMeaning,
    /// No path reaches the dependency: nothing was run.
    NotReached,
    /// The failure never had an effect.
    NoEffect,
    /// A limit ended a run: nothing can be said.
    Unknown,
    /// It had effects, and harmed nobody.
    NoHarm,
    /// It did harm.
    Harm(Box<Harm>),
}

/// At which strength harm begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// The weakest failure that was seen to do harm.
    pub harms: FaultText,
    /// One of half its strength, which does none; `None` if no weaker one was tried.
    pub harmless: Option<FaultText>,
}

impl<'a> OutageMap<'a> {
    /// The map of a cell in which nothing goes wrong.
    ///
    /// # Errors
    /// If users arrive for too short a time to see anything fail and come back.
    pub fn new(cell: &'a Cell) -> Result<OutageMap<'a>, Problem> {
        let acts = acts(cell)?;
        let reached = reach::reached(&cell.program);
        let mut fields = Vec::new();
        for index in 0..cell.program.nodes.len() {
            let node = NodeId(index as u16);
            if matches!(cell.program.node(node).kind, crate::model::program::Kind::Clients(_)) {
                continue;
            }
            for mode in FailureMode::ALL {
                let fault = ways::fault_of(&cell.program, node, mode, acts);
                let fits = |fault: &FaultText| {
                    Plan::new(std::slice::from_ref(fault), &cell.program).is_ok()
                };
                let fault = fault.filter(|(fault, _)| fits(fault));
                let is_reached = reached.contains(&node);
                fields.push(Field { node, mode, fault, is_reached });
            }
        }
        Ok(OutageMap { cell, acts, fields, calm: Plan::default() })
    }

    /// The time in which a failure acts: from when it begins until one that lasts is over.
    #[must_use]
    pub fn window(&self) -> (Time, Time) {
        let began = Time(self.acts.0.0);
        (began, began + self.acts.1)
    }

    /// The fields that are to be run, by their place.
    #[must_use]
    pub fn to_run(&self) -> Vec<usize> {
        let runs = |field: &Field| field.is_reached && field.fault.is_some();
        let numbered = self.fields.iter().enumerate();
        numbered.filter(|(_, field)| runs(field)).map(|(place, _)| place).collect()
    }

    /// The run of a seed in which nothing fails.
    #[must_use]
    pub fn calm(&'a self, seed: u64) -> Calm<'a> {
        let mut work = Work::default();
        let (kept, run) = kept(self.cell, &self.calm, seed, self.window().0, &mut work);
        Calm { kept, work, run }
    }

    /// What a field came to beside the calm run of a seed.
    ///
    /// # Panics
    /// If nothing is to be run there.
    #[must_use]
    pub fn outcome(&self, place: usize, calm: &Calm<'_>) -> Outcome {
        let (fault, _) = self.fields[place].fault.as_ref().expect("a field that is to be run");
        self.beside(fault, calm)
    }

    fn beside(&self, fault: &FaultText, calm: &Calm<'_>) -> Outcome {
        let plan = Plan::new(std::slice::from_ref(fault), &self.cell.program);
        let plan = plan.unwrap_or_else(|wrong| panic!("a fault does not fit: {wrong:?}"));
        let (mut work, began) = (Work::default(), self.window().0);
        let (with, run) = kept(self.cell, &plan, calm.run.seed, began, &mut work);
        Outcome::of(self, fault, (&with, &work, &run), calm)
    }

    /// What became of a field, by its runs in the order of their seeds.
    #[must_use]
    pub fn mark(&self, place: usize, outcomes: &[Outcome]) -> Mark {
        let Field { fault, is_reached, .. } = &self.fields[place];
        match fault {
            None => Mark::NoMeaning,
            Some(_) if !is_reached => Mark::NotReached,
            Some(_) if outcomes.iter().any(|one| one.ending != Ending::Complete) => Mark::Unknown,
            Some(_) if outcomes.iter().all(|one| one.fired == 0) => Mark::NoEffect,
            Some(_) => match Harm::of(outcomes) {
                None => Mark::NoHarm,
                Some(harm) => Mark::Harm(Box::new(harm)),
            },
        }
    }

    /// Whether there is time to look for the strengths of so many fields.
    #[must_use]
    pub fn has_time_for_strengths(&self, calm: &[Calm<'_>], harmful: usize) -> bool {
        let events = calm.iter().map(|calm| calm.run.events).max().unwrap_or(0);
        events.saturating_mul(PROBES * harmful as u64) <= PROBE_EVENTS_MAX
    }

    /// At which strength the harm of a field begins beside the calm run of a seed, by what its
    /// whole strength did under that: the strength is halved up to six times, and which half is the
    /// last that does any of the same harms is found by bisection, in three runs.
    ///
    /// # Panics
    /// If nothing is to be run there.
    #[must_use]
    pub fn threshold(&self, place: usize, whole: &Outcome, calm: &Calm<'_>) -> Threshold {
        let (fault, knob) = self.fields[place].fault.as_ref().expect("a field that is to be run");
        let (mut harms, mut harmless) = (0, HALVINGS + 1);
        while harmless - harms > 1 {
            let middle = u32::midpoint(harms, harmless);
            let outcome = self.beside(&knob.halved(fault, middle), calm);
            match outcome.does_harm_of(whole) {
                true => harms = middle,
                false => harmless = middle,
            }
        }
        let weaker = (harmless <= HALVINGS).then(|| knob.halved(fault, harmless));
        Threshold { harms: knob.halved(fault, harms), harmless: weaker }
    }
}

/// When failures act: the middle third of the time in which users arrive, not before requests count
/// and no longer than [`LASTS_MAX`], so that what comes back has as long again to do so.
fn acts(cell: &Cell) -> Result<(Span, Span), Problem> {
    let arrivals = cell.measure.arrivals_end.since(Time::ZERO);
    let second = Span::from_secs(1);
    let whole = |span: Span| if span < second { span } else { Span(span.0 - span.0 % second.0) };
    let third = whole(Span(arrivals.0 / 3));
    let warm_up = cell.measure.warm_up.since(Time::ZERO);
    let (at, lasts) = (third.max(warm_up), third.min(LASTS_MAX));
    if lasts > Span::ZERO && at + lasts < arrivals {
        return Ok((at, lasts));
    }
    Err(Problem::new(format!("users arrive for {arrivals}, of which {warm_up} are a warm-up"))
        .expected("a longer time, to see what fails come back: --set arrivals=60s"))
}
