//! What the policies of a run remember, and who decides: the machines of the language, or a policy
//! of the user's own.

use super::waiters::Waiters;
use crate::kernel::draw::Draw;
use crate::kernel::slab::Handle;
use crate::kernel::time::{Span, Time};
use crate::model::program::Program;
use crate::policy::custom::{Custom, CustomState, Moment};
use crate::policy::{Admission, AfterAttempt, Denial, Outcome, Policy, Progress, Response, State};

/// The word of a policy that a call has ended and holds nothing of its state any more. Whoever ends
/// a call needs it, and only [`Policies`] gives it: by a last verdict, or when the call is
/// abandoned.
#[must_use = "a call that holds nothing any more is to be closed"]
#[derive(Debug)]
pub(in crate::system) struct Ended(());

/// What a call does next.
#[derive(Debug)]
pub(in crate::system) enum Decision {
    /// It ends.
    End {
        /// Whether it succeeded.
        done: bool,
        ended: Ended,
    },
    /// It asks for admission again after this long.
    Retry { after: Span },
}

impl Decision {
    fn of(verdict: AfterAttempt) -> Decision {
        match verdict {
            AfterAttempt::Done => Decision::End { done: true, ended: Ended(()) },
            AfterAttempt::Retry { after } => Decision::Retry { after },
            AfterAttempt::GiveUp(_) => Decision::End { done: false, ended: Ended(()) },
        }
    }
}

/// The states of all scopes.
#[derive(Debug)]
pub(in crate::system) struct Policies {
    states: Vec<State>,
    /// Those of policies of the user's own, at the same places; empty if there is no such policy.
    own: Vec<Option<Box<dyn CustomState>>>,
    /// Calls that wait until a call of the same state is settled.
    waiting: Vec<Waiters>,
    /// Places that a call had for itself and has left.
    free: Vec<u32>,
}

impl Clone for Policies {
    /// # Panics
    /// With a policy of the user's own, which says nothing of how it is copied.
    fn clone(&self) -> Policies {
        assert!(self.own.is_empty(), "a policy of the user's own cannot be copied");
        let Policies { states, own: _, waiting, free } = self;
        let (states, waiting, free) = (states.clone(), waiting.clone(), free.clone());
        Policies { states, own: Vec::new(), waiting, free }
    }
}

impl Policies {
    /// Fresh states for every scope of a program.
    pub(super) fn new(program: &Program) -> Policies {
        let states = program.scopes.iter().map(|&policy| state(program, policy)).collect();
        let own = match program.own_policies.is_empty() {
            true => Vec::new(),
            false => program.scopes.iter().map(|&policy| own_state(program, policy)).collect(),
        };
        let waiting = vec![Waiters::default(); program.scopes.len()];
        Policies { states, own, waiting, free: Vec::new() }
    }

    /// The state of the machines of the language.
    pub(super) fn state(&mut self, scope: usize) -> &mut State {
        &mut self.states[scope]
    }

    /// Whether a policy of the user's own decides here.
    #[inline]
    pub(in crate::system) fn is_own(&self, scope: usize) -> bool {
        matches!(self.own.get(scope), Some(Some(_)))
    }

    /// A place with a fresh state that one call has for itself.
    pub(super) fn for_a_call(&mut self, program: &Program, policy: u16) -> u32 {
        if let Some(place) = self.free.pop() {
            self.forget(program, place as usize, policy);
            return place;
        }
        self.states.push(state(program, policy));
        if !program.own_policies.is_empty() {
            self.own.push(own_state(program, policy));
        }
        self.waiting.push(Waiters::default());
        (self.states.len() - 1) as u32
    }

    /// A call leaves the place that it had for itself.
    pub(super) fn leave(&mut self, place: u32) {
        self.free.push(place);
    }

    /// Everything that was remembered is gone.
    pub(super) fn forget(&mut self, program: &Program, scope: usize, policy: u16) {
        self.states[scope] = state(program, policy);
        if let Some(own) = self.own.get_mut(scope) {
            *own = own_state(program, policy);
        }
        self.waiting[scope] = Waiters::default();
    }

    /// Lets a call wait until another one of the same state is settled: for room in the bulkhead,
    /// or for anything else.
    pub(super) fn wait(&mut self, scope: usize, call: Handle, is_for_room: bool) {
        self.waiting[scope].wait(call, is_for_room);
    }

    /// Whether no call waits for this state.
    #[inline]
    pub(super) fn keeps_nobody_waiting(&self, scope: usize) -> bool {
        self.waiting[scope].is_empty()
    }

    /// A call waits no more; says whether room was kept for it.
    #[inline]
    pub(super) fn wait_no_more(&mut self, scope: usize, call: Handle) -> bool {
        !self.keeps_nobody_waiting(scope) && self.waiting[scope].wait_no_more(call)
    }

    /// Those that waited and may ask again: as many as the bulkhead has room for, in their order,
    /// and all who wait for anything else.
    pub(super) fn wake(&mut self, program: &Program, scope: usize) -> Vec<Handle> {
        // A state that one call has for itself keeps nobody else waiting.
        let room = program.scopes.get(scope).map_or(usize::MAX, |&policy| {
            program.policies[policy as usize].1.free_room(&self.states[scope])
        });
        self.waiting[scope].wake(room)
    }

    /// See [`Policy::admit`].
    #[inline]
    pub(super) fn admit(
        &mut self,
        scope: usize,
        policy: &Policy,
        progress: &mut Progress,
        now: Time,
        draw: Draw,
    ) -> Admission {
        let Some(Some(own)) = self.own.get_mut(scope) else {
            return policy.admit(&mut self.states[scope], progress, now, draw);
        };
        let before = progress.attempts();
        let admission = own.admit(progress, now, draw);
        if admission == Admission::Go {
            count_once(progress, before);
        }
        admission
    }

    /// See [`Policy::reject`].
    pub(super) fn reject(
        &mut self,
        scope: usize,
        policy: &Policy,
        progress: &mut Progress,
        denial: Denial,
    ) -> Admission {
        match self.is_own(scope) {
            true => Admission::Reject(denial),
            false => policy.reject(&mut self.states[scope], progress, denial),
        }
    }

    /// See [`Policy::denied`].
    pub(super) fn denied(
        &mut self,
        scope: usize,
        policy: &Policy,
        progress: &mut Progress,
        denial: Denial,
        moment: Moment,
    ) -> Decision {
        let Moment { now, call_started, draw, .. } = moment;
        let Some(Some(own)) = self.own.get_mut(scope) else {
            let state = &mut self.states[scope];
            let verdict = policy.denied(state, progress, denial, now, call_started, draw);
            return Decision::of(verdict);
        };
        let before = progress.attempts();
        let verdict = own.denied(progress, denial, moment);
        count_once(progress, before);
        Decision::of(verdict)
    }

    /// See [`Policy::settle`].
    #[inline]
    pub(super) fn settle(
        &mut self,
        scope: usize,
        policy: &Policy,
        progress: &mut Progress,
        moment: Moment,
        response: Response,
    ) -> Decision {
        let Some(Some(own)) = self.own.get_mut(scope) else {
            let Moment { now, attempt_started, call_started, draw } = moment;
            let state = &mut self.states[scope];
            return Decision::of(policy.settle(
                state,
                progress,
                now,
                attempt_started,
                call_started,
                response,
                draw,
            ));
        };
        Decision::of(own.settle(progress, moment, response))
    }

    /// See [`Policy::conclude`]; nothing that hedges has a policy of the user's own.
    pub(super) fn conclude(
        &mut self,
        scope: usize,
        policy: &Policy,
        progress: &mut Progress,
        moment: Moment,
        response: Response,
    ) -> Decision {
        let Moment { now, call_started, draw, .. } = moment;
        let state = &mut self.states[scope];
        Decision::of(policy.conclude(state, progress, now, call_started, response, draw))
    }

    /// See [`Policy::abandon`].
    pub(super) fn abandon(
        &mut self,
        scope: usize,
        policy: &Policy,
        progress: &mut Progress,
    ) -> Ended {
        match self.own.get_mut(scope) {
            Some(Some(own)) => own.abandon(progress),
            _ => policy.abandon(&mut self.states[scope], progress),
        }
        Ended(())
    }

    /// See [`Policy::cut_short`]; what a policy of the user's own knows is that the call is over.
    pub(super) fn cut_short(
        &mut self,
        scope: usize,
        policy: &Policy,
        progress: &mut Progress,
        outcome: Outcome,
        moment: Moment,
    ) -> Ended {
        if self.is_own(scope) {
            return self.abandon(scope, policy, progress);
        }
        let Moment { now, call_started, draw, .. } = moment;
        policy.cut_short(&mut self.states[scope], progress, outcome, now, call_started, draw);
        Ended(())
    }

    /// A call ends that has asked its policy for nothing.
    pub(in crate::system) fn never_asked(&self, progress: &Progress) -> Ended {
        debug_assert_eq!(*progress, Progress::default(), "it has asked for nothing");
        Ended(())
    }

    /// How many scopes there are.
    pub(in crate::system) fn len(&self) -> usize {
        self.states.len()
    }

    /// The same state, to be looked at.
    pub(in crate::system) fn state_of(&self, scope: usize) -> &State {
        &self.states[scope]
    }
}

fn state(program: &Program, policy: u16) -> State {
    program.policies[policy as usize].1.state()
}

fn own_state(program: &Program, policy: u16) -> Option<Box<dyn CustomState>> {
    program.own_policy(policy).map(Custom::state)
}

/// Counts an attempt that its policy has not counted itself: the draws of the next one are named by
/// the number of those before it.
fn count_once(progress: &mut Progress, before: u32) {
    if progress.attempts() == before {
        progress.count_attempt();
    }
}
