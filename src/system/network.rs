//! Messages over links: they take their time, and some never arrive.

use super::fact::{Direction, Fact, Observer};
use super::job::{Job, Origin, Subject};
use super::{Event, World};
use crate::kernel::draw::{Probability, Purpose};
use crate::kernel::sample::Distribution;
use crate::kernel::slab::Handle;
use crate::kernel::time::{Span, Time};
use crate::model::program::{EdgeId, NodeId, OperationId};
use crate::policy::{Outcome, Response};

/// Something on its way from one node to another.
#[derive(Clone, Copy, Debug)]
pub(super) enum Message {
    /// An attempt of a call.
    Request {
        call: Handle,
        attempt: u32,
        edge: EdgeId,
        /// The node that it goes to: another one than its edge says after a failover.
        target: NodeId,
        operation: OperationId,
        key: u64,
        subject: Subject,
        value: u64,
        token: u64,
        /// When the caller stops waiting for this attempt.
        deadline: Time,
    },
    /// The answer to an attempt.
    Reply {
        call: Handle,
        attempt: u32,
        edge: EdgeId,
        outcome: Outcome,
        value: u64,
        key: u64,
        /// How long the server asks to wait before the next attempt.
        hint: Option<Span>,
    },
    /// A message of a queue for a worker whose place is kept.
    Delivery {
        queue: NodeId,
        message: u64,
        worker: NodeId,
        instance: u32,
        /// How many times the worker's instance had died.
        deaths: u32,
        key: u64,
    },
    /// A worker could not handle a message of a queue.
    GivenBack { queue: NodeId, message: u64, key: u64 },
    /// A worker still handles a message of a queue.
    Extended { queue: NodeId, message: u64, key: u64 },
}

/// Draws of one message differ by what is drawn: a reply shares its attempt's key.
const REQUEST: u16 = 0;
const REPLY: u16 = 1;

impl<O: Observer> World<'_, O> {
    /// Sends an attempt to the node that it calls.
    pub(super) fn send_request(&mut self, edge: EdgeId, process: u32, mut message: Message) {
        let Some(to) = self.route(edge, process) else {
            return self.lose(Direction::Request);
        };
        if let Message::Request { target, .. } = &mut message {
            *target = to;
        }
        self.send(self.program.edge(edge).caller, to, Direction::Request, message);
    }

    /// Sends an answer of a node back to the caller.
    pub(super) fn send_reply(
        &mut self,
        edge: EdgeId,
        from: NodeId,
        call: Handle,
        message: Message,
    ) {
        if !self.reaches_caller(from, edge, call) {
            return self.lose(Direction::Reply);
        }
        self.send(self.program.edge(edge).caller, from, Direction::Reply, message);
    }

    /// A message goes nowhere: its target is cut off.
    fn lose(&mut self, direction: Direction) {
        self.tell(Fact::Sent { direction });
        self.tell(Fact::Lost { direction });
    }

    /// Sends a message over the link between a caller and whom it calls, in either direction; says
    /// whether it is on its way.
    pub(super) fn send(
        &mut self,
        caller: NodeId,
        target: NodeId,
        direction: Direction,
        message: Message,
    ) -> bool {
        let index = self.program.link_index(caller, target);
        let link = &self.program.links[index];
        let condition = self.conditions.links[index];
        let (loss, number) = match direction {
            Direction::Request => (condition.request_loss, REQUEST),
            Direction::Reply => (condition.reply_loss, REPLY),
        };
        self.tell(Fact::Sent { direction });
        let (site, work) = (self.program.node(target).id, message.key());
        if loss != Probability::NEVER
            && loss.happens(self.draws.draw(Purpose::Loss, site, work, number))
        {
            self.tell(Fact::Lost { direction });
            return false;
        }
        let latency = match &link.latency {
            Distribution::Constant(span) => *span,
            random => random.sample(self.draws.draw(Purpose::Latency, site, work, number)),
        };
        let handle = self.messages.insert(message);
        let at = self.now + latency + condition.added_latency;
        self.events.schedule(at, Event::Deliver(handle));
        true
    }

    /// A message arrives.
    pub(super) fn deliver(&mut self, handle: Handle) {
        let Some(message) = self.messages.remove(handle) else { return };
        match message {
            Message::Request {
                call,
                attempt,
                edge,
                target,
                operation,
                key,
                subject,
                value,
                token,
                deadline,
            } => {
                self.fold(10, target, key);
                self.tell(Fact::Arrived { direction: Direction::Request });
                if !self.is_down(target, 0)
                    && let Some(refusal) = self.throttle(target)
                {
                    let (outcome, hint) = (refusal.outcome, refusal.hint);
                    let value = 0;
                    let reply = Message::Reply { call, attempt, edge, outcome, value, key, hint };
                    return self.send_reply(edge, target, call, reply);
                }
                let origin = Origin::Call { call, attempt, edge };
                let mut job = Job::new(self.program, operation, key, origin, subject);
                (job.node, job.value) = (target, value);
                (job.token, job.deadline) = (token, deadline);
                job.instance = self.balance(target, key);
                let instance = job.instance;
                let handle = self.jobs.insert(job);
                if self.now < self.lives.stopped_until && self.is_refused_by_host(handle) {
                    return;
                }
                self.enter(handle, target, instance);
            }
            Message::Reply { call, attempt, edge, outcome, value, key, hint } => {
                let caller = self.program.edge(edge).caller;
                self.fold(11 + ((outcome as u64) << 8), caller, key);
                self.tell(Fact::Arrived { direction: Direction::Reply });
                let response = Response { hint, ..Response::new(outcome) };
                self.take_reply(call, attempt, edge, response, value);
            }
            Message::Delivery { queue, message, worker, instance, deaths, key } => {
                self.fold(12, worker, key);
                self.tell(Fact::Arrived { direction: Direction::Request });
                if deaths == self.lives.of(worker, instance).deaths() {
                    self.take_delivery(queue, message, worker, instance, key);
                }
            }
            Message::GivenBack { queue, message, key } => {
                self.fold(13, queue, key);
                self.tell(Fact::Arrived { direction: Direction::Request });
                if !self.is_down(queue, 0) {
                    self.take_back(queue, message, key);
                }
            }
            Message::Extended { queue, message, key } => {
                self.fold(15, queue, key);
                self.tell(Fact::Arrived { direction: Direction::Request });
                if !self.is_down(queue, 0) {
                    self.extend(queue, message, key);
                }
            }
        }
    }
}

impl Message {
    fn key(&self) -> u64 {
        match *self {
            Message::Request { key, .. }
            | Message::Reply { key, .. }
            | Message::Delivery { key, .. }
            | Message::GivenBack { key, .. }
            | Message::Extended { key, .. } => key,
        }
    }
}
