//! What is sent to whom, and what becomes of a message that arrives.

use crate::kernel::slab::Handle;
use crate::policy::Response;
use crate::system::World;
use crate::system::ledger::Way;
use crate::system::network::Message;
use crate::system::trace::TraceKind;

impl<'p> World<'p> {
    /// A message arrives.
    pub(in crate::system) fn deliver(&mut self, handle: Handle) {
        let arrived = self.cx.network.at(handle);
        match *arrived {
            Message::Request { target, key, .. } => {
                self.cx.core.fold(TraceKind::Request, target, key);
                arrived.tell(&mut self.cx.core, Way::Arrived);
                self.receive(handle);
            }
            Message::Reply { call, attempt, edge, order, outcome, value, key, hint, .. } => {
                let caller = self.cx.core.program().edge(edge).caller;
                self.cx.core.fold_number(TraceKind::of_reply(outcome), caller, key);
                arrived.tell(&mut self.cx.core, Way::Arrived);
                self.cx.network.end(handle);
                let response = Response { hint, ..Response::new(outcome) };
                self.take_reply(call, attempt, edge, order, response, value);
            }
            Message::Delivery { queue, message, worker, instance, deaths, key, .. } => {
                self.cx.core.fold(TraceKind::Delivery, worker, key);
                arrived.tell(&mut self.cx.core, Way::Arrived);
                self.cx.network.end(handle);
                if deaths == self.cx.fleet.life(worker, instance).deaths() {
                    self.nodes.take_delivery(&mut self.cx, queue, message, worker, instance, key);
                }
            }
            Message::SecondDelivery { queue, message, worker, instance, key, .. } => {
                self.cx.core.fold(TraceKind::SecondDelivery, worker, key);
                arrived.tell(&mut self.cx.core, Way::Arrived);
                self.cx.network.end(handle);
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
                arrived.tell(&mut self.cx.core, Way::Arrived);
                self.cx.network.end(handle);
                if !self.cx.fleet.is_down(queue, 0, self.cx.core.now()) {
                    self.nodes.take_back(&mut self.cx, queue, message, key);
                }
            }
            Message::Extended { queue, message, key, .. } => {
                self.cx.core.fold(TraceKind::Extended, queue, key);
                arrived.tell(&mut self.cx.core, Way::Arrived);
                self.cx.network.end(handle);
                if !self.cx.fleet.is_down(queue, 0, self.cx.core.now()) {
                    self.nodes.extend(&mut self.cx, queue, message, key);
                }
            }
        }
    }

    /// An attempt arrives at the node that it calls: it is refused, or a job handles it.
    fn receive(&mut self, message: Handle) {
        let request = self.cx.network.at(message);
        let Message::Request { call, attempt, edge, target, key, ref subject, .. } = *request
        else {
            unreachable!("{request:?} is no request")
        };
        let order = subject.order;
        if !self.cx.fleet.is_down(target, 0, self.cx.core.now())
            && let Some(refusal) = self.nodes.throttle(&mut self.cx, target, order)
        {
            self.cx.network.end(message);
            let (from, value, outcome, hint) = (target, 0, refusal.outcome, refusal.hint);
            let reply =
                Message::Reply { call, attempt, edge, from, order, outcome, value, key, hint };
            return self.cx.send_reply(edge, target, call, reply);
        }
        let handle = self.cx.handler_of_request(message);
        let instance = self.cx.jobs.at(handle).instance;
        if !self.cx.is_refused_by_host(handle) && !self.cx.fails_at_the_door(target, handle) {
            self.cx.enter(handle, target, instance);
        }
    }
}
