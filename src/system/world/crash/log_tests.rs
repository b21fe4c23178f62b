//! What a crash keeps is what was flushed, whenever it comes.

use std::collections::BTreeMap;

use crate::kernel::limit::Limits;
use crate::kernel::time::{Span, Time};
use crate::model::compile;
use crate::model::document::{Sources, Value};
use crate::model::program::{NodeId, Program, Step, TableId, Token};
use crate::system::control::{Action, Control};
use crate::system::fact::Fact;
use crate::system::job::pack;
use crate::system::node::database::Tables;
use crate::system::{Observer, World};

fn program(flush: &str) -> Program {
    let model = r#"
[clients.users]
arrivals = { poisson = "300/s" }
keys = { uniform = 20 }
flow = [{ call = "api.order" }, { call = "api.order" }]

[service.api]
workers = "unlimited"
on.order.steps = [
  { transaction = "orders", write = [
      "order = accepted", "account = charged", "outbox = placed"] },
  { reply = "ok" },
]

[database.orders]
commit = "exp 2ms"
read = "1ms"
flush = FLUSH
tables = { order = {}, account = { rows = "key" } }

[replica.copy]
of = "orders"
lag = "0s"
read = "1ms"

[outbox.relay]
database = "orders"
queue = "work"
poll = "20ms"

[queue.work]
visibility = "1s"

[service.worker]
workers = "unlimited"
takes = "work"
steps = [{ ack = true }]
"#;
    let mut sources = Sources::default();
    let source = sources.add("model.toml", &model.replace("FLUSH", flush));
    let document = Value::parse(&sources, source).unwrap();
    let mut program = compile(&document, &|_| unreachable!("this model names no file")).unwrap();
    // Every transaction has an idempotency key.
    for step in &mut program.steps {
        if let Step::Call(call) = step
            && program.operations[call.operation.0 as usize].name == "orders.transaction"
        {
            call.token = Token::Request;
        }
    }
    program
}

/// What the facts say: rows on disk, and writes that are not.
#[derive(Default)]
struct Replay {
    disk: BTreeMap<(u16, u64), u64>,
    memory: Vec<(u64, TableId, u64, u64)>,
    flushed: u64,
    events: [usize; 2],
    lost: u64,
}

impl Observer for Replay {
    fn observe(&mut self, _: Time, fact: &Fact) {
        match *fact {
            Fact::Committed { table, row, state, version, position, .. } => {
                self.memory.push((position, table, row, pack(version, table, state)));
            }
            Fact::Outboxed { .. } => self.events[1] += 1,
            Fact::Flushed { position, .. } => {
                for (_, table, row, value) in self.memory.drain(..) {
                    self.disk.insert((table.0, row), value);
                }
                self.flushed = position;
                self.events[0] += std::mem::take(&mut self.events[1]);
            }
            Fact::LogLost { after, transactions, .. } => {
                assert_eq!(after, self.flushed);
                let mut positions: Vec<u64> = self.memory.drain(..).map(|write| write.0).collect();
                positions.dedup();
                assert_eq!(transactions, positions.len() as u64);
                self.events[1] = 0;
                self.lost += transactions;
            }
            _ => {}
        }
    }
}

#[test]
fn a_database_crash_keeps_exactly_what_was_flushed() {
    for (flush, loses) in [
        ("\"each_commit\"", false),
        ("{ group = \"4ms\" }", false),
        ("{ every = \"30ms\" }", true),
        ("{ every = \"1s\" }", true),
    ] {
        let program = program(flush);
        let database = program.find_node("orders").unwrap();
        let copy = program.find_node("copy").unwrap();
        let mut lost = 0;
        for round in 0..60 {
            // Two crashes: what is lost by the first is given again before the second.
            let first = Time(400_000_000 + round * 7_300_001);
            let second = first + Span::from_millis(251);
            let crash = |from| Control {
                fault: 0,
                from,
                until: from + Span::from_millis(40),
                action: Action::Crash { node: database, instances: 0..1, unreachable: false },
            };
            let controls = [crash(first), crash(second)];
            let limits = Limits::until(second + Span::from_millis(20));
            let mut replay = Replay::default();
            let mut world =
                World::new(&program, &controls, round, Time::NEVER, limits, &mut replay);
            world.run_to_the_end();
            let rows = rows(&world.nodes.store(database).tables);
            let kept = world.nodes.store(database).outbox.iter().filter(|event| !event.is_lost);
            let kept = kept.count();
            let answers = world.nodes.store(database).idempotency.len() as u64;
            let copied = self::rows(&world.nodes.store(copy).tables);
            assert_eq!(rows, replay.disk, "{flush} {first}");
            assert_eq!(kept, replay.events[0], "{flush} {first}");
            assert_eq!(answers, replay.flushed, "one key for each transaction");
            // A replica without lag has what is on disk, and nothing else.
            assert_eq!(copied, replay.disk, "{flush} {first}");
            lost += replay.lost;
        }
        assert_eq!(lost > 0, loses, "{flush}");
    }
}

/// The rows of tables that are there.
fn rows(tables: &Tables) -> BTreeMap<(u16, u64), u64> {
    let mut tables = tables.clone();
    tables.iter_mut().map(|(table, number, row)| ((table.0, number), row.value)).collect()
}

#[test]
fn nothing_is_flushed_while_the_disk_is_full() {
    let program = program("{ every = \"30ms\" }");
    let node: NodeId = program.find_node("orders").unwrap();
    let at = |millis: u64| Time(millis * 1_000_000);
    let controls = [
        Control { fault: 0, from: at(400), until: at(900), action: Action::DiskFull { node } },
        Control {
            fault: 0,
            from: at(800),
            until: at(850),
            action: Action::Crash { node, instances: 0..1, unreachable: false },
        },
    ];
    let limits = Limits::until(at(880));
    let mut replay = Replay::default();
    let mut world = World::new(&program, &controls, 1, Time::NEVER, limits, &mut replay);
    world.run_to_the_end();
    let rows = rows(&world.nodes.store(node).tables);
    assert!(replay.lost > 0, "what was committed since the last flush before 400 ms");
    assert_eq!(rows, replay.disk);
}
