//! What is sent to whom, and what becomes of a message that arrives.

use crate::kernel::slab::Handle;
use crate::policy::Response;
use crate::system::World;
use crate::system::fact::Fact;
use crate::system::job::{Job, Origin};
use crate::system::network::Message;
use crate::system::trace::TraceKind;

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
