//! What each node will be offered and can take, as tables, as JSON, and as the warning that stands
//! before a run.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::arms::{column, plain};
use super::moment::moment;
use super::number::{Unit, number, several};
use super::table::{Align, Cell as TableCell, Row, Table, Tone};
use crate::capacity::{Ahead, Capacity, HIGH, NodeLoad, Phase, PhaseLoad, capacity, in_calm};
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell::Cell;
use crate::kernel::time::{Span, Time};
use crate::model::quantity::TimeOfDay;

/// Cells that are offered the same, and what that is.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The indices of the cells in the campaign.
    pub cells: Vec<usize>,
    /// What their nodes are offered.
    pub capacity: Capacity,
}

/// Nodes at less than this share of their capacity are left out of a short table.
const SHOWN: f64 = 0.5;

/// What the nodes of each cell are offered; cells that are offered the same stand together.
pub fn planned(campaign: &Campaign) -> Vec<Planned> {
    let mut all: Vec<Planned> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for (index, cell) in campaign.cells.iter().enumerate() {
        let capacity = capacity(&cell.program, &cell.plan, cell.measure.arrivals_end);
        // Its text tells it from every other one, and texts have an order.
        let place = *known.entry(format!("{capacity:?}")).or_insert(all.len());
        match all.get_mut(place) {
            Some(known) => known.cells.push(index),
            None => all.push(Planned { cells: vec![index], capacity }),
        }
    }
    all
}

/// What the nodes of each cell are offered while nothing is wrong, and no more than that: what is
/// said before a run costs each cell the same.
pub fn planned_calm(campaign: &Campaign) -> Vec<Planned> {
    let cells = campaign.cells.iter().enumerate();
    let calm = |(index, cell): (usize, &Cell)| {
        let capacity = in_calm(&cell.program, &cell.plan, cell.measure.arrivals_end);
        Planned { cells: vec![index], capacity }
    };
    cells.map(calm).collect()
}

/// The cell whose calm asks most of a node, with that node, if that is more than [`HIGH`].
pub fn busiest(planned: &[Planned]) -> Option<(usize, &NodeLoad)> {
    let of = |one: &'_ Planned| one.cells[0];
    let calm = planned.iter().filter_map(|one| Some((of(one), *one.calm().above(HIGH).first()?)));
    calm.max_by(|a, b| a.1.utilisation().partial_cmp(&b.1.utilisation()).expect("no NaN"))
}

/// What is overloaded without any fault, a line for each node; empty if nothing is.
pub fn warning(campaign: &Campaign, planned: &[Planned]) -> String {
    let mut nodes: Vec<(&NodeLoad, usize)> = Vec::new();
    for one in planned {
        for load in one.calm().above(HIGH) {
            match nodes.iter_mut().find(|(known, _)| known.node == load.node) {
                Some((known, cells)) => {
                    *cells += one.cells.len();
                    if load.utilisation() > known.utilisation() {
                        *known = load;
                    }
                }
                None => nodes.push((load, one.cells.len())),
            }
        }
    }
    let all = campaign.cells.len();
    let line = |(load, cells): &(&NodeLoad, usize)| {
        let asked = load.utilisation().unwrap_or_default();
        let verb = match asked > 1.0 {
            true if load.is_filled_by_closed(1.0) => "is kept full by users who come back",
            true => "is overloaded",
            false => "is nearly full",
        };
        let of = if all > 1 { format!(" in {cells} of {all} combinations") } else { String::new() };
        format!("warning: `{}` {verb} without any fault{of}: {}\n", load.node, sentence(load))
    };
    nodes.iter().map(line).collect()
}

/// A warning for each worker that is handed messages so far ahead of their turn that they are
/// delivered again while they wait for it; empty if there is none.
pub fn too_far_ahead(campaign: &Campaign, planned: &[Planned]) -> String {
    let mut nodes: Vec<(&str, &Ahead, usize)> = Vec::new();
    for one in planned {
        for load in &one.calm().nodes {
            let Some(ahead) = load.ahead.as_ref().filter(|ahead| ahead.is_too_late()) else {
                continue;
            };
            match nodes.iter_mut().find(|(node, ..)| *node == load.node) {
                Some((_, known, cells)) => {
                    *cells += one.cells.len();
                    if ahead.needed_s > known.needed_s {
                        *known = ahead;
                    }
                }
                None => nodes.push((&load.node, ahead, one.cells.len())),
            }
        }
    }
    let (all, pad) = (campaign.cells.len(), "         ");
    let line = |(node, ahead, cells): &(&str, &Ahead, usize)| {
        let of = if all > 1 { format!(" in {cells} of {all} combinations") } else { String::new() };
        let messages = match ahead.messages {
            Some(messages) => several(u64::from(messages), "message"),
            None => "any number of messages".to_owned(),
        };
        let wait = match ahead.wait_s {
            wait if wait.is_finite() => format!("for {} until", number(wait, Unit::Seconds)),
            _ => "for ever until".to_owned(),
        };
        format!(
            "warning: each instance of `{node}` is handed {messages} ahead of their turn{of}:\n\
             {pad}the last waits {wait} a worker is free, but is hidden for {} only:\n\
             {pad}it is delivered again meanwhile. Less `prefetch`, or more `visibility` of `{}`,\n\
             {pad}prevents that\n",
            number(ahead.visibility_s, Unit::Seconds),
            ahead.queue,
        )
    };
    nodes.iter().map(line).collect()
}

/// The workers of a node, and how many messages are handed ahead of their turn to each instance.
pub(super) fn workers_text(load: &NodeLoad) -> String {
    let workers = load.workers.map_or("–".to_owned(), |workers| number(workers, Unit::Plain));
    match &load.ahead {
        None => workers,
        Some(Ahead { messages: Some(messages), .. }) => {
            format!("{workers} (+{})", number(f64::from(*messages), Unit::Plain))
        }
        Some(Ahead { messages: None, .. }) => format!("{workers} (+any)"),
    }
}

/// What comes, what can be served, and how long one takes.
fn sentence(load: &NodeLoad) -> String {
    let capacity = load.capacity_per_s.map_or("–".to_owned(), per_second);
    let asked = load.utilisation().map_or("–".to_owned(), |asked| number(asked, Unit::Percent));
    let each = match load.service_s {
        Some(seconds) => format!("{} each", number(seconds, Unit::Seconds)),
        None => "one may take for ever".to_owned(),
    };
    let bound = match load.bound_by.as_deref() {
        None | Some("workers") => String::new(),
        Some(other) => format!(", bound by {other}"),
    };
    let offered = per_second(load.offered_per_s);
    if load.is_filled_by_closed(HIGH) {
        return format!(
            "they offer at most {offered} of {capacity} ({each}{bound}), users / (think time + time \
             of a round), and less while they wait in its line"
        );
    }
    format!("{asked} of its capacity ({offered} of {capacity}, {each}{bound})")
}

fn per_second(rate: f64) -> String {
    number(rate, Unit::PerSecond).replace(' ', "")
}

impl Planned {
    /// What is offered while nothing is wrong.
    fn calm(&self) -> &PhaseLoad {
        &self.capacity.phases[0]
    }
}

/// A table of every cell's nodes in every phase, the busiest first; all nodes if `full`.
pub fn table(campaign: &Campaign, planned: &[Planned], full: bool) -> Table {
    let columns = vec![
        column("node", Align::Left, 0),
        column("when", Align::Left, 0),
        column("offered", Align::Right, 0),
        column("service time", Align::Right, 2),
        column("workers", Align::Right, 3),
        column("capacity", Align::Right, 1),
        column("bound by", Align::Left, 2),
        column("utilisation", Align::Right, 0),
    ];
    let mut rows = Vec::new();
    for one in planned {
        if campaign.cells.len() > 1 {
            rows.push(Row::Group(names(campaign, &one.cells)));
        }
        rows.extend(node_rows(&one.capacity, full, campaign.experiment.starts_at));
    }
    Table { columns, rows }
}

/// The labels of cells, by point.
fn names(campaign: &Campaign, cells: &[usize]) -> String {
    let mut points: Vec<(&str, Vec<&str>)> = Vec::new();
    for &index in cells {
        let cell: &Cell = &campaign.cells[index];
        match points.last_mut() {
            Some((point, arms)) if *point == cell.point_label => arms.push(&cell.arm_label),
            _ => points.push((&cell.point_label, vec![&cell.arm_label])),
        }
    }
    let all = campaign.experiment.arms.len();
    let text = |(point, arms): &(&str, Vec<&str>)| match (arms.len() == all, point.is_empty()) {
        (true, true) => "every arm".to_owned(),
        (true, false) => format!("{point}: every arm"),
        (false, true) => arms.join(", "),
        (false, false) => format!("{point}: {}", arms.join(", ")),
    };
    points.iter().map(text).collect::<Vec<_>>().join("; ")
}

/// Every node that anything comes to, with the most of its capacity that any phase asks for, the
/// busiest first.
pub(super) fn busiest_first(phases: &[PhaseLoad]) -> Vec<(&str, f64)> {
    let mut nodes: Vec<(&str, f64)> = Vec::new();
    for load in phases.iter().flat_map(|phase| &phase.nodes) {
        let asked = load.utilisation().unwrap_or(0.0);
        match nodes.iter_mut().find(|(known, _)| *known == load.node) {
            Some((_, most)) => *most = most.max(asked),
            None => nodes.push((&load.node, asked)),
        }
    }
    nodes.sort_by(|a, b| b.1.partial_cmp(&a.1).expect("no NaN"));
    nodes
}

fn node_rows(capacity: &Capacity, full: bool, starts_at: Option<TimeOfDay>) -> Vec<Row> {
    let nodes = busiest_first(&capacity.phases);
    let is_shown = |(_, most): &&(&str, f64)| full || *most >= SHOWN;
    let left_out = nodes.len() - nodes.iter().filter(is_shown).count();
    let mut rows = Vec::new();
    for (node, _) in nodes.iter().filter(is_shown) {
        for phase in &capacity.phases {
            let load = phase.nodes.iter().find(|load| load.node == *node);
            rows.extend(load.map(|load| row(load, &phase.phase, starts_at)));
        }
    }
    if left_out > 0 {
        let text =
            format!("{} below {}", several(left_out as u64, "node"), number(SHOWN, Unit::Percent));
        rows.push(Row::Cells(vec![TableCell { text, tone: Tone::Faint }]));
    }
    rows
}

fn row(load: &NodeLoad, phase: &Phase, starts_at: Option<TimeOfDay>) -> Row {
    let asked = load.utilisation();
    let tone = match asked {
        Some(asked) if asked > 1.0 && !load.is_filled_by_closed(1.0) => Tone::Bad,
        Some(asked) if asked > HIGH => Tone::Warning,
        _ => Tone::Plain,
    };
    let is_bound = load.open_per_s < load.offered_per_s * (1.0 - 1e-9);
    let at_most = if is_bound { "≤ ".to_owned() } else { String::new() };
    let or_dash =
        |value: Option<f64>, unit| value.map_or("–".to_owned(), |value| number(value, unit));
    Row::Cells(vec![
        plain(load.node.clone()),
        plain(when(phase, starts_at)),
        plain(at_most.clone() + &number(load.offered_per_s, Unit::PerSecond)),
        plain(load.service_s.map_or("for ever".to_owned(), |span| number(span, Unit::Seconds))),
        plain(workers_text(load)),
        plain(or_dash(load.capacity_per_s, Unit::PerSecond)),
        plain(load.bound_by.clone().unwrap_or_else(|| "–".to_owned())),
        TableCell { text: at_most + &or_dash(asked, Unit::Percent), tone },
    ])
}

/// `calm`, or the faults that act and from when to when.
pub(super) fn when(phase: &Phase, starts_at: Option<TimeOfDay>) -> String {
    let told = |time: Time| moment(Span(time.0), starts_at);
    match phase.faults.as_slice() {
        [] => "calm".to_owned(),
        faults => {
            let numbers: Vec<String> = faults.iter().map(ToString::to_string).collect();
            let noun = if faults.len() == 1 { "fault" } else { "faults" };
            let (from, until) = (told(phase.from), told(phase.until));
            format!("{noun} {}, {from} to {until}", numbers.join(" + "))
        }
    }
}

/// The same as JSON: for each group of cells its phases, their nodes, and the assumptions.
pub fn json(campaign: &Campaign, planned: &[Planned]) -> Value {
    let ahead = |ahead: &Ahead| {
        json!({
            "queue": ahead.queue,
            "messages": ahead.messages,
            "wait_s": ahead.wait_s,
            "visibility_s": ahead.visibility_s,
            "is_too_late": ahead.is_too_late(),
        })
    };
    let load = |load: &NodeLoad| {
        json!({
            "node": load.node,
            "offered_per_s": load.offered_per_s,
            "open_per_s": load.open_per_s,
            "service_s": load.service_s,
            "workers": load.workers,
            "capacity_per_s": load.capacity_per_s,
            "bound_by": load.bound_by,
            "utilisation": load.utilisation(),
            "ahead": load.ahead.as_ref().map(ahead),
        })
    };
    let phase = |one: &PhaseLoad| {
        json!({
            "faults": one.phase.faults,
            "from_s": one.phase.from.seconds(),
            "until_s": one.phase.until.seconds(),
            "nodes": one.nodes.iter().map(load).collect::<Vec<_>>(),
        })
    };
    let group = |one: &Planned| {
        let cell = |&index: &usize| {
            let cell = &campaign.cells[index];
            json!({ "arm": cell.arm, "point": cell.point })
        };
        json!({
            "cells": one.cells.iter().map(cell).collect::<Vec<_>>(),
            "phases": one.capacity.phases.iter().map(phase).collect::<Vec<_>>(),
            "assumptions": one.capacity.assumptions,
        })
    };
    Value::Array(planned.iter().map(group).collect())
}

/// What was assumed in any cell, a line each; empty if nothing was.
pub fn assumptions(planned: &[Planned]) -> String {
    assumed(planned).iter().map(|text| format!("  {text}\n")).collect()
}

/// What was assumed in any cell, each once.
pub(super) fn assumed(planned: &[Planned]) -> Vec<&str> {
    let mut known: Vec<&str> = Vec::new();
    for text in planned.iter().flat_map(|one| &one.capacity.assumptions) {
        if !known.contains(&text.as_str()) {
            known.push(text);
        }
    }
    known
}
