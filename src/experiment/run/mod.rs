//! One run: one cell under one seed.

pub mod case;
pub mod closer_look;
pub mod divergence;
pub mod record;
pub mod story;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::experiment::judge::attribution::{Attribution, attribute};
use crate::experiment::judge::blast_radius::{BlastRadius, Kept};
use crate::experiment::judge::expect::Judged;
use crate::experiment::judge::metastability::{Label, Labelled};
use crate::experiment::measure::metrics::Of;
use crate::experiment::measure::value::values;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell::Cell;
use crate::experiment::plan::observe::Observed;
use crate::fault::{DrawnFault, Plan};
use crate::invariant::{Invariants, Judgement, Verdict};
use crate::kernel::digest::{Checkpoint, Digest, Digester, Folded};
use crate::kernel::draw::{PURPOSES, Purpose};
use crate::kernel::limit::{Ending, Limits};
use crate::kernel::time::{Span, Time};
use crate::metric::{
    Arrived, Followers, Histogram, Measure, Progress, Recorder, Recovery, RunMetrics, Window,
};
use crate::system::{Observer, World};
use crate::twin::{Calls, Fates, Trail};
use case::Case;

/// The result of one run.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct RunResult {
    /// The index of its cell in the campaign.
    pub cell: usize,
    /// Its seed.
    pub seed: u64,
    /// How it ended.
    pub ending: Ending,
    /// The digest of every event.
    pub digest: Digest,
    /// Digests of parts of the run, to find the first differing event of two runs. They are not
    /// stored: who looks for an event runs the seed again.
    #[serde(skip)]
    pub checkpoints: Vec<Checkpoint>,
    /// A digest of the draws for each purpose.
    pub draws: [u64; PURPOSES],
    /// How many events there were.
    pub events: u64,
    /// What was measured.
    pub metrics: RunMetrics,
    /// The value of each of the cell's metrics; `None` where there is none. They are not stored:
    /// they follow from what was measured.
    #[serde(skip)]
    pub values: Vec<Option<f64>>,
    /// Whether and when what is measured recovered.
    pub recovery: Recovery,
    /// Whether and when replies recovered.
    pub reply_recovery: Recovery,
    /// What became of it beside its control; `None` unless the experiment asks, in a run without a
    /// fault, and where a limit ended one of both.
    pub label: Option<Label>,
    /// How long its queues take to drain if they have filled for the time of the faults; `None`
    /// without a label, and where its system has no capacity to spare.
    pub drain: Option<Span>,
    /// What it came to beside its twin without the cause; `None` unless the experiment asks, in a
    /// run without a cause, and where a limit ended one of both.
    pub blast_radius: Option<BlastRadius>,
    /// When the first fault began and the last one ended.
    pub faults_act: Option<(Time, Time)>,
    /// The faults that were drawn for this run; their numbers follow those of the listed ones. They
    /// are not stored: the seed draws them again.
    #[serde(skip)]
    pub drawn: Vec<DrawnFault>,
    /// What went wrong in it without each of its causes; `None` unless the experiment asks, and
    /// where a limit ended it or one without a cause.
    pub attribution: Option<Attribution>,
    /// What was seen of it beside what is measured; `None` unless the experiment asks.
    pub observed: Option<Observed>,
    /// What the invariants say.
    pub invariants: Vec<Verdict>,
    /// Whether the metrics are as the experiment expects, in its order.
    pub expectations: Vec<Judged>,
}

/// Whether a run kept its promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunVerdict {
    /// Every invariant held, and every metric was as expected.
    Pass,
    /// At least one invariant was broken, or a metric was not as expected.
    Violation,
    /// A limit was reached: nothing can be said.
    Unknown,
}

impl RunVerdict {
    /// The name used in results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            RunVerdict::Pass => "pass",
            RunVerdict::Violation => "violation",
            RunVerdict::Unknown => "unknown",
        }
    }
}

/// What chance may have done to when a run recovered: windows of few requests are below the level
/// before at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByChance {
    /// Whether it came back.
    pub came_back: bool,
    /// Whether it did after a time that chance explains.
    pub late: bool,
    /// Whether it did not, though over all of the time after the faults requests fared as before.
    pub never: bool,
}

impl RunResult {
    /// Leaves out what no file of a campaign needs once the run has ended and is stored, and keeps
    /// small what percentiles over all runs are made of. It would be nine tenths of the memory of a
    /// large campaign.
    pub fn keep_what_is_written(&mut self) {
        self.checkpoints = Vec::new();
        self.metrics.attempts_each = Histogram::default();
        self.metrics.latency.make_compact();
        self.metrics.staleness.make_compact();
        self.metrics.stays.wait.make_compact();
        self.metrics.pool_waits.make_compact();
        self.metrics.stays.waits_so_far.make_compact();
        self.metrics.stays.found = Histogram::default();
        self.metrics.milestones.iter_mut().for_each(Progress::make_compact);
        self.metrics.answers.iter_mut().for_each(Progress::make_compact);
    }

    /// What chance may have done to when it recovered.
    #[must_use]
    pub fn by_chance(&self, cell: &Cell) -> ByChance {
        let is_late = || {
            let (Recovery::After(long), Some(acts)) = (self.recovery, self.faults_act) else {
                return false;
            };
            let windows = cohorts(cell, &self.metrics);
            cell.measure.recovery.is_by_chance(long, &windows, cell.measure.window, acts)
        };
        ByChance {
            came_back: matches!(self.recovery, Recovery::After(_)),
            late: is_late(),
            never: self.recovery == Recovery::Unsteady,
        }
    }

    /// Whether and when it recovered, by replies or by a milestone.
    #[must_use]
    pub fn recovery_of(&self, of: Of) -> Recovery {
        match of {
            Of::Measured => self.recovery,
            Of::Replies => self.reply_recovery,
            Of::Milestone(place) => {
                let progress = self.metrics.milestones.get(place);
                progress.map_or(Recovery::Unseen, |progress| progress.recovery)
            }
            Of::Objective(_) | Of::Price(_) => Recovery::Unseen,
        }
    }

    /// Whether it collapsed: down to the end of what is judged. `None` where nothing can be said.
    #[must_use]
    pub fn collapsed(&self) -> Option<bool> {
        match (self.label, self.recovery) {
            (Some(Label::Metastable), _) => Some(true),
            (Some(Label::SlowRecovery | Label::Recovers), _) => Some(false),
            (Some(Label::Overload) | None, Recovery::Never) => Some(true),
            (Some(Label::Overload) | None, Recovery::After(_) | Recovery::Unsteady) => Some(false),
            (Some(Label::Overload) | None, Recovery::NoFault | Recovery::Unseen) => None,
        }
    }

    /// Whether the run kept its promises.
    #[must_use]
    pub fn verdict(&self) -> RunVerdict {
        let is_unmet = self.expectations.iter().any(|judged| judged.met == Some(false));
        if is_unmet || self.invariants.iter().any(|invariant| invariant.violations > 0) {
            RunVerdict::Violation
        } else if self.ending != Ending::Complete {
            RunVerdict::Unknown
        } else {
            RunVerdict::Pass
        }
    }
}

/// The digest of the digests of runs, with their seeds, in this order.
#[must_use]
pub fn digest_of_runs(runs: impl Iterator<Item = (u64, Digest)>) -> Digest {
    let mut digester = Digester::default();
    for (seed, Digest(digest)) in runs {
        digester.fold(Time(seed), digest as u64, (digest >> 64) as u64);
    }
    digester.digest()
}

impl Campaign {
    /// Runs the run of this number.
    #[must_use]
    pub fn run(&self, number: usize) -> RunResult {
        let (cell, seed) = self.cell_and_seed(number);
        run(&self.cells[cell], cell, seed)
    }
}

/// Runs a cell under a seed; `index` is the cell's place in its campaign.
///
/// # Panics
/// If the cell's invariants do not fit its program: a campaign has refused those.
#[must_use]
pub fn run(cell: &Cell, index: usize, seed: u64) -> RunResult {
    let drawn = cell.random.as_ref().map(|random| random.draw(seed)).unwrap_or_default();
    let plan = cell.plan_with(&drawn);
    let mut watching = cell.observing.watch(&cell.program, cell.measure.warm_up, &plan);
    let (result, _) = Course::new(cell, &plan, seed).run(index, &mut watching.observers());
    let attribution = attribute(cell, &plan, &result);
    RunResult { drawn, attribution, observed: watching.finish(), ..result }
}

/// A run of a cell under a plan, with what it takes to compare it from `since` on with another one
/// of its seed.
pub(super) fn kept<'a>(
    cell: &'a Cell,
    plan: &'a Plan,
    seed: u64,
    since: Time,
    watcher: &mut dyn Observer,
) -> (Kept<'a>, RunResult) {
    let (kept, followed) = Course::new(cell, plan, seed).keep(0, since, watcher);
    (kept, followed.result)
}

/// Runs a case of a cell, and tells an observer every fact; returns the events too that the case
/// wants to have kept.
///
/// # Panics
/// If a fault of the case does not fit the cell's program: [`Case::check`] says so before.
#[must_use]
pub fn run_case(
    cell: &Cell,
    index: usize,
    case: &Case,
    observer: &mut dyn Observer,
) -> (RunResult, Vec<Folded>) {
    let plan = Plan::new(&case.faults, &cell.program)
        .unwrap_or_else(|wrong| panic!("a fault does not fit: {wrong:?}"));
    let limits = Limits { horizon: case.horizon, ..cell.limits };
    let course = Course { limits, case: Some(case), ..Course::new(cell, &plan, case.seed) };
    course.run(index, observer)
}

/// What one run is to do.
#[derive(Clone, Copy)]
pub(super) struct Course<'a> {
    cell: &'a Cell,
    plan: &'a Plan,
    seed: u64,
    limits: Limits,
    case: Option<&'a Case>,
    /// Whether it is the twin of another one: then it has none itself.
    is_twin: bool,
}

/// A run that has ended.
struct Followed {
    result: RunResult,
    folded: Vec<Folded>,
    /// Which orders came to each milestone; empty where that is not compared.
    arrived: Vec<Vec<Arrived>>,
    /// When the last thing happened.
    end: Time,
}

impl<'a> Course<'a> {
    /// A cell under this plan and seed, to its end.
    pub(super) fn new(cell: &'a Cell, plan: &'a Plan, seed: u64) -> Course<'a> {
        Course { cell, plan, seed, limits: cell.limits, case: None, is_twin: false }
    }

    fn run(&self, index: usize, watcher: &mut dyn Observer) -> (RunResult, Vec<Folded>) {
        let cause = self.cell.blast_radius.as_ref().and_then(|rule| {
            let numbers = rule.cause(&self.plan.faults, &self.cell.program);
            let acts = self.plan.acts_of(|number| numbers.contains(&number))?;
            Some((rule, self.plan.only(|number| !numbers.contains(&number)), acts))
        });
        let mut followed = match cause {
            None => self.follow(index, watcher),
            Some((rule, twin, acts)) => {
                let (mut with, mut followed) = self.keep(index, acts.0, watcher);
                let (without, twin) =
                    Course { plan: &twin, is_twin: true, ..*self }.keep(index, acts.0, &mut ());
                let endings = [followed.result.ending, twin.result.ending];
                if endings == [Ending::Complete; 2] {
                    with.end = with.end.min(without.end);
                    let (cell, warm_up) = (self.cell, self.cell.measure.warm_up);
                    let found = rule.compare(&with, &without, &cell.milestones, (warm_up, acts));
                    followed.result.blast_radius = Some(found);
                }
                followed
            }
        };
        let result = &mut followed.result;
        result.values = values(self.cell, result);
        result.expectations = self.cell.expect.iter().map(|one| one.judge(result)).collect();
        (followed.result, followed.folded)
    }

    /// Runs it and keeps what it takes to compare it with its twin, from when the cause begins.
    fn keep(&self, index: usize, since: Time, watcher: &mut dyn Observer) -> (Kept<'a>, Followed) {
        let (mut fates, mut calls) = (Fates::default(), Calls::new(since));
        let mut trail = Trail::new(&self.cell.program, since);
        let mut all: Vec<&mut dyn Observer> = vec![&mut fates, &mut calls, &mut trail, watcher];
        let mut followed = self.follow(index, &mut all);
        let kept = Kept {
            fates,
            calls,
            trail,
            arrived: std::mem::take(&mut followed.arrived),
            violations: followed.result.invariants.iter().map(|it| it.violations).collect(),
            end: followed.end,
        };
        (kept, followed)
    }

    fn follow(&self, index: usize, watcher: &mut dyn Observer) -> Followed {
        let Course { cell, plan, seed, limits, .. } = *self;
        let measure = Measure { faults: plan.acts, ..cell.measure.clone() };
        let mut recorder = Recorder::new(&cell.program, measure.clone());
        let mut invariants = Invariants::new(&cell.invariants, &cell.program)
            .unwrap_or_else(|wrong| panic!("an invariant does not fit: {wrong:?}"));
        self.show_twins(&mut invariants);
        let mut followers = Followers::new(&cell.followed(), &measure);
        let mut all: Vec<&mut dyn Observer> =
            vec![&mut recorder, &mut followers, &mut invariants, watcher];
        let outcome = self.world(&mut all).run();
        // A run in which nothing happens any more is judged until its end all the same.
        let end = match outcome.ending {
            Ending::Complete => limits.horizon,
            _ => outcome.end,
        };
        let arrived = match cell.blast_radius {
            Some(_) => followers.reached(),
            None => Vec::new(),
        };
        let mut metrics = recorder.finish();
        metrics.milestones = followers.finish(&measure, end);
        metrics.answers = metrics.milestones.split_off(cell.milestones.len());
        let reply_recovery = match outcome.ending {
            Ending::Complete => metrics.recovery(&measure),
            _ => {
                metrics.milestones.iter_mut().for_each(|it| it.recovery = Recovery::Unseen);
                Recovery::Unseen
            }
        };
        // Nobody asks what a twin is called.
        let labelled =
            if self.is_twin { None } else { label(cell, plan, seed, outcome.ending, &metrics) };
        let healed = plan.acts.map_or(Time::ZERO, |(_, healed)| healed);
        let result = RunResult {
            cell: index,
            seed,
            ending: outcome.ending,
            digest: outcome.digester.digest(),
            checkpoints: outcome.digester.checkpoints().to_vec(),
            draws: Purpose::ALL.map(|purpose| outcome.draws.tally(purpose)),
            events: outcome.digester.events(),
            recovery: cell.measured.map_or(reply_recovery, |of| metrics.milestones[of].recovery),
            reply_recovery,
            label: labelled.map(|labelled| labelled.label),
            drain: labelled.and_then(|labelled| labelled.drain),
            blast_radius: None,
            metrics,
            values: Vec::new(),
            faults_act: plan.acts,
            drawn: Vec::new(),
            attribution: None,
            observed: None,
            invariants: invariants
                .verdicts(Judgement { healed, end })
                .into_iter()
                .map(|verdict| judged(verdict, outcome.ending))
                .collect(),
            expectations: Vec::new(),
        };
        let folded = outcome.digester.watched().to_vec();
        Followed { result, folded, arrived, end: outcome.end }
    }

    /// The world of this run, which tells this observer.
    pub(super) fn world<'w>(&self, observer: &'w mut (dyn Observer + 'w)) -> World<'w>
    where
        'a: 'w,
    {
        let Course { cell, plan, seed, limits, case, .. } = *self;
        let arrivals_end = case.map_or(cell.measure.arrivals_end, |case| case.arrivals_end);
        let (program, controls) = (&cell.program, &plan.controls);
        let mut world = World::new(program, controls, seed, arrivals_end, limits, observer);
        if cell.ends_when_done {
            world.end_when_done();
        }
        for &(clients, spike) in &plan.spikes {
            world.add_spike(clients, spike);
        }
        world.watch_surges(&plan.surges);
        if let Some(case) = case {
            case.tell(&mut world);
        }
        world
    }

    /// Shows the run without its cause to each promise that compares this one with that.
    fn show_twins(&self, invariants: &mut Invariants) {
        for promise in invariants.comparing().filter(|_| !self.is_twin) {
            let numbers = promise.cause(&self.plan.faults, &self.cell.program);
            if !numbers.is_empty() {
                let twin = self.plan.only(|number| !numbers.contains(&number));
                let _ =
                    Course { plan: &twin, is_twin: true, ..*self }.world(promise.without()).run();
            }
        }
    }
}

/// The label of a run, judged beside its control: the same cell under the same seed, in which
/// nothing goes wrong.
fn label(
    cell: &Cell,
    plan: &Plan,
    seed: u64,
    ending: Ending,
    metrics: &RunMetrics,
) -> Option<Labelled> {
    let (rule, acts) = (cell.metastability?, plan.acts?);
    if ending != Ending::Complete {
        return None;
    }
    let measure = Measure { faults: None, ..cell.measure.clone() };
    let mut recorder = Recorder::new(&cell.program, measure.clone());
    let mut followers = Followers::new(&cell.milestones, &measure);
    let mut all: Vec<&mut dyn Observer> = vec![&mut recorder, &mut followers];
    let calm = plan.only(|_| false);
    let outcome = Course::new(cell, &calm, seed).world(&mut all).run();
    if outcome.ending != Ending::Complete {
        return None;
    }
    let mut control = recorder.finish();
    control.milestones = followers.finish(&measure, cell.limits.horizon);
    let (run, control) = (cohorts(cell, metrics), cohorts(cell, &control));
    Some(rule.label(&run, &control, measure.window, acts))
}

/// The windows of what is measured: of replies, or of a milestone in their place.
pub(super) fn cohorts<'m>(cell: &Cell, metrics: &'m RunMetrics) -> Cow<'m, [Window]> {
    let Some(place) = cell.measured else { return Cow::Borrowed(&metrics.windows) };
    let (within, end) = (cell.milestones[place].within, cell.limits.horizon);
    Cow::Owned(metrics.milestones[place].cohorts(within, cell.measure.window, end))
}

/// What an invariant can say of a run that ended like this: one that is judged at the end has not
/// judged anything of a run that did not come to it.
fn judged(verdict: Verdict, ending: Ending) -> Verdict {
    match ending {
        Ending::Complete => verdict,
        _ if verdict.at_end => {
            let unjudged = verdict.exposure + verdict.unjudged;
            Verdict { violations: 0, exposure: 0, unjudged, first: None, ..verdict }
        }
        _ => verdict,
    }
}
