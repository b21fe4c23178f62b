//! How far and how fast a failure spread in the runs of a cell: the blast radius of all its runs.

use crate::experiment::judge::blast_radius::{BlastRadius, Part, Parts};
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::result::RunResult;
use crate::kernel::time::Span;
use crate::model::program::{NodeId, OperationId};

/// What the runs of a cell came to beside their twins.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    /// Runs that were compared.
    pub runs: u64,
    /// Requests that were good without the cause, of all these runs.
    pub requests: Parts,
    /// Those that were asked while the cause acted.
    pub during: Parts,
    /// Their users.
    pub users: Part,
    /// The keys that they were about, those of each run counted for themselves.
    pub keys: Part,
    /// The same by operation, in the order of the program.
    pub operations: Vec<OperationSpread>,
    /// Orders by milestone, in the order of the experiment.
    pub milestones: Vec<Part>,
    /// By how much more often each promise was broken.
    pub promises: Vec<u64>,
    /// Every node, in the order of the program.
    pub nodes: Vec<NodeSpread>,
}

/// How the requests for an operation fared.
#[derive(Clone, Debug, PartialEq)]
pub struct OperationSpread {
    /// Which.
    pub operation: OperationId,
    /// How they fared, in all runs.
    pub parts: Parts,
    /// How long after the beginning of the cause the first of them was seen to fare worse, in the
    /// runs in which any did.
    pub first: Option<Reach>,
}

/// When a node was reached.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeSpread {
    /// Which.
    pub node: NodeId,
    /// How long after the beginning of the cause it first did something else; `None` if it never
    /// did.
    pub reached: Option<Reach>,
    /// How long after that the first call to it, or request of these clients, was seen to fare
    /// worse.
    pub hurt: Option<Reach>,
    /// From which node the difference came in most of these runs; `None` if it began there.
    pub from: Option<NodeId>,
}

/// How long something took, in the runs in which it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// In so many runs.
    pub runs: u64,
    /// The shortest.
    pub least: Span,
    /// The middle one; of an even number the one before the middle.
    pub median: Span,
    /// The longest.
    pub greatest: Span,
}

impl Reach {
    pub(crate) fn of(mut spans: Vec<Span>) -> Option<Reach> {
        spans.sort_unstable();
        let (least, greatest) = (*spans.first()?, *spans.last()?);
        let median = spans[(spans.len() - 1) / 2];
        Some(Reach { runs: spans.len() as u64, least, median, greatest })
    }
}

impl Spread {
    /// What the runs of a cell came to; `None` if none was compared.
    #[must_use]
    pub fn of(cell: &Cell, runs: &[RunResult]) -> Option<Spread> {
        let compared: Vec<&BlastRadius> =
            runs.iter().filter_map(|run| run.blast_radius.as_ref()).collect();
        if compared.is_empty() {
            return None;
        }
        let parts = |of: fn(&BlastRadius) -> Parts| {
            let mut sum = Parts::default();
            compared.iter().for_each(|one| sum.add(&of(one)));
            sum
        };
        let part = |of: &dyn Fn(&BlastRadius) -> Part| {
            compared.iter().map(|one| of(one)).fold(Part::default(), |sum, one| Part {
                of: sum.of + one.of,
                worse: sum.worse + one.worse,
            })
        };
        let milestone =
            |place: usize| part(&|one| one.milestones.get(place).copied().unwrap_or_default());
        let promise =
            |place: usize| compared.iter().filter_map(|one| one.promises.get(place)).sum::<u64>();
        let nodes = 0..cell.program.nodes.len() as u16;
        Some(Spread {
            runs: compared.len() as u64,
            requests: parts(|one| one.requests),
            during: parts(|one| one.during),
            users: part(&|one| one.users),
            keys: part(&|one| one.keys),
            operations: operations(cell, &compared),
            milestones: (0..cell.milestones.len()).map(milestone).collect(),
            promises: (0..cell.promises().len()).map(promise).collect(),
            nodes: nodes.map(|node| node_spread(NodeId(node), &compared)).collect(),
        })
    }

    /// How many operations have requests that fared worse.
    #[must_use]
    pub fn operations_worse(&self) -> u64 {
        self.operations.iter().filter(|one| one.parts.worse() > 0).count() as u64
    }

    /// How many nodes calls to which, or requests of which, fared worse in any run.
    #[must_use]
    pub fn nodes_hurt(&self) -> u64 {
        self.nodes.iter().filter(|one| one.hurt.is_some()).count() as u64
    }

    /// How many nodes were reached in any run.
    #[must_use]
    pub fn nodes_reached(&self) -> u64 {
        self.nodes.iter().filter(|one| one.reached.is_some()).count() as u64
    }

    /// The nodes that were reached, the first one first.
    #[must_use]
    pub fn in_order(&self) -> Vec<&NodeSpread> {
        let mut reached: Vec<&NodeSpread> =
            self.nodes.iter().filter(|one| one.reached.is_some()).collect();
        reached.sort_by_key(|one| one.reached.map(|reach| reach.median));
        reached
    }
}

fn operations(cell: &Cell, compared: &[&BlastRadius]) -> Vec<OperationSpread> {
    let spread = |index: u16| {
        let of = |one: &&BlastRadius| {
            let mut operations = one.operations.iter();
            let (_, of) = operations.find(|(id, _)| *id == index)?;
            Some((*of, one.acts.0))
        };
        let found: Vec<_> = compared.iter().filter_map(of).collect();
        let mut parts = Parts::default();
        found.iter().for_each(|(of, _)| parts.add(&of.parts));
        let first = found.iter().filter_map(|(of, began)| Some(of.first?.since(*began)));
        let first = Reach::of(first.collect());
        (parts.of > 0).then_some(OperationSpread { operation: OperationId(index), parts, first })
    };
    (0..cell.program.operations.len() as u16).filter_map(spread).collect()
}

fn node_spread(node: NodeId, compared: &[&BlastRadius]) -> NodeSpread {
    let at = |one: &&BlastRadius| {
        let reached = one.nodes.get(usize::from(node.0)).copied().flatten()?;
        Some((reached.at.since(one.acts.0), reached.from.map(NodeId)))
    };
    let hurt = |one: &&BlastRadius| {
        Some(one.hurt.get(usize::from(node.0)).copied().flatten()?.since(one.acts.0))
    };
    let hurt = Reach::of(compared.iter().filter_map(hurt).collect());
    let found: Vec<(Span, Option<NodeId>)> = compared.iter().filter_map(at).collect();
    let often = |from: &Option<NodeId>| found.iter().filter(|(_, other)| other == from).count();
    let mut sources: Vec<Option<NodeId>> = found.iter().map(|(_, from)| *from).collect();
    sources.sort_unstable();
    let from = sources.iter().rev().max_by_key(|from| often(from)).copied().flatten();
    let reached = Reach::of(found.iter().map(|(at, _)| *at).collect());
    NodeSpread { node, reached, hurt, from }
}
