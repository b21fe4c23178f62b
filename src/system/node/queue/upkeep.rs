//! What queues do beside handing messages out: they let messages expire, have their visibility
//! extended, and, when a fault says so, deliver messages again that were in hand or done with.

use super::group::Queued;
use super::{Group, group_and_number, ticket};
use crate::kernel::queue::TimerId;
use crate::kernel::slab::Handle;
use crate::kernel::time::{Span, Time};
use crate::model::program::{Kind, NodeId};
use crate::system::context::Context;
use crate::system::control::Action;
use crate::system::event::Event;
use crate::system::fact::{Direction, Fact};
use crate::system::job::Origin;
use crate::system::network::Message;
use crate::system::node::Nodes;
use crate::system::trace::TraceKind;

impl Nodes {
    /// Sees to it that messages which expire at this time do.
    pub(super) fn expire_at(&mut self, cx: &mut Context<'_>, node: NodeId, at: Time) {
        if at == Time::NEVER {
            return;
        }
        let expiry = self.queue(node).expiry;
        if let Some((due, timer)) = expiry {
            if due <= at {
                return;
            }
            cx.core.cancel(timer);
        }
        let timer = cx.core.schedule_timer(at, Event::Expire(node));
        self.queue(node).expiry = Some((at, timer));
    }

    /// Forgets the messages that are too old, delivered or not.
    pub(in crate::system) fn expire(&mut self, cx: &mut Context<'_>, node: NodeId) {
        self.queue(node).expiry = None;
        for index in 0..cx.queue_rules(node).groups.len() {
            while let Some((at, number)) = self.queue(node).groups[index].next_expiry() {
                if at > cx.core.now() {
                    break;
                }
                let Some(queued) = self.remove(cx, node, ticket(index, number)) else { break };
                let (order, since) = (queued.subject.order, queued.subject.since);
                cx.core.tell(Fact::Expired { queue: node, order, since });
            }
            self.hand_out(cx, node, index);
        }
        let next = self.queue(node).groups.iter().filter_map(Group::next_expiry).min();
        self.expire_at(cx, node, next.map_or(Time::NEVER, |(at, _)| at));
    }

    /// A message stays hidden for another visibility.
    pub(in crate::system) fn extend(
        &mut self,
        cx: &mut Context<'_>,
        node: NodeId,
        message: u64,
        delivery: u64,
    ) {
        let span = cx.queue_rules(node).visibility;
        self.hide_for(cx, node, message, delivery, span);
    }

    /// Keeps an acknowledged message for as long as it may be asked for again.
    pub(super) fn keep_acknowledged(
        &mut self,
        cx: &mut Context<'_>,
        node: NodeId,
        group: usize,
        queued: Queued,
    ) {
        let now = cx.core.now();
        let queue = self.queue(node);
        let span = queue.remembers;
        if span == Span::ZERO {
            return;
        }
        let acknowledged = &mut queue.groups[group].acknowledged;
        acknowledged.push_back((now, queued));
        while acknowledged.front().is_some_and(|&(at, _)| now.since(at) > span) {
            acknowledged.pop_front();
        }
    }

    /// Lets a queue keep acknowledged messages for at least so long.
    pub(in crate::system) fn remember_for(&mut self, node: NodeId, span: Span) {
        let queue = self.queue(node);
        queue.remembers = queue.remembers.max(span);
    }

    /// Lets all messages in flight be delivered again at once, and those that were acknowledged
    /// within the last `since` as well.
    pub(in crate::system) fn redeliver(&mut self, cx: &mut Context<'_>, node: NodeId, since: Span) {
        for index in 0..cx.queue_rules(node).groups.len() {
            for number in self.queue(node).groups[index].in_flight() {
                let about = self.queue(node).groups[index].get(number);
                let about = about.map(|queued| queued.subject.order);
                cx.fired_redelivery(node, about);
                if let Some(timer) = self.queue(node).groups[index].show(number) {
                    cx.core.cancel(timer);
                }
            }
            let acknowledged = std::mem::take(&mut self.queue(node).groups[index].acknowledged);
            let now = cx.core.now();
            let again = acknowledged
                .into_iter()
                .filter(|&(at, queued)| now.since(at) <= since && queued.expires > now);
            for (_, queued) in again {
                self.queued += 1;
                cx.core.ledger_mut().accept(node, 1);
                cx.fired_redelivery(node, Some(queued.subject.order));
                self.expire_at(cx, node, queued.expires);
                self.queue(node).groups[index].push(Queued { hidden: None, ..queued });
            }
            self.hand_out(cx, node, index);
        }
    }

    /// A message stays hidden because its queue does nothing at present.
    pub(in crate::system) fn hide_again(&mut self, node: NodeId, message: u64, timer: TimerId) {
        let (group, number) = group_and_number(message);
        self.queue(node).groups[group].hide(number, timer);
    }

    /// A queue that keeps its messages in memory has died.
    pub(in crate::system) fn lose_messages(&mut self, cx: &mut Context<'_>, node: NodeId) {
        if cx.queue_rules(node).durable {
            return;
        }
        for index in 0..cx.queue_rules(node).groups.len() {
            for queued in self.queue(node).groups[index].clear() {
                if let Some(timer) = queued.hidden {
                    cx.core.cancel(timer);
                }
                self.queued -= 1;
                let (order, since) = (queued.subject.order, queued.subject.since);
                cx.core.tell(Fact::MessageLost { queue: node, order, since });
            }
        }
    }

    /// A queue delivers again that did not.
    pub(in crate::system) fn resume_queue(&mut self, cx: &mut Context<'_>, node: NodeId) {
        for index in 0..cx.queue_rules(node).groups.len() {
            self.hand_out(cx, node, index);
        }
    }
}

impl Context<'_> {
    /// Lets a worker say now and then that it still handles a message.
    pub(super) fn expect_heartbeat(&mut self, queue: NodeId, job: Handle) {
        if let Some(span) = self.queue_rules(queue).heartbeat {
            self.core.schedule(self.core.now() + span, Event::Heartbeat(job));
        }
    }

    /// A worker says that it still handles a message, if it does.
    pub(in crate::system) fn beat(&mut self, handle: Handle) {
        let Some(job) = self.jobs.get(handle) else { return };
        let (worker, order, key, origin) = (job.node, job.subject.order, job.key, job.origin);
        let Origin::Delivery { queue, message } = origin else { return };
        self.core.fold(TraceKind::Heartbeat, worker, key);
        let beat = Message::Extended { worker, queue, message, order, key };
        self.network.send(&mut self.core, worker, queue, Direction::Request, &beat);
        self.expect_heartbeat(queue, handle);
    }

    /// Tells which fault a redelivery is due to.
    fn fired_redelivery(&mut self, queue: NodeId, order: Option<u64>) {
        self.core.fired(
            order,
            |action| matches!(*action, Action::Redelivery { node, .. } if node == queue),
        );
    }

    /// Whether dead letters come here and nobody takes them: then nothing here is on its way.
    pub(in crate::system) fn is_dead_end(&self, node: NodeId) -> bool {
        let Kind::Queue(rules) = &self.core.program().node(node).kind else { return false };
        rules.groups.iter().all(|group| group.consumers.is_empty())
            && self.core.program().gets_dead_letters(node)
    }
}
