//! Queues: messages wait, are handed to workers, and come back unless they are acknowledged.
//!
//! Each group of consumers sees every message and has receipts of its own, so a queue keeps its
//! messages once for each group. A delivery is known by its ticket: the group and the number of the
//! message in one word.

mod ahead;
mod group;
mod upkeep;

use super::control::Action;
use super::fact::{Direction, Fact, Refusal};
use super::job::{Job, Origin, Progress, Subject};
use super::network::Message;
use super::{Event, Local, World};
use crate::kernel::draw::key_of;
use crate::kernel::queue::TimerId;
use crate::kernel::slab::Handle;
use crate::kernel::time::{Span, Time};
use crate::model::language::PartitionBy;
use crate::model::program::{self, Kind, NodeId, QueueStep};
use crate::policy::Outcome;
use group::{Group, Queued};

/// What a queue keeps.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    /// In the order of the groups in the program.
    groups: Vec<Group>,
    /// When the next message expires, and the timer that says so.
    expiry: Option<(Time, TimerId)>,
    /// For how long acknowledged messages may be asked for again.
    remembers: Span,
}

/// How many bits of a ticket are the number of a message; those above are its group.
const NUMBER_BITS: u32 = 48;
/// What separates the choice of a partition from other uses of an order's number.
const PARTITION: u64 = 0x7061_7274;

/// The group and the number of a message as one word.
fn ticket(group: usize, number: u64) -> u64 {
    (group as u64) << NUMBER_BITS | number
}

/// What a ticket says.
fn group_and_number(ticket: u64) -> (usize, u64) {
    ((ticket >> NUMBER_BITS) as usize, ticket & ((1 << NUMBER_BITS) - 1))
}

impl Queue {
    /// An empty queue.
    pub(super) fn new(rules: &program::Queue) -> Queue {
        let groups = rules.groups.iter().map(|_| Group::new(rules.partitions)).collect();
        Queue { groups, expiry: None, remembers: Span::ZERO }
    }

    /// How many messages are not done with, in all groups.
    pub(super) fn len(&self) -> usize {
        self.groups.iter().map(|group| group.messages().count()).sum()
    }

    /// The order and due time of every message that is not done with, for each group.
    pub(super) fn unprocessed(&self) -> Vec<(u64, Time)> {
        let messages = self.groups.iter().flat_map(Group::messages);
        messages.map(|queued| (queued.subject.order, queued.subject.since)).collect()
    }
}

impl World<'_> {
    fn queue(&mut self, node: NodeId) -> &mut Queue {
        match &mut self.locals[node.0 as usize] {
            Local::Queue(queue) => queue,
            other => unreachable!("messages are kept in queues, not in {other:?}"),
        }
    }

    fn queue_rules(&self, node: NodeId) -> &program::Queue {
        match &self.cx.program().node(node).kind {
            Kind::Queue(queue) => queue,
            other => unreachable!("messages are kept in queues, not in {other:?}"),
        }
    }

    pub(super) fn take_queue_step(&mut self, handle: Handle, step: QueueStep) -> Progress {
        let refusal = match step {
            QueueStep::Enqueue => self.enqueue(handle),
            QueueStep::EnqueueBatch => self.enqueue_batch(handle),
            QueueStep::Acknowledge => {
                self.acknowledge(handle);
                None
            }
        };
        refusal.map_or(Progress::GoesOn, Progress::Ends)
    }

    /// Accepts the message that a job brings, or answers that there is no room.
    fn enqueue(&mut self, handle: Handle) -> Option<Outcome> {
        let job = self.jobs.at(handle);
        let (node, subject, key, event) = (job.node, job.subject, job.key, job.value);
        let event = if self.comes_from_relay(job.origin) { event } else { 0 };
        let limit = self.queue_rules(node).limit;
        if self.queue(node).groups.iter().any(|group| group.length >= limit) {
            self.cx.tell(Fact::Refused { node, order: subject.order, refusal: Refusal::Full });
            return Some(Outcome::Rejected);
        }
        self.put(node, subject, key, event);
        None
    }

    /// Accepts all events that a relay's request carries, or answers that there is no room for
    /// them.
    fn enqueue_batch(&mut self, handle: Handle) -> Option<Outcome> {
        let job = self.jobs.at(handle);
        let (node, order, key, list, origin) =
            (job.node, job.subject.order, job.key, job.value, job.origin);
        let Origin::Call { edge, .. } = origin else { return None };
        let events = self.listed_events(self.cx.program().edge(edge).caller, list);
        let limit = self.queue_rules(node).limit as usize;
        let has_room = |group: &Group| group.length as usize + events.len() <= limit;
        if !self.queue(node).groups.iter().all(has_room) {
            self.cx.tell(Fact::Refused { node, order, refusal: Refusal::Full });
            return Some(Outcome::Rejected);
        }
        for (row, event) in events {
            self.put(node, event.subject, key_of(key, event.key), row + 1);
        }
        None
    }

    /// Whether a relay asks for a job: then the job's value is the place of its event.
    fn comes_from_relay(&self, origin: Origin) -> bool {
        let Origin::Call { edge, .. } = origin else { return false };
        matches!(self.cx.program().node(self.cx.program().edge(edge).caller).kind, Kind::Outbox(_))
    }

    /// Puts a message into every group of a queue.
    fn put(&mut self, node: NodeId, subject: Subject, key: u64, event: u64) {
        let rules = self.queue_rules(node);
        let (delay, groups) = (rules.delay, rules.groups.len());
        let by = match rules.partition_by {
            PartitionBy::Order => subject.order,
            PartitionBy::Key => u64::from(subject.key),
        };
        let partition = match rules.partitions {
            0 => 0,
            count => (key_of(by, PARTITION) % u64::from(count)) as u32,
        };
        let expires = rules.retention.map_or(Time::NEVER, |span| self.cx.now() + span);
        for index in 0..groups {
            let number = self.queue(node).groups[index].next_number();
            let hidden = (delay > Span::ZERO).then(|| {
                let event = Event::Visible { queue: node, message: ticket(index, number) };
                self.cx.schedule_timer(self.cx.now() + delay, event)
            });
            let (receives, delivery) = (0, 0);
            self.queue(node).groups[index].push(Queued {
                subject,
                key,
                event,
                partition,
                expires,
                receives,
                delivery,
                hidden,
            });
        }
        self.queued += groups;
        self.cx.ledger_mut().accept(node, groups);
        self.expire_at(node, expires);
        self.cx.tell(Fact::Enqueued { queue: node, order: subject.order, event });
        for index in 0..groups {
            self.hand_out(node, index);
        }
    }

    /// A worker of this service is free: the queue that it takes from may have a message for it.
    pub(super) fn offer_worker(&mut self, worker: NodeId) {
        let program = self.cx.program();
        for (index, node) in program.nodes.iter().enumerate() {
            let Kind::Queue(queue) = &node.kind else { continue };
            let takes = |group: &program::Group| group.consumers.contains(&worker);
            if let Some(group) = queue.groups.iter().position(takes) {
                self.hand_out(NodeId(index as u16), group);
            }
        }
    }

    /// Hands messages to free workers of a group as long as there are both.
    fn hand_out(&mut self, node: NodeId, index: usize) {
        if self.fleet.is_stopped(node, self.cx.now()) {
            return;
        }
        if self.cx.node_condition(node).stalled {
            self.cx.fired(
                None,
                |act| matches!(*act, Action::QueueStall { node: stalled } if stalled == node),
            );
            return;
        }
        let most = self.queue_rules(node).in_flight;
        loop {
            let group = &mut self.queue(node).groups[index];
            let Some(number) = group.next_ready() else { return };
            if group.in_flight >= most {
                return;
            }
            let Some((worker, instance)) = self.free_worker(node, index) else { return };
            self.queue(node).groups[index].pop_ready();
            self.hand_to(node, ticket(index, number), worker, instance);
        }
    }

    /// A service instance of a group that has room for a message.
    fn free_worker(&mut self, node: NodeId, group: usize) -> Option<(NodeId, u32)> {
        let program = self.cx.program();
        let Kind::Queue(rules) = &program.node(node).kind else { return None };
        let consumers = &rules.groups[group].consumers;
        let turn = self.queue(node).groups[group].turn;
        let count = consumers.len();
        for step in 0..count {
            let worker = consumers[(turn + step) % count];
            if let Some(instance) = self.free_instance(worker) {
                self.queue(node).groups[group].turn = (turn + step + 1) % count;
                return Some((worker, instance));
            }
        }
        None
    }

    /// Sends a message to a worker whose place is kept until the message is handled or lost.
    fn hand_to(&mut self, node: NodeId, message: u64, worker: NodeId, instance: u32) {
        let rules = self.queue_rules(node);
        let (visibility, most) = (rules.visibility, rules.max_receives);
        let (group, number) = group_and_number(message);
        let Some(queued) = self.queue(node).groups[group].get(number).copied() else { return };
        if queued.receives >= most {
            return self.put_aside(node, message, &queued);
        }
        let (receives, order, event) = (queued.receives + 1, queued.subject.order, queued.event);
        let key = key_of(queued.key, u64::from(receives));
        let timer = self
            .cx
            .schedule_timer(self.cx.now() + visibility, Event::Visible { queue: node, message });
        self.queue(node).groups[group].deliver(number, key, timer);
        self.cx.tell(Fact::Delivered { queue: node, order, message, event, receives });
        *self.places_taken(worker, instance) += 1;
        let deaths = self.fleet.life(worker, instance).deaths();
        let delivery =
            Message::Delivery { queue: node, message, worker, instance, deaths, order, key };
        if !self.network.send(&mut self.cx, node, worker, Direction::Request, delivery) {
            // The worker asks again at once; only the message stays hidden.
            *self.places_taken(worker, instance) -= 1;
        }
    }

    /// Ends a message that was received too often: it is a dead letter.
    fn put_aside(&mut self, node: NodeId, message: u64, queued: &Queued) {
        self.remove(node, message);
        let (subject, key) = (queued.subject, queued.key);
        self.cx.tell(Fact::DeadLettered {
            queue: node,
            order: subject.order,
            since: subject.since,
        });
        if let Some(target) = self.queue_rules(node).dead_letters {
            self.put(target, subject, key_of(key, u64::MAX), 0);
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
        let job = self.delivered_job(queue, message, worker, instance, key);
        match job {
            _ if self.prefetch(worker) > 0 => self.take_in_hand(job, worker, instance),
            Some(handle) => {
                self.expect_heartbeat(queue, handle);
                self.jobs.make_ready(handle);
            }
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
        if let Some(handle) = self.delivered_job(queue, message, worker, instance, key) {
            self.expect_heartbeat(queue, handle);
            self.enter(handle, worker, instance);
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
        let Kind::Service(program::Service { takes: Some(operation), .. }) =
            self.cx.program().node(worker).kind
        else {
            return None;
        };
        let (group, number) = group_and_number(message);
        let subject = self.queue(queue).groups[group].get(number)?.subject;
        let origin = Origin::Delivery { queue, message };
        let mut job = Job::new(self.cx.program(), operation, key, origin, subject);
        job.instance = instance;
        Some(self.jobs.insert(job))
    }

    /// A worker's handler failed: the message goes back, if the queue has a rule for it.
    pub(super) fn give_back(&mut self, job: &Job, queue: NodeId, message: u64) {
        if self.queue_rules(queue).redelivery.is_some() {
            let (worker, order, key) = (job.node, job.subject.order, job.key);
            let given_back = Message::GivenBack { worker, queue, message, order, key };
            self.network.send(&mut self.cx, worker, queue, Direction::Request, given_back);
        }
    }

    /// A message that could not be handled becomes visible after a while.
    pub(super) fn take_back(&mut self, node: NodeId, message: u64, delivery: u64) {
        if let Some(span) = self.queue_rules(node).redelivery {
            self.hide_for(node, message, delivery, span);
        }
    }

    /// Hides a message for a span from now on, if this is its newest delivery.
    fn hide_for(&mut self, node: NodeId, message: u64, delivery: u64, span: Span) {
        let (group, number) = group_and_number(message);
        let hidden = self.queue(node).groups[group].timer_of(number, delivery);
        let Some(timer) = hidden else { return };
        self.cx.cancel(timer);
        let at = self.cx.now() + span;
        let timer = self.cx.schedule_timer(at, Event::Visible { queue: node, message });
        self.queue(node).groups[group].hide(number, timer);
    }

    /// A message may be delivered, for the first time or again.
    pub(super) fn make_visible(&mut self, node: NodeId, message: u64) {
        let (group, number) = group_and_number(message);
        self.queue(node).groups[group].show(number);
        self.hand_out(node, group);
    }

    /// Forgets the message that a job acknowledges.
    fn acknowledge(&mut self, handle: Handle) {
        let job = self.jobs.at(handle);
        let (node, token) = (job.node, job.token);
        let Some(message) = token.checked_sub(1) else { return };
        let Some(queued) = self.remove(node, message) else { return };
        let (order, since) = (queued.subject.order, queued.subject.since);
        self.cx.tell(Fact::Acknowledged { queue: node, order, since });
        let (group, _) = group_and_number(message);
        self.keep_acknowledged(node, group, queued);
        self.hand_out(node, group);
    }

    /// Removes a message from its group.
    fn remove(&mut self, node: NodeId, message: u64) -> Option<Queued> {
        let (group, number) = group_and_number(message);
        let queued = self.queue(node).groups[group].take(number)?;
        if let Some(timer) = queued.hidden {
            self.cx.cancel(timer);
        }
        self.queued -= 1;
        Some(queued)
    }
}
