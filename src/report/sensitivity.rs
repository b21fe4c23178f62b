//! Which of several quantities matters: `sensitivity.csv`, its table, its tornado and the answer.

use serde_json::json;

use super::arms::{column, plain};
use super::chart::{Bar, BarGroup, BarRow, Bars, Caption, Estimate as Whiskers};
use super::columns::Column;
use super::format::{FORMAT, pretty};
use super::number::{self, Unit};
use super::question::QuestionReport;
use super::sizes::WIDTH;
use super::table::{Align, Row, Table};
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::quantity::short;
use crate::experiment::search::sensitivity::Sensitivity;
use crate::experiment::search::sensitivity::language::SensitivityMethod;
use crate::experiment::search::sensitivity::sensing::{Found, Sensed};
use crate::statistics::{CONFIDENCE, Estimate};

/// A quantity of one arm at one point.
struct Input<'a> {
    sensed: &'a Sensed,
    path: &'a str,
    /// mu* or the total share: what quantities are ordered by.
    size: Option<Estimate>,
    /// The share of the first order.
    first: Option<Estimate>,
    /// mu and sigma.
    effect: Option<(f64, f64)>,
}

/// What is told of a question of sensitivity.
pub fn question_report(
    campaign: &Campaign,
    sensitivity: &Sensitivity,
    sensed: &[Sensed],
) -> QuestionReport {
    let of = Of { campaign, sensitivity, sensed };
    let answer = sensed.iter().map(|one| of.sentence(one)).collect::<Vec<_>>();
    QuestionReport {
        csv: ("sensitivity.csv", of.columns()),
        tables: vec![of.table()],
        notes: of.notes(),
        summary: of.summary(&answer),
        figure: ("tornado", of.figure(&answer)),
        answer,
    }
}

/// A question of a campaign and what was found.
struct Of<'a> {
    campaign: &'a Campaign,
    sensitivity: &'a Sensitivity,
    sensed: &'a [Sensed],
}

impl<'a> Of<'a> {
    fn is_sobol(&self) -> bool {
        self.sensitivity.text.method == SensitivityMethod::Sobol
    }

    /// The quantities of one arm at one point, in their order.
    fn inputs(&self, sensed: &'a Sensed) -> Vec<Input<'a>> {
        let paths = self.sensitivity.text.over.keys().enumerate();
        let input = |(place, path): (usize, &'a String)| {
            let none = Input { sensed, path, size: None, first: None, effect: None };
            match &sensed.found {
                Found::Effects(effects) => {
                    let effect = effects[place];
                    let (size, effect) = (Some(effect.size), Some((effect.mean, effect.spread)));
                    Input { size, effect, ..none }
                }
                Found::Shares(shares) => {
                    let shares = shares[place];
                    Input { size: Some(shares.total), first: Some(shares.first), ..none }
                }
                Found::Nothing => none,
            }
        };
        paths.map(input).collect()
    }

    /// The same, the one that matters most first.
    fn ordered(&self, sensed: &'a Sensed) -> Vec<Input<'a>> {
        let mut inputs = self.inputs(sensed);
        let size = |input: &Input<'_>| input.size.map_or(f64::NEG_INFINITY, |size| size.mean);
        inputs.sort_by(|a, b| size(b).total_cmp(&size(a)));
        inputs
    }

    fn all(&self) -> Vec<Input<'a>> {
        self.sensed.iter().flat_map(|one| self.inputs(one)).collect()
    }

    /// The arm and the point, where there are several.
    fn name(&self, sensed: &Sensed) -> String {
        let cell = &self.campaign.cells[sensed.cell];
        let own = self.campaign.experiment.factors.len();
        let several = self.campaign.experiment.arms.len() > 1;
        let arm = several.then(|| cell.arm_label.clone());
        let point = cell.point_label.split(", ").take(own).map(str::to_owned);
        arm.into_iter().chain(point).collect::<Vec<_>>().join(", ")
    }

    /// A size as it is written: a share of the variance, or the outcome's own unit.
    fn written(&self, size: Estimate) -> String {
        let unit = if self.is_sobol() { Unit::Percent } else { Unit::Plain };
        let (low, high) = (size.interval.low, size.interval.high);
        number::interval(size.mean, low, high, unit)
    }

    fn sentence(&self, sensed: &'a Sensed) -> String {
        let name = self.name(sensed);
        let before = if name.is_empty() { name } else { format!("{name}: ") };
        let outcome = &self.sensitivity.text.outcome;
        let inputs = self.ordered(sensed);
        let sizes: Vec<(&str, Estimate)> =
            inputs.iter().filter_map(|input| Some((input.path, input.size?))).collect();
        let Some((first, most)) = sizes.first() else {
            return format!("{before}{outcome} is the same everywhere, or has too few values.");
        };
        let what = if self.is_sobol() {
            "of its variance, alone and with others"
        } else {
            "over its range"
        };
        let mut text =
            format!("{before}{outcome} depends most on {first} ({} {what})", self.written(*most));
        let is_small = |size: &Estimate| size.interval.high < SMALL * most.mean;
        let others: Vec<String> = sizes[1..]
            .iter()
            .filter(|(_, size)| !is_small(size))
            .map(|(path, size)| format!("{path} ({})", self.written(*size)))
            .collect();
        if !others.is_empty() {
            text.push_str(&format!(", then on {}", others.join(", ")));
        }
        let small: Vec<&str> =
            sizes[1..].iter().filter(|(_, size)| is_small(size)).map(|(path, _)| *path).collect();
        if !small.is_empty() {
            let less = number::number(SMALL, Unit::Percent);
            text.push_str(&format!(
                "; may stay a guess, with less than {less} of that: {}",
                small.join(", ")
            ));
        }
        text + "."
    }

    fn columns(&self) -> Vec<Column> {
        let all = self.all();
        let cell = |input: &Input<'_>| &self.campaign.cells[input.sensed.cell];
        let own = self.campaign.experiment.factors.len();
        let point = |input: &Input<'_>| {
            let parts = cell(input).point.split(' ').take(own);
            parts.collect::<Vec<_>>().join(" ")
        };
        let ends = |input: &Input<'_>| self.sensitivity.text.over[input.path].ends();
        let number = |of: &dyn Fn(&Input<'_>) -> Option<f64>| -> Vec<Option<f64>> {
            all.iter().map(of).collect()
        };
        let column =
            |name: &str, values: Vec<Option<f64>>| Column::number(name, values.into_iter());
        vec![
            Column::text("arm", all.iter().map(|input| cell(input).arm.clone())),
            Column::text("point", all.iter().map(point)),
            Column::text("quantity", all.iter().map(|input| input.path.to_owned())),
            Column::text("from", all.iter().map(|input| ends(input)[0].clone())),
            Column::text("until", all.iter().map(|input| ends(input)[1].clone())),
            column("size", number(&|input| Some(input.size?.mean))),
            column("low", number(&|input| Some(input.size?.interval.low))),
            column("high", number(&|input| Some(input.size?.interval.high))),
            column("first", number(&|input| Some(input.first?.mean))),
            column("first_low", number(&|input| Some(input.first?.interval.low))),
            column("first_high", number(&|input| Some(input.first?.interval.high))),
            column("effect_mean", number(&|input| Some(input.effect?.0))),
            column("effect_spread", number(&|input| Some(input.effect?.1))),
        ]
    }

    fn table(&self) -> Table {
        let [size, beside] =
            if self.is_sobol() { ["total", "alone"] } else { ["mu*", "mu, sigma"] };
        let columns = vec![
            column("quantity", Align::Left, 0),
            column("from", Align::Right, 1),
            column("until", Align::Right, 1),
            column(size, Align::Right, 0),
            column(beside, Align::Right, 0),
        ];
        let mut rows = Vec::new();
        for sensed in self.sensed {
            let name = self.name(sensed);
            if !name.is_empty() {
                rows.push(Row::Group(name));
            }
            for input in self.ordered(sensed) {
                let [from, until] = self.sensitivity.text.over[input.path].ends();
                let size = input.size.map_or("–".to_owned(), |size| self.written(size));
                let effect = input.effect.map(|(mean, spread)| {
                    let [mean, spread] = [mean, spread].map(|it| number::number(it, Unit::Plain));
                    format!("{mean}, {spread}")
                });
                let beside = input.first.map(|first| self.written(first)).or(effect);
                rows.push(Row::Cells(vec![
                    plain(input.path.to_owned()),
                    plain(from),
                    plain(until),
                    plain(size),
                    plain(beside.unwrap_or_default()),
                ]));
            }
        }
        Table { columns, rows }
    }

    fn notes(&self) -> String {
        let text = &self.sensitivity.text;
        let seeds = number::several(text.seeds, "seed");
        let mut notes = match text.method {
            SensitivityMethod::Morris => format!(
                "mu*: how far {} moves over the whole range of a quantity, on average over {} \
                 trajectories, means of {seeds}; mu: with its sign; sigma: how much that depends \
                 on where, and on the others.\n",
                text.outcome, text.trajectories,
            ),
            SensitivityMethod::Sobol => format!(
                "total: the share of the variance of {} that is left if all others are known; alone: \
                 the share that goes if this is known; {} rows, means of {seeds}. Ranges count as \
                 even, quantities as independent.\n",
                text.outcome, text.rows,
            ),
        };
        let left_out: usize = self.sensed.iter().map(|one| one.left_out).sum();
        if left_out > 0 {
            let what = if self.is_sobol() { "row" } else { "trajectory" };
            notes.push_str(&format!(
                "{} left out: a run has no {}.\n",
                number::several(left_out as u64, what).replace("trajectorys", "trajectories"),
                text.outcome
            ));
        }
        notes
    }

    fn summary(&self, answer: &[String]) -> String {
        let text = &self.sensitivity.text;
        let ends = |of: Estimate| json!([of.mean, of.interval.low, of.interval.high]);
        let input = |input: &Input<'_>| {
            json!({
                "quantity": input.path,
                "size": input.size.map(ends),
                "first": input.first.map(ends),
                "effect": input.effect.map(|(mean, spread)| json!([mean, spread])),
            })
        };
        let of_each = self.sensed.iter().map(|one| {
            let cell = &self.campaign.cells[one.cell];
            json!({
                "arm": cell.arm,
                "label": self.name(one),
                "of": one.of,
                "left_out": one.left_out,
                "quantities": self.inputs(one).iter().map(input).collect::<Vec<_>>(),
            })
        });
        pretty(&json!({
            "format": FORMAT,
            "experiment": self.campaign.experiment.name,
            "question": self.campaign.experiment.question,
            "answer": answer,
            "outcome": text.outcome,
            "method": text.method,
            "confidence": CONFIDENCE,
            "sensitivity": of_each.collect::<Vec<_>>(),
        }))
    }

    fn figure(&self, answer: &[String]) -> String {
        let bar = |size: Option<Estimate>| match size {
            Some(size) => {
                let Estimate { mean, interval, .. } = size;
                let scale = if self.is_sobol() { 100.0 } else { 1.0 };
                let [value, low, high] =
                    [mean, interval.low, interval.high].map(|it| it.max(0.0) * scale);
                Bar::Rate(Whiskers { value, low, high }, self.written(size))
            }
            None => Bar::Missing("–".to_owned()),
        };
        let row = |input: &Input<'_>| {
            let first = self.is_sobol().then(|| bar(input.first));
            let cells = std::iter::once(bar(input.size)).chain(first).collect();
            BarRow { label: short(input.path), colour: 1, cells }
        };
        let group = |sensed: &'a Sensed| BarGroup {
            heading: self.name(sensed),
            rows: self.ordered(sensed).iter().map(row).collect(),
        };
        let (unit, panels) = match self.is_sobol() {
            true => ("% of the variance", vec!["with others (total)", "alone (first order)"]),
            false => (self.sensitivity.text.outcome.as_str(), vec!["moves it by (mu*)"]),
        };
        let bars = Bars {
            caption: Caption {
                title: answer.first().cloned().unwrap_or_default(),
                subtitle: format!(
                    "{}: what {} depends on, with 95% bootstrap intervals.",
                    self.campaign.experiment.title, self.sensitivity.text.outcome
                ),
                note: self.notes().replace('\n', " "),
            },
            width: WIDTH,
            unit: unit.to_owned(),
            panels: panels.into_iter().map(str::to_owned).collect(),
            groups: self.sensed.iter().map(group).collect(),
        };
        bars.svg()
    }
}

/// What is surely less than this part of the largest may stay a guess.
const SMALL: f64 = 0.1;
