//! The story of one order: what was told about it, and what befell those who served it.

mod others;
mod point;

use std::collections::BTreeSet;

use super::case::Case;
use super::run_case;
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::result::RunResult;
use crate::invariant::Violation;
use crate::kernel::time::Time;
use crate::model::program::{NodeId, Program};
use crate::system::Observer;
use crate::system::fact::{Fact, Transit};
use others::Others;

pub use point::{NoReturn, Point, Share, no_return};

/// What happened to an order, or, without one, to the nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct Story {
    /// The order.
    pub order: Option<u64>,
    /// Every fact that concerns it, in order, up to the violation or, of a promise that is judged
    /// at the end, to the end of the run.
    pub facts: Vec<(Time, Fact)>,
    /// When the promise was broken; `None` of an order for which none was.
    pub broken_at: Option<Time>,
}

/// The most facts of a story: an order that is retried for ever has no end.
const FACTS_MAX: usize = 2_000;

/// Runs a case and listens for what concerns the order of a violation; returns the run too. Of a
/// promise that is judged at the end, what followed and did not make it good belongs to the story.
#[must_use]
pub fn listen(cell: &Cell, case: &Case, violation: Violation, at_end: bool) -> (Story, RunResult) {
    let mut listener = Listener {
        program: &cell.program,
        order: violation.order,
        until: if at_end { Time::NEVER } else { violation.at },
        facts: Vec::new(),
        others: Others::default(),
    };
    let (result, _) = run_case(cell, 0, case, &mut listener);
    let facts = only_concerned(listener.facts, violation.order);
    (Story { order: violation.order, facts, broken_at: Some(violation.at) }, result)
}

/// Keeps what concerns an order.
struct Listener<'p> {
    program: &'p Program,
    order: Option<u64>,
    until: Time,
    facts: Vec<(Time, Fact)>,
    /// What other orders did to the rows of this one.
    others: Others,
}

impl Observer for Listener<'_> {
    fn observe(&mut self, now: Time, fact: &Fact) {
        if now > self.until || self.facts.len() >= FACTS_MAX {
            return;
        }
        let is_own = fact.order().is_some() && fact.order() == self.order;
        if is_own && !fact.is_upkeep(self.program) {
            for (at, other) in self.others.behind(fact) {
                if !self.facts.contains(&(at, other)) {
                    let place = self.facts.partition_point(|&(before, _)| before <= at);
                    self.facts.insert(place, (at, other));
                }
            }
            self.facts.push((now, *fact));
        } else if self.order.is_some() && fact.order().is_some() {
            self.others.note(now, fact);
        } else if is_about_nodes(fact) {
            self.facts.push((now, *fact));
        }
    }
}

/// Whether it is told of a node or a fault, and of no order.
fn is_about_nodes(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::Crashed { .. }
            | Fact::Restarted { .. }
            | Fact::Paused { .. }
            | Fact::LogLost { .. }
            | Fact::CacheFlushed { .. }
            | Fact::Corrupted { .. }
            | Fact::FaultBegan(_)
            | Fact::FaultEnded(_)
    )
}

/// Without what befell nodes that the order never came to, or before it came. Of faults, those
/// that were over before are left out.
fn only_concerned(facts: Vec<(Time, Fact)>, order: Option<u64>) -> Vec<(Time, Fact)> {
    if order.is_none() {
        return facts;
    }
    let own = || facts.iter().filter(|(_, fact)| fact.order() == order);
    let began = own().next().map_or(Time::ZERO, |&(at, _)| at);
    let nodes: BTreeSet<NodeId> = own()
        .flat_map(|(_, fact)| match *fact {
            Fact::Sent(Transit { from, to, .. }) => [Some(from), Some(to)],
            _ => [None, None],
        })
        .flatten()
        .collect();
    let mut over: BTreeSet<u32> = BTreeSet::new();
    for (at, fact) in &facts {
        if let Fact::FaultEnded(fault) = *fact
            && *at < began
        {
            over.insert(fault);
        }
    }
    let is_concerned = |(at, fact): &(Time, Fact)| match *fact {
        Fact::Crashed { node, .. } | Fact::Restarted { node, .. } | Fact::Paused { node, .. } => {
            *at >= began && nodes.contains(&node)
        }
        Fact::FaultBegan(fault) | Fact::FaultEnded(fault) => !over.contains(&fault),
        Fact::LogLost { database: node, .. }
        | Fact::CacheFlushed { cache: node, .. }
        | Fact::Corrupted { node, .. } => *at >= began && nodes.contains(&node),
        _ => true,
    };
    facts.iter().copied().filter(is_concerned).collect()
}
