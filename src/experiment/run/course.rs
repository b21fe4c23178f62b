//! The course of one run: its world, who looks on, and what comes of it.

use super::case::Case;
use super::cohorts::cohorts;
use super::result::RunResult;
use crate::experiment::judge::blast_radius::Kept;
use crate::experiment::judge::metastability::Labelled;
use crate::experiment::measure::value::values;
use crate::experiment::plan::cell::Cell;
use crate::fault::Plan;
use crate::invariant::{Invariants, Judgement, Verdict};
use crate::kernel::digest::Folded;
use crate::kernel::draw::Purpose;
use crate::kernel::limit::{Ending, Limits};
use crate::kernel::time::Time;
use crate::metric::{Arrived, Followers, Measure, Recorder, Recovery, RunMetrics};
use crate::system::{Audience, Observer, World};
use crate::twin::{Calls, Fates, Trail};

/// What one run is to do.
#[derive(Clone, Copy)]
pub(in crate::experiment) struct Course<'a> {
    cell: &'a Cell,
    plan: &'a Plan,
    seed: u64,
    limits: Limits,
    case: Option<&'a Case>,
    /// Whether it is the twin of another one: then it has none itself.
    is_twin: bool,
}

/// A run that has ended.
pub(super) struct Followed {
    pub(super) result: RunResult,
    folded: Vec<Folded>,
    /// Which orders came to each milestone; empty where that is not compared.
    arrived: Vec<Vec<Arrived>>,
    /// When the last thing happened.
    end: Time,
}

impl<'a> Course<'a> {
    /// A cell under this plan and seed, to its end.
    pub(in crate::experiment) fn new(cell: &'a Cell, plan: &'a Plan, seed: u64) -> Course<'a> {
        Course { cell, plan, seed, limits: cell.limits, case: None, is_twin: false }
    }

    /// A case of a cell under this plan.
    pub(super) fn of_case(cell: &'a Cell, plan: &'a Plan, case: &'a Case) -> Course<'a> {
        let limits = Limits { horizon: case.horizon, ..cell.limits };
        Course { limits, case: Some(case), ..Course::new(cell, plan, case.seed) }
    }

    pub(super) fn run(&self, index: usize, watcher: &mut dyn Observer) -> (RunResult, Vec<Folded>) {
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
    pub(super) fn keep(
        &self,
        index: usize,
        since: Time,
        watcher: &mut dyn Observer,
    ) -> (Kept<'a>, Followed) {
        let (mut fates, mut calls) = (Fates::default(), Calls::new(since));
        let mut trail = Trail::new(&self.cell.program, since);
        let mut all = Audience::new(vec![&mut fates, &mut calls, &mut trail, watcher]);
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
        let mut all = Audience::new(vec![&mut recorder, &mut followers, &mut invariants, watcher]);
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
        metrics.count_messages(outcome.messages);
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
    pub(in crate::experiment) fn world<'w>(
        &self,
        observer: &'w mut (dyn Observer + 'w),
    ) -> World<'w>
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
    let mut all = Audience::new(vec![&mut recorder, &mut followers]);
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
