//! Requests that have arrived, and answers to them.

use crate::kernel::slab::Handle;
use crate::model::program::{EdgeId, NodeId};
use crate::policy::Outcome;
use crate::system::context::Context;
use crate::system::fact::Direction;
use crate::system::job::{Job, Origin};
use crate::system::network::Message;

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
        self.network.send(&mut self.core, caller, from, Direction::Reply, &message);
    }

    /// The job that handles an attempt which has arrived, at the instance that it comes to.
    ///
    /// # Panics
    /// If the message is no attempt.
    pub(in crate::system) fn handler_of_request(&mut self, message: Handle) -> Handle {
        let request = self.network.at(message);
        let Message::Request {
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
        } = *request
        else {
            unreachable!("{request:?} is no request")
        };
        let origin = Origin::Call { call, attempt, edge };
        let mut job = Job::new(self.core.program(), operation, key, origin, subject);
        self.network.end(message);
        (job.node, job.value, job.token, job.deadline) = (target, value, token, deadline);
        let over = (connection, detector);
        job.instance = self.calls.admit_over(&mut self.core, &mut self.fleet, &mut job, over);
        if detector.is_some() {
            self.calls.note_instance(call, attempt, job.instance);
        }
        self.jobs.insert(job)
    }
}
