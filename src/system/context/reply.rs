//! Answers to calls.

use crate::kernel::slab::Handle;
use crate::model::program::{EdgeId, NodeId};
use crate::policy::Outcome;
use crate::system::context::Context;
use crate::system::fact::Direction;
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
        self.network.send(&mut self.core, caller, from, Direction::Reply, message);
    }
}
