//! I26: no more is sold than there was.
//!
//! For each key, the orders that are sold and not returned are never more than its stock held from
//! the start. What counts is what orders say, not what the stock says: a stock that two buyers have
//! read at once says that one was taken. Each sale beyond the stock breaks it, when it is
//! committed. What a crash or a failover undoes was never sold.

use std::collections::BTreeMap;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::breakable::Breakable;
use super::condition::{Condition, Moments};
use super::judge::{Invariant, Judgement, Tally};
use super::known::ByOrder;
use super::names::table;
use super::promise::{Judged, Promise};
use crate::kernel::time::Time;
use crate::model::language::Rows;
use crate::model::problem::Problem;
use crate::model::program::Program;
use crate::system::fact::Fact;
use crate::system::fact::kind::hears;

/// `no_oversell = { stock = "shop.tickets", sold = "shop.order = sold", returned = "shop.order =
/// cancelled" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct NoOversellText {
    /// The table of the stock, with a row for each key.
    stock: String,
    /// The row and state of an order that has a piece of it.
    sold: String,
    /// The row and state of an order that has given it back, if any can.
    #[serde(default)]
    returned: Option<String>,
}

impl Promise for NoOversellText {
    const NAME: &'static str = "no_oversell";
    const SENTENCE: &'static str = "No more is sold than there was.";
    const LABEL: &'static str = "oversold";
    const JUDGED: Judged = Judged::AtEnd;
    const EXCUSES: &'static [&'static str] = &["returned"];

    type Judge = NoOversell;

    fn judge(&self, program: &Program) -> Result<NoOversell, Problem> {
        let inside = |key: &'static str| move |problem: Problem| problem.inside(key);
        let (id, _) = table(&self.stock, program).map_err(inside("stock"))?;
        let of = &program.tables[id.0 as usize];
        let Some(stock) = of.stock.filter(|_| of.rows == Rows::Key) else {
            return Err(Problem::new(format!("`{}` holds no stock of each key", self.stock))
                .expected("a table with `rows = \"key\"` and `stock`")
                .inside("stock"));
        };
        let returned = self.returned.as_ref().map(|text| Condition::row(text, program));
        Ok(NoOversell {
            stock: u64::from(stock),
            sold: Condition::row(&self.sold, program).map_err(inside("sold"))?,
            returned: returned.transpose().map_err(inside("returned"))?,
            keys: ByOrder::default(),
        })
    }

    fn breakable(&self, asked: &mut Breakable<'_>) {
        let sold = self.sold.split('=').next().unwrap_or_default();
        asked.written("sold", &[sold.trim()]);
    }
}

/// Counts what is sold of each key. Exposure: sales.
#[derive(Clone, Debug)]
pub(super) struct NoOversell {
    stock: u64,
    sold: Condition,
    returned: Option<Condition>,
    /// The key that each order is about.
    keys: ByOrder<u32>,
}

/// A sale, or the return of one: when, at which position of the log, and of which order.
type Turn = (Time, u64, u64, bool);

/// When an order was sold and returned, by what stands.
fn turns(order: u64, sold: &Moments, returned: Option<&Moments>) -> Vec<Turn> {
    let returned = returned.map_or(&[][..], |returned| returned.of(order));
    let mut turns: Vec<Turn> = Vec::new();
    for (moments, is_sold) in [(sold.of(order), true), (returned, false)] {
        turns.extend(moments.iter().map(|moment| {
            let position = moment.transaction.map_or(0, |(_, position)| position);
            (moment.at, position, order, is_sold)
        }));
    }
    turns.sort_unstable();
    let mut is_sold = false;
    turns.retain(|&(.., sells)| std::mem::replace(&mut is_sold, sells) != sells);
    turns
}

hears!(NoOversell: Requested; Condition);

impl Invariant for NoOversell {
    fn observe(&mut self, now: Time, fact: &Fact) {
        if let Requested(request) = fact {
            *self.keys.of(request.order) = request.key;
        }
        let conditions = [&mut self.sold].into_iter().chain(&mut self.returned);
        conditions.for_each(|condition| condition.observe::<Self>(now, fact));
    }

    fn tally(&self, _: Judgement) -> Tally {
        let sold = self.sold.moments();
        let returned = self.returned.as_ref().map(Condition::moments);
        let mut of_keys: BTreeMap<u32, Vec<Turn>> = BTreeMap::new();
        for (order, _) in sold.first() {
            let key = self.keys.get(order).copied().unwrap_or(0);
            of_keys.entry(key).or_default().extend(turns(order, &sold, returned.as_ref()));
        }
        let mut tally = Tally::default();
        for mut turns in of_keys.into_values() {
            turns.sort_unstable();
            let mut held = 0;
            for (at, _, order, is_sold) in turns {
                if !is_sold {
                    held -= 1;
                    continue;
                }
                held += 1;
                tally.exposed();
                if held > self.stock {
                    tally.broken(at, Some(order));
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
    use crate::model::program::{LabelId, OperationId};
    use crate::system::fact::Request;

    fn row(state: LabelId) -> Condition {
        Condition::Row(Standing::orders((ORDERS, DATABASE)), Wanted::State(Some(state)))
    }

    /// What a promise says of a stock of one: violations and exposure, and when it was broken.
    fn of(facts: &[(u64, Fact)]) -> (u64, u64, Option<Time>) {
        let (sold, returned) = (row(PAID), Some(row(CANCELLED)));
        let promise = NoOversell { stock: 1, sold, returned, keys: ByOrder::default() };
        let tally = judge(promise, facts, 0, 20);
        (tally.violations, tally.exposure, tally.first.map(|first| first.at))
    }

    fn asks(order: u64, key: u32) -> (u64, Fact) {
        let operation = OperationId(0);
        (0, Fact::Requested(Request { operation, order, key, started: Time::ZERO }))
    }

    #[test]
    fn each_sale_beyond_the_stock_of_its_key_breaks_it() {
        let sold = |at, order, position| (at, committed(order, PAID, position));
        let flushed = (15, flushed(9));
        let three = [sold(1, 0, 1), sold(2, 1, 2), sold(3, 2, 3), flushed];
        assert_eq!(of(&three), (2, 3, Some(at(2))));
        let other = [asks(0, 7), asks(1, 8), asks(2, 9)];
        assert_eq!(of(&[&other[..], &three].concat()), (0, 3, None), "of other keys");
        assert_eq!(of(&three[..3]), (0, 0, None), "none of it is on disk");
    }

    #[test]
    fn what_is_returned_may_be_sold_again_and_what_a_crash_undoes_was_never_sold() {
        let sold = |at, order, position| (at, committed(order, PAID, position));
        let back = (2, committed(0, CANCELLED, 2));
        let flushed = (15, flushed(9));
        assert_eq!(of(&[sold(1, 0, 1), back, sold(3, 1, 3), flushed]), (0, 2, None));
        let early = [sold(1, 0, 1), sold(2, 1, 3), (3, committed(0, CANCELLED, 4)), flushed];
        assert_eq!(of(&early), (1, 2, Some(at(2))), "it was not back yet");
        let twice = [sold(1, 0, 1), sold(2, 0, 2), flushed];
        assert_eq!(of(&twice), (0, 1, None), "one order has one piece");
        let lost = [sold(1, 0, 1), (2, log_lost(0)), sold(3, 1, 1), flushed];
        assert_eq!(of(&lost), (0, 1, None));
    }
}
