//! `stormglass demo`: a double charge, its story, and the same seed with the fix.

use std::collections::{BTreeMap, BTreeSet};

use super::template::Template;
use super::{Failure, output};
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::case::Case;
use crate::experiment::run::result::RunResult;
use crate::experiment::run::story::listen;
use crate::experiment::run::{run, run_case};
use crate::invariant::Violation;
use crate::kernel::time::Time;
use crate::model::program::{Kind, NodeId, Program};
use crate::policy::Outcome;
use crate::report::number::count;
use crate::report::story::{StoryStep, What, steps, timeline};
use crate::report::table::{Align, Cell as TableCell, Column, Row, Table, Tone};
use crate::system::Observer;
use crate::system::fact::{Content, Fact};

/// Runs the shop of the templates under one seed, and tells what became of one order in it.
pub(super) fn demo() -> Result<(), Failure> {
    let campaign = Template::Shop.campaign()?;
    let cells = &campaign.cells;
    let (today, fixed) = (&cells[0], &cells[cells.len() - 1]);
    let found = campaign.seeds.iter().find_map(|&seed| Some((seed, order_of(today, fixed, seed)?)));
    let Some((seed, order)) = found else {
        return Err(Failure::Machine("error: nobody is charged twice: please report it".into()));
    };
    let runs: Vec<RunResult> =
        cells.iter().enumerate().map(|(place, cell)| run(cell, place, seed)).collect();
    output::print(&format!(
        "A shop charges cards at a payment provider. For ten seconds the provider takes\n\
         twenty times as long. The shop waits for one second, then it tries again, at\n\
         most twice. Three ways to do it, each with the same {} orders (seed {seed}):\n\n{}\n",
        count(runs[0].metrics.requests),
        table(&campaign, &runs).text(output::width().min(80), output::colour_out()),
    ))?;
    for (cell, what) in [(today, "what became of"), (fixed, "the same shopper,")] {
        output::print(&format!(
            "{}: {what} order {}, in seconds since the click\n{}\n",
            cell.arm_label,
            count(order),
            story(cell, seed, order)
        ))?;
    }
    output::print(
        "Next:\n  \
         stormglass new shop                    this shop as files, to make it yours\n  \
         stormglass run shop/experiment.toml    which of the three ways to take\n  \
         stormglass --help\n",
    )
}

/// The first order that is charged twice in one cell, and in another is charged once although it is
/// asked for twice: the provider knows the key.
fn order_of(today: &Cell, fixed: &Cell, seed: u64) -> Option<u64> {
    let counted = |cell: &Cell| {
        let mut counts = Counts::default();
        let (case, _) = Case::of(cell, seed);
        drop(run_case(cell, 0, &case, &mut counts));
        counts
    };
    let (today, fixed) = (counted(today), counted(fixed));
    let twice = today.effects.iter().filter(|(_, effects)| **effects == 2);
    twice.map(|(order, _)| *order).find(|order| fixed.replayed.contains(order))
}

/// What a provider did for each order.
#[derive(Default)]
struct Counts {
    /// How often the effect happened.
    effects: BTreeMap<u64, u32>,
    /// The orders that were answered as before.
    replayed: BTreeSet<u64>,
}

impl Observer for Counts {
    fn observe(&mut self, _: Time, fact: &Fact) {
        match (fact, fact.order()) {
            (Fact::Effect { .. }, Some(order)) => *self.effects.entry(order).or_default() += 1,
            (Fact::Replayed { .. }, Some(order)) => _ = self.replayed.insert(order),
            _ => {}
        }
    }
}

/// How often each promise was broken in each arm.
fn table(campaign: &Campaign, runs: &[RunResult]) -> Table {
    let text = |text: String| TableCell { text, tone: Tone::Plain };
    let column = |header: &str, align| Column { header: header.to_owned(), align, priority: 0 };
    let mut columns = vec![column("orders", Align::Left)];
    columns.extend(campaign.cells.iter().map(|it| column(&it.arm_label, Align::Right)));
    let promises = campaign.cells[0].invariants.iter().enumerate();
    let rows = promises.map(|(place, watched)| {
        let broken = runs.iter().map(|run| text(count(run.invariants[place].violations)));
        Row::Cells(std::iter::once(text(watched.label.clone())).chain(broken).collect())
    });
    Table { rows: rows.collect(), columns }
}

/// What became of an order in a run of a cell: what its shopper asked and was told, the calls of
/// its provider, and what was written.
fn story(cell: &Cell, seed: u64, order: u64) -> String {
    let (case, _) = Case::of(cell, seed);
    let about = Violation { at: Time::ZERO, order: Some(order) };
    let (mut story, _) = listen(cell, &case, about, true);
    story.broken_at = None;
    let click = story.facts.iter().find(|(_, fact)| matches!(fact, Fact::Requested(_)));
    let click = click.map_or(Time::ZERO, |&(at, _)| at);
    story.facts.retain(|(_, fact)| is_told(&cell.program, fact));
    let mut told = steps(&cell.program, &case.faults, &story);
    told.iter_mut().for_each(|step| *step = since(click, step));
    timeline(&cell.program, &told)
}

/// Whether a fact belongs to a short story.
fn is_told(program: &Program, fact: &Fact) -> bool {
    let is_provider = |node: NodeId| matches!(program.node(node).kind, Kind::Provider(_));
    let is_client = |node: NodeId| matches!(program.node(node).kind, Kind::Clients(_));
    match fact {
        Fact::Answered { .. }
        | Fact::Effect { .. }
        | Fact::Replayed { .. }
        | Fact::Committed { .. } => true,
        Fact::Attempted { edge, .. } | Fact::Settled { edge, outcome: Outcome::TimedOut, .. } => {
            is_provider(program.edge(*edge).target)
        }
        Fact::Sent(transit) | Fact::Arrived(transit) => {
            let is_call = matches!(transit.content, Content::Call(_));
            is_call && (is_client(transit.from) || is_provider(transit.to))
        }
        _ => false,
    }
}

/// A step with its times as they are since `start`.
fn since(start: Time, step: &StoryStep) -> StoryStep {
    let shift = |at: Time| Time::ZERO + at.since(start);
    let what = match &step.what {
        What::Message { from, to, text, arrived } => {
            let (from, to, text) = (*from, *to, text.clone());
            What::Message { from, to, text, arrived: arrived.map(shift) }
        }
        note @ What::Note { .. } => note.clone(),
    };
    StoryStep { at: shift(step.at), what, mark: step.mark }
}
