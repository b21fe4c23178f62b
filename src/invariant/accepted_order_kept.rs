//! I5: no accepted order is lost.
//!
//! An order is lost if its user was told that it is accepted, and at the end of the run it has no
//! durable row, or it is not settled and nothing that is still on its way could settle it: no event
//! in an outbox, no message in a queue. A dead letter is not on its way.

use super::known::{ByOrder, DurableRows};
use super::language::{AcceptedOrderKeptText, operation, row_state, table};
use super::{Invariant, Judgement, Tally};
use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::model::program::{OperationId, Program};
use crate::policy::Outcome;
use crate::system::fact::Fact;

/// Follows accepted orders to their end. Exposure: orders accepted.
#[derive(Clone, Debug)]
pub(super) struct AcceptedOrderKept {
    accepted: OperationId,
    orders: ByOrder<Known>,
    rows: DurableRows,
    settled: DurableRows,
}

#[derive(Clone, Copy, Debug, Default)]
struct Known {
    accepted: bool,
    on_its_way: bool,
}

impl AcceptedOrderKept {
    pub(super) fn new(
        text: &AcceptedOrderKeptText,
        program: &Program,
    ) -> Result<AcceptedOrderKept, Problem> {
        let order = table(&text.order, program).map_err(|problem| problem.inside("order"))?;
        let settled =
            row_state(&text.settled, program).map_err(|problem| problem.inside("settled"))?;
        Ok(AcceptedOrderKept {
            accepted: operation(&text.accepted, program)
                .map_err(|problem| problem.inside("accepted"))?,
            orders: ByOrder::default(),
            rows: DurableRows::of(order),
            settled: DurableRows::in_state(settled),
        })
    }

    fn is_lost(&self, order: u64, known: Known) -> bool {
        !self.rows.has(order) || !self.settled.has(order) && !known.on_its_way
    }
}

impl Invariant for AcceptedOrderKept {
    fn observe(&mut self, _: Time, fact: &Fact) {
        match *fact {
            Fact::Answered { request, outcome: Outcome::Ok, .. } => {
                if request.operation == self.accepted {
                    self.orders.of(request.order).accepted = true;
                }
            }
            Fact::Unprocessed { order, .. } => self.orders.of(order).on_its_way = true,
            _ => {
                self.rows.observe(fact);
                self.settled.observe(fact);
            }
        }
    }

    fn tally(&self, judgement: Judgement) -> Tally {
        let mut tally = Tally::default();
        for (order, &known) in self.orders.iter().filter(|(_, known)| known.accepted) {
            tally.exposed();
            if self.is_lost(order, known) {
                tally.broken(judgement.end, Some(order));
            }
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::{Write, answered, flushed, judge, program};
    use super::*;

    #[test]
    fn an_accepted_order_has_a_row_and_is_settled_or_on_its_way() {
        let program = program();
        let text = AcceptedOrderKeptText {
            accepted: "api.place".to_owned(),
            order: "db.order".to_owned(),
            settled: "db.order = paid".to_owned(),
        };
        let answer = (2, answered(&program, "api.place", (3, 0), 1, Outcome::Ok));
        let written = |text| (1, Write { order: 3, ..Write::of(&program, text) }.fact());
        let flush = (3, flushed(&program, 1));
        let waits = (4, Fact::Unprocessed { order: 3, since: Time::ZERO });
        let judge =
            |facts: &[(u64, Fact)]| judge(AcceptedOrderKept::new(&text, &program).unwrap(), facts);
        assert_eq!(judge(&[written("db.order = paid"), answer, flush]), (0, 1));
        assert_eq!(judge(&[written("db.order = accepted"), answer, flush, waits]), (0, 1));
        assert_eq!(judge(&[written("db.order = accepted"), answer, flush]), (1, 1));
        assert_eq!(judge(&[written("db.order = paid"), answer]), (1, 1));
        assert_eq!(judge(&[written("db.order = paid"), flush]), (0, 0));
    }
}
