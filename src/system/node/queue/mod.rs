//! Queues: messages wait, are handed to workers, and come back unless they are acknowledged.
//!
//! Each group of consumers sees every message and has receipts of its own, so a queue keeps its
//! messages once for each group. A delivery is known by its ticket: the group and the number of the
//! message in one word.

mod ahead;
mod group;
mod upkeep;

use crate::kernel::draw::key_of;
use crate::kernel::queue::TimerId;
use crate::kernel::slab::Handle;
use crate::kernel::time::{Span, Time};
use crate::model::language::PartitionBy;
use crate::model::program::{self, Kind, NodeId, QueueStep};
use crate::policy::Outcome;
use crate::system::context::Context;
use crate::system::control::Action;
use crate::system::event::Event;
use crate::system::fact::{Direction, Fact, Refusal};
use crate::system::job::{Job, Origin, Progress, Subject};
use crate::system::network::Message;
use crate::system::node::{Local, Nodes};
use group::{Group, Queued};

/// What a queue keeps.
#[derive(Clone, Debug)]
pub(in crate::system) struct Queue {
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
    pub(in crate::system) fn new(rules: &program::Queue) -> Queue {
        let groups = rules.groups.iter().map(|_| Group::new(rules.partitions)).collect();
        Queue { groups, expiry: None, remembers: Span::ZERO }
    }

    /// How many messages are not done with, in all groups.
    pub(in crate::system) fn len(&self) -> usize {
        self.groups.iter().map(|group| group.messages().count()).sum()
    }

    /// The order and due time of every message that is not done with, for each group.
    pub(in crate::system) fn unprocessed(&self) -> Vec<(u64, Time)> {
        let messages = self.groups.iter().flat_map(Group::messages);
        messages.map(|queued| (queued.subject.order, queued.subject.since)).collect()
    }
}

impl Nodes {
    fn queue(&mut self, node: NodeId) -> &mut Queue {
        match &mut self.locals[node.0 as usize] {
            Local::Queue(queue) => queue,
            other => unreachable!("messages are kept in queues, not in {other:?}"),
        }
    }

    pub(in crate::system) fn take_queue_step(
        &mut self,
        cx: &mut Context<'_>,
        handle: Handle,
        step: QueueStep,
    ) -> Progress {
        let refusal = match step {
            QueueStep::Enqueue => self.enqueue(cx, handle),
            QueueStep::EnqueueBatch => self.enqueue_batch(cx, handle),
            QueueStep::Acknowledge => {
                self.acknowledge(cx, handle);
                None
            }
        };
        refusal.map_or(Progress::GoesOn, Progress::Ends)
    }

    /// Accepts the message that a job brings, or answers that there is no room.
    fn enqueue(&mut self, cx: &mut Context<'_>, handle: Handle) -> Option<Outcome> {
        let job = cx.jobs.at(handle);
        let (node, subject, key, event) = (job.node, job.subject, job.key, job.value);
        let event = if cx.comes_from_relay(job.origin) { event } else { 0 };
        let limit = cx.queue_rules(node).limit;
        if self.queue(node).groups.iter().any(|group| group.length >= limit) {
            cx.core.tell(Fact::Refused { node, order: subject.order, refusal: Refusal::Full });
            return Some(Outcome::Rejected);
        }
        self.put(cx, node, subject, key, event);
        None
    }

    /// Accepts all events that a relay's request carries, or answers that there is no room for
    /// them.
    fn enqueue_batch(&mut self, cx: &mut Context<'_>, handle: Handle) -> Option<Outcome> {
        let job = cx.jobs.at(handle);
        let (node, order, key, list, origin) =
            (job.node, job.subject.order, job.key, job.value, job.origin);
        let Origin::Call { edge, .. } = origin else { return None };
        let events = self.listed_events(cx, cx.core.program().edge(edge).caller, list);
        let limit = cx.queue_rules(node).limit as usize;
        let has_room = |group: &Group| group.length as usize + events.len() <= limit;
        if !self.queue(node).groups.iter().all(has_room) {
            cx.core.tell(Fact::Refused { node, order, refusal: Refusal::Full });
            return Some(Outcome::Rejected);
        }
        for (row, event) in events {
            self.put(cx, node, event.subject, key_of(key, event.key), row + 1);
        }
        None
    }

    /// Puts a message into every group of a queue.
    fn put(&mut self, cx: &mut Context<'_>, node: NodeId, subject: Subject, key: u64, event: u64) {
        let rules = cx.queue_rules(node);
        let (delay, groups) = (rules.delay, rules.groups.len());
        let by = match rules.partition_by {
            PartitionBy::Order => subject.order,
            PartitionBy::Key => u64::from(subject.key),
        };
        let partition = match rules.partitions {
            0 => 0,
            count => (key_of(by, PARTITION) % u64::from(count)) as u32,
        };
        let expires = rules.retention.map_or(Time::NEVER, |span| cx.core.now() + span);
        for index in 0..groups {
            let number = self.queue(node).groups[index].next_number();
            let hidden = (delay > Span::ZERO).then(|| {
                let event = Event::Visible { queue: node, message: ticket(index, number) };
                cx.core.schedule_timer(cx.core.now() + delay, event)
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
        cx.core.ledger_mut().accept(node, groups);
        self.expire_at(cx, node, expires);
        cx.core.tell(Fact::Enqueued { queue: node, order: subject.order, event });
        for index in 0..groups {
            self.hand_out(cx, node, index);
        }
    }

    /// A worker of this service is free: the queue that it takes from may have a message for it.
    pub(in crate::system) fn offer_worker(&mut self, cx: &mut Context<'_>, worker: NodeId) {
        let program = cx.core.program();
        for (index, node) in program.nodes.iter().enumerate() {
            let Kind::Queue(queue) = &node.kind else { continue };
            let takes = |group: &program::Group| group.consumers.contains(&worker);
            if let Some(group) = queue.groups.iter().position(takes) {
                self.hand_out(cx, NodeId(index as u16), group);
            }
        }
    }

    /// Hands messages to free workers of a group as long as there are both.
    fn hand_out(&mut self, cx: &mut Context<'_>, node: NodeId, index: usize) {
        if cx.fleet.is_stopped(node, cx.core.now()) {
            return;
        }
        if cx.core.node_condition(node).stalled {
            cx.core.fired(
                None,
                |act| matches!(*act, Action::QueueStall { node: stalled } if stalled == node),
            );
            return;
        }
        let most = cx.queue_rules(node).in_flight;
        loop {
            let group = &mut self.queue(node).groups[index];
            let Some(number) = group.next_ready() else { return };
            if group.in_flight >= most {
                return;
            }
            let Some((worker, instance)) = self.free_worker(cx, node, index) else { return };
            self.queue(node).groups[index].pop_ready();
            self.hand_to(cx, node, ticket(index, number), worker, instance);
        }
    }

    /// A service instance of a group that has room for a message.
    fn free_worker(
        &mut self,
        cx: &mut Context<'_>,
        node: NodeId,
        group: usize,
    ) -> Option<(NodeId, u32)> {
        let rules = cx.queue_rules(node);
        let consumers = &rules.groups[group].consumers;
        let turn = self.queue(node).groups[group].turn;
        let count = consumers.len();
        for step in 0..count {
            let worker = consumers[(turn + step) % count];
            if let Some(instance) = cx.free_instance(worker) {
                self.queue(node).groups[group].turn = (turn + step + 1) % count;
                return Some((worker, instance));
            }
        }
        None
    }

    /// Sends a message to a worker whose place is kept until the message is handled or lost.
    fn hand_to(
        &mut self,
        cx: &mut Context<'_>,
        node: NodeId,
        message: u64,
        worker: NodeId,
        instance: u32,
    ) {
        let rules = cx.queue_rules(node);
        let (visibility, most) = (rules.visibility, rules.max_receives);
        let (group, number) = group_and_number(message);
        let Some(queued) = self.queue(node).groups[group].get(number).copied() else { return };
        if queued.receives >= most {
            return self.put_aside(cx, node, message, &queued);
        }
        let (receives, order, event) = (queued.receives + 1, queued.subject.order, queued.event);
        let key = key_of(queued.key, u64::from(receives));
        let timer = cx
            .core
            .schedule_timer(cx.core.now() + visibility, Event::Visible { queue: node, message });
        self.queue(node).groups[group].deliver(number, key, timer);
        cx.core.tell(Fact::Delivered { queue: node, order, message, event, receives });
        *cx.places_taken(worker, instance) += 1;
        let deaths = cx.fleet.life(worker, instance).deaths();
        let delivery =
            Message::Delivery { queue: node, message, worker, instance, deaths, order, key };
        if !cx.network.send(&mut cx.core, node, worker, Direction::Request, &delivery) {
            // The worker asks again at once; only the message stays hidden.
            *cx.places_taken(worker, instance) -= 1;
        }
    }

    /// Ends a message that was received too often: it is a dead letter.
    fn put_aside(&mut self, cx: &mut Context<'_>, node: NodeId, message: u64, queued: &Queued) {
        self.remove(cx, node, message);
        let (subject, key) = (queued.subject, queued.key);
        cx.core.tell(Fact::DeadLettered {
            queue: node,
            order: subject.order,
            since: subject.since,
        });
        if let Some(target) = cx.queue_rules(node).dead_letters {
            self.put(cx, target, subject, key_of(key, u64::MAX), 0);
        }
    }

    /// A message reaches its worker.
    pub(in crate::system) fn take_delivery(
        &mut self,
        cx: &mut Context<'_>,
        queue: NodeId,
        message: u64,
        worker: NodeId,
        instance: u32,
        key: u64,
    ) {
        let job = self.delivered_job(cx, queue, message, worker, instance, key);
        match job {
            _ if cx.prefetch(worker) > 0 => self.take_in_hand(cx, job, worker, instance),
            Some(handle) => {
                cx.expect_heartbeat(queue, handle);
                cx.jobs.make_ready(handle);
            }
            // It was acknowledged by an earlier receiver while it travelled.
            None => self.leave(cx, worker, instance),
        }
    }

    /// A second copy of a delivered message reaches the service. No worker expects it: it waits for
    /// one like a request, and is dropped where there is no room.
    pub(in crate::system) fn take_second_delivery(
        &mut self,
        cx: &mut Context<'_>,
        queue: NodeId,
        message: u64,
        worker: NodeId,
        instance: u32,
        key: u64,
    ) {
        if let Some(handle) = self.delivered_job(cx, queue, message, worker, instance, key) {
            cx.expect_heartbeat(queue, handle);
            cx.enter(handle, worker, instance);
        }
    }

    /// The job that handles a delivered message, unless the message is done with.
    fn delivered_job(
        &mut self,
        cx: &mut Context<'_>,
        queue: NodeId,
        message: u64,
        worker: NodeId,
        instance: u32,
        key: u64,
    ) -> Option<Handle> {
        let Kind::Service(program::Service { takes: Some(operation), .. }) =
            cx.core.program().node(worker).kind
        else {
            return None;
        };
        let (group, number) = group_and_number(message);
        let subject = self.queue(queue).groups[group].get(number)?.subject;
        let origin = Origin::Delivery { queue, message };
        let mut job = Job::new(cx.core.program(), operation, key, origin, subject);
        job.instance = instance;
        Some(cx.jobs.insert(job))
    }

    /// A message that could not be handled becomes visible after a while.
    pub(in crate::system) fn take_back(
        &mut self,
        cx: &mut Context<'_>,
        node: NodeId,
        message: u64,
        delivery: u64,
    ) {
        if let Some(span) = cx.queue_rules(node).redelivery {
            self.hide_for(cx, node, message, delivery, span);
        }
    }

    /// Hides a message for a span from now on, if this is its newest delivery.
    fn hide_for(
        &mut self,
        cx: &mut Context<'_>,
        node: NodeId,
        message: u64,
        delivery: u64,
        span: Span,
    ) {
        let (group, number) = group_and_number(message);
        let hidden = self.queue(node).groups[group].timer_of(number, delivery);
        let Some(timer) = hidden else { return };
        cx.core.cancel(timer);
        let at = cx.core.now() + span;
        let timer = cx.core.schedule_timer(at, Event::Visible { queue: node, message });
        self.queue(node).groups[group].hide(number, timer);
    }

    /// A message may be delivered, for the first time or again.
    pub(in crate::system) fn make_visible(
        &mut self,
        cx: &mut Context<'_>,
        node: NodeId,
        message: u64,
    ) {
        let (group, number) = group_and_number(message);
        self.queue(node).groups[group].show(number);
        self.hand_out(cx, node, group);
    }

    /// Forgets the message that a job acknowledges.
    fn acknowledge(&mut self, cx: &mut Context<'_>, handle: Handle) {
        let job = cx.jobs.at(handle);
        let (node, token) = (job.node, job.token);
        let Some(message) = token.checked_sub(1) else { return };
        let Some(queued) = self.remove(cx, node, message) else { return };
        let (order, since) = (queued.subject.order, queued.subject.since);
        cx.core.tell(Fact::Acknowledged { queue: node, order, since });
        let (group, _) = group_and_number(message);
        self.keep_acknowledged(cx, node, group, queued);
        self.hand_out(cx, node, group);
    }

    /// Removes a message from its group.
    fn remove(&mut self, cx: &mut Context<'_>, node: NodeId, message: u64) -> Option<Queued> {
        let (group, number) = group_and_number(message);
        let queued = self.queue(node).groups[group].take(number)?;
        if let Some(timer) = queued.hidden {
            cx.core.cancel(timer);
        }
        self.queued -= 1;
        Some(queued)
    }
}

impl Context<'_> {
    /// Whether a relay asks for a job: then the job's value is the place of its event.
    fn comes_from_relay(&self, origin: Origin) -> bool {
        let Origin::Call { edge, .. } = origin else { return false };
        matches!(
            self.core.program().node(self.core.program().edge(edge).caller).kind,
            Kind::Outbox(_)
        )
    }

    /// A worker's handler failed: the message goes back, if the queue has a rule for it.
    pub(in crate::system) fn give_back(&mut self, job: &Job, queue: NodeId, message: u64) {
        if self.queue_rules(queue).redelivery.is_some() {
            let (worker, order, key) = (job.node, job.subject.order, job.key);
            let given_back = Message::GivenBack { worker, queue, message, order, key };
            self.network.send(&mut self.core, worker, queue, Direction::Request, &given_back);
        }
    }
}
