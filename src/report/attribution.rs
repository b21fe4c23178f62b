//! What spent the budget: the parts of each cause in every run, and their means over runs.

use serde_json::{Value, json};

use super::arms::{column, plain};
use super::columns::{self, Column};
use super::number::{self, Unit};
use super::table::{Align, Cell as TableCell, Row, Table};
use crate::experiment::judge::attribution::Cause;
use crate::experiment::judge::attribution::harm::Harm;
use crate::experiment::plan::campaign::Campaign;
use crate::experiment::plan::cell::Cell;
use crate::experiment::run::result::RunResult;
use crate::statistics::CONFIDENCE;
use crate::statistics::bounded::RUNS_MIN;
use crate::statistics::interval::{Estimate, Interval, mean_interval};
use crate::statistics::moments::moments;

/// What is called the cause of what happens without any of them.
const NO_CAUSE: &str = "no cause";
/// What is called the cause of what causes only do, or prevent, together.
const INTERACTIONS: &str = "interactions";

/// A row of `attribution.csv`.
struct Line<'a> {
    cell: &'a Cell,
    run: &'a RunResult,
    of: String,
    cause: String,
    part: i64,
    budget: Option<f64>,
    shapley: Option<f64>,
}

/// `attribution.csv`: a row for each arm, point, seed, thing that is counted and cause; `None`
/// without `[attribution]`.
pub fn csv(campaign: &Campaign, results: &[RunResult]) -> Option<String> {
    campaign.experiment.attribution?;
    let mut lines = Vec::new();
    for run in results {
        let cell = &campaign.cells[run.cell];
        let harms = run.attribution.iter().flat_map(|attribution| &attribution.harms);
        for (place, harm) in harms.enumerate() {
            lines.extend(lines_of(cell, run, place, harm));
        }
    }
    let text =
        |name: &str, of: &dyn Fn(&Line<'_>) -> String| Column::text(name, lines.iter().map(of));
    let number = |name: &str, of: &dyn Fn(&Line<'_>) -> Option<f64>| {
        Column::number(name, lines.iter().map(of))
    };
    Some(columns::csv(&[
        text("arm", &|line| line.cell.arm.clone()),
        text("point", &|line| line.cell.point.clone()),
        Column::count("seed", lines.iter().map(|line| line.run.seed)),
        text("of", &|line| line.of.clone()),
        text("cause", &|line| line.cause.clone()),
        number("part", &|line| Some(line.part as f64)),
        number("budget_consumed", &|line| line.budget),
        number("shapley", &|line| line.shapley),
    ]))
}

/// The rows of one harm of a run: what no cause does, each fault by itself, and interactions. Parts
/// add up to what went wrong in the run.
fn lines_of<'a>(cell: &'a Cell, run: &'a RunResult, place: usize, harm: &Harm) -> Vec<Line<'a>> {
    let line = |cause: String, part: i64, shapley: Option<f64>| Line {
        cell,
        run,
        of: counted(cell, place).0,
        cause,
        part,
        budget: budget(cell, run, place, part as f64),
        shapley,
    };
    let listed = cell
        .plan
        .faults
        .iter()
        .enumerate()
        .map(|(index, fault)| format!("{} {} {}", index + 1, fault.kind.name(), fault.target));
    let drawn = run.drawn.iter().map(|drawn| drawn.name.clone());
    let mut lines = vec![line(NO_CAUSE.to_owned(), harm.none as i64, None)];
    for (fault, name) in listed.chain(drawn).enumerate() {
        lines.push(line(name, harm.part(fault), harm.shapley(fault)));
    }
    lines.push(line(INTERACTIONS.to_owned(), harm.interactions(), None));
    lines
}

/// What is counted at this place, as files and as tables call it: bad events of an objective, or
/// violations of a promise.
fn counted(cell: &Cell, place: usize) -> (String, String) {
    let objectives = &cell.objectives.list;
    match objectives.get(place) {
        Some(objective) => {
            let what = if objective.slices.is_some() { "bad slices" } else { "bad events" };
            (format!("{}.bad", objective.name), format!("{what} of {}", objective.label))
        }
        None => {
            let promise = cell.invariants.get(place - objectives.len());
            promise.map_or((String::new(), String::new()), |promise| {
                (format!("{}_violations", promise.name), promise.label.clone())
            })
        }
    }
}

/// The share of an objective's budget that so many bad events use up.
fn budget(cell: &Cell, run: &RunResult, place: usize, bad: f64) -> Option<f64> {
    let objective = cell.objectives.list.get(place)?;
    objective.account(&run.metrics, &cell.measure)?.consumed_by(bad)
}

/// What one cause did over the runs of a cell.
struct Summed {
    cause: String,
    part: Option<Estimate>,
    budget: Option<Estimate>,
    shapley: Option<Estimate>,
}

/// One thing that is counted, over the runs of a cell.
struct OverRuns {
    of: String,
    label: String,
    /// How often it happened, with all causes.
    all: Option<Estimate>,
    causes: Vec<Summed>,
    /// Runs of which it is known.
    runs: u64,
}

/// Everything that is counted in a cell, with its causes.
fn over_runs(campaign: &Campaign, results: &[RunResult], index: usize) -> Vec<OverRuns> {
    let cell = &campaign.cells[index];
    let runs: Vec<&RunResult> = campaign.runs_of(results, index).iter().collect();
    let known: Vec<(&RunResult, &[Harm])> = runs
        .iter()
        .filter_map(|run| Some((*run, run.attribution.as_ref()?.harms.as_slice())))
        .collect();
    let harms = known.first().map_or(0, |(_, harms)| harms.len());
    let of_place = |place: usize| {
        let mean = |value: &dyn Fn(&RunResult, &Harm) -> Option<f64>| {
            mean_of(known.iter().map(|(run, harms)| value(run, &harms[place])))
        };
        let summed = |cause: String, part: &dyn Fn(&RunResult, &Harm) -> i64, shapley| Summed {
            cause,
            part: mean(&|run, harm| Some(part(run, harm) as f64)),
            budget: mean(&|run, harm| budget(cell, run, place, part(run, harm) as f64)),
            shapley,
        };
        let mut causes: Vec<Summed> = Cause::all(cell)
            .iter()
            .map(|cause| {
                let shapley = mean(&|run, harm| cause.shapley(cell, run, harm));
                summed(cause.name(), &|run, harm| cause.part(cell, run, harm), shapley)
            })
            .collect();
        causes.push(summed(INTERACTIONS.to_owned(), &|_, harm| harm.interactions(), None));
        causes.push(summed(NO_CAUSE.to_owned(), &|_, harm| harm.none as i64, None));
        let (of, label) = counted(cell, place);
        let all = mean(&|_, harm| Some(harm.all as f64));
        OverRuns { of, label, all, causes, runs: known.len() as u64 }
    };
    (0..harms).map(of_place).collect()
}

/// The mean of what has a value in every run; the interval is Student's, and without bounds where
/// there are too few runs for one.
fn mean_of(values: impl Iterator<Item = Option<f64>>) -> Option<Estimate> {
    let values: Vec<f64> = values.collect::<Option<Vec<f64>>>()?;
    let moments = moments(&values).ok()?;
    match moments.n >= RUNS_MIN {
        true => mean_interval(&values, CONFIDENCE).ok(),
        false => Some(Estimate { mean: moments.mean, interval: Interval::UNBOUNDED, n: moments.n }),
    }
}

/// A table for each thing that is counted and went wrong in any run: a row for each cause.
pub fn tables(campaign: &Campaign, results: &[RunResult]) -> Vec<Table> {
    if campaign.experiment.attribution.is_none() {
        return Vec::new();
    }
    let cells: Vec<Vec<OverRuns>> =
        (0..campaign.cells.len()).map(|index| over_runs(campaign, results, index)).collect();
    let places = cells.iter().map(Vec::len).max().unwrap_or(0);
    (0..places).filter_map(|place| table(campaign, &cells, place)).collect()
}

fn table(campaign: &Campaign, cells: &[Vec<OverRuns>], place: usize) -> Option<Table> {
    let of_place = || cells.iter().filter_map(|cell| cell.get(place));
    if of_place().all(|own| own.all.is_none_or(|all| all.mean == 0.0)) {
        return None;
    }
    let label = &of_place().next()?.label;
    let has = |value: fn(&Summed) -> Option<Estimate>| {
        of_place().flat_map(|own| &own.causes).any(|cause| value(cause).is_some())
    };
    let (has_budget, has_shapley) = (has(|cause| cause.budget), has(|cause| cause.shapley));
    let mut columns =
        vec![column("cause", Align::Left, 0), column(&format!("{label} a run"), Align::Right, 0)];
    columns.extend(has_shapley.then(|| column("Shapley value", Align::Right, 1)));
    columns.extend(has_budget.then(|| column("budget of the window", Align::Right, 0)));
    let mut rows = Vec::new();
    for (cell, own) in campaign.cells.iter().zip(cells) {
        let Some(own) = own.get(place) else { continue };
        let all = own.all.map_or(String::new(), |all| shown(Some(all), Unit::Plain));
        let names = [cell.point_label.as_str(), &cell.arm_label].into_iter();
        let name = names.filter(|name| !name.is_empty()).collect::<Vec<_>>().join(", ");
        rows.push(Row::Group(format!("{name}: {all}")));
        for cause in &own.causes {
            let is_nothing = cause.part.is_none_or(|part| part.mean == 0.0);
            if is_nothing && [INTERACTIONS, NO_CAUSE].contains(&cause.cause.as_str()) {
                continue;
            }
            let mut texts = vec![cause.cause.clone(), shown(cause.part, Unit::Plain)];
            texts.extend(has_shapley.then(|| shown(cause.shapley, Unit::Plain)));
            texts.extend(has_budget.then(|| shown(cause.budget, Unit::Percent)));
            rows.push(Row::Cells(texts.into_iter().map(plain).collect::<Vec<TableCell>>()));
        }
    }
    Some(Table { columns, rows })
}

fn shown(estimate: Option<Estimate>, unit: Unit) -> String {
    estimate.map_or("–".to_owned(), |it| {
        number::interval(it.mean, it.interval.low, it.interval.high, unit)
    })
}

/// The part of `summary.json` about one cell; `null` without `[attribution]`.
pub(super) fn json(campaign: &Campaign, results: &[RunResult], index: usize) -> Value {
    if campaign.experiment.attribution.is_none() {
        return Value::Null;
    }
    let cause = |cause: &Summed| {
        json!({
            "cause": cause.cause,
            "part": cause.part.map(estimate),
            "shapley_value": cause.shapley.map(estimate),
            "budget_share": cause.budget.map(estimate),
        })
    };
    let harms = over_runs(campaign, results, index);
    let of_each = |own: &OverRuns| {
        json!({
            "harm": own.of,
            "attributed_runs": own.runs,
            "all_causes": own.all.map(estimate),
            "causes": own.causes.iter().map(cause).collect::<Vec<_>>(),
        })
    };
    Value::Array(harms.iter().map(of_each).collect())
}

fn estimate(estimate: Estimate) -> Value {
    let end = |end: f64| end.is_finite().then_some(end);
    json!({
        "mean": estimate.mean,
        "low": end(estimate.interval.low),
        "high": end(estimate.interval.high),
        "n": estimate.n,
    })
}
