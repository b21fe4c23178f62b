//! The observer that follows requests to their milestones. What a crash or a failover undoes is not
//! reached: only the durable truth counts.

use std::collections::VecDeque;

use super::progress::{Fate, Progress};
use super::{Goal, Milestone, Wanted};
use crate::kernel::time::{Span, Time};
use crate::metric::measure::Measure;
use crate::policy::Outcome;
use crate::system::Observer;
use crate::system::fact::kind::{FactKinds, Hears, hears};
use crate::system::fact::{Fact, Request, Waiting};

/// Follows the requests of one run to each milestone.
#[derive(Clone, Debug)]
pub struct Followers {
    window: Span,
    warm_up: Time,
    followers: Vec<Follower>,
}

/// Follows requests to one milestone.
#[derive(Clone, Debug)]
struct Follower {
    milestone: Milestone,
    /// By order; empty where requests are followed to their answers.
    orders: Vec<Known>,
    /// Commits that reached it and are not on disk: their position in the log and their order.
    unflushed: VecDeque<(u64, u64)>,
    /// Of requests that are followed to their answers, what is known already.
    answers: Progress,
    /// When those were asked that had no answer when the run ended.
    unanswered: Vec<Time>,
    /// The request whose degraded answer comes next.
    degraded: Option<Request>,
}

/// An order on its way to a milestone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// The order.
    pub order: u64,
    /// When its user first asked.
    pub asked: Time,
    /// When it reached the milestone; `None` if it has not.
    pub reached: Option<Time>,
}

/// What is known of an order.
#[derive(Clone, Copy, Debug)]
struct Known {
    /// When its user first asked.
    asked: Option<Time>,
    /// When it reached the milestone; never if it has not.
    reached: Time,
    /// The position of the transaction that did, in the log of its database.
    position: u64,
    /// Whether something was under way for it when the run ended.
    is_under_way: bool,
}

impl Known {
    /// What became of it, if its user first asked then.
    fn fate(&self, asked: Time) -> Fate {
        match self {
            // What was there before its user asked was there at once.
            known if known.reached < Time::NEVER => Fate::Reached(known.reached.max(asked)),
            known if known.is_under_way => Fate::Unfinished,
            _ => Fate::Failed,
        }
    }
}

const NOTHING: Known =
    Known { asked: None, reached: Time::NEVER, position: 0, is_under_way: false };

impl Followers {
    /// Followers for a run in which this is measured.
    #[must_use]
    pub fn new(milestones: &[Milestone], measure: &Measure) -> Followers {
        let follower = |milestone: &Milestone| Follower {
            milestone: milestone.clone(),
            orders: Vec::new(),
            unflushed: VecDeque::new(),
            answers: Progress::default(),
            unanswered: Vec::new(),
            degraded: None,
        };
        let (window, warm_up) = (measure.window, measure.warm_up);
        Followers { window, warm_up, followers: milestones.iter().map(follower).collect() }
    }

    /// What became of the requests, for each milestone, when the run has ended.
    #[must_use]
    pub fn finish(self, measure: &Measure, end: Time) -> Vec<Progress> {
        let finish = |follower: Follower| {
            let within = follower.milestone.within;
            let mut progress = follower.progress((self.warm_up, self.window), end);
            progress.recovery = progress.recovery(within, measure, end);
            progress
        };
        self.followers.into_iter().map(finish).collect()
    }

    /// Of each milestone the measured orders, with when their users first asked and when they
    /// reached it, if they have; none where requests are followed to their answers.
    #[must_use]
    pub fn reached(&self) -> Vec<Vec<Arrived>> {
        let arrived = |(order, known): (usize, &Known)| {
            let asked = known.asked.filter(|&asked| asked >= self.warm_up)?;
            let reached = match known.fate(asked) {
                Fate::Reached(at) => Some(at),
                Fate::Unfinished | Fate::Failed => None,
            };
            Some(Arrived { order: order as u64, asked, reached })
        };
        let of =
            |follower: &Follower| follower.orders.iter().enumerate().filter_map(arrived).collect();
        self.followers.iter().map(of).collect()
    }

    /// The measured orders that have not reached each milestone in time when the run has ended and
    /// are not unfinished; none where requests are followed to their answers.
    #[must_use]
    pub fn missed(&self, end: Time) -> Vec<Vec<u64>> {
        let missed = |follower: &Follower| follower.missed(self.warm_up, end);
        self.followers.iter().map(missed).collect()
    }
}

impl Observer for Followers {
    fn observe(&mut self, now: Time, fact: &Fact) {
        let measured = (self.warm_up, self.window);
        for follower in &mut self.followers {
            match follower.milestone.goal {
                Goal::Answer(wanted) => follower.answer(now, fact, wanted, measured),
                goal => follower.observe(now, fact, goal),
            }
        }
    }

    fn hears(&self) -> FactKinds {
        if self.followers.is_empty() { FactKinds::NONE } else { Follower::HEARS }
    }
}

hears!(
    Follower: Requested, Answered, Degraded, Unanswered, Committed, Flushed, LogLost, WriteLost,
    Effect, Delivered, Acknowledged, Unprocessed, UnderWay
);

impl Follower {
    /// Follows a request to its own answer.
    fn answer(&mut self, now: Time, fact: &Fact, wanted: Wanted, (warm_up, width): (Time, Span)) {
        let is_followed = |request: &Request| request.operation == self.milestone.of;
        match *fact {
            Answered { request, outcome, .. } if is_followed(&request) => {
                let (is_ok, is_degraded) = (outcome == Outcome::Ok, self.degraded == Some(request));
                self.degraded = None;
                let is_reached = match wanted {
                    Wanted::Any => outcome.is_answer(),
                    Wanted::Ok => is_ok,
                    Wanted::Undegraded => is_ok && !is_degraded,
                };
                let within = self.milestone.within;
                let in_time = within.is_none_or(|within| now.since(request.started) <= within);
                let counts = is_ok && is_degraded && in_time && request.started >= warm_up;
                self.answers.degraded += u64::from(counts);
                let fate = if is_reached { Fate::Reached(now) } else { Fate::Failed };
                let promise = (self.milestone.within, width);
                self.answers.count_since(warm_up, request.started, fate, promise, now);
            }
            Degraded(request) if is_followed(&request) => self.degraded = Some(request),
            Unanswered(request) if is_followed(&request) && request.started >= warm_up => {
                self.unanswered.push(request.started);
            }
            _ => {}
        }
    }

    fn observe(&mut self, now: Time, fact: &Fact, goal: Goal) {
        match (*fact, goal) {
            (Requested(request), _) if request.operation == self.milestone.of => {
                self.order(request.order).asked.get_or_insert(now);
            }
            (Unanswered(Request { order, .. }), _)
            | (Unprocessed(Waiting { order, .. }) | UnderWay(order), _) => {
                self.order(order).is_under_way = true;
            }
            (
                Committed { table, state, order, position, .. },
                Goal::State { table: own, state: wanted, .. },
            ) if table == own && Some(state) == wanted => self.commit(now, order, position),
            (Flushed { database, position }, Goal::State { database: own, .. })
                if database == own =>
            {
                while self.unflushed.front().is_some_and(|&(at, _)| at <= position) {
                    self.unflushed.pop_front();
                }
            }
            (LogLost { database, after, .. }, Goal::State { database: own, .. })
                if database == own =>
            {
                while let Some(&(at, order)) = self.unflushed.back().filter(|lost| lost.0 > after) {
                    self.unflushed.pop_back();
                    self.lose(order, at);
                }
            }
            (
                WriteLost { table, state, order, position, .. },
                Goal::State { table: own, state: wanted, .. },
            ) if table == own && Some(state) == wanted => self.lose(order, position),
            (Effect { effect, order, .. }, Goal::Effect(own)) if effect == own => {
                self.reach(now, order, 0);
            }
            (Delivered { queue, order, .. }, Goal::Delivered(own))
            | (Acknowledged { queue, order, .. }, Goal::Acknowledged(own))
                if queue == own =>
            {
                self.reach(now, order, 0);
            }
            _ => {}
        }
    }

    fn order(&mut self, order: u64) -> &mut Known {
        let index = order as usize;
        if self.orders.len() <= index {
            self.orders.resize(index + 1, NOTHING);
        }
        &mut self.orders[index]
    }

    /// An order reaches the milestone, unless it had already.
    fn reach(&mut self, now: Time, order: u64, position: u64) -> bool {
        let known = self.order(order);
        if known.reached < Time::NEVER {
            return false;
        }
        (known.reached, known.position) = (now, position);
        true
    }

    /// A transaction lets an order reach it, until its log is on disk only for now.
    fn commit(&mut self, now: Time, order: u64, position: u64) {
        if self.reach(now, order, position) {
            self.unflushed.push_back((position, order));
        }
    }

    /// The transaction at this position, which let an order reach it, is gone.
    fn lose(&mut self, order: u64, position: u64) {
        let known = self.order(order);
        if known.reached < Time::NEVER && known.position == position {
            known.reached = Time::NEVER;
        }
    }

    fn missed(&self, warm_up: Time, end: Time) -> Vec<u64> {
        let within = self.milestone.within;
        let is_late = |asked: Time, at: Time| within.is_some_and(|within| at.since(asked) > within);
        let is_missed = |known: &Known| {
            let Some(asked) = known.asked.filter(|&asked| asked >= warm_up) else { return false };
            match known.fate(asked) {
                Fate::Reached(at) => is_late(asked, at),
                Fate::Unfinished => is_late(asked, end),
                Fate::Failed => true,
            }
        };
        let orders = self.orders.iter().enumerate();
        orders.filter(|(_, known)| is_missed(known)).map(|(order, _)| order as u64).collect()
    }

    fn progress(self, (warm_up, width): (Time, Span), end: Time) -> Progress {
        let mut progress = self.answers;
        let promise = (self.milestone.within, width);
        for &asked in &self.unanswered {
            progress.count(asked, Fate::Unfinished, promise, end);
        }
        for known in &self.orders {
            let Some(asked) = known.asked else { continue };
            progress.count_since(warm_up, asked, known.fate(asked), promise, end);
        }
        progress
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::RecoveryRule;
    use crate::model::program::{LabelId, NodeId, OperationId, TableId};

    const PLACE: OperationId = OperationId(0);
    const DATABASE: NodeId = NodeId(1);
    const QUEUE: NodeId = NodeId(2);
    const ORDERS: TableId = TableId(0);
    const PAID: LabelId = LabelId(1);
    const PAID_ROW: Goal = Goal::State { table: ORDERS, database: DATABASE, state: Some(PAID) };

    fn at(second: u64) -> Time {
        Time::ZERO + Span::from_secs(second)
    }

    fn request(order: u64, started: u64) -> Request {
        Request { operation: PLACE, order, key: 0, started: at(started) }
    }

    fn asked(order: u64, second: u64) -> (u64, Fact) {
        (second, Fact::Requested(request(order, second)))
    }

    fn answered(order: u64, started: u64, second: u64, outcome: Outcome) -> (u64, Fact) {
        (second, Fact::Answered { request: request(order, started), outcome, attempts: 1 })
    }

    fn committed(order: u64, state: LabelId, position: u64) -> Fact {
        let (table, row, version) = (ORDERS, order, position);
        Fact::Committed { table, row, order, before: None, state, version, amount: 0, position }
    }

    /// What a run of 100 s says of a milestone after a warm-up of 1 s.
    fn follow(goal: Goal, within: Option<u64>, facts: &[(u64, Fact)]) -> Progress {
        let milestone = Milestone {
            name: "paid".to_owned(),
            label: "paid".to_owned(),
            when: String::new(),
            of: PLACE,
            within: within.map(Span::from_secs),
            goal,
        };
        let measure = Measure {
            operation: None,
            load: None,
            window: Span::from_secs(1),
            recovery: RecoveryRule::default(),
            faults: None,
            arrivals_end: at(100),
            warm_up: at(1),
        };
        let mut followers = Followers::new(&[milestone], &measure);
        for (second, fact) in facts {
            followers.observe(at(*second), fact);
        }
        followers.finish(&measure, at(100)).remove(0)
    }

    /// Asked, reached, failed, unfinished.
    fn parts(progress: &Progress) -> [u64; 4] {
        [progress.asked, progress.reached, progress.failed, progress.unfinished]
    }

    #[test]
    fn an_order_is_finished_when_its_row_is_in_the_state_and_not_when_somebody_answered() {
        let facts = [
            asked(0, 2),
            (3, committed(0, LabelId(0), 1)),
            answered(0, 2, 3, Outcome::Ok),
            (40, committed(0, PAID, 2)),
            (41, committed(0, PAID, 3)),
        ];
        let progress = follow(PAID_ROW, None, &facts);
        assert_eq!((parts(&progress), progress.mean_latency()), ([1, 1, 0, 0], Some(38.0)));
        let late = follow(PAID_ROW, Some(30), &facts);
        assert_eq!((parts(&late), late.late), ([1, 0, 1, 0], 1));
    }

    #[test]
    fn without_anything_under_way_it_has_failed_whatever_the_user_was_told() {
        for outcome in [Outcome::Ok, Outcome::Failed, Outcome::TimedOut] {
            let facts = [asked(0, 2), answered(0, 2, 3, outcome)];
            assert_eq!(parts(&follow(PAID_ROW, None, &facts)), [1, 0, 1, 0], "{outcome:?}");
            let waits = Fact::Unprocessed(Waiting { node: QUEUE, order: 0, since: at(3) });
            for under_way in [waits, Fact::UnderWay(0), Fact::Unanswered(request(0, 2))] {
                let facts = [facts[0], facts[1], (99, under_way)];
                assert_eq!(parts(&follow(PAID_ROW, None, &facts)), [1, 0, 0, 1], "{under_way:?}");
                assert_eq!(parts(&follow(PAID_ROW, Some(30), &facts)), [1, 0, 1, 0]);
            }
        }
    }

    #[test]
    fn a_state_that_a_crash_undoes_is_not_reached() {
        let database = DATABASE;
        let lost = Fact::LogLost { database, after: 1, transactions: 2 };
        let flushed = |position| Fact::Flushed { database, position };
        let both =
            [asked(0, 2), asked(1, 2), (3, committed(0, PAID, 1)), (4, committed(1, PAID, 3))];
        let of = |facts: &[(u64, Fact)]| follow(PAID_ROW, None, &[&both, facts].concat());
        assert_eq!(parts(&of(&[(5, lost)])), [2, 1, 1, 0]);
        assert_eq!(parts(&of(&[(5, flushed(2)), (6, lost)])), [2, 1, 1, 0]);
        assert_eq!(parts(&of(&[(5, flushed(3)), (6, lost)])), [2, 2, 0, 0], "it is on disk");
        let again = of(&[(5, lost), (50, committed(1, PAID, 2))]);
        assert_eq!((parts(&again), again.mean_latency()), ([2, 2, 0, 0], Some(24.5)));
    }

    #[test]
    fn a_state_that_a_failover_loses_is_not_reached() {
        let (table, row, state, version) = (ORDERS, 0, PAID, 1);
        let lost = |position| Fact::WriteLost { table, row, order: 0, state, version, position };
        let facts = |position| [asked(0, 2), (3, committed(0, PAID, 7)), (4, lost(position))];
        assert_eq!(parts(&follow(PAID_ROW, None, &facts(7))), [1, 0, 1, 0]);
        assert_eq!(parts(&follow(PAID_ROW, None, &facts(8))), [1, 1, 0, 0], "another transaction");
    }

    #[test]
    fn an_effect_a_delivery_and_its_end_are_reached_the_first_time() {
        let charge = Fact::Effect { effect: PAID, order: 0, key: 0, amount: 0 };
        let delivered =
            Fact::Delivered { queue: QUEUE, order: 0, message: 0, event: 0, receives: 1 };
        let done = Fact::Acknowledged { queue: QUEUE, order: 0, since: at(2) };
        for (goal, fact) in [
            (Goal::Effect(PAID), charge),
            (Goal::Delivered(QUEUE), delivered),
            (Goal::Acknowledged(QUEUE), done),
        ] {
            let facts = [asked(0, 2), (7, fact), (9, fact)];
            let progress = follow(goal, None, &facts);
            assert_eq!((parts(&progress), progress.mean_latency()), ([1, 1, 0, 0], Some(5.0)));
            assert_eq!(parts(&follow(Goal::Effect(LabelId(9)), None, &facts)), [1, 0, 1, 0]);
        }
    }

    #[test]
    fn an_order_counts_once_and_from_the_first_time_that_its_user_asked() {
        let facts = [asked(0, 2), asked(0, 8), (9, committed(0, PAID, 1)), asked(0, 20)];
        let progress = follow(PAID_ROW, None, &facts);
        assert_eq!((parts(&progress), progress.mean_latency()), ([1, 1, 0, 0], Some(7.0)));
        let before = follow(PAID_ROW, None, &[(2, committed(0, PAID, 1)), asked(0, 5)]);
        assert_eq!(before.mean_latency(), Some(0.0), "what was there already was there at once");
        assert_eq!(parts(&follow(PAID_ROW, None, &[asked(0, 0)])), [0; 4], "in the warm-up");
    }

    #[test]
    fn every_request_has_an_answer_of_its_own() {
        let facts = [
            answered(0, 0, 2, Outcome::Ok),
            answered(0, 2, 3, Outcome::Ok),
            answered(0, 4, 9, Outcome::Failed),
            answered(0, 9, 19, Outcome::TimedOut),
            (60, Fact::Unanswered(request(0, 20))),
            (60, Fact::Unanswered(request(0, 97))),
        ];
        let of = |wanted, within| parts(&follow(Goal::Answer(wanted), within, &facts));
        assert_eq!(of(Wanted::Ok, None), [5, 1, 2, 2]);
        assert_eq!(of(Wanted::Any, None), [5, 2, 1, 2], "who gives up has no answer");
        assert_eq!(of(Wanted::Any, Some(4)), [5, 1, 3, 1], "the run ends at 100 s");
    }
}
