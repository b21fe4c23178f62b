//! The connections of a process to a target: how many attempts go over one at once, which one an
//! attempt takes, and when one is closed.
//!
//! How many attempts may be under way, and who waits, is the business of the bulkhead around the
//! attempt: it has room for as many as the connections have together. So whoever was let in finds
//! a connection or may open one.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bulkhead::{Around, Bulkhead};
use super::outcome::Outcome;
use crate::kernel::quantity::{AsCount, Lasting, OneOrMore, Whole};
use crate::kernel::time::{Span, Time};

/// The most round trips that are drawn for one connection.
const ROUND_TRIPS_MAX: u32 = 10;

/// The rule of the connections to one target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Connections {
    /// How many connections there may be, or `"unlimited"`, the default.
    #[serde(with = "OneOrMore")]
    pub limit: u32,
    /// How many attempts go over one at once: 1, as HTTP/1.1, by default; of HTTP/2 what the server
    /// allows.
    #[serde(with = "OneOrMore")]
    pub streams: u32,
    /// How many attempts may wait for a connection; `"unlimited"` by default.
    #[serde(with = "AsCount")]
    pub queue: u32,
    /// How long one may wait; as long as the call may take by default.
    #[serde(skip_serializing_if = "Option::is_none", with = "Lasting")]
    pub acquire_timeout: Option<Span>,
    /// How many round trips of the link it takes to open one: 2 by default, TCP and TLS 1.3; 1
    /// without TLS, 3 with TLS 1.2.
    #[serde(with = "Whole::<0, ROUND_TRIPS_MAX>")]
    pub round_trips: u32,
    /// How long a worker of the target works on a new one before the first request over it; 0s by
    /// default.
    pub accept: Span,
    /// How long one stays open without an attempt; for ever by default.
    #[serde(skip_serializing_if = "Option::is_none", with = "Lasting")]
    pub idle_timeout: Option<Span>,
    /// How many stay open without an attempt, or `"unlimited"`, the default.
    #[serde(with = "AsCount")]
    pub max_idle: u32,
    /// After how long it takes no further attempt; never by default.
    #[serde(skip_serializing_if = "Option::is_none", with = "Lasting")]
    pub max_age: Option<Span>,
}

impl Default for Connections {
    fn default() -> Connections {
        Connections {
            limit: u32::MAX,
            streams: 1,
            queue: u32::MAX,
            acquire_timeout: None,
            round_trips: 2,
            accept: Span::ZERO,
            idle_timeout: None,
            max_idle: u32::MAX,
            max_age: None,
        }
    }
}

/// The connections that are open.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConnectionsState {
    open: Vec<Connection>,
    /// How many have been opened.
    opened: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Connection {
    id: u32,
    /// Attempts that are under way over it.
    streams: u32,
    opened: Time,
    /// When it was taken or given back last.
    used: Time,
    /// The instance of the target that it leads to, once an attempt has come there.
    instance: Option<u32>,
}

/// The connection of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ride {
    /// Which one, of its state.
    pub connection: u32,
    /// Whether it was opened for this attempt.
    pub is_new: bool,
}

impl Connections {
    /// The bulkhead around each attempt that lets in as many as there is room for.
    #[must_use]
    pub fn bulkhead(&self) -> Bulkhead {
        let limit = self.limit.saturating_mul(self.streams);
        Bulkhead {
            limit,
            queue: self.queue,
            max_wait: self.acquire_timeout,
            around: Around::Attempt,
        }
    }

    /// Takes the connection for an attempt that was used last and has room (Go `net/http`,
    /// `transport.go`: the most recently used first), or opens one.
    pub fn take(&self, state: &mut ConnectionsState, now: Time) -> Ride {
        let is_old = |it: &Connection| self.max_age.is_some_and(|age| now >= it.opened + age);
        let is_idle = |it: &Connection| self.idle_timeout.is_some_and(|idle| now >= it.used + idle);
        state.open.retain(|it| !is_old(it) && (it.streams > 0 || !is_idle(it)));
        let free = state.open.iter_mut().filter(|it| it.streams < self.streams);
        if let Some(connection) = free.max_by_key(|it| (it.used, it.id)) {
            connection.streams += 1;
            connection.used = now;
            return Ride { connection: connection.id, is_new: false };
        }
        let id = state.opened;
        state.opened += 1;
        state.open.push(Connection { id, streams: 1, opened: now, used: now, instance: None });
        Ride { connection: id, is_new: true }
    }

    /// An attempt has left its connection, with an outcome or unheard. That of HTTP/1.1 cannot be
    /// used again as long as an answer may come; a stream of HTTP/2 is reset by itself.
    pub fn give_back(
        &self,
        state: &mut ConnectionsState,
        ride: Ride,
        heard: Option<(Outcome, Time)>,
    ) {
        let Some(place) = state.open.iter().position(|it| it.id == ride.connection) else { return };
        let connection = &mut state.open[place];
        connection.streams -= 1;
        let is_whole = match heard {
            None => self.streams > 1,
            Some((Outcome::NotConnected | Outcome::ResetBeforeRequest | Outcome::Reset, _)) => {
                false
            }
            Some((outcome, now)) => {
                connection.used = now;
                self.streams > 1 || !outcome.is_silence()
            }
        };
        let idle = state.open.iter().filter(|it| it.streams == 0).count();
        let is_spare = state.open[place].streams == 0 && idle > self.max_idle as usize;
        if !is_whole || is_spare {
            state.open.remove(place);
        }
    }
}

impl ConnectionsState {
    /// The instance that a connection leads to, if it is open and known to lead anywhere.
    #[must_use]
    pub fn instance(&self, connection: u32) -> Option<u32> {
        self.open.iter().find(|it| it.id == connection)?.instance
    }

    /// An attempt over a connection has come to this instance.
    pub fn lead_to(&mut self, connection: u32, instance: u32) {
        if let Some(it) = self.open.iter_mut().find(|it| it.id == connection) {
            it.instance.get_or_insert(instance);
        }
    }

    /// The connections to an instance, or to all, break.
    pub fn break_to(&mut self, instance: Option<u32>) {
        self.open.retain(|it| instance.is_some() && it.instance != instance);
    }

    /// How many are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// How many attempts are under way over those that are open.
    #[must_use]
    pub fn streams(&self) -> u32 {
        self.open.iter().map(|it| it.streams).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HTTP1: Connections = Connections {
        limit: 3,
        streams: 1,
        queue: u32::MAX,
        acquire_timeout: None,
        round_trips: 1,
        accept: Span::ZERO,
        idle_timeout: Some(Span(10)),
        max_idle: 2,
        max_age: Some(Span(100)),
    };

    #[test]
    fn an_attempt_takes_the_connection_that_was_used_last() {
        let mut state = ConnectionsState::default();
        let rides = [0, 1, 2].map(|at| HTTP1.take(&mut state, Time(at)));
        assert_eq!(rides.map(|ride| ride.is_new), [true; 3]);
        for (ride, at) in rides.into_iter().zip([5, 4, 3]) {
            HTTP1.give_back(&mut state, ride, Some((Outcome::Ok, Time(at))));
        }
        assert_eq!(state.open(), 2, "a third one is not kept");
        assert_eq!(HTTP1.take(&mut state, Time(6)), Ride { connection: 0, is_new: false });
        assert!(HTTP1.take(&mut state, Time(14)).is_new, "the other one was idle for too long");
        assert!(HTTP1.take(&mut state, Time(101)).is_new, "both are in use, and one is too old");
    }

    #[test]
    fn a_connection_is_lost_where_an_answer_may_still_come() {
        let http2 = Connections { streams: 2, ..HTTP1 };
        let lost = |rule: Connections, heard: Option<Outcome>| {
            let mut state = ConnectionsState::default();
            let ride = rule.take(&mut state, Time(0));
            rule.give_back(&mut state, ride, heard.map(|outcome| (outcome, Time(1))));
            state.open() == 0
        };
        for outcome in [Outcome::TimedOut, Outcome::Deadline] {
            assert!(lost(HTTP1, Some(outcome)) && !lost(http2, Some(outcome)));
        }
        assert!(lost(HTTP1, None) && !lost(http2, None));
        for rule in [HTTP1, http2] {
            assert!(lost(rule, Some(Outcome::Reset)) && lost(rule, Some(Outcome::NotConnected)));
            assert!(!lost(rule, Some(Outcome::Rejected)) && !lost(rule, Some(Outcome::Ok)));
        }
    }

    #[test]
    fn streams_share_a_connection_which_leads_to_one_instance() {
        let rule = Connections { streams: 2, ..HTTP1 };
        let mut state = ConnectionsState::default();
        let rides = [0; 3].map(|at| rule.take(&mut state, Time(at)));
        assert_eq!(rides.map(|ride| ride.connection), [0, 0, 1]);
        state.lead_to(0, 7);
        state.lead_to(0, 8);
        assert_eq!((state.instance(0), state.instance(1)), (Some(7), None));
        state.break_to(Some(7));
        assert_eq!((state.open(), state.streams()), (1, 1));
        rule.give_back(&mut state, rides[0], Some((Outcome::Ok, Time(1))));
        assert_eq!(state.streams(), 1, "what was broken is not given back");
        state.break_to(None);
        assert_eq!(state.open(), 0);
    }
}
