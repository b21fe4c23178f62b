//! What policies remember at the end of each window: breakers that are open, tokens that are left.

use super::Timeline;
use crate::kernel::time::{Span, Time};
use crate::model::program::{Edge, EdgeId, Program};
use crate::system::remembered::Remembered;

/// The edges whose policies are looked at.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    /// One edge for each policy state that there is.
    edges: Vec<EdgeId>,
    window: Span,
    /// When the next window ends; never if there is nothing to see.
    pub(super) next: Time,
}

impl Watched {
    pub(super) fn new(program: &Program, window: Span) -> Watched {
        let remembers = |edge: &Edge| {
            let policy = &program.policies[edge.policy as usize].1;
            policy.breaker.is_some() || policy.budget.is_some()
        };
        let mut edges: Vec<EdgeId> = Vec::new();
        for (index, edge) in program.edges.iter().enumerate() {
            let is_known = edges.iter().any(|&known| program.edge(known).scope == edge.scope);
            if remembers(edge) && !is_known {
                edges.push(EdgeId(index as u16));
            }
        }
        let next = if edges.is_empty() { Time::NEVER } else { Time::ZERO + window };
        Watched { edges, window, next }
    }

    /// Notes what is remembered at the end of a window.
    pub(super) fn note(&mut self, remembered: &Remembered<'_>, timeline: &mut Timeline) {
        self.next = self.next + self.window;
        for &edge in &self.edges {
            if let Some(breakers) = remembered.breakers(edge) {
                timeline.breakers.entry(edge).or_default().push(breakers);
            }
            if let Some(tokens) = remembered.tokens(edge) {
                timeline.tokens.entry(edge).or_default().push(tokens);
            }
        }
    }
}
