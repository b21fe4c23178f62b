//! Blast radius and spread: two tables, a picture, and their part of `summary.json`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::arms::{column, plain};
use super::chart::{Caption, Graph, GraphLink, GraphNode, GraphPanel, GraphTone};
use super::layout::{columns, is_about, links};
use super::number::{Unit, number, several};
use super::table::{Align, Cell, Row, Table, Tone};
use crate::experiment::judge::blast_radius::{Part, Parts};
use crate::experiment::measure::spread::{NodeSpread, Reach, Spread};
use crate::experiment::measure::summary::CellSummary;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell;

/// So many arms and points stand side by side in the table of the spread.
const COLUMNS_MAX: usize = 6;

/// What fared worse in each cell, and how far and how fast that spread; empty if no run was
/// compared.
pub fn tables(campaign: &Campaign, summaries: &[CellSummary]) -> Vec<Table> {
    if summaries.iter().all(|summary| summary.blast_radius.is_none()) {
        return Vec::new();
    }
    let mut tables = vec![radius(campaign, summaries)];
    if campaign.cells.len() <= COLUMNS_MAX {
        tables.push(reached(campaign, summaries));
    }
    tables
}

fn radius(campaign: &Campaign, summaries: &[CellSummary]) -> Table {
    let headers = [
        ("requests worse", 0),
        ("in the fault", 0),
        ("users", 1),
        ("keys", 3),
        ("operations", 0),
        ("nodes hurt", 0),
        ("nodes reached", 1),
        ("last one after", 3),
    ];
    let mut columns = vec![column("blast radius", Align::Left, 0)];
    columns.extend(headers.iter().map(|(header, soon)| column(header, Align::Right, *soon)));
    let first = &campaign.cells[0];
    columns.extend(
        first
            .milestones
            .iter()
            .map(|one| column(&format!("{}: missed or late", one.label), Align::Right, 1)),
    );
    let arms = campaign.experiment.arms.len();
    let mut rows = Vec::new();
    for (index, (cell, summary)) in campaign.cells.iter().zip(summaries).enumerate() {
        if index % arms == 0 && !cell.point_label.is_empty() {
            rows.push(Row::Group(cell.point_label.clone()));
        }
        let mut cells = vec![plain(cell.arm_label.clone())];
        cells.extend(summary.blast_radius.as_ref().map_or_else(Vec::new, |it| radius_of(cell, it)));
        rows.push(Row::Cells(cells));
    }
    Table { columns, rows }
}

fn radius_of(cell: &cell::Cell, spread: &Spread) -> Vec<Cell> {
    let last = spread.in_order().last().and_then(|one| one.reached);
    let of = |part: u64, whole: usize| match part {
        0 => none(),
        _ => plain(format!("{part} of {whole}")),
    };
    let mut cells = vec![
        parts(&spread.requests),
        parts(&spread.during),
        part(spread.users),
        part(spread.keys),
        of(spread.operations_worse(), spread.operations.len()),
        of(spread.nodes_hurt(), cell.program.nodes.len()),
        of(spread.nodes_reached(), cell.program.nodes.len()),
        last.map_or_else(none, |reach| plain(number(reach.median.seconds(), Unit::Seconds))),
    ];
    cells.extend(spread.milestones.iter().map(|one| part(*one)));
    cells
}

/// Nothing at all: not a small share that was rounded.
fn none() -> Cell {
    Cell { text: "none".to_owned(), tone: Tone::Good }
}

fn part(part: Part) -> Cell {
    share(part.worse, part.share())
}

fn parts(parts: &Parts) -> Cell {
    share(parts.worse(), parts.share())
}

fn share(worse: u64, share: Option<f64>) -> Cell {
    match share {
        None => Cell { text: "–".to_owned(), tone: Tone::Faint },
        Some(_) if worse == 0 => none(),
        Some(share) => Cell { text: number(share, Unit::Percent), tone: Tone::Bad },
    }
}

/// When each node was reached and each operation first fared worse, the first one first.
fn reached(campaign: &Campaign, summaries: &[CellSummary]) -> Table {
    let mut columns = vec![column("reached after", Align::Left, 0)];
    for cell in &campaign.cells {
        let name = [&cell.point_label, &cell.arm_label].map(String::as_str);
        let name = name.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(", ");
        columns.push(column(&name, Align::Right, 0));
    }
    let spreads: Vec<Option<&Spread>> =
        summaries.iter().map(|summary| summary.blast_radius.as_ref()).collect();
    let mut rows = vec![Row::Group("nodes that do something else, and when they hurt".to_owned())];
    for name in names(campaign, &spreads) {
        let mut cells = vec![plain(name.clone())];
        cells.extend(campaign.cells.iter().zip(&spreads).map(|(cell, spread)| {
            let node = |spread: &&Spread| {
                let is_it = |one: &&NodeSpread| cell.program.node(one.node).name == name;
                spread.nodes.iter().find(is_it).cloned()
            };
            spread.as_ref().and_then(node).map_or_else(none, |one| reach_text(cell, &one))
        }));
        rows.push(Row::Cells(cells));
    }
    rows.push(Row::Group("operations whose requests fare worse".to_owned()));
    for name in operation_names(campaign, &spreads) {
        let mut cells = vec![plain(name.clone())];
        cells.extend(campaign.cells.iter().zip(&spreads).map(|(cell, spread)| {
            let mut operations = spread.iter().flat_map(|spread| &spread.operations);
            let own = operations.find(|it| cell.program.operation(it.operation).name == name);
            let Some((own, first)) = own.and_then(|own| Some((own, own.first?))) else {
                return none();
            };
            let share = number(own.parts.share().unwrap_or_default(), Unit::Percent);
            Cell { text: format!("{}, {share}", time_text(&first)), tone: Tone::Bad }
        }));
        rows.push(Row::Cells(cells));
    }
    Table { columns, rows }
}

/// The names of the nodes of all cells, those first that are reached first.
fn names(campaign: &Campaign, spreads: &[Option<&Spread>]) -> Vec<String> {
    let mut names = Vec::new();
    let mut add = |name: &String| {
        if !names.contains(name) {
            names.push(name.clone());
        }
    };
    for (cell, spread) in campaign.cells.iter().zip(spreads) {
        let reached = spread.iter().flat_map(|spread| spread.in_order());
        reached.for_each(|one| add(&cell.program.node(one.node).name));
    }
    campaign.cells.iter().flat_map(|it| &it.program.nodes).for_each(|node| add(&node.name));
    names
}

fn operation_names(campaign: &Campaign, spreads: &[Option<&Spread>]) -> Vec<String> {
    let mut names = Vec::new();
    for (cell, spread) in campaign.cells.iter().zip(spreads) {
        for one in spread.iter().flat_map(|spread| &spread.operations) {
            let name = &cell.program.operation(one.operation).name;
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    names
}

fn reach_text(cell: &cell::Cell, one: &NodeSpread) -> Cell {
    let Some(reach) = &one.reached else { return none() };
    let from = one.from.map(|from| format!(" from {}", cell.program.node(from).name));
    let text = time_text(reach) + &from.unwrap_or_default();
    match &one.hurt {
        Some(hurt) => Cell { text: format!("{text}; hurts {}", time_text(hurt)), tone: Tone::Bad },
        None => plain(text),
    }
}

/// How long it took in the middle run, and in how many runs where it was not all of them.
fn time_text(reach: &Reach) -> String {
    number(reach.median.seconds(), Unit::Seconds)
}

/// What the two tables leave out of a campaign with blast radius; empty without.
pub fn notes(campaign: &Campaign, summaries: &[CellSummary]) -> String {
    let compared: u64 =
        summaries.iter().filter_map(|it| it.blast_radius.as_ref()).map(|it| it.runs).sum();
    let Some(text) = campaign.experiment.blast_radius.as_ref().filter(|_| compared > 0) else {
        return String::new();
    };
    let of = match text.of.as_slice() {
        [] => "any fault".to_owned(),
        nodes => format!("the faults that strike {}", nodes.join(", ")),
    };
    let every: u64 = summaries.iter().map(|summary| summary.runs).sum();
    let part = match compared == every {
        true => several(compared, "run"),
        false => format!("{compared} of {}", several(every, "run")),
    };
    format!(
        "blast radius: {part} beside the same seed without {of}; worse is what was answered ok\n\
         without and is not, shows something old, or takes more than {} times and {} longer;\n\
         times of the spread are those of the middle run since the fault began\n",
        number(text.slower, Unit::Plain),
        text.at_least,
    )
}

/// The blast radius of a cell in `summary.json`; `null` if none of its runs was compared.
pub(super) fn json(cell: &cell::Cell, spread: Option<&Spread>) -> Value {
    let Some(spread) = spread else { return Value::Null };
    let program = &cell.program;
    let name = |node| &program.node(node).name;
    json!({
        "runs": spread.runs,
        "requests": parts_json(&spread.requests),
        "requests_in_fault": parts_json(&spread.during),
        "users": part_json(spread.users),
        "keys": part_json(spread.keys),
        "operations": spread.operations.iter().map(|one| json!({
            "operation": program.operation(one.operation).name,
            "requests": parts_json(&one.parts),
            "first_worse_s": one.first.map(reach_json),
        })).collect::<Vec<_>>(),
        "milestones": cell.milestones.iter().zip(&spread.milestones).map(|(milestone, part)| json!({
            "name": milestone.name,
            "orders": part_json(*part),
        })).collect::<Vec<_>>(),
        "promises": cell.promises().iter().zip(&spread.promises).map(|(promise, more)| json!({
            "name": promise,
            "violations_more": more,
        })).collect::<Vec<_>>(),
        "nodes": spread.nodes.iter().map(|one| json!({
            "node": name(one.node),
            "reached_s": one.reached.map(reach_json),
            "hurts_s": one.hurt.map(reach_json),
            "from": one.from.map(name),
        })).collect::<Vec<_>>(),
    })
}

pub(super) fn parts_json(parts: &Parts) -> Value {
    let Parts { of, failed, older, slower } = *parts;
    json!({ "of": of, "worse": parts.worse(), "failed": failed, "older": older, "slower": slower })
}

pub(super) fn part_json(part: Part) -> Value {
    json!({ "of": part.of, "worse": part.worse })
}

fn reach_json(reach: Reach) -> Value {
    json!({
        "runs": reach.runs,
        "least": reach.least.seconds(),
        "median": reach.median.seconds(),
        "greatest": reach.greatest.seconds(),
    })
}

/// How fast a failure spreads over the nodes of each cell, up to four of them, as SVG; `None` if no
/// run was compared.
pub fn figure(campaign: &Campaign, summaries: &[CellSummary]) -> Option<String> {
    let cells = campaign.cells.iter().zip(summaries);
    let drawn = cells.filter_map(|(cell, it)| Some((cell, it.blast_radius.as_ref()?)));
    let panels: Vec<GraphPanel> =
        drawn.take(PANELS_MAX).map(|(cell, spread)| panel(cell, spread)).collect();
    if panels.is_empty() {
        return None;
    }
    let left_out = campaign.cells.len().saturating_sub(panels.len());
    let more = match left_out {
        0 => String::new(),
        _ => format!(" {} more in summary.json.", several(left_out as u64, "combination")),
    };
    let note = format!(
        "Since the fault began, in the middle run: when a node first does something else than \
         without it, and when calls to it, or requests of users, are first seen to fare worse. \
         Orange arrows: by whose messages a difference came.{more}"
    );
    let caption = Caption {
        title: campaign.experiment.title.clone(),
        subtitle: "How fast does it spread?".to_owned(),
        note,
    };
    Some(Graph { caption, panels }.svg())
}

/// So many pictures stand one below the other.
const PANELS_MAX: usize = 4;

fn panel(cell: &cell::Cell, spread: &Spread) -> GraphPanel {
    let program = &cell.program;
    let links = links(program);
    let mut rows: BTreeMap<usize, usize> = BTreeMap::new();
    let place = |column: usize| {
        let row = rows.entry(column).or_default();
        *row += 1;
        (column, *row - 1)
    };
    let places: Vec<(usize, usize)> = columns(program, &links).into_iter().map(place).collect();
    let is_struck = |name: &str| cell.plan.faults.iter().any(|fault| is_about(&fault.target, name));
    let nodes = program.nodes.iter().zip(&spread.nodes).zip(places);
    let nodes = nodes.map(|((node, it), place)| {
        let struck = is_struck(&node.name);
        let (lines, tone) = match (&it.reached, &it.hurt) {
            (None, _) => (vec!["as without".to_owned()], GraphTone::Plain),
            (Some(reach), None) => {
                (vec![format!("differs +{}", time_text(reach))], GraphTone::Touched)
            }
            (Some(reach), Some(hurt)) => (
                vec![
                    format!("differs +{}", time_text(reach)),
                    format!("worse +{}", time_text(hurt)),
                ],
                GraphTone::Hurt,
            ),
        };
        let tone = if struck { GraphTone::Struck } else { tone };
        GraphNode { place, name: node.name.clone(), lines, tone }
    });
    let index = |node: crate::model::program::NodeId| usize::from(node.0);
    let plain = links.keys().map(|&(from, to)| GraphLink {
        from: index(from),
        to: index(to),
        is_spread: false,
    });
    let came = spread.nodes.iter().filter_map(|one| {
        Some(GraphLink { from: index(one.from?), to: index(one.node), is_spread: true })
    });
    let came: Vec<GraphLink> = came.collect();
    let is_covered = |link: &GraphLink| {
        let same = |other: &GraphLink| {
            [(other.from, other.to), (other.to, other.from)].contains(&(link.from, link.to))
        };
        came.iter().any(same)
    };
    let links = plain.filter(|link| !is_covered(link)).chain(came.iter().copied()).collect();
    let title = [&cell.point_label, &cell.arm_label].map(String::as_str);
    let title: Vec<&str> = title.into_iter().filter(|it| !it.is_empty()).collect();
    let worse = match spread.requests.worse() {
        0 => "nobody fares worse".to_owned(),
        _ => {
            let share = number(spread.requests.share().unwrap_or_default(), Unit::Percent);
            format!("{share} of requests fare worse")
        }
    };
    GraphPanel { title: format!("{}: {worse}", title.join(", ")), nodes: nodes.collect(), links }
}
