//! Whether an experiment holds: every promise and expectation under every seed.

use std::collections::{BTreeMap, BTreeSet};

use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::cohorts::ByChance;
use crate::experiment::run::result::{Judged, RunResult, digest_of_runs};
use crate::experiment::run::run;
use crate::invariant::Violation;
use crate::kernel::digest::Digest;
use crate::kernel::limit::Ending;
use crate::metric::Fills;

/// What a check keeps of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckedRun {
    /// The index of its cell in the campaign.
    pub cell: usize,
    /// Its seed.
    pub seed: u64,
    /// How it ended.
    pub ending: Ending,
    /// The digest of every event.
    pub digest: Digest,
    /// How many operations could have broken each invariant that is watched, in their order.
    pub exposures: Vec<u64>,
    /// How many that could have are neither kept nor broken when the run ends, of each.
    pub unjudged: Vec<u64>,
    /// The broken invariants: their place among those that are watched, how often, and the first
    /// time.
    pub broken: Vec<(usize, u64, Violation)>,
    /// What the expectations say, in the order of the experiment.
    pub expectations: Vec<Judged>,
    /// Which of the experiment's `sometimes` happened.
    pub happened: Vec<bool>,
    /// What readers brought to each cache of each table.
    pub fills: Vec<Fills>,
    /// What chance may have done to when it recovered.
    pub by_chance: ByChance,
}

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Promise {
    /// An invariant, by its place among those that are watched.
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

/// One promise in one cell: how it was put to the test, and how it stood.
#[derive(Clone, Debug, PartialEq)]
pub struct Tested {
    /// In which cell.
    pub cell: usize,
    /// What was promised.
    pub promise: Promise,
    /// How many operations, or for an expectation how many runs, could have broken it.
    pub exposure: u64,
    /// How many that could have are neither kept nor broken.
    pub unjudged: u64,
    /// How often it was broken.
    pub violations: u64,
    /// What can be said of it.
    pub standing: Standing,
}

/// What can be said of a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It was broken.
    Broken,
    /// It was not, but a run reached a limit and says nothing, or what could have broken it was not
    /// due by the end.
    Unjudged,
    /// Nothing that happened could have broken it.
    NotExercised,
    /// It could have been broken, and was not.
    Kept,
}

impl Standing {
    /// The name used in results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Standing::Broken => "broken",
            Standing::Unjudged => "unjudged",
            Standing::NotExercised => "not-exercised",
            Standing::Kept => "kept",
        }
    }
}

/// One promise in all cells that make it.
#[derive(Clone, Debug, PartialEq)]
pub struct Overall {
    /// Its name; of an expectation what is expected, as the first cell says it.
    pub name: String,
    /// The first cell that makes it, and which of its promises it is.
    pub first: (usize, Promise),
    /// How many operations or runs could have broken it.
    pub exposure: u64,
    /// How many that could have are neither kept nor broken.
    pub unjudged: u64,
    /// How often it was broken.
    pub violations: u64,
    /// What can be said of it: the worst of its cells, and not exercised only if it was in none.
    pub standing: Standing,
    /// The cells in which nothing could have broken it, if in others something could.
    pub idle: Vec<usize>,
}

impl Overall {
    /// Whether it is an invariant; else it is an expectation.
    #[must_use]
    pub fn is_invariant(&self) -> bool {
        matches!(self.first.1, Promise::Invariant(_))
    }

    /// Whether nothing that was judged could have broken it.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.exposure == 0 && self.standing != Standing::Broken
    }
}

/// What a check came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// The broken promises, in the order of cells.
    pub findings: Vec<Finding>,
    /// Every promise of every cell, in the order of cells.
    pub tested: Vec<Tested>,
    /// Every promise, over all cells that make it.
    pub overall: Vec<Overall>,
    /// The digest of all runs, as `run` tells it of the same seeds.
    pub digest: Digest,
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
    /// None was broken, but there is one that nothing could have broken.
    NotExercised,
    /// None was broken, but there is one of which nothing was due when the runs ended.
    NotJudged,
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
            CheckVerdict::NotExercised => "not-exercised",
            CheckVerdict::NotJudged => "not-judged",
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
    let verdicts = run.invariants.iter().enumerate();
    let broken = verdicts.filter(|(_, verdict)| verdict.violations > 0);
    let broken = broken.filter_map(|(place, own)| Some((place, own.violations, own.first?)));
    let sometimes = campaign.experiment.sometimes.iter();
    CheckedRun {
        cell: run.cell,
        seed: run.seed,
        ending: run.ending,
        digest: run.digest,
        exposures: run.invariants.iter().map(|verdict| verdict.exposure).collect(),
        unjudged: run.invariants.iter().map(|verdict| verdict.unjudged).collect(),
        broken: broken.collect(),
        happened: sometimes.map(|named| named.happened(cell, &run)).collect(),
        by_chance: run.by_chance(cell),
        expectations: run.expectations,
        fills: run.metrics.fills,
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
    let mut count = Count::new(campaign);
    let (mut seeds, mut is_stopped) = (0, false);
    for of_seed in runs.chunks(cells) {
        seeds += 1;
        of_seed.iter().for_each(|run| count.note(run));
        if !keep_going && of_seed.iter().any(CheckedRun::is_violation) {
            is_stopped = seeds < campaign.seeds.len() as u64;
            break;
        }
    }
    let mut judged: Vec<&CheckedRun> = runs.iter().take(seeds as usize * cells).collect();
    judged.sort_by_key(|run| (run.cell, run.seed));
    let digest = digest_of_runs(judged.iter().map(|run| (run.seed, run.digest)));
    let tested = count.tested(campaign);
    let overall = overall(campaign, &tested);
    let findings = count.findings.into_values().collect();
    let Count { unknown, happened, .. } = count;
    Checked { findings, tested, overall, digest, unknown, happened, seeds, is_stopped }
}

/// What the runs of a check add up to.
struct Count {
    findings: BTreeMap<(usize, Promise), Finding>,
    /// By cell and promise: what could have broken it, and what of that is not judged.
    exposures: BTreeMap<(usize, Promise), (u64, u64)>,
    unknown: Vec<(usize, u64, Ending)>,
    happened: Vec<bool>,
}

impl Count {
    fn new(campaign: &Campaign) -> Count {
        let happened = vec![false; campaign.experiment.sometimes.len()];
        let (findings, exposures) = (BTreeMap::new(), BTreeMap::new());
        Count { findings, exposures, unknown: Vec::new(), happened }
    }

    fn note(&mut self, run: &CheckedRun) {
        for finding in run.findings() {
            let known = self.findings.entry((finding.cell, finding.promise));
            let same = known.and_modify(|known| {
                known.seeds += 1;
                known.violations += finding.violations;
            });
            same.or_insert(finding);
        }
        let operations = run.exposures.iter().zip(&run.unjudged).enumerate();
        let operations = operations
            .map(|(place, (count, unjudged))| (Promise::Invariant(place), *count, *unjudged));
        let judged = run.expectations.iter().enumerate();
        let judged = judged
            .map(|(place, own)| (Promise::Expectation(place), u64::from(own.met.is_some()), 0));
        for (promise, count, unjudged) in operations.chain(judged) {
            let sum = self.exposures.entry((run.cell, promise)).or_default();
            *sum = (sum.0 + count, sum.1 + unjudged);
        }
        if run.ending != Ending::Complete {
            self.unknown.push((run.cell, run.seed, run.ending));
        }
        for (happened, here) in self.happened.iter_mut().zip(&run.happened) {
            *happened |= here;
        }
    }

    /// Every promise of every cell.
    fn tested(&self, campaign: &Campaign) -> Vec<Tested> {
        let unknown: BTreeSet<usize> = self.unknown.iter().map(|&(cell, ..)| cell).collect();
        let mut tested = Vec::new();
        for (cell, described) in campaign.cells.iter().enumerate() {
            let invariants = (0..described.promises().len()).map(Promise::Invariant);
            let expectations = (0..described.expect.len()).map(Promise::Expectation);
            for promise in invariants.chain(expectations) {
                let (exposure, unjudged) =
                    self.exposures.get(&(cell, promise)).copied().unwrap_or_default();
                let found = self.findings.get(&(cell, promise));
                let standing = match (found, exposure, unjudged) {
                    (Some(_), ..) => Standing::Broken,
                    _ if unknown.contains(&cell) => Standing::Unjudged,
                    (None, 0, 0) => Standing::NotExercised,
                    (None, 0, _) => Standing::Unjudged,
                    (None, ..) => Standing::Kept,
                };
                let violations = found.map_or(0, |found| found.violations);
                tested.push(Tested { cell, promise, exposure, unjudged, violations, standing });
            }
        }
        tested
    }
}

/// Every promise over all cells, in the order in which cells make them.
fn overall(campaign: &Campaign, tested: &[Tested]) -> Vec<Overall> {
    let mut order: Vec<Overall> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for one in tested {
        let (name, key) = campaign.cells[one.cell].promise(one.promise);
        let place = *places.entry(key).or_insert(order.len());
        if place == order.len() {
            order.push(Overall {
                name,
                first: (one.cell, one.promise),
                exposure: 0,
                unjudged: 0,
                violations: 0,
                standing: Standing::Kept,
                idle: Vec::new(),
            });
        }
        let all = &mut order[place];
        all.exposure += one.exposure;
        all.unjudged += one.unjudged;
        all.violations += one.violations;
        match one.standing {
            Standing::NotExercised => all.idle.push(one.cell),
            standing => all.standing = all.standing.min(standing),
        }
    }
    for all in order.iter_mut().filter(|all| all.exposure + all.unjudged == 0) {
        all.standing = all.standing.min(Standing::NotExercised);
        all.idle.clear();
    }
    order
}

impl Cell {
    /// Why nothing can be said of a promise that was not exercised.
    #[must_use]
    pub fn silence(&self, promise: Promise) -> &'static str {
        match promise {
            Promise::Invariant(_) => "nothing could have broken it",
            Promise::Expectation(place) => match self.expect.get(place) {
                Some(one) if one.is_percentile => {
                    "no run has requests enough to tell it, or more are unfinished than take longer"
                }
                _ => "no run has a value of it",
            },
        }
    }

    /// The name of a promise, and what tells it from the other promises of an experiment: of an
    /// expectation the metric, for arms may set other bounds.
    #[must_use]
    pub fn promise(&self, promise: Promise) -> (String, String) {
        match promise {
            Promise::Invariant(place) => {
                let name = self.promises().get(place).copied().unwrap_or_default().to_owned();
                (name.clone(), format!("invariant {name}"))
            }
            Promise::Expectation(place) => {
                let one = self.expect.get(place);
                let key = one.map_or("", |one| one.name.as_str());
                (one.map(ToString::to_string).unwrap_or_default(), format!("expect {key}"))
            }
        }
    }
}

impl Checked {
    /// The verdict: a violation weighs more than a limit, a limit more than what was not exercised,
    /// and that more than what never happened.
    #[must_use]
    pub fn verdict(&self) -> CheckVerdict {
        if !self.findings.is_empty() {
            CheckVerdict::Violation
        } else if !self.unknown.is_empty() {
            CheckVerdict::Unknown
        } else if self.overall.iter().any(|all| all.standing == Standing::NotExercised) {
            CheckVerdict::NotExercised
        } else if self.overall.iter().any(Overall::is_idle) {
            CheckVerdict::NotJudged
        } else if self.happened.contains(&false) {
            CheckVerdict::Never
        } else {
            CheckVerdict::Pass
        }
    }
}
