//! Whether an instance is up, down or paused, and until when.

use crate::kernel::time::{Span, Time};

/// What is known of one instance: of a service, of a node of another kind, or of a client process.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::system) struct Life {
    /// When it went down last.
    down_since: Time,
    /// Until when it is down.
    down_until: Time,
    /// Until when it stands still.
    paused_until: Time,
    /// Whether nothing answers for it while it is down, not even its host.
    unreachable: bool,
    /// Whether its restart is still to come.
    restarts: bool,
    /// How many times it has died: what was meant for an earlier process reaches nobody.
    deaths: u32,
}

impl Life {
    /// Takes it down until a time; says whether it was up.
    pub(super) fn stop(&mut self, now: Time, until: Time, unreachable: bool) -> bool {
        let was_up = !self.is_down(now);
        if was_up {
            (self.down_since, self.unreachable) = (now, false);
            self.deaths += 1;
        }
        self.unreachable |= unreachable;
        self.down_until = self.down_until.max(until);
        self.paused_until = self.paused_until.min(now);
        self.restarts = true;
        was_up
    }

    /// Lets it stand still until a time; returns by how much longer than it would have anyway.
    pub(super) fn pause(&mut self, now: Time, until: Time) -> Span {
        let before = self.paused_until.max(now);
        self.paused_until = self.paused_until.max(until);
        until.since(before)
    }

    /// Whether it was down, is up now and has not been told yet; says so once.
    pub(super) fn restarts(&mut self, now: Time) -> bool {
        !self.is_down(now) && std::mem::take(&mut self.restarts)
    }

    pub(in crate::system) fn is_down(&self, now: Time) -> bool {
        now < self.down_until
    }

    /// Whether a request that arrives now is not even refused.
    pub(in crate::system) fn is_silent(&self) -> bool {
        self.unreachable
    }

    /// When it went down last.
    pub(in crate::system) fn down_since(&self) -> Time {
        self.down_since
    }

    /// How many times it has died.
    pub(in crate::system) fn deaths(&self) -> u32 {
        self.deaths
    }

    /// Whether a balancer that needs so long to find out knows that it is down.
    pub(in crate::system) fn is_known_down(&self, now: Time, detection: Span) -> bool {
        self.is_down(now) && now >= self.down_since + detection
    }

    /// Until when it stands still, if it does.
    pub(in crate::system) fn paused(&self, now: Time) -> Option<Time> {
        (now < self.paused_until).then_some(self.paused_until)
    }

    /// Until when it is down or stands still, if it does.
    pub(in crate::system) fn stopped(&self, now: Time) -> Option<Time> {
        let until = self.paused_until.max(self.down_until);
        (now < until).then_some(until)
    }
}
