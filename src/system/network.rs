//! Messages over links: they take their time, and some never arrive.

use super::connections::Connection;
use super::control::Action;
use super::ejection::DetectorId;
use super::fact::{Content, Direction, Fact, Transit};
use super::job::{Job, Origin, Subject};
use super::trace::TraceKind;
use super::{Event, World};
use crate::kernel::draw::{Purpose, key_of};
use crate::kernel::sample::Distribution;
use crate::kernel::slab::Handle;
use crate::kernel::time::{Span, Time};
use crate::model::program::{EdgeId, NodeId, OperationId, Program};
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
        /// What its caller knows of the instances of the target.
        detector: Option<DetectorId>,
        /// What it goes over, where its policy limits connections.
        connection: Option<Connection>,
    },
    /// The answer to an attempt.
    Reply {
        call: Handle,
        attempt: u32,
        edge: EdgeId,
        /// Who answers: another one than the edge says after a failover.
        from: NodeId,
        order: u64,
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
        order: u64,
        key: u64,
    },
    /// A second copy of a message of a queue, for which no worker's place is kept.
    SecondDelivery {
        queue: NodeId,
        message: u64,
        worker: NodeId,
        instance: u32,
        order: u64,
        key: u64,
    },
    /// A worker could not handle a message of a queue.
    GivenBack { worker: NodeId, queue: NodeId, message: u64, order: u64, key: u64 },
    /// A worker still handles a message of a queue.
    Extended { worker: NodeId, queue: NodeId, message: u64, order: u64, key: u64 },
}

impl Message {
    /// The order that it is about; what a relay asks for itself is about none.
    fn order(&self, program: &Program) -> Option<u64> {
        let is_upkeep = match *self {
            Message::Request { edge, .. } | Message::Reply { edge, .. } => {
                program.is_upkeep_edge(edge)
            }
            _ => false,
        };
        (!is_upkeep).then(|| self.transit(program).order)
    }
}

/// Draws of one message differ by what is drawn: a reply shares its attempt's key.
const REQUEST: u16 = 0;
const REPLY: u16 = 1;
/// Added for a second draw of the same purpose about the same message.
const SECOND: u16 = 2;

/// Part of the key of a second copy: it has luck of its own.
const COPY: u64 = 0x636f_7079;

/// When each link can send next, if any link has a bandwidth.
pub(super) fn pipes(program: &Program) -> Vec<[Time; 2]> {
    let is_limited = program.links.iter().any(|link| link.transmission > Span::ZERO);
    vec![[Time::ZERO; 2]; if is_limited { program.links.len() } else { 0 }]
}

/// A message's way over a link.
#[derive(Clone, Copy)]
struct Passage {
    link: usize,
    direction: Direction,
    /// The site of its draws.
    site: u32,
    /// The work of its draws.
    work: u64,
    /// The order that the message is about, if it is about one.
    order: Option<u64>,
}

impl Passage {
    /// The index of its draws.
    fn number(self) -> u16 {
        match self.direction {
            Direction::Request => REQUEST,
            Direction::Reply => REPLY,
        }
    }
}

impl World<'_> {
    /// Sends an attempt to the node that it calls.
    pub(super) fn send_request(&mut self, edge: EdgeId, mut message: Message) {
        let Message::Request { call, target, connection, .. } = &mut message else { return };
        let (call, first, is_new) = (*call, *target, connection.is_some_and(|it| it.is_new));
        let Some(to) = self.route(edge, call) else { return self.lose(first, &message) };
        *target = to;
        if is_new {
            self.cx.tell(Fact::Connected(edge));
        }
        self.send(self.cx.program().edge(edge).caller, to, Direction::Request, message);
    }

    /// Answers a call with how it ended, and nothing else.
    pub(super) fn send_outcome(
        &mut self,
        (call, attempt, edge): (Handle, u32, EdgeId),
        from: NodeId,
        (key, order): (u64, u64),
        outcome: Outcome,
    ) {
        let (value, hint) = (0, None);
        let reply = Message::Reply { call, attempt, edge, from, order, outcome, value, key, hint };
        self.send_reply(edge, from, call, reply);
    }

    /// Sends an answer of a node back to the caller.
    pub(super) fn send_reply(
        &mut self,
        edge: EdgeId,
        from: NodeId,
        call: Handle,
        mut message: Message,
    ) {
        if let Message::Reply { outcome, .. } = &mut message
            && self.cx.program().node(from).station.speaks_grpc
        {
            *outcome = outcome.in_grpc();
        }
        if !self.reaches_caller(from, edge, call) {
            return self.lose(from, &message);
        }
        self.send(self.cx.program().edge(edge).caller, from, Direction::Reply, message);
    }

    /// A message goes nowhere: its target is cut off.
    fn lose(&mut self, target: NodeId, message: &Message) {
        let order = message.order(self.cx.program());
        self.cx.fired(order, |act| matches!(*act, Action::CutOff { node, .. } if node == target));
        let transit = message.transit(self.cx.program());
        self.cx.tell(Fact::Sent(transit));
        self.cx.tell(Fact::Lost(transit));
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
        let link = self.cx.program().link_index(caller, target);
        let (site, work) = (self.cx.program().node(target).id, message.key());
        let order = message.order(self.cx.program());
        let passage = Passage { link, direction, site, work, order };
        let transit = message.transit(self.cx.program());
        self.cx.tell(Fact::Sent(transit));
        let departure = match self.cx.program().links[link].transmission {
            Span::ZERO => Some(self.cx.now()),
            _ => self.depart(passage),
        };
        let Some(departure) = departure.filter(|_| !self.loses(passage)) else {
            self.cx.tell(Fact::Lost(transit));
            return false;
        };
        let departure = departure + self.connecting(link, site, &message);
        let latency = self.latency(passage, Purpose::Latency, passage.number());
        let late = self.lateness(passage);
        self.carry(passage, departure, latency + late, message);
        if self.duplicates(passage) {
            let second = message.second();
            self.cx.tell(Fact::Duplicated(second.transit(self.cx.program())));
            let latency = self.latency(passage, Purpose::Duplicate, passage.number() + SECOND);
            self.carry(passage, departure, latency, second);
        }
        true
    }

    /// Waits for the link's bandwidth: messages go one after the other. `None` if too many wait.
    fn depart(&mut self, passage: Passage) -> Option<Time> {
        let link = &self.cx.program().links[passage.link];
        let free = &mut self.pipes[passage.link][passage.number() as usize];
        let start = self.cx.now().max(*free);
        if start.since(self.cx.now()) > link.backlog {
            return None;
        }
        *free = start + link.transmission;
        Some(*free)
    }

    /// Whether a message is lost on its way.
    fn loses(&mut self, passage: Passage) -> bool {
        let condition = self.cx.link_condition(passage.link);
        let (is_cut, loss) = match passage.direction {
            Direction::Request => (condition.requests_cut, condition.request_loss),
            Direction::Reply => (condition.replies_cut, condition.reply_loss),
        };
        if is_cut {
            self.cx.fired(passage.order, |action| match (action, passage.direction) {
                (Action::Partition { requests: cut, .. }, Direction::Request)
                | (Action::Partition { replies: cut, .. }, Direction::Reply) => {
                    cut.contains(&passage.link)
                }
                _ => false,
            });
            return true;
        }
        if loss.is_never() {
            return false;
        }
        let draw = self.cx.draw(Purpose::Loss, passage.site, passage.work, passage.number());
        if !loss.happens(draw) {
            return false;
        }
        let own = &self.cx.program().links[passage.link];
        let own = match passage.direction {
            Direction::Request => own.request_loss,
            Direction::Reply => own.reply_loss,
        };
        self.cx.fired_by_chance(passage.order, draw, own, |action| {
            match (action, passage.direction) {
                (Action::RequestLoss { links, share }, Direction::Request)
                | (Action::ReplyLoss { links, share }, Direction::Reply)
                    if links.contains(&passage.link) =>
                {
                    Some(*share)
                }
                _ => None,
            }
        });
        true
    }

    /// How long a message travels.
    fn latency(&mut self, passage: Passage, purpose: Purpose, index: u16) -> Span {
        match &self.cx.program().links[passage.link].latency {
            Distribution::Constant(span) => *span,
            random => random.sample(self.cx.draw(purpose, passage.site, passage.work, index)),
        }
    }

    /// By how much a message is late, so that others overtake it.
    fn lateness(&mut self, passage: Passage) -> Span {
        let share = self.cx.link_condition(passage.link).reordering;
        if share.is_never() {
            return Span::ZERO;
        }
        let Passage { link, site, work, .. } = passage;
        let draw = self.cx.draw(Purpose::Reorder, site, work, passage.number());
        if !share.happens(draw) {
            return Span::ZERO;
        }
        let own = &self.cx.program().links[link];
        let cause =
            self.cx.fired_by_chance(passage.order, draw, own.reordering, |action| match action {
                Action::Reorder { links, share, .. } if links.contains(&link) => Some(*share),
                _ => None,
            });
        let by = self.cx.draw(Purpose::Reorder, site, work, passage.number() + SECOND);
        match cause.map(|control| &control.action) {
            Some(&Action::Reorder { added, .. }) => {
                Distribution::Uniform { low: Span::ZERO, high: added }.sample(by)
            }
            _ => own.lateness.sample(by),
        }
    }

    /// Whether a message arrives twice.
    fn duplicates(&mut self, passage: Passage) -> bool {
        let share = self.cx.link_condition(passage.link).duplication;
        if share.is_never() {
            return false;
        }
        let Passage { link, site, work, .. } = passage;
        let draw = self.cx.draw(Purpose::Duplicate, site, work, passage.number());
        if !share.happens(draw) {
            return false;
        }
        let own = self.cx.program().links[link].duplication;
        self.cx.fired_by_chance(passage.order, draw, own, |action| match action {
            Action::Duplicate { links, share } if links.contains(&link) => Some(*share),
            _ => None,
        });
        true
    }

    /// Puts a message on its way: it arrives when it has travelled, and later if the link is slow
    /// or clogged.
    fn carry(&mut self, passage: Passage, departure: Time, travels: Span, message: Message) {
        let link = passage.link;
        let condition = self.cx.link_condition(link);
        let (added, clogged_until) = (condition.added_latency, condition.clogged_until);
        if added > Span::ZERO {
            self.cx.fired(
                passage.order,
                |action| matches!(action, Action::Latency { links, .. } if links.contains(&link)),
            );
        }
        if clogged_until > departure {
            self.cx.fired(
                passage.order,
                |action| matches!(action, Action::Clog { links } if links.contains(&link)),
            );
        }
        let at = departure.max(clogged_until) + travels + added;
        let handle = self.messages.insert(message);
        self.cx.schedule(at, Event::Deliver(handle));
    }

    /// A message arrives.
    pub(super) fn deliver(&mut self, handle: Handle) {
        let Some(message) = self.messages.remove(handle) else { return };
        let arrived = Fact::Arrived(message.transit(self.cx.program()));
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
                detector,
                connection,
            } => {
                self.cx.fold(TraceKind::Request, target, key);
                self.cx.tell(arrived);
                if !self.is_down(target, 0)
                    && let Some(refusal) = self.throttle(target, subject.order)
                {
                    let (outcome, hint) = (refusal.outcome, refusal.hint);
                    let (from, order, value) = (target, subject.order, 0);
                    let reply = Message::Reply {
                        call,
                        attempt,
                        edge,
                        from,
                        order,
                        outcome,
                        value,
                        key,
                        hint,
                    };
                    return self.send_reply(edge, target, call, reply);
                }
                let origin = Origin::Call { call, attempt, edge };
                let mut job = Job::new(self.cx.program(), operation, key, origin, subject);
                (job.node, job.value) = (target, value);
                let instance = self.admit_over(connection, &mut job, detector);
                (job.token, job.deadline, job.instance) = (token, deadline, instance);
                if detector.is_some() {
                    self.note_instance(call, attempt, instance);
                }
                let handle = self.jobs.insert(job);
                if !self.is_refused_by_host(handle) && !self.fails_at_the_door(handle) {
                    self.enter(handle, target, instance);
                }
            }
            Message::Reply { call, attempt, edge, order, outcome, value, key, hint, .. } => {
                let caller = self.cx.program().edge(edge).caller;
                self.cx.fold_number(TraceKind::of_reply(outcome), caller, key);
                self.cx.tell(arrived);
                let response = Response { hint, ..Response::new(outcome) };
                self.take_reply(call, attempt, edge, order, response, value);
            }
            Message::Delivery { queue, message, worker, instance, deaths, key, .. } => {
                self.cx.fold(TraceKind::Delivery, worker, key);
                self.cx.tell(arrived);
                if deaths == self.lives.of(worker, instance).deaths() {
                    self.take_delivery(queue, message, worker, instance, key);
                }
            }
            Message::SecondDelivery { queue, message, worker, instance, key, .. } => {
                self.cx.fold(TraceKind::SecondDelivery, worker, key);
                self.cx.tell(arrived);
                if !self.is_down(worker, instance) {
                    self.take_second_delivery(queue, message, worker, instance, key);
                }
            }
            Message::GivenBack { queue, message, key, .. } => {
                self.cx.fold(TraceKind::GivenBack, queue, key);
                self.cx.tell(arrived);
                if !self.is_down(queue, 0) {
                    self.take_back(queue, message, key);
                }
            }
            Message::Extended { queue, message, key, .. } => {
                self.cx.fold(TraceKind::Extended, queue, key);
                self.cx.tell(arrived);
                if !self.is_down(queue, 0) {
                    self.extend(queue, message, key);
                }
            }
        }
    }
}

impl Message {
    /// Which way it goes.
    pub(super) fn direction(&self) -> Direction {
        match self {
            Message::Reply { .. } => Direction::Reply,
            Message::Request { .. }
            | Message::Delivery { .. }
            | Message::SecondDelivery { .. }
            | Message::GivenBack { .. }
            | Message::Extended { .. } => Direction::Request,
        }
    }

    /// What observers are told of it.
    pub(super) fn transit(&self, program: &Program) -> Transit {
        let (from, to, content, order) = match *self {
            Message::Request { edge, target, operation, subject, .. } => {
                (program.edge(edge).caller, target, Content::Call(operation), subject.order)
            }
            Message::Reply { edge, from, outcome, order, .. } => {
                (from, program.edge(edge).caller, Content::Answer(outcome), order)
            }
            Message::Delivery { queue, worker, order, .. }
            | Message::SecondDelivery { queue, worker, order, .. } => {
                (queue, worker, Content::Delivery, order)
            }
            Message::GivenBack { worker, queue, order, .. } => {
                (worker, queue, Content::GivenBack, order)
            }
            Message::Extended { worker, queue, order, .. } => {
                (worker, queue, Content::StillHandled, order)
            }
        };
        Transit { direction: self.direction(), from, to, content, order, key: self.key() }
    }

    fn key(&self) -> u64 {
        match *self {
            Message::Request { key, .. }
            | Message::Reply { key, .. }
            | Message::Delivery { key, .. }
            | Message::SecondDelivery { key, .. }
            | Message::GivenBack { key, .. }
            | Message::Extended { key, .. } => key,
        }
    }

    /// The second copy of a message: the same content, but its draws are its own.
    fn second(mut self) -> Message {
        match &mut self {
            Message::Request { key, .. } | Message::Reply { key, .. } => *key = key_of(*key, COPY),
            &mut Message::Delivery { queue, message, worker, instance, order, key, .. } => {
                let key = key_of(key, COPY);
                return Message::SecondDelivery { queue, message, worker, instance, order, key };
            }
            // The queue knows a delivery that is given back by its key.
            Message::SecondDelivery { .. }
            | Message::GivenBack { .. }
            | Message::Extended { .. } => {}
        }
        self
    }
}
