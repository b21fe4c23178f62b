//! I24: what users are told is so.
//!
//! A user who was told `ok` has what was promised: all of it, and it stays. A user who was told
//! that it failed has none of it: what happens all the same is undone. The answer to the last time
//! that the user asked about the order is what he was told. Silence is no answer, so nothing is
//! said of a user who gave up or still waits, unless the experiment says that silence tells him
//! that it failed.
//!
//! An answer becomes a lie when the world has contradicted it for longer than the bound without a
//! break, from the answer on or from what happened later. What a crash or a failover undoes never
//! happened. An order is not judged whose contradiction, or whose answer, is younger than the bound
//! when the run ends.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::breakable::Breakable;
use super::condition::{Condition, Moments};
use super::judge::{Invariant, Judgement, Tally};
use super::known::ByOrder;
use super::names::operation;
use super::promise::{Judged, Promise};
use crate::kernel::time::{Span, Time};
use crate::model::problem::Problem;
use crate::model::program::{OperationId, Program};
use crate::policy::Outcome;
use crate::system::fact::Fact;
use crate::system::fact::kind::hears;

/// `honest_answer = { answer = "api.buy", done = "orders.order = paid",
/// undone = "orders.order = cancelled", effect = "charge", refund = "refund", within = "30s" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct HonestAnswerText {
    /// The operation whose answers users are told.
    answer: String,
    /// The row and state that say that it happened.
    #[serde(default)]
    done: Option<String>,
    /// The row and state that say that it was undone.
    #[serde(default)]
    undone: Option<String>,
    /// The effect that says that it happened.
    #[serde(default)]
    effect: Option<String>,
    /// The effect that undoes that.
    #[serde(default)]
    refund: Option<String>,
    /// For how long the answer may be wrong, whatever goes wrong meanwhile.
    within: Span,
    /// Whether the time begins with the end of all faults if that is later.
    #[serde(default)]
    after_faults: bool,
    /// What it tells users if they get no answer.
    #[serde(default)]
    silence: Silence,
}

impl Promise for HonestAnswerText {
    const NAME: &'static str = "honest_answer";
    const SENTENCE: &'static str = "What users are told is so.";
    const LABEL: &'static str = "false answers";
    const JUDGED: Judged = Judged::AtEnd;
    const EXCUSES: &'static [&'static str] = &["undone"];

    type Judge = HonestAnswer;

    fn judge(&self, program: &Program) -> Result<HonestAnswer, Problem> {
        let inside = |key: &'static str| move |problem: Problem| problem.inside(key);
        let row =
            Pair::new(self.done.as_ref(), (self.undone.as_ref(), "undone", "done"), |text| {
                Condition::row(text, program)
            })?;
        let effect =
            Pair::new(self.effect.as_ref(), (self.refund.as_ref(), "refund", "effect"), |text| {
                Condition::effect(text, program)
            })?;
        if row.is_none() && effect.is_none() {
            return Err(Problem::new("nothing says whether what users are told is so")
                .expected("`done`, `effect` or both"));
        }
        Ok(HonestAnswer {
            answer: operation(&self.answer, program).map_err(inside("answer"))?,
            silence: self.silence,
            within: self.within,
            after_faults: self.after_faults,
            row,
            effect,
            told: ByOrder::default(),
        })
    }

    fn breakable(&self, asked: &mut Breakable<'_>) {
        asked.told_users("answer", &self.answer);
    }
}

/// What it tells users if they get no answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum Silence {
    /// Nothing.
    #[default]
    Unknown,
    /// That it failed.
    Failed,
}

/// Compares what users were told with what happened. Exposure: users who were told something that
/// could be judged.
#[derive(Clone, Debug)]
pub(super) struct HonestAnswer {
    answer: OperationId,
    silence: Silence,
    within: Span,
    after_faults: bool,
    row: Option<Pair>,
    effect: Option<Pair>,
    told: ByOrder<Option<UserTold>>,
}

/// Something that happens, and what undoes it.
#[derive(Clone, Debug)]
struct Pair {
    done: Condition,
    undone: Option<Condition>,
}

/// What a user was told, and when.
#[derive(Clone, Copy, Debug)]
struct UserTold {
    at: Time,
    /// That it happened, or that it failed; `None` if it was nothing.
    happened: Option<bool>,
}

impl Pair {
    fn new(
        done: Option<&String>,
        undone: (Option<&String>, &str, &str),
        read: impl Fn(&str) -> Result<Condition, Problem>,
    ) -> Result<Option<Pair>, Problem> {
        let (undone, key, needed) = undone;
        let Some(done) = done else {
            return match undone {
                None => Ok(None),
                Some(_) => Err(Problem::new(format!("`{key}` undoes nothing"))
                    .expected(format!("`{needed}` beside it"))
                    .inside(key)),
            };
        };
        let done = read(done).map_err(|problem| problem.inside(needed))?;
        let undone = undone.map(|undone| read(undone)).transpose();
        Ok(Some(Pair { done, undone: undone.map_err(|problem| problem.inside(key))? }))
    }

    fn observe(&mut self, now: Time, fact: &Fact) {
        self.done.observe::<HonestAnswer>(now, fact);
        self.undone.iter_mut().for_each(|undone| undone.observe::<HonestAnswer>(now, fact));
    }
}

impl HonestAnswer {
    fn told(&self, outcome: Outcome) -> Option<bool> {
        match (outcome, self.silence) {
            (Outcome::Ok, _) => Some(true),
            (Outcome::Reset, Silence::Unknown) => None,
            (outcome, Silence::Unknown) if outcome.is_silence() => None,
            _ => Some(false),
        }
    }
}

/// What happened and what undid it, as it stands at the end of a run.
struct Settled {
    done: Moments,
    undone: Option<Moments>,
    /// Whether each undoing undoes one time that it happened, and not all.
    is_counted: bool,
}

impl Settled {
    fn new(pair: &Pair, is_counted: bool) -> Settled {
        let undone = pair.undone.as_ref().map(Condition::moments);
        Settled { done: pair.done.moments(), undone, is_counted }
    }

    /// From when on it was so, or no longer was, in the order of time.
    fn turns(&self, order: u64) -> Vec<(Time, bool)> {
        let undone = self.undone.as_ref().map_or(&[][..], |undone| undone.of(order));
        let mut changes: Vec<(Time, u64, bool)> = Vec::new();
        for (moments, is_done) in [(self.done.of(order), true), (undone, false)] {
            changes.extend(moments.iter().map(|moment| {
                let position = moment.transaction.map_or(0, |(_, position)| position);
                (moment.at, position, is_done)
            }));
        }
        changes.sort_by_key(|&(at, position, _)| (at, position));
        let mut net = 0_i64;
        let turn = |(at, _, is_done): (Time, u64, bool)| {
            net += if is_done { 1 } else { -1 };
            (at, if self.is_counted { net > 0 } else { is_done })
        };
        changes.into_iter().map(turn).collect()
    }
}

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    True,
    /// Since when the world had contradicted it for too long.
    Lie(Time),
    Unknown,
}

/// Whether a user was told the truth, by when each part of it was so and was not.
fn judged(
    told: (Time, bool),
    parts: &[Vec<(Time, bool)>],
    due: impl Fn(Time) -> Time,
    end: Time,
) -> Found {
    let (asked, happened) = told;
    let mut times: Vec<Time> = parts.iter().flatten().map(|&(at, _)| at).collect();
    times.retain(|&at| at > asked);
    times.sort_unstable();
    let is_so = |part: &Vec<(Time, bool)>, time: Time| {
        part.iter().rfind(|&&(at, _)| at <= time).is_some_and(|&(_, is_so)| is_so)
    };
    let is_contradicted = |time: Time| match happened {
        true => !parts.iter().all(|part| is_so(part, time)),
        false => parts.iter().any(|part| is_so(part, time)),
    };
    let mut since = None;
    for time in [asked].into_iter().chain(times) {
        match (is_contradicted(time), since) {
            (true, None) => since = Some(time),
            (false, Some(began)) if due(began) < time => return Found::Lie(due(began)),
            (false, _) => since = None,
            (true, Some(_)) => {}
        }
    }
    match since {
        Some(began) if due(began) <= end => Found::Lie(due(began)),
        None if due(asked) <= end => Found::True,
        _ => Found::Unknown,
    }
}

hears!(HonestAnswer: Answered; Condition);

impl Invariant for HonestAnswer {
    fn observe(&mut self, now: Time, fact: &Fact) {
        match *fact {
            Answered { request, outcome, .. } if request.operation == self.answer => {
                let happened = self.told(outcome);
                *self.told.of(request.order) = Some(UserTold { at: now, happened });
            }
            _ => {
                let pairs = self.row.iter_mut().chain(&mut self.effect);
                pairs.for_each(|pair| pair.observe(now, fact));
            }
        }
    }

    fn tally(&self, judgement: Judgement) -> Tally {
        let rows = self.row.iter().map(|pair| Settled::new(pair, false));
        let effects = self.effect.iter().map(|pair| Settled::new(pair, true));
        let settled: Vec<Settled> = rows.chain(effects).collect();
        let due = |since| judgement.due(since, self.within, self.after_faults);
        let mut tally = Tally::default();
        for (order, told) in self.told.iter() {
            let Some(UserTold { at, happened: Some(happened) }) = *told else { continue };
            let parts: Vec<_> = settled.iter().map(|part| part.turns(order)).collect();
            match judged((at, happened), &parts, due, judgement.end) {
                Found::Unknown => tally.not_judged(),
                Found::True => tally.exposed(),
                Found::Lie(since) => {
                    tally.exposed();
                    tally.broken(since, Some(order));
                }
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
    use crate::invariant::standing::Standing;
    use crate::model::program::LabelId;
    use crate::system::fact::Request;

    const BUY: OperationId = OperationId(0);

    fn row(state: LabelId) -> Condition {
        Condition::Row(Standing::orders((ORDERS, DATABASE)), Wanted::State(Some(state)))
    }

    fn effect(effect: LabelId) -> Condition {
        Condition::Effect(effect, ByOrder::default())
    }

    fn invariant(silence: Silence) -> HonestAnswer {
        HonestAnswer {
            answer: BUY,
            silence,
            within: Span::from_secs(4),
            after_faults: false,
            row: Some(Pair { done: row(PAID), undone: Some(row(CANCELLED)) }),
            effect: Some(Pair { done: effect(CHARGE), undone: Some(effect(REFUND)) }),
            told: ByOrder::default(),
        }
    }

    fn told(outcome: Outcome) -> Fact {
        let request = Request { operation: BUY, order: 0, key: 7, started: Time::ZERO };
        Fact::Answered { request, outcome, attempts: 1 }
    }

    /// What it says of one order, judged after 20 s: violations, exposure, unjudged, and when.
    fn of(facts: &[(u64, Fact)]) -> (u64, u64, u64, Option<Time>) {
        let facts = [facts, &[(20, flushed(9))]].concat();
        let tally = judge(invariant(Silence::Unknown), &facts, 0, 20);
        (tally.violations, tally.exposure, tally.unjudged, tally.first.map(|first| first.at))
    }

    const HONEST: (u64, u64, u64, Option<Time>) = (0, 1, 0, None);

    fn lie(seconds: u64) -> (u64, u64, u64, Option<Time>) {
        (1, 1, 0, Some(at(seconds)))
    }

    #[test]
    fn told_ok_it_happens_in_time_and_all_of_it() {
        let ok = (2, told(Outcome::Ok));
        let (paid, charged) = (|at| (at, committed(0, PAID, 1)), |at| (at, had(CHARGE, 0)));
        assert_eq!(of(&[charged(1), paid(1), ok]), HONEST);
        assert_eq!(of(&[ok, charged(5), paid(6)]), HONEST);
        let later = (9, told(Outcome::Ok));
        assert_eq!(of(&[charged(1), paid(8), later]), HONEST, "what was before does not matter");
        assert_eq!(of(&[ok, charged(5), paid(7)]), lie(6));
        assert_eq!(of(&[ok, charged(5)]), lie(6), "charged alone is not enough");
        assert_eq!(of(&[ok, paid(5)]), lie(6));
        assert_eq!(of(&[ok]), lie(6));
    }

    #[test]
    fn told_ok_it_stays() {
        let done = [(1, had(CHARGE, 0)), (1, committed(0, PAID, 1)), (2, told(Outcome::Ok))];
        let of = |more: &[(u64, Fact)]| of(&[&done[..], more].concat());
        let cancelled = |at| (at, committed(0, CANCELLED, 2));
        assert_eq!(of(&[cancelled(9)]), lie(13));
        assert_eq!(of(&[cancelled(9), (13, committed(0, PAID, 3))]), HONEST, "not for long");
        assert_eq!(of(&[(9, had(REFUND, 0))]), lie(13));
        assert_eq!(of(&[(9, committed(0, PLACED, 2))]), HONEST, "nothing says that it was undone");
        assert_eq!(of(&[(3, log_lost(0))]), lie(6), "a crash undid it: it never was");
    }

    #[test]
    fn told_ok_and_cancelled_before_the_charge_is_a_lie() {
        let facts = [(1, committed(0, CANCELLED, 1)), (2, told(Outcome::Ok)), (9, had(CHARGE, 0))];
        assert_eq!(of(&facts), lie(6));
    }

    #[test]
    fn told_failed_what_happens_is_undone() {
        let failed = (2, told(Outcome::Failed));
        let charged = |at| (at, had(CHARGE, 0));
        assert_eq!(of(&[failed]), HONEST);
        assert_eq!(of(&[failed, charged(3), (3, committed(0, PAID, 1))]), lie(7));
        assert_eq!(of(&[charged(1), failed]), lie(6), "from the answer on");
        assert_eq!(of(&[failed, charged(15)]), lie(19), "however much later");
        assert_eq!(of(&[failed, charged(3), (7, had(REFUND, 0))]), HONEST);
        assert_eq!(of(&[failed, charged(3), (8, had(REFUND, 0))]), lie(7), "too late");
        assert_eq!(
            of(&[failed, charged(3), charged(4), (5, had(REFUND, 0))]),
            lie(7),
            "one of two"
        );
        assert_eq!(of(&[failed, (3, had(REFUND, 0)), charged(4)]), HONEST, "in whichever order");
        let paid = (3, committed(0, PAID, 1));
        assert_eq!(of(&[failed, paid]), lie(7));
        assert_eq!(of(&[failed, paid, (4, committed(0, CANCELLED, 2))]), HONEST);
    }

    #[test]
    fn nothing_is_said_while_the_bound_is_not_over() {
        let (ok, failed) = (told(Outcome::Ok), told(Outcome::Failed));
        let done = [(1, had(CHARGE, 0)), (1, committed(0, PAID, 1))];
        let unjudged = (0, 0, 1, None);
        assert_eq!(of(&[&done[..], &[(16, ok)]].concat()), HONEST);
        assert_eq!(of(&[&done[..], &[(17, ok)]].concat()), unjudged);
        assert_eq!(of(&[(17, failed)]), unjudged);
        assert_eq!(of(&[(2, failed), (17, had(CHARGE, 0))]), unjudged, "it may still be undone");
        assert_eq!(of(&[(2, failed), (16, had(CHARGE, 0))]), lie(20));
    }

    #[test]
    fn silence_is_no_answer_unless_it_is_meant_as_one() {
        for silent in [Outcome::TimedOut, Outcome::Reset] {
            let facts = [(2, told(silent)), (3, had(CHARGE, 0))];
            let judged = |silence| counts(judge(invariant(silence), &facts, 0, 20));
            assert_eq!(judged(Silence::Unknown), (0, 0), "{silent:?}");
            assert_eq!(judged(Silence::Failed), (1, 1), "{silent:?}");
        }
    }

    #[test]
    fn the_last_answer_counts() {
        let (ok, failed) = (|at| (at, told(Outcome::Ok)), |at| (at, told(Outcome::Failed)));
        let done = [(3, had(CHARGE, 0)), (3, committed(0, PAID, 1))];
        assert_eq!(of(&[&[failed(2)], &done[..], &[ok(9)]].concat()), HONEST);
        assert_eq!(of(&[&[ok(2)], &done[..], &[failed(9)]].concat()), lie(13));
        let given_up = [&[failed(2)], &done[..], &[(9, told(Outcome::TimedOut))]].concat();
        assert_eq!(of(&given_up), (0, 0, 0, None), "asked again, and told nothing");
        let request = Request { operation: OperationId(1), order: 0, key: 7, started: Time::ZERO };
        let other = (9, Fact::Answered { request, outcome: Outcome::Ok, attempts: 1 });
        assert_eq!(of(&[failed(2), other]), HONEST, "told of something else");
    }

    #[test]
    fn the_bound_runs_through_faults_unless_it_begins_after_them() {
        let facts = [(2, told(Outcome::Failed)), (3, had(CHARGE, 0)), (12, had(REFUND, 0))];
        let broken = judge(invariant(Silence::Unknown), &facts, 9, 20);
        assert_eq!((counts(broken), broken.first.unwrap().at), ((1, 1), at(7)));
        let after = HonestAnswer { after_faults: true, ..invariant(Silence::Unknown) };
        assert_eq!(counts(judge(after, &facts, 9, 20)), (0, 1));
    }
}
