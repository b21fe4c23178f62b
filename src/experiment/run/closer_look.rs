//! A closer look at single runs of a campaign: the first seed of a cell window by window, and one
//! order for which a promise was broken.

use std::collections::BTreeMap;

use super::case::Case;
use super::run_case;
use super::story::{Story, listen};
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::result::RunResult;
use crate::experiment::shrink::minimize::{Spent, Target, reduce};
use crate::fault::FaultText;
use crate::invariant::Violation;
use crate::kernel::limit::Ending;
use crate::metric::{NodeSeries, NodeWatch, OperationSeries, Timeline, TimelineRecorder};
use crate::model::program::OperationId;
use crate::system::{Audience, Observer};

/// The most cells that are looked at window by window.
pub const CELLS_MAX: usize = 24;

/// The most stories that are told.
pub const STORIES_MAX: usize = 8;

/// How much more work than a run may go into leaving out of it what its story does not need. Most
/// stories need one user, and take next to none.
const REDUCTION_MAX: u64 = 3;

/// What is seen of single runs.
#[derive(Clone, Debug)]
pub struct CloserLook {
    /// The seed of the timelines.
    pub seed: u64,
    /// The cells that were looked at, in the order of the campaign.
    pub seen: Vec<Seen>,
    /// One order for each broken promise of some cells.
    pub witnesses: Vec<Witness>,
}

/// The run of a cell under the first seed, window by window.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The index of the cell in the campaign.
    pub cell: usize,
    /// Every fault of the run, by number.
    pub faults: Vec<FaultText>,
    /// What happened.
    pub timeline: Timeline,
    /// What each node did, by its index; empty unless the experiment asks.
    pub nodes: Vec<NodeSeries>,
    /// How the requests for each operation fared; empty unless the experiment asks.
    pub operations: BTreeMap<OperationId, OperationSeries>,
}

/// An order for which a promise was broken.
#[derive(Clone, Debug)]
pub struct Witness {
    /// The index of the cell in the campaign.
    pub cell: usize,
    /// The place of the promise in the cell's list.
    pub promise: usize,
    /// The seed of the run.
    pub seed: u64,
    /// When it was broken, and for which order.
    pub violation: Violation,
    /// The faults without which it would not have been, by number.
    pub faults: Vec<FaultText>,
    /// How many faults the run has.
    pub faults_before: usize,
    /// How many users are needed for it; `None` if none was left out.
    pub users: Option<usize>,
    /// Whether more may be left out than was tried.
    pub is_cut_off: bool,
    /// What happened with these faults and users alone.
    pub story: Story,
}

impl CloserLook {
    /// Looks at the cells of a campaign; those that matter most come first in `order`, and are
    /// looked at where there are too many.
    #[must_use]
    pub fn new(campaign: &Campaign, results: &[RunResult], order: &[usize]) -> CloserLook {
        let seed = campaign.seeds[0];
        let mut looked_at: Vec<usize> = order.iter().copied().take(CELLS_MAX).collect();
        looked_at.sort_unstable();
        let seen = |cell: usize| see(&campaign.cells[cell], cell, seed);
        CloserLook {
            seed,
            seen: looked_at.into_iter().map(seen).collect(),
            witnesses: witnesses(campaign, results, order),
        }
    }
}

fn see(cell: &Cell, index: usize, seed: u64) -> Seen {
    let (case, _) = Case::of(cell, seed);
    let mut recorder = TimelineRecorder::new(&cell.program, &cell.measure, &cell.milestones);
    let nodes = || NodeWatch::new(&cell.program, cell.measure.window, case.horizon);
    let mut watch = cell.observing.nodes.then(nodes);
    let mut all: Vec<&mut dyn Observer> = vec![&mut recorder];
    all.extend(watch.as_mut().map(|watch| watch as &mut dyn Observer));
    let mut all = Audience::new(all);
    let (run, _) = run_case(cell, index, &case, &mut all);
    let last = run.metrics.last_answer;
    let end = if run.ending == Ending::Complete { case.horizon } else { last };
    let (nodes, operations) = watch.map(NodeWatch::finish).unwrap_or_default();
    Seen { cell: index, faults: case.faults, timeline: recorder.finish(end), nodes, operations }
}

/// An order for each promise that a cell broke: of every promise one, in the first cell that broke
/// it, and then of the other promises of the cells that come first.
fn witnesses(campaign: &Campaign, results: &[RunResult], order: &[usize]) -> Vec<Witness> {
    let mut broken: Vec<(usize, usize, &RunResult)> = Vec::new();
    for &cell in order {
        let runs = campaign.runs_of(results, cell);
        for promise in 0..campaign.cells[cell].invariants.iter().count() {
            let first = runs.iter().find(|run| run.invariants[promise].first.is_some());
            broken.extend(first.map(|run| (cell, promise, run)));
        }
    }
    let is_first = |index: &usize| {
        let (_, promise, _) = broken[*index];
        !broken[..*index].iter().any(|&(_, before, _)| before == promise)
    };
    let (mut chosen, others): (Vec<usize>, Vec<usize>) = (0..broken.len()).partition(is_first);
    chosen.extend(others);
    chosen.truncate(STORIES_MAX);
    chosen.sort_unstable();
    let told = |index: usize| {
        let (cell, promise, run) = broken[index];
        witness(&campaign.cells[cell], cell, promise, run)
    };
    chosen.into_iter().filter_map(told).collect()
}

fn witness(cell: &Cell, index: usize, promise: usize, run: &RunResult) -> Option<Witness> {
    let watched = cell.invariants.get(promise).expect("a verdict is of a promise of its cell");
    let (target, first) = Target::of(cell, run, Some(&watched.name))?;
    let whole = Case::of(cell, run.seed);
    let faults_before = whole.0.faults.len();
    let most = run.events.saturating_mul(REDUCTION_MAX);
    let mut may_go_on = |spent: Spent| spent.events < most;
    let reduced = reduce(cell, whole, &target, first, &mut may_go_on);
    let (violation, is_cut_off, case) = (reduced.violation, reduced.is_cut_off, reduced.case);
    let (story, _) = listen(cell, &case, violation, target.at_end);
    let users = case.orders.map(|orders| orders.len());
    Some(Witness {
        cell: index,
        promise,
        seed: run.seed,
        violation,
        faults: case.faults,
        faults_before,
        users,
        is_cut_off,
        story,
    })
}
