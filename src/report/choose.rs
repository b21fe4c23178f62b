//! Which of several designs is best: `choice.csv`, its table, its picture and the answer.

use serde_json::json;

use super::arms::{self, column, of_data, plain};
use super::chart::{Bar, BarGroup, BarRow, Bars, Caption, Estimate as Whiskers};
use super::columns::Column;
use super::format::{FORMAT, pretty};
use super::number::{self, Unit};
use super::question::QuestionReport;
use super::sizes::WIDTH;
use super::table::{Align, Cell as TableCell, Row, Table, Tone};
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell::Cell;
use crate::experiment::search::choose::Choose;
use crate::experiment::search::choose::choosing::Choosing;
use crate::experiment::search::choose::contest::{Alternative, Decided, Out};
use crate::metric;
use crate::statistics::interval::mean_interval;
use crate::statistics::verdict::Direction;
use crate::statistics::{CONFIDENCE, Estimate};

/// The most alternatives of a point that the table and the picture show; `choice.csv` has all.
const SHOWN_MAX: usize = 16;

/// What is told of a choice.
pub fn question_report(
    campaign: &Campaign,
    choose: &Choose,
    choosing: &Choosing,
) -> QuestionReport {
    let of = Of { campaign, choose, choosing };
    let entries = of.entries();
    let answer = of.answer(&entries);
    QuestionReport {
        csv: ("choice.csv", of.columns(&entries)),
        tables: vec![of.table(&entries)],
        notes: of.notes(),
        summary: of.summary(&entries, &answer),
        figure: ("choice", of.figure(&entries, &answer)),
        answer,
    }
}

/// A choice of a campaign.
struct Of<'a> {
    campaign: &'a Campaign,
    choose: &'a Choose,
    choosing: &'a Choosing,
}

/// An alternative and what became of it.
struct Entry<'a> {
    point: usize,
    index: usize,
    cell: &'a Cell,
    it: &'a Alternative,
    /// The mean of the objective.
    mean: Option<Estimate>,
    standing: Standing,
}

/// How an alternative stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Best,
    Open,
    Out(Out),
    /// Not told from the others, with a budget.
    Behind,
}

impl<'a> Of<'a> {
    /// Every alternative, point by point, in the order of the cells.
    fn entries(&self) -> Vec<Entry<'a>> {
        let mut entries = Vec::new();
        for (point, contest) in self.choosing.contests.iter().enumerate() {
            let Decided { best, open, .. } = contest.decided(&self.choosing.rule);
            for (index, it) in contest.alternatives.iter().enumerate() {
                let standing = match it.out {
                    _ if best == Some(index) => Standing::Best,
                    Some(out) => Standing::Out(out),
                    None if open.contains(&index) => Standing::Open,
                    None => Standing::Behind,
                };
                let cell = &self.campaign.cells[point * self.choosing.of_each + index];
                entries.push(Entry { point, index, cell, it, mean: self.mean(it), standing });
            }
        }
        entries
    }

    /// The mean of the objective, with an interval that no stopping rule is taken into account in.
    fn mean(&self, it: &Alternative) -> Option<Estimate> {
        let sign = match self.choosing.judge.objective.better {
            Direction::Lower => 1.0,
            Direction::Higher => -1.0,
        };
        let values: Vec<f64> =
            it.observed.iter().filter_map(|one| Some(one.cost? * sign)).collect();
        mean_interval(&values, CONFIDENCE).ok()
    }

    /// The name of an alternative: its arm, if there are several, and its design.
    fn name(&self, cell: &Cell) -> String {
        let own = self.campaign.experiment.factors.len();
        let design = cell.point_label.splitn(own + 1, ", ").nth(own).unwrap_or_default();
        let design = if self.choose.factor.is_some() { design } else { "" };
        arms::arm_and_point(self.campaign, &cell.arm_label, design)
    }

    /// The point without the design; empty if there is only one.
    fn point_name(&self, cell: &Cell) -> String {
        let own = self.campaign.experiment.factors.len();
        cell.point_label.split(", ").take(own).collect::<Vec<_>>().join(", ")
    }

    fn unit(&self) -> Unit {
        of_data(&self.choosing.judge.objective.name).map_or(Unit::Plain, |(_, unit)| unit)
    }

    /// A mean as it is written: metrics of milliseconds count in them.
    fn written(&self, mean: Estimate) -> String {
        let counted_in = self.choosing.judge.objective.unit;
        let unit = match counted_in {
            metric::Unit::Milliseconds | metric::Unit::Seconds => Unit::Seconds,
            metric::Unit::PerSecond => Unit::PerSecond,
            metric::Unit::Share => Unit::Percent,
            metric::Unit::Number => self.unit(),
        };
        let scale = counted_in.to_base();
        let Estimate { mean, interval, .. } = mean;
        number::interval(mean * scale, interval.low * scale, interval.high * scale, unit)
    }

    /// Why an alternative is out, or how it stands.
    fn standing(&self, entry: &Entry<'_>, entries: &[Entry<'_>]) -> String {
        let judge = &self.choosing.judge;
        match entry.standing {
            Standing::Best => "the best".to_owned(),
            Standing::Open => "not told from it".to_owned(),
            Standing::Behind => "behind".to_owned(),
            Standing::Out(Out::Broken(place)) => format!("misses {}", judge.promises[place].0),
            Standing::Out(Out::Missing) => format!("a run without {}", judge.objective.name),
            Standing::Out(Out::Beyond(place)) => format!("misses {}", judge.bounds[place]),
            Standing::Out(Out::Behind(other)) => {
                let is_it = |one: &&Entry<'_>| one.point == entry.point && one.index == other;
                let other = entries.iter().find(is_it).map(|one| self.name(one.cell));
                format!("behind {}", other.unwrap_or_default())
            }
        }
    }

    /// Those of a point that are shown: the best first, then by their means, those without last.
    fn shown<'e>(&self, entries: &'e [Entry<'a>], point: usize) -> Vec<&'e Entry<'a>> {
        let mut shown: Vec<&Entry<'_>> = entries.iter().filter(|it| it.point == point).collect();
        let is_lower = self.choosing.judge.objective.better == Direction::Lower;
        let rank = |it: &Entry<'_>| {
            let place = match it.standing {
                Standing::Best => 0,
                Standing::Open | Standing::Behind => 1,
                Standing::Out(Out::Behind(_)) => 2,
                Standing::Out(_) => 3,
            };
            let mean = it.mean.map_or(f64::INFINITY, |mean| mean.mean);
            (place, if is_lower { mean } else { -mean })
        };
        shown.sort_by(|a, b| {
            let (a, b) = (rank(a), rank(b));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
        });
        shown.truncate(SHOWN_MAX);
        shown
    }

    fn answer(&self, entries: &[Entry<'_>]) -> Vec<String> {
        let contests = self.choosing.contests.iter().enumerate();
        contests.map(|(point, _)| self.sentence(entries, point)).collect()
    }

    fn sentence(&self, entries: &[Entry<'_>], point: usize) -> String {
        let (rule, contest) = (&self.choosing.rule, &self.choosing.contests[point]);
        let decided = contest.decided(rule);
        let of_point = || entries.iter().filter(move |it| it.point == point);
        let runs: usize = of_point().map(|it| it.it.observed.len()).sum();
        let at = of_point().next().map(|it| self.point_name(it.cell)).unwrap_or_default();
        let at = if at.is_empty() { at } else { format!("{at}: ") };
        let objective = &self.choosing.judge.objective.name;
        let Some(best) = of_point().find(|it| Some(it.index) == decided.best) else {
            return format!(
                "{at}Take none of the {}: nobody meets every constraint ({} runs).",
                contest.alternatives.len(),
                number::count(runs as u64),
            );
        };
        let mean = best.mean.map_or("–".to_owned(), |mean| self.written(mean));
        let sure = number::number(1.0 - rule.error, Unit::Percent);
        let how = match (decided.probability, contest.is_sure(rule)) {
            (Some(probability), _) => format!(
                "the best with a probability of about {} or more",
                number::number(probability, Unit::Percent)
            ),
            (None, true) => format!(
                "with {sure} nobody who meets the constraints is better by {} or more",
                rule.indifference
            ),
            (None, false) if decided.open.is_empty() => {
                format!("whether it meets every constraint is open after {} seeds", rule.most)
            }
            (None, false) => format!(
                "seems the best, and {} after {} seeds",
                match decided.open.len() {
                    1 => "1 other is not told from it".to_owned(),
                    others => format!("{others} others are not told from it"),
                },
                rule.most
            ),
        };
        format!(
            "{at}Take {}: {objective} {mean}, {how} ({} of {}, {} runs).",
            self.name(best.cell),
            1,
            contest.alternatives.len(),
            number::count(runs as u64),
        )
    }

    fn columns(&self, entries: &[Entry<'_>]) -> Vec<Column> {
        let mean =
            |of: fn(&Estimate) -> f64| entries.iter().map(move |it| it.mean.as_ref().map(of));
        let mut columns = vec![
            Column::text("arm", entries.iter().map(|it| it.cell.arm.clone())),
            Column::text("point", entries.iter().map(|it| it.cell.point.clone())),
            Column::count("runs", entries.iter().map(|it| it.it.observed.len() as u64)),
            Column::number("mean", mean(|it| it.mean)),
            Column::number("low", mean(|it| it.interval.low)),
            Column::number("high", mean(|it| it.interval.high)),
            Column::text("standing", entries.iter().map(|it| self.standing(it, entries))),
        ];
        for (place, bound) in self.choosing.judge.bounds.iter().enumerate() {
            let mean = |it: &Alternative| {
                let beyond = it.observed.iter().map(|one| one.beyond[place]).sum::<f64>();
                bound.value_beyond(beyond / it.observed.len().max(1) as f64)
            };
            columns.push(Column::number(
                bound.name.clone(),
                entries.iter().map(|it| Some(mean(it.it))),
            ));
        }
        columns
    }

    fn table(&self, entries: &[Entry<'_>]) -> Table {
        let objective = &self.choosing.judge.objective.name;
        let columns = vec![
            column("choice", Align::Left, 0),
            column(objective, Align::Right, 0),
            column("runs", Align::Right, 1),
            column("standing", Align::Left, 0),
        ];
        let mut rows = Vec::new();
        for point in 0..self.choosing.contests.len() {
            let shown = self.shown(entries, point);
            let name = shown.first().map(|it| self.point_name(it.cell)).unwrap_or_default();
            if !name.is_empty() {
                rows.push(Row::Group(name));
            }
            for it in shown {
                let mean = it.mean.map_or("–".to_owned(), |mean| self.written(mean));
                let tone = match it.standing {
                    Standing::Best => Tone::Good,
                    Standing::Out(Out::Behind(_)) | Standing::Open | Standing::Behind => {
                        Tone::Plain
                    }
                    Standing::Out(_) => Tone::Bad,
                };
                rows.push(Row::Cells(vec![
                    plain(self.name(it.cell)),
                    plain(mean),
                    plain(number::count(it.it.observed.len() as u64)),
                    TableCell { text: self.standing(it, entries), tone },
                ]));
            }
        }
        Table { columns, rows }
    }

    /// What the choice rests on.
    fn notes(&self) -> String {
        let (rule, judge) = (&self.choosing.rule, &self.choosing.judge);
        let sure = number::number(1.0 - rule.error, Unit::Percent);
        let mut text = match rule.budget {
            Some(budget) => format!(
                "{} runs where they tell most (OCBA). No guarantee: the probability is Bonferroni's \
                 bound for normal means, after the choice.\n",
                number::count(budget)
            ),
            None => format!(
                "KN: with a probability of {sure} the choice is the best, or behind it by less than \
                 {}, if means are normal.\n",
                rule.indifference
            ),
        };
        for (bound, tolerance) in judge.bounds.iter().zip(&rule.tolerances) {
            text.push_str(&format!(
                "{bound} is about the mean; within {} of the bound it may be told either way.\n",
                number::number(*tolerance, Unit::Plain)
            ));
        }
        for (promise, _) in &judge.promises {
            text.push_str(&format!(
                "{promise}: out with the first run that breaks it. That none of n runs has leaves up \
                 to 3 in n with 95%; the guarantee does not tell of that.\n"
            ));
        }
        text
    }

    fn summary(&self, entries: &[Entry<'_>], answer: &[String]) -> String {
        let rule = &self.choosing.rule;
        let alternatives = entries.iter().map(|it| {
            json!({
                "arm": it.cell.arm,
                "point": it.cell.point,
                "label": self.name(it.cell),
                "runs": it.it.observed.len(),
                "mean": it.mean.map(|mean| mean.mean),
                "low": it.mean.map(|mean| mean.interval.low),
                "high": it.mean.map(|mean| mean.interval.high),
                "is_best": it.standing == Standing::Best,
                "standing": self.standing(it, entries),
            })
        });
        let contests = self.choosing.contests.iter();
        pretty(&json!({
            "format": FORMAT,
            "experiment": self.campaign.experiment.name,
            "question": self.campaign.experiment.question,
            "answer": answer,
            "objective": self.choosing.judge.objective.name,
            "indifference": rule.indifference,
            "confidence": 1.0 - rule.error,
            "budget": rule.budget,
            "is_sure": contests.clone().map(|it| it.is_sure(rule)).collect::<Vec<_>>(),
            "probability": contests.map(|it| it.decided(rule).probability).collect::<Vec<_>>(),
            "alternatives": alternatives.collect::<Vec<_>>(),
        }))
    }

    fn figure(&self, entries: &[Entry<'_>], answer: &[String]) -> String {
        let groups = (0..self.choosing.contests.len()).map(|point| {
            let shown = self.shown(entries, point);
            let heading = shown.first().map(|it| self.point_name(it.cell)).unwrap_or_default();
            let row = |it: &&Entry<'_>| BarRow {
                label: self.name(it.cell),
                colour: match it.standing {
                    Standing::Best => 1,
                    Standing::Open | Standing::Behind | Standing::Out(Out::Behind(_)) => 0,
                    Standing::Out(_) => 2,
                },
                cells: vec![self.bar(it, entries)],
            };
            BarGroup { heading, rows: shown.iter().map(row).collect() }
        });
        let bars = Bars {
            caption: Caption {
                title: answer.first().cloned().unwrap_or_default(),
                subtitle: format!(
                    "{}: mean {} of each choice with its 95% interval, at most {SHOWN_MAX} a point.",
                    self.campaign.experiment.title, self.choosing.judge.objective.name,
                ),
                note: self.notes().replace('\n', " "),
            },
            width: WIDTH,
            unit: self.choosing.judge.objective.name.clone(),
            panels: vec![self.choosing.judge.objective.name.clone()],
            groups: groups.collect(),
        };
        bars.svg()
    }

    fn bar(&self, entry: &Entry<'_>, entries: &[Entry<'_>]) -> Bar {
        match entry.mean {
            Some(mean) if mean.mean >= 0.0 => {
                let Estimate { mean: value, interval, .. } = mean;
                let whiskers = Whiskers { value, low: interval.low.max(0.0), high: interval.high };
                let why = match entry.standing {
                    Standing::Out(Out::Behind(_)) => String::new(),
                    _ => format!(", {}", self.standing(entry, entries)),
                };
                Bar::Rate(whiskers, format!("{}{why}", self.written(mean)))
            }
            _ => Bar::Missing(self.standing(entry, entries)),
        }
    }
}
