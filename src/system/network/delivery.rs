//! What is sent to whom, and what becomes of a message that arrives.

use super::Message;
use crate::kernel::slab::Handle;
use crate::model::program::{EdgeId, NodeId};
use crate::policy::{Outcome, Response};
use crate::system::World;
use crate::system::context::Context;
use crate::system::fact::{Direction, Fact};
use crate::system::job::{Job, Origin};
use crate::system::nodes::Nodes;
use crate::system::trace::TraceKind;

impl Nodes {
    /// Sends an attempt to the node that it calls.
    pub(in crate::system) fn send_request(&mut self, cx: &mut Context<'_>, mut message: Message) {
        let Message::Request { call, edge, target, connection, .. } = &mut message else {
            unreachable!("{message:?} is no request")
        };
        let (call, edge, first) = (*call, *edge, *target);
        let is_new = connection.is_some_and(|it| it.is_new);
        let Some(to) = self.route(cx, edge, call) else {
            return cx.network.lose(&mut cx.core, first, &message);
        };
        *target = to;
        if is_new {
            cx.core.tell(Fact::Connected(edge));
        }
        let caller = cx.core.program().edge(edge).caller;
        cx.network.send(&mut cx.core, caller, to, Direction::Request, message);
    }
}

impl Context<'_> {
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
            && self.core.program().node(from).station.speaks_grpc
        {
            *outcome = outcome.in_grpc();
        }
        if !self.reaches_caller(from, edge, call) {
            return self.network.lose(&mut self.core, from, &message);
        }
        let caller = self.core.program().edge(edge).caller;
        self.network.send(&mut self.core, caller, from, Direction::Reply, message);
    }
}

impl<'p> World<'p> {
    /// A message arrives.
    pub(in crate::system) fn deliver(&mut self, handle: Handle) {
        let message = self.cx.network.take(handle);
        let arrived = Fact::Arrived(message.transit(self.cx.core.program()));
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
                self.cx.core.fold(TraceKind::Request, target, key);
                self.cx.core.tell(arrived);
                if !self.cx.fleet.is_down(target, 0, self.cx.core.now())
                    && let Some(refusal) = self.nodes.throttle(&mut self.cx, target, subject.order)
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
                    return self.cx.send_reply(edge, target, call, reply);
                }
                let origin = Origin::Call { call, attempt, edge };
                let mut job = Job::new(self.cx.core.program(), operation, key, origin, subject);
                (job.node, job.value) = (target, value);
                let over = (connection, detector);
                let instance =
                    self.cx.calls.admit_over(&mut self.cx.core, &mut self.cx.fleet, &mut job, over);
                (job.token, job.deadline, job.instance) = (token, deadline, instance);
                if detector.is_some() {
                    self.cx.calls.note_instance(call, attempt, instance);
                }
                let handle = self.cx.jobs.insert(job);
                if !self.cx.is_refused_by_host(handle) && !self.cx.fails_at_the_door(handle) {
                    self.cx.enter(handle, target, instance);
                }
            }
            Message::Reply { call, attempt, edge, order, outcome, value, key, hint, .. } => {
                let caller = self.cx.core.program().edge(edge).caller;
                self.cx.core.fold_number(TraceKind::of_reply(outcome), caller, key);
                self.cx.core.tell(arrived);
                let response = Response { hint, ..Response::new(outcome) };
                self.take_reply(call, attempt, edge, order, response, value);
            }
            Message::Delivery { queue, message, worker, instance, deaths, key, .. } => {
                self.cx.core.fold(TraceKind::Delivery, worker, key);
                self.cx.core.tell(arrived);
                if deaths == self.cx.fleet.life(worker, instance).deaths() {
                    self.nodes.take_delivery(&mut self.cx, queue, message, worker, instance, key);
                }
            }
            Message::SecondDelivery { queue, message, worker, instance, key, .. } => {
                self.cx.core.fold(TraceKind::SecondDelivery, worker, key);
                self.cx.core.tell(arrived);
                if !self.cx.fleet.is_down(worker, instance, self.cx.core.now()) {
                    self.nodes.take_second_delivery(
                        &mut self.cx,
                        queue,
                        message,
                        worker,
                        instance,
                        key,
                    );
                }
            }
            Message::GivenBack { queue, message, key, .. } => {
                self.cx.core.fold(TraceKind::GivenBack, queue, key);
                self.cx.core.tell(arrived);
                if !self.cx.fleet.is_down(queue, 0, self.cx.core.now()) {
                    self.nodes.take_back(&mut self.cx, queue, message, key);
                }
            }
            Message::Extended { queue, message, key, .. } => {
                self.cx.core.fold(TraceKind::Extended, queue, key);
                self.cx.core.tell(arrived);
                if !self.cx.fleet.is_down(queue, 0, self.cx.core.now()) {
                    self.nodes.extend(&mut self.cx, queue, message, key);
                }
            }
        }
    }
}
