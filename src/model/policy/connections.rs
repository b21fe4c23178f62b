//! `connections`: how many a process has to a target, and what they cost.

use super::keys::{Table, at_least, count_text, lasting, table};
use super::{PolicyText, scope};
use crate::kernel::time::Span;
use crate::model::problem::Problem;
use crate::model::quantity::Count;
use crate::policy::bulkhead::{Around, Bulkhead};
use crate::policy::connections::Connections;
use crate::policy::{Policy, Scope};

table! {
    /// `connections = { … }`: attempts go over connections of the process to the target.
    pub struct ConnectionsText {
        /// How many connections there may be, or `"unlimited"`, the default.
        pub limit: Count,
        /// How many attempts go over one at once: 1, as HTTP/1.1, by default; of HTTP/2 what the
        /// server allows.
        pub streams: Count,
        /// How many attempts may wait for a connection; `"unlimited"` by default.
        pub queue: Count,
        /// How long one may wait; as long as the call may take by default.
        pub max_wait: Span,
        /// How many round trips of the link it takes to open one: 2 by default, TCP and TLS 1.3;
        /// 1 without TLS, 3 with TLS 1.2.
        pub round_trips: u32,
        /// How long a worker of the target works on a new one before the first request over it; 0s
        /// by default.
        pub accept: Span,
        /// How long one stays open without an attempt; for ever by default.
        pub idle_timeout: Span,
        /// How many stay open without an attempt, or `"unlimited"`, the default.
        pub max_idle: Count,
        /// After how long it takes no further attempt; never by default.
        pub max_age: Span,
    }
}

/// The most round trips that are drawn for one connection.
const ROUND_TRIPS_MAX: u32 = 10;

/// Compiles the connections that a text has, with the bulkhead that lets as many attempts in as
/// they have room for.
pub(super) fn compile_into(text: &PolicyText, policy: &mut Policy) -> Result<(), Problem> {
    let Some(own) = &text.connections else {
        return match (&text.bulkhead, policy.connections) {
            (Some(_), Some(_)) => Err(twice().inside("bulkhead")),
            _ => Ok(()),
        };
    };
    let base = text_of(policy);
    if policy.bulkhead.is_some() && base.is_none() || text.bulkhead.is_some() {
        return Err(twice().inside("connections"));
    }
    if scope(text) != Scope::ProcessAndTarget {
        return Err(Problem::new("connections are those of one process to one target")
            .expected("the scope \"target\"")
            .inside("connections"));
    }
    let keys = own.clone().over(base.unwrap_or_default());
    let (rule, bulkhead) = compile(&keys).map_err(|problem| problem.inside("connections"))?;
    (policy.connections, policy.bulkhead) = (Some(rule), Some(bulkhead));
    Ok(())
}

fn twice() -> Problem {
    Problem::new("`connections` limit how many attempts run at once, as a `bulkhead` does")
        .expected("one of them; `without = [\"bulkhead\"]` leaves that of a preset out")
}

fn compile(keys: &ConnectionsText) -> Result<(Connections, Bulkhead), Problem> {
    let limit = |count: Option<Count>| count.map_or(u32::MAX, Count::limit);
    let maybe = |key: &'static str, span: Option<Span>| match span {
        None => Ok(None),
        span => lasting(key, span).map(Some),
    };
    let rule = Connections {
        limit: at_least("limit", Some(limit(keys.limit)), 1)?,
        streams: at_least("streams", Some(keys.streams.map_or(1, Count::limit)), 1)?,
        round_trips: keys.round_trips.unwrap_or(2),
        accept: keys.accept.unwrap_or(Span::ZERO),
        idle_timeout: maybe("idle_timeout", keys.idle_timeout)?,
        max_idle: limit(keys.max_idle),
        max_age: maybe("max_age", keys.max_age)?,
    };
    if rule.round_trips > ROUND_TRIPS_MAX {
        return Err(Problem::new(format!("{} round trips are too many", rule.round_trips))
            .expected(format!("from 0 to {ROUND_TRIPS_MAX}"))
            .inside("round_trips"));
    }
    let (queue, max_wait) = (limit(keys.queue), maybe("max_wait", keys.max_wait)?);
    let bulkhead = Bulkhead { limit: rule.room(), queue, max_wait, around: Around::Attempt };
    Ok((rule, bulkhead))
}

/// The text that means the connections of a policy, if it has any.
pub(super) fn text_of(policy: &Policy) -> Option<ConnectionsText> {
    let (rule, bulkhead) = (policy.connections?, policy.bulkhead?);
    Some(ConnectionsText {
        limit: Some(count_text(rule.limit)),
        streams: Some(count_text(rule.streams)),
        queue: Some(count_text(bulkhead.queue)),
        max_wait: bulkhead.max_wait,
        round_trips: Some(rule.round_trips),
        accept: Some(rule.accept),
        idle_timeout: rule.idle_timeout,
        max_idle: Some(count_text(rule.max_idle)),
        max_age: rule.max_age,
    })
}
