//! The moments of an incident: when the first user was hit, when a probe showed it, and when that
//! was an alarm.

use serde::{Deserialize, Serialize};

use crate::kernel::time::{Span, Time};
use crate::model::program::OperationId;
use crate::policy::Outcome;
use crate::system::Observer;
use crate::system::fact::{Fact, Request};

/// Whose requests are hit, and which ones are a sign of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IncidentRule {
    /// Users are hit whose requests for this operation are bad.
    pub hit: OperationId,
    /// Requests for this operation are a sign when they are bad; `None` for no sign.
    pub sign: Option<OperationId>,
    /// A request is bad that is not answered `ok` within this time; `None` for any time.
    pub within: Option<Span>,
    /// So many bad signs in a row are an alarm.
    pub in_a_row: u32,
}

/// The moments of one incident, from the beginning of the first fault on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Incident {
    /// When the first fault began.
    pub began: Time,
    /// When the last fault was over.
    pub healed: Time,
    /// When the first request of a user was seen to be bad.
    pub first_hit: Option<Time>,
    /// When the last one was.
    pub last_hit: Option<Time>,
    /// When the first sign was bad.
    pub first_sign: Option<Time>,
    /// When so many in a row were.
    pub alarm: Option<Time>,
    /// Requests of users that were bad.
    pub hits: u64,
    /// Those of them that were seen to be before the alarm; all of them if there was none.
    pub hits_before_alarm: u64,
}

/// The observer that notes the moments of an [`Incident`].
#[derive(Clone, Debug)]
pub struct IncidentWatch {
    rule: IncidentRule,
    acts: (Time, Time),
    /// When each request of a user was seen to be bad.
    hits: Vec<Time>,
    /// When each sign was seen to be good or bad.
    signs: Vec<(Time, bool)>,
}

impl IncidentWatch {
    /// A watch from the beginning of the first fault on; the last one is over at the second time.
    #[must_use]
    pub fn new(rule: IncidentRule, acts: (Time, Time)) -> IncidentWatch {
        IncidentWatch { rule, acts, hits: Vec::new(), signs: Vec::new() }
    }

    /// What was seen.
    #[must_use]
    pub fn finish(mut self) -> Incident {
        self.hits.sort_unstable();
        self.signs.sort_unstable();
        let mut row = 0;
        let is_alarm = |&&(_, is_bad): &&(Time, bool)| {
            row = if is_bad { row + 1 } else { 0 };
            row >= self.rule.in_a_row
        };
        let alarm = self.signs.iter().find(is_alarm).map(|(at, _)| *at);
        let before = |at: &&Time| alarm.is_none_or(|alarm| **at < alarm);
        Incident {
            began: self.acts.0,
            healed: self.acts.1,
            first_hit: self.hits.first().copied(),
            last_hit: self.hits.last().copied(),
            first_sign: self.signs.iter().find(|(_, is_bad)| *is_bad).map(|(at, _)| *at),
            alarm,
            hits: self.hits.len() as u64,
            hits_before_alarm: self.hits.iter().filter(before).count() as u64,
        }
    }

    /// A request was answered now, or is without an answer at the end; `is_ok` says how.
    fn note(&mut self, now: Time, request: Request, is_ok: bool) {
        let due = self.rule.within.map(|within| request.started + within);
        // Who waits for longer than that sees it then, and not when the answer comes.
        let (at, is_bad) = match due {
            Some(due) if due < now => (due, true),
            _ => (now, !is_ok),
        };
        if at < self.acts.0 {
            return;
        }
        if Some(request.operation) == self.rule.sign {
            self.signs.push((at, is_bad));
        } else if request.operation == self.rule.hit && is_bad {
            self.hits.push(at);
        }
    }
}

impl Observer for IncidentWatch {
    fn observe(&mut self, now: Time, fact: &Fact) {
        match *fact {
            Fact::Answered { request, outcome, .. } => {
                self.note(now, request, outcome == Outcome::Ok);
            }
            Fact::Unanswered(request) if self.is_overdue(now, request) => {
                self.note(now, request, false);
            }
            _ => {}
        }
    }
}

impl IncidentWatch {
    /// Whether a request without an answer is bad already.
    fn is_overdue(&self, now: Time, request: Request) -> bool {
        self.rule.within.is_some_and(|within| request.started + within <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(operation: u16, started: u64) -> Request {
        Request { operation: OperationId(operation), order: 0, key: 0, started: Time(started) }
    }

    fn answered(operation: u16, started: u64, outcome: Outcome) -> Fact {
        Fact::Answered { request: request(operation, started), outcome, attempts: 1 }
    }

    #[test]
    fn an_alarm_is_so_many_bad_signs_in_a_row_and_hits_before_it_are_counted() {
        let rule = IncidentRule {
            hit: OperationId(0),
            sign: Some(OperationId(1)),
            within: Some(Span(50)),
            in_a_row: 2,
        };
        let mut watch = IncidentWatch::new(rule, (Time(100), Time(500)));
        // Before the fault nothing counts.
        watch.observe(Time(90), &answered(0, 80, Outcome::Failed));
        // Late is seen when the time is up, and not when the answer comes.
        watch.observe(Time(300), &answered(0, 110, Outcome::Ok));
        watch.observe(Time(200), &answered(1, 180, Outcome::Failed));
        watch.observe(Time(220), &answered(1, 210, Outcome::Ok));
        watch.observe(Time(240), &answered(1, 230, Outcome::Failed));
        watch.observe(Time(260), &answered(1, 250, Outcome::Failed));
        watch.observe(Time(310), &answered(0, 300, Outcome::Failed));
        watch.observe(Time(600), &Fact::Unanswered(request(0, 400)));
        watch.observe(Time(600), &Fact::Unanswered(request(0, 590)));
        let found = watch.finish();
        assert_eq!(found.first_hit, Some(Time(160)));
        assert_eq!(found.first_sign, Some(Time(200)));
        assert_eq!(found.alarm, Some(Time(260)));
        assert_eq!((found.hits, found.hits_before_alarm), (3, 1));
        assert_eq!(found.last_hit, Some(Time(450)));
    }
}
