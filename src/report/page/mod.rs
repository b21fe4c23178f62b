//! `report.html`: everything that a campaign came to on one page, which opens from disk, asks
//! nothing of any network and keeps nothing.
//!
//! Whatever decides stands in the HTML and can be read without script; the script adds charts that
//! zoom. The template escapes every text, so that no name of an experiment acts on the page.

mod capacity;
mod charts;
mod diagram;
mod differences;
mod failures;
mod grid;
mod mini;
mod picture;
mod promises;
mod reproduce;
mod stories;
mod waits;

use minijinja::{AutoEscape, Environment, context};
use serde::Serialize;

use super::blast_radius;
use super::capacity::{assumed, planned};
use super::notes::paragraphs;
use super::roles::{Role, reading_order, role_of_cells};
use super::sources::CampaignSources;
use crate::experiment::compare::Comparison;
use crate::experiment::measure::summary::CellSummary;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::run::closer_look::{CloserLook, Seen};
use crate::experiment::run::result::RunResult;
use crate::kernel::time::Span;
use charts::{Column, Timeline};
use grid::Grid;
use mini::Mini;

/// So many cells are shown first where the answer tells them apart by nothing.
const SHOWN_FIRST: usize = 4;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = concat!(include_str!("uPlot.min.css"), include_str!("page.css"));
const CHARTS: &str = include_str!("uPlot.iife.min.js");
const SCRIPT: &str = include_str!("page.js");
const TIMELINE: &str = include_str!("timeline.js");

/// The parts of a page with what is derived from them.
struct Page<'a> {
    campaign: &'a Campaign,
    results: &'a [RunResult],
    summaries: &'a [CellSummary],
    comparison: &'a Comparison,
    look: &'a CloserLook,
    files: &'a [(String, String)],
    overrides: &'a [String],
    /// What each cell is called.
    names: Vec<String>,
    /// What the answer says of each cell.
    roles: Vec<Option<Role>>,
    /// The cells, those first that the answer speaks of.
    order: Vec<usize>,
}

impl Page<'_> {
    /// The cells that are shown first, and the others.
    fn apart(&self) -> (Vec<usize>, Vec<usize>) {
        self.order.iter().partition(|&&cell| self.is_shown_first(cell))
    }

    /// Whether the answer speaks of a cell; where it speaks of all alike, whether it is one of
    /// those that do worst.
    fn is_shown_first(&self, cell: usize) -> bool {
        match self.roles.iter().any(Option::is_some) {
            true => self.roles[cell].is_some(),
            false => self.order.iter().take(SHOWN_FIRST).any(|&one| one == cell),
        }
    }

    /// The number of the story of a promise that a cell broke, if there is one.
    fn story_of(&self, cell: usize, promise: usize) -> Option<usize> {
        let mut witnesses = self.look.witnesses.iter();
        let own = witnesses.position(|it| (it.cell, it.promise) == (cell, promise));
        own.map(|index| index + 1)
    }

    /// The run of a cell that was looked at.
    fn seen(&self, cell: usize) -> Option<&Seen> {
        self.look.seen.iter().find(|seen| seen.cell == cell)
    }
}

/// A sentence of the answer, its first word apart.
#[derive(Serialize)]
struct Sentence<'a> {
    word: &'a str,
    rest: &'a str,
}

/// What the charts of a column look like without script.
#[derive(Serialize)]
struct Still<'a> {
    column: &'a Column,
    minis: Vec<Mini>,
}

/// The page as HTML.
///
/// # Panics
/// If the template does not fit what it is given: the tests render it.
pub fn page(of: &CampaignSources<'_>) -> String {
    let page = with_names(of);
    let cells = of.findings.campaign.cells.len();
    let in_order: Vec<&Seen> = page.order.iter().filter_map(|&cell| page.seen(cell)).collect();
    let named = |cell: usize| {
        let role = page.roles[cell].map_or("", Role::name);
        (page.names[cell].clone(), role)
    };
    let timeline = charts::timeline(
        of.findings.campaign,
        of.findings.results,
        (of.look.seed, &in_order),
        named,
    );
    let failures: Vec<_> = in_order
        .iter()
        .zip(&timeline.cells)
        .filter(|(seen, _)| page.is_shown_first(seen.cell))
        .map(|(seen, column)| failures::failures(&page, seen, column, &timeline.x))
        .collect();
    let shown = in_order.first().map_or(0, |seen| seen.cell);
    let planned = planned(of.findings.campaign);
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    let template = environment.template_from_str(TEMPLATE).expect("the template can be read");
    let rendered = template.render(context! {
        experiment => head(of),
        style => STYLE,
        charts_script => CHARTS,
        script => SCRIPT,
        timeline_script => TIMELINE,
        has_timeline => !timeline.x.is_empty(),
        sentences => of.findings.sentences.iter().map(|it| sentence(it)).collect::<Vec<_>>(),
        deciding => Grid::of(&of.findings.deciding, "What decides"),
        asked_for => of.findings.asked_for().iter().map(|it| Grid::of(it, "What was asked for")).collect::<Vec<_>>(),
        notes => paragraphs(&of.findings.notes),
        promises => promises::promises(&page),
        timeline_data => json_for_script(&timeline),
        stills => stills(&timeline),
        end => end_of(&timeline.x),
        has_waits => timeline.cells.iter().any(|it| it.panels.iter().any(|it| it.place == "waits")),
        unseen => cells.saturating_sub(in_order.len()),
        seed => of.look.seed.to_string(),
        waits => waits::waits(&page),
        loads => capacity::loads(&page, &planned),
        assumptions => assumed(&planned),
        failures => failures,
        differences => differences::differences(&page),
        stories => stories::stories(&page),
        spread => blast_radius::figure(page.campaign, page.summaries),
        picture => picture::picture(&page, shown),
        pictured => page.names[shown],
        files => of.inputs.files,
        complete_model => of.inputs.complete_model,
        reproduce => reproduce::reproduce(&page),
    });
    rendered.expect("the template fits what it is given")
}

fn with_names<'a>(of: &CampaignSources<'a>) -> Page<'a> {
    let cells = of.findings.campaign.cells.len();
    let name = |cell: &crate::experiment::plan::cell::Cell| match cell.point_label.as_str() {
        "" => cell.arm_label.clone(),
        point => format!("{point}, {}", cell.arm_label),
    };
    Page {
        campaign: of.findings.campaign,
        results: of.findings.results,
        summaries: of.findings.summaries,
        comparison: of.findings.comparison,
        look: of.look,
        files: of.inputs.files,
        overrides: of.inputs.overrides,
        names: of.findings.campaign.cells.iter().map(name).collect(),
        roles: role_of_cells(&of.findings.answer, cells),
        order: reading_order(&of.findings.answer, of.findings.summaries),
    }
}

/// What stands at the top.
fn head(of: &CampaignSources<'_>) -> serde_json::Value {
    let experiment = &of.findings.campaign.experiment;
    let horizon = Span(of.findings.campaign.cells[0].limits.horizon.0);
    serde_json::json!({
        "name": experiment.name,
        "title": experiment.title,
        "question": experiment.question,
        "arms": experiment.arms.len(),
        "cells": of.findings.campaign.cells.len(),
        "seeds": of.findings.campaign.seeds.len(),
        "runs": of.findings.results.len(),
        "horizon": horizon.to_string(),
        "file": of.inputs.files.first().map(|(name, _)| name),
    })
}

fn sentence(text: &str) -> Sentence<'_> {
    let words = ["Take", "Keep", "Avoid", "Not decided"];
    let word = words.into_iter().find(|word| text.starts_with(&format!("{word} ")));
    let (word, rest) = word.map_or(("", text), |word| text.split_at(word.len()));
    Sentence { word, rest: rest.trim_start() }
}

/// The columns that are shown at first, as still pictures: one scale for each row.
fn stills(timeline: &Timeline) -> Vec<Still<'_>> {
    let has_roles = timeline.cells.iter().any(|column| !column.role.is_empty());
    let columns = timeline.cells.iter().enumerate();
    let is_shown = |(index, column): &(usize, &Column)| match has_roles {
        true => !column.role.is_empty(),
        false => *index < SHOWN_FIRST,
    };
    let shown: Vec<&Column> = columns.filter(is_shown).map(|(_, column)| column).collect();
    let end = end_of(&timeline.x);
    let most = |title: &str| {
        let panels = shown.iter().flat_map(|column| &column.panels);
        panels.filter(|panel| panel.title == title).map(mini::greatest).fold(0.0, f64::max)
    };
    let still = |column: &&'_ Column| {
        let drawn = |panel: &charts::Panel| {
            mini::mini(panel, &column.faults, &timeline.x, (end, most(&panel.title)))
        };
        column.panels.iter().map(drawn).collect::<Vec<_>>()
    };
    shown.iter().map(|column| Still { column, minis: still(column) }).collect()
}

/// When the last point ends, in seconds.
fn end_of(x: &[f64]) -> f64 {
    match x {
        [.., before, last] => last + (last - before) / 2.0,
        [only] => only * 2.0,
        [] => 1.0,
    }
}

/// JSON that can stand in a script element: `<` cannot end it.
fn json_for_script(timeline: &Timeline) -> String {
    let text = serde_json::to_string(timeline).expect("a timeline is plain data");
    text.replace('<', "\\u003c")
}
