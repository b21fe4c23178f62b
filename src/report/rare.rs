//! How likely something rare is: `rare.csv`, its table, its picture and the answer.

use serde_json::json;

use super::arms::{self, column, plain};
use super::chart::{Bar, BarGroup, BarRow, Bars, Caption, Estimate as Whiskers};
use super::columns::Column;
use super::format::{FORMAT, pretty};
use super::number::{self, Unit};
use super::question::QuestionReport;
use super::sizes::WIDTH;
use super::table::{Align, Row, Table};
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::search::rare::language::Before;
use crate::experiment::search::rare::{Rare, RareFound};
use crate::statistics::{CONFIDENCE, Estimate};

/// What is told of a rare event; something is found for each cell of the campaign.
pub fn question_report(campaign: &Campaign, rare: &Rare, found: &[RareFound]) -> QuestionReport {
    let of = Of { campaign, rare, found };
    let answer: Vec<String> = (0..found.len()).map(|cell| of.sentence(cell)).collect();
    QuestionReport {
        csv: ("rare.csv", of.columns()),
        tables: vec![of.table()],
        notes: of.notes(),
        summary: of.summary(&answer),
        figure: ("rare", of.figure(&answer)),
        answer,
    }
}

/// A rare event of a campaign and what was found.
struct Of<'a> {
    campaign: &'a Campaign,
    rare: &'a Rare,
    found: &'a [RareFound],
}

/// A probability in scientific notation, as those of rare events are read: `9.5e-7`.
fn small(probability: f64) -> String {
    match probability {
        0.0 => "0".to_owned(),
        probability => format!("{probability:.2e}"),
    }
}

impl Of<'_> {
    fn name(&self, cell: usize) -> String {
        let cell = &self.campaign.cells[cell];
        arms::arm_and_point(self.campaign, &cell.arm_label, &cell.point_label)
    }

    /// What grows how far.
    fn event(&self) -> String {
        let text = &self.rare.text;
        let unit = if text.of.starts_with("oldest") { " ms" } else { "" };
        let before = match text.before {
            Before::End => "before the end of a run",
            Before::Empty => "before it is empty again",
        };
        format!("{} reaches {}{unit} {before}", text.of, text.reaches)
    }

    fn written(probability: Option<Estimate>) -> String {
        match probability {
            None => "–".to_owned(),
            Some(Estimate { mean, interval, .. }) => {
                let low = interval.low.max(0.0);
                format!("{} ({}–{})", small(mean), small(low), small(interval.high))
            }
        }
    }

    fn sentence(&self, cell: usize) -> String {
        let found = &self.found[cell];
        let events: u64 = found.replications.iter().map(|one| one.events).sum();
        let what = match found.probability {
            Some(estimate) if estimate.mean > 0.0 => format!(
                "the probability that {} is {}, at {} times less work than plain runs",
                self.event(),
                Self::written(Some(estimate)),
                number::number(found.gain, Unit::Plain)
            ),
            _ => format!("no run came so far that {}", self.event()),
        };
        let seeds = number::several(found.replications.len() as u64, "replication");
        let events = number::number(events as f64, Unit::Plain);
        format!("{}: {what} ({seeds}, {events} events).", self.name(cell))
    }

    /// For each cell and stage: the level, the runs that began before it and those that came to it.
    fn stages(&self) -> Vec<(usize, u64, u64, u64)> {
        let of = |(cell, found): (usize, &RareFound)| {
            let stage = |(stage, &level): (usize, &u64)| {
                let all = found.replications.iter().filter_map(|one| one.passed.get(stage));
                let (begun, passed) = all.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
                (cell, level, begun, passed)
            };
            found.levels.iter().enumerate().map(stage).collect::<Vec<_>>()
        };
        self.found.iter().enumerate().flat_map(of).collect()
    }

    fn columns(&self) -> Vec<Column> {
        let stages = self.stages();
        let cell = |place: usize| &self.campaign.cells[place];
        vec![
            Column::text("arm", stages.iter().map(|it| cell(it.0).arm.clone())),
            Column::text("point", stages.iter().map(|it| cell(it.0).point.clone())),
            Column::count("level", stages.iter().map(|it| it.1)),
            Column::count("begun", stages.iter().map(|it| it.2)),
            Column::count("passed", stages.iter().map(|it| it.3)),
            Column::number(
                "share",
                stages.iter().map(|it| (it.2 > 0).then(|| it.3 as f64 / it.2 as f64)),
            ),
        ]
    }

    fn table(&self) -> Table {
        let columns = vec![
            column("arm", Align::Left, 0),
            column("probability", Align::Right, 0),
            column("levels", Align::Left, 1),
            column("work saved", Align::Right, 0),
        ];
        let rows = self.found.iter().enumerate().map(|(cell, found)| {
            let levels: Vec<String> = found.levels.iter().map(u64::to_string).collect();
            Row::Cells(vec![
                plain(self.name(cell)),
                plain(Self::written(found.probability)),
                plain(levels.join(" ")),
                plain(number::number(found.gain, Unit::Times)),
            ])
        });
        Table { columns, rows: rows.collect() }
    }

    fn notes(&self) -> String {
        format!(
            "Multilevel splitting, {} runs at each level in each replication. The interval is \
             Student's over the replications. A run that falls back far is left to a toss, and \
             counts twice if it wins. The pilots that found the levels are not counted.\n",
            number::count(self.rare.text.effort),
        )
    }

    fn summary(&self, answer: &[String]) -> String {
        let of_each = self.found.iter().enumerate().map(|(index, found)| {
            let cell = &self.campaign.cells[index];
            let events = found.replications.iter().map(|one| one.events).sum::<u64>();
            json!({
                "arm": cell.arm,
                "point": cell.point,
                "probability": found.probability.map(|it| it.mean),
                "low": found.probability.map(|it| it.interval.low.max(0.0)),
                "high": found.probability.map(|it| it.interval.high),
                "levels": found.levels,
                "replications": found.replications.len(),
                "events": events,
                "pilot_events": found.pilot_events,
                "work_saved": found.gain.is_finite().then_some(found.gain),
            })
        });
        pretty(&json!({
            "format": FORMAT,
            "experiment": self.campaign.experiment.name,
            "question": self.campaign.experiment.question,
            "answer": answer,
            "event": self.event(),
            "confidence": CONFIDENCE,
            "effort": self.rare.text.effort,
            "rare": of_each.collect::<Vec<_>>(),
        }))
    }

    fn figure(&self, answer: &[String]) -> String {
        let row = |(cell, found): (usize, &RareFound)| BarRow {
            label: self.name(cell),
            colour: 1,
            cells: vec![match found.probability {
                Some(Estimate { mean, interval, .. }) => {
                    let [value, low, high] = [mean, interval.low, interval.high];
                    let per_million = |it: f64| it.max(0.0) * 1e6;
                    let whiskers = Whiskers {
                        value: per_million(value),
                        low: per_million(low),
                        high: per_million(high),
                    };
                    Bar::Rate(whiskers, Self::written(found.probability))
                }
                None => Bar::Missing("–".to_owned()),
            }],
        };
        let rows = self.found.iter().enumerate().map(row).collect();
        let bars = Bars {
            caption: Caption {
                title: answer.first().cloned().unwrap_or_default(),
                subtitle: format!(
                    "{}: how often {}.",
                    self.campaign.experiment.title,
                    self.event()
                ),
                note: self.notes().replace('\n', " "),
            },
            width: WIDTH,
            unit: "per million".to_owned(),
            panels: vec![format!("{} reaches {}", self.rare.text.of, self.rare.text.reaches)],
            groups: vec![BarGroup { heading: String::new(), rows }],
        };
        bars.svg()
    }
}
