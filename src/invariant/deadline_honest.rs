//! I21: nothing new is done for a user who has given up.

use std::collections::BTreeMap;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::breakable::Breakable;
use super::judge::{Invariant, Judgement, Tally};
use super::names::{effect, operation};
use super::promise::{Judged, Promise};
use crate::kernel::time::{Span, Time};
use crate::model::problem::Problem;
use crate::model::program::{LabelId, OperationId, Program};
use crate::system::fact::Fact;
use crate::system::fact::kind::hears;

/// `deadline_honest = { effect = "charge", operation = "api.pay", skew = "500ms" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct DeadlineHonestText {
    /// The effect.
    effect: String,
    /// The operation for which it is done while a user waits.
    operation: String,
    /// How long after the user has given up it may still happen: what is on its way arrives.
    skew: Span,
}

impl Promise for DeadlineHonestText {
    const NAME: &'static str = "deadline_honest";
    const SENTENCE: &'static str = "Nothing new is done for users who have given up.";
    const LABEL: &'static str = "done after giving up";
    const JUDGED: Judged = Judged::AtOnce;

    type Judge = DeadlineHonest;

    fn judge(&self, program: &Program) -> Result<DeadlineHonest, Problem> {
        Ok(DeadlineHonest {
            effect: effect(&self.effect, program).map_err(|problem| problem.inside("effect"))?,
            operation: operation(&self.operation, program)
                .map_err(|problem| problem.inside("operation"))?,
            skew: self.skew,
            given_up: BTreeMap::new(),
            tally: Tally::default(),
        })
    }

    fn breakable(&self, asked: &mut Breakable<'_>) {
        asked.effect("effect", &self.effect);
        asked.told_users("operation", &self.operation);
    }
}

/// Counts effects for users who had given up long before. Exposure: effects.
#[derive(Clone, Debug)]
pub(super) struct DeadlineHonest {
    effect: LabelId,
    operation: OperationId,
    skew: Span,
    /// When users gave up, by order. They stay: work may turn up at any time.
    given_up: BTreeMap<u64, Time>,
    tally: Tally,
}

hears!(DeadlineHonest: Requested, Answered, Effect);

impl Invariant for DeadlineHonest {
    fn observe(&mut self, now: Time, fact: &Fact) {
        match *fact {
            Requested(request) if request.operation == self.operation => {
                self.given_up.remove(&request.order);
            }
            Answered { request, outcome, .. }
                if outcome.is_silence() && request.operation == self.operation =>
            {
                self.given_up.insert(request.order, now);
            }
            Effect { effect, order, .. } if effect == self.effect => {
                self.tally.exposed();
                if self.given_up.get(&order).is_some_and(|&at| at + self.skew < now) {
                    self.tally.broken(now, Some(order));
                }
            }
            _ => {}
        }
    }

    fn tally(&self, _: Judgement) -> Tally {
        self.tally
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::{answered, judge, program};
    use super::*;
    use crate::policy::Outcome;

    #[test]
    fn an_effect_may_be_late_by_the_skew_and_no_more() {
        let program = program();
        let charge = effect("charge", &program).unwrap();
        let text = DeadlineHonestText {
            effect: "charge".to_owned(),
            operation: "api.place".to_owned(),
            skew: Span::from_millis(10),
        };
        let judge = |outcome, at, order| {
            let answer = answered(&program, "api.place", (1, 0), 0, outcome);
            let done = Fact::Effect { effect: charge, order, key: 0, amount: 0 };
            judge(text.judge(&program).unwrap(), &[(50, answer), (at, done)])
        };
        assert_eq!(judge(Outcome::TimedOut, 60, 1), (0, 1));
        assert_eq!(judge(Outcome::TimedOut, 61, 1), (1, 1));
        assert_eq!(judge(Outcome::TimedOut, 61, 2), (0, 1));
        assert_eq!(judge(Outcome::Ok, 61, 1), (0, 1));
        let refund = effect("refund", &program).unwrap();
        let refunded = (61, Fact::Effect { effect: refund, order: 1, key: 0, amount: 0 });
        let promise = text.judge(&program).unwrap();
        assert_eq!(super::super::example::judge(promise, &[refunded]), (0, 0), "another effect");
    }

    #[test]
    fn who_asks_again_waits_again() {
        let program = program();
        let text = DeadlineHonestText {
            effect: "charge".to_owned(),
            operation: "api.place".to_owned(),
            skew: Span::ZERO,
        };
        let given_up = answered(&program, "api.place", (1, 0), 0, Outcome::TimedOut);
        let other = answered(&program, "api.look", (1, 0), 0, Outcome::TimedOut);
        let charge = effect("charge", &program).unwrap();
        let charged = Fact::Effect { effect: charge, order: 1, key: 0, amount: 0 };
        let asked = |answer: Fact| match answer {
            Fact::Answered { request, .. } => Fact::Requested(request),
            _ => unreachable!("an answer is to a request"),
        };
        let judge = |again| {
            let facts = [(50, given_up), (55, again), (61, charged)];
            judge(text.judge(&program).unwrap(), &facts)
        };
        assert_eq!((judge(asked(given_up)), judge(asked(other))), ((0, 1), (1, 1)));
    }
}
