//! I5: no accepted order is lost.
//!
//! An order is lost if its user was told that it is accepted, and at the end of the run it has no
//! durable row, or it is not settled and nothing that is still on its way could settle it: no event
//! in an outbox, no message in a queue, that leads to a handler which brings the row into the
//! settled state. A dead letter is not on its way. An order with a row that something on its way
//! could still settle is not judged. What is lost is so since the order was accepted or, if that is
//! later, since the last such message about it was done with or its rows were undone.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::breakable::Breakable;
use super::judge::{Invariant, Judgement, Tally};
use super::known::{ByOrder, DurableRows};
use super::names::{operation, row_state, table};
use super::on_its_way::OnItsWay;
use super::promise::{Judged, Promise};
use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::model::program::{OperationId, Program, Transaction};
use crate::policy::Outcome;
use crate::system::fact::kind::hears;
use crate::system::fact::{Fact, Waiting};

/// `accepted_order_kept = { accepted = "api.place_order", order = "orders.order" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct AcceptedOrderKeptText {
    /// The operation whose `ok` tells the user that the order is accepted.
    accepted: String,
    /// The row that an accepted order has.
    order: String,
    /// The row and state of an order that is settled.
    settled: String,
}

impl Promise for AcceptedOrderKeptText {
    const NAME: &'static str = "accepted_order_kept";
    const SENTENCE: &'static str = "No accepted order is lost.";
    const LABEL: &'static str = "accepted orders lost";
    const JUDGED: Judged = Judged::AtEnd;
    const IS_LOSS: bool = true;

    type Judge = AcceptedOrderKept;

    fn judge(&self, program: &Program) -> Result<AcceptedOrderKept, Problem> {
        let order = table(&self.order, program).map_err(|problem| problem.inside("order"))?;
        let settled =
            row_state(&self.settled, program).map_err(|problem| problem.inside("settled"))?;
        let (table, _, state) = settled;
        let settles =
            |one: &Transaction| one.writes.iter().any(|&it| (it.0, Some(it.1)) == (table, state));
        Ok(AcceptedOrderKept {
            accepted: operation(&self.accepted, program)
                .map_err(|problem| problem.inside("accepted"))?,
            orders: ByOrder::default(),
            rows: DurableRows::of(order),
            settled: DurableRows::in_state(settled),
            way: OnItsWay::to(program, settles),
        })
    }

    fn breakable(&self, asked: &mut Breakable<'_>) {
        asked.told_users("accepted", &self.accepted);
    }
}

/// Follows accepted orders to their end. Exposure: orders accepted that have come to it.
#[derive(Clone, Debug)]
pub(super) struct AcceptedOrderKept {
    accepted: OperationId,
    orders: ByOrder<Known>,
    rows: DurableRows,
    settled: DurableRows,
    /// Where what could settle an order is on its way.
    way: OnItsWay,
}

#[derive(Clone, Copy, Debug, Default)]
struct Known {
    accepted: Option<Time>,
    on_its_way: bool,
    /// When a message that could settle it was done with for the last time, however that ended.
    ended: Time,
}

hears!(
    AcceptedOrderKept: Answered, Unprocessed, Acknowledged, DeadLettered, Expired, MessageLost;
    DurableRows
);

impl Invariant for AcceptedOrderKept {
    fn observe(&mut self, now: Time, fact: &Fact) {
        match *fact {
            Answered { request, outcome: Outcome::Ok, .. } => {
                if request.operation == self.accepted {
                    self.orders.of(request.order).accepted.get_or_insert(now);
                }
            }
            Unprocessed(Waiting { node, order, .. }) if self.way.leads_from(node) => {
                self.orders.of(order).on_its_way = true;
            }
            Acknowledged { queue, order, .. }
            | DeadLettered { queue, order, .. }
            | Expired { queue, order, .. }
            | MessageLost { queue, order, .. }
                if self.way.leads_from(queue) =>
            {
                self.orders.of(order).ended = now;
            }
            _ => {
                self.rows.observe::<Self>(now, fact);
                self.settled.observe::<Self>(now, fact);
            }
        }
    }

    fn tally(&self, _: Judgement) -> Tally {
        let mut tally = Tally::default();
        for (order, known) in self.orders.iter() {
            let Some(accepted) = known.accepted else { continue };
            let has_row = self.rows.has(order);
            if has_row && self.settled.has(order) {
                tally.exposed();
            } else if has_row && known.on_its_way {
                tally.not_judged();
            } else {
                tally.exposed();
                let undone = self.rows.lost(order).max(self.settled.lost(order));
                tally.broken(accepted.max(known.ended).max(undone), Some(order));
            }
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::{
        Write, answered, broken_at, flushed, judge, log_lost, two_queues, unjudged,
    };
    use super::*;

    #[test]
    fn an_accepted_order_has_a_row_and_is_settled_or_on_its_way() {
        let program = two_queues();
        let text = AcceptedOrderKeptText {
            accepted: "api.place".to_owned(),
            order: "db.order".to_owned(),
            settled: "db.order = paid".to_owned(),
        };
        let answer = (2, answered(&program, "api.place", (3, 0), 1, Outcome::Ok));
        let written = |text| (1, Write { order: 3, ..Write::of(&program, text) }.fact());
        let flush = (3, flushed(&program, 1));
        let waits_at = |node: &str| {
            let node = program.find_node(node).unwrap();
            (4, Fact::Unprocessed(Waiting { node, order: 3, since: Time::ZERO }))
        };
        let waits = waits_at("events");
        let judge = |facts: &[(u64, Fact)]| judge(text.judge(&program).unwrap(), facts);
        assert_eq!(judge(&[written("db.order = paid"), answer, flush]), (0, 1));
        assert_eq!(judge(&[written("db.order = accepted"), answer, flush, waits]), (0, 0));
        let waiting = [written("db.order = accepted"), answer, flush, waits];
        assert_eq!(unjudged(text.judge(&program).unwrap(), &waiting), 1);
        let told = [written("db.order = accepted"), answer, flush, waits_at("mails")];
        assert_eq!(judge(&told), (1, 1), "who is told of it does not settle it");
        let dead = [written("db.order = accepted"), answer, flush, waits_at("dead")];
        assert_eq!(judge(&dead), (1, 1), "what writes another state does not settle it");
        assert_eq!(judge(&[answer, waits]), (1, 1), "without a row nothing can settle it");
        assert_eq!(judge(&[written("db.order = accepted"), answer, flush]), (1, 1));
        assert_eq!(judge(&[written("db.order = paid"), answer]), (1, 1));
        assert_eq!(judge(&[written("db.order = paid"), flush]), (0, 0));
        let at = |facts: &[(u64, Fact)]| broken_at(text.judge(&program).unwrap(), facts);
        let written = written("db.order = accepted");
        let dead_in = |queue: &str| {
            let queue = program.find_node(queue).unwrap();
            Fact::DeadLettered { queue, order: 3, since: Time::ZERO }
        };
        assert_eq!(at(&[written, answer, flush]), Some(2), "nothing ever was to settle it");
        assert_eq!(at(&[written, answer, flush, (9, dead_in("events"))]), Some(9), "it is gone");
        assert_eq!(at(&[written, answer, flush, (9, dead_in("mails"))]), Some(2), "it was not to");
        assert_eq!(at(&[written, answer, (5, log_lost(&program, 0))]), Some(5));
    }
}
