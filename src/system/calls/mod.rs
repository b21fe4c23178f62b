//! Open calls, and what their policies remember: states, who waits for them, which instances are
//! ejected, which connections are open, which copies run.

mod attempts;
mod call;
mod connections;
mod ejection;
mod hedge;
mod late;
mod open;
pub(super) mod policies;
mod waiters;

use super::core::Core;
use super::event::DetectorId;
use crate::kernel::draw::Draws;
use crate::kernel::slab::{Handle, Slab};
use crate::model::program::{Edge, NodeId, Program, StateOf};
use crate::policy::State;

pub(super) use attempts::Turn;
pub(super) use call::Call;
pub(super) use connections::{Connection, connecting};
pub(super) use ejection::Detectors;
pub(super) use hedge::{CopyStep, NextCopy};
use policies::Policies;
pub(super) use policies::{Decision, Ended};

/// Every call that has not come to its end, and the states of the policies around them.
#[derive(Clone, Debug)]
pub(super) struct Calls {
    open: open::OpenCalls,
    policies: Policies,
    detectors: Detectors,
    /// Copies of running attempts, of the calls whose policy hedges.
    hedges: Slab<hedge::Hedged>,
    /// Attempts that timed out, of which a breaker may still hear.
    late: late::LateReplies,
}

impl Calls {
    /// No call, and policies that remember nothing.
    pub(super) fn new(program: &Program, draws: &mut Draws) -> Calls {
        Calls {
            open: open::OpenCalls::default(),
            policies: Policies::new(program),
            detectors: Detectors::new(program, draws),
            hedges: Slab::default(),
            late: late::LateReplies::default(),
        }
    }

    /// The state that a call of this instance shares with others, or a new one of its own.
    pub(super) fn scope(&mut self, program: &Program, edge: &Edge, instance: u32) -> u32 {
        match edge.state_of {
            StateOf::Process => edge.scope + instance,
            StateOf::Everybody => edge.scope,
            StateOf::Call => self.policies.for_a_call(program, edge.policy),
        }
    }

    /// A call begins.
    pub(super) fn open(&mut self, core: &mut Core<'_>, call: Call) -> Handle {
        core.ledger_mut().calls.enter();
        self.open.open(call)
    }

    /// A call that may have ended.
    #[inline]
    pub(super) fn get(&self, handle: Handle) -> Option<&Call> {
        self.open.get(handle)
    }

    /// The same, to change it.
    #[inline]
    pub(super) fn get_mut(&mut self, handle: Handle) -> Option<&mut Call> {
        self.open.get_mut(handle)
    }

    /// A call that is open.
    ///
    /// # Panics
    /// If it has ended.
    #[inline]
    #[track_caller]
    pub(super) fn at(&self, handle: Handle) -> &Call {
        self.open.at(handle)
    }

    /// The same, to change it.
    ///
    /// # Panics
    /// If it has ended.
    #[inline]
    #[track_caller]
    pub(super) fn at_mut(&mut self, handle: Handle) -> &mut Call {
        self.open.at_mut(handle)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Handle, &Call)> {
        self.open.iter()
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// Takes a call out that its policy knows has ended, with what it had of its own.
    ///
    /// # Panics
    /// If it has ended before.
    pub(super) fn close(&mut self, core: &mut Core<'_>, handle: Handle, ended: Ended) -> Call {
        let mut call = self.open.close(handle, ended);
        debug_assert_eq!(call.hedged, Handle::NONE, "its copies were given up");
        core.ledger_mut().calls.leave();
        if let Some(timer) = call.timer.take() {
            core.cancel(timer);
        }
        let scope = call.scope as usize;
        if self.policies.wait_no_more(scope, handle) {
            self.wake_waiters(core, scope);
        }
        if core.program().edge(call.edge).state_of == StateOf::Call {
            self.policies.leave(call.scope);
        }
        call
    }

    /// A process dies, and with it what its policies remember. A state that all share is kept
    /// elsewhere; that of a call went with it.
    pub(super) fn forget(&mut self, core: &mut Core<'_>, node: NodeId, process: u32) {
        let program = core.program();
        let is_own = |edge: &&Edge| edge.caller == node && edge.state_of == StateOf::Process;
        for edge in program.edges.iter().filter(is_own) {
            self.policies.forget(program, (edge.scope + process) as usize, edge.policy);
        }
        self.detectors.forget(core, node, process);
        self.lose_late_replies(program, node, process);
    }

    /// A process lets instances come back that it had ejected.
    pub(super) fn sweep(&mut self, core: &mut Core<'_>, id: DetectorId) {
        self.detectors.sweep(core, id);
    }

    /// What policies remember, to be looked at.
    pub(super) fn policies(&self) -> &Policies {
        &self.policies
    }

    /// The state of a policy, to be looked at.
    pub(super) fn state_of(&self, scope: usize) -> &State {
        self.policies.state_of(scope)
    }
}
