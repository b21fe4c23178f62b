//! Queues: messages wait, are handed to workers, and come back unless they are acknowledged.

use std::collections::VecDeque;

use super::fact::{Direction, Fact, Observer};
use super::job::{Job, Origin, Subject};
use super::network::Message;
use super::{Event, Local, World};
use crate::kernel::draw::key_of;
use crate::kernel::queue::TimerId;
use crate::kernel::slab::Handle;
use crate::kernel::time::Time;
use crate::model::program::{self, Kind, NodeId};

/// What a queue keeps.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Every message that is not done with, at its number minus `first`.
    messages: VecDeque<Option<Queued>>,
    /// The number of the first place in `messages`.
    first: u64,
    /// Numbers of messages that may be delivered; those done with are skipped.
    ready: VecDeque<u64>,
    /// The consumer that is asked first.
    turn: usize,
}

/// A message in a queue.
#[derive(Debug)]
struct Queued {
    subject: Subject,
    key: u64,
    receives: u32,
    /// The stable key of its newest delivery: an older receiver can no longer give it back.
    delivery: u64,
    /// Until when it is hidden; `None` while it may be delivered.
    hidden: Option<TimerId>,
}

impl Queue {
    fn get(&mut self, message: u64) -> Option<&mut Queued> {
        let index = message.checked_sub(self.first)?;
        self.messages.get_mut(index as usize)?.as_mut()
    }

    fn take(&mut self, message: u64) -> Option<Queued> {
        let index = message.checked_sub(self.first)?;
        let queued = self.messages.get_mut(index as usize)?.take();
        while let Some(None) = self.messages.front() {
            self.messages.pop_front();
            self.first += 1;
        }
        queued
    }

    /// How many messages are not done with.
    pub(super) fn len(&self) -> usize {
        self.messages.iter().flatten().count()
    }

    /// The order and due time of every message that is not done with.
    pub(super) fn unprocessed(&self) -> Vec<(u64, Time)> {
        let messages = self.messages.iter().flatten();
        messages.map(|queued| (queued.subject.order, queued.subject.since)).collect()
    }
}

impl<O: Observer> World<'_, O> {
    fn queue(&mut self, node: NodeId) -> &mut Queue {
        match &mut self.locals[node.0 as usize] {
            Local::Queue(queue) => queue,
            other => unreachable!("messages are kept in queues, not in {other:?}"),
        }
    }

    fn queue_rules(&self, node: NodeId) -> &program::Queue {
        match &self.program.node(node).kind {
            Kind::Queue(queue) => queue,
            other => unreachable!("messages are kept in queues, not in {other:?}"),
        }
    }

    /// Accepts the message that a job brings.
    pub(super) fn enqueue(&mut self, handle: Handle) {
        let Some(job) = self.jobs.get(handle) else { return };
        let (node, subject, key) = (job.node, job.subject, job.key);
        let queue = self.queue(node);
        let number = queue.first + queue.messages.len() as u64;
        queue.messages.push_back(Some(Queued {
            subject,
            key,
            receives: 0,
            delivery: 0,
            hidden: None,
        }));
        queue.ready.push_back(number);
        self.queued += 1;
        self.tell(Fact::Enqueued { queue: node, order: subject.order });
        self.hand_out(node);
    }

    /// A worker of this service is free: the queue that it takes from may have a message for it.
    pub(super) fn offer_worker(&mut self, worker: NodeId) {
        for index in 0..self.program.nodes.len() {
            let node = NodeId(index as u16);
            if let Kind::Queue(queue) = &self.program.node(node).kind
                && queue.consumers.contains(&worker)
            {
                self.hand_out(node);
            }
        }
    }

    /// Hands messages to free workers as long as there are both.
    fn hand_out(&mut self, node: NodeId) {
        loop {
            let queue = self.queue(node);
            let Some(&message) = queue.ready.front() else { return };
            if queue.get(message).is_none() {
                queue.ready.pop_front();
                continue;
            }
            let Some((worker, instance)) = self.free_worker(node) else { return };
            self.queue(node).ready.pop_front();
            self.hand_to(node, message, worker, instance);
        }
    }

    /// A service instance that takes from this queue and has a free worker.
    fn free_worker(&mut self, node: NodeId) -> Option<(NodeId, u32)> {
        let program = self.program;
        let Kind::Queue(rules) = &program.node(node).kind else { return None };
        let turn = self.queue(node).turn;
        let count = rules.consumers.len();
        for step in 0..count {
            let worker = rules.consumers[(turn + step) % count];
            let limits = &program.node(worker).station;
            let free = (0..limits.instances).find(|&instance| {
                self.stations[self.station_index(worker, instance)].busy < limits.workers
            });
            if let Some(instance) = free {
                self.queue(node).turn = (turn + step + 1) % count;
                return Some((worker, instance));
            }
        }
        None
    }

    /// Sends a message to a worker whose place is kept until the message is handled or lost.
    fn hand_to(&mut self, node: NodeId, message: u64, worker: NodeId, instance: u32) {
        let rules = self.queue_rules(node);
        let (visibility, most) = (rules.visibility, rules.max_receives);
        let Some(queued) = self.queue(node).get(message) else { return };
        if queued.receives >= most {
            let (order, since) = (queued.subject.order, queued.subject.since);
            self.queue(node).take(message);
            self.queued -= 1;
            return self.tell(Fact::DeadLettered { queue: node, order, since });
        }
        queued.receives += 1;
        let (receives, order) = (queued.receives, queued.subject.order);
        let key = key_of(queued.key, u64::from(receives));
        let timer = self
            .events
            .schedule_timer(self.now + visibility, Event::Visible { queue: node, message });
        if let Some(queued) = self.queue(node).get(message) {
            (queued.hidden, queued.delivery) = (Some(timer), key);
        }
        self.tell(Fact::Delivered { queue: node, order, receives });
        let station = self.station_index(worker, instance);
        self.stations[station].busy += 1;
        let delivery = Message::Delivery { queue: node, message, worker, instance, key };
        if !self.send(node, worker, Direction::Request, delivery) {
            // The worker asks again at once; only the message stays hidden.
            self.stations[station].busy -= 1;
        }
    }

    /// A message reaches its worker.
    pub(super) fn take_delivery(
        &mut self,
        queue: NodeId,
        message: u64,
        worker: NodeId,
        instance: u32,
        key: u64,
    ) {
        match self.delivered_job(queue, message, worker, instance, key) {
            Some(handle) => self.ready.push_back(handle),
            // It was acknowledged by an earlier receiver while it travelled.
            None => self.leave(worker, instance),
        }
    }

    /// A second copy of a delivered message reaches the service. No worker expects it: it waits for
    /// one like a request, and is dropped where there is no room.
    pub(super) fn take_second_delivery(
        &mut self,
        queue: NodeId,
        message: u64,
        worker: NodeId,
        instance: u32,
        key: u64,
    ) {
        let job = self.delivered_job(queue, message, worker, instance, key);
        if let Some(handle) = job
            && !self.enter(handle, worker, instance)
        {
            self.jobs.remove(handle);
        }
    }

    /// The job that handles a delivered message, unless the message is done with.
    fn delivered_job(
        &mut self,
        queue: NodeId,
        message: u64,
        worker: NodeId,
        instance: u32,
        key: u64,
    ) -> Option<Handle> {
        let Kind::Service(program::Service { takes: Some(operation) }) =
            self.program.node(worker).kind
        else {
            return None;
        };
        let subject = self.queue(queue).get(message)?.subject;
        let origin = Origin::Delivery { queue, message };
        let mut job = Job::new(self.program, operation, key, origin, subject);
        job.instance = instance;
        Some(self.jobs.insert(job))
    }

    /// A worker's handler failed: the message goes back, if the queue has a rule for it.
    pub(super) fn give_back(&mut self, worker: NodeId, queue: NodeId, message: u64, key: u64) {
        if self.queue_rules(queue).redelivery.is_some() {
            let given_back = Message::GivenBack { queue, message, key };
            self.send(worker, queue, Direction::Request, given_back);
        }
    }

    /// A message that could not be handled becomes visible after a while.
    pub(super) fn take_back(&mut self, node: NodeId, message: u64, delivery: u64) {
        let Some(span) = self.queue_rules(node).redelivery else { return };
        let at = self.now + span;
        let newest = self.queue(node).get(message).filter(|queued| queued.delivery == delivery);
        let Some(timer) = newest.and_then(|queued| queued.hidden) else { return };
        self.events.cancel(timer);
        let timer = self.events.schedule_timer(at, Event::Visible { queue: node, message });
        if let Some(queued) = self.queue(node).get(message) {
            queued.hidden = Some(timer);
        }
    }

    /// A message may be delivered again.
    pub(super) fn make_visible(&mut self, node: NodeId, message: u64) {
        let queue = self.queue(node);
        if let Some(queued) = queue.get(message) {
            queued.hidden = None;
            queue.ready.push_back(message);
            self.hand_out(node);
        }
    }

    /// Forgets the message that a job acknowledges.
    pub(super) fn acknowledge(&mut self, handle: Handle) {
        let Some(job) = self.jobs.get(handle) else { return };
        let (node, token) = (job.node, job.token);
        let Some(message) = token.checked_sub(1) else { return };
        let Some(queued) = self.queue(node).take(message) else { return };
        if let Some(timer) = queued.hidden {
            self.events.cancel(timer);
        }
        self.queued -= 1;
        self.tell(Fact::Acknowledged { queue: node, since: queued.subject.since });
    }
}
