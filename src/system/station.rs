//! Workers and waiting lines: a job of a node starts when a worker is free.

use std::collections::VecDeque;

use super::fact::{Fact, Observer};
use super::job::Origin;
use super::network::Message;
use super::{Event, World};
use crate::kernel::draw::Purpose;
use crate::kernel::slab::Handle;
use crate::model::language::{Balance, Order};
use crate::model::program::{Kind, NodeId, Program};
use crate::policy::Outcome;

/// The workers and the waiting line of one instance of a node.
#[derive(Debug, Default)]
pub(super) struct Station {
    /// Workers that are taken.
    pub(super) busy: u32,
    waiting: VecDeque<Handle>,
}

impl Station {
    fn outstanding(&self) -> usize {
        self.busy as usize + self.waiting.len()
    }
}

/// The stations of every instance of every node, and the first one of each node.
pub(super) fn stations(program: &Program) -> (Vec<Station>, Vec<u32>) {
    let mut first = Vec::new();
    let mut count = 0;
    for node in &program.nodes {
        first.push(count);
        count += node.station.instances;
    }
    ((0..count).map(|_| Station::default()).collect(), first)
}

impl<O: Observer> World<'_, O> {
    /// The index of the station of an instance.
    pub(super) fn station_index(&self, node: NodeId, instance: u32) -> usize {
        (self.first_station[node.0 as usize] + instance) as usize
    }

    /// Lets a job start, wait, or, if there is no room, go: then the answer is `false`.
    pub(super) fn enter(&mut self, handle: Handle, node: NodeId, instance: u32) -> bool {
        let limits = &self.program.node(node).station;
        let index = self.station_index(node, instance);
        let station = &mut self.stations[index];
        if station.busy < limits.workers {
            station.busy += 1;
            self.ready.push_back(handle);
            return true;
        }
        if station.waiting.len() >= limits.queue_limit as usize {
            self.tell(Fact::Refused { node });
            return false;
        }
        station.waiting.push_back(handle);
        if let Some(timeout) = limits.acquire_timeout {
            let timer = self.events.schedule_timer(self.now + timeout, Event::GiveUp(handle));
            if let Some(job) = self.jobs.get_mut(handle) {
                job.timer = Some(timer);
            }
        }
        true
    }

    /// A job has waited for a worker as long as it may: it is refused.
    pub(super) fn give_up(&mut self, handle: Handle) {
        let Some(job) = self.jobs.get(handle) else { return };
        let (node, instance) = (job.node, job.instance);
        let index = self.station_index(node, instance);
        let waiting = &mut self.stations[index].waiting;
        let Some(place) = waiting.iter().position(|&waiting| waiting == handle) else { return };
        waiting.remove(place);
        self.tell(Fact::Refused { node });
        let Some(job) = self.jobs.remove(handle) else { return };
        if let Origin::Call { call, attempt, edge } = job.origin {
            let (outcome, key) = (Outcome::Rejected, job.key);
            let reply = Message::Reply { call, attempt, edge, outcome, value: 0, key };
            self.send_reply(edge, node, call, reply);
        }
    }

    /// Frees a worker and lets the next job start.
    pub(super) fn leave(&mut self, node: NodeId, instance: u32) {
        let limits = &self.program.node(node).station;
        let index = self.station_index(node, instance);
        let station = &mut self.stations[index];
        let next = match limits.order {
            Order::Fifo => station.waiting.pop_front(),
            Order::Lifo => station.waiting.pop_back(),
        };
        match next {
            Some(next) if limits.acquire_timeout.is_some() => self.wake(next),
            Some(next) => self.ready.push_back(next),
            None => {
                station.busy -= 1;
                if let Kind::Service(service) = &self.program.node(node).kind
                    && service.takes.is_some()
                {
                    self.offer_worker(node);
                }
            }
        }
    }

    /// Which instance a request goes to.
    pub(super) fn balance(&mut self, node: NodeId, work: u64) -> u32 {
        let description = self.program.node(node);
        let instances = description.station.instances;
        if instances == 1 {
            return 0;
        }
        let first = self.first_station[node.0 as usize] as usize;
        let site = description.id;
        let pick = |world: &mut Self, index| {
            let draw = world.draws.draw(Purpose::Balance, site, work, index);
            draw.below(u64::from(instances)) as u32
        };
        match description.station.balance {
            Balance::RoundRobin => {
                let turn = &mut self.turns[node.0 as usize];
                *turn = (*turn + 1) % instances;
                *turn
            }
            Balance::Random => pick(self, 0),
            Balance::TwoChoices => {
                let (one, other) = (pick(self, 0), pick(self, 1));
                let load = |instance: u32| self.stations[first + instance as usize].outstanding();
                if load(other) < load(one) { other } else { one }
            }
            Balance::LeastOutstanding => {
                let all = &self.stations[first..first + instances as usize];
                let least = all.iter().enumerate().min_by_key(|(_, station)| station.outstanding());
                least.map_or(0, |(instance, _)| instance as u32)
            }
        }
    }
}
