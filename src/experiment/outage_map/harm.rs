//! What a failure of an outage map came to.

use std::collections::BTreeMap;

use super::work::Work;
use super::{Calm, OutageMap};
use crate::experiment::judge::blast_radius::{BlastRadius, Kept, Part, Parts};
use crate::experiment::run::result::RunResult;
use crate::fault::{FaultKind, FaultText};
use crate::invariant::Verdict;
use crate::kernel::digest::Digest;
use crate::kernel::limit::Ending;
use crate::kernel::time::{Span, Time};
use crate::metric::Measure;
use crate::model::program::OperationId;
use crate::statistics::paired_proportion::mcnemar_exact;
use crate::twin::{Asking, Harm as RequestHarm};

/// What fails of one request in a thousand is harm: an objective of 99.9% allows no more (the
/// example of "The Site Reliability Workbook", O'Reilly 2018, chapter 2).
const FAILED_LEAST: f64 = 0.001;
/// What shows something old, or takes longer, is harm from two requests in a hundred on: one commit
/// that a replica applies late, and all after it, makes one or two more old, whoever is its cause.
const WORSE_LEAST: f64 = 0.02;
/// Orders that miss a milestone, or come to it later, are harm from one in a hundred on.
const MISSED_LEAST: f64 = 0.01;
/// What fares worse beside what fares better is chance unless McNemar's test says that it would be
/// in fewer than one of a thousand cases: a map has many fields.
const CHANCE: f64 = 0.001;
/// An operation is gone if no more than one in twenty of its requests fares as without the failure,
/// and most fail.
const NEARLY_ALL: f64 = 0.95;

/// What one run came to beside the calm one of its seed.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// How it ended, or how the calm one did if that did not come to its end.
    pub ending: Ending,
    /// The digest of the run.
    pub digest: Digest,
    /// How often the fault had an effect.
    pub fired: u64,
    /// Which requests, orders and promises fared worse.
    pub radius: BlastRadius,
    /// The requests that were asked while it acted, by operation.
    pub operations: Vec<(OperationId, Parts)>,
    /// Whether requests notice it, while it acts or over the whole run.
    pub is_noticed: bool,
    /// Whether they do while it acts.
    pub is_noticed_at_once: bool,
    /// By how much more often each promise was broken; 0 for one that is broken without it as well
    /// and no more often.
    pub promises: Vec<u64>,
    /// By how much later work in queues was done.
    pub late: Span,
    /// Messages of which the work was not done, beside those without the failure.
    pub undone: u64,
    /// When requests fared as without it.
    pub back: Back,
}

/// When requests fared as without the failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Back {
    /// As soon as it was over.
    AtOnce,
    /// So long after it was over.
    After(Span),
    /// Not before the last users came.
    NotInTime,
}

impl Outcome {
    pub(super) fn of(
        map: &OutageMap<'_>,
        fault: &FaultText,
        (with, work, run): (&Kept<'_>, &Work, &RunResult),
        Calm { kept: without, work: usual, run: calm }: &Calm<'_>,
    ) -> Outcome {
        let rule = map.cell.blast_radius.as_ref().expect("a map compares requests");
        let measure = &map.cell.measure;
        let acts = fault.acts();
        let radius = rule.compare(with, without, &map.cell.milestones, (measure.warm_up, acts));
        // What is delivered a second time is as old as it is, and nobody waits for it.
        let late = match fault.kind {
            FaultKind::RedeliveryBurst => Span::ZERO,
            _ => work.later_than(usual),
        };
        let worse = rule.harms(with, without);
        let better = rule.harms(without, with);
        let sides = Sides::of(map, &worse, &better);
        let operations = sides.during.iter().map(|(operation, side)| (*operation, side.worse));
        let operations = operations.collect();
        let is_noticed = sides.during.values().chain(sides.whole.values()).any(Side::notices);
        let broken = run.invariants.iter().zip(&calm.invariants);
        Outcome {
            seed: run.seed,
            ending: match calm.ending {
                Ending::Complete => run.ending,
                other => other,
            },
            digest: run.digest,
            fired: run.metrics.times_fired(0),
            is_noticed,
            is_noticed_at_once: sides.during.values().any(Side::notices),
            promises: broken.map(|(own, usual)| broken_more(own, usual)).collect(),
            late,
            undone: run.metrics.unhandled().saturating_sub(calm.metrics.unhandled()),
            back: back(&sides.windows, acts.1, measure),
            operations,
            radius,
        }
    }

    /// Whether it did any of the harms that another, stronger one did.
    #[must_use]
    pub fn does_harm_of(&self, other: &Outcome) -> bool {
        let pairs = self.promises.iter().zip(&other.promises);
        let missed = self.radius.milestones.iter().zip(&other.radius.milestones);
        self.ending == Ending::Complete
            && (self.is_noticed && other.is_noticed
                || pairs.into_iter().any(|(own, others)| *own > 0 && *others > 0)
                || missed.into_iter().any(|(own, others)| is_missed(own) && is_missed(others))
                || self.late > Span::ZERO && other.late > Span::ZERO
                || self.undone > 0 && other.undone > 0)
    }

    /// Whether anything fared worse than without it.
    #[must_use]
    pub fn does_harm(&self) -> bool {
        self.does_harm_of(self)
    }
}

/// Requests that fare worse than without the failure, and those that fare better: whatever moves a
/// moment in time makes some requests slow, or old, and others not. That alone is no harm.
#[derive(Clone, Copy, Debug, Default)]
struct Side {
    worse: Parts,
    better: Parts,
}

impl Side {
    fn notices(&self) -> bool {
        let Side { worse, better } = self;
        let is_part = |some: u64, others: u64, least: f64| {
            is_beyond_chance(some, others) && (some - others) as f64 >= least * worse.of as f64
        };
        is_part(worse.failed, better.failed, FAILED_LEAST)
            || is_part(worse.worse(), better.worse(), WORSE_LEAST)
    }
}

fn is_beyond_chance(some: u64, others: u64) -> bool {
    some > others && mcnemar_exact(some, others) < CHANCE
}

/// How requests fared, told apart.
#[derive(Default)]
struct Sides {
    /// Those that were asked while the failure acted, by operation.
    during: BTreeMap<OperationId, Side>,
    /// All of them, by operation.
    whole: BTreeMap<OperationId, Side>,
    /// All of them, by the window in which they were asked.
    windows: Vec<Side>,
}

impl Sides {
    fn of(
        map: &OutageMap<'_>,
        worse: &[RequestHarm<Asking>],
        better: &[RequestHarm<Asking>],
    ) -> Sides {
        let mut sides = Sides::default();
        for harm in worse {
            sides.each(map, harm, |side| side.worse.count(harm.way));
        }
        for harm in better {
            sides.each(map, harm, |side| side.better.count(harm.way));
        }
        sides
    }

    /// Counts a request wherever it belongs.
    fn each(
        &mut self,
        map: &OutageMap<'_>,
        harm: &RequestHarm<Asking>,
        mut count: impl FnMut(&mut Side),
    ) {
        let (from, until) = map.window();
        let measure = &map.cell.measure;
        let (operation, started) = (harm.which.operation, harm.without.started);
        if from <= started && started < until {
            count(self.during.entry(operation).or_default());
        }
        if started >= measure.warm_up {
            count(self.whole.entry(operation).or_default());
        }
        let index = (started.0 / measure.window.0) as usize;
        if self.windows.len() <= index {
            self.windows.resize(index + 1, Side::default());
        }
        count(&mut self.windows[index]);
    }
}

/// Whether next to nothing is left of an operation whose requests fared so: who waits long enough
/// is served when it is back, and that is no service.
fn is_gone(parts: &Parts) -> bool {
    let (worse, of) = (parts.worse() as f64, parts.of as f64);
    parts.of > 0 && worse >= NEARLY_ALL * of && 2 * parts.failed > parts.of
}

/// Whether orders miss a milestone, or come to it later, that do not without the failure.
fn is_missed(part: &Part) -> bool {
    part.worse > 0 && part.worse as f64 >= MISSED_LEAST * part.of as f64
}

/// By how much more often a promise was broken. One that is broken without the failure as well
/// counts from two hundredths of its exposure on, and beyond chance: below, it is broken at other
/// times.
fn broken_more(own: &Verdict, usual: &Verdict) -> u64 {
    let more = own.violations.saturating_sub(usual.violations);
    let is_more = is_beyond_chance(own.violations, usual.violations)
        && more as f64 >= WORSE_LEAST * usual.exposure as f64;
    if usual.violations == 0 || is_more { more } else { 0 }
}

/// When it was over: the first window after the failure from which on, to the end, requests fare as
/// without it all together. Single windows do not tell: a moment that moves makes one worse and
/// another better.
fn back(windows: &[Side], over: Time, measure: &Measure) -> Back {
    let width = measure.window.0;
    let mut rest = Side::default();
    let mut first = None;
    for (index, side) in windows.iter().enumerate().rev() {
        rest.worse.add(&side.worse);
        rest.better.add(&side.better);
        let begins = Time(index as u64 * width);
        if begins + measure.window <= over {
            break;
        }
        if begins < measure.arrivals_end && !rest.notices() {
            first = Some(begins);
        }
    }
    match first {
        None => Back::NotInTime,
        Some(begins) if begins > over => Back::After(begins.since(over)),
        Some(_) => Back::AtOnce,
    }
}

/// What the runs of a field came to in all.
#[derive(Clone, Debug)]
pub struct Harm {
    /// How many runs.
    pub runs: u64,
    /// The first seed under which it did harm.
    pub seed: u64,
    /// How often the fault had an effect.
    pub fired: u64,
    /// Whether requests notice it.
    pub is_noticed: bool,
    /// Whether they do while it acts, and not only later.
    pub is_noticed_at_once: bool,
    /// Measured requests, over the whole runs.
    pub requests: Parts,
    /// Requests that were asked while it acted.
    pub during: Parts,
    /// The same by operation, in the order of the program.
    pub operations: Vec<(OperationId, Parts)>,
    /// Orders by milestone, in the order of the experiment.
    pub milestones: Vec<Part>,
    /// By how much more often each promise was broken.
    pub promises: Vec<u64>,
    /// By how much later work in queues was done, in the worst run.
    pub late: Span,
    /// Messages of which the work was not done.
    pub undone: u64,
    /// When requests fared as without it, in the worst run.
    pub back: Back,
    /// How long after it began the last node was reached that did something else, in the slowest
    /// run; `None` if no node did.
    pub spread: Option<Span>,
    /// Over how many nodes it spread at most.
    pub nodes: u64,
}

impl Harm {
    /// What runs under several seeds came to; `None` if none did harm.
    #[must_use]
    pub fn of(outcomes: &[Outcome]) -> Option<Harm> {
        let first = outcomes.iter().find(|one| one.does_harm())?;
        let mut harm = Harm {
            runs: outcomes.len() as u64,
            seed: first.seed,
            fired: 0,
            is_noticed: false,
            is_noticed_at_once: false,
            requests: Parts::default(),
            during: Parts::default(),
            operations: Vec::new(),
            milestones: vec![Part::default(); first.radius.milestones.len()],
            promises: vec![0; first.promises.len()],
            late: Span::ZERO,
            undone: 0,
            back: Back::AtOnce,
            spread: None,
            nodes: 0,
        };
        outcomes.iter().for_each(|one| harm.add(one));
        Some(harm)
    }

    fn add(&mut self, one: &Outcome) {
        let Outcome { radius, .. } = one;
        self.fired += one.fired;
        self.is_noticed |= one.is_noticed;
        self.is_noticed_at_once |= one.is_noticed_at_once;
        self.requests.add(&radius.requests);
        for (operation, parts) in &one.operations {
            self.during.add(parts);
            match self.operations.iter_mut().find(|(known, _)| known == operation) {
                Some((_, sum)) => sum.add(parts),
                None => self.operations.push((*operation, *parts)),
            }
        }
        self.operations.sort_by_key(|(operation, _)| *operation);
        for (sum, part) in self.milestones.iter_mut().zip(&radius.milestones) {
            (sum.of, sum.worse) = (sum.of + part.of, sum.worse + part.worse);
        }
        for (sum, more) in self.promises.iter_mut().zip(&one.promises) {
            *sum += more;
        }
        self.late = self.late.max(one.late);
        self.undone += one.undone;
        self.back = self.back.max(one.back);
        self.spread = self.spread.max(radius.spread());
        self.nodes = self.nodes.max(radius.nodes_reached());
    }

    /// The share of the requests asked while it acted that fared worse.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.during.share().unwrap_or(0.0)
    }

    /// How many promises were broken more often.
    #[must_use]
    pub fn promises_broken(&self) -> usize {
        self.promises.iter().filter(|more| **more > 0).count()
    }

    /// The operations of which it leaves next to nothing.
    #[must_use]
    pub fn takes_away(&self) -> Vec<OperationId> {
        let gone = self.operations.iter().filter(|(_, parts)| is_gone(parts));
        gone.map(|(operation, _)| *operation).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::RecoveryRule;

    fn side(failed: u64, better: u64) -> Side {
        let parts = |failed: u64| Parts { of: 1_000, failed, ..Parts::default() };
        Side { worse: parts(failed), better: parts(better) }
    }

    fn back_of(windows: &[Side]) -> Back {
        let second = |at: u64| Time(at * 1_000_000_000);
        let measure = Measure {
            operation: None,
            load: None,
            window: Span::from_secs(1),
            recovery: RecoveryRule::default(),
            faults: None,
            arrivals_end: second(8),
            warm_up: Time::ZERO,
        };
        back(windows, second(4), &measure)
    }

    #[test]
    fn it_is_over_when_all_that_follows_fares_as_without() {
        let (good, bad) = (side(0, 0), side(500, 0));
        let during = [good, bad, bad, bad];
        let after = |rest: [Side; 4]| back_of(&[during.as_slice(), &rest].concat());
        assert_eq!(after([good; 4]), Back::AtOnce);
        assert_eq!(after([bad, bad, good, good]), Back::After(Span::from_secs(2)));
        assert_eq!(after([good, bad, good, good]), Back::After(Span::from_secs(2)));
        assert_eq!(after([bad; 4]), Back::NotInTime);
        let (worse, better) = (side(40, 0), side(0, 40));
        assert_eq!(after([good, worse, better, good]), Back::AtOnce, "a moment that moved");
    }

    #[test]
    fn one_in_a_thousand_that_fails_is_noticed_and_two_in_a_hundred_that_are_slow() {
        let slower = |slower: u64, better: u64| Side {
            worse: Parts { of: 1_000, slower, ..Parts::default() },
            better: Parts { of: 1_000, slower: better, ..Parts::default() },
        };
        assert!(side(11, 0).notices() && !side(10, 0).notices(), "ten may be chance");
        assert!(!side(11, 5).notices() && !side(0, 11).notices());
        assert!(slower(20, 0).notices() && !slower(19, 0).notices());
        assert!(slower(45, 15).notices() && !slower(34, 15).notices());
        assert!(!slower(300, 280).notices(), "it may be chance");
        let many = |failed: u64| Parts { of: 100_000, failed, ..Parts::default() };
        let of_many = |failed: u64| Side { worse: many(failed), better: many(0) };
        assert!(of_many(100).notices() && !of_many(99).notices());
        assert!(!Side::default().notices(), "nobody asked");
    }

    #[test]
    fn an_operation_is_gone_if_most_fail_and_the_rest_wait() {
        let parts = |failed, slower| Parts { of: 100, failed, slower, ..Parts::default() };
        assert!(is_gone(&parts(95, 0)) && !is_gone(&parts(94, 0)));
        assert!(is_gone(&parts(51, 44)) && !is_gone(&parts(50, 50)), "only slower");
        assert!(!is_gone(&Parts::default()), "nobody asked");
    }

    #[test]
    fn a_promise_that_is_broken_anyway_counts_from_two_hundredths_on() {
        let verdict = |violations: u64| Verdict {
            at_end: false,
            violations,
            exposure: 1_000,
            unjudged: 0,
            first: None,
        };
        assert_eq!(broken_more(&verdict(1), &verdict(0)), 1);
        assert_eq!(broken_more(&verdict(24), &verdict(15)), 0);
        assert_eq!(broken_more(&verdict(45), &verdict(15)), 30);
        assert_eq!(broken_more(&verdict(330), &verdict(300)), 0, "it may be chance");
        assert_eq!(broken_more(&verdict(290), &verdict(300)), 0);
    }
}
