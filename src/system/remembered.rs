//! What policies remember, for those who look at it and change nothing.

use super::calls::policies::Policies;
use crate::kernel::time::Time;
use crate::model::program::{Edge, EdgeId, Program, StateOf};
use crate::policy::State;
use crate::policy::breaker::Mode;

/// What the policies of a run remember at one time.
#[derive(Debug)]
pub struct Remembered<'a> {
    pub(super) program: &'a Program,
    pub(super) policies: &'a Policies,
    pub(super) now: Time,
}

/// How many circuit breakers do not let everything pass, of those of the processes that call at one
/// edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Breakers {
    /// Nothing passes.
    pub open: u32,
    /// Probes pass.
    pub half_open: u32,
}

impl Remembered<'_> {
    /// The breakers of an edge; `None` where its policy has none that outlives a call, or is one of
    /// the user's own.
    #[must_use]
    pub fn breakers(&self, edge: EdgeId) -> Option<Breakers> {
        let edge = self.program.edge(edge);
        let rule = self.program.policies[edge.policy as usize].1.breaker.as_ref()?;
        let mut count = Breakers::default();
        for state in self.states(edge)? {
            match rule.mode_at(state.breaker.as_ref()?, self.now) {
                Mode::Closed => {}
                Mode::Open => count.open += 1,
                Mode::HalfOpen => count.half_open += 1,
            }
        }
        Some(count)
    }

    /// The tokens in the retry budgets of an edge as of their last calls, the mean over processes;
    /// `None` where its policy has no budget of tokens that outlives a call, or is one of the
    /// user's own.
    #[must_use]
    pub fn tokens(&self, edge: EdgeId) -> Option<f64> {
        let edge = self.program.edge(edge);
        let rule = self.program.policies[edge.policy as usize].1.budget.as_ref()?;
        let (mut sum, mut processes) = (0.0, 0.0);
        for state in self.states(edge)? {
            sum += rule.tokens(state.budget.as_ref()?)?;
            processes += 1.0;
        }
        Some(sum / processes)
    }

    /// The states of the processes that call here.
    fn states(&self, edge: &Edge) -> Option<impl Iterator<Item = &State>> {
        let processes = match edge.state_of {
            StateOf::Process => self.program.node(edge.caller).station.instances,
            StateOf::Everybody => 1,
            StateOf::Call => return None,
        };
        let scopes = edge.scope as usize..(edge.scope + processes) as usize;
        let is_own = self.policies.is_own(edge.scope as usize);
        (!is_own).then(|| scopes.map(|scope| self.policies.state_of(scope)))
    }
}
