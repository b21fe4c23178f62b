//! What an order can come to: a state of its row, an effect, an entry of an audit log, a message.
//!
//! What a transaction has written counts if it is on disk at the end of the run. What a crash or a
//! failover undoes never was.

use super::known::ByOrder;
use super::names::{effect, queue, row_state, table};
use super::standing::{Commit, Standing};
use crate::kernel::time::Time;
use crate::model::problem::{Problem, shortened};
use crate::model::program::{Kind, LabelId, NodeId, Program};
use crate::system::fact::Fact;
use crate::system::fact::kind::{Hears, hears};

/// Something that an order can come to, with every time that one did.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    /// A row that was written on behalf of the order.
    Row(Standing, Wanted),
    /// Something that a provider does.
    Effect(LabelId, ByOrder<Vec<Time>>),
    /// An entry in the audit log of any database.
    Audited(Vec<Standing>),
    /// A queue accepts a message about the order.
    Message(NodeId, ByOrder<Vec<Time>>),
    /// A queue hands a message about the order to a consumer.
    Delivery(NodeId, ByOrder<Vec<Time>>),
}

/// Which versions of a row count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All.
    Any,
    /// Those in this state; `None` if this program never writes it.
    State(Option<LabelId>),
}

impl Wanted {
    fn counts(self, state: LabelId) -> bool {
        match self {
            Wanted::Any => true,
            Wanted::State(wanted) => wanted == Some(state),
        }
    }
}

/// When an order came to something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// The time.
    pub(super) at: Time,
    /// Of what a transaction wrote: whose, and its position in the log.
    pub(super) transaction: Option<(NodeId, u64)>,
}

impl Moment {
    /// Whether it was no later than another one. Transactions of one database are in the order of
    /// its log.
    pub(super) fn is_by(self, other: Moment) -> bool {
        match (self.transaction, other.transaction) {
            (Some((own, position)), Some((its, by))) if own == its && self.at == other.at => {
                position <= by
            }
            _ => self.at <= other.at,
        }
    }
}

/// Every time that orders came to something, as it stands at the end of a run.
#[derive(Clone, Debug)]
pub(super) struct Moments {
    of: ByOrder<Vec<Moment>>,
    /// When a crash or a failover undid it for the last time.
    undone: ByOrder<Time>,
}

impl Moments {
    /// Those of an order, the earliest first.
    pub(super) fn of(&self, order: u64) -> &[Moment] {
        self.of.get(order).map_or(&[], Vec::as_slice)
    }

    /// How many there are of an order up to a time.
    pub(super) fn until(&self, order: u64, time: Time) -> usize {
        self.of(order).iter().filter(|moment| moment.at <= time).count()
    }

    /// When a crash or a failover undid it for the last time; the start of the run if none did.
    pub(super) fn undone(&self, order: u64) -> Time {
        self.undone.get(order).copied().unwrap_or(Time::ZERO)
    }

    /// The orders that came to it, each with the first time.
    pub(super) fn first(&self) -> impl Iterator<Item = (u64, Moment)> {
        self.of.iter().filter_map(|(order, moments)| Some((order, *moments.first()?)))
    }
}

const EXPECTED: &str = "\"db.table = state\", \"db.table\", \"effect NAME\", \"audit ENTRY\", \
                        \"message QUEUE\" or \"delivery QUEUE\"";

hears!(Condition: Effect, Enqueued, Delivered; Standing);

impl Condition {
    /// What a text such as `orders.order = paid` or `effect charge` asks for.
    pub(super) fn new(text: &str, program: &Program) -> Result<Condition, Problem> {
        let (word, name) = text.split_once(' ').unwrap_or((text, ""));
        match (word, name.trim()) {
            ("effect", name) => Condition::effect(name, program),
            ("audit", entry) => Ok(Condition::audited(program.find_label(entry), program)),
            ("message", name) => Ok(Condition::Message(queue(name, program)?, ByOrder::default())),
            ("delivery", name) => {
                Ok(Condition::Delivery(queue(name, program)?, ByOrder::default()))
            }
            _ if text.contains('=') || text.contains('.') => Condition::row(text, program),
            _ => Err(Problem::new(format!(
                "`{}` is nothing that an order can come to",
                shortened(text)
            ))
            .expected(EXPECTED)),
        }
    }

    /// A row in a state, `db.table = state`, or in any, `db.table`.
    pub(super) fn row(text: &str, program: &Program) -> Result<Condition, Problem> {
        if !text.contains('=') {
            let rows = Standing::orders(table(text.trim(), program)?);
            return Ok(Condition::Row(rows, Wanted::Any));
        }
        let (table, database, state) = row_state(text, program)?;
        Ok(Condition::Row(Standing::orders((table, database)), Wanted::State(state)))
    }

    /// An effect by its name.
    pub(super) fn effect(name: &str, program: &Program) -> Result<Condition, Problem> {
        Ok(Condition::Effect(effect(name, program)?, ByOrder::default()))
    }

    fn audited(entry: Option<LabelId>, program: &Program) -> Condition {
        let nodes = program.nodes.iter().enumerate();
        let databases = nodes.filter(|(_, node)| matches!(node.kind, Kind::Database(_)));
        let entries = |(index, _)| Standing::entries(entry, NodeId(index as u16));
        Condition::Audited(databases.map(entries).collect())
    }

    /// Whether it is something that a provider does.
    pub(super) fn is_effect(&self) -> bool {
        matches!(self, Condition::Effect(..))
    }

    /// Takes note of a fact.
    pub(super) fn observe<Whole: Hears>(&mut self, now: Time, fact: &Fact) {
        Self::is_part_of::<Whole>();
        match (self, *fact) {
            (Condition::Row(rows, _), _) => rows.observe::<Self>(now, fact),
            (Condition::Audited(logs), _) => {
                logs.iter_mut().for_each(|entries| entries.observe::<Self>(now, fact));
            }
            (Condition::Effect(wanted, times), Effect { effect, order, .. })
                if effect == *wanted =>
            {
                times.of(order).push(now);
            }
            (Condition::Message(wanted, times), Enqueued { queue, order, .. })
            | (Condition::Delivery(wanted, times), Delivered { queue, order, .. })
                if queue == *wanted =>
            {
                times.of(order).push(now);
            }
            _ => {}
        }
    }

    /// Every time that an order came to it, by what stands and is on disk.
    pub(super) fn moments(&self) -> Moments {
        let mut moments = Moments { of: ByOrder::default(), undone: ByOrder::default() };
        match self {
            Condition::Row(rows, wanted) => {
                moments.add(rows, |commit| wanted.counts(commit.state));
            }
            Condition::Audited(logs) => {
                logs.iter().for_each(|entries| moments.add(entries, |_| true));
            }
            Condition::Effect(_, times)
            | Condition::Message(_, times)
            | Condition::Delivery(_, times) => {
                for (order, times) in times.iter() {
                    let moment = |&at: &Time| Moment { at, transaction: None };
                    *moments.of.of(order) = times.iter().map(moment).collect();
                }
            }
        }
        moments
    }
}

impl Moments {
    fn add(&mut self, standing: &Standing, counts: impl Fn(&Commit) -> bool) {
        let database = standing.database();
        for (order, commit) in standing.on_disk().filter(|(_, commit)| counts(commit)) {
            let transaction = Some((database, commit.position));
            let moments = self.of.of(order);
            moments.push(Moment { at: commit.at, transaction });
            moments.sort_by_key(|moment| moment.at);
        }
        for &(order, at, _) in standing.undone().iter().filter(|(_, _, commit)| counts(commit)) {
            let last = self.undone.of(order);
            *last = at.max(*last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariant::example::{Write, flushed, program, two_queues};
    use crate::invariant::fixture::{
        DATABASE, ORDERS, PAID, PLACED, QUEUE, committed, delivered, enqueued,
        flushed as flushed_to,
    };

    fn moments(text: &str, facts: &[Fact]) -> Vec<u64> {
        let mut condition = Condition::new(text, &program()).unwrap();
        for (at, fact) in facts.iter().enumerate() {
            condition.observe::<Condition>(Time(at as u64), fact);
        }
        condition.moments().of(2).iter().map(|moment| moment.at.0).collect()
    }

    #[test]
    fn a_row_counts_in_its_state_or_in_any_once_it_is_on_disk() {
        let program = program();
        let write =
            |text, position| Write { order: 2, position, ..Write::of(&program, text) }.fact();
        let facts = [write("db.order = accepted", 1), write("db.order = paid", 2)];
        let on_disk = |position| [&facts[..], &[flushed(&program, position)]].concat();
        assert_eq!(moments("db.order = paid", &on_disk(2)), [1]);
        assert!(moments("db.order = paid", &on_disk(1)).is_empty());
        assert_eq!(moments("db.order", &on_disk(2)), [0, 1]);
        let database = program.find_node("db").unwrap();
        let lost = Fact::LogLost { database, after: 1, transactions: 1 };
        assert_eq!(moments("db.order", &[&facts[..], &[lost, flushed(&program, 1)]].concat()), [0]);
    }

    #[test]
    fn an_effect_counts_each_time_that_it_happens() {
        let program = program();
        let effect = effect("charge", &program).unwrap();
        let charge = |order| Fact::Effect { effect, order, key: 0, amount: 0 };
        assert_eq!(moments("effect charge", &[charge(2), charge(1), charge(2)]), [0, 2]);
        assert!(moments("effect refund", &[charge(2)]).is_empty());
    }

    #[test]
    fn messages_count_when_they_are_accepted_and_when_they_are_handed_out() {
        let times = ByOrder::default;
        let (message, delivery) =
            (Condition::Message(QUEUE, times()), Condition::Delivery(QUEUE, times()));
        let elsewhere = [
            Fact::Enqueued { queue: DATABASE, order: 2, event: 3 },
            Fact::Delivered { queue: DATABASE, order: 2, message: 3, event: 3, receives: 1 },
        ];
        let here = [enqueued(2, 1), delivered(2, 1), delivered(2, 1), enqueued(3, 2)];
        let facts = [&here[..], &elsewhere].concat();
        let of = |mut condition: Condition| {
            for (at, fact) in facts.iter().enumerate() {
                condition.observe::<Condition>(Time(at as u64), fact);
            }
            condition.moments().of(2).iter().map(|moment| moment.at.0).collect::<Vec<_>>()
        };
        assert_eq!((of(message), of(delivery)), (vec![0], vec![1, 2]));
    }

    #[test]
    fn entries_of_several_logs_are_in_the_order_of_time() {
        let (entry, other) = (Some(PAID), NodeId(DATABASE.0 + 1));
        let logs = [other, DATABASE].map(|database| Standing::entries(entry, database));
        let mut audited = Condition::Audited(logs.to_vec());
        for (at, database) in [(1, DATABASE), (2, other), (3, DATABASE)] {
            let fact = Fact::Audited { entry: PAID, order: 2, database, position: at };
            audited.observe::<Condition>(Time(at), &fact);
            audited.observe::<Condition>(Time(at), &Fact::Flushed { database, position: at });
        }
        let moments = audited.moments();
        assert_eq!(moments.of(2).iter().map(|moment| moment.at.0).collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn what_a_failover_loses_never_was() {
        let rows = Standing::orders((ORDERS, DATABASE));
        let mut paid = Condition::Row(rows, Wanted::State(Some(PAID)));
        let lost = Fact::CommitLost { database: DATABASE, position: 2, order: 2 };
        for (at, fact) in
            [committed(2, PLACED, 1), committed(2, PAID, 2), flushed_to(2), lost].iter().enumerate()
        {
            paid.observe::<Condition>(Time(at as u64), fact);
        }
        let moments = paid.moments();
        assert_eq!((moments.of(2).len(), moments.undone(2)), (0, Time(3)));
    }

    #[test]
    fn what_an_order_cannot_come_to_is_refused() {
        let program = program();
        for text in ["charge", "effect", "effect chrage", "db.ordr", "db.ordr = paid", "message db"]
        {
            assert!(Condition::new(text, &program).is_err(), "{text}");
        }
        let wrong = Condition::new("charge", &program).unwrap_err().to_string();
        assert!(wrong.contains("nothing that an order can come to"), "{wrong}");
        let program = two_queues();
        for text in ["message events", "delivery mails"] {
            assert!(Condition::new(text, &program).is_ok(), "{text}");
        }
    }

    #[test]
    fn transactions_of_one_instant_are_in_the_order_of_the_log() {
        let moment = |at, node, position| Moment {
            at: Time(at),
            transaction: Some((NodeId(node), position)),
        };
        assert!(moment(5, 0, 1).is_by(moment(5, 0, 1)) && moment(5, 0, 1).is_by(moment(5, 0, 2)));
        assert!(!moment(5, 0, 2).is_by(moment(5, 0, 1)));
        assert!(moment(5, 0, 2).is_by(moment(5, 1, 1)), "two logs have no order");
        assert!(moment(4, 0, 9).is_by(moment(5, 0, 1)) && !moment(6, 0, 1).is_by(moment(5, 0, 2)));
    }
}
