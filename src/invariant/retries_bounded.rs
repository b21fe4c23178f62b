//! I23: retries are bounded: for one call, for one order, and for the whole fleet.
//!
//! The fleet's bound is that of a retry budget: in each window, or in the whole run, no more
//! retries than a share of the first tries, and some in reserve (Beyer et al.: "Site Reliability
//! Engineering", 2016, ch. 21; theory of a token bucket: what it holds at the beginning of a
//! window is the reserve). Copies of a hedged attempt are retries.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::breakable::Breakable;
use super::judge::{Invariant, Judgement, Tally};
use super::known::ByOrder;
use super::names::operation;
use super::promise::{Judged, Promise};
use crate::kernel::time::{Span, Time};
use crate::model::problem::Problem;
use crate::model::program::Program;
use crate::model::quantity::Share;
use crate::system::fact::Fact;
use crate::system::fact::kind::hears;

/// `retries_bounded = { operation = "payment.charge", attempts = 4, ratio = 0.2, per = "10s" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RetriesBoundedText {
    /// The operation that is attempted.
    operation: String,
    /// The most attempts of one call, the first one included.
    attempts: u32,
    /// The most attempts for one order, whoever makes them; any number if it is left out.
    #[serde(default)]
    attempts_per_order: Option<u32>,
    /// The most retries of all callers together, as a share of their first tries; any number if it
    /// is left out.
    #[serde(default)]
    ratio: Option<Share>,
    /// How many retries there may be beyond the ratio in each window: what budgets hold when it
    /// begins.
    #[serde(default)]
    reserve: u32,
    /// How long a window is, the first from the start of the run; the whole run if it is left out.
    #[serde(default)]
    per: Option<Span>,
}

impl Promise for RetriesBoundedText {
    const NAME: &'static str = "retries_bounded";
    const SENTENCE: &'static str = "Retries are bounded.";
    const LABEL: &'static str = "unbounded retries";
    const JUDGED: Judged = Judged::AtOnce;

    type Judge = RetriesBounded;

    fn judge(&self, program: &Program) -> Result<RetriesBounded, Problem> {
        let id =
            operation(&self.operation, program).map_err(|problem| problem.inside("operation"))?;
        if self.per.is_some_and(|per| per.0 == 0) {
            let problem = Problem::new("a window of `per` has no length");
            return Err(problem.expected("more than 0s").inside("per"));
        }
        Ok(RetriesBounded {
            is_watched: program.edges_to(id),
            attempts: self.attempts,
            attempts_per_order: self.attempts_per_order,
            fleet: self.ratio.map(|ratio| Fleet::new(ratio.0, self.reserve, self.per)),
            orders: ByOrder::default(),
            tally: Tally::default(),
        })
    }

    fn breakable(&self, asked: &mut Breakable<'_>) {
        let what = ("step calls", "an operation that is called");
        asked.called("operation", &self.operation, what, |_| true);
    }
}

/// Counts attempts at an operation. Exposure: attempts. Violations: attempts beyond those of one
/// call, orders with too many, and windows with too many retries.
#[derive(Clone, Debug)]
pub(super) struct RetriesBounded {
    /// For each edge, whether it leads to the operation.
    is_watched: Vec<bool>,
    attempts: u32,
    attempts_per_order: Option<u32>,
    fleet: Option<Fleet>,
    orders: ByOrder<u32>,
    tally: Tally,
}

/// What all callers did in one window.
#[derive(Clone, Copy, Debug)]
struct Fleet {
    ratio: f64,
    reserve: u32,
    /// How long a window is; `None` if the run is one.
    per: Option<Span>,
    /// When this one ends.
    until: Time,
    first_tries: u64,
    retries: u64,
    /// Since which attempt there are too many retries; `None` if there are not.
    over_since: Option<Time>,
}

impl Fleet {
    fn new(ratio: f64, reserve: u32, per: Option<Span>) -> Fleet {
        let until = per.map_or(Time::NEVER, |per| Time::ZERO + per);
        let over_since = None;
        Fleet { ratio, reserve, per, until, first_tries: 0, retries: 0, over_since }
    }

    fn count(&mut self, now: Time, attempt: u32) {
        match attempt {
            1 => self.first_tries += 1,
            _ => self.retries += 1,
        }
        let most = self.ratio * self.first_tries as f64 + f64::from(self.reserve);
        self.over_since = match self.retries as f64 > most {
            true => self.over_since.or(Some(now)),
            false => None,
        };
    }

    /// Begins the window in which `now` is.
    fn begin_at(&mut self, now: Time) {
        let Some(per) = self.per else { return };
        let passed = now.since(self.until).0 / per.0 + 1;
        self.until = self.until + Span(passed * per.0);
        (self.first_tries, self.retries, self.over_since) = (0, 0, None);
    }
}

impl RetriesBounded {
    /// Counts an attempt of the fleet; a window that is over is judged first.
    fn count(&mut self, now: Time, attempt: u32) {
        let Some(fleet) = &mut self.fleet else { return };
        if now >= fleet.until {
            if let Some(since) = fleet.over_since {
                self.tally.broken(since, None);
            }
            fleet.begin_at(now);
        }
        fleet.count(now, attempt);
    }
}

hears!(RetriesBounded: Attempted);

impl Invariant for RetriesBounded {
    fn observe(&mut self, now: Time, fact: &Fact) {
        let Attempted { edge, order, attempt, .. } = *fact else { return };
        if !self.is_watched[edge.0 as usize] {
            return;
        }
        self.tally.exposed();
        self.count(now, attempt);
        if attempt > self.attempts {
            self.tally.broken(now, Some(order));
        }
        if let Some(most) = self.attempts_per_order {
            let made = self.orders.of(order);
            *made += 1;
            if *made == most + 1 {
                self.tally.broken(now, Some(order));
            }
        }
    }

    fn tally(&self, _: Judgement) -> Tally {
        let mut tally = self.tally;
        if let Some(since) = self.fleet.and_then(|fleet| fleet.over_since) {
            tally.broken(since, None);
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariant::fixture::*;
    use crate::model::program::EdgeId;
    use crate::system::fact::Asked;

    fn invariant(attempts_per_order: Option<u32>, fleet: Option<Fleet>) -> RetriesBounded {
        let (orders, tally) = (ByOrder::default(), Tally::default());
        let is_watched = vec![false, true];
        RetriesBounded { is_watched, attempts: 3, attempts_per_order, fleet, orders, tally }
    }

    fn attempted(order: u64, attempt: u32) -> Fact {
        Fact::Attempted { edge: EdgeId(1), order, attempt, asked: Asked::BY_NOBODY }
    }

    fn attempts(order: u64, of_call: u32) -> Vec<(u64, Fact)> {
        (1..=of_call).map(|attempt| (1, attempted(order, attempt))).collect()
    }

    #[test]
    fn a_call_with_one_attempt_too_many_breaks_it() {
        let of = |facts: &[(u64, Fact)]| counts(judge(invariant(None, None), facts, 0, 9));
        assert_eq!(of(&attempts(0, 3)), (0, 3));
        assert_eq!(of(&attempts(0, 4)), (1, 4));
        let asked = Asked::BY_NOBODY;
        let elsewhere = Fact::Attempted { edge: EdgeId(0), order: 0, attempt: 9, asked };
        assert_eq!(of(&[(1, elsewhere)]), (0, 0));
    }

    #[test]
    fn nested_retries_break_the_bound_of_an_order_once() {
        let of = |facts: &[(u64, Fact)]| counts(judge(invariant(Some(4), None), facts, 0, 9));
        assert_eq!(of(&[attempts(0, 3), attempts(0, 1)].concat()), (0, 4));
        assert_eq!(of(&[attempts(0, 3), attempts(0, 3)].concat()), (1, 6));
        assert_eq!(of(&[attempts(0, 3), attempts(1, 3)].concat()), (0, 6));
    }

    #[test]
    fn the_fleet_may_retry_a_share_of_its_first_tries_and_its_reserve() {
        let ten: Vec<_> = (0..10).map(|order| (1, attempted(order, 1))).collect();
        let retries = |count| vec![(1, attempted(0, 2)); count];
        let of = |reserve, facts: &[(u64, Fact)]| {
            let fleet = Some(Fleet::new(0.2, reserve, None));
            counts(judge(invariant(None, fleet), facts, 0, 9)).0
        };
        assert_eq!(of(0, &[ten.clone(), retries(2)].concat()), 0);
        assert_eq!(of(0, &[ten.clone(), retries(3)].concat()), 1);
        assert_eq!(of(1, &[ten.clone(), retries(3)].concat()), 0);
    }

    #[test]
    fn each_window_is_judged_by_itself() {
        let fleet = Some(Fleet::new(0.5, 0, Some(Span::from_secs(2))));
        let of = |facts: &[(u64, Fact)]| judge(invariant(None, fleet), facts, 0, 9);
        let (try_at, retry_at) = (|time| (time, attempted(0, 1)), |time| (time, attempted(0, 2)));
        // In the whole run it is one retry for two tries.
        let tally = of(&[try_at(0), try_at(1), retry_at(5), try_at(8)]);
        assert_eq!((tally.violations, tally.first.unwrap().at), (1, at(5)));
        assert_eq!(of(&[try_at(4), try_at(4), retry_at(5), try_at(8)]).violations, 0);
        assert_eq!(of(&[try_at(0), try_at(1), retry_at(1)]).violations, 0, "in one window");
        assert_eq!(of(&[try_at(0), try_at(1), retry_at(2)]).violations, 1, "the next begins at 2");
        let last = of(&[try_at(1), retry_at(8)]);
        assert_eq!((last.violations, last.first.unwrap().at), (1, at(8)));
    }
}
