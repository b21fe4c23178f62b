//! Replies that come after their attempt was given up.

use std::collections::BTreeMap;

use super::Calls;
use crate::kernel::draw::{Purpose, key_of};
use crate::kernel::slab::Handle;
use crate::kernel::time::Time;
use crate::model::program::{EdgeId, NodeId, Program, StateOf};
use crate::policy::Outcome;
use crate::system::core::Core;
use crate::system::fact::Fact;

/// An attempt whose reply, if it comes, is news for a breaker.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimedOut {
    edge: EdgeId,
    /// The process that waited for it.
    process: u32,
    scope: u32,
    key: u64,
    started: Time,
}

/// Of so many timed-out attempts at most a reply is still expected.
const TIMED_OUT_MAX: usize = 1 << 16;

/// The attempts whose replies are still expected.
#[derive(Clone, Debug, Default)]
pub(super) struct LateReplies {
    /// By call and attempt, each with its number.
    expected: BTreeMap<(Handle, u32), (u64, TimedOut)>,
    /// The same by their numbers: in the order in which they timed out.
    by_number: BTreeMap<u64, (Handle, u32)>,
    next: u64,
}

impl LateReplies {
    /// Expects one more reply; returns the oldest of those expected if that is one too many.
    fn expect(&mut self, call: Handle, attempt: u32, entry: TimedOut) -> Option<TimedOut> {
        self.expected.insert((call, attempt), (self.next, entry));
        self.by_number.insert(self.next, (call, attempt));
        self.next += 1;
        if self.expected.len() <= TIMED_OUT_MAX {
            return None;
        }
        let (_, oldest) = self.by_number.pop_first()?;
        self.expected.remove(&oldest).map(|(_, entry)| entry)
    }

    /// A reply has come; returns what is known of its attempt, if it was expected.
    fn take(&mut self, call: Handle, attempt: u32) -> Option<TimedOut> {
        let (number, entry) = self.expected.remove(&(call, attempt))?;
        self.by_number.remove(&number);
        Some(entry)
    }

    /// Expects no reply any more that is of no concern.
    fn retain(&mut self, is_of_concern: impl Fn(&TimedOut) -> bool) {
        self.expected.retain(|_, (number, entry)| {
            let stays = is_of_concern(entry);
            if !stays {
                self.by_number.remove(number);
            }
            stays
        });
    }
}

impl Calls {
    /// Keeps in mind an attempt that has timed out, if its breaker hears what comes of it.
    #[inline]
    pub(in crate::system) fn expect_late_reply(&mut self, core: &mut Core<'_>, handle: Handle) {
        let call = self.open.at(handle);
        let edge = core.program().edge(call.edge);
        if call.policy(core.program()).breaker.is_some_and(|it| it.hears_replies_after_timeout)
            && edge.state_of != StateOf::Call
        {
            let (process, scope, key) = (call.process, call.scope, call.key);
            let edge = call.edge;
            let entry = TimedOut { edge, process, scope, key, started: call.attempt_started };
            if let Some(oldest) = self.late.expect(handle, call.sent, entry) {
                core.tell(Fact::Forgotten(oldest.edge));
            }
        }
    }

    /// A reply to an attempt has come for which nobody waits: a breaker may hear it.
    pub(in crate::system) fn hear_late(
        &mut self,
        core: &mut Core<'_>,
        (call, attempt): (Handle, u32),
        edge: EdgeId,
        outcome: Outcome,
    ) {
        let Some(late) = self.late.take(call, attempt) else { return };
        let edge = core.program().edge(edge);
        let policy = &core.program().policies[edge.policy as usize].1;
        let work = key_of(late.key, u64::from(attempt));
        let draw = core.draw(Purpose::Policy, edge.id, work, 2);
        let state = self.policies.state(late.scope as usize);
        policy.late(state, outcome, core.now().since(late.started), core.now(), draw);
        self.wake_waiters(core, late.scope as usize);
    }

    /// A process has died: the replies that it would have heard late are for nobody.
    pub(super) fn lose_late_replies(&mut self, program: &Program, node: NodeId, process: u32) {
        let edges = &program.edges;
        let caller = |late: &TimedOut| (edges[late.edge.0 as usize].caller, late.process);
        self.late.retain(|late| caller(late) != (node, process));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::slab::Slab;

    fn late(process: u32) -> TimedOut {
        let (edge, started) = (EdgeId(0), Time::ZERO);
        TimedOut { edge, process, scope: 0, key: 0, started }
    }

    /// Slots of calls are used again, so the lowest handle can be the newest.
    #[test]
    fn beyond_the_limit_the_oldest_is_forgotten() {
        let mut slab = Slab::default();
        let calls: Vec<Handle> = (0..=TIMED_OUT_MAX).map(|_| slab.insert(())).collect();
        let mut replies = LateReplies::default();
        for (number, &call) in calls.iter().rev().enumerate() {
            let forgotten = replies.expect(call, 1, late(number as u32));
            assert_eq!(forgotten.map(|late| late.process), (number == TIMED_OUT_MAX).then_some(0));
        }
        assert!(replies.take(calls[0], 1).is_some(), "the newest");
        assert!(replies.take(calls[TIMED_OUT_MAX], 1).is_none(), "the oldest");
        assert_eq!(replies.expected.len(), replies.by_number.len());
    }

    #[test]
    fn nobody_hears_what_came_too_late_for_a_dead_process() {
        let mut slab = Slab::default();
        let [one, other] = [slab.insert(()), slab.insert(())];
        let mut replies = LateReplies::default();
        assert!(replies.expect(one, 1, late(0)).is_none());
        assert!(replies.expect(other, 1, late(1)).is_none());
        replies.retain(|late| late.process != 0);
        assert!(replies.take(one, 1).is_none() && replies.by_number.len() == 1);
        assert!(replies.take(other, 1).is_some() && replies.by_number.is_empty());
    }
}
