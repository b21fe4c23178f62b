//! When a run has nothing left to do: everybody is answered, and everything that was begun on
//! somebody's behalf is done with.

use crate::system::World;
use crate::system::job::{Job, Origin};
use crate::system::network::Message;

/// Whether a run ends early, and when it is looked at again.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::system) struct Finish {
    /// Whether it ends as soon as nothing is left to do.
    is_wanted: bool,
    /// After how many events. It waits for as many as there were things to look at: looking never
    /// costs more than running.
    look_again: u64,
}

impl<'p> World<'p> {
    /// Lets the run end before its horizon when the last user has arrived, every fault is over and
    /// nothing is left to do: no request, attempt or work is under way, no message waits, no outbox
    /// has an event that is not sent and no replica a transaction to apply. What nodes do of
    /// themselves goes on for ever and does not count: a relay looks for events.
    pub fn end_when_done(&mut self) {
        self.finish.is_wanted = true;
    }

    /// Whether the run is to end now.
    #[inline]
    pub(in crate::system) fn is_finished(&mut self) -> bool {
        self.finish.is_wanted
            && self.cx.core.now() >= self.cx.core.arrivals_end()
            && self.has_nothing_left()
    }

    /// Whether nothing is left to do, if it is time to look.
    #[inline(never)]
    fn has_nothing_left(&mut self) -> bool {
        let events = self.cx.core.events();
        if events < self.finish.look_again
            || self.cx.core.controls().iter().any(|control| control.until > self.cx.core.now())
        {
            return false;
        }
        let is_quiet = self.nobody_is_at_work();
        let waiting = if is_quiet { self.nodes.unfinished(&mut self.cx) } else { 0 };
        let things = self.cx.jobs.len() + self.cx.calls.len() + self.cx.network.len() + waiting;
        self.finish.look_again = events + things as u64;
        is_quiet && waiting == 0
    }

    /// Whether nothing is under way but what relays do for themselves.
    fn nobody_is_at_work(&self) -> bool {
        let is_upkeep = |job: &Job| match job.origin {
            Origin::Call { edge, .. } => self.cx.core.program().is_upkeep_edge(edge),
            _ => self.cx.core.program().is_relay(job.node),
        };
        let is_about_upkeep = |message: &Message| match *message {
            Message::Request { edge, .. } | Message::Reply { edge, .. } => {
                self.cx.core.program().is_upkeep_edge(edge)
            }
            _ => false,
        };
        self.cx.jobs.iter().all(|(_, job)| is_upkeep(job))
            && self
                .cx
                .calls
                .iter()
                .all(|(_, call)| self.cx.core.program().is_upkeep_edge(call.edge))
            && self.cx.network.iter().all(|(_, message)| is_about_upkeep(message))
    }
}
