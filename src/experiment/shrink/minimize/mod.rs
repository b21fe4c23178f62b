//! The smallest case that still breaks the same promise in the same way.
//!
//! First the faults are thinned out, then the users, then the run is cut short, and so on until
//! nothing more can be left out. Draws are named by what they are for, so what is left behaves as
//! it did in the whole.

mod ddmin;

use std::collections::BTreeSet;

use crate::experiment::plan::cell::Cell;
use crate::experiment::run::case::Case;
use crate::experiment::run::result::RunResult;
use crate::experiment::run::run_case;
use crate::fault::FaultText;
use crate::invariant::Violation;
use crate::kernel::time::{Span, Time};
use crate::system::Observer;
use crate::system::fact::Fact;
use ddmin::ddmin;

/// What a smaller case must show again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The name of the promise.
    pub invariant: String,
    /// Its place among those that the cell watches.
    pub place: usize,
    /// The order for which it is broken first, where it is about one.
    pub order: Option<u64>,
    /// Whether it is judged at the end of a run.
    pub at_end: bool,
}

impl Target {
    /// The first violation of a promise in a run of a cell, or of any if none is named.
    #[must_use]
    pub fn of(
        cell: &Cell,
        result: &RunResult,
        invariant: Option<&str>,
    ) -> Option<(Target, Violation)> {
        let named = cell.invariants.iter().zip(&result.invariants).enumerate();
        let wanted = named.filter(|(_, (one, _))| invariant.is_none_or(|name| name == one.name));
        let broken =
            wanted.filter_map(|(place, (one, verdict))| Some((place, one, verdict.first?)));
        let (place, one, first) = broken.min_by_key(|(.., first)| first.at)?;
        let (invariant, order) = (one.name.clone(), first.order);
        let at_end = one.kind.is_judged_at_end();
        Some((Target { invariant, place, order, at_end }, first))
    }

    /// The violation of a run that is the same: of the same invariant, first for the same order.
    #[must_use]
    pub fn found_in(&self, result: &RunResult) -> Option<Violation> {
        let verdict = result.invariants.get(self.place)?;
        verdict.first.filter(|first| self.order.is_none() || first.order == self.order)
    }
}

/// A case that cannot be made smaller by leaving out one thing.
#[derive(Clone, Debug)]
pub struct Minimal {
    /// The case.
    pub case: Case,
    /// What its faults were called.
    pub names: Vec<String>,
    /// What it shows.
    pub target: Target,
    /// When, in the smaller case.
    pub violation: Violation,
    /// Its run.
    pub result: RunResult,
    /// How many runs it took.
    pub runs: u64,
    /// How many faults and orders the whole had.
    pub before: (usize, usize),
    /// Whether the search was cut off; then more may be left out.
    pub is_cut_off: bool,
}

/// Why there is no minimal case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// The run breaks no promise.
    Kept,
    /// The same case gave different digests: a mistake of ours.
    Unsteady,
}

/// What a search has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// How many runs were made.
    pub runs: u64,
    /// How many events they had.
    pub events: u64,
}

/// How often the result is run again before it is believed.
const REPLAYS: usize = 3;
/// The room for the events of the instant in which a promise broke.
const TICK: Span = Span(1);

/// Makes the run of a cell under a seed smaller. Before each run the search asks whether it `may go
/// on` after so much; as long as it may, the result depends on nothing else.
///
/// # Errors
/// If the run breaks no promise, or not the invariant that is asked for.
pub fn minimize(
    cell: &Cell,
    seed: u64,
    invariant: Option<&str>,
    may_go_on: &mut dyn FnMut(Spent) -> bool,
) -> Result<Minimal, Unfit> {
    let (case, names) = Case::of(cell, seed);
    let mut comers = Comers::default();
    let (whole, _) = run_case(cell, 0, &case, &mut comers);
    let (target, violation) = Target::of(cell, &whole, invariant).ok_or(Unfit::Kept)?;
    let before = (case.faults.len(), comers.orders.len());
    let reduced = reduce(cell, (case, names), &target, violation, may_go_on);
    let Reduced { case, names, spent, is_cut_off, .. } = reduced;
    let replays: Vec<RunResult> =
        (0..REPLAYS).map(|_| run_case(cell, 0, &case, &mut ()).0).collect();
    let violations: Vec<_> = replays.iter().map(|run| target.found_in(run)).collect();
    let is_steady = replays.iter().all(|run| run.digest == replays[0].digest)
        && violations.iter().all(|violation| *violation == violations[0]);
    let (Some(violation), true) = (violations[0], is_steady) else { return Err(Unfit::Unsteady) };
    let result = replays.into_iter().next().ok_or(Unfit::Unsteady)?;
    let runs = spent.runs;
    Ok(Minimal { case, names, target, violation, result, runs, before, is_cut_off })
}

/// What is left of a case that shows a violation.
#[derive(Clone, Debug)]
pub(in crate::experiment) struct Reduced {
    /// What is left.
    pub(in crate::experiment) case: Case,
    /// What its faults were called.
    pub(in crate::experiment) names: Vec<String>,
    /// When it is broken there.
    pub(in crate::experiment) violation: Violation,
    /// What that took.
    pub(in crate::experiment) spent: Spent,
    /// Whether the search was cut off; then more may be left out.
    pub(in crate::experiment) is_cut_off: bool,
}

/// Leaves out of a case, with its faults' names, what its violation does not need.
pub(in crate::experiment) fn reduce(
    cell: &Cell,
    (case, names): (Case, Vec<String>),
    target: &Target,
    violation: Violation,
    may_go_on: &mut dyn FnMut(Spent) -> bool,
) -> Reduced {
    let faults = case.faults.iter().cloned().zip(names).collect();
    let spent = Spent::default();
    let mut search =
        Search { cell, target, case, faults, violation, spent, is_cut_off: false, may_go_on };
    search.cut_short(violation.at);
    // The run of one user is so short that what else can be left out of it costs nothing.
    search.keep_one_user();
    loop {
        let size = search.size();
        search.thin_faults();
        if !search.is_cut_off {
            search.thin_orders();
        }
        if !search.is_cut_off {
            search.cut_arrivals();
        }
        if search.size() == size || search.is_cut_off {
            break;
        }
    }
    let (case, names) = (search.with_faults(&search.faults), search.names());
    let Search { violation, spent, is_cut_off, .. } = search;
    Reduced { case, names, violation, spent, is_cut_off }
}

/// Whether no single fault can be left out of a case without losing its violation.
#[must_use]
pub fn is_minimal(cell: &Cell, case: &Case, target: &Target) -> bool {
    (0..case.faults.len()).all(|index| {
        let mut smaller = case.clone();
        smaller.faults.remove(index);
        target.found_in(&run_case(cell, 0, &smaller, &mut ()).0).is_none()
    })
}

/// The search for a smaller case.
struct Search<'a> {
    cell: &'a Cell,
    target: &'a Target,
    /// The smallest so far, but for its faults.
    case: Case,
    /// Its faults, with their names.
    faults: Vec<(FaultText, String)>,
    /// What it shows.
    violation: Violation,
    spent: Spent,
    /// Whether there was more to try.
    is_cut_off: bool,
    may_go_on: &'a mut dyn FnMut(Spent) -> bool,
}

impl Search<'_> {
    /// What gets smaller.
    fn size(&self) -> (usize, Option<usize>, Time, Time) {
        let orders = self.case.orders.as_ref().map(Vec::len);
        (self.faults.len(), orders, self.case.arrivals_end, self.case.horizon)
    }

    fn names(&self) -> Vec<String> {
        self.faults.iter().map(|(_, name)| name.clone()).collect()
    }

    fn with_faults(&self, faults: &[(FaultText, String)]) -> Case {
        let faults = faults.iter().map(|(fault, _)| fault.clone()).collect();
        Case { faults, ..self.case.clone() }
    }

    /// Whether a case shows the same. Once the search is cut off, nothing does.
    fn shows(&mut self, case: &Case) -> bool {
        self.is_cut_off = self.is_cut_off || !(self.may_go_on)(self.spent);
        if self.is_cut_off {
            return false;
        }
        let found = self.target.found_in(&self.run(case, &mut ()));
        self.violation = found.unwrap_or(self.violation);
        found.is_some()
    }

    fn run(&mut self, case: &Case, observer: &mut dyn Observer) -> RunResult {
        let (result, _) = run_case(self.cell, 0, case, observer);
        self.spent.runs += 1;
        self.spent.events += result.events;
        result
    }

    /// Ends the run with the violation, unless the promise is judged at the end.
    fn cut_short(&mut self, at: Time) {
        if self.target.at_end {
            return;
        }
        let horizon = self.case.horizon.min(at + TICK);
        let shorter = Case { horizon, ..self.with_faults(&self.faults) };
        if self.shows(&shorter) {
            self.case.horizon = horizon;
        }
    }

    fn thin_faults(&mut self) {
        let faults = self.faults.clone();
        self.faults = ddmin(&faults, |part| {
            let case = self.with_faults(part);
            self.shows(&case)
        });
    }

    /// Leaves out all users but the one concerned, who is most often enough; returns whether that
    /// is so.
    fn keep_one_user(&mut self) -> bool {
        let Some(order) = self.target.order else { return false };
        let alone = Some(vec![order]);
        if self.case.orders == alone {
            return true;
        }
        let case = Case { orders: alone.clone(), ..self.with_faults(&self.faults) };
        let is_enough = self.shows(&case);
        if is_enough {
            self.case.orders = alone;
        }
        is_enough
    }

    /// Leaves out users.
    fn thin_orders(&mut self) {
        if self.keep_one_user() || self.is_cut_off {
            return;
        }
        let orders = self.case.orders.clone().unwrap_or_else(|| {
            let mut comers = Comers::default();
            let _ = self.run(&self.with_faults(&self.faults), &mut comers);
            comers.orders.into_iter().collect()
        });
        let orders = ddmin(&orders, |part| {
            let orders = Some(part.to_vec());
            let case = Case { orders, ..self.with_faults(&self.faults) };
            self.shows(&case)
        });
        self.case.orders = Some(orders);
    }

    /// Lets nobody arrive after the last user who is kept, and ends the run as long after that, or
    /// after the last fault, as the whole would have gone on.
    fn cut_arrivals(&mut self) {
        let mut comers = Comers::default();
        let case = self.with_faults(&self.faults);
        let result = self.run(&case, &mut comers);
        let arrivals_end = case.arrivals_end.min(comers.last + TICK);
        let mut shorter = Case { arrivals_end, ..case };
        if let Some(violation) = self.target.found_in(&result).filter(|_| !self.target.at_end) {
            shorter.horizon = shorter.horizon.min(violation.at + TICK);
        }
        if self.target.at_end {
            let drain = self.cell.limits.horizon.since(self.cell.measure.arrivals_end);
            let healed = result.faults_act.map_or(Time::ZERO, |(_, healed)| healed);
            let due = self.target.found_in(&result).map_or(Time::ZERO, |violation| violation.at);
            let rested = (arrivals_end.max(healed) + drain).max(due + TICK);
            shorter.horizon = shorter.horizon.min(rested);
        }
        if self.shows(&shorter) {
            (self.case.arrivals_end, self.case.horizon) = (arrivals_end, shorter.horizon);
        }
    }
}

/// Who came, and when the last one did.
#[derive(Debug, Default)]
struct Comers {
    orders: BTreeSet<u64>,
    last: Time,
}

impl Observer for Comers {
    fn observe(&mut self, now: Time, fact: &Fact) {
        if let Fact::Requested(request) = fact
            && self.orders.insert(request.order)
        {
            self.last = now;
        }
    }
}
