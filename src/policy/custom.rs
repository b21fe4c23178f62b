//! A policy of the user's own.
//!
//! [`Custom`] is the configuration, [`CustomState`] what it remembers for one scope; both have the
//! shape of [`Policy`] and its state, which implement them too. `Campaign::replace_policy` lets one
//! decide in an arm of an experiment; `examples/custom_policy.rs` has a whole one.

use super::{Admission, AfterAttempt, Denial, GiveUp, Policy, Progress, Response, State};
use crate::kernel::draw::Draw;
use crate::kernel::time::{Span, Time};
use std::fmt::Debug;

/// The configuration of a policy.
pub trait Custom: Debug + Send + Sync {
    /// A fresh state for one scope. Allocate here, not in the decisions.
    fn state(&self) -> Box<dyn CustomState>;

    /// How long one attempt may take; unless stated, as long as under the policy that it replaces.
    fn attempt_timeout(&self) -> Option<Span> {
        None
    }

    /// How long a whole call may take, but never longer than under the policy that it replaces.
    fn deadline(&self) -> Option<Span> {
        None
    }
}

/// When something happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Now.
    pub now: Time,
    /// When the attempt started.
    pub attempt_started: Time,
    /// When the call started.
    pub call_started: Time,
    /// The randomness of this decision. Equal moments of equal runs have equal draws.
    pub draw: Draw,
}

/// What a policy remembers across the calls of one scope, and its decisions.
///
/// [`Progress::attempts`] says how many attempts were admitted or denied before; a run counts them.
/// [`Progress::own`] is for whatever else a policy remembers of one call.
pub trait CustomState: Debug + Send {
    /// Asks whether the next attempt of a call may start now.
    fn admit(&mut self, progress: &mut Progress, now: Time, draw: Draw) -> Admission;

    /// Tells what an admitted attempt came back with, and asks what to do.
    fn settle(
        &mut self,
        progress: &mut Progress,
        moment: Moment,
        response: Response,
    ) -> AfterAttempt;

    /// Asks what to do after a rejected admission; gives up unless stated.
    fn denied(
        &mut self,
        _progress: &mut Progress,
        denial: Denial,
        _moment: Moment,
    ) -> AfterAttempt {
        AfterAttempt::GiveUp(GiveUp::Denied(denial))
    }

    /// The call ends without a verdict; does nothing unless stated.
    fn abandon(&mut self, _progress: &mut Progress) {}
}

/// A built-in policy with its state, behind the trait.
#[derive(Debug)]
struct BuiltIn {
    policy: Policy,
    state: State,
}

impl Custom for Policy {
    fn state(&self) -> Box<dyn CustomState> {
        Box::new(BuiltIn { policy: *self, state: Policy::state(self) })
    }

    fn attempt_timeout(&self) -> Option<Span> {
        self.attempt_timeout
    }

    fn deadline(&self) -> Option<Span> {
        self.deadline
    }
}

impl CustomState for BuiltIn {
    fn admit(&mut self, progress: &mut Progress, now: Time, draw: Draw) -> Admission {
        self.policy.admit(&mut self.state, progress, now, draw)
    }

    fn settle(
        &mut self,
        progress: &mut Progress,
        moment: Moment,
        response: Response,
    ) -> AfterAttempt {
        let Moment { now, attempt_started, call_started, draw } = moment;
        let state = &mut self.state;
        self.policy.settle(state, progress, now, attempt_started, call_started, response, draw)
    }

    fn denied(&mut self, progress: &mut Progress, denial: Denial, moment: Moment) -> AfterAttempt {
        let Moment { now, call_started, draw, .. } = moment;
        self.policy.denied(&mut self.state, progress, denial, now, call_started, draw)
    }

    fn abandon(&mut self, progress: &mut Progress) {
        self.policy.abandon(&mut self.state, progress);
    }
}
