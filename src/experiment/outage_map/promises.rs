//! Promises that need no declaration: what they are about stands in the model.

use std::collections::BTreeSet;

use crate::model::program::{Kind, Memory, NodeStep, Program, ProviderStep, Step, Token};

/// `[invariants]` of a model whose promises nobody has declared: no effect for an order twice, one
/// answer for an idempotency key, what calls `expect` of their answers, and no write of a primary
/// that was replaced. Empty if the model has nothing of that.
#[must_use]
pub fn undeclared(program: &Program) -> toml::Table {
    let mut about: BTreeSet<(&str, &str, String)> = BTreeSet::new();
    for step in &program.steps {
        match step {
            Step::Node(NodeStep::Provider(ProviderStep::Effect(label))) => {
                let effect = program.labels[usize::from(label.0)].clone();
                about.insert(("one_charge", "effect", effect));
            }
            Step::Call(call) => {
                let operation = program.operation(call.operation);
                let mut add = |promise, key| about.insert((promise, key, operation.name.clone()));
                if call.expects_own_write {
                    add("read_your_writes", "read");
                }
                if call.memory == Memory::Compared {
                    add("monotonic_reads", "read");
                }
                let is_provider = matches!(program.node(operation.node).kind, Kind::Provider(_));
                if is_provider && call.token != Token::None {
                    add("same_answer", "operation");
                }
            }
            _ => {}
        }
    }
    for node in &program.nodes {
        if matches!(&node.kind, Kind::Database(database) if !database.replicas.is_empty()) {
            about.insert(("fencing", "database", node.name.clone()));
        }
    }
    let mut table = toml::Table::new();
    for (promise, key, value) in &about {
        let of_its_kind = about.iter().filter(|(other, ..)| other == promise);
        let place = of_its_kind.clone().position(|other| other.2 == *value).unwrap_or_default();
        // The first has the name of the promise, as in an experiment that asks for it once.
        let (name, kind) = match place {
            0 => ((*promise).to_owned(), None),
            _ => (format!("{promise}_{}", place + 1), Some(*promise)),
        };
        let kind = kind.map(|kind| ("promise".to_owned(), kind.into()));
        let own = [((*key).to_owned(), toml::Value::from(value.as_str()))];
        let keys: toml::Table = kind.into_iter().chain(own).collect();
        table.insert(name, toml::Value::Table(keys));
    }
    table
}
