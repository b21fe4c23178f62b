//! Replies that come after their attempt was given up.

use super::World;
use super::call::Resumption;
use super::fact::{Fact, Observer};
use crate::kernel::draw::{Purpose, key_of};
use crate::kernel::slab::Handle;
use crate::kernel::time::Time;
use crate::model::program::{EdgeId, StateOf};
use crate::policy::Outcome;

/// An attempt whose reply, if it comes, is news for a breaker.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimedOut {
    scope: u32,
    key: u64,
    started: Time,
}

/// Of so many timed-out attempts at most a reply is still expected.
const TIMED_OUT_MAX: usize = 1 << 16;

impl<O: Observer> World<'_, O> {
    /// Keeps in mind an attempt that has timed out, if its breaker hears what comes of it.
    pub(super) fn expect_late_reply(&mut self, handle: Handle) {
        let Some(call) = self.calls.get(handle) else { return };
        let edge = self.program.edge(call.step.edge);
        let policy = &self.program.policies[edge.policy as usize].1;
        if policy.breaker.is_some_and(|breaker| breaker.hears_replies_after_timeout)
            && edge.state_of != StateOf::Call
        {
            let entry =
                TimedOut { scope: call.scope, key: call.key, started: call.attempt_started };
            self.timed_out.insert((handle, call.sent), entry);
            if self.timed_out.len() > TIMED_OUT_MAX {
                self.timed_out.pop_first();
            }
        }
    }

    /// A reply has arrived for which nobody waits: a breaker may hear it, and a policy that keeps
    /// timed-out attempts takes a good answer after all.
    pub(super) fn take_stale(
        &mut self,
        handle: Handle,
        attempt: u32,
        edge_id: EdgeId,
        order: u64,
        outcome: Outcome,
        value: u64,
    ) {
        let edge = self.program.edge(edge_id);
        let policy = &self.program.policies[edge.policy as usize].1;
        let keeps = policy.retry.is_some_and(|retry| retry.keep_timed_out);
        if keeps
            && outcome == Outcome::Ok
            && let Some(call) = self.calls.get(handle)
        {
            let (owner, asked) = (call.owner, call.subject.asked);
            self.tell(Fact::Settled { edge: edge_id, attempt, order, asked, outcome });
            if self.abandon_call(handle, outcome, value) == Resumption::Now {
                self.ready.push_back(owner);
            }
            return;
        }
        if let Some(late) = self.timed_out.remove(&(handle, attempt)) {
            let work = key_of(late.key, u64::from(attempt));
            let draw = self.draws.draw(Purpose::Policy, edge.id, work, 2);
            let state = self.policies.state(late.scope as usize);
            policy.late(state, outcome, self.now.since(late.started), self.now, draw);
            self.wake_waiters(late.scope as usize);
        }
        self.tell(Fact::Stale { edge: edge_id, attempt, order });
    }
}
