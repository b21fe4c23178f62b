//! The instances of every node: each with its workers and its waiting line, and whether it is up.

mod balance;
mod bulkhead;
mod door;
mod life;
mod line;
mod pool;
mod station;

use crate::kernel::time::{Span, Time};
use crate::model::program::{Kind, Node, NodeId, Program};

pub(super) use balance::Choice;
pub(super) use bulkhead::{Passed, Place};
pub(super) use life::Life;
pub(super) use pool::Holds;
pub(super) use station::{Entry, Next, Station};

/// One instance: of a service, of a node of another kind, or a process of clients.
#[derive(Clone, Debug)]
pub(super) struct Instance {
    station: Station,
    life: Life,
}

/// The instances of one node.
#[derive(Clone, Copy, Debug)]
struct Members {
    /// The first of them.
    first: u32,
    /// Who was given work last, for round robin.
    turn: u32,
}

/// Every instance of every node.
#[derive(Clone, Debug)]
pub(super) struct Fleet {
    instances: Vec<Instance>,
    /// By node.
    members: Vec<Members>,
    /// Later than this, every instance is up and running: the check that is cheap.
    stopped_until: Time,
}

/// How many instances of a node can die one by one: those of a service, the processes of clients,
/// one of everything else.
#[must_use]
pub fn instances_of(node: &Node) -> u32 {
    match &node.kind {
        Kind::Clients(clients) => clients.processes,
        _ => node.station.instances,
    }
}

impl Fleet {
    /// Every instance of a program, up and idle.
    pub(super) fn new(program: &Program) -> Fleet {
        let (mut instances, mut members) = (Vec::new(), Vec::new());
        for node in &program.nodes {
            members.push(Members { first: instances.len() as u32, turn: 0 });
            let instance =
                || Instance { station: Station::new(&node.station), life: Life::default() };
            instances.extend((0..instances_of(node)).map(|_| instance()));
        }
        Fleet { instances, members, stopped_until: Time::ZERO }
    }

    /// Where an instance of a node is kept.
    #[inline]
    pub(super) fn index(&self, node: NodeId, instance: u32) -> usize {
        (self.members[node.0 as usize].first + instance) as usize
    }

    /// The workers and the line of an instance, by where it is kept.
    #[inline]
    pub(super) fn station(&self, index: usize) -> &Station {
        &self.instances[index].station
    }

    /// The same, to change it.
    #[inline]
    pub(super) fn station_mut(&mut self, index: usize) -> &mut Station {
        &mut self.instances[index].station
    }

    /// The workers and the lines of all instances, in the order in which they are kept.
    pub(super) fn stations(&self) -> impl Iterator<Item = &Station> {
        self.instances.iter().map(|instance| &instance.station)
    }

    /// How many instances there are.
    pub(super) fn len(&self) -> usize {
        self.instances.len()
    }

    /// Who of the instances of a node was given work last.
    pub(super) fn turn(&mut self, node: NodeId) -> &mut u32 {
        &mut self.members[node.0 as usize].turn
    }

    /// Whether an instance is up, and until when.
    pub(super) fn life(&self, node: NodeId, instance: u32) -> &Life {
        &self.instances[self.index(node, instance)].life
    }

    fn life_mut(&mut self, node: NodeId, instance: u32) -> &mut Life {
        let index = self.index(node, instance);
        &mut self.instances[index].life
    }

    /// Whether any instance may be down or stand still.
    #[inline]
    pub(super) fn may_be_stopped(&self, now: Time) -> bool {
        now < self.stopped_until
    }

    /// Whether an instance is down.
    #[inline]
    pub(super) fn is_down(&self, node: NodeId, instance: u32, now: Time) -> bool {
        self.may_be_stopped(now) && self.life(node, instance).is_down(now)
    }

    /// Whether a node of one instance is down or stands still.
    pub(super) fn is_stopped(&self, node: NodeId, now: Time) -> bool {
        self.may_be_stopped(now) && self.life(node, 0).stopped(now).is_some()
    }

    /// Whether a balancer knows that an instance is down.
    fn is_known_down(&self, program: &Program, node: NodeId, instance: u32, now: Time) -> bool {
        let Kind::Service(service) = &program.node(node).kind else { return false };
        self.may_be_stopped(now) && self.life(node, instance).is_known_down(now, service.detection)
    }

    /// Takes an instance down until a time; says whether it was up.
    pub(super) fn stop(
        &mut self,
        (node, instance): (NodeId, u32),
        now: Time,
        until: Time,
        unreachable: bool,
    ) -> bool {
        self.stopped_until = self.stopped_until.max(until);
        self.life_mut(node, instance).stop(now, until, unreachable)
    }

    /// Lets an instance stand still until a time; returns by how much longer than it would have
    /// anyway.
    pub(super) fn pause(&mut self, node: NodeId, instance: u32, now: Time, until: Time) -> Span {
        self.stopped_until = self.stopped_until.max(until);
        self.life_mut(node, instance).pause(now, until)
    }

    /// Whether an instance that was down is up now and has not been told yet; says so once.
    pub(super) fn restarts(&mut self, node: NodeId, instance: u32, now: Time) -> bool {
        self.life_mut(node, instance).restarts(now)
    }

    /// An instance forgets who worked and waited.
    pub(super) fn empty(&mut self, program: &Program, node: NodeId, instance: u32) {
        let index = self.index(node, instance);
        self.instances[index].station = Station::new(&program.node(node).station);
    }
}
