//! Whether an experiment holds: every promise and expectation under every seed.

use super::campaign::{Campaign, Cell};
use super::expect::Judged;
use super::run::{RunResult, run};
use crate::invariant::{CATALOGUE, Violation};
use crate::kernel::limit::Ending;

/// What a check keeps of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckedRun {
    /// The index of its cell in the campaign.
    pub cell: usize,
    /// Its seed.
    pub seed: u64,
    /// How it ended.
    pub ending: Ending,
    /// The broken invariants: their place in [`CATALOGUE`], how often, and the first time.
    pub broken: Vec<(usize, u64, Violation)>,
    /// What the expectations say, in the order of the experiment.
    pub expectations: Vec<Judged>,
    /// Which of the experiment's `sometimes` happened.
    pub happened: Vec<bool>,
}

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Promise {
    /// An invariant, by its place in [`CATALOGUE`].
    Invariant(usize),
    /// An expectation, by its place in the experiment.
    Expectation(usize),
}

/// One promise that was broken in one cell, by however many seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What was broken.
    pub promise: Promise,
    /// In which cell.
    pub cell: usize,
    /// The first seed under which it was.
    pub seed: u64,
    /// The first violation under that seed, of an invariant.
    pub violation: Option<Violation>,
    /// The value under that seed, of an expectation.
    pub value: Option<f64>,
    /// How many seeds broke it.
    pub seeds: u64,
    /// How often it was broken under all of them.
    pub violations: u64,
}

/// What a check came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// The broken promises, in the order of cells.
    pub findings: Vec<Finding>,
    /// Runs that reached a limit: cell, seed and ending.
    pub unknown: Vec<(usize, u64, Ending)>,
    /// Which of the experiment's `sometimes` happened; empty if the check stopped before its end.
    pub happened: Vec<bool>,
    /// How many seeds were run under every cell.
    pub seeds: u64,
    /// Whether it stopped at the first seed that broke a promise, with more to come.
    pub is_stopped: bool,
}

/// What a check says in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckVerdict {
    /// Everything held.
    Pass,
    /// A promise was broken.
    Violation,
    /// None was, but a run reached a limit and says nothing.
    Unknown,
    /// All held, but something that must happen never did.
    Never,
}

impl CheckVerdict {
    /// The name used in results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            CheckVerdict::Pass => "pass",
            CheckVerdict::Violation => "violation",
            CheckVerdict::Unknown => "unknown",
            CheckVerdict::Never => "never-happened",
        }
    }
}

/// Runs one cell of a campaign under a seed and keeps what a check needs.
#[must_use]
pub fn check_run(campaign: &Campaign, cell: usize, seed: u64) -> CheckedRun {
    let described = &campaign.cells[cell];
    keep(campaign, described, run(described, cell, seed))
}

fn keep(campaign: &Campaign, cell: &Cell, run: RunResult) -> CheckedRun {
    let broken = run.invariants.iter().filter_map(|verdict| {
        let place = CATALOGUE.iter().position(|entry| entry.name == verdict.invariant)?;
        Some((place, verdict.violations, verdict.first?))
    });
    let sometimes = campaign.experiment.sometimes.iter();
    CheckedRun {
        cell: run.cell,
        seed: run.seed,
        ending: run.ending,
        broken: broken.collect(),
        happened: sometimes.map(|named| named.happened(cell, &run)).collect(),
        expectations: run.expectations,
    }
}

impl CheckedRun {
    /// Whether it broke a promise.
    #[must_use]
    pub fn is_violation(&self) -> bool {
        !self.broken.is_empty() || self.expectations.iter().any(|judged| judged.met == Some(false))
    }

    fn findings(&self) -> impl Iterator<Item = Finding> {
        let of = |promise, violation, value, violations| Finding {
            promise,
            cell: self.cell,
            seed: self.seed,
            violation,
            value,
            seeds: 1,
            violations,
        };
        let broken = self.broken.iter().map(move |&(place, count, first)| {
            of(Promise::Invariant(place), Some(first), None, count)
        });
        let judged = self.expectations.iter().enumerate();
        let unmet = judged.filter(|(_, judged)| judged.met == Some(false));
        broken.chain(
            unmet
                .map(move |(place, judged)| of(Promise::Expectation(place), None, judged.value, 1)),
        )
    }
}

/// Judges the runs of a check: those of the first seed under every cell, then of the second, and so
/// on. Without `keep_going`, whatever comes after the first seed that broke a promise is left out.
#[must_use]
pub fn judge(campaign: &Campaign, runs: &[CheckedRun], keep_going: bool) -> Checked {
    let cells = campaign.cells.len();
    let mut checked = Checked {
        findings: Vec::new(),
        unknown: Vec::new(),
        happened: vec![false; campaign.experiment.sometimes.len()],
        seeds: 0,
        is_stopped: false,
    };
    for of_seed in runs.chunks(cells) {
        checked.seeds += 1;
        for run in of_seed {
            checked.note(run);
        }
        if !keep_going && of_seed.iter().any(CheckedRun::is_violation) {
            checked.is_stopped = checked.seeds < campaign.seeds.len() as u64;
            break;
        }
    }
    checked.findings.sort_by_key(|finding| (finding.cell, finding.promise));
    checked
}

impl Checked {
    fn note(&mut self, run: &CheckedRun) {
        for finding in run.findings() {
            let same = |known: &&mut Finding| {
                (known.cell, known.promise) == (finding.cell, finding.promise)
            };
            match self.findings.iter_mut().find(same) {
                Some(known) => {
                    known.seeds += 1;
                    known.violations += finding.violations;
                }
                None => self.findings.push(finding),
            }
        }
        if run.ending != Ending::Complete {
            self.unknown.push((run.cell, run.seed, run.ending));
        }
        for (happened, here) in self.happened.iter_mut().zip(&run.happened) {
            *happened |= here;
        }
    }

    /// The verdict: a violation weighs more than a limit, a limit more than what never happened.
    #[must_use]
    pub fn verdict(&self) -> CheckVerdict {
        if !self.findings.is_empty() {
            CheckVerdict::Violation
        } else if !self.unknown.is_empty() {
            CheckVerdict::Unknown
        } else if self.happened.contains(&false) {
            CheckVerdict::Never
        } else {
            CheckVerdict::Pass
        }
    }
}
