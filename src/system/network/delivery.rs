//! What is sent to whom, and what becomes of a message that arrives.

use super::Message;
use crate::kernel::slab::Handle;
use crate::model::program::{EdgeId, NodeId};
use crate::policy::{Outcome, Response};
use crate::system::World;
use crate::system::fact::{Direction, Fact};
use crate::system::job::{Job, Origin};
use crate::system::trace::TraceKind;

impl World<'_> {
    /// Sends an attempt to the node that it calls.
    pub(in crate::system) fn send_request(&mut self, mut message: Message) {
        let Message::Request { call, edge, target, connection, .. } = &mut message else {
            unreachable!("{message:?} is no request")
        };
        let (call, edge, first) = (*call, *edge, *target);
        let is_new = connection.is_some_and(|it| it.is_new);
        let Some(to) = self.route(edge, call) else {
            return self.network.lose(&mut self.cx, first, &message);
        };
        *target = to;
        if is_new {
            self.cx.tell(Fact::Connected(edge));
        }
        let caller = self.cx.program().edge(edge).caller;
        self.network.send(&mut self.cx, caller, to, Direction::Request, message);
    }

    /// Answers a call with how it ended, and nothing else.
    pub(in crate::system) fn send_outcome(
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
    pub(in crate::system) fn send_reply(
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
            return self.network.lose(&mut self.cx, from, &message);
        }
        let caller = self.cx.program().edge(edge).caller;
        self.network.send(&mut self.cx, caller, from, Direction::Reply, message);
    }

    /// A message arrives.
    pub(in crate::system) fn deliver(&mut self, handle: Handle) {
        let message = self.network.take(handle);
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
                if !self.fleet.is_down(target, 0, self.cx.now())
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
                let over = (connection, detector);
                let instance = self.calls.admit_over(&mut self.cx, &mut self.fleet, &mut job, over);
                (job.token, job.deadline, job.instance) = (token, deadline, instance);
                if detector.is_some() {
                    self.calls.note_instance(call, attempt, instance);
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
                if deaths == self.fleet.life(worker, instance).deaths() {
                    self.take_delivery(queue, message, worker, instance, key);
                }
            }
            Message::SecondDelivery { queue, message, worker, instance, key, .. } => {
                self.cx.fold(TraceKind::SecondDelivery, worker, key);
                self.cx.tell(arrived);
                if !self.fleet.is_down(worker, instance, self.cx.now()) {
                    self.take_second_delivery(queue, message, worker, instance, key);
                }
            }
            Message::GivenBack { queue, message, key, .. } => {
                self.cx.fold(TraceKind::GivenBack, queue, key);
                self.cx.tell(arrived);
                if !self.fleet.is_down(queue, 0, self.cx.now()) {
                    self.take_back(queue, message, key);
                }
            }
            Message::Extended { queue, message, key, .. } => {
                self.cx.fold(TraceKind::Extended, queue, key);
                self.cx.tell(arrived);
                if !self.fleet.is_down(queue, 0, self.cx.now()) {
                    self.extend(queue, message, key);
                }
            }
        }
    }
}
