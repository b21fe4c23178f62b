//! What goes wrong first for an order.

use std::collections::BTreeMap;

use crate::model::program::{EdgeId, Kind, NodeId, Program};
use crate::policy::{Denial, Outcome};
use crate::system::fact::{Fact, Refusal, Transit};

/// Something that goes wrong on the way of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// A message from one node to another was lost.
    Lost(NodeId, NodeId),
    /// A fault made a call fail.
    MadeToFail(NodeId),
    /// A node refused the request.
    Refused(NodeId, Refusal),
    /// The request came to an instance that was down.
    NobodyThere(NodeId),
    /// The caller's own policy did not make an attempt.
    Denied(EdgeId, Denial),
    /// An attempt ended so for its caller, and nothing else had gone wrong before.
    Ended(EdgeId, Outcome),
    /// A queue gave a message up: it was received too often, too old, or lost with the queue.
    GivenUp(NodeId),
}

/// How many orders failed, by what went wrong first for each; `None` where nothing had: they
/// waited.
pub type Causes = BTreeMap<Option<Trouble>, u64>;

/// The first trouble of each order of a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Troubles {
    /// By order.
    first: Vec<Option<Trouble>>,
}

impl Troubles {
    /// Notes what a fact tells of an order, if that is the first thing that went wrong for it.
    pub(super) fn note(&mut self, fact: &Fact) {
        let (Some(trouble), Some(order)) = (trouble(fact), fact.order()) else { return };
        let index = order as usize;
        if self.first.len() <= index {
            self.first.resize(index + 1, None);
        }
        self.first[index].get_or_insert(trouble);
    }

    /// What went wrong first for each of these orders.
    pub(super) fn causes(&self, orders: Vec<u64>) -> Causes {
        let mut causes = Causes::new();
        for order in orders {
            let first = self.first.get(order as usize).copied().flatten();
            *causes.entry(first).or_default() += 1;
        }
        causes
    }
}

fn trouble(fact: &Fact) -> Option<Trouble> {
    Some(match *fact {
        Fact::Lost(Transit { from, to, .. }) => Trouble::Lost(from, to),
        Fact::Failed { node, .. } => Trouble::MadeToFail(node),
        Fact::Refused { node, refusal, .. } => Trouble::Refused(node, refusal),
        Fact::NobodyThere { node, .. } => Trouble::NobodyThere(node),
        Fact::Denied { edge, denial, .. } => Trouble::Denied(edge, denial),
        Fact::Settled { edge, outcome, .. } if outcome != Outcome::Ok => {
            Trouble::Ended(edge, outcome)
        }
        Fact::DeadLettered { queue, .. }
        | Fact::Expired { queue, .. }
        | Fact::MessageLost { queue, .. } => Trouble::GivenUp(queue),
        _ => return None,
    })
}

/// Whether it is about what a relay asks of its own database: that is about a batch and no order.
pub(super) fn is_upkeep(program: &Program, fact: &Fact) -> bool {
    let is_relay = |node: NodeId| matches!(program.node(node).kind, Kind::Outbox(_));
    let is_data =
        |node: NodeId| matches!(program.node(node).kind, Kind::Database(_) | Kind::Replica(_));
    let between = |a: NodeId, b: NodeId| is_relay(a) && is_data(b) || is_relay(b) && is_data(a);
    match *fact {
        Fact::Lost(Transit { from, to, .. }) => between(from, to),
        Fact::Denied { edge, .. } | Fact::Settled { edge, .. } => {
            let edge = program.edge(edge);
            between(edge.caller, edge.target)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::fact::Asked;

    #[test]
    fn the_first_thing_that_goes_wrong_is_the_cause_of_each_order() {
        let settled = |order, outcome| Fact::Settled {
            edge: EdgeId(3),
            attempt: 1,
            order,
            asked: Asked::BY_NOBODY,
            outcome,
        };
        let full = Fact::Refused { node: NodeId(2), order: 1, refusal: Refusal::Full };
        let mut troubles = Troubles::default();
        for fact in [
            settled(0, Outcome::Ok),
            full,
            settled(1, Outcome::Rejected),
            settled(4, Outcome::TimedOut),
        ] {
            troubles.note(&fact);
        }
        let causes = troubles.causes(vec![0, 1, 4, 9]);
        let expected = [
            (None, 2),
            (Some(Trouble::Refused(NodeId(2), Refusal::Full)), 1),
            (Some(Trouble::Ended(EdgeId(3), Outcome::TimedOut)), 1),
        ];
        assert_eq!(causes, Causes::from(expected));
    }
}
