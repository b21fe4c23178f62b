//! Which instances are up, down or paused, and until when.

use crate::kernel::time::{Span, Time};
use crate::model::program::{Kind, Node, NodeId, Program};

/// What is known of one instance: of a service, of a node of another kind, or of a client process.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Life {
    /// When it went down last.
    down_since: Time,
    /// Until when it is down.
    down_until: Time,
    /// Until when it stands still.
    paused_until: Time,
    /// Whether nothing answers for it while it is down, not even its host.
    unreachable: bool,
    /// Whether its restart is still to come.
    restarts: bool,
    /// How many times it has died: what was meant for an earlier process reaches nobody.
    deaths: u32,
}

/// The instances of every node.
#[derive(Clone, Debug)]
pub(super) struct Lives {
    all: Vec<Life>,
    /// The first instance of each node.
    first: Vec<u32>,
    /// Later than this, every instance is up and running: the check that is cheap.
    pub(super) stopped_until: Time,
}

/// How many instances of a node can die one by one: those of a service, the processes of clients,
/// one of everything else.
#[must_use]
pub fn instances(node: &Node) -> u32 {
    match &node.kind {
        Kind::Clients(clients) => clients.processes,
        _ => node.station.instances,
    }
}

impl Lives {
    pub(super) fn new(program: &Program) -> Lives {
        let mut first = Vec::new();
        let mut count = 0;
        for node in &program.nodes {
            first.push(count);
            count += instances(node);
        }
        Lives { all: vec![Life::default(); count as usize], first, stopped_until: Time::ZERO }
    }

    pub(super) fn of(&self, node: NodeId, instance: u32) -> &Life {
        &self.all[(self.first[node.0 as usize] + instance) as usize]
    }

    fn of_mut(&mut self, node: NodeId, instance: u32) -> &mut Life {
        &mut self.all[(self.first[node.0 as usize] + instance) as usize]
    }

    /// Takes an instance down until a time; says whether it was up.
    pub(super) fn stop(
        &mut self,
        node: NodeId,
        instance: u32,
        now: Time,
        until: Time,
        unreachable: bool,
    ) -> bool {
        self.stopped_until = self.stopped_until.max(until);
        let life = self.of_mut(node, instance);
        let was_up = !life.is_down(now);
        if was_up {
            (life.down_since, life.unreachable) = (now, false);
            life.deaths += 1;
        }
        life.unreachable |= unreachable;
        life.down_until = life.down_until.max(until);
        life.paused_until = life.paused_until.min(now);
        life.restarts = true;
        was_up
    }

    /// Lets an instance stand still until a time; returns by how much longer than it would have
    /// anyway.
    pub(super) fn pause(&mut self, node: NodeId, instance: u32, now: Time, until: Time) -> Span {
        let life = self.of_mut(node, instance);
        let before = life.paused_until.max(now);
        life.paused_until = life.paused_until.max(until);
        self.stopped_until = self.stopped_until.max(until);
        until.since(before)
    }

    /// Whether an instance that was down is up now and has not been told yet; says so once.
    pub(super) fn restarts(&mut self, node: NodeId, instance: u32, now: Time) -> bool {
        let life = self.of_mut(node, instance);
        !life.is_down(now) && std::mem::take(&mut life.restarts)
    }
}

impl Life {
    pub(super) fn is_down(&self, now: Time) -> bool {
        now < self.down_until
    }

    /// Whether a request that arrives now is not even refused.
    pub(super) fn is_silent(&self) -> bool {
        self.unreachable
    }

    /// When it went down last.
    pub(super) fn down_since(&self) -> Time {
        self.down_since
    }

    /// How many times it has died.
    pub(super) fn deaths(&self) -> u32 {
        self.deaths
    }

    /// Whether a balancer that needs so long to find out knows that it is down.
    pub(super) fn is_known_down(&self, now: Time, detection: Span) -> bool {
        self.is_down(now) && now >= self.down_since + detection
    }

    /// Until when it stands still, if it does.
    pub(super) fn paused(&self, now: Time) -> Option<Time> {
        (now < self.paused_until).then_some(self.paused_until)
    }

    /// Until when it is down or stands still, if it does.
    pub(super) fn stopped(&self, now: Time) -> Option<Time> {
        let until = self.paused_until.max(self.down_until);
        (now < until).then_some(until)
    }
}
