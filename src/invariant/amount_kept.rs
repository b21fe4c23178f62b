//! I15: an order is charged the amount at which it was accepted, less what was refunded, and never
//! less than nothing. Nothing is said of orders whose work carries no amount.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::breakable::Breakable;
use super::judge::{Invariant, Judgement, Tally};
use super::known::ByOrder;
use super::names::{effect, row_state};
use super::promise::{Judged, Promise};
use crate::kernel::time::Time;
use crate::model::problem::Problem;
use crate::model::program::{LabelId, NodeId, Program, Step, TableId};
use crate::system::fact::Fact;
use crate::system::fact::kind::hears;

/// `amount_kept = { order = "shop.order = accepted", charge = "charge" }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct AmountKeptText {
    /// The row and state of an order that is accepted.
    order: String,
    /// The effect that charges it.
    charge: String,
    /// The effect that gives an amount back, if there is one.
    #[serde(default)]
    refund: Option<String>,
}

impl Promise for AmountKeptText {
    const NAME: &'static str = "amount_kept";
    const SENTENCE: &'static str = "An order is charged the amount at which it was accepted.";
    const LABEL: &'static str = "wrong amounts";
    const JUDGED: Judged = Judged::AtOnce;

    type Judge = AmountKept;

    fn judge(&self, program: &Program) -> Result<AmountKept, Problem> {
        let (table, database, accepted) =
            row_state(&self.order, program).map_err(|problem| problem.inside("order"))?;
        let refund = self.refund.as_ref().map(|refund| effect(refund, program)).transpose();
        Ok(AmountKept {
            table,
            database,
            accepted,
            charge: effect(&self.charge, program).map_err(|problem| problem.inside("charge"))?,
            refund: refund.map_err(|problem| problem.inside("refund"))?,
            orders: ByOrder::default(),
            tally: Tally::default(),
        })
    }

    fn breakable(&self, asked: &mut Breakable<'_>) {
        asked.effect("charge", &self.charge);
        let carries = |step: &Step| matches!(step, Step::TakeAmount);
        if !asked.program.steps.iter().any(carries) {
            let why = "no step reads an amount";
            asked.note("charge", why, "a step `read` with `amount = true`");
        }
    }
}

/// Compares the amounts of charges and refunds with that of the order. Exposure: orders charged or
/// refunded whose work carries an amount.
#[derive(Clone, Debug)]
pub(super) struct AmountKept {
    table: TableId,
    database: NodeId,
    accepted: Option<LabelId>,
    charge: LabelId,
    refund: Option<LabelId>,
    orders: ByOrder<Account>,
    tally: Tally,
}

/// What is known of an order.
#[derive(Clone, Copy, Debug, Default)]
struct Account {
    /// At what amount it was accepted, and by the transaction at which position.
    accepted: Option<(u32, u64)>,
    is_charged: bool,
    charged: u64,
    refunded: u64,
    is_exposed: bool,
    is_broken: bool,
}

impl AmountKept {
    /// An amount of an order has become known: both sides may be known now.
    fn judge(&mut self, now: Time, order: u64) {
        let account = self.orders.of(order);
        let has_moved = account.is_charged || account.refunded > 0;
        // An amount of 0 is one that nobody has read: where no work carries any, none can be wrong.
        let accepted = account.accepted.map_or(0, |(amount, _)| u64::from(amount));
        let has_moved = has_moved && accepted + account.charged + account.refunded > 0;
        if has_moved && !account.is_exposed {
            account.is_exposed = true;
            self.tally.exposed();
        }
        let is_other = account
            .accepted
            .is_some_and(|(amount, _)| account.is_charged && account.charged != u64::from(amount));
        if !account.is_broken && (is_other || account.refunded > account.charged) {
            account.is_broken = true;
            self.tally.broken(now, Some(order));
        }
    }
}

hears!(AmountKept: Committed, WriteLost, LogLost, Effect);

impl Invariant for AmountKept {
    fn observe(&mut self, now: Time, fact: &Fact) {
        let order = match *fact {
            Committed { table, order, state, amount, position, .. }
                if table == self.table && Some(state) == self.accepted =>
            {
                self.orders.of(order).accepted.get_or_insert((amount, position));
                order
            }
            WriteLost { table, order, position, .. } if table == self.table => {
                let accepted = &mut self.orders.of(order).accepted;
                *accepted = accepted.filter(|&(_, accepted)| accepted != position);
                return;
            }
            LogLost { database, after, .. } if database == self.database => {
                for account in self.orders.iter_mut() {
                    account.accepted = account.accepted.filter(|&(_, accepted)| accepted <= after);
                }
                return;
            }
            Effect { effect, order, amount, .. } if effect == self.charge => {
                let account = self.orders.of(order);
                account.is_charged = true;
                account.charged += u64::from(amount);
                order
            }
            Effect { effect, order, amount, .. } if Some(effect) == self.refund => {
                self.orders.of(order).refunded += u64::from(amount);
                order
            }
            _ => return,
        };
        self.judge(now, order);
    }

    fn tally(&self, _: Judgement) -> Tally {
        self.tally
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::{Write, judge, log_lost, program};
    use super::*;

    /// An order is accepted at 5; then these amounts are charged and, below zero, refunded.
    fn moved(amounts: &[i32]) -> (u64, u64) {
        moved_of(5, amounts)
    }

    /// An order is accepted at an amount, where 0 is none; then these are charged or refunded.
    fn moved_of(accepted: u32, amounts: &[i32]) -> (u64, u64) {
        let program = program();
        let write =
            Write { order: 2, amount: accepted, ..Write::of(&program, "db.order = accepted") };
        let again = Write { amount: 9, version: 2, position: 2, ..write };
        let effects = amounts.iter().map(|&amount| {
            let name = if amount >= 0 { "charge" } else { "refund" };
            let effect = effect(name, &program).unwrap();
            (2, Fact::Effect { effect, order: 2, key: 0, amount: amount.unsigned_abs() })
        });
        let facts: Vec<(u64, Fact)> =
            [(0, write.fact()), (1, again.fact())].into_iter().chain(effects).collect();
        judge(kept(&program), &facts)
    }

    fn kept(program: &Program) -> AmountKept {
        let text = AmountKeptText {
            order: "db.order = accepted".to_owned(),
            charge: "charge".to_owned(),
            refund: Some("refund".to_owned()),
        };
        text.judge(program).unwrap()
    }

    /// Of an amount that is no longer accepted no charge is wrong; the first that is accepted after
    /// it counts.
    #[test]
    fn what_is_about_something_else_changes_no_account() {
        let program = program();
        let accepted = |text, amount, position| {
            let write = Write::of(&program, text);
            (0, Write { order: 2, amount, position, ..write }.fact())
        };
        let moved = |name: &str, amount| {
            let effect = effect(name, &program).unwrap();
            (2, Fact::Effect { effect, order: 2, key: 0, amount })
        };
        let (first, charged) = (accepted("db.order = accepted", 5, 3), moved("charge", 5));
        let paid = accepted("db.order = paid", 9, 2);
        assert_eq!(judge(kept(&program), &[paid, first, charged]), (0, 1), "of another state");
        let database = program.find_node("bank").unwrap();
        let lost = (1, Fact::LogLost { database, after: 2, transactions: 1 });
        let other = moved("charge", 6);
        assert_eq!(judge(kept(&program), &[first, lost, other]), (1, 1), "of another database");
        let without = AmountKept { refund: None, ..kept(&program) };
        let refunded = moved("refund", 6);
        assert_eq!(judge(without, &[first, charged, refunded]), (0, 1), "another effect");
    }

    #[test]
    fn an_acceptance_that_is_lost_is_none() {
        let program = program();
        let accepted = |amount, position| {
            let write = Write::of(&program, "db.order = accepted");
            (0, Write { order: 2, row: 2, amount, position, ..write }.fact())
        };
        let other = (0, Write { order: 2, ..Write::of(&program, "db.debit = posted") }.fact());
        let charge = effect("charge", &program).unwrap();
        let charged = (2, Fact::Effect { effect: charge, order: 2, key: 0, amount: 6 });
        let lost = |text: &str, position| {
            let (table, database, state) = row_state(text, &program).unwrap();
            let fact = Fact::WriteLost {
                table,
                row: 2,
                order: 2,
                state: state.unwrap(),
                version: 1,
                position,
            };
            assert_eq!(Some(database), program.find_node("db"));
            (1, fact)
        };
        let counts = |facts: &[(u64, Fact)]| judge(kept(&program), facts);
        let order = "db.order = accepted";
        assert_eq!(counts(&[accepted(5, 3), lost(order, 3), charged]), (0, 1));
        assert_eq!(counts(&[accepted(5, 3), lost(order, 4), charged]), (1, 1), "another write");
        assert_eq!(counts(&[accepted(5, 3), lost("db.debit = posted", 3), charged]), (1, 1));
        assert_eq!(counts(&[other, lost(order, 1), accepted(5, 3), charged]), (1, 1));
        assert_eq!(counts(&[accepted(5, 3), lost(order, 3), accepted(6, 4), charged]), (0, 1));
        assert_eq!(counts(&[accepted(5, 3), (1, log_lost(&program, 2)), charged]), (0, 1));
        assert_eq!(counts(&[accepted(5, 3), (1, log_lost(&program, 3)), charged]), (1, 1));
        assert_eq!(counts(&[other, charged]), (0, 1), "nothing was accepted");
        let item = Write { order: 2, amount: 5, ..Write::of(&program, "db.item = set") }.fact();
        assert_eq!(counts(&[(0, item), charged]), (0, 1), "another table's amount is none of it");
    }

    #[test]
    fn the_amount_at_acceptance_is_what_is_charged() {
        assert_eq!(moved(&[]), (0, 0));
        assert_eq!(moved(&[5]), (0, 1));
        assert_eq!(moved(&[6]), (1, 1));
        assert_eq!(moved(&[5, 5]), (1, 1));
        assert_eq!(moved(&[6, 6]), (1, 1), "broken once, however often it is wrong");
        assert_eq!(moved(&[5, -5]), (0, 1));
        assert_eq!(moved(&[5, -6]), (1, 1));
        assert_eq!(moved(&[-1, 5]), (1, 1));
        assert_eq!(moved(&[-1]), (1, 1), "nothing was charged");
    }

    #[test]
    fn where_no_work_carries_an_amount_none_can_be_wrong() {
        assert_eq!(moved_of(0, &[0]), (0, 0));
        assert_eq!(moved_of(0, &[5]), (1, 1));
        assert_eq!(moved_of(0, &[-1]), (1, 1));
        assert_eq!(moved(&[0]), (1, 1), "the charge has forgotten it");
    }
}
