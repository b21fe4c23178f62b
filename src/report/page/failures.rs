//! Why requests failed: what went wrong first for each, and in which order it happened.

use std::borrow::Cow;

use serde::Serialize;

use super::Page;
use super::charts::{Column, Kind, OTHERS, Panel};
use super::grid::{Grid, GridCell, GridRow, Head};
use crate::experiment::run::closer_look::Seen;
use crate::kernel::time::Span;
use crate::metric::{Causes, Trouble};
use crate::model::program::{EdgeId, NodeId, Program};
use crate::model::quantity::TimeOfDay;
use crate::report::moment::moment;
use crate::report::number::{Unit, count, number};
use crate::report::roles::Role;
use crate::report::story::{denied, described, outcome, refusal};

/// The most causes that are listed.
const CAUSES_MAX: usize = 6;
/// The most sentences.
const SENTENCES_MAX: usize = 5;
/// More faults than this are told in one sentence.
const FAULTS_MAX: usize = 2;

/// What failed in one cell.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Failures {
    pub(super) name: String,
    pub(super) role: Option<Role>,
    pub(super) grids: Vec<Grid>,
    pub(super) tale: Vec<String>,
}

/// What failed in a cell that was looked at; `column` holds its lines over time.
pub(super) fn failures(page: &Page<'_>, seen: &Seen, column: &Column, x: &[f64]) -> Failures {
    let cell = &page.campaign.cells[seen.cell];
    let mut grids = Vec::new();
    for (milestone, causes) in cell.milestones.iter().zip(&seen.timeline.missed) {
        let within = milestone.within.map_or(String::new(), |within| format!(" within {within}"));
        let title = format!("Not {}{within}", milestone.label);
        grids.extend(grid(&cell.program, &title, causes));
    }
    for (&operation, causes) in &seen.timeline.unanswered {
        let name = &cell.program.operation(operation).name;
        grids.extend(grid(&cell.program, &format!("{name}: no answer ok"), causes));
    }
    let (name, role) = (page.names[seen.cell].clone(), page.roles[seen.cell]);
    Failures { name, role, grids, tale: tale(seen, column, x, page.campaign.experiment.starts_at) }
}

/// The causes of one kind of failure, the most frequent first; `None` if there are none.
fn grid(program: &Program, title: &str, causes: &Causes) -> Option<Grid> {
    let all: u64 = causes.values().sum();
    let mut sorted: Vec<(Option<Trouble>, u64)> =
        causes.iter().map(|(&trouble, &count)| (trouble, count)).collect();
    sorted.sort_by_key(|&(trouble, count)| (std::cmp::Reverse(count), trouble));
    let row = |hop: &str, reason: &str, orders: u64| {
        let share = number(orders as f64 / all as f64, Unit::Percent);
        let texts = [hop, reason, &count(orders), &share].map(GridCell::plain);
        GridRow::cells(texts.to_vec())
    };
    let mut rows: Vec<GridRow> = Vec::new();
    for &(trouble, orders) in sorted.iter().take(CAUSES_MAX) {
        let (hop, reason) = words(program, trouble);
        rows.push(row(&hop, &reason, orders));
    }
    let rest: u64 = sorted.iter().skip(CAUSES_MAX).map(|&(_, orders)| orders).sum();
    if rest > 0 {
        rows.push(row("elsewhere", "other reasons", rest));
    }
    (all > 0).then(|| Grid {
        title: format!("{title}: {}", count(all)),
        note: String::new(),
        columns: vec![
            Head::left("where"),
            Head::left("what went wrong first"),
            Head::right("requests"),
            Head::right("share"),
        ],
        rows,
    })
}

/// Where something went wrong, and what.
fn words(program: &Program, trouble: Option<Trouble>) -> (String, Cow<'static, str>) {
    let node = |node: NodeId| program.node(node).name.clone();
    let edge = |edge: EdgeId| program.edge(edge).name.replace("->", "→");
    let (place, what) = match trouble {
        None => ("–".to_owned(), "nothing: it waited for too long"),
        Some(Trouble::Lost(from, to)) => {
            (format!("{} → {}", node(from), node(to)), "a message was lost")
        }
        Some(Trouble::MadeToFail(at)) => (node(at), "a fault made it fail"),
        Some(Trouble::Refused(at, why)) => (node(at), refusal(why)),
        Some(Trouble::NobodyThere(at)) => (node(at), "the instance was down"),
        Some(Trouble::Denied(at, why)) => (edge(at), denied(why)),
        Some(Trouble::Ended(at, how)) => return (edge(at), Cow::Owned(outcome(how))),
        Some(Trouble::GivenUp(at)) => (node(at), "the message was given up"),
    };
    (place, Cow::Borrowed(what))
}

/// What happened, in order of time: when faults began and ended, when which attempts failed, how
/// much waited.
fn tale(seen: &Seen, column: &Column, x: &[f64], starts_at: Option<TimeOfDay>) -> Vec<String> {
    let time = |seconds: f64| time(seconds, starts_at);
    let mut events: Vec<(f64, u8, String)> = Vec::new();
    for fault in
        seen.faults.iter().take(if seen.faults.len() > FAULTS_MAX { 1 } else { FAULTS_MAX })
    {
        let (at, until) = (fault.at.seconds(), (fault.at + fault.lasts).seconds());
        let span = if until > at { format!(" to {}", time(until)) } else { String::new() };
        let more = match seen.faults.len() {
            many if many > FAULTS_MAX => format!("; {} faults more follow", many - 1),
            _ => String::new(),
        };
        events.push((at, 0, format!("{}{span}: {}{more}.", time(at), described(fault))));
    }
    for panel in &column.panels {
        events.extend(of_panel(panel, x, &time));
    }
    // What matters most is told, in the order in which it happened.
    events.sort_by_key(|&(_, rank, _)| rank);
    events.truncate(SENTENCES_MAX);
    events.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    events.into_iter().map(|(_, _, text)| text).collect()
}

/// What the most telling series of a panel says; its number says how much it matters.
fn of_panel(panel: &Panel, x: &[f64], time: &dyn Fn(f64) -> String) -> Vec<(f64, u8, String)> {
    let step = x.get(1).zip(x.first()).map_or(1.0, |(next, first)| next - first);
    let total = |values: &[Option<f64>]| values.iter().flatten().sum::<f64>() * step;
    let mut series: Vec<_> = panel.series.iter().filter(|one| one.label != OTHERS).collect();
    series.sort_by(|a, b| total(&b.values).total_cmp(&total(&a.values)));
    let sentence = |(place, one): (usize, &&super::charts::Series)| {
        let values = || one.values.iter().enumerate().filter_map(|(at, it)| Some((at, (*it)?)));
        let (at, most) = values().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))?;
        if most <= 0.0 {
            return None;
        }
        let mut acting = values().filter(|&(_, value)| value >= most / 10.0).map(|(at, _)| at);
        let first = acting.next()?;
        let last = acting.next_back().unwrap_or(first);
        let (from, until) = (x[first] - step / 2.0, x[last] + step / 2.0);
        let all = count(total(&one.values).round() as u64);
        let peak = number(most, Unit::Plain);
        let when = format!("{} to {}", time(from), time(until));
        let label = &one.label;
        match (panel.kind, panel.unit) {
            (Kind::Stacked, _) => {
                let text = format!(
                    "{when}: {label}, {all} attempts, most at {} ({peak} a second).",
                    time(x[at])
                );
                Some((from, 1 + place as u8, text))
            }
            (Kind::Line, "seconds") => {
                let text =
                    format!("{}: the oldest message at {label} is {peak} s old.", time(x[at]));
                (most >= 1.0).then_some((x[at], 1 + place as u8, text))
            }
            (Kind::Line, _) => None,
        }
    };
    series.iter().enumerate().take(2).filter_map(sentence).collect()
}

/// A time of the run, to a tenth of a second.
fn time(seconds: f64, starts_at: Option<TimeOfDay>) -> String {
    let tenths = (seconds * 10.0).round();
    match starts_at {
        Some(_) => moment(Span::from_millis(tenths as u64 * 100), starts_at),
        None => format!("{} s", tenths / 10.0),
    }
}
