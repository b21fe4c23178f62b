//! Published figures beside what runs show: a table for each experiment, and its part of the page.

use super::detail::{Detail, digits};
use super::table::{Align, Cell, Column, Row, Table, Tone};
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::validation::figures::FigureOfCell;
use crate::published::verdict::{Agreement, FigureComparison};

/// What an experiment came to beside what was published about it.
#[derive(Clone, Debug)]
pub struct Published {
    /// The experiment's title.
    pub title: String,
    /// Who published the figures, and where.
    pub source: String,
    /// Each figure with what it is called and what the runs say.
    pub rows: Vec<Compared>,
}

/// One figure.
#[derive(Clone, Debug)]
pub struct Compared {
    /// What it is of, and of which arm if there are points.
    pub group: String,
    /// The point, or the arm if there is none.
    pub name: String,
    /// How much it is.
    pub value: f64,
    /// What the runs say.
    pub comparison: FigureComparison,
}

impl Published {
    /// The figures of a campaign, each with what the runs say of it.
    pub fn new(campaign: &Campaign, compared: &[(&FigureOfCell, FigureComparison)]) -> Published {
        let has_arms = campaign.experiment.arms.len() > 1;
        let row = |(of, comparison): &(&FigureOfCell, FigureComparison)| {
            let cell = &campaign.cells[of.cell];
            let metric = of.figure.name();
            let (group, name) = match (cell.point.is_empty(), has_arms) {
                (true, _) => (metric, cell.arm_label.clone()),
                (false, false) => (metric, cell.point.clone()),
                (false, true) => (format!("{}: {metric}", cell.arm_label), cell.point.clone()),
            };
            Compared { group, name, value: of.figure.value, comparison: *comparison }
        };
        let mut rows: Vec<Compared> = compared.iter().map(row).collect();
        // Together what is of the same arm and metric, in the order of their first rows.
        let groups: Vec<String> = rows.iter().map(|row| row.group.clone()).collect();
        rows.sort_by_key(|row| groups.iter().position(|group| *group == row.group));
        let published = campaign.experiment.published.as_ref();
        Published {
            title: campaign.experiment.title.clone(),
            source: published.map(|text| text.source.clone()).unwrap_or_default(),
            rows,
        }
    }

    /// The table of the figures.
    pub fn table(&self, detail: Detail) -> Table {
        let column =
            |header: &str, align, priority| Column { header: header.to_owned(), align, priority };
        let columns = vec![
            column("figure", Align::Left, 0),
            column("published", Align::Right, 0),
            column("simulated", Align::Right, 0),
            column("expected", Align::Right, 1),
            column("runs", Align::Right, 2),
            column("verdict", Align::Left, 0),
        ];
        let mut rows = Vec::new();
        let mut group = None;
        for row in &self.rows {
            if group != Some(&row.group) {
                rows.push(Row::Group(row.group.clone()));
                group = Some(&row.group);
            }
            rows.push(Row::Cells(row.cells(detail)));
        }
        Table { columns, rows }
    }

    /// Its part of the page, in Markdown.
    pub fn markdown(&self) -> String {
        let Published { title, source, .. } = self;
        format!("\n### {title}\n\n{source}.\n\n{}", self.table(Detail::Page).markdown())
    }
}

impl Compared {
    fn cells(&self, detail: Detail) -> Vec<Cell> {
        let plain = |text: String| Cell { text, tone: Tone::Plain };
        let shown = |value: f64| digits(value, if detail == Detail::Page { 6 } else { 4 });
        let FigureComparison { simulated, runs, interval, verdict } = self.comparison;
        let tone = match verdict {
            Agreement::Agrees => Tone::Good,
            Agreement::Imprecise => Tone::Warning,
            Agreement::Differs => Tone::Bad,
            Agreement::Changed => Tone::Faint,
        };
        let none = || "–".to_owned();
        let between = match simulated {
            Some(_) if interval.half_width().is_finite() => {
                format!("{} to {}", shown(interval.low), shown(interval.high))
            }
            _ => none(),
        };
        vec![
            plain(self.name.clone()),
            plain(digits(self.value, 6)),
            plain(simulated.map_or_else(none, shown)),
            plain(between),
            plain(runs.to_string()),
            Cell { text: verdict.name().to_owned(), tone },
        ]
    }
}

/// How many figures ended in each way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// They agree.
    pub agree: usize,
    /// They agree, but the runs say little.
    pub imprecise: usize,
    /// They differ.
    pub differ: usize,
    /// Other parameters ran.
    pub changed: usize,
}

impl Tally {
    /// The tally of these experiments.
    pub fn of(all: &[Published]) -> Tally {
        let mut tally = Tally::default();
        for row in all.iter().flat_map(|published| &published.rows) {
            match row.comparison.verdict {
                Agreement::Agrees => tally.agree += 1,
                Agreement::Imprecise => tally.imprecise += 1,
                Agreement::Differs => tally.differ += 1,
                Agreement::Changed => tally.changed += 1,
            }
        }
        tally
    }

    /// The tally in words.
    pub fn text(&self) -> String {
        let Tally { agree, imprecise, differ, changed } = self;
        let other = match changed {
            0 => String::new(),
            _ => format!(", {changed} of other parameters than those that ran"),
        };
        format!("{agree} agree, {imprecise} agree but imprecisely, {differ} differ{other}")
    }
}
