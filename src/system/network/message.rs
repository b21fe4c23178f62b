//! What nodes send each other.

use crate::kernel::draw::key_of;
use crate::kernel::slab::Handle;
use crate::kernel::time::{Span, Time};
use crate::model::program::{EdgeId, NodeId, OperationId, Program};
use crate::policy::Outcome;
use crate::system::calls::Connection;
use crate::system::core::Core;
use crate::system::event::DetectorId;
use crate::system::fact::{Content, Direction, Transit};
use crate::system::job::Subject;
use crate::system::ledger::Way;

/// Something on its way from one node to another.
#[derive(Clone, Copy, Debug)]
pub(in crate::system) enum Message {
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

/// Part of the key of a second copy: it has luck of its own.
const COPY: u64 = 0x636f_7079;

impl Message {
    /// The order that it is about; what a relay asks for itself is about none.
    pub(in crate::system) fn order(&self, program: &Program) -> Option<u64> {
        let is_upkeep = match *self {
            Message::Request { edge, .. } | Message::Reply { edge, .. } => {
                program.is_upkeep_edge(edge)
            }
            _ => false,
        };
        (!is_upkeep).then(|| self.own_order())
    }

    /// Which way it goes.
    pub(in crate::system) fn direction(&self) -> Direction {
        match self {
            Message::Reply { .. } => Direction::Reply,
            Message::Request { .. }
            | Message::Delivery { .. }
            | Message::SecondDelivery { .. }
            | Message::GivenBack { .. }
            | Message::Extended { .. } => Direction::Request,
        }
    }

    /// The order that travels with it.
    fn own_order(&self) -> u64 {
        match *self {
            Message::Request { subject, .. } => subject.order,
            Message::Reply { order, .. }
            | Message::Delivery { order, .. }
            | Message::SecondDelivery { order, .. }
            | Message::GivenBack { order, .. }
            | Message::Extended { order, .. } => order,
        }
    }

    /// Books what becomes of it on its way, and tells it.
    #[inline]
    pub(in crate::system) fn tell(&self, core: &mut Core<'_>, way: Way) {
        core.tell_way(way, self.direction(), |program| self.transit(program));
    }

    /// What observers are told of it.
    #[inline]
    pub(in crate::system) fn transit(&self, program: &Program) -> Transit {
        let caller = |edge| program.edge(edge).caller;
        let (from, to, content, order, key) = match *self {
            Message::Request { edge, target, operation, ref subject, key, .. } => {
                (caller(edge), target, Content::Call(operation), subject.order, key)
            }
            Message::Reply { edge, from, outcome, order, key, .. } => {
                (from, caller(edge), Content::Answer(outcome), order, key)
            }
            Message::Delivery { queue, worker, order, key, .. }
            | Message::SecondDelivery { queue, worker, order, key, .. } => {
                (queue, worker, Content::Delivery, order, key)
            }
            Message::GivenBack { worker, queue, order, key, .. } => {
                (worker, queue, Content::GivenBack, order, key)
            }
            Message::Extended { worker, queue, order, key, .. } => {
                (worker, queue, Content::StillHandled, order, key)
            }
        };
        Transit { direction: self.direction(), from, to, content, order, key }
    }

    pub(super) fn key(&self) -> u64 {
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
    pub(super) fn second(mut self) -> Message {
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
