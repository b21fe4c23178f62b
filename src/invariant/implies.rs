//! I25: if an order has come to one thing, it has come to others, at every commit or within a time.
//!
//! Once for each order, from the first time that it came to the one. Without a time the others must
//! be so no later than at that very commit: rows that one transaction writes are written at once.
//! With a time they must be so when that is over. Both sides are what stands and is on disk at the
//! end: what a crash or a failover undoes never was, and what it undoes of the others breaks the
//! promise. It is broken when the others were due, or when they were undone, if that is later.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::breakable::Breakable;
use super::condition::{Condition, Moment, Moments};
use super::judge::{Invariant, Judgement, Tally};
use super::promise::{Judged, Promise};
use crate::kernel::time::{Span, Time};
use crate::model::problem::Problem;
use crate::model::program::Program;
use crate::system::fact::Fact;
use crate::system::fact::kind::hears;

/// `implies = { if = "effect charge", then = ["orders.order = paid"], within = "5s" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct ImpliesText {
    /// What an order has come to: `"db.table = state"`, `"db.table"`, `"effect NAME"`,
    /// `"audit ENTRY"`, `"message QUEUE"` or `"delivery QUEUE"`.
    #[serde(rename = "if")]
    cause: String,
    /// What it must have come to as well, all of it.
    then: Vec<String>,
    /// What releases it from that, any of it; of effects, as many as of the effect in `if`.
    #[serde(default)]
    unless: Vec<String>,
    /// How long afterwards; without it, at every commit.
    #[serde(default)]
    within: Option<Span>,
    /// Whether the time begins with the end of all faults if that is later.
    #[serde(default)]
    after_faults: bool,
}

impl Promise for ImpliesText {
    const NAME: &'static str = "implies";
    const SENTENCE: &'static str = "Where one thing has happened, others have happened too.";
    const LABEL: &'static str = "without what follows";
    const JUDGED: Judged = Judged::AtEnd;
    const EXCUSES: &'static [&'static str] = &["unless"];

    type Judge = Implies;

    fn judge(&self, program: &Program) -> Result<Implies, Problem> {
        let cause = Condition::new(&self.cause, program).map_err(|problem| problem.inside("if"))?;
        if self.then.is_empty() {
            let problem = Problem::new("nothing follows");
            return Err(problem.expected("what must be so then").inside("then"));
        }
        let each = |texts: &[String], key: &str| {
            let condition = |(index, text): (usize, &String)| {
                let place = |problem: Problem| problem.inside(index.to_string()).inside(key);
                Condition::new(text, program).map_err(place)
            };
            texts.iter().enumerate().map(condition).collect::<Result<Vec<_>, Problem>>()
        };
        let (then, unless) = (each(&self.then, "then")?, each(&self.unless, "unless")?);
        let due = Due::new(self.within, self.after_faults, Due::AtOnce)?;
        Ok(Implies { cause, then, unless, due })
    }

    fn breakable(&self, asked: &mut Breakable<'_>) {
        if let Some(effect) = self.cause.strip_prefix("effect ") {
            asked.effect("if", effect.trim());
        }
    }
}

/// By when the others must be so.
#[derive(Clone, Copy, Debug)]
pub(super) enum Due {
    /// No later than the one.
    AtOnce,
    /// So long after it; from the end of all faults, if that is later and the flag is set.
    Within(Span, bool),
    /// At the end of the run.
    AtEnd,
}

impl Due {
    /// Within a time, or without one as given.
    pub(super) fn new(
        within: Option<Span>,
        after_faults: bool,
        otherwise: Due,
    ) -> Result<Due, Problem> {
        match (within, after_faults) {
            (Some(within), _) => Ok(Due::Within(within, after_faults)),
            (None, false) => Ok(otherwise),
            (None, true) => Err(Problem::new("`after_faults` says when a time begins")
                .expected("`within` beside it")
                .inside("after_faults")),
        }
    }
}

/// Looks for orders that came to one thing and not to the others. Exposure: orders that came to the
/// one and whose time is up.
#[derive(Clone, Debug)]
pub(super) struct Implies {
    cause: Condition,
    then: Vec<Condition>,
    unless: Vec<Condition>,
    due: Due,
}

impl Implies {
    /// That one condition implies another, by a time.
    pub(super) fn of(cause: Condition, then: Condition, due: Due) -> Implies {
        Implies { cause, then: vec![then], unless: Vec::new(), due }
    }

    /// Unless an order came to something else.
    pub(super) fn unless(self, released: Option<Condition>) -> Implies {
        Implies { unless: released.into_iter().collect(), ..self }
    }
}

/// What stands of all conditions at the end of a run.
struct Settled {
    cause: Moments,
    then: Vec<Moments>,
    /// What releases, and whether it is counted against the one.
    unless: Vec<(Moments, bool)>,
}

impl Settled {
    fn new(implies: &Implies) -> Settled {
        let moments =
            |conditions: &[Condition]| conditions.iter().map(Condition::moments).collect();
        let is_counted = |condition: &Condition| implies.cause.is_effect() && condition.is_effect();
        let unless = implies.unless.iter();
        Settled {
            cause: implies.cause.moments(),
            then: moments(&implies.then),
            unless: unless.map(|one| (one.moments(), is_counted(one))).collect(),
        }
    }

    /// When it was broken for an order that came to the one at this moment, if it was: when the
    /// others were due, or when one of them was undone, if that is later.
    fn broken(&self, order: u64, cause: Moment, due: Moment) -> Option<Time> {
        let is_released = |(moments, is_counted): &(Moments, bool)| {
            let needed = if *is_counted { self.cause.until(order, due.at) } else { 1 };
            moments.until(order, due.at) >= needed
        };
        if self.unless.iter().any(is_released) {
            return None;
        }
        let is_so =
            |moments: &Moments| moments.of(order).first().is_some_and(|moment| moment.is_by(due));
        let missing = self.then.iter().filter(|moments| !is_so(moments));
        let since = if due.at == Time::NEVER { cause.at } else { due.at };
        missing.map(|moments| since.max(moments.undone(order))).max()
    }
}

hears!(Implies: ; Condition);

impl Invariant for Implies {
    fn observe(&mut self, now: Time, fact: &Fact) {
        let conditions = self.then.iter_mut().chain(&mut self.unless);
        conditions
            .chain([&mut self.cause])
            .for_each(|condition| condition.observe::<Self>(now, fact));
    }

    fn tally(&self, judgement: Judgement) -> Tally {
        let settled = Settled::new(self);
        let mut tally = Tally::default();
        for (order, cause) in settled.cause.first() {
            let due = match self.due {
                Due::AtOnce => cause,
                Due::Within(within, after_faults) => {
                    let at = judgement.due(cause.at, within, after_faults);
                    Moment { at, transaction: None }
                }
                Due::AtEnd => Moment { at: Time::NEVER, transaction: None },
            };
            if matches!(self.due, Due::Within(..)) && due.at > judgement.end {
                tally.not_judged();
                continue;
            }
            tally.exposed();
            if let Some(at) = settled.broken(order, cause, due) {
                tally.broken(at, Some(order));
            }
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariant::condition::Wanted;
    use crate::invariant::fixture::*;
    use crate::invariant::known::ByOrder;
    use crate::invariant::standing::Standing;
    use crate::model::program::{LabelId, NodeId, TableId};

    fn row(state: LabelId) -> Condition {
        let rows = Standing::orders((ORDERS, DATABASE));
        Condition::Row(rows, Wanted::State(Some(state)))
    }

    fn effect(effect: LabelId) -> Condition {
        Condition::Effect(effect, ByOrder::default())
    }

    /// What a promise that a paid order was charged says, judged after 20 s.
    fn paid_was_charged(due: Due, facts: &[(u64, Fact)]) -> Tally {
        let facts = [facts, &[(19, flushed(9))]].concat();
        judge(Implies::of(row(PAID), effect(CHARGE), due), &facts, 5, 20)
    }

    #[test]
    fn without_a_time_the_other_is_no_later_than_the_one() {
        let (paid, charged) = ((3, committed(0, PAID, 1)), |at| (at, had(CHARGE, 0)));
        let of = |facts: &[(u64, Fact)]| counts(paid_was_charged(Due::AtOnce, facts));
        assert_eq!(of(&[charged(2), paid]), (0, 1));
        assert_eq!(of(&[paid, charged(4)]), (1, 1));
        assert_eq!(of(&[paid]), (1, 1));
        assert_eq!(of(&[charged(2)]), (0, 0), "the other way round nothing is promised");
        assert_eq!(of(&[(2, had(CHARGE, 1)), paid]), (1, 1), "of another order");
        assert_eq!(of(&[(3, committed(0, PLACED, 1))]), (0, 0), "in another state");
    }

    /// What a promise that a paid order has an entry says of these facts, at every commit.
    fn paid_has_entry(facts: &[(u64, Fact)]) -> (u64, u64) {
        let entries = Condition::Audited(vec![Standing::entries(Some(PLACED), DATABASE)]);
        counts(judge(Implies::of(row(PAID), entries, Due::AtOnce), facts, 0, 20))
    }

    #[test]
    fn what_one_transaction_writes_is_written_at_once() {
        let audited =
            |position| Fact::Audited { entry: PLACED, order: 0, database: DATABASE, position };
        let paid = (3, committed(0, PAID, 1));
        assert_eq!(paid_has_entry(&[paid, (3, audited(1)), (4, flushed(2))]), (0, 1));
        assert_eq!(
            paid_has_entry(&[paid, (3, audited(2)), (4, flushed(2))]),
            (1, 1),
            "the next one"
        );
        let lost = [paid, (3, audited(1)), (4, log_lost(0))];
        assert_eq!(paid_has_entry(&lost), (0, 0), "a crash undid both");
    }

    #[test]
    fn with_a_time_it_is_judged_when_that_is_over() {
        let (paid, charged) = ((3, committed(0, PAID, 1)), |at| (at, had(CHARGE, 0)));
        let of = |within, after_faults, facts: &[(u64, Fact)]| {
            paid_was_charged(Due::Within(Span::from_secs(within), after_faults), facts)
        };
        assert_eq!(counts(of(4, false, &[paid, charged(7)])), (0, 1));
        let late = of(4, false, &[paid, charged(8)]);
        assert_eq!((counts(late), late.first.unwrap().at), ((1, 1), at(7)));
        assert_eq!(counts(of(4, true, &[paid, charged(9)])), (0, 1), "from the end of the faults");
        assert_eq!(counts(of(17, false, &[paid])), (1, 1));
        let open = of(18, false, &[paid]);
        assert_eq!((counts(open), open.unjudged), ((0, 0), 1), "its time is not up");
    }

    #[test]
    fn what_a_crash_undoes_is_missing_since_then() {
        let other = TableId(1);
        let record = |position| match committed(0, PAID, position) {
            Fact::Committed { row, order, state, before, version, amount, position, .. } => {
                Fact::Committed {
                    table: other,
                    row,
                    order,
                    state,
                    before,
                    version,
                    amount,
                    position,
                }
            }
            fact => fact,
        };
        let rows = Standing::orders((other, NodeId(7)));
        let recorded = Condition::Row(rows, Wanted::Any);
        let lost = Fact::LogLost { database: NodeId(7), after: 0, transactions: 1 };
        let facts = [(1, record(1)), (3, committed(0, PAID, 1)), (4, flushed(1)), (6, lost)];
        let promise = Implies::of(row(PAID), recorded, Due::AtOnce);
        let tally = judge(promise, &facts, 0, 20);
        assert_eq!((counts(tally), tally.first.unwrap().at), ((1, 1), at(6)));
    }

    #[test]
    fn as_many_refunds_as_charges_release() {
        let charged_is_paid = |facts: &[(u64, Fact)]| {
            let due = Due::Within(Span::from_secs(4), false);
            let promise = Implies::of(effect(CHARGE), row(PAID), due).unless(Some(effect(REFUND)));
            counts(judge(promise, facts, 0, 20))
        };
        let (charge, refund) = ((2, had(CHARGE, 0)), |at| (at, had(REFUND, 0)));
        assert_eq!(charged_is_paid(&[charge]), (1, 1));
        assert_eq!(charged_is_paid(&[charge, refund(6)]), (0, 1));
        assert_eq!(charged_is_paid(&[charge, refund(7)]), (1, 1), "too late");
        assert_eq!(charged_is_paid(&[charge, charge, refund(6)]), (1, 1), "one of two");
    }

    #[test]
    fn one_refund_releases_however_often_a_row_came_to_its_state() {
        let due = Due::Within(Span::from_secs(4), false);
        let promise = || Implies::of(row(PAID), effect(CHARGE), due).unless(Some(effect(REFUND)));
        let paid = |at, position| (at, committed(0, PAID, position));
        let twice = [paid(2, 1), paid(3, 2), (4, flushed(2))];
        let refunded = [&twice[..], &[(5, had(REFUND, 0))]].concat();
        assert_eq!(counts(judge(promise(), &twice, 0, 20)), (1, 1));
        assert_eq!(counts(judge(promise(), &refunded, 0, 20)), (0, 1));
    }
}
