//! What each node of a run did and when, and when that first differs from another run.
//!
//! What a node did at an instant is one number: the sum of the hashes of its facts, so that the
//! order in which a run tells of one instant decides nothing. A fact is hashed by what its node
//! knows and does. Left out is what only the observer knows (the newest version there is, whether
//! anybody still waits), and what counts things that others did (numbers of orders, positions).

use std::collections::BTreeMap;

use crate::kernel::draw::key_of;
use crate::kernel::time::Time;
use crate::model::program::{Kind, NodeId, Program};
use crate::policy::Outcome;
use crate::system::Observer;
use crate::system::fact::ejection::Ejection;
use crate::system::fact::kind::FactKind;
use crate::system::fact::{Caching, Came, Content, Deed, Direction, Fact, Pooling, Stay, Transit};

/// What was done at each instant at which anything was, from the earliest on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Deeds(Vec<(Time, u64)>);

impl Deeds {
    fn add(&mut self, now: Time, deed: u64) {
        match self.0.last_mut().filter(|last| last.0 == now) {
            Some(last) => last.1 = last.1.wrapping_add(deed),
            None => self.0.push((now, deed)),
        }
    }

    /// The first instant before `until` at which other things were done.
    fn first_difference(&self, other: &Deeds, until: Time) -> Option<Time> {
        let place = self.0.iter().zip(&other.0).take_while(|(own, others)| own == others).count();
        let next = [self, other].into_iter().filter_map(|deeds| deeds.0.get(place));
        next.map(|(at, _)| *at).min().filter(|at| *at < until)
    }
}

/// What each node did.
#[derive(Clone, Debug)]
pub struct Trail<'p> {
    program: &'p Program,
    since: Time,
    /// Of each order, its user as one number that is the same in both runs.
    users: Vec<u64>,
    nodes: Vec<Deeds>,
    /// What arrived by each link that anything arrived by.
    links: BTreeMap<(NodeId, NodeId), Deeds>,
}

/// When a node was reached by a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
pub struct Reached {
    /// When it first did something else, or something at another time.
    pub at: Time,
    /// The node from which that came: by a message that arrived or did not, or by what it copies.
    /// `None` where it began.
    pub from: Option<u16>,
}

impl<'p> Trail<'p> {
    /// A trail of a run of this program, of what happens from `since` on: before anything goes
    /// wrong nothing differs.
    pub fn new(program: &'p Program, since: Time) -> Trail<'p> {
        let nodes = vec![Deeds::default(); program.nodes.len()];
        Trail { program, since, users: Vec::new(), nodes, links: BTreeMap::new() }
    }

    /// The program whose nodes are followed.
    pub fn program(&self) -> &'p Program {
        self.program
    }

    /// When each node was reached before `until`, by its index; `None` for those that did the same
    /// in both runs. After the end of one of the runs there is nothing to compare.
    pub fn reached(&self, other: &Trail<'_>, until: Time) -> Vec<Option<Reached>> {
        let pairs = self.nodes.iter().zip(&other.nodes);
        let first: Vec<Option<Time>> =
            pairs.map(|(own, others)| own.first_difference(others, until)).collect();
        let reached = |(index, at): (usize, &Option<Time>)| {
            let at = (*at)?;
            let from = self.origin(other, NodeId(index as u16), at, &first);
            Some(Reached { at, from: from.map(|node| node.0) })
        };
        first.iter().enumerate().map(reached).collect()
    }

    /// From where a difference came that reached a node then: from the one of those whose messages
    /// differ at that instant that was itself reached first; of a copy, from what it copies.
    fn origin(
        &self,
        other: &Trail<'_>,
        node: NodeId,
        at: Time,
        first: &[Option<Time>],
    ) -> Option<NodeId> {
        let nothing = Deeds::default();
        let into = self.links.keys().chain(other.links.keys()).filter(|(_, to)| *to == node);
        let differs = |link: &&(NodeId, NodeId)| {
            let [own, others] =
                [self, other].map(|trail| trail.links.get(*link).unwrap_or(&nothing));
            own.first_difference(others, Time::NEVER) == Some(at)
        };
        let when = |node: NodeId| first[usize::from(node.0)].unwrap_or(Time::NEVER);
        let source = into.filter(differs).map(|(from, _)| *from).min_by_key(|&from| when(from));
        let copied = || match &self.program.node(node).kind {
            Kind::Replica(replica) => Some(replica.of),
            Kind::Outbox(relay) => Some(relay.database),
            _ => None,
        };
        source.or_else(|| copied().filter(|&source| when(source) <= at))
    }

    fn user(&self, order: u64) -> u64 {
        self.users.get(order as usize).copied().unwrap_or_default()
    }

    fn came(&mut self, Came { clients, order, work }: Came) {
        let index = order as usize;
        if self.users.len() <= index {
            self.users.resize(index + 1, 0);
        }
        self.users[index] = key_of(u64::from(clients.0) + 1, work);
    }

    /// What a fact tells of a node, as a number; the same number in both runs of a seed.
    fn deed(&self, fact: &Fact) -> Option<u64> {
        self.of_calls(fact).or_else(|| self.of_data(fact)).or_else(|| self.of_messages(fact))
    }

    /// A fact about an order, and what else it says.
    fn of_order(&self, fact: &Fact, parts: [u64; 2]) -> Option<u64> {
        Some(hashed(fact.kind(), self.user(fact.order()?), parts))
    }

    fn of_calls(&self, fact: &Fact) -> Option<u64> {
        match *fact {
            Fact::Attempted { edge, attempt, .. } | Fact::Stale { edge, attempt, .. } => {
                self.of_order(fact, [edge.0.into(), attempt.into()])
            }
            Fact::Denied { edge, attempt, denial, .. } => {
                let why = key_of(attempt.into(), denial as u64);
                self.of_order(fact, [edge.0.into(), why])
            }
            Fact::Settled { edge, attempt, outcome, .. } => {
                let how = key_of(attempt.into(), number_of(outcome));
                self.of_order(fact, [edge.0.into(), how])
            }
            Fact::Ejected(Ejection { process, target, instance, .. })
            | Fact::Returned(Ejection { process, target, instance, .. }) => {
                let whom = [target.0.into(), instance.into()];
                Some(hashed(fact.kind(), process.into(), whom))
            }
            Fact::Sent(transit) | Fact::Duplicated(transit) | Fact::Arrived(transit) => {
                self.of_order(fact, message(&transit))
            }
            Fact::Refused { refusal, .. } => self.of_order(fact, [refusal as u64, 0]),
            Fact::Pooled(Pooling { waited, got, .. }) => {
                self.of_order(fact, [waited.0, got.into()])
            }
            Fact::Left(Stay { edge, attempt, begun, found, .. }) => {
                let stay = key_of(begun.map_or(0, |begun| begun.0), found.into());
                let what = key_of(edge.0.into(), attempt.into());
                Some(hashed(fact.kind(), what, [stay, 0]))
            }
            Fact::Worked(work) => self.of_order(fact, [work.span.0, 0]),
            Fact::Crashed { instance, .. } | Fact::Restarted { instance, .. } => {
                Some(hashed(fact.kind(), instance.into(), [0, 0]))
            }
            Fact::Paused { instance, span, .. } => {
                Some(hashed(fact.kind(), instance.into(), [span.0, 0]))
            }
            Fact::NobodyThere { refused, .. } => self.of_order(fact, [refused.into(), 0]),
            Fact::TurnedAway { .. } => self.of_order(fact, [0, 0]),
            _ => None,
        }
    }

    fn of_data(&self, fact: &Fact) -> Option<u64> {
        match *fact {
            Fact::Committed { table, state, .. } => {
                self.of_order(fact, [table.0.into(), state.0.into()])
            }
            Fact::Repeated { .. } | Fact::Conflict { .. } | Fact::CommitLost { .. } => {
                self.of_order(fact, [0, 0])
            }
            Fact::Overwrote { table, is_lost, .. } => {
                self.of_order(fact, [table.0.into(), is_lost.into()])
            }
            Fact::Read { table, seen, .. } => self.of_order(fact, [table.0.into(), seen]),
            Fact::StaleEpoch { accepted, .. } => self.of_order(fact, [accepted.into(), 0]),
            Fact::WriteLost { table, .. } => self.of_order(fact, [table.0.into(), 0]),
            Fact::Caching(Caching { table, deed, .. }) => {
                self.of_order(fact, [table.0.into(), number_of_deed(deed)])
            }
            Fact::Flushed { .. } | Fact::AnsweredAlone(_) => Some(hashed(fact.kind(), 0, [0, 0])),
            Fact::WaitedForReplica { in_time, .. } => {
                Some(hashed(fact.kind(), in_time.into(), [0, 0]))
            }
            Fact::CacheFlushed { rows, .. } | Fact::Corrupted { rows, .. } => {
                Some(hashed(fact.kind(), rows, [0, 0]))
            }
            Fact::LogLost { transactions, .. } => Some(hashed(fact.kind(), transactions, [0, 0])),
            _ => None,
        }
    }

    fn of_messages(&self, fact: &Fact) -> Option<u64> {
        match *fact {
            Fact::Outboxed { event, .. } => self.of_order(fact, [event.0.into(), 0]),
            Fact::Audited { entry, .. } => self.of_order(fact, [entry.0.into(), 0]),
            Fact::Delivered { receives, .. } => self.of_order(fact, [receives.into(), 0]),
            Fact::Replayed { outcome, .. } => self.of_order(fact, [number_of(outcome), 0]),
            Fact::Failed { after_effect, .. } => self.of_order(fact, [after_effect.into(), 0]),
            Fact::Enqueued { .. }
            | Fact::Acknowledged { .. }
            | Fact::DeadLettered { .. }
            | Fact::Expired { .. }
            | Fact::MessageLost { .. }
            | Fact::Throttled { .. }
            | Fact::Mismatched { .. } => self.of_order(fact, [0, 0]),
            _ => None,
        }
    }
}

/// What a message says, and from whom to whom it is.
fn message(transit: &Transit) -> [u64; 2] {
    let Transit { direction, from, to, content, .. } = *transit;
    let says = match content {
        Content::Call(operation) => u64::from(operation.0) << 3,
        Content::Answer(outcome) => number_of(outcome) << 3 | 1,
        Content::Delivery => 2,
        Content::GivenBack => 3,
        Content::StillHandled => 4,
    };
    let back = u64::from(direction == Direction::Reply);
    let ends = u64::from(from.0) << 16 | u64::from(to.0);
    [ends << 1 | back, says]
}

impl Observer for Trail<'_> {
    fn observe(&mut self, now: Time, fact: &Fact) {
        if let Fact::Came(came) = *fact {
            self.came(came);
        }
        if now < self.since {
            return;
        }
        let Some(deed) = self.deed(fact) else { return };
        let node = fact.node(self.program).expect("what is compared befell a node");
        self.nodes[usize::from(node.0)].add(now, deed);
        if let Fact::Arrived(transit) = fact {
            self.links.entry((transit.from, transit.to)).or_default().add(now, deed);
        }
    }
}

fn hashed(kind: FactKind, who: u64, [one, other]: [u64; 2]) -> u64 {
    key_of(key_of(kind as u64, who), key_of(one, other))
}

fn number_of(outcome: Outcome) -> u64 {
    match outcome {
        Outcome::Http(status) => 100 + u64::from(status.number()),
        Outcome::Grpc(code) => 50 + code as u64,
        plain => Outcome::PLAIN.iter().position(|one| *one == plain).unwrap_or_default() as u64,
    }
}

fn number_of_deed(deed: Deed) -> u64 {
    match deed {
        Deed::KeepsNothing => 0,
        Deed::FindsNothing => 1,
        Deed::Refuses => 2,
        Deed::Forgets => 3,
        Deed::Keeps(version) => 4 + version,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deeds(list: &[(u64, u64)]) -> Deeds {
        let mut deeds = Deeds::default();
        list.iter().for_each(|&(at, deed)| deeds.add(Time(at), deed));
        deeds
    }

    #[test]
    fn the_first_difference_is_the_earlier_of_two_instants_that_are_not_the_same() {
        let first = |one: &[(u64, u64)], other: &[(u64, u64)], until| {
            let (one, other) = (deeds(one), deeds(other));
            let found = one.first_difference(&other, Time(until));
            assert_eq!(found, other.first_difference(&one, Time(until)), "either way round");
            found.map(|at| at.0)
        };
        assert_eq!(first(&[(1, 7), (2, 8)], &[(1, 7), (2, 8)], 99), None);
        assert_eq!(first(&[(1, 7), (2, 8)], &[(1, 7), (2, 9)], 99), Some(2), "something else");
        assert_eq!(first(&[(1, 7), (5, 8)], &[(1, 7), (3, 8)], 99), Some(3), "at another time");
        assert_eq!(
            first(&[(1, 7)], &[(1, 7), (3, 8)], 99),
            Some(3),
            "silence where there was none"
        );
        assert_eq!(first(&[(1, 7)], &[(1, 7), (3, 8)], 3), None, "one run was over");
        assert_eq!(
            first(&[(1, 7), (1, 8)], &[(1, 8), (1, 7)], 99),
            None,
            "the order in an instant"
        );
    }
}
