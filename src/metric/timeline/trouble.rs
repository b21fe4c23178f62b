//! What goes wrong first for an order.

use std::collections::BTreeMap;

use crate::model::program::{EdgeId, NodeId, Program};
use crate::policy::{Denial, Outcome};
use crate::system::fact::{Direction, Fact, Refusal, Transit};

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

/// What went wrong for each order of a run and was not made good.
#[derive(Clone, Debug, Default)]
pub(super) struct Troubles {
    /// By order: the first trouble since the last that was made good.
    open: Vec<Option<Noted>>,
    /// By order: what it was when its user was first not answered `ok`.
    at_answer: Vec<Option<Trouble>>,
}

/// A trouble, and whose call it is part of, once that is known.
#[derive(Clone, Copy, Debug)]
struct Noted {
    trouble: Trouble,
    caller: Option<NodeId>,
}

impl Troubles {
    /// Notes what a fact tells of an order. A caller that gets an answer `ok` afterwards has made
    /// good what went wrong for it: it tried again, or went on without.
    pub(super) fn note(&mut self, program: &Program, fact: &Fact) {
        let Some(order) = fact.order() else { return };
        let index = order as usize;
        if let Fact::Answered { outcome, .. } = *fact {
            if outcome != Outcome::Ok {
                let open = self.open.get(index).copied().flatten().map(|noted| noted.trouble);
                let at_answer = slot(&mut self.at_answer, index);
                *at_answer = at_answer.or(open);
            }
            return;
        }
        let caller = caller(program, fact);
        if matches!(fact, Fact::Settled { outcome: Outcome::Ok, .. }) {
            let open = slot(&mut self.open, index);
            *open = open.filter(|noted| noted.caller != caller);
            return;
        }
        let Some(trouble) = trouble(fact) else { return };
        match slot(&mut self.open, index) {
            Some(noted) => noted.caller = noted.caller.or(caller),
            none => *none = Some(Noted { trouble, caller }),
        }
    }

    /// What went wrong first for each of these orders.
    pub(super) fn causes(&self, orders: Vec<u64>) -> Causes {
        let mut causes = Causes::new();
        for order in orders {
            let index = order as usize;
            let at_answer = self.at_answer.get(index).copied().flatten();
            let open = self.open.get(index).copied().flatten().map(|noted| noted.trouble);
            *causes.entry(at_answer.or(open)).or_default() += 1;
        }
        causes
    }
}

/// The place of an order in a list that grows.
fn slot<T: Copy>(list: &mut Vec<Option<T>>, index: usize) -> &mut Option<T> {
    if list.len() <= index {
        list.resize(index + 1, None);
    }
    &mut list[index]
}

/// Whose call it is that something befalls; `None` where the fact does not say.
fn caller(program: &Program, fact: &Fact) -> Option<NodeId> {
    match *fact {
        Fact::Settled { edge, .. } | Fact::Denied { edge, .. } => Some(program.edge(edge).caller),
        Fact::Lost(Transit { direction: Direction::Request, from, .. }) => Some(from),
        Fact::Lost(Transit { direction: Direction::Reply, to, .. }) => Some(to),
        _ => None,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::time::Time;
    use crate::model::program::{Edge, OperationId, StateOf};
    use crate::system::fact::{Asked, Request};

    const USERS: NodeId = NodeId(0);
    const SHOP: NodeId = NodeId(1);
    const BANK: NodeId = NodeId(2);
    const BUY: EdgeId = EdgeId(0);
    const CHARGE: EdgeId = EdgeId(1);

    fn program() -> Program {
        let edge = |caller, target| Edge {
            name: String::new(),
            id: 0,
            caller,
            target,
            operation: OperationId(0),
            policy: 0,
            scope: 0,
            state_of: StateOf::Process,
            is_entry: caller == USERS,
        };
        Program { edges: vec![edge(USERS, SHOP), edge(SHOP, BANK)], ..Program::default() }
    }

    fn settled(edge: EdgeId, outcome: Outcome) -> Fact {
        Fact::Settled { edge, attempt: 1, order: 0, asked: Asked::BY_NOBODY, outcome }
    }

    fn refused() -> Fact {
        Fact::Refused { node: BANK, order: 0, refusal: Refusal::Full }
    }

    fn answered(outcome: Outcome) -> Fact {
        let operation = OperationId(0);
        let request = Request { operation, order: 0, key: 0, started: Time::ZERO };
        Fact::Answered { request, outcome, attempts: 1 }
    }

    fn cause(facts: &[Fact]) -> Option<Trouble> {
        let mut troubles = Troubles::default();
        facts.iter().for_each(|fact| troubles.note(&program(), fact));
        let causes = troubles.causes(vec![0]);
        causes.into_keys().next().expect("one order has one cause")
    }

    #[test]
    fn the_first_thing_that_goes_wrong_is_the_cause() {
        let facts = [
            refused(),
            settled(CHARGE, Outcome::Rejected),
            settled(BUY, Outcome::Failed),
            answered(Outcome::Failed),
        ];
        assert_eq!(cause(&facts), Some(Trouble::Refused(BANK, Refusal::Full)));
        assert_eq!(cause(&facts[1..]), Some(Trouble::Ended(CHARGE, Outcome::Rejected)));
        assert_eq!(cause(&[]), None);
    }

    #[test]
    fn what_a_caller_made_good_is_no_cause() {
        let again = [refused(), settled(CHARGE, Outcome::Rejected), settled(CHARGE, Outcome::Ok)];
        assert_eq!(cause(&again), None);
        let later = [again.as_slice(), &[settled(BUY, Outcome::TimedOut)]].concat();
        assert_eq!(cause(&later), Some(Trouble::Ended(BUY, Outcome::TimedOut)));
        // What the user asks for afterwards makes no answer good that came before.
        let next = [
            settled(BUY, Outcome::Failed),
            answered(Outcome::Failed),
            settled(BUY, Outcome::Ok),
            answered(Outcome::Ok),
        ];
        assert_eq!(cause(&next), Some(Trouble::Ended(BUY, Outcome::Failed)));
    }
}
