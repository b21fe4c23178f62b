//! A small model and facts about it, for the tests of invariants.

use super::WatchList;
use super::judge::{Invariant, Judgement, Tally};
use crate::kernel::time::{Span, Time};
use crate::model::document::{Sources, Value};
use crate::model::problem::Problem;
use crate::model::program::{LabelId, Program};
use crate::policy::Outcome;
use crate::system::fact::{Fact, Request};

const MODEL: &str = r#"
[clients.users]
arrivals = { poisson = "1/s" }
keys = { uniform = 10 }
flow = [{ call = "api.place" }, { call = "api.look" }]

[service.api]
workers = 1
on.look.steps = [{ read = "db.order" }, { reply = "ok" }]
on.place.steps = [
  { read = "db.item", amount = true },
  { transaction = "db", write = ["order = accepted", "order = paid", "item = set"] },
  { transaction = "db", write = ["grant = granted", "grant = revoked", "balance = counted"] },
  { transaction = "db", write = ["debit = posted", "credit = posted"] },
  { call = "bank.charge" },
  { call = "bank.refund" },
  { reply = "ok" },
]

[database.db]
commit = "0s"
read = "0s"

[database.db.tables]
order = {}
debit = {}
credit = {}
item = { rows = "key" }
grant = { rows = "key" }
balance = { rows = "key" }

[provider.bank]
concurrency = 1
latency = "0s"
effects = ["charge", "refund"]
"#;

/// The model, compiled.
pub(super) fn program() -> Program {
    compiled(MODEL)
}

pub(super) fn compiled(model: &str) -> Program {
    let mut sources = Sources::default();
    let source = sources.add("example.toml", model);
    let document = Value::parse(&sources, source).unwrap();
    let no_files = |name: &str| Err(Problem::new(format!("no file {name}")));
    crate::model::compile(&document, &no_files).unwrap_or_else(|wrong| panic!("{wrong:#?}"))
}

/// Two databases with outboxes, whose queues these are.
pub(super) fn outboxes(first: &str, second: &str) -> Program {
    let database = |name: &str, queue: &str| {
        format!(
            "[database.{name}]\ncommit = '0s'\nread = '0s'\ntables = {{ order = {{}} }}\n\
             [outbox.{name}_relay]\ndatabase = '{name}'\nqueue = '{queue}'\npoll = '1s'\n"
        )
    };
    let model = [
        "[clients.users]\narrivals = { poisson = '1/s' }\nflow = [{ call = 'api.order' }]\n\
         [service.api]\nworkers = 1\non.order.steps = [\n\
         { transaction = 'one', write = ['order = placed', 'outbox = placed'] },\n\
         { transaction = 'two', write = ['order = placed', 'outbox = placed'] },\n\
         { reply = 'ok' }]\n\
         [service.sink]\nworkers = 1\ntakes = 'events'\nsteps = [{ ack = true }]\n\
         [queue.events]\nvisibility = '30s'\n[queue.others]\nvisibility = '30s'\n",
        &database("one", first),
        &database("two", second),
    ];
    compiled(&model.concat())
}

/// Orders that are paid by way of an outbox and a queue, and told of by way of another queue.
pub(super) fn two_queues() -> Program {
    compiled(
        "[clients.users]\narrivals = { poisson = '1/s' }\nflow = [{ call = 'api.place' }]\n\
         [service.api]\nworkers = 1\non.place.steps = [\n\
         { transaction = 'db', write = ['order = accepted', 'outbox = accepted'] },\n\
         { publish = 'mails' }, { reply = 'ok' }]\n\
         [database.db]\ncommit = '0s'\nread = '0s'\ntables = { order = {} }\n\
         [outbox.relay]\ndatabase = 'db'\nqueue = 'events'\npoll = '1s'\n\
         [queue.events]\nvisibility = '30s'\nmax_receives = 3\ndead_letters = 'dead'\n\
         [queue.mails]\nvisibility = '30s'\n[queue.dead]\nvisibility = '30s'\n\
         [service.payer]\nworkers = 1\ntakes = 'events'\nsteps = [\n\
         { call = 'books.pay' }, { ack = true }]\n\
         [service.books]\nworkers = 1\non.pay.steps = [\n\
         { transaction = 'db', write = ['order = paid'] }, { reply = 'ok' }]\n\
         [service.clerk]\nworkers = 1\ntakes = 'dead'\nsteps = [\n\
         { transaction = 'db', write = ['order = given_up'] }, { ack = true }]\n\
         [service.mailer]\nworkers = 1\ntakes = 'mails'\nsteps = [\n\
         { work = '1ms' }, { ack = true }]\n",
    )
}

/// What stands in `[invariants]`, or what is wrong with it.
pub(super) fn listed(text: &str) -> Result<WatchList, Vec<Problem>> {
    let mut sources = Sources::default();
    let source = sources.add("invariants.toml", text);
    let value = Value::parse(&sources, source).unwrap();
    let mut problems = Vec::new();
    let list = WatchList::read(Some(&value), &mut problems);
    if problems.is_empty() { Ok(list) } else { Err(problems) }
}

fn time(millis: u64) -> Time {
    Time::ZERO + Span::from_millis(millis)
}

fn tally(mut invariant: impl Invariant, facts: &[(u64, Fact)]) -> Tally {
    for (at, fact) in facts {
        invariant.observe(time(*at), fact);
    }
    invariant.tally(Judgement { healed: Time::ZERO, end: time(1_000_000) })
}

/// What an invariant says of facts, each with its time in milliseconds: violations and exposure.
pub(super) fn judge(invariant: impl Invariant, facts: &[(u64, Fact)]) -> (u64, u64) {
    let tally = tally(invariant, facts);
    (tally.violations, tally.exposure)
}

/// How many cases it could not judge after facts, each with its time in milliseconds.
pub(super) fn unjudged(invariant: impl Invariant, facts: &[(u64, Fact)]) -> u64 {
    tally(invariant, facts).unjudged
}

/// When it was broken first by facts, in milliseconds.
pub(super) fn broken_at(invariant: impl Invariant, facts: &[(u64, Fact)]) -> Option<u64> {
    let first = tally(invariant, facts).first;
    first.map(|first| first.at.since(Time::ZERO).0 / time(1).0)
}

/// A row that a transaction wrote.
#[derive(Clone, Copy)]
pub(super) struct Write<'p> {
    pub(super) program: &'p Program,
    pub(super) table: &'p str,
    pub(super) row: u64,
    pub(super) order: u64,
    pub(super) before: Option<LabelId>,
    pub(super) state: &'p str,
    pub(super) version: u64,
    pub(super) amount: u32,
    pub(super) position: u64,
}

impl<'p> Write<'p> {
    /// The first one, of `database.table = state`.
    pub(super) fn of(program: &'p Program, text: &'p str) -> Write<'p> {
        let (table, state) = text.split_once(" = ").unwrap();
        let (row, order, before, version, amount, position) = (0, 0, None, 1, 0, 1);
        Write { program, table, row, order, before, state, version, amount, position }
    }

    pub(super) fn fact(self) -> Fact {
        let Write { program, row, order, before, version, amount, position, .. } = self;
        let table = program.find_table(self.table).unwrap();
        let state = program.find_label(self.state).unwrap();
        Fact::Committed { table, row, order, before, state, version, amount, position }
    }
}

/// The log is on disk up to a position.
pub(super) fn flushed(program: &Program, position: u64) -> Fact {
    Fact::Flushed { database: program.find_node("db").unwrap(), position }
}

/// A crash undoes what was committed after a position.
pub(super) fn log_lost(program: &Program, after: u64) -> Fact {
    Fact::LogLost { database: program.find_node("db").unwrap(), after, transactions: 1 }
}

/// A user asked at a time in milliseconds about an order and a key, and was answered.
pub(super) fn answered(
    program: &Program,
    operation: &str,
    (order, key): (u64, u32),
    asked: u64,
    outcome: Outcome,
) -> Fact {
    let operation = program.find_operation(operation).unwrap();
    let started = Time::ZERO + Span::from_millis(asked);
    Fact::Answered { request: Request { operation, order, key, started }, outcome, attempts: 1 }
}
