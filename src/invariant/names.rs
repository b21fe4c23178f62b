//! What promises name of a program, by its name.

use crate::model::problem::Problem;
use crate::model::program::{
    Kind, LabelId, NodeId, NodeStep, OperationId, Program, ProviderStep, Step, TableId,
};

/// A queue of the program by name.
pub fn queue(name: &str, program: &Program) -> Result<NodeId, Problem> {
    program.find_node_of(name, "queue", |kind| matches!(kind, Kind::Queue(_)))
}

/// The database whose outbox feeds a queue, if any does.
pub(super) fn fed_by(queue: NodeId, program: &Program) -> Result<Option<NodeId>, Problem> {
    let mut databases =
        program.edges.iter().filter(|edge| edge.target == queue).filter_map(|edge| match &program
            .node(edge.caller)
            .kind
        {
            Kind::Outbox(outbox) => Some(outbox.database),
            _ => None,
        });
    let first = databases.next();
    if databases.any(|other| Some(other) != first) {
        let name = &program.node(queue).name;
        let problem = Problem::new(format!("`{name}` is fed by the outboxes of several databases"));
        return Err(problem.expected("a queue whose events have one order of commits"));
    }
    Ok(first)
}

/// For each label, whether a relay brings the event of that name to a queue.
pub(super) fn brought(queue: NodeId, program: &Program) -> Vec<bool> {
    let labels = 0..program.labels.len() as u16;
    labels.map(|label| program.brings(queue, LabelId(label))).collect()
}

/// An effect of the program by name.
pub fn effect(name: &str, program: &Program) -> Result<LabelId, Problem> {
    let effects = program.steps.iter().filter_map(|step| match step {
        Step::Node(NodeStep::Provider(ProviderStep::Effect(label))) => Some(*label),
        _ => None,
    });
    let name_of = |label: LabelId| program.labels[label.0 as usize].as_str();
    effects.clone().find(|&label| name_of(label) == name).ok_or_else(|| {
        let known: Vec<&str> = effects.map(name_of).collect();
        Problem::unknown("effect", name, &known)
    })
}

/// An operation of the program by name.
pub fn operation(name: &str, program: &Program) -> Result<OperationId, Problem> {
    program.find_operation(name).ok_or_else(|| {
        let known: Vec<&str> = program.operations.iter().map(|o| o.name.as_str()).collect();
        Problem::unknown("operation", name, &known)
    })
}

/// A table and its database, by name.
pub(super) fn table(name: &str, program: &Program) -> Result<(TableId, NodeId), Problem> {
    let id = program.find_table(name).ok_or_else(|| {
        let known: Vec<&str> = program.tables.iter().map(|table| table.name.as_str()).collect();
        Problem::unknown("table", name, &known)
    })?;
    Ok((id, program.tables[id.0 as usize].database))
}

/// A table and a state of its rows, written `database.table = state`. A state that this program
/// never writes is no error: another arm may.
pub fn row_state(
    text: &str,
    program: &Program,
) -> Result<(TableId, NodeId, Option<LabelId>), Problem> {
    let (name, state) = text.split_once('=').ok_or_else(|| {
        Problem::new(format!("`{text}` names no state"))
            .expected("a table and a state, such as \"orders.order = paid\"")
    })?;
    let (table, database) = table(name.trim(), program)?;
    Ok((table, database, program.find_label(state.trim())))
}

/// A database of the program by name.
pub(super) fn database(name: &str, program: &Program) -> Result<NodeId, Problem> {
    program.find_node_of(name, "database", |kind| matches!(kind, Kind::Database(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::invariant::example::outboxes;

    #[test]
    fn a_queue_is_fed_by_the_one_database_whose_outbox_brings_its_events() {
        let fed = |first: &str, second: &str| {
            let program = outboxes(first, second);
            let found = fed_by(queue("events", &program).unwrap(), &program);
            found.map(|node| node.map(|node| program.node(node).name.clone()))
        };
        assert_eq!(fed("events", "others").unwrap().unwrap(), "one");
        assert_eq!(fed("others", "events").unwrap().unwrap(), "two");
        assert_eq!(fed("others", "others").unwrap(), None);
        assert!(fed("events", "events").unwrap_err().message.contains("several databases"));
    }
}
